package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) spendCommand() *cobra.Command {
	var by []string
	var from string
	var asJSON, anew, yes bool
	var only app.RowFilter
	cmd := &cobra.Command{
		Use:   "spend",
		Short: "Sum what was spent",
		Long: `Spend sums the record of calls, ledger.db, exactly. A call of unknown price is
never counted as free: it is counted as unpriced. A day is your local day.

SAVED is what the providers' prompt caches, kept answers and the choices of
routes saved, at the providers' own prices. By role, it tells answers from races
that were lost, parts of a blend, judges, and answers that were kept.

With --reprice it says what calls since a time would cost at the prices known
today, and with --yes it writes that down. The cost from before is kept beside
the new one. Costs that a provider stated are never changed.`,
		Example: `  keytray spend
  keytray spend --by model --since 7d
  keytray spend --by route,role
  keytray spend --by day,tool --since 2026-11-01 --json
  keytray spend --reprice --since 7d --provider mistral`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := spendQuery(by, from)
			if err != nil {
				return usage(cmd, err)
			}
			ctx := cmd.Context()
			if anew {
				if !cmd.Flags().Changed("since") {
					return usagef(cmd, "--reprice needs --since, so that no more is changed than you mean")
				}
				only.Since = q.From
				return f.with(ctx, func(a *app.App) error { return f.reprice(ctx, a, only, yes, asJSON) })
			}
			if yes || only != (app.RowFilter{}) {
				return usagef(cmd, "--yes, --provider and --model go with --reprice")
			}
			return f.with(ctx, func(a *app.App) error { return f.spend(ctx, a, q, asJSON) })
		},
	}
	cmd.Flags().StringSliceVar(&by, "by", []string{"day"}, "group by day, tool, provider, model, key, route or role; several with commas")
	cmd.Flags().StringVar(&from, "since", "30d", sinceHelp+"; or all")
	_ = cmd.RegisterFlagCompletionFunc("by", cobra.FixedCompletions(groups[:], cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	cmd.Flags().BoolVar(&anew, "reprice", false, "say what calls would cost at today's prices")
	cmd.Flags().StringVar(&only.Provider, "provider", "", "with --reprice: only calls to this provider")
	cmd.Flags().StringVar(&only.Model, "model", "", "with --reprice: only calls to this model, by the provider's name for it")
	cmd.Flags().BoolVar(&yes, "yes", false, "with --reprice: write the new costs down")
	_ = cmd.RegisterFlagCompletionFunc("provider", f.completeProviders(func(app.Provider) bool { return true })) // it exists as well
	jsonFlag(cmd, &asJSON)
	return cmd
}

// groups are what sums can be grouped by, in the order of the columns.
var groups = [...]string{"day", "tool", "provider", "model", "key", "route", "role"}

func spendQuery(by []string, from string) (app.SpendQuery, error) {
	var q app.SpendQuery
	for _, b := range by {
		b = strings.ToLower(strings.TrimSpace(b))
		if !slices.Contains(groups[:], b) {
			return q, fmt.Errorf("--by %s is nothing to group by: use %s", quote(b), strings.Join(groups[:], ", "))
		}
		if !slices.Contains(q.By, app.By(b)) {
			q.By = append(q.By, app.By(b))
		}
	}
	if from != "all" {
		var err error
		if q.From, err = since(time.Now(), from); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (f *face) spend(ctx context.Context, a *app.App, q app.SpendQuery, asJSON bool) error {
	sums, err := a.Spend(ctx, q)
	if err != nil {
		return err
	}
	if asJSON {
		for _, s := range sums {
			if err := object(f.out(), sumJSON(s, q.By)); err != nil {
				return err
			}
		}
		return nil
	}
	when := "All in all"
	if !q.From.IsZero() {
		when = "Since " + q.From.Format("2 Jan 2006")
	}
	if len(sums) == 0 {
		f.say("%s: no calls", when)
		return nil
	}
	total, err := a.Since(ctx, q.From)
	if err != nil {
		return err
	}
	f.print(view.SpendTable(sums, q.By))
	f.say("")
	f.say("%s", view.Sentence(when, total))
	return nil
}
