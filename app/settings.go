package app

import (
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/store/config"
)

// withConfig is the catalog with the user's own providers and overrides.
func (a *App) withConfig(c *config.Config) (*catalog.Catalog, error) {
	base := a.listed()
	var own []catalog.Override
	for _, p := range c.Providers {
		o := catalog.Override{ID: p.ID, Dialect: p.Dialect, BaseURL: p.BaseURL, Env: keyEnv(base, p), Models: p.Models, Discount: p.Discount}
		for _, m := range p.Prices {
			rates := map[string]string{}
			for _, r := range m.Rates {
				rates[r.Kind] = perMillion(r.Pico)
			}
			o.Prices = append(o.Prices, catalog.Own{Model: m.Model, Rates: rates})
		}
		if p.KeyEnv != "" {
			// What takes a key may be a gateway to others: its price is unknown, not 0.
			free := false
			o.Local = &free
		}
		own = append(own, o)
	}
	return base.With(a.withHosts(own, c)...)
}

// keyEnv names the environment variable of an own provider's key: the one it
// names, else KEYTRAY_KEY_ID. A built-in provider keeps its own.
func keyEnv(base *catalog.Catalog, p config.Provider) []string {
	if p.KeyEnv != "" {
		return []string{p.KeyEnv}
	}
	if _, builtIn := base.Provider(p.ID); builtIn {
		return nil
	}
	id := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToUpper(p.ID))
	return []string{"KEYTRAY_KEY_" + id}
}

// checkConfig refuses settings that are well formed and mean nothing: a
// provider without an address, a switch that points nowhere.
func (a *App) checkConfig(c *config.Config) error {
	var problems config.Problems
	add := func(path, hint, format string, args ...any) {
		problems = append(problems, config.Problem{Path: path, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	for _, p := range c.Providers {
		path := "providers." + p.ID
		if p.ID == demoProvider {
			add(path, "choose another id", "demo is the built-in demo provider")
			continue
		}
		built, builtIn := a.base.Provider(p.ID)
		checkHost(p, built, add)
		dialect := p.Dialect
		if builtIn && dialect == "" {
			dialect = built.Dialect
		}
		if !builtIn && (p.Dialect == "" || p.BaseURL == "") {
			add(path, "a provider of your own needs dialect and base_url", "%s is not built in", p.ID)
			return problems
		} else if outbound(dialect) == nil && p.Dialect != "" {
			add(path+".dialect", "use chat, messages, gemini, ollama or converse", "Keytray cannot call the %s dialect yet", p.Dialect)
		}
	}
	problems = append(problems, absurdPrices(a.listed(), c)...)
	cat, err := a.withConfig(c)
	if err != nil {
		return err
	}
	if !a.knows(c, cat, c.Active) {
		add("active", "use auto, offline, a provider or a route", "there is no provider and no route named %s", c.Active)
	}
	for _, r := range c.Routes {
		if _, taken := cat.Provider(r.Name); taken {
			add("routes."+r.Name, "choose another name", "%s is a provider's id", r.Name)
		}
	}
	problems = append(problems, strayed(c, cat)...)
	for _, s := range c.StandIns {
		if _, ok := cat.Provider(s.Provider); !ok {
			add("stand_ins."+s.Provider, "", "there is no provider named %s", s.Provider)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// needsKey tells whether a provider cannot be called without a key.
func needsKey(p catalog.Provider) bool { return p.Auth.Header != "" && !p.Local }

func (a *App) knows(c *config.Config, cat *catalog.Catalog, active string) bool {
	if slices.Contains([]string{config.ActiveAuto, config.ActiveOffline, demoProvider}, active) {
		return true
	}
	_, provider := cat.Provider(active)
	_, route := c.Route(active)
	return provider || route
}
