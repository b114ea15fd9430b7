package app

import (
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/store/config"
)

// route is the target of a route. The row names the outermost one, which is
// what was asked for.
func (t *table) route(r *llm.Request, rt config.Route) (llm.Target, error) {
	if r.Route == "" {
		r.Route = rt.Name
	}
	return t.target(r, rt.Target)
}

// target builds what a route's target says.
func (t *table) target(r *llm.Request, c config.Target) (llm.Target, error) {
	if c.Strategy == "" {
		return t.named(r, c.Model, false)
	}
	of, err := t.targets(r, c.Of)
	if err != nil {
		return nil, err
	}
	switch c.Strategy {
	case config.Fallback:
		return route.Fallback(of), nil
	default:
		return nil, &llm.Error{Kind: llm.Internal, Message: "the strategy " + string(c.Strategy) + " is not built"}
	}
}

// targets are those that can be called now. The error is the first one's, if
// none can.
func (t *table) targets(r *llm.Request, of []config.Target) ([]llm.Target, error) {
	var all []llm.Target
	var first error
	for _, c := range of {
		target, err := t.target(r, c)
		if err == nil {
			all = append(all, target)
		} else if first == nil {
			first = err
		}
	}
	if len(all) > 0 {
		first = nil
	}
	return all, first
}
