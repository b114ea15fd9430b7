package app

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/store/config"
	"keytray/store/ledger"
)

// usualBar is the quality that a smart route wants where nothing is said.
const usualBar = 0.5

// smart picks the smallest model that is good enough.
func (t *table) smart(c config.Target, of []route.Choice) llm.Target {
	bar := usualBar
	if c.Bar != nil {
		bar = *c.Bar
	}
	return route.Smart{Choices: of, Bar: bar, Quality: t.quality, Fits: t.fitsIn, Size: func(c route.Choice) float64 {
		usd, ok := t.outputPrice(c)
		if !ok {
			return math.Inf(1) // an unknown price is taken for a high one
		}
		return usd
	}}
}

// outputPrice is what a million tokens of output cost at a choice, in USD; 0 is
// free, and ok is false where no price is known.
func (t *table) outputPrice(c route.Choice) (usd float64, ok bool) {
	cost := t.catalog.Cost(c.Provider, c.Model, llm.Usage{Output: 1_000_000, Known: true}, catalog.Context{At: time.Now(), Sum: true})
	return float64(cost.Pico) / 1e12, cost.Kind != catalog.Unpriced
}

// quality is how good a model is at a task, 0 to 1. What the catalog can say of
// it is what its maker asks for it and how old it is; verdicts weigh more with
// each.
func (t *table) quality(c route.Choice, task string) float64 {
	prior := 0.3 // free or unknown
	if usd, ok := t.outputPrice(c); ok && usd > 0 {
		prior = 0.55 + 0.09*math.Log2(usd)
	}
	if m, ok := t.catalog.Model(c.Provider, c.Model); ok {
		if made, err := time.Parse(time.DateOnly, m.Released); err == nil && time.Since(made) > 2*365*24*time.Hour {
			prior -= 0.15
		}
		if task == "reasoning" && !m.Flags.Has(llm.FlagReasoning) {
			prior -= 0.1
		}
	}
	return t.app.fits.mix(c.Name(), task, min(0.97, max(0.1, prior)))
}

// fitsIn tells whether a model can take such a request at all.
func (t *table) fitsIn(c route.Choice, l route.Look) bool {
	flags := t.catalog.Call(c.Provider, c.Model).Flags
	m, known := t.catalog.Model(c.Provider, c.Model)
	switch {
	case l.Images && flags.Has(llm.FlagNoVision), l.Tools && flags.Has(llm.FlagNoTools):
		return false
	case known && m.Context > 0 && l.Tokens > m.Context:
		return false
	default:
		return true
	}
}

// judging counts what samples cost to judge today, by route.
type judging struct {
	mu    sync.Mutex
	day   string
	spent map[string]int64
}

// usualJudging is what judging may cost in a day where nothing is said: 0.10 USD.
const usualJudging = int64(1e11)

// judgeCost is what judging one sample is taken to cost before it is known.
const judgeCost = int64(1e9)

// may reserves the judging of one more sample; settle puts what it has cost in
// the place of that.
func (j *judging) may(name string, most int64, now time.Time) (settle func(cost int64), ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if day := now.Format(time.DateOnly); j.day != day {
		j.day, j.spent = day, map[string]int64{}
	}
	if j.spent[name] >= most {
		return nil, false
	}
	today := j.spent
	today[name] += judgeCost
	return func(cost int64) {
		j.mu.Lock()
		defer j.mu.Unlock()
		today[name] += cost - judgeCost
	}, true
}

// split tries targets against one another.
func (t *table) split(c config.Target, of []route.Choice, weights []int, by llm.Target) llm.Target {
	s := route.Split{Choices: of, Weights: weights, By: by, Later: func(f func(context.Context)) bool {
		return t.app.crew.Go(func() { f(t.app.ctx) })
	}}
	if c.Sample == nil {
		return s
	}
	most := usualJudging
	if c.Budget != nil {
		most = *c.Budget
	}
	s.Sample = *c.Sample
	s.May = func(r *llm.Request) (func(string, llm.Usage), bool) {
		settle, ok := t.app.judging.may(r.Route, most, time.Now())
		if !ok {
			return nil, false
		}
		return func(judge string, u llm.Usage) { settle(t.judgingCost(judge, u)) }, true
	}
	s.Judged = t.app.judged
	return s
}

// judgingCost is what a judge's answer cost: nothing if there was none, and what
// one is taken to cost if its price is not known.
func (t *table) judgingCost(judge string, u llm.Usage) int64 {
	if judge == "" {
		return 0
	}
	provider, name, _ := strings.Cut(judge, "/")
	c := t.catalog.Cost(provider, name, u, catalog.Context{At: time.Now(), Sum: true})
	if c.Kind == catalog.Unpriced || !u.Known {
		return judgeCost
	}
	return int64(c.Pico)
}

const (
	usualKeep = time.Hour // of a cached answer
	usualSize = 64 << 20  // of a route's cache
)

// cache gives the same answer to the same request.
func (t *table) cache(r *llm.Request, c config.Target, of route.Choice) llm.Target {
	s := route.Cache{Target: of.Target, Name: r.Route, Of: fmt.Sprint(c.Of[0], t.models(c.Of[0], nil)), Keep: c.Keep, Size: c.Size, Store: &t.app.answers, Hit: t.app.hit}
	if s.Keep == 0 {
		s.Keep = usualKeep
	}
	if s.Size == 0 {
		s.Size = usualSize
	}
	return s
}

// hit writes the row of an answer that came from the cache: it costs nothing,
// and saved what the same usage would cost now.
func (a *App) hit(ctx context.Context, r *llm.Request, h route.Hit) {
	now := time.Now()
	provider, name, _ := strings.Cut(h.Target, "/")
	at := &llm.Attempt{
		Request: r, Number: r.NextAttempt(), Provider: provider, Model: name, Streamed: r.Stream,
		Start: now, FirstByte: now, End: now, Outcome: llm.OK,
		Note: llm.NoteOf(ctx),
	}
	rec := recorder{a}
	row := rec.row(at)
	row.Status, row.CostPico, row.ComputedPico, row.CostKind = ledger.StatusOK, pico(0), pico(0), ledger.CostExact
	if c := a.catalog.Load().Cost(provider, name, h.Usage, catalog.Context{At: now, Sum: true}); c.Kind != catalog.Unpriced {
		row.SavedPico = pico(c.Pico)
	}
	row.ID = a.ledger.Begin(row)
	rec.commit(row)
}
