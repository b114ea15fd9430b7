package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) useCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "use [auto|offline|PROVIDER|ROUTE]",
		Short: "Turn the switch: who answers from the next call on",
		Long: `Use turns the switch of the tray. On auto, each call goes to the provider that
has the model it asks for. On a provider, all calls go there, and models that it
lacks are replaced by its own of the same size. On a route, it decides. On
offline, nothing leaves this computer.

It holds from the next call on, without a restart, and is written to active in
config.yaml. Alone, use shows the positions and the current one.`,
		Example: `  keytray use
  keytray use ollama
  keytray use auto`,
		Args: between(0, 1, "auto, offline, a provider or a route"),
		ValidArgsFunction: f.complete(func(_ context.Context, a *app.App) []string {
			var out []string
			for _, c := range a.Choices() {
				out = append(out, c.ID+"\t"+c.Title)
			}
			return out
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				if len(args) == 0 {
					return f.positions(ctx, a, asJSON)
				}
				return f.use(ctx, a, args[0])
			})
		},
	}
	jsonFlag(cmd, &asJSON)
	return cmd
}

func (f *face) use(ctx context.Context, a *app.App, to string) error {
	if !offered(a, to) {
		_, _ = a.Keys(ctx) // a key in the keychain adds a position; what is wrong with it is told below
		p, err := provide(a, to)
		if err == nil {
			to = p.ID
		} else if near := near(positionIDs(a), to); near != "" && !offered(a, to) {
			return fmt.Errorf("the switch has no position %s; did you mean %s?", quote(to), near)
		}
	}
	if err := a.Use(to); err != nil {
		f.warnOf(a, "keychain")
		return err
	}
	f.say("the switch is on %s", a.Status().Active)
	return nil
}

// positionIDs are what the switch takes, and every provider that it could.
func positionIDs(a *app.App) []string {
	var out []string
	for _, c := range a.Choices() {
		out = append(out, c.ID)
	}
	for _, p := range a.Providers() {
		out = append(out, p.ID)
	}
	return out
}

func offered(a *app.App, to string) bool {
	for _, c := range a.Choices() {
		if c.ID == to {
			return true
		}
	}
	return false
}

// choiceJSON is a position of the switch in --json.
type choiceJSON struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Kind   string `json:"kind"`
	Active bool   `json:"active"`
}

func (f *face) positions(ctx context.Context, a *app.App, asJSON bool) error {
	_, _ = a.Keys(ctx) // the error is among the problems below
	t := &view.Table{Columns: []view.Column{{Title: ""}, {Title: "POSITION"}, {Title: "WHO ANSWERS", Flexible: true}}}
	for _, c := range a.Choices() {
		if asJSON {
			if err := object(f.out(), choiceJSON(c)); err != nil {
				return err
			}
			continue
		}
		mark, title := "", c.Title
		if c.Active {
			mark = "*"
		}
		if c.Kind == "route" {
			title = "a route of config.yaml"
		}
		t.Rows = append(t.Rows, []string{mark, c.ID, title})
	}
	if !asJSON {
		f.print(t)
	}
	f.warnOf(a, "config", "keychain")
	return nil
}
