package app

import (
	"context"
	"encoding/json"
	"sort"
	"strings"
	"time"

	"keytray/proxy/llm"
	"keytray/store/config"
)

// Model is a model that can be asked for.
type Model struct {
	ID        string // provider/name, as a client asks for it; or a route's name
	Provider  string
	Name      string // the provider's own
	Context   int    // tokens; 0 is unknown
	MaxOutput int
	// Input and Output are USD per million tokens as decimals; "" is unknown.
	Input, Output string
	PriceSource   string // where they are from; config is the user's own word
	Local         bool   // by its address; see table.local
	Route         bool
	Created       int64  // Unix seconds
	Title         string // for people; "" is the ID
	Flags         llm.Flags

	ollama json.RawMessage // what Ollama lists of it; nil of all others
}

// Models lists what the user's keys, Ollama and the routes can answer; to a
// command, those of the running Keytray as well.
func (a *App) Models(ctx context.Context) []Model {
	_, _ = a.ring.All(ctx)    // what is wrong with the keychain is told by Status
	_, _ = a.ollama.list(ctx) // and an absent Ollama has no models
	a.lookBeside(ctx)
	a.rebuild() // with the keys just read
	return a.models(a.table.Load(), false)
}

// created is a release day in Unix seconds, 0 if it is not known.
func created(day string) int64 {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return t.Unix()
}

func (a *App) models(t *table, localOnly bool) []Model {
	offline := t.config.Active == config.ActiveOffline
	out := []Model{{ID: demoProvider + "/" + demoModel, Provider: demoProvider, Name: demoModel, Input: "0", Output: "0", Local: true}}
	for _, r := range t.config.Routes {
		if !localOnly {
			out = append(out, Model{ID: r.Name, Provider: "keytray", Name: r.Name, Route: true})
		}
	}
	if installed, err := a.ollama.recent(); err == nil && t.usable[ollamaProvider] {
		p, _ := t.catalog.Provider(ollamaProvider)
		here, keyless := isLoopback(a.baseURL(p)), !a.takesKey(p)
		for _, m := range installed {
			own := Model{ID: ollamaProvider + "/" + m.Name, Provider: ollamaProvider, Name: m.Name, Created: m.ModifiedAt.Unix()}
			if own.Local = here && !p.PassesOn(m.Name) && m.RemoteHost == ""; offline && !own.Local || localOnly && !(own.Local && keyless) {
				continue
			}
			own.ollama, _ = json.Marshal(m)           // a value of its own package, that came as JSON
			if p.Runs(m.Name) && m.RemoteHost == "" { // its cloud bills a subscription
				own.Input, own.Output = "0", "0"
			}
			out = append(out, own)
		}
	}
	var cloud []Model
	now := time.Now()
	for _, p := range t.catalog.Providers() {
		here, keyless := isLoopback(a.baseURL(p)), !a.takesKey(p)
		if !t.usable[p.ID] || p.ID == ollamaProvider || offline && !here || localOnly && !(here && keyless) {
			continue
		}
		for _, m := range t.catalog.Models(p.ID) {
			if local := here && !p.PassesOn(m.ID); (offline || localOnly) && !local {
				continue
			}
			if m.Mode != "" || m.Deprecated {
				continue
			}
			if _, deployed := p.Deployments[m.ID]; !deployed && len(p.Deployments) > 0 {
				continue // a host that was told its models has no others
			}
			price, _ := t.catalog.Listed(p.ID, m.ID, now)
			in, out := price.Rates["input"], price.Rates["output"]
			if p.Runs(m.ID) && in == "" && out == "" {
				in, out = "0", "0"
			}
			cloud = append(cloud, Model{
				ID: p.ID + "/" + m.ID, Provider: p.ID, Name: m.ID, Context: m.Context, MaxOutput: m.MaxOutput,
				Input: in, Output: out, PriceSource: price.Source, Local: here && !p.PassesOn(m.ID), Created: created(m.Released),
				Title: m.Name, Flags: m.Flags,
			})
		}
	}
	sort.SliceStable(cloud, func(i, j int) bool { return strings.Compare(cloud[i].ID, cloud[j].ID) < 0 })
	return append(out, cloud...)
}
