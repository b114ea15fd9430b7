package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/verbatim"
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/proxy/upstream"
	"keytray/store/config"
	"keytray/store/ledger"
)

// pass finds who answers a call that is no conversation: by the model that it
// names, or by who keeps what it is about.
func (t *table) pass(r *llm.Request, d verbatim.Dialect) (llm.Target, error) {
	if d.Kind == verbatim.Raw {
		return t.raw(r, d)
	}
	if p, ok, err := t.told(r); err != nil {
		return nil, err
	} else if ok {
		m := model{p.ID, strings.TrimPrefix(r.Model, p.ID+"/")}
		if err := t.allowed(r, "", m, m); err != nil {
			return nil, err
		}
		return t.passTo(r, d, m)
	}
	if !d.Named() {
		return t.byKeeper(r, d)
	}
	return t.fixed(r, func(name string) (model, error) { return t.bearer(name, d) }, func(r *llm.Request, m model) (llm.Target, error) { return t.passTo(r, d, m) })
}

// fixed is the target of a call whose model has no stand-ins. Of a route's
// models those that can be called are asked in their order, whatever its
// strategy: answers of another kind than text are not compared or blended.
func (t *table) fixed(r *llm.Request, find func(name string) (model, error), to func(*llm.Request, model) (llm.Target, error)) (llm.Target, error) {
	name := t.asked(r)
	rt, ok := t.config.Route(name)
	if !ok {
		m, err := find(name)
		if err != nil {
			return nil, err
		}
		asked, err := t.find(name)
		if err != nil { // only m's provider knows it
			asked = m
		}
		if err := t.allowed(r, name, asked, m); err != nil {
			return nil, err
		}
		return to(r, m)
	}
	if err := t.allowed(r, name, model{}, model{}); err != nil {
		return nil, err
	}
	r.Route = rt.Name
	d, _ := r.Inbound.(verbatim.Dialect)
	var all route.Fallback
	var first error
	for _, name := range t.models(rt.Target, nil) {
		m, err := find(name)
		var target llm.Target
		if err == nil {
			target, err = to(r, m)
		}
		switch {
		case err == nil && (r.Rest != nil || d.Kind == verbatim.Realtime):
			return target, nil // an upload can be sent once, and a session begins once
		case err == nil:
			all = append(all, target)
		case first == nil:
			first = err
		}
	}
	if len(all) == 0 {
		return nil, first
	}
	return all, nil
}

// models are the names that a route leads to, in order. (Routes do not lead back
// to themselves: config refuses those.)
func (t *table) models(c config.Target, names []string) []string {
	if c.Strategy == "" {
		if rt, ok := t.config.Route(c.Model); ok {
			return t.models(rt.Target, names)
		}
		return append(names, c.Model)
	}
	for _, o := range c.Of {
		names = t.models(o, names)
	}
	return names
}

// told is the provider that a call's Keytray-Provider header names.
func (t *table) told(r *llm.Request) (catalog.Provider, bool, error) {
	id := r.Header.Get("Keytray-Provider")
	if id == "" {
		return catalog.Provider{}, false, nil
	}
	p, ok := t.catalog.Provider(id)
	if !ok {
		return p, false, llm.Invalid("Keytray-Provider", "there is no provider %s; `keytray doctor` lists those there are", clip(id))
	}
	return p, true, nil
}

// bearer finds the model that a call names, or for one that names none, who
// answers calls of its kind. The switch has no stand-ins here: a vector, a
// picture or a ranking of another model is not what was asked for.
func (t *table) bearer(name string, d verbatim.Dialect) (model, error) {
	if name == "" {
		p, err := t.fileProvider(d)
		if d.Kind == verbatim.Moderation || d.Kind == verbatim.Images {
			return model{p, ""}, err
		}
		return model{}, llm.Invalid("model", "model is missing: name the model to use")
	}
	m, err := t.unswitched(name)
	if err != nil && openAIOwn(name) {
		if p, ok := t.catalog.Provider("openai"); ok && !t.usable[p.ID] {
			return model{}, noKey(p, nil)
		}
		return model{"openai", name}, nil
	}
	return m, err
}

