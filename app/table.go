package app

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"

	"keytray/proxy"
	"keytray/proxy/catalog"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
	"keytray/store/config"
)

// table is the route table made from one version of the settings. It is
// immutable but for its caches.
type table struct {
	app     *App
	config  *config.Config
	catalog *catalog.Catalog
	usable  map[string]bool // providers that can be called: built, on, with a key if they need one
	leaves  sync.Map        // dialect provider/model -> llm.Target
	served  sync.Map        // a model's name without its maker -> []model; see servers
	grants  sync.Map        // tool -> *grants; see may
	limited bool            // some budget is set
	waiting []Problem       // providers whose keys wait for the user's word; see Trust
}

// learn takes up new settings: their providers first, then a new table.
func (a *App) learn(c *config.Config) {
	cat, err := a.withConfig(c)
	if err != nil { // checkConfig has refused such settings before
		a.log.Error("the settings cannot be used", "err", err)
		return
	}
	a.catalog.Store(cat)
	a.retain(c)
	a.ring.SetProviders(envVars(cat))
	a.rebuild()
}

// rebuild makes a new table from the settings and the keys as they are now,
// and swaps it in. Calls under way keep the one they started with.
func (a *App) rebuild() {
	a.builds.Lock()
	defer a.builds.Unlock()
	c, cat, beside := a.config.Current(), a.catalog.Load(), a.beside.Load()
	t := &table{app: a, config: c, catalog: cat, limited: limited(c), usable: map[string]bool{demoProvider: true}}
	hosts := []string{}
	for _, p := range cat.Providers() {
		if off(c, p.ID) || outbound(p.Dialect) == nil {
			continue
		}
		hosts = append(hosts, a.hosts(p)...)
		usable := p.Unusable == "" && (!needsKey(p) || len(callable(a.ring.Cached(p.ID))) > 0 || a.ambient(p))
		if beside != nil && needsKey(p) { // it answers the calls, with what it has
			usable = slices.Contains(beside.Usable, p.ID)
		}
		if usable {
			t.usable[p.ID] = true
		}
		if p.Unusable != "" {
			continue
		}
		if len(a.ring.Cached(p.ID)) > 0 {
			if host := a.untrusted(p); host != "" {
				t.waiting = append(t.waiting, waiting(p.ID, host))
			}
		}
	}
	a.network.Allow(hosts)
	a.network.SetOffline(c.Active == config.ActiveOffline)
	if p, ok := cat.Provider(ollamaProvider); ok {
		a.ollama.setBase(a.baseURL(p))
	}
	a.table.Store(t)
}

// Target finds who answers r. A model that nobody seems to serve in the first
// moments may be one whose key has not been read yet, so it waits for that.
func (t *table) Target(r *llm.Request) (llm.Target, error) {
	target, err := t.answers(r)
	if err == nil || !t.app.opt.Serve || llm.AsError(err).Kind != llm.NotFound {
		return target, err
	}
	select {
	case <-t.app.read: // within the keychain's time limit
	case <-t.app.ctx.Done():
	}
	if now := t.app.table.Load(); now != t {
		r.Route = ""
		return now.answers(r)
	}
	return nil, err
}

// answers finds who answers r with the table as it is.
func (t *table) answers(r *llm.Request) (llm.Target, error) {
	if d, ok := r.Inbound.(verbatim.Dialect); ok {
		return t.pass(r, d)
	}
	if embeds(r) {
		return t.fixed(r, t.unswitched, t.leaf)
	}
	return t.named(r, t.asked(r), clients)
}

// asked is the name that a client asks for. Some of Ollama's clients put
// ":latest" behind a name without a tag, which only models in Ollama have.
func (t *table) asked(r *llm.Request) string {
	bare, ok := strings.CutSuffix(r.Model, ":latest")
	if !ok || r.Inbound == nil || !strings.HasSuffix(r.Inbound.Name(), "ollama") || strings.HasPrefix(bare, ollamaProvider+"/") {
		return r.Model
	}
	if _, here := t.app.ollama.installed(r.Model); here {
		return r.Model
	}
	return bare
}

// An origin is whose word a name is, and so what is still to be seen to; see
// [grants].
type origin uint8

const (
	clients  origin = iota // the client's: the tool must be allowed it, and the switch has its say
	switched               // a route's that the switch stands on: the tool must be allowed it
	granted                // a route's that the tool may use
)

