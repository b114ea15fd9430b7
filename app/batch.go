package app

import (
	"context"
	"errors"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
	"keytray/store/ledger"
)

// results settles a batch whose results pass by: one row for each model, at
// the price of batches. It is written before the client has the end of the
// file, and once, however often that is fetched.
type results struct {
	app      *App
	request  *llm.Request
	provider string
	file     string
	key      *string // the label of the key, once it has signed
	started  time.Time

	verbatim.Results
	models []modelResults
}

// modelResults is what a batch used of one model, and what that cost.
type modelResults struct {
	model string
	usage llm.Usage
	pico  int64
	kind  catalog.Kind // "" before the first answer
	price string
	some  bool // something had a price
}

func (a *App) newResults(r *llm.Request, provider, file string, key *string) *results {
	b := &results{app: a, request: r, provider: provider, file: file, key: key, started: time.Now()}
	b.Each = b.add
	return b
}

// add prices one answer.
func (b *results) add(model string, u llm.Usage) {
	m := b.of(model)
	c := b.app.catalog.Load().Cost(b.provider, model, u, catalog.Context{At: b.started, Tier: "batch"})
	if u.Known {
		m.usage.Input += u.Input
		m.usage.CacheRead += u.CacheRead
		m.usage.CacheWrite5m += u.CacheWrite5m
		m.usage.CacheWrite1h += u.CacheWrite1h
		m.usage.Output += u.Output
		m.usage.Reasoning += u.Reasoning
		m.usage.AudioInput += u.AudioInput
		m.usage.AudioCacheRead += u.AudioCacheRead
		m.usage.AudioOutput += u.AudioOutput
		m.usage.ImageInput += u.ImageInput
		m.usage.ImageCacheRead += u.ImageCacheRead
		m.usage.ImageOutput += u.ImageOutput
	}
	switch {
	case c.Kind == catalog.Unpriced:
		m.kind = catalog.AtLeast // of what the others came to, if any had a price
		return
	case m.kind == "", m.kind == catalog.Exact, c.Kind == catalog.AtLeast:
		if m.kind != catalog.AtLeast {
			m.kind = c.Kind
		}
	}
	m.some = true
	m.pico += int64(c.Pico)
	m.price = string(c.Price)
}

func (b *results) of(model string) *modelResults {
	for i := range b.models {
		if b.models[i].model == model {
			return &b.models[i]
		}
	}
	b.models = append(b.models, modelResults{model: model})
	return &b.models[len(b.models)-1]
}

// Close settles the batch; see upstream.Pass.
func (b *results) Close() {
	if !b.Results.Close() || len(b.models) == 0 {
		return
	}
	now := time.Now()
	rows := make([]ledger.Row, len(b.models))
	for i, m := range b.models {
		rows[i] = ledger.Row{
			RequestID: b.request.ID, Attempt: i + 1, Time: b.started.UTC(), Tool: b.request.Tool, Inbound: string(verbatim.Batches),
			Asked: clip(m.model), Provider: b.provider, Model: clip(m.model), Key: *b.key, Status: ledger.StatusOK, HTTPStatus: 200,
			FirstByte: -1, Duration: now.Sub(b.started), Usage: rowUsage(m.usage), CostKind: ledger.CostUnpriced, Price: m.price,
		}
		if m.some {
			rows[i].CostPico, rows[i].ComputedPico, rows[i].CostKind = &m.pico, &m.pico, ledger.CostKind(m.kind)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitWait)
	defer cancel()
	b.app.purses.ready()
	switch err := b.app.ledger.Settle(ctx, b.provider, b.file, rows); {
	case err == nil, errors.Is(err, ledger.ErrKept):
		for _, r := range rows { // the budgets know of it too
			b.app.purses.settle(b.app.config.Current(), &llm.Attempt{Request: b.request, Provider: b.provider, Key: *b.key, Start: b.started}, r.CostPico)
		}
	case errors.Is(err, ledger.ErrSettled):
		b.app.log.Debug("a batch was settled before", "request", b.request.ID)
	default:
		b.app.log.Error("a batch could not be settled", "request", b.request.ID, "err", err)
	}
}
