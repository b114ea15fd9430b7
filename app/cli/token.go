package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) tokenCommand() *cobra.Command {
	var rotate, revoke, asJSON bool
	var models []string
	cmd := &cobra.Command{
		Use:   "token [TOOL]",
		Short: "Print a tool's local token, made on first use",
		Long: `Token prints the token that a tool sends to Keytray as its API key, and makes it
on first use. Each tool has its own, so that its calls and costs can be told
apart and it can be shut out alone. A token opens this Keytray and nothing else.

Keytray keeps a hash of it in tokens.json and the token itself in the keychain;
where there is none, it is shown once, when it is made. Alone, token lists the
tools, with when each called last and what it spent today and this month.

With --models a tool may ask for these models and routes alone, and for PROVIDER/
all of a provider's; any takes that back. It sees no others in the lists of
models, and what the switch has answer must be among them too. What a tool may
spend is set with keytray budget set tool NAME.

KEYTRAY_TOKEN, in the environment of the Keytray that runs, is one more token, of
the tool env.`,
		Example: `  keytray token my-editor
  export OPENAI_API_KEY=$(keytray token my-script)
  keytray token my-editor --rotate
  keytray token my-editor --models ollama/,openai/gpt-6-luna`,
		Args: between(0, 1, "a tool's name, such as my-editor"),
		ValidArgsFunction: f.complete(func(_ context.Context, a *app.App) []string {
			var out []string
			for _, t := range a.Tokens() {
				if !t.Static {
					out = append(out, t.Tool)
				}
			}
			return out
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			switch {
			case rotate && revoke:
				return usagef(cmd, "--rotate makes a new token and --revoke makes none: give one of them")
			case len(models) > 0 && (rotate || revoke || asJSON):
				return usagef(cmd, "--models stands alone")
			case len(args) == 0 && (rotate || revoke || len(models) > 0):
				return usagef(cmd, "--rotate, --revoke and --models need the tool whose token it is")
			case len(args) == 1 && asJSON:
				return usagef(cmd, "--json is for the list: leave the tool out")
			}
			return f.with(ctx, func(a *app.App) error {
				switch {
				case len(args) == 0:
					return f.listTokens(ctx, a, asJSON)
				case len(models) > 0:
					return f.allow(a, args[0], models)
				}
				return f.token(ctx, a, args[0], rotate, revoke)
			})
		},
	}
	cmd.Flags().BoolVar(&rotate, "rotate", false, "make a new token; the old one is refused at once")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "refuse the token from now on")
	cmd.Flags().StringSliceVar(&models, "models", nil, "what the tool may ask for, with commas; any is everything")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// allow says what a tool may ask for.
func (f *face) allow(a *app.App, tool string, models []string) error {
	if len(models) == 1 && models[0] == "any" {
		models = nil
	}
	if err := a.SetToolModels(tool, models); err != nil {
		return err
	}
	f.say("%s may ask for %s", tool, view.Allowed(models))
	f.doubts(tool, a.DoubtNames(models))
	return nil
}

func (f *face) token(ctx context.Context, a *app.App, tool string, rotate, revoke bool) error {
	if revoke {
		if err := a.RevokeToken(ctx, tool); err != nil {
			return err
		}
		f.say("revoked the token of %s", tool)
		return nil
	}
	get := a.Token
	if rotate {
		get = a.RotateToken
	}
	t, err := get(ctx, tool)
	if err != nil {
		return err
	}
	f.say("%s", t.Text)
	if t.Note != "" {
		f.warn(t.Note, t.Fixed)
	}
	return nil
}

// tokenJSON is a tool in --json.
type tokenJSON struct {
	Tool     string     `json:"tool"`
	Created  *time.Time `json:"created"`
	LastUsed *time.Time `json:"last_used"`
	Static   bool       `json:"static"`
	Models   []string   `json:"models"`    // none is no limit
	Today    *string    `json:"today_usd"` // of the calls with a price; null if none has one
	Month    *string    `json:"month_usd"`
}

func (f *face) listTokens(ctx context.Context, a *app.App, asJSON bool) error {
	all, err := a.Tools(ctx)
	if err != nil {
		f.warn("what the tools spent is not known: "+err.Error(), app.Remedy(err))
	}
	if asJSON {
		for _, t := range all {
			x := tokenJSON{Tool: t.Name, Created: known(t.Created), LastUsed: known(t.LastUsed), Static: t.Static, Models: append([]string{}, t.Models...)}
			if err == nil {
				x.Today, x.Month = sumJSON(t.Today, nil).Cost, sumJSON(t.Month, nil).Cost
			}
			if err := object(f.out(), x); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		f.note("No tool has a token yet. Make one with `keytray token TOOL`, under any name you like.")
	} else {
		f.print(view.ToolTable(all, err == nil, time.Now()))
	}
	if s, err := a.RunningStrangers(ctx); err == nil && s.Count > 0 {
		f.note("keytray: note: %s", view.StrangersText(s, time.Now()))
	}
	return nil
}

// known is t, or nil if it is zero.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
