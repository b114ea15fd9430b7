package config

import (
	"fmt"
	"slices"
)

// strategies that config.yaml will take but that nothing answers yet. Refusing them is better than a route that
// silently does something else.
func laterStrategies() []string {
	return []string{"balance", "race", "cheapest", "fastest", "smart", "blend", "judge", "compare", "split", "cache", "rotate"}
}

func (r *reader) route(name string, n *node) Route {
	route := Route{Name: name}
	const hint = "write a model, or {fallback: [first/model, second/model]}"
	if n.kind == isNull {
		r.add(n, "names no model", hint)
		return route
	}
	if n.kind == isText {
		route.Model, _ = r.model(n)
		return route
	}
	if n.kind != isTable {
		r.add(n, fmt.Sprintf("is %s where a model or a strategy is wanted", n.kind), hint)
		return route
	}
	known := 0
	for _, e := range r.entries(n) {
		known++
		switch {
		case e.key == "fallback":
			route.Fallback = r.fallback(e.value)
		case slices.Contains(laterStrategies(), e.key):
			r.addAt(e.line, e.col, e.value.path, "this strategy is not built yet", "only fallback is")
		default:
			message, hint := unknown(e.key, append([]string{"fallback"}, laterStrategies()...))
			if nearest(e.key, append([]string{"fallback"}, laterStrategies()...)) == "" {
				hint = "known here: fallback"
			}
			r.addAt(e.line, e.col, e.value.path, message, hint)
		}
	}
	if known == 0 {
		r.add(n, "names no model", hint)
	}
	return route
}

func (r *reader) fallback(n *node) []string {
	if n.kind == isNull || n.kind == isList && len(n.items) == 0 {
		r.add(n, "names no model", "list them in the order to try: [first/model, second/model]")
		return nil
	}
	return r.texts(n, func(n *node) (string, bool) {
		if n.kind == isTable || n.kind == isList {
			r.add(n, "a strategy inside a strategy is not built yet", "give it a name of its own under routes and list that")
			return "", false
		}
		return r.model(n)
	})
}
