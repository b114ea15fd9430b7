package app

import (
	"fmt"
	"sort"

	"keytray/store/config"
)

// What config.yaml says and where it lives, for faces.
type (
	// Settings are the settings in use; nobody may change them.
	Settings = config.Config
	// Paths says where everything lives.
	Paths = config.Paths
)

// Choice is one position of the tray's switch.
type Choice struct {
	ID     string // what `keytray use` takes
	Title  string
	Kind   string // auto, provider, route, offline
	Active bool
}

// Choices lists the positions of the switch: Automatic, each provider that can
// answer, each route, Offline. It never waits.
func (a *App) Choices() []Choice {
	t := a.table.Load()
	active := t.config.Active
	out := []Choice{{ID: config.ActiveAuto, Title: "Automatic", Kind: "auto"}}
	for _, p := range t.catalog.Providers() {
		if t.usable[p.ID] && t.catalog.Converses(p.ID) || p.ID == active {
			out = append(out, Choice{ID: p.ID, Title: p.Name, Kind: "provider"})
		}
	}
	providers := out[1:]
	sort.SliceStable(providers, func(i, j int) bool { return providers[i].Title < providers[j].Title })
	for _, r := range t.config.Routes {
		out = append(out, Choice{ID: r.Name, Title: r.Name, Kind: "route"})
	}
	out = append(out, Choice{ID: config.ActiveOffline, Title: "Offline (this computer only)", Kind: "offline"})
	for i := range out {
		out[i].Active = out[i].ID == active
	}
	return out
}

// Use turns the switch: auto, offline, a provider's id or a route's name. It
// writes config.yaml and holds for the next request. To a command, a provider
// can be called if the running Keytray can call it.
func (a *App) Use(to string) error {
	a.lookBeside(a.ctx)
	if !a.isChoice(to) {
		return a.noChoice(to)
	}
	if err := a.config.Edit(func(e *config.Edit) error { return e.SetActive(to) }); err != nil {
		return err
	}
	a.tellOther(a.ctx, "config")
	return nil
}

func (a *App) isChoice(to string) bool {
	for _, c := range a.Choices() {
		if c.ID == to {
			return true
		}
	}
	return false
}

func (a *App) noChoice(to string) error {
	if p, ok := a.catalog.Load().Provider(to); ok {
		if why := why(p); why != "" {
			return fmt.Errorf("%s cannot be called: %s", p.Name, why)
		}
		if off(a.config.Current(), p.ID) {
			return fmt.Errorf("%s is turned off under providers in config.yaml", p.ID)
		}
		if a.beside.Load() != nil && len(a.ring.Cached(p.ID)) > 0 {
			return fmt.Errorf("the running Keytray has no key for %s, and what is set in this terminal is not its own: add one with `keytray keys add %s`, or start Keytray from here", p.Name, p.ID)
		}
		return fmt.Errorf("there is no key for %s: add one with `keytray keys add %s`", p.Name, p.ID)
	}
	return fmt.Errorf("the switch has no position %q: it takes auto, offline, a provider with a key, or a route of config.yaml", to)
}

// SetPaused refuses all calls until it is lifted, or lifts it. It does not
// outlive the process.
func (a *App) SetPaused(on bool) {
	a.paused.Store(on)
	a.changed()
}

// SetListen changes the address in config.yaml, and follows it.
func (a *App) SetListen(addr string) error {
	if err := a.config.Edit(func(e *config.Edit) error { return e.SetListen(addr) }); err != nil {
		return err
	}
	_, err := a.Addr()
	return err
}

// SetWithoutToken says what callers without a token may use: refuse, local, any.
func (a *App) SetWithoutToken(to string) error {
	return a.config.Edit(func(e *config.Edit) error { return e.SetWithoutToken(config.WithoutToken(to)) })
}

// SetLedgerSync is normal or full; it holds from the next start.
func (a *App) SetLedgerSync(to string) error {
	return a.config.Edit(func(e *config.Edit) error { return e.SetLedgerSync(config.Sync(to)) })
}

// SetKeepDays says after how many days single calls are dropped; 0 is never.
func (a *App) SetKeepDays(days int) error {
	return a.config.Edit(func(e *config.Edit) error { return e.SetKeepDays(days) })
}

// SetLedgerDetail is full, or counts: what the rows of new calls hold.
func (a *App) SetLedgerDetail(to string) error {
	return a.config.Edit(func(e *config.Edit) error { return e.SetLedgerDetail(config.Detail(to)) })
}

// SetPriceUpdate is asked or weekly: when newer prices are looked up.
func (a *App) SetPriceUpdate(to string) error {
	return a.config.Edit(func(e *config.Edit) error { return e.SetPriceUpdate(config.PriceUpdate(to)) })
}

// SetKeepResponses keeps answers of the Responses API in memory, or does not.
func (a *App) SetKeepResponses(yes bool) error {
	return a.config.Edit(func(e *config.Edit) error { return e.SetKeepResponses(yes) })
}

// Settings are the settings in use.
func (a *App) Settings() *config.Config { return a.config.Current() }
