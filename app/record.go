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

// Begin writes the row down as running; it does not wait. Its error is that of
// a budget that is used up.
func (r recorder) Begin(a *llm.Attempt) error {
	row := r.row(a)
	cat, at := r.app.catalog.Load(), catalog.Context{At: a.Start, Sum: true}
	if !a.Unmetered {
		row.EstimateInput = tokens(a.SentBytes)
		if c := cat.Estimate(a.Provider, a.Model, llm.Usage{}, a.SentBytes, 0, at); c.Kind != catalog.Unpriced {
			row.EstimatePico = pico(c.Pico)
		}
	}
	a.Row = r.app.ledger.Begin(row)
	limits := r.app.config.Current()
	if !limited(limits) {
		return nil
	}
	sent := a.SentBytes
	if a.Unmetered {
		sent = 0
	}
	c := cat.Estimate(a.Provider, a.Model, llm.Usage{Output: usualOutput}, sent, 0, at)
	if c.Kind != catalog.Unpriced {
		a.Reserved = c.Pico
	}
	free := a.Provider == demoProvider || c.Kind == catalog.Exact && c.Pico == 0
	return r.app.purses.reserve(limits, a, free)
}

// Finish prices the attempt and returns when its row is committed.
func (r recorder) Finish(a *llm.Attempt) {
	r.app.health.Note(a)
	row := r.row(a)
	row.Status = ledger.Status(a.Outcome)
	r.price(a, &row)
	r.app.settle(a, &row)
	r.commit(row)
}

// commit returns when the row is committed, or kept to be.
func (r recorder) commit(row ledger.Row) {
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
	row := ledger.Row{
		ID: a.Row, RequestID: a.Request.ID, Attempt: a.Number, Time: a.Start.UTC(),
		Tool: a.Request.Tool, Inbound: a.Request.Inbound.Name(), Asked: clip(a.Request.Model), Route: a.Request.Route,
		Role: ledger.Role(a.Note.Part), Reason: a.Note.Reason,
		Provider: a.Provider, Model: a.Model, Key: a.Key,
		HTTPStatus: a.Status, Streamed: a.Streamed, Lost: a.Lost, FirstByte: -1,
		Usage: rowUsage(a.Tally.Usage),
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

// price puts the cost into the row. An attempt that was refused costs nothing,
// unless the refusal states what was used;
// one that was cut or stopped costs what was counted, or an estimate.
func (r recorder) price(a *llm.Attempt, row *ledger.Row) {
	cat := r.app.catalog.Load()
	t := &a.Tally
	at := catalog.Context{At: a.Start, Tier: t.Tier, Geo: t.Geo, Endpoint: endpoint(cat, a.Provider), Unbilled: !t.Good && !t.Usage.Known && a.Outcome == llm.Failed}
	var c catalog.Cost
	switch {
	case a.Provider == demoProvider:
		c = catalog.Cost{Kind: catalog.Exact, ComputedKind: catalog.Exact}
	case a.Unmetered && !t.Usage.Tokens() && cat.Free(a.Provider, a.Model, a.Start):
		c = catalog.Cost{Kind: catalog.Exact, ComputedKind: catalog.Exact}
	case at.Unbilled, t.Usage.Known && (t.Done || a.Outcome == llm.OK), a.Unmetered:
		c = cat.Cost(a.Provider, a.Model, t.Usage, at)
	default:
		c = cat.Estimate(a.Provider, a.Model, t.Usage, a.SentBytes, t.Text, at)
		if t.Usage.Prompt() == 0 {
			row.Usage.Input = tokens(a.SentBytes)
		}
		row.Usage.Output = max(row.Usage.Output, tokens(t.Text))
	}
	if a.Unmetered && a.Outcome != llm.OK && !at.Unbilled && c.Kind == catalog.Exact && c.Pico > 0 {
		c.Kind = catalog.Estimated // it is billed for what it was asked, or for a part of it
	}
	row.CostKind, row.Price = ledger.CostKind(c.Kind), string(c.Price)
	if c.Kind != catalog.Unpriced {
		row.CostPico = pico(c.Pico)
	}
	if c.ComputedKind != catalog.Unpriced {
		row.ComputedPico = pico(c.Computed)
	}
	if c.HasStated {
		row.StatedPico = pico(c.Stated)
	}
	row.SavedPico = saved(cat, a, at, c)
}

// tokens are those that so many bytes are taken for, as the catalog does when it
// estimates a cost.
func tokens(bytes int64) int64 { return (bytes + bytesPerToken - 1) / bytesPerToken }

func rowUsage(u llm.Usage) ledger.Usage {
	return ledger.Usage{
		Input: u.Input, CacheRead: u.CacheRead, CacheWrite5m: u.CacheWrite5m, CacheWrite1h: u.CacheWrite1h,
		Output: u.Output, Reasoning: u.Reasoning,
		AudioInput: u.AudioInput, AudioCacheRead: u.AudioCacheRead, AudioOutput: u.AudioOutput,
		ImageInput: u.ImageInput, ImageCacheRead: u.ImageCacheRead, ImageOutput: u.ImageOutput,
		Searches: u.Searches, Images: u.Images, Characters: u.Characters, AudioMS: u.AudioMS,
	}
}

// endpoint is the kind of endpoint that a provider is called at, where that
// depends on its settings and is billed apart.
func endpoint(cat *catalog.Catalog, provider string) string {
	p, _ := cat.Provider(provider)
	return p.Values["endpoint"]
}

func pico(p llm.Pico) *int64 { n := int64(p); return &n }
