package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/catalog"
	"keytray/store/config"
)

// What config.yaml names and nobody knows may be a slip of the pen. A provider
// that there is not is a mistake, which checkConfig refuses: one is known or it
// is not. A model may be newer than the lists, and a tool may come later, so that
// is a doubt: words for people, of what is used all the same.

// places are the names of models, routes and providers in a target, and where they
// stand in config.yaml, as config's problems say it.
func places(path string, t config.Target, visit func(path, name string, provider bool)) {
	if t.Strategy == "" {
		visit(path, t.Model, false)
		return
	}
	for i, o := range t.Of {
		at := fmt.Sprintf("%s.%s[%d]", path, t.Strategy, i)
		if len(t.Of) == 1 && t.Strategy == config.Cache {
			at = path + "." + string(t.Strategy)
		}
		places(at, o, visit)
	}
	if t.By != "" {
		visit(path+".by", t.By, false)
	}
	for _, ids := range []struct {
		name string
		all  []string
	}{{"only", t.Only}, {"ignore", t.Ignore}, {"prefer", t.Prefer}} {
		for i, id := range ids.all {
			visit(fmt.Sprintf("%s.%s[%d]", path, ids.name, i), id, true)
		}
	}
}

// strayed are the mistakes in which routes and tools name a provider that there is
// not.
func strayed(c *config.Config, cat *catalog.Catalog) (all config.Problems) {
	look := func(path, name string, provider bool) {
		if !provider {
			id, rest, slash := strings.Cut(name, "/")
			if !slash || rest != "" && len(cat.Find(name)) > 0 { // hosts put a maker's name before a model's
				return
			}
			name = id
		}
		if _, ok := cat.Provider(name); ok || name == demoProvider {
			return
		}
		hint := "add it under providers; a model in Ollama is written ollama/NAME"
		if near := config.Nearest(name, providerIDs(cat)); near != "" {
			hint = "did you mean " + near + "?"
		}
		all = append(all, config.Problem{Path: path, Message: "there is no provider named " + clip(name), Hint: hint})
	}
	for _, r := range c.Routes {
		places("routes."+r.Name, r.Target, look)
	}
	for _, t := range c.Tools {
		for i, name := range t.Models {
			look(fmt.Sprintf("tools.%s.models[%d]", t.Name, i), name, false)
		}
	}
	return all
}

func providerIDs(cat *catalog.Catalog) []string {
	ids := []string{demoProvider}
	for _, p := range cat.Providers() {
		ids = append(ids, p.ID)
	}
	return ids
}

// doubts are those of names, each once.
func (t *table) doubts(names ...string) []string {
	var all []string
	for _, name := range names {
		if d := t.doubt(name); d != "" && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

// doubt is what is odd about the name of a route or a model, or "". It may ask
// Ollama.
func (t *table) doubt(name string) string {
	if _, ok := t.config.Route(name); ok {
		return ""
	}
	id, rest, slash := strings.Cut(name, "/")
	p, known := t.catalog.Provider(id)
	switch {
	case slash && rest == "":
		return ""
	case id == demoProvider && slash:
		if rest != demoModel {
			return "the demo provider has no model but " + demoProvider + "/" + demoModel
		}
		return ""
	case len(t.catalog.Find(name)) > 0:
		return ""
	case known && slash:
		return t.unlisted(p, rest)
	}
	if _, ok := t.app.ollama.installed(name); ok {
		return ""
	}
	return t.nobody(name).Error()
}

// unlisted is what is odd about the name of a provider's model.
func (t *table) unlisted(p catalog.Provider, name string) string {
	if p.ID == ollamaProvider {
		models, err := t.app.ollama.recent()
		if _, ok := t.app.ollama.installed(name); ok || err != nil || p.PassesOn(name) {
			return ""
		}
		names := make([]string, len(models))
		for i, m := range models {
			names[i] = strings.TrimSuffix(m.Name, ":latest")
		}
		return fmt.Sprintf("Ollama has no model %s%s: `ollama pull %s` fetches it", clip(name), meant(ollamaProvider+"/", name, names), clip(name))
	}
	_, listed := t.catalog.Model(p.ID, name)
	if _, deployed := p.Deployments[name]; listed || deployed || len(t.catalog.Models(p.ID)) == 0 {
		return ""
	}
	said := "no list of " + p.ID + "'s models has " + clip(name)
	if near := t.catalog.Near(name, 1, p.ID); len(near) > 0 {
		said += "; did you mean " + near[0] + "?"
	}
	return said
}

// meant asks whether the nearest of the known names was, in words to go on with.
func meant(before, name string, known []string) string {
	if near := config.Nearest(name, known); near != "" {
		return " (did you mean " + before + near + "?)"
	}
	return ""
}

// DoubtScope is what is odd about a budget's scope: that nothing goes by its name
// yet; or "".
func (a *App) DoubtScope(s Scope) string {
	switch s.Of {
	case "tool":
		if s.Name == "env" || s.Name == "unknown" { // of KEYTRAY_TOKEN, and of no token at all
			return ""
		}
		var known []string
		for _, t := range a.tokens.List() {
			known = append(known, t.Name)
		}
		if !slices.Contains(known, s.Name) {
			return "no tool has a token under the name " + s.Name + " yet" + meant("", s.Name, known)
		}
	case "key":
		id, label, _ := strings.Cut(s.Name, "/")
		var known []string
		for _, k := range a.ring.Cached(id) {
			known = append(known, k.Label)
		}
		if !slices.Contains(known, label) && a.ring.Health() == nil {
			return fmt.Sprintf("this command sees no key %q of %s%s", clip(label), id, meant("", label, known))
		}
	}
	return ""
}

// checkNames looks for slips in the names of config.yaml. It may ask Ollama.
func (a *App) checkNames() []Check {
	var out []Check
	doubt := func(name, where, said, remedy string) {
		out = append(out, Check{Name: name, Minor: true, Said: where + ": " + said, Remedy: remedy})
	}
	t := a.table.Load()
	for _, r := range t.config.Routes {
		for _, said := range t.doubts(r.Target.Models()...) {
			doubt("Route", r.Name, said, "`keytray routes set "+r.Name+"` changes it; a model may be newer than Keytray's lists")
		}
	}
	scope := func(s Scope, b config.Budget) {
		if said := a.DoubtScope(s); said != "" && (b.Day != nil || b.Month != nil) {
			doubt("Budget", s.String(), said, "`keytray budget clear "+s.String()+"` takes it away")
		}
	}
	for _, x := range t.config.Tools {
		for _, said := range t.doubts(x.Models...) {
			doubt("Tool", x.Name, said, "`keytray token "+x.Name+" --models` changes what it may ask for")
		}
		scope(Scope{"tool", x.Name}, x.Budget)
	}
	for _, p := range t.config.Providers {
		for _, k := range p.Keys {
			scope(Scope{"key", p.ID + "/" + k.Label}, k.Budget)
		}
	}
	return out
}

// noProvider says that there is no such provider, and which may have been meant.
func (a *App) noProvider(id string) error {
	said := fmt.Sprintf("there is no provider %q; ", clip(id))
	if near := config.Nearest(id, providerIDs(a.catalog.Load())); near != "" {
		said += "did you mean " + near + "? "
	}
	return errors.New(said + "`keytray keys list --all` shows which there are")
}
