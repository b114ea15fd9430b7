package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/converse"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	ollamadialect "keytray/proxy/dialect/ollama"
	"keytray/proxy/dialect/responses"
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/proxy/upstream"
	"keytray/store/config"
	"keytray/store/keys"
)

// outbound is the dialect of that name that Keytray can call providers in, or
// nil if it is not built yet.
func outbound(dialect string) llm.Outbound {
	switch dialect {
	case "chat":
		return chat.Dialect{}
	case "messages":
		return messages.Dialect{}
	case "gemini":
		return gemini.Dialect{}
	case "converse":
		return converse.Dialect{}
	case "ollama":
		return ollamadialect.Dialect{}
	case "responses":
		return responses.Dialect{}
	default:
		return nil
	}
}

// leaf is the target that calls one model, within the budgets.
func (t *table) leaf(r *llm.Request, m model) (llm.Target, error) {
	target, err := t.one(r, m)
	if w, ok := target.(route.Watched); ok && t.limited && !embeds(r) && w.Provider != ollamaProvider {
		return thrifty{w, t}, nil
	}
	return target, err
}

// one is the target that calls one model.
func (t *table) one(r *llm.Request, m model) (llm.Target, error) {
	if m.Provider == demoProvider && !embeds(r) {
		if l, ok := loads(r, func() llm.Model { return llm.Model{Provider: m.Provider, Name: m.Name} }, nil); ok {
			return l, nil
		}
		return demo{t.app}, nil
	}
	p, _ := t.catalog.Provider(m.Provider)
	if t.limited && !p.Runs(m.Name) && !embeds(r) { // no local model stands in for a vector
		if limit, over := t.app.purses.over(t.config, r.Tool, m.Provider, ""); over && limit.AtLimit == config.LimitOffline {
			return t.atLimit(r, limit)
		}
	}
	if err := t.mayCall(r, p, m.Name); err != nil {
		return nil, err
	}
	_, listed := p.Deployed(m.Name)
	known, _ := t.catalog.Model(p.ID, listed)
	known.ID = listed // an alias may be served elsewhere
	p = spoken(p, r, &known)
	if l, ok := loads(r, func() llm.Model { return t.catalog.Call(p.ID, listed) }, outbound(p.Dialect)); ok {
		return l, nil
	}
	key := p.Dialect + " " + m.Provider + "/" + m.Name
	if r.LocalOnly {
		key += " " // a leaf of its own, which signs nothing
	}
	out, base := outbound(p.Dialect), t.app.baseURL(p)
	if embeds(r) {
		var err error
		if out, base, err = t.app.embedder(p); err != nil {
			return nil, err
		}
		key += " embed"
	}
	if p.ID != ollamaProvider { // whose models' abilities are learned as they go
		if l, ok := t.leaves.Load(key); ok {
			return l.(llm.Target), nil
		}
	}
	w := t.watched(r, p, m, out, base, listed)
	if p.ID != ollamaProvider && !r.LocalOnly { // whose leaf never signs
		t.leaves.Store(key, w)
	}
	return w, nil
}

// watched makes the leaf of a model, called in a dialect at an address, whose
// name in the price list is listed.
func (t *table) watched(r *llm.Request, p catalog.Provider, m model, out llm.Outbound, base, listed string) route.Watched {
	lm := t.catalog.Call(p.ID, listed)
	if p.ID == ollamaProvider && !embeds(r) {
		lm.Flags = slices.Concat(lm.Flags, t.app.ollama.abilities(t.app.ctx, m.Name))
	}
	l := &upstream.Leaf{
		Model:    lm,
		Outbound: out,
		Header:   headers(p, t.config),
		Network:  t.app.network,
		Record:   recorder{t.app},
		Memory:   t.app.vault,
		Foreign:  func(opaque string) bool { return t.app.vault.Foreign(p.ID, opaque) },
		Made:     func(opaque string) { t.app.vault.Made(p.ID, opaque) },
		Known:    func() bool { return t.app.vault.Known(p.ID) },
	}
	t.app.place(l, p, m.Name)
	if base != t.app.baseURL(p) { // an API of its own for vectors
		l.Base = base
	}
	if !r.LocalOnly && t.app.takesKey(p) {
		l.Sign = t.app.signer(p)
	}
	w := route.Watched{Target: l, Provider: m.Provider, Model: lm.Name, Health: &t.app.health}
	if l.Sign != nil {
		w.Keys = func() []string { return labels(t.app.ring.Cached(p.ID)) }
	}
	return w
}

// atLimit is the local model that answers when a budget is used up and its
// at_limit says offline.
func (t *table) atLimit(r *llm.Request, l Limit) (llm.Target, error) {
	name := t.defaultStandIn(ollamaProvider, isSmall(r.Model))
	if s, ok := t.config.StandIn(ollamaProvider); ok && s.Large != "" {
		name = s.Large
	}
	if name == "" {
		e := llm.AsError(spentUp(l))
		e.Message += "; at_limit says that Ollama should answer, and it has no model or does not run"
		return nil, e
	}
	return t.leaf(r, model{ollamaProvider, name})
}