// unswitched finds a model where the switch has no stand-in: the provider that
// it stands on if it has the model, else whoever has. A switch to this computer
// is a word about where data goes, and is kept.
func (t *table) unswitched(name string) (model, error) {
	active, ok := t.catalog.Provider(t.config.Active)
	if ok {
		bare := strings.TrimPrefix(name, active.ID+"/")
		if m, ok := t.catalog.Model(active.ID, bare); ok {
			return model{active.ID, m.ID}, nil
		}
		if n, ok := t.app.ollama.installed(bare); ok && active.ID == ollamaProvider {
			return model{active.ID, n}, nil
		}
	}
	m, err := t.find(name)
	if err == nil && ok && isLoopback(t.app.baseURL(active)) && m.Provider != active.ID {
		return model{}, &llm.Error{
			Kind: llm.NotFound, Code: "model_not_found", Param: "model",
			Message: fmt.Sprintf("the switch stands on %s, which has no model %s, and another model cannot stand in for one of its kind: ask for a model of %s, or switch with `keytray use auto`", active.ID, clip(name), active.ID),
		}
	}
	return m, err
}

// openAIOwn tells names that only OpenAI's models have and no price list holds.
func openAIOwn(name string) bool {
	for _, prefix := range [...]string{"whisper-1", "tts-1", "dall-e-", "gpt-image-", "gpt-4o-transcribe", "gpt-4o-mini-t", "gpt-realtime", "omni-moderation", "text-moderation"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// keepers are the built-in providers that keep files by OpenAI's API, the best
// known first; one of the user's own may keep some too.
var keepers = []string{"openai", "groq", "mistral", "xai"}

// fileProvider is who gets what names neither a model nor a thing that
// somebody keeps.
func (t *table) fileProvider(d verbatim.Dialect) (string, error) {
	can := func(id string) bool {
		p, ok := t.catalog.Provider(id)
		return ok && t.usable[id] && (slices.Contains(keepers, id) || p.Custom) && speaksOpenAI(p)
	}
	if can(t.config.Active) {
		return t.config.Active, nil
	}
	for _, id := range keepers {
		if can(id) {
			return id, nil
		}
	}
	for _, p := range t.catalog.Providers() {
		if can(p.ID) {
			return p.ID, nil
		}
	}
	return "", &llm.Error{
		Kind: llm.NotFound, Code: "no_provider",
		Message: fmt.Sprintf("none of your providers takes %s: add a key for one with `keytray keys add openai`, or name one in a Keytray-Provider header", d.Name()),
	}
}

// byKeeper is the target of a call about a file, a batch or an upload.
func (t *table) byKeeper(r *llm.Request, d verbatim.Dialect) (llm.Target, error) {
	id := keptID(r)
	m := model{}
	if k, ok := t.app.keeper(id); id != "" && ok {
		m.Provider = k.Provider
	} else {
		var err error
		if m.Provider, err = t.fileProvider(d); err != nil {
			return nil, err
		}
	}
	if err := t.allowed(r, "", m, m); err != nil {
		return nil, err
	}
	return t.passTo(r, d, m)
}

// keptID is the id of what a call is about: in its path, or the file that a
// batch is to be made of.
func keptID(r *llm.Request) string {
	parts := strings.Split(strings.Trim(r.Path, "/"), "/")
	if len(parts) > 1 {
		return parts[1]
	}
	var id string
	verbatim.Kept(r.Raw, func(i, _ string) { id = i })
	return id
}

// speaksOpenAI tells whether a provider takes calls of OpenAI's API.
func speaksOpenAI(p catalog.Provider) bool { return p.Dialect == "chat" || p.Dialect == "responses" }

// passTo is the target that sends a call on to one provider.
func (t *table) passTo(r *llm.Request, d verbatim.Dialect, m model) (llm.Target, error) {
	p, ok := t.catalog.Provider(m.Provider)
	if m.Provider == demoProvider || !ok {
		return nil, llm.Invalid("model", "%s answers conversations only; ask a provider of OpenAI's API", m.Provider)
	}
	if err := t.mayCall(r, p, m.Name); err != nil {
		return nil, err
	}
	sent, listed := p.Deployed(m.Name)
	base, path := t.app.passBase(p, d, r.Path, sent)
	if base == "" {
		return nil, &llm.Error{
			Kind: llm.NotFound, Code: "unsupported", Param: "model",
			Message: fmt.Sprintf("%s has no %s by OpenAI's API; name a model of another provider, or call it by its own API as /p/%s/...", p.Name, d.Name(), p.ID),
		}
	}
	query := r.Query
	if d.Kind == verbatim.Realtime {
		as := "model"
		if p.Undeployed() != p.BaseURL {
			as = "deployment"
		}
		query = renamed(query, as, sent)
	}
	pass := t.sender(r, p, model{p.ID, listed}, base, base+(&url.URL{Path: path}).EscapedPath(), query)
	var err error
	if pass.Body, err = verbatim.Patch(r.Raw, r.ModelAt, sent, strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/")); err != nil {
		return nil, err
	}
	if len(r.Raw) == 0 {
		pass.Body = nil
	}
	pass.Watch, pass.Unmetered, pass.NoRow, pass.Asked = d, true, !d.Rows(), d.Asks(r.Raw)
	if d.Kind == verbatim.Batches && r.Method == http.MethodPost && r.Path == "/batches" { // which has no row before its results
		if err := t.affords(r, p); err != nil {
			return nil, err
		}
	}
	if !d.Named() {
		t.remember(pass, r, p.ID)
	}
	return pass, nil
}

// sender makes the target for a call to a provider at a URL.
func (t *table) sender(r *llm.Request, p catalog.Provider, m model, base, to, query string) *upstream.Pass {
	if q := withOwn(upstream.WithoutKey(query), p.Query); q != "" {
		to += "?" + q
	}
	pass := &upstream.Pass{
		Model: t.catalog.Call(p.ID, m.Name), URL: to, Base: base, Header: headers(p, t.config),
		Network: t.app.network, Record: recorder{t.app}, Stop: t.app.ctx.Done(),
	}
	if !r.LocalOnly && t.app.takesKey(p) {
		pass.Sign = t.app.signer(p)
	}
	return pass
}

// affords refuses what will cost something later, and has no row that a budget
// could be held against now.
func (t *table) affords(r *llm.Request, p catalog.Provider) error {
	label := ""
	if all := t.app.ring.Cached(p.ID); len(all) > 0 {
		label = all[0].Label
	}
	if limit, over := t.app.purses.over(t.config, r.Tool, p.ID, label); over {
		return spentUp(limit)
	}
	return nil
}

// renamed is a query whose model is that of the provider, by its word for it. Any
// other that the client names there is left out: it is not what was allowed.
func renamed(query, as, model string) string {
	var parts []string
	done := false
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		switch {
		case err != nil || !strings.EqualFold(n, "model") && !strings.EqualFold(n, "deployment"):
			parts = append(parts, part)
		case n == "model" && !done:
			parts = append(parts, as+"="+url.QueryEscape(model))
			done = true
		}
	}
	return strings.Join(parts, "&")
}

// remember has the ids in an answer kept, and a batch settled whose results
// are fetched.
func (t *table) remember(pass *upstream.Pass, r *llm.Request, provider string) {
	if r.Method == http.MethodGet && strings.HasSuffix(r.Path, "/content") {
		t.settles(pass, r, provider, keptID(r))
		return
	}
	label := labelOf(pass)
	pass.Learn = func(body []byte) {
		var things []ledger.Kept
		verbatim.Kept(body, func(id, object string) {
			things = append(things, ledger.Kept{ID: id, Provider: provider, Key: *label, Kind: clip(object)})
		})
		t.app.keep(things)
	}
}

// settles has a batch settled if the file that is fetched holds its results.
func (t *table) settles(pass *upstream.Pass, r *llm.Request, provider, file string) {
	pass.Through = t.app.newResults(r, provider, file, labelOf(pass))
}

// labelOf is the label of the key that signs a call, once it has.
func labelOf(pass *upstream.Pass) *string {
	label := new(string)
	if sign := pass.Sign; sign != nil {
		pass.Sign = func(ctx context.Context, hr *http.Request) (upstream.Signature, error) {
			s, err := sign(ctx, hr)
			*label = s.Label
			return s, err
		}
	}
	return label
}

// passBase is where a provider takes a call of OpenAI's API, and the path
// below that; "" is nowhere. sent is its name of the model, if the call names
// one.
func (a *App) passBase(p catalog.Provider, d verbatim.Dialect, path, sent string) (base, below string) {
	path = strings.TrimPrefix(path, "/v2")
	if other := a.also(p, "other"); d.Kind == verbatim.Rerank && other != "" {
		return other, path // Cohere ranks by its own API alone
	}
	if !speaksOpenAI(p) {
		return "", ""
	}
	p.BaseURL = a.baseURL(p)
	if sent == "" || !d.Named() || d.Kind == verbatim.Realtime {
		return p.Undeployed(), path
	}
	return p.For(sent), path
}

// also is the base URL of another API of a provider, "" if it has none or the
// user has moved the provider elsewhere.
func (a *App) also(p catalog.Provider, dialect string) string {
	if p.SameServer(dialect) {
		p.BaseURL = a.baseURL(p)
		same, _ := p.In(dialect)
		return same.BaseURL
	}
	own, builtIn := a.base.Provider(p.ID)
	if !builtIn || a.baseURL(p) != strings.TrimSuffix(own.BuiltIn(p).BaseURL, "/") {
		return ""
	}
	return strings.TrimSuffix(p.Also[dialect], "/")
}
