package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/proxy/upstream"
	"keytray/store/config"
)

// route is the target of a route. The row names the outermost one, which is
// what was asked for.
func (t *table) route(r *llm.Request, rt config.Route, of origin) (llm.Target, error) {
	if r.Route == "" {
		r.Route = rt.Name
	}
	return t.target(r, rt.Target, of)
}

// target builds what a route's target says.
func (t *table) target(r *llm.Request, c config.Target, whose origin) (llm.Target, error) {
	if c.Strategy == "" {
		return t.named(r, c.Model, whose)
	}
	of, weights, err := t.choices(r, c, whose)
	if err != nil {
		return nil, err
	}
	switch c.Strategy {
	case config.Fallback:
		return route.Fallback(plain(of)), nil
	case config.Balance:
		return route.Balance{Targets: plain(of), Weights: weights}, nil
	case config.Race:
		return route.Race{Targets: plain(of), After: after(c), Go: t.app.until}, nil
	case config.Cheapest:
		return route.Cheapest{Choices: of, Cost: t.cost}, nil
	case config.Fastest:
		return route.Fastest{Choices: of, Speed: func(c route.Choice) (time.Duration, float64) {
			return t.app.health.Speed(c.Provider, c.Model)
		}}, nil
	case config.Compare:
		return route.Compare{Choices: of}, nil
	case config.Blend, config.Judge:
		by, err := t.by(r, c, of, whose)
		if err != nil { // the answers are worth something without it
			by = refusing{err}
		}
		if c.Strategy == config.Judge {
			return route.Judge{Choices: of, By: by, Verdict: t.app.verdict}, nil
		}
		return route.Blend{Choices: of, By: by}, nil
	case config.Smart:
		return t.smart(c, of), nil
	case config.Split:
		by, err := t.by(r, c, of, whose)
		if err != nil {
			by = refusing{err}
		}
		return t.split(c, of, weights, by), nil
	case config.Cache:
		return t.cache(r, c, of[0]), nil
	default:
		return nil, &llm.Error{Kind: llm.Internal, Message: "the strategy " + string(c.Strategy) + " is not built"}
	}
}

// until runs f beside its caller, and has Close wait for it.
func (a *App) until(f func()) {
	if !a.crew.Go(f) {
		go f() // of a call that came too late to be waited for
	}
}

// refusing is a target that cannot be called.
type refusing struct{ err error }

// Do says why.
func (t refusing) Do(context.Context, *llm.Request) (*llm.Response, error) { return nil, t.err }

// by is the model that writes or judges: the one named, or the first that is
// asked.
func (t *table) by(r *llm.Request, c config.Target, of []route.Choice, whose origin) (llm.Target, error) {
	if c.By == "" {
		return of[0].Target, nil
	}
	return t.named(r, c.By, whose)
}

// choices are the targets of a strategy that can be called now, with their
// weights. Where providers are chosen between, a bare model's name stands for
// that model at each provider that serves it. The error is the first target's,
// if none can be called.
func (t *table) choices(r *llm.Request, c config.Target, whose origin) ([]route.Choice, []int, error) {
	var all []route.Choice
	var weights []int
	var first error
	add := func(c route.Choice, weight int, err error) {
		switch {
		case err == nil:
			all, weights = append(all, c), append(weights, weight)
		case first == nil:
			first = err
		}
	}
	for i, o := range c.Of {
		weight := 1
		if c.Weights != nil {
			weight = c.Weights[i]
		}
		if everywhere := t.everywhere(c, o); everywhere != nil {
			for _, m := range everywhere {
				if err := t.within(r, o.Model, m, whose); err != nil {
					add(route.Choice{}, 0, err)
					continue
				}
				target, err := t.leaf(r, m)
				add(route.Choice{Target: target, Provider: m.Provider, Model: m.Name}, weight, err)
			}
			continue
		}
		target, err := t.target(r, o, whose)
		add(choice(target), weight, err)
	}
	if len(all) == 0 {
		return nil, nil, first
	}
	all, weights = t.filter(c, all, weights)
	if len(all) == 0 {
		return nil, nil, &llm.Error{
			Kind: llm.NotFound, Code: "nobody_left", Param: "model",
			Message: "the route " + r.Route + " leaves nobody to ask: its only, ignore and max_price rule out all that can be called now; change them in config.yaml",
		}
	}
	return all, weights, nil
}

