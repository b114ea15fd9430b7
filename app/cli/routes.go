package cli

import (
	"context"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) routesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "routes",
		Short: "Name who answers, and how it is chosen",
		Long: `Routes lists the routes of config.yaml. A route is a name that a tool asks for as
its model, and that the switch can stand on (keytray use NAME). It leads to a
model, or to a strategy that chooses between several:

  fallback  the first, and the next one when it fails
  balance   each its share: {balance: {a/b: 3, c/d: 1}}
  cheapest  by the price of this call
  fastest   by what was measured of late
  smart     the smallest that is good enough: {smart: [...], bar: 0.7}
  race      several at once, the first answer wins: {race: [...], after: 2s}
  blend     several answers made into one; judge: the best; compare: all of them
  split     a trial of one against another: {split: [...], sample: 5%}
  cache     the same answer to the same request: {cache: a/b, keep: 1h}

Each target may be a strategy again. What stands before the others with a * is
where the switch stands.`,
		Example: `  keytray routes
  keytray routes set safe '{fallback: [anthropic/claude-sonnet-5-5, openai/gpt-6-luna]}'
  keytray routes remove safe`,
		Args: f.commandOnly,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.with(cmd.Context(), func(a *app.App) error { return f.routes(a, asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON)
	routes := f.complete(func(_ context.Context, a *app.App) []string {
		var out []string
		for _, r := range a.Routes() {
			out = append(out, r.Name+"\t"+r.YAML)
		}
		return out
	})
	cmd.AddCommand(&cobra.Command{
		Use:   "set NAME YAML",
		Short: "Add or change a route",
		Long: `Set writes a route to config.yaml, where comments stay. It is checked before:
what is wrong is said, and nothing is written. A model that is in no list is
written all the same, with a note, as it may be new. It holds from the next call
on.`,
		Example: `  keytray routes set quick '{race: [groq/llama-4, openai/gpt-6-luna], after: 500ms}'
  keytray routes set cheap '{cheapest: [gpt-6-luna, gemini-3-flash]}'`,
		Args:              exactly(2, "a route's name and its target, such as '{fallback: [a/b, c/d]}'"),
		ValidArgsFunction: routes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(a *app.App) error {
				if err := a.SetRoute(args[0], args[1]); err != nil {
					return err
				}
				f.say("the route %s is set", args[0])
				for _, r := range a.Routes() {
					if r.Name == args[0] {
						f.doubts(r.Name, r.Doubts)
					}
				}
				return nil
			})
		},
	}, &cobra.Command{
		Use:   "promote NAME",
		Short: "End a trial: its best model becomes the route",
		Long: `Promote decides a split whose answers were judged (sample): from then on the
route leads to the model with the best scores. While too few answers were
judged it changes nothing.`,
		Example:           "  keytray routes promote trial",
		Args:              exactly(1, "a split's name"),
		ValidArgsFunction: routes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(a *app.App) error {
				all, err := a.Promote(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				for _, x := range all {
					f.say("%s\t%.2f\tof %d answers", x.Model, x.Score, x.Calls)
				}
				f.say("the route %s leads to %s now", args[0], all[0].Model)
				return nil
			})
		},
	}, &cobra.Command{
		Use:               "remove NAME",
		Short:             "Remove a route",
		Long:              "Remove takes a route out of config.yaml. One that the switch stands on stays.",
		Example:           "  keytray routes remove safe",
		Args:              exactly(1, "a route's name"),
		ValidArgsFunction: routes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.with(cmd.Context(), func(a *app.App) error {
				if err := a.RemoveRoute(args[0]); err != nil {
					return err
				}
				f.say("the route %s is removed", args[0])
				return nil
			})
		},
	})
	return cmd
}

// routeJSON is a route in --json.
type routeJSON struct {
	Name   string   `json:"name"`
	YAML   string   `json:"yaml"`
	Models []string `json:"models"` // and routes, that it leads to
	Active bool     `json:"active"`
}

func (f *face) routes(a *app.App, asJSON bool) error {
	all := a.Routes()
	for _, r := range all {
		if !asJSON {
			break
		}
		if err := object(f.out(), routeJSON{r.Name, r.YAML, append([]string{}, r.Target.Models()...), r.Active}); err != nil {
			return err
		}
	}
	switch {
	case asJSON:
	case len(all) == 0:
		f.note("There is no route. Add one with `keytray routes set safe '{fallback: [a/b, c/d]}'`.")
	default:
		f.print(view.RouteTable(all))
		for _, r := range all {
			f.doubts(r.Name, r.Doubts)
		}
	}
	f.warnOf(a, "config")
	return nil
}
