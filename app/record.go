package app

import (
	"context"
	"errors"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/store/ledger"
)

// recorder turns attempts into priced rows of the ledger.
type recorder struct{ app *App }

// Begin writes the row down as running; it does not wait.
func (r recorder) Begin(a *llm.Attempt) {
	row := r.row(a)
	row.EstimateInput = a.SentBytes / bytesPerToken
	if c := r.app.catalog.Load().Estimate(a.Provider, a.Model, llm.Usage{Input: row.EstimateInput}, catalog.Context{At: a.Start}); c.Known {
		p := int64(c.Pico)
		row.EstimatePico = &p
	}
	a.Row = r.app.ledger.Begin(row)
}

// Finish prices the attempt and returns when its row is committed.
func (r recorder) Finish(a *llm.Attempt) {
	row := r.row(a)
	row.Status = ledger.Status(a.Outcome)
	r.price(a, &row)
	ctx, cancel := context.WithTimeout(context.Background(), commitWait)
	defer cancel()
	if err := r.app.ledger.Finish(ctx, row); err != nil && !errors.Is(err, ledger.ErrKept) {
		r.app.log.Error("a row could not be committed yet", "request", row.RequestID, "err", err)
	}
}

const (
	// commitWait bounds how long an answer is held back for a slow disk; the
	// row stays with the writer after it.
	commitWait = 5 * time.Second
	// bytesPerToken is the usual rule of thumb, for estimates only.
	bytesPerToken = 4
)

func (r recorder) row(a *llm.Attempt) ledger.Row {
	u := a.Tally.Usage
	row := ledger.Row{
		ID: a.Row, RequestID: a.Request.ID, Attempt: a.Number, Time: a.Start.UTC(),
		Tool: a.Request.Tool, Inbound: a.Request.Inbound.Name(), Asked: clip(a.Request.Model), Route: a.Request.Route,
		Provider: a.Provider, Model: a.Model, Key: a.Key,
		HTTPStatus: a.Status, Streamed: a.Streamed, Lost: a.Lost, FirstByte: -1,
		Usage: ledger.Usage{
			Input: u.Input, CacheRead: u.CacheRead, CacheWrite5m: u.CacheWrite5m, CacheWrite1h: u.CacheWrite1h,
			Output: u.Output, Reasoning: u.Reasoning,
			AudioInput: u.AudioInput, AudioCacheRead: u.AudioCacheRead, AudioOutput: u.AudioOutput,
			ImageInput: u.ImageInput, ImageCacheRead: u.ImageCacheRead, ImageOutput: u.ImageOutput,
			Searches: u.Searches,
		},
	}
	if !a.FirstByte.IsZero() {
		row.FirstByte = max(0, a.FirstByte.Sub(a.Start))
	}
	if !a.End.IsZero() {
		row.Duration = max(0, a.End.Sub(a.Start))
	}
	if a.Err != nil {
		row.Error = string(a.Err.Kind) + ": " + a.Err.Message
	}
	return row
}

// price puts the cost into the row. An attempt that was refused costs nothing;
// one that was cut or stopped costs what was counted, or an estimate.
func (r recorder) price(a *llm.Attempt, row *ledger.Row) {
	cat := r.app.catalog.Load()
	at := catalog.Context{At: a.Start, Tier: a.Tally.Tier, Geo: a.Tally.Geo}
	u := a.Tally.Usage
	var c catalog.Cost
	switch {
	case a.Provider == demoProvider:
		c = catalog.Cost{Known: true, Kind: catalog.Exact}
	case a.Outcome == llm.OK && u.Known, a.Tally.Done && u.Known:
		c = cat.Cost(a.Provider, a.Model, u, at)
	case !a.Tally.Good && a.Outcome == llm.Failed:
		c = catalog.Cost{Known: true, Kind: catalog.Exact} // refused before it began
	default:
		if !u.Known || u.Prompt() == 0 {
			u.Input = a.SentBytes / bytesPerToken
		}
		if seen := a.Tally.Text / bytesPerToken; u.Completion() < seen {
			u.Output = seen
		}
		row.Usage.Input, row.Usage.Output = u.Input, u.Output
		c = cat.Estimate(a.Provider, a.Model, u, at)
	}
	row.CostKind, row.Price = ledger.CostKind(c.Kind), c.Price
	if c.Known {
		row.CostPico = pico(c.Pico)
	}
	if c.HasComputed {
		row.ComputedPico = pico(c.Computed)
	}
	if u.HasStated {
		row.StatedPico = pico(u.Stated)
	}
}

func pico(p llm.Pico) *int64 { n := int64(p); return &n }
