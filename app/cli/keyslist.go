package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) keysList() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List keys, where each comes from and which one is in use",
		Long: `List shows every key, by its last characters alone, with where it comes from.
A provider's first one is in use: serve --key comes first, then the environment,
then the keychain. If Keytray runs, it is its keys that are in use, and what only
it or only this terminal was given says so.

--all lists all providers instead, with their environment variables and whether
Keytray can call them.`,
		Example: `  keytray keys list
  keytray keys list --all
  keytray keys list --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.listKeys(cmd.Context(), all, asJSON) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "all providers, with and without keys")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// keyJSON is a key in --json.
type keyJSON struct {
	Provider string `json:"provider"`
	Label    string `json:"label"`
	Hint     string `json:"hint"`
	Source   string `json:"source"`
	Where    string `json:"where"`
	InUse    bool   `json:"in_use"`
	Stored   bool   `json:"stored"`
	Admin    bool   `json:"admin"`
}

// providerJSON is a provider in --all --json.
type providerJSON struct {
	Provider string    `json:"provider"`
	Name     string    `json:"name"`
	Dialect  string    `json:"dialect"`
	BaseURL  string    `json:"base_url"`
	Env      []string  `json:"env"`
	KeysURL  string    `json:"keys_url"`
	Callable bool      `json:"callable"`
	Why      string    `json:"why,omitempty"`
	Local    bool      `json:"local"`
	NeedsKey bool      `json:"needs_key"`
	Off      bool      `json:"off"`
	Own      bool      `json:"own"`
	Keys     []keyJSON `json:"keys"`
}

func (f *face) listKeys(ctx context.Context, all, asJSON bool) error {
	return f.with(ctx, func(a *app.App) error {
		keys, _ := a.Keys(ctx) // the error is among the problems below
		var err error
		switch {
		case all && asJSON:
			err = f.providersJSON(a.Providers(), keys)
		case all:
			f.providersTable(a.Providers(), keys)
		case asJSON:
			err = f.keysJSON(keys)
		case len(keys) == 0:
			f.note("There are no keys yet. Store one with `keytray keys add PROVIDER`; demo/echo and Ollama's models need none.")
		default:
			f.keysTable(keys)
		}
		for _, p := range a.Status().Problems {
			if p.About == "keychain" || p.About == "config" {
				f.warn(p.Message, p.Remedy)
			}
		}
		return err
	})
}

func (f *face) keysTable(keys []app.Key) {
	t := &view.Table{Columns: []view.Column{
		{Title: "PROVIDER"}, {Title: "LABEL", Flexible: true}, {Title: "KEY"}, {Title: "IN USE"}, {Title: "WHERE", Flexible: true},
	}}
	for _, k := range keys {
		used := ""
		if k.InUse {
			used = "yes"
		}
		if k.Admin {
			used = "for reconcile"
		}
		t.Rows = append(t.Rows, []string{k.Provider, k.Label, k.Hint, used, k.Where})
	}
	f.print(t)
}

func (f *face) keysJSON(keys []app.Key) error {
	for _, k := range keys {
		if err := object(f.out(), keyJSON(k)); err != nil {
			return err
		}
	}
	return nil
}

func (f *face) providersTable(all []app.Provider, keys []app.Key) {
	t := &view.Table{Columns: []view.Column{
		{Title: "PROVIDER"},
		{Title: "NAME", Flexible: true},
		{Title: "DIALECT"},
		{Title: "KEY"},
		{Title: "ENVIRONMENT", Flexible: true},
		{Title: "NOTE", Flexible: true},
	}}
	for _, p := range all {
		key := "none"
		switch own := keysOf(keys, p.ID); {
		case len(own) > 0:
			key = own[0].Hint
		case !p.NeedsKey:
			key = "not needed"
		}
		note := p.Why
		switch {
		case p.Off:
			note = "turned off in config.yaml"
		case note == "" && p.Local:
			note = "on this computer"
		case note == "" && p.Own:
			note = "your own"
		}
		t.Rows = append(t.Rows, []string{p.ID, p.Name, p.Dialect, key, strings.Join(p.Env, " "), note})
	}
	f.print(t)
}

func (f *face) providersJSON(all []app.Provider, keys []app.Key) error {
	for _, p := range all {
		x := providerJSON{
			Provider: p.ID, Name: p.Name, Dialect: p.Dialect, BaseURL: p.BaseURL, Env: append([]string{}, p.Env...), KeysURL: p.KeysURL,
			Callable: p.Built, Why: p.Why, Local: p.Local, NeedsKey: p.NeedsKey, Off: p.Off, Own: p.Own, Keys: []keyJSON{},
		}
		for _, k := range keysOf(keys, p.ID) {
			x.Keys = append(x.Keys, keyJSON(k))
		}
		if err := object(f.out(), x); err != nil {
			return err
		}
	}
	return nil
}

func keysOf(keys []app.Key, provider string) []app.Key {
	var own []app.Key
	for _, k := range keys {
		if k.Provider == provider {
			own = append(own, k)
		}
	}
	return own
}

func jsonFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "one JSON object a line, for programs")
}