// everywhere is one model at all providers that serve it and can be called, for
// strategies that choose between providers; nil if that is not what o names.
func (t *table) everywhere(c config.Target, o config.Target) []model {
	switch c.Strategy {
	case config.Cheapest, config.Fastest, config.Balance:
	default:
		return nil
	}
	if _, isRoute := t.config.Route(o.Model); o.Model == "" || isRoute {
		return nil
	}
	if strings.Contains(o.Model, "/") {
		return nil
	}
	var all []model
	if n, ok := t.app.ollama.installed(o.Model); ok && t.usable[ollamaProvider] {
		all = append(all, model{ollamaProvider, n})
	}
	return append(all, t.servers(o.Model)...)
}

// servers are the models of that name at all providers that can be called. Hosts
// put a maker's name or a path of their own before it.
func (t *table) servers(name string) []model {
	if found, ok := t.served.Load(name); ok {
		return found.([]model)
	}
	var all []model
	for _, p := range t.catalog.Providers() {
		if !t.usable[p.ID] || p.ID == demoProvider {
			continue
		}
		for _, m := range t.catalog.Models(p.ID) {
			if m.ID == name || strings.HasSuffix(m.ID, "/"+name) {
				all = append(all, model{p.ID, m.ID})
			}
		}
	}
	t.served.Store(name, all)
	return all
}

// filter leaves what only, ignore and max_price allow; preferred providers come
// first.
func (t *table) filter(c config.Target, all []route.Choice, weights []int) ([]route.Choice, []int) {
	var kept []route.Choice
	var kw []int
	for _, preferred := range []bool{true, false} {
		for i, o := range all {
			switch {
			case slices.Contains(c.Prefer, o.Provider) != preferred,
				slices.Contains(c.Ignore, o.Provider),
				len(c.Only) > 0 && !slices.Contains(c.Only, o.Provider),
				c.MaxPrice != nil && !t.affordable(o, *c.MaxPrice):
			default:
				kept, kw = append(kept, o), append(kw, weights[i])
			}
		}
	}
	return kept, kw
}

// affordable tells whether a million tokens of output cost no more than most. One
// of unknown price does not pass.
func (t *table) affordable(c route.Choice, most int64) bool {
	cost := t.catalog.Cost(c.Provider, c.Model, llm.Usage{Output: 1_000_000, Known: true}, catalog.Context{At: time.Now(), Sum: true})
	return cost.Kind != catalog.Unpriced && int64(cost.Pico) <= most
}

const (
	// usualOutput is how many tokens an answer is taken to have when prices are
	// compared and the client sets no lower limit.
	usualOutput = 500
)

// cost is about what r would cost at a choice.
func (t *table) cost(r *llm.Request, c route.Choice) (llm.Pico, bool) {
	if c.Provider == demoProvider {
		return 0, true
	}
	cost := t.catalog.Estimate(c.Provider, c.Model, llm.Usage{Output: usualOutput}, int64(len(r.Raw)), 0, catalog.Context{At: time.Now(), Sum: true})
	return cost.Pico, cost.Kind != catalog.Unpriced
}

// choice knows the model of a target that is one.
func choice(target llm.Target) route.Choice {
	c := route.Choice{Target: target}
	switch x := target.(type) {
	case route.Watched:
		c.Provider, c.Model = x.Provider, x.Model
	case *upstream.Leaf:
		c.Provider, c.Model = x.Model.Provider, x.Model.Name
	case thrifty:
		c.Provider, c.Model = x.Provider, x.Model
	case demo:
		c.Provider, c.Model = demoProvider, demoModel
	}
	return c
}

func plain(of []route.Choice) []llm.Target {
	all := make([]llm.Target, len(of))
	for i, c := range of {
		all[i] = c.Target
	}
	return all
}

// usualDelay is how long a race waits for the first before it asks the next.
const usualDelay = 2 * time.Second

func after(c config.Target) time.Duration {
	if c.After != nil {
		return *c.After
	}
	return usualDelay
}
