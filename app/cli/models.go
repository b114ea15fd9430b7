package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) modelsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "models [SEARCH]...",
		Short: "List the models that can be asked for",
		Long: `Models lists what can be asked for: the built-in demo, the routes of config.yaml,
what Ollama has installed, and the models of each provider that has a key, with
prices in US dollars for a million tokens. Words to search for must all be in
the name. A tool may leave the provider out of a name.`,
		Example: `  keytray models
  keytray models claude sonnet
  keytray models --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error { return f.models(ctx, a, args, asJSON) })
		},
		ValidArgsFunction: f.complete(func(ctx context.Context, a *app.App) []string {
			var out []string
			for _, m := range a.Models(ctx) {
				out = append(out, m.ID)
			}
			return out
		}),
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

// modelJSON is a model in --json. Unknown figures are null.
type modelJSON struct {
	ID        string  `json:"id"`
	Provider  string  `json:"provider"`
	Name      string  `json:"name"`
	Context   *int    `json:"context"`
	MaxOutput *int    `json:"max_output"`
	Input     *string `json:"input_usd_per_million"`
	Output    *string `json:"output_usd_per_million"`
	Source    *string `json:"price_source"`
	Local     bool    `json:"local"`
	Route     bool    `json:"route"`
}

func (f *face) models(ctx context.Context, a *app.App, search []string, asJSON bool) error {
	t := &view.Table{Columns: []view.Column{
		{Title: "MODEL", Flexible: true},
		{Title: "CONTEXT", Right: true},
		{Title: "IN $/M", Right: true},
		{Title: "OUT $/M", Right: true},
		{Title: "NOTE"},
	}}
	found := false
	for _, m := range a.Models(ctx) {
		if !matches(m.ID, search) {
			continue
		}
		found = true
		if asJSON {
			if err := object(f.out(), modelJSON{
				m.ID, m.Provider, m.Name, positive(m.Context), positive(m.MaxOutput), filled(m.Input), filled(m.Output), filled(m.PriceSource), m.Local, m.Route,
			}); err != nil {
				return err
			}
			continue
		}
		note := ""
		switch {
		case m.Route:
			note = "route"
		case m.PriceSource == app.PriceOfConfig:
			note = "your price"
		case m.Local:
			note = "on this computer"
		case m.Input == "" && m.Output == "":
			note = "no price known"
		}
		context := ""
		if m.Context > 0 {
			context = view.Tokens(int64(m.Context))
		}
		t.Rows = append(t.Rows, []string{m.ID, context, m.Input, m.Output, note})
	}
	if !found {
		return fmt.Errorf("no model that can be asked for has %s in its name; `keytray models` lists all, and a key adds more", quote(strings.Join(search, " ")))
	}
	if !asJSON {
		f.print(t)
	}
	f.warnOf(a, "config", "keychain")
	return nil
}

func matches(id string, search []string) bool {
	id = strings.ToLower(id)
	for _, word := range search {
		if !strings.Contains(id, strings.ToLower(word)) {
			return false
		}
	}
	return true
}

func positive(n int) *int {
	if n <= 0 {
		return nil
	}
	return &n
}

func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
