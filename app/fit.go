package app

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/store/ledger"
)

// Fit is how well a model did at a task, by the verdicts of judges.
type Fit struct {
	Model string // provider/model
	Task  string // chat, code, agent, reasoning, vision, long
	Calls int64  // that were judged
	Score float64
}

// fits gathers verdicts. It is kept in the ledger's file, and outlives changes of
// the settings.
type fits struct {
	mu  sync.Mutex
	all map[fitKey]*Fit
}

type fitKey struct{ model, task string }

func (f *fits) add(model, task string, calls int64, score float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[fitKey]*Fit{}
	}
	k := fitKey{model, task}
	x := f.all[k]
	if x == nil {
		x = &Fit{Model: model, Task: task}
		f.all[k] = x
	}
	x.Score = (x.Score*float64(x.Calls) + score*float64(calls)) / float64(x.Calls+calls)
	x.Calls += calls
}

// weighs is how many verdicts the catalog's word is worth.
const weighs = 5

// mix weighs what is judged of a model against what the catalog says.
func (f *fits) mix(model, task string, prior float64) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.all[fitKey{model, task}]
	if x == nil {
		return prior
	}
	return (prior*weighs + x.Score*float64(x.Calls)) / (weighs + float64(x.Calls))
}

// Fit lists how models did at tasks, by task and then the best first.
func (a *App) Fit() []Fit {
	a.fits.mu.Lock()
	defer a.fits.mu.Unlock()
	var all []Fit
	for _, f := range a.fits.all {
		all = append(all, *f)
	}
	sortFits(all)
	return all
}

func sortFits(all []Fit) {
	slices.SortFunc(all, func(x, y Fit) int {
		return cmp.Or(cmp.Compare(x.Task, y.Task), -cmp.Compare(x.Score, y.Score), cmp.Compare(x.Model, y.Model))
	})
}

// judged takes a verdict in.
func (a *App) judged(model, task string, score float64) {
	a.fits.add(model, task, 1, score)
	a.ledger.AddVerdict(ledger.Verdict{Model: model, Task: task, Calls: 1, Score: score})
	a.changed()
}

// recall takes up the verdicts of earlier runs.
func (a *App) recall() {
	ctx, cancel := context.WithTimeout(a.ctx, 5*time.Second)
	defer cancel()
	all, err := a.ledger.Verdicts(ctx)
	if err != nil && a.ctx.Err() == nil {
		a.log.Warn("the verdicts of earlier runs cannot be read", "err", err)
	}
	for _, v := range all {
		if v.Calls > 0 {
			a.fits.add(v.Model, v.Task, v.Calls, v.Score/float64(v.Calls))
		}
	}
}

// verdict takes a judge's word on several answers in.
func (a *App) verdict(_ *llm.Request, v route.Verdict) {
	for i, name := range v.Names {
		a.judged(name, v.Task, v.Scores[i])
	}
}