// named finds the target of a name: a route, provider/model, or a bare model
// name. (Routes do not lead back to themselves: config refuses those.)
func (t *table) named(r *llm.Request, name string, of origin) (llm.Target, error) {
	active, g := t.config.Active, t.may(r.Tool)
	rt, isRoute := t.config.Route(name)
	all, instead := t.config.Route(active)
	instead = instead && of == clients && !strings.HasPrefix(name, demoProvider+"/")
	var m model
	var err error
	if !isRoute && !(instead && g == nil) { // else nobody asks what the name stands for
		m, err = t.find(name)
	}
	if of == clients {
		if err := t.allowed(r, name, m, m); err != nil {
			return nil, err
		}
	}
	if instead {
		rt, isRoute, of = all, true, switched
	}
	switch {
	case isRoute && of == switched && !g.permits(rt.Name, model{}):
		return t.route(r, rt, switched)
	case isRoute:
		return t.route(r, rt, granted)
	case of == switched && err == nil:
		err = t.within(r, name, m, of)
	case of == clients && t.switched(active) && m.Provider != demoProvider && (err != nil || m.Provider != active):
		asked := m
		if m, err = t.standIn(active, name); err == nil {
			err = t.allowed(r, name, asked, m)
		}
	}
	if err != nil {
		return nil, err
	}
	return t.leaf(r, m)
}

// switched tells whether the tray's switch stands on one provider.
func (t *table) switched(active string) bool {
	return active != config.ActiveAuto && active != config.ActiveOffline
}

// model is what a name resolves to.
type model struct {
	Provider string
	Name     string // the provider's own
}

// find resolves provider/model or a bare name, by who can be called.
func (t *table) find(name string) (model, error) {
	if p, rest, ok := strings.Cut(name, "/"); ok && rest != "" {
		if p == demoProvider {
			if rest != demoModel {
				return model{}, t.nobody(name)
			}
			return model{p, rest}, nil
		}
		if _, known := t.catalog.Provider(p); known {
			if m, ok := t.catalog.Model(p, rest); ok {
				return model{p, m.ID}, nil
			}
			if host, ok := t.listed(name); ok && !t.usable[p] {
				return host, nil // openai/gpt-oss-120b is what Groq calls a model that OpenAI does not serve
			}
			return model{p, rest}, nil
		}
	}
	if n, ok := t.app.ollama.installed(name); ok && t.usable[ollamaProvider] {
		return model{ollamaProvider, n}, nil
	}
	if m, ok := t.listed(name); ok {
		return m, nil
	}
	return model{}, t.nobody(name)
}

// listed is the model of the catalog that goes by that name alone, at the
// first provider that can be called.
func (t *table) listed(name string) (model, bool) {
	for _, m := range t.catalog.Find(name) {
		if t.usable[m.Provider] {
			return model{m.Provider, m.ID}, true
		}
	}
	return model{}, false
}

// standIn is what the active provider answers with, for a model it may lack.
func (t *table) standIn(provider, asked string) (model, error) {
	if m, ok := t.catalog.Model(provider, asked); ok { // a router's names have slashes of their own
		return model{provider, m.ID}, nil
	}
	bare := asked
	if p, rest, ok := strings.Cut(asked, "/"); ok {
		if _, known := t.catalog.Provider(p); known {
			bare = rest
		}
	}
	if m, ok := t.catalog.Model(provider, bare); ok {
		return model{provider, m.ID}, nil
	}
	if provider == ollamaProvider {
		if n, ok := t.app.ollama.installed(bare); ok {
			return model{provider, n}, nil
		}
	}
	small := isSmall(bare)
	if s, ok := t.config.StandIn(provider); ok {
		if name := s.Large; !small && name != "" {
			return model{provider, name}, nil
		}
		if name := s.Small; small && name != "" {
			return model{provider, name}, nil
		}
	}
	if name := t.defaultStandIn(provider, small); name != "" {
		return model{provider, name}, nil
	}
	return model{}, &llm.Error{
		Kind: llm.NotFound, Code: "model_not_found", Param: "model",
		Message: fmt.Sprintf("the switch stands on %s, which has no model %s and no stand-in for it: name one under stand_ins in config.yaml, or switch with `keytray use auto`", provider, asked),
	}
}

