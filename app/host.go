package app

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
	"keytray/proxy/upstream"
	"keytray/store/config"
)

// Hosts such as Bedrock, Vertex AI and Azure have addresses that depend on the
// user's settings, and names of models that do.

// told are the settings of a provider: those of config.yaml, else of the
// environment.
func (a *App) told(p catalog.Provider, own config.Provider) map[string]string {
	values := map[string]string{}
	for _, s := range p.Settings {
		for _, name := range s.Env {
			if values[s.Name] == "" {
				values[s.Name] = a.getenv(name)
			}
		}
	}
	for _, s := range own.Settings {
		values[s.Name] = s.Value
	}
	return values
}

// withHosts adds the settings of all providers that have some to the overrides
// of those that the user named.
func (a *App) withHosts(overrides []catalog.Override, c *config.Config) []catalog.Override {
	for _, p := range a.base.Providers() {
		if len(p.Settings) == 0 {
			continue
		}
		own, _ := c.Provider(p.ID)
		at := slices.IndexFunc(overrides, func(o catalog.Override) bool { return o.ID == p.ID })
		if at < 0 {
			overrides = append(overrides, catalog.Override{ID: p.ID})
			at = len(overrides) - 1
		}
		overrides[at].Settings = a.told(p, own)
		overrides[at].Deployments = map[string]string{}
		for _, d := range own.Deployments {
			overrides[at].Deployments[d.Model] = d.Name
		}
	}
	return overrides
}

// checkHost refuses settings that the provider does not have.
func checkHost(own config.Provider, p catalog.Provider, add func(path, hint, format string, args ...any)) {
	path := "providers." + own.ID
	has := func(name string) bool {
		return slices.ContainsFunc(p.Settings, func(s catalog.Setting) bool { return s.Name == name })
	}
	for _, s := range own.Settings {
		if !has(s.Name) {
			add(path+"."+s.Name, "remove it", "%s has no %s", own.ID, s.Name)
			continue
		}
		if f := p.Filled(map[string]string{s.Name: s.Value}); strings.HasPrefix(f.Unusable, "its "+s.Name) {
			add(path+"."+s.Name, "", "%s", f.Unusable)
		}
	}
	if len(own.Deployments) > 0 && !deploys(p) {
		add(path+".deployments", "remove it", "%s has no deployments", own.ID)
	}
}

// deploys tells whether a provider knows models by the user's own names.
func deploys(p catalog.Provider) bool {
	return slices.ContainsFunc(p.Variants, func(v catalog.Variant) bool { return strings.Contains(v.BaseURL, "{deployment}") })
}

// spoken is the provider in the dialect that a model is called in: the
// client's, so that its own bytes can be sent, where the model is served in
// that; else the first that it is served in. A model that only the Responses
// API serves is called there, and so is one that calls functions and thinks
// only there, if its request must be translated anyway.
func spoken(p catalog.Provider, r *llm.Request, m *catalog.Model) catalog.Provider {
	var first [3]string
	if m.Mode == "responses" {
		first[0] = "responses"
	}
	if r.Inbound != nil {
		first[1] = r.Inbound.Name()
	}
	if m.Flags.Has(llm.FlagNoToolThought) {
		first[2] = "responses"
	}
	for _, dialect := range first {
		if own, ok := inDialect(p, dialect, m.ID); ok {
			return own
		}
	}
	for _, dialect := range append([]string{p.Dialect}, slices.Sorted(maps.Keys(p.Also))...) {
		if other, ok := inDialect(p, dialect, m.ID); ok {
			return other
		}
	}
	return p
}

// inDialect is the provider in a dialect that it serves a model in, if
// Keytray speaks that.
func inDialect(p catalog.Provider, dialect, model string) (catalog.Provider, bool) {
	switch {
	case outbound(dialect) == nil || !p.Serves(dialect, model):
		return p, false
	case dialect == p.Dialect:
		return p, true
	default:
		return p.In(dialect)
	}
}

// place tells a leaf where its model is called, and under which name.
func (a *App) place(l *upstream.Leaf, p catalog.Provider, name string) {
	sent, listed := p.Deployed(name)
	l.Base, l.Query = a.baseURL(p), p.Query
	if len(p.Settings) == 0 {
		return
	}
	p.BaseURL = l.Base
	l.Base = p.For(sent)
	if sent != listed {
		l.Model.Name, l.Listed = sent, listed
	}
}

// hosts are those that a provider's calls may go to.
func (a *App) hosts(p catalog.Provider) []string {
	out := slices.Clone(p.Helpers)
	p.BaseURL = a.baseURL(p)
	for _, at := range p.Addresses() {
		if u, err := url.Parse(at); err == nil {
			out = append(out, u.Host)
		}
	}
	return out
}

// unsigned is the refusal of a call that could not be signed.
func unsigned(p catalog.Provider, format string, args ...any) error {
	return &llm.Error{Kind: llm.Unauthorized, Code: "no_key", Message: p.Name + ": " + fmt.Sprintf(format, args...)}
}
