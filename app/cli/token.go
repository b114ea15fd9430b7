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
	cmd := &cobra.Command{
		Use:   "token [TOOL]",
		Short: "Print a tool's local token, made on first use",
		Long: `Token prints the token that a tool sends to Keytray as its API key, and makes it
on first use. Each tool has its own, so that its calls and costs can be told
apart and it can be shut out alone. A token opens this Keytray and nothing else.

Keytray keeps a hash of it in tokens.json and the token itself in the keychain;
where there is none, it is shown once, when it is made. Alone, token lists the
tools that have one. KEYTRAY_TOKEN, in the environment of the Keytray that runs,
is one more, of the tool env.`,
		Example: `  keytray token my-editor
  export OPENAI_API_KEY=$(keytray token my-script)
  keytray token my-editor --rotate`,
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
			case len(args) == 0 && (rotate || revoke):
				return usagef(cmd, "--rotate and --revoke need the tool whose token it is")
			case len(args) == 1 && asJSON:
				return usagef(cmd, "--json is for the list: leave the tool out")
			}
			return f.with(ctx, func(a *app.App) error {
				if len(args) == 0 {
					return f.listTokens(a, asJSON)
				}
				return f.token(ctx, a, args[0], rotate, revoke)
			})
		},
	}
	cmd.Flags().BoolVar(&rotate, "rotate", false, "make a new token; the old one is refused at once")
	cmd.Flags().BoolVar(&revoke, "revoke", false, "refuse the token from now on")
	jsonFlag(cmd, &asJSON)
	return cmd
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
}

func (f *face) listTokens(a *app.App, asJSON bool) error {
	all := a.Tokens()
	if asJSON {
		for _, t := range all {
			if err := object(f.out(), tokenJSON{t.Tool, known(t.Created), known(t.LastUsed), t.Static}); err != nil {
				return err
			}
		}
		return nil
	}
	if len(all) == 0 {
		f.note("No tool has a token yet. Make one with `keytray token TOOL`, under any name you like.")
		return nil
	}
	t := &view.Table{Columns: []view.Column{{Title: "TOOL", Flexible: true}, {Title: "MADE"}, {Title: "LAST USED"}}}
	now := time.Now()
	for _, x := range all {
		made := "from KEYTRAY_TOKEN"
		if !x.Static {
			made = view.Ago(now, x.Created)
		}
		t.Rows = append(t.Rows, []string{x.Tool, made, view.Ago(now, x.LastUsed)})
	}
	f.print(t)
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
