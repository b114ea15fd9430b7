package app

import (
	"errors"
	"time"

	"keytray/store/config"
)

// RouteTarget is what a route leads to: a model, or a strategy made of targets.
type RouteTarget = config.Target

// RouteStrategy is how a target chooses between its own targets.
type RouteStrategy = config.Strategy

// Route is a route of config.yaml.
type Route struct {
	Name   string
	Target RouteTarget
	YAML   string   // the target as it is written, on one line
	Active bool     // the switch stands on it
	Paces  []Pace   // of the models that it leads to by itself, other routes aside
	Doubts []string // names in it that nobody knows, in words
}

// Pace is how a model does of late.
type Pace struct {
	Name      string        // as the route names it
	Provider  string        // "" if nobody serves it now
	Model     string        // the provider's own name
	Why       string        // why nobody does
	Resting   time.Time     // not called before; zero: it is called
	First     time.Duration // to the first token; 0 is not known
	PerSecond float64       // tokens of output; 0 is not known
}

// Routes lists the routes in the order of config.yaml. It may ask Ollama which
// models it has.
func (a *App) Routes() []Route {
	t := a.table.Load()
	out := make([]Route, 0, len(t.config.Routes))
	for _, r := range t.config.Routes {
		out = append(out, Route{
			Name: r.Name, Target: r.Target, YAML: r.Target.String(), Active: t.config.Active == r.Name, Paces: a.paces(t, r.Target),
			Doubts: t.doubts(r.Target.Models()...),
		})
	}
	return out
}

func (a *App) paces(t *table, of RouteTarget) []Pace {
	var out []Pace
	seen := map[string]bool{}
	for _, name := range of.Models() {
		if _, isRoute := t.config.Route(name); isRoute || seen[name] {
			continue
		}
		seen[name] = true
		p := Pace{Name: name}
		m, err := t.find(name)
		switch {
		case err != nil:
			p.Why = err.Error()
		case !t.usable[m.Provider]:
			p.Why = "there is no key for " + m.Provider + ", or it is turned off"
		default:
			p.Provider, p.Model = m.Provider, m.Name
			if rest := a.rests(m); rest > 0 {
				p.Resting = time.Now().Add(rest)
			}
			p.First, p.PerSecond = a.health.Speed(m.Provider, m.Name)
		}
		out = append(out, p)
	}
	return out
}

// rests is for how long a model is not called with any key.
func (a *App) rests(m model) time.Duration {
	all := a.ring.Cached(m.Provider)
	if len(all) == 0 {
		return a.health.Rest(m.Provider, "", m.Name)
	}
	least := a.health.Rest(m.Provider, all[0].Label, m.Name)
	for _, k := range all[1:] {
		least = min(least, a.health.Rest(m.Provider, k.Label, m.Name))
	}
	return least
}

// ParseRoute reads the YAML of a route's target.
func ParseRoute(yaml string) (RouteTarget, error) { return config.ParseTarget(yaml) }

// CheckRoute says what is wrong with a route before it is written, in the words
// that config.yaml's own check has for it, or else which names in it nobody
// knows. It reads the file, and may ask Ollama.
func (a *App) CheckRoute(name, yaml string) (doubts []string, err error) {
	if err := a.editRoute(name, yaml, a.config.Try); err != nil {
		return nil, err
	}
	target, err := config.ParseTarget(yaml)
	return a.table.Load().doubts(target.Models()...), err
}

// SetRoute adds or changes a route in config.yaml. It holds for the next call.
func (a *App) SetRoute(name, yaml string) error {
	if err := a.editRoute(name, yaml, a.config.Edit); err != nil {
		return err
	}
	a.tellOther(a.ctx, "config")
	return nil
}

func (a *App) editRoute(name, yaml string, edit func(func(*config.Edit) error) error) error {
	if name == "" {
		return errors.New("the route has no name yet")
	}
	target, err := config.ParseTarget(yaml)
	if err != nil {
		return plainly(err)
	}
	return plainly(edit(func(e *config.Edit) error { return e.SetRoute(config.Route{Name: name, Target: target}) }))
}

// RemoveRoute takes a route out of config.yaml. One that the switch stands on, or
// that another route leads to, is refused.
func (a *App) RemoveRoute(name string) error {
	if _, ok := a.config.Current().Route(name); !ok {
		return errors.New("there is no route " + name)
	}
	if a.config.Current().Active == name {
		return errors.New("the switch stands on " + name + ": turn it elsewhere first, such as with keytray use auto")
	}
	if err := a.config.Edit(func(e *config.Edit) error { return e.RemoveRoute(name) }); err != nil {
		return plainly(err)
	}
	a.tellOther(a.ctx, "config")
	return nil
}

// plainly leaves the file's name and place out of mistakes in a text that is not
// in a file yet.
func plainly(err error) error {
	var all config.Problems
	if !errors.As(err, &all) {
		return err
	}
	out := make(config.Problems, len(all))
	for i, p := range all {
		p.File = ""
		out[i] = p
	}
	return out
}