// mayCall refuses what the caller or the settings do not allow.
func (t *table) mayCall(r *llm.Request, p catalog.Provider, name string) error {
	offline := t.config.Active == config.ActiveOffline
	local := true
	if r.LocalOnly || offline {
		var err error
		if local, err = t.local(p, name); err != nil {
			return err
		}
	}
	if err := t.oneModel(r); err != nil {
		return err
	}
	switch {
	case r.LocalOnly && (!local || t.app.takesKey(p)):
		return &llm.Error{
			Kind: llm.Unauthorized, Code: "missing_api_key",
			Message: "without a token only local models and demo/echo may be used: make one with `keytray token TOOL` and give it to the tool as its API key",
		}
	case why(p) != "":
		return &llm.Error{Kind: llm.NotFound, Code: "provider_unusable", Message: p.Name + " cannot be called: " + why(p)}
	case off(t.config, p.ID):
		return &llm.Error{Kind: llm.Forbidden, Code: "provider_off", Message: p.ID + " is turned off; turn it on in the window or under providers in config.yaml"}
	case offline && !local:
		return &llm.Error{Kind: llm.Forbidden, Code: "offline", Message: "Keytray is offline, so only models on this computer answer: ask for one of Ollama's, or switch with `keytray use auto`"}
	}
	return nil
}

// oneModel refuses a body that names its model twice, or in capitals, from callers
// who may not ask for every model: servers that read JSON's last word, or keys in
// any case of letters, would take another model than the one that was allowed.
func (t *table) oneModel(r *llm.Request) error {
	if c, _ := t.config.Tool(r.Tool); !r.LocalOnly && len(c.Models) == 0 {
		return nil
	}
	var bad *llm.Error
	seen := false
	_ = llm.Fields(r.Raw, func(key, _ []byte, _ int) bool { // forms are no objects
		name := string(key)
		if strings.Contains(name, `\`) && json.Unmarshal([]byte(`"`+name+`"`), &name) != nil {
			return true
		}
		if strings.EqualFold(name, "model") {
			switch {
			case name != "model":
				bad = llm.Invalid("model", "write the field %s in small letters: model", name)
			case seen:
				bad = llm.Invalid("model", "model is given twice")
			}
			seen = true
		}
		return bad == nil
	})
	if bad != nil {
		return bad
	}
	return nil
}

// why says why a provider cannot be called by this version, or "".
func why(p catalog.Provider) string {
	switch {
	case p.Unusable != "":
		return p.Unusable
	case outbound(p.Dialect) == nil:
		return "Keytray does not speak its dialect (" + p.Dialect + ") yet"
	default:
		return ""
	}
}

// signer puts the provider's preferred key into a request's header.
func (a *App) signer(p catalog.Provider) upstream.Sign {
	if host := a.untrusted(p); host != "" {
		return func(context.Context, *http.Request) (upstream.Signature, error) {
			return upstream.Signature{}, a.notThere(p, host)
		}
	}
	switch p.Auth.Scheme {
	case "aws":
		return a.awsSigner(p)
	case "google":
		return a.googleSigner(p)
	}
	return func(ctx context.Context, r *http.Request) (upstream.Signature, error) {
		all := a.ring.Cached(p.ID)
		if len(all) == 0 {
			// At the very start the keychain may not have been read yet.
			var err error
			if all, err = a.ring.Keys(ctx, p.ID); len(all) == 0 {
				return upstream.Signature{}, noKey(p, err)
			}
		}
		k, ok := a.pickKey(ctx, p.ID, all)
		if !ok {
			return upstream.Signature{}, noKey(p, nil)
		}
		return a.signWith(ctx, p, k.Secret, k.Label, r)
	}
}

// hider masks a key wherever a provider repeats it.
func hider(s keys.Secret) func([]byte) []byte {
	return func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte(s.Reveal()), []byte(s.Hint()))
	}
}

func noKey(p catalog.Provider, err error) error {
	e := &llm.Error{
		Kind: llm.Unauthorized, Code: "no_key",
		Message: fmt.Sprintf("there is no key for %s: add one with `keytray keys add %s`", p.Name, p.ID),
	}
	if problem := keys.AsProblem(err); problem != nil {
		e.Message = fmt.Sprintf("no key for %s can be read: %s. %s", p.Name, problem.Message, problem.Remedy)
	}
	return e
}

// baseURL is where a provider is called. Ollama may be moved by OLLAMA_HOST.
func (a *App) baseURL(p catalog.Provider) string {
	if p.ID == ollamaProvider && p.BaseURL == ollamaDefault {
		if h := a.getenv("OLLAMA_HOST"); h != "" {
			return ollamaHost(h)
		}
	}
	return strings.TrimSuffix(p.BaseURL, "/")
}

func headers(p catalog.Provider, c *config.Config) http.Header {
	h := http.Header{}
	for k, v := range p.Auth.Extra {
		h.Set(k, v)
	}
	if own, ok := c.Provider(p.ID); ok {
		for _, x := range own.Headers {
			h.Set(x.Name, x.Value)
		}
	}
	return h
}

func isLoopback(base string) bool {
	u, err := url.Parse(base)
	return err == nil && upstream.LoopbackHost(u.Hostname())
}
