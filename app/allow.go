package app

import (
	"fmt"
	"strings"

	"keytray/proxy/llm"
)

// grants is what a tool may use, by its list in config.yaml (tools.NAME.models);
// nil is everything. On the list may stand
//
//	PROVIDER/       all of a provider: its models, its files, its own API
//	PROVIDER/MODEL  one model there, by any of its names
//	MODEL           one model, at whichever provider
//	ROUTE           a route, with all that it leads to
//
// Two things are looked at: what is asked for, and what is called. The name that
// a client asks for must be on the list. If the tray's switch has something else
// answer, that must be on it too: the model of the provider that the switch
// stands on; the route that it stands on or, of a route that is not on the list,
// only those of its models and routes that are. Calls that name their provider
// themselves (/p/PROVIDER/, Keytray-Provider), or nothing but a file, are held to
// what is called alone. The model lists show what may be asked for.
//
// What a route on the list leads to is not looked at again. Nor is the local
// model that answers when a budget is used up: at_limit says that of this call.
type grants struct {
	names     map[string]bool // as they stand on the list
	providers map[string]bool
	models    map[model]bool
	anywhere  map[string]bool // models at whichever provider
}

// may is what a tool may use.
func (t *table) may(tool string) *grants {
	c, ok := t.config.Tool(tool)
	if !ok || len(c.Models) == 0 {
		return nil
	}
	if g, ok := t.grants.Load(tool); ok {
		return g.(*grants)
	}
	g := &grants{map[string]bool{}, map[string]bool{}, map[model]bool{}, map[string]bool{}}
	for _, name := range c.Models {
		g.names[name] = true
		provider, rest, _ := strings.Cut(name, "/")
		_, isRoute := t.config.Route(name)
		_, known := t.catalog.Provider(provider)
		switch {
		case isRoute:
		case strings.HasSuffix(name, "/"):
			g.providers[strings.TrimSuffix(name, "/")] = true
		case rest != "" && (known || provider == demoProvider):
			g.models[model{provider, rest}] = true
			if m, ok := t.catalog.Model(provider, rest); ok {
				g.models[model{provider, m.ID}] = true
			}
			if provider == ollamaProvider {
				g.models[model{provider, rest + ":latest"}] = true
			}
		default:
			g.anywhere[name] = true
			for _, m := range t.catalog.Find(name) {
				g.models[model{m.Provider, m.ID}] = true
			}
		}
	}
	t.grants.Store(tool, g)
	return g
}

// permits tells whether a tool may use a name, and what it stands for: m, which
// is zero of a route. A call that has no name has "".
func (g *grants) permits(name string, m model) bool {
	return g == nil || name != "" && g.names[name] || g.providers[m.Provider] || g.models[m] ||
		m.Name != "" && (g.anywhere[m.Name] || m.Provider == ollamaProvider && g.anywhere[strings.TrimSuffix(m.Name, ":latest")])
}

// May tells whether a tool may ask for a name; "ollama/" is all of a provider.
func (t *table) May(tool, name string) bool {
	g := t.may(tool)
	if g == nil {
		return true
	}
	if provider, all := strings.CutSuffix(name, "/"); all {
		return g.providers[provider]
	}
	m, _ := t.find(name) // zero, if nobody serves it
	return g.permits(name, m)
}

// allowed refuses what the caller's tool may not use: called is who would answer
// the name, which stands for asked where the switch has no say.
func (t *table) allowed(r *llm.Request, name string, asked, called model) error {
	g := t.may(r.Tool)
	switch {
	case !g.permits(name, asked):
		if name == "" {
			name = strings.TrimSuffix(asked.Provider+"/"+asked.Name, "/")
		}
		return t.forbidden(r, fmt.Sprintf("%s may not use %s", r.Tool, clip(name)), "")
	case called != asked && !g.permits("", called):
		return t.forbidden(r, fmt.Sprintf("the switch stands on %s, so %s/%s would answer, and %s may not use that", t.config.Active, called.Provider, clip(called.Name), r.Tool), turnBack)
	}
	return nil
}

// within refuses a model of the route that the switch stands on, if the caller's
// tool may use neither.
func (t *table) within(r *llm.Request, name string, m model, of origin) error {
	if of != switched || t.may(r.Tool).permits(name, m) {
		return nil
	}
	return t.forbidden(r, fmt.Sprintf("the switch stands on the route %s, which leads to %s, and %s may not use that", t.config.Active, clip(name), r.Tool), turnBack)
}

// turnBack is what else helps where the switch has something else answer.
const turnBack = ", or turn the switch with `keytray use auto`"

// forbidden is the refusal of what is not on a tool's list.
func (t *table) forbidden(r *llm.Request, said, more string) error {
	c, _ := t.config.Tool(r.Tool)
	const most = 5
	list := strings.Join(c.Models[:min(most, len(c.Models))], ", ")
	if len(c.Models) > most {
		list += " and others"
	}
	return &llm.Error{
		Kind: llm.Forbidden, Code: "model_not_allowed", Param: "model",
		Message: fmt.Sprintf("%s: it may use %s. Change that with `keytray token %s --models` or under tools in config.yaml%s", said, list, r.Tool, more),
	}
}