func (t *table) defaultStandIn(provider string, small bool) string {
	if provider == ollamaProvider {
		return t.app.ollama.standIn()
	}
	if provider == demoProvider {
		return demoModel
	}
	if p, _ := t.catalog.Provider(provider); small && p.StandIn.Small != "" {
		return p.StandIn.Small
	} else if p.StandIn.Large != "" {
		return p.StandIn.Large
	}
	if c, ok := t.config.Provider(provider); ok && len(c.Models) > 0 {
		return c.Models[0]
	}
	return ""
}

// nobody is the refusal of a name that no one answers to, with near ones or
// with the key that is missing.
func (t *table) nobody(name string) error {
	e := &llm.Error{Kind: llm.NotFound, Code: "model_not_found", Param: "model"}
	var lacking []string
	for _, m := range t.catalog.Find(name) {
		if !slices.Contains(lacking, m.Provider) {
			lacking = append(lacking, m.Provider)
		}
	}
	if len(lacking) > 0 {
		who := lacking[0]
		e.Message = fmt.Sprintf("%s is a model of %s, and there is no key for it: add one with `keytray keys add %s`", name, strings.Join(lacking[:min(3, len(lacking))], ", "), who)
		if p, ok := t.catalog.Provider(who); ok && why(p) != "" {
			e.Message = fmt.Sprintf("%s is a model of %s, which cannot be called: %s", name, who, why(p))
		}
		return e
	}
	e.Message = "nobody serves a model named " + clip(name)
	if near := t.near(name); len(near) > 0 {
		e.Message += "; did you mean " + strings.Join(near, ", ") + "?"
	} else {
		e.Message += "; `keytray models` lists what can be asked for"
	}
	if _, _, err := t.app.ollama.known(); err != nil && t.usable[ollamaProvider] {
		e.Message += " (Ollama does not answer: start it, if this is one of its models)"
	}
	return e
}

// near are names like one that was not found: those that can be called first.
func (t *table) near(name string) []string {
	var out, routes []string
	for _, r := range t.config.Routes {
		routes = append(routes, r.Name)
	}
	if near := config.Nearest(name, routes); near != "" {
		out = append(out, near)
	}
	for _, m := range t.app.ollama.names() {
		if strings.HasPrefix(m, name) || strings.HasPrefix(name, strings.TrimSuffix(m, ":latest")) {
			out = append(out, m)
		}
	}
	var usable []string
	for p := range t.usable {
		usable = append(usable, p)
	}
	out = append(out, t.catalog.Near(name, 3, usable...)...)
	if len(out) == 0 {
		out = t.catalog.Near(name, 3)
	}
	return out[:min(3, len(out))]
}

// clip bounds a name that a client sent, for messages and rows, and takes out
// what would steer a terminal.
func clip(s string) string {
	end := ""
	if len(s) > 100 {
		s, end = s[:100], "…"
	}
	s = strings.ToValidUTF8(s, "")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return unicode.ReplacementChar
		}
		return c
	}, s) + end
}

// Models lists what a tool may ask for.
func (t *table) Models(tool string, localOnly bool) []proxy.Model {
	var out []proxy.Model
	g := t.may(tool)
	for _, m := range t.app.models(t, localOnly) {
		if stands := (model{m.Provider, m.Name}); m.Route && !g.permits(m.ID, model{}) || !m.Route && !g.permits(m.ID, stands) {
			continue
		}
		out = append(out, proxy.Model{
			ID: m.ID, Owner: m.Provider, Created: m.Created, Name: m.Title, Context: m.Context, MaxOutput: m.MaxOutput,
			Flags: m.Flags, Local: m.Local, Host: t.host(m), Ollama: m.ollama,
		})
	}
	return out
}

// host is where a model is called, without the path; "" of what is no
// provider's.
func (t *table) host(m Model) string {
	p, ok := t.catalog.Provider(m.Provider)
	if !ok {
		return ""
	}
	u, err := url.Parse(t.app.baseURL(p))
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// isSmall tells by its name whether a model is of its family's small size.
func isSmall(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-_./: ", r) })
	for _, w := range words {
		switch w {
		case "mini", "nano", "haiku", "flash", "lite", "small", "luna", "instant", "tiny", "8b", "7b", "4b", "3b", "1b":
			return true
		}
	}
	return false
}

func off(c *config.Config, id string) bool {
	p, ok := c.Provider(id)
	return ok && p.Off
}
