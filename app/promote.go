package app

import (
	"context"
	"fmt"

	"keytray/store/config"
)

// promotable is how many verdicts a model needs before a trial can be decided.
const promotable = 10

// Promote ends a trial: the route that is a split from now on leads to the model
// whose answers were judged best, over all tasks. It returns what is known of
// the winner and of the others, the best first. Nothing is changed, and the
// error says why, while too few answers were judged.
func (a *App) Promote(ctx context.Context, name string) ([]Fit, error) {
	rt, ok := a.config.Current().Route(name)
	switch {
	case !ok:
		return nil, fmt.Errorf("there is no route named %s: `keytray routes` lists them", clip(name))
	case rt.Strategy != config.Split:
		return nil, fmt.Errorf("the route %s is no split, so nobody has been tried against another: {split: {a/b: 1, c/d: 1}, sample: 5%%}", name)
	}
	book, err := a.book()
	if err != nil {
		return nil, err
	}
	verdicts, err := book.Verdicts(ctx)
	if err != nil {
		return nil, err
	}
	var all []Fit
	t := a.table.Load()
	for _, o := range rt.Of {
		f := Fit{Model: o.Model}
		judged := o.Model // as the ledger names it
		if m, err := t.find(o.Model); err == nil {
			judged = m.Provider + "/" + m.Name
		}
		for _, v := range verdicts {
			if v.Model == judged {
				f.Calls += v.Calls
				f.Score += v.Score
			}
		}
		if f.Calls < promotable {
			return nil, fmt.Errorf("%s has %d judged answers, and %d are needed to decide: let the trial go on, or raise its sample", contender(o), f.Calls, promotable)
		}
		f.Score /= float64(f.Calls)
		all = append(all, f)
	}
	sortFits(all)
	err = a.config.Edit(func(e *config.Edit) error {
		return e.SetRoute(config.Route{Name: name, Target: config.Target{Model: all[0].Model}})
	})
	a.tellOther(ctx, "config")
	return all, err
}

// contender names a target of a trial.
func contender(t config.Target) string {
	if t.Model == "" {
		return "the strategy " + string(t.Strategy) + " in the split"
	}
	return t.Model
}
