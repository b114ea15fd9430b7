package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) keysTest() *cobra.Command {
	var label string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test [PROVIDER]",
		Short: "Ask a provider whether it accepts a key",
		Long: `Test makes the cheapest call that needs a key, usually a list of models, and
says what the provider said. Without a label it tests the key in use; without a
provider, that of every provider that has one. It ends with code 1 if a key was
refused or could not be tested.`,
		Example: `  keytray keys test
  keytray keys test openai --label work`,
		Args:              between(0, 1, "a provider, such as openai"),
		ValidArgsFunction: f.completeProviders(func(p app.Provider) bool { return p.Built && p.NeedsKey }),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if len(args) == 0 && label != "" {
				return usagef(cmd, "--label needs the provider whose key it is")
			}
			return f.with(ctx, func(a *app.App) error {
				var ids []string
				if len(args) == 1 {
					p, err := provide(a, args[0])
					if err != nil {
						return err
					}
					ids = []string{p.ID}
				} else {
					keys, err := a.Keys(ctx)
					for _, k := range keys {
						if k.InUse {
							ids = append(ids, k.Provider)
						}
					}
					if len(ids) == 0 && err != nil {
						return err
					}
				}
				if len(ids) == 0 {
					return fmt.Errorf("there is no key to test; store one with `keytray keys add PROVIDER`")
				}
				return f.testKeys(ctx, a, ids, label, asJSON)
			})
		},
	}
	f.labelFlag(cmd, &label, "which key; the one in use if left out")
	jsonFlag(cmd, &asJSON)
	return cmd
}

// testJSON is a test in --json.
type testJSON struct {
	Provider string `json:"provider"`
	Label    string `json:"label"`
	Hint     string `json:"hint"`
	Where    string `json:"where"`
	OK       bool   `json:"ok"`
	Said     string `json:"said"`
	Models   int    `json:"models"`
	TookMS   int64  `json:"took_ms"`
}

func (f *face) testKeys(ctx context.Context, a *app.App, ids []string, label string, asJSON bool) error {
	bad := false
	for _, id := range ids {
		t, err := a.TestKey(ctx, id, label)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && len(ids) == 1 {
			return err
		}
		said, took := t.Said, view.Took(t.Took)
		if err != nil {
			said, took = err.Error(), ""
		}
		bad = bad || !t.OK
		k := t.Checked
		if asJSON {
			if err := object(f.out(), testJSON{id, k.Label, k.Hint, k.Where, t.OK, said, t.Models, t.Took.Milliseconds()}); err != nil {
				return err
			}
			continue
		}
		verdict := "refused"
		switch {
		case t.OK:
			verdict = "ok"
		case err != nil:
			verdict = "not tested"
		}
		if took != "" {
			took = " (" + took + ")"
		}
		f.say("%s", view.PlainText(fmt.Sprintf("%s %s %s %s: %s: %s%s", id, k.Label, k.Hint, k.Where, verdict, said, took)))
	}
	if bad {
		return codeError(failed)
	}
	return nil
}
