package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/store/ledger"
)

// saved is what an attempt of that cost saved: by the provider's prompt cache,
// and by the choice of a strategy that else had asked another model. nil: there
// was nothing to save, or no price tells how much. It is never negative.
func saved(cat *catalog.Catalog, a *llm.Attempt, at catalog.Context, cost catalog.Cost) *int64 {
	u := a.Tally.Usage
	if !u.Known || cost.Kind == catalog.Unpriced || at.Unbilled {
		return nil
	}
	sum, any := cat.Saved(a.Provider, a.Model, u, at)
	// Only the answer stands in the other's place: parts and lost races come on top.
	if p, m, ok := strings.Cut(a.Note.Instead, "/"); ok && a.Note.Part == llm.PartAnswer && a.Outcome == llm.OK {
		u.Also, u.HasStated = nil, false
		if other := cat.Cost(p, m, u, catalog.Context{At: at.At}); other.Kind != catalog.Unpriced {
			sum, any = sum+other.Pico-cost.Pico, true
		}
	}
	if !any {
		return nil
	}
	return pico(max(sum, 0))
}

// Hit writes the row of an answer from a route's cache: nobody was called, it
// cost nothing, and it saved what it cost the first time.
func (r recorder) Hit(ctx context.Context, req *llm.Request, h route.Hit) {
	now := time.Now()
	p, m, _ := strings.Cut(h.Target, "/")
	note := llm.NoteOf(ctx)
	row := ledger.Row{
		RequestID: req.ID, Attempt: req.Attempts() + 1, Time: now.UTC(), Tool: req.Tool, Inbound: req.Inbound.Name(),
		Asked: clip(req.Model), Route: req.Route, Role: ledger.RoleKept, Reason: note.Reason,
		Provider: p, Model: m, Status: ledger.StatusOK, Streamed: req.Stream, FirstByte: 0,
		CostKind: ledger.CostExact, CostPico: pico(0), ComputedPico: pico(0),
	}
	if c := r.app.catalog.Load().Cost(p, m, h.Usage, catalog.Context{At: now}); c.Kind != catalog.Unpriced {
		row.SavedPico = pico(max(c.Pico, 0))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWait)
	defer cancel()
	if err := r.app.ledger.Finish(ctx, row); err != nil && !errors.Is(err, ledger.ErrKept) {
		r.app.log.Error("a row could not be committed yet", "request", row.RequestID, "err", err)
	}
}
