package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

const scopeHelp = "a scope: all, tool NAME, provider ID or key PROVIDER/LABEL"

func (f *face) budgetCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "budget",
		Short: "Limit what is spent, and see what is left",
		Long: `Budget lists the limits and what is used of them. There can be one of a day and
one of a month for all tools together, for a tool, a provider and a key. Days and
months are your local ones. A call that begins below a limit may end above it;
the next one is refused, or answered by a local model with --at-limit offline. A
call of unknown price uses nothing of a limit: give its model a price in
config.yaml.

They are written to config.yaml and hold from the next call on.`,
		Example: `  keytray budget
  keytray budget set all --month 50
  keytray budget set tool codex --day 5 --at-limit offline
  keytray budget clear key openai/work`,
		Args: f.commandOnly,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error { return f.budgets(ctx, a, asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(f.budgetSetCommand(), f.budgetClearCommand())
	return cmd
}

func (f *face) budgetSetCommand() *cobra.Command {
	var day, month, at string
	cmd := &cobra.Command{
		Use:   "set SCOPE",
		Short: "Set a limit",
		Long: `Set limits a scope: all, tool NAME, provider ID or key PROVIDER/LABEL. What is
not named stays as it is; none takes a limit away. Amounts are US dollars.`,
		Example: `  keytray budget set all --day 5 --month 50
  keytray budget set tool codex --day 2.50
  keytray budget set provider openai --day none --month 20 --at-limit offline`,
		Args:              between(1, 2, scopeHelp),
		ValidArgsFunction: f.completeScopes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			scope, err := app.ParseScope(args...)
			if err != nil {
				return usage(cmd, err)
			}
			if day == "" && month == "" && at == "" {
				return usagef(cmd, "say what to set: --day, --month or --at-limit")
			}
			if at != "" && at != "block" && at != "offline" {
				return usagef(cmd, "--at-limit is block or offline")
			}
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				b := a.Budget(scope)
				for _, l := range []struct {
					flag, text string
					to         **int64
				}{{"--day", day, &b.Day}, {"--month", month, &b.Month}} {
					switch l.text {
					case "":
						continue
					case "none":
						*l.to = nil
						continue
					}
					n, err := app.ParseUSD(l.text)
					if err != nil {
						return usagef(cmd, "%s %w", l.flag, err)
					}
					*l.to = &n
				}
				if at != "" {
					b.AtLimit = at
				}
				if b.Day == nil && b.Month == nil && at != "" {
					return usagef(cmd, "%s has no limit yet: give --day or --month too", view.ScopeWords(scope))
				}
				return f.setBudget(ctx, a, scope, b)
			})
		},
	}
	cmd.Flags().StringVar(&day, "day", "", "US dollars for a day, or none")
	cmd.Flags().StringVar(&month, "month", "", "US dollars for a calendar month, or none")
	cmd.Flags().StringVar(&at, "at-limit", "", "block: calls are refused; offline: local models answer")
	_ = cmd.RegisterFlagCompletionFunc("at-limit", cobra.FixedCompletions([]string{"block", "offline"}, cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return cmd
}

func (f *face) budgetClearCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "clear SCOPE",
		Short: "Take a scope's limits away",
		Long:  "Clear takes all limits of a scope away: all, tool NAME, provider ID or key PROVIDER/LABEL.",
		Example: `  keytray budget clear all
  keytray budget clear tool codex`,
		Args:              between(1, 2, scopeHelp),
		ValidArgsFunction: f.completeScopes(),
		RunE: func(cmd *cobra.Command, args []string) error {
			scope, err := app.ParseScope(args...)
			if err != nil {
				return usage(cmd, err)
			}
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				if b := a.Budget(scope); b.Day == nil && b.Month == nil {
					f.note("keytray: note: %s had no limit", view.ScopeWords(scope))
				}
				return f.setBudget(ctx, a, scope, app.BudgetSettings{})
			})
		},
	}
}

func (f *face) setBudget(ctx context.Context, a *app.App, scope app.Scope, b app.BudgetSettings) error {
	if err := a.SetBudget(scope, b); err != nil {
		return err
	}
	var parts []string
	if b.Day != nil {
		parts = append(parts, view.Money(*b.Day)+" a day")
	}
	if b.Month != nil {
		parts = append(parts, view.Money(*b.Month)+" a month")
	}
	if len(parts) == 0 {
		f.say("%s has no limit now", view.ScopeWords(scope))
		return nil
	}
	f.say("%s may spend %s", view.ScopeWords(scope), strings.Join(parts, " and "))
	f.warnScope(ctx, a, scope)
	return nil
}

// warnScope says that nothing goes by a name yet: it may be misspelt.
func (f *face) warnScope(ctx context.Context, a *app.App, scope app.Scope) {
	_, _ = a.Keys(ctx) // so that they are known; what is wrong with the keychain is told elsewhere
	if said := a.DoubtScope(scope); said != "" {
		f.note("keytray: note: %s", said)
	}
}

// limitJSON is a limit in --json.
type limitJSON struct {
	Scope   string    `json:"scope"` // all, tool, provider, key
	Name    string    `json:"name"`
	Period  string    `json:"period"`
	Limit   string    `json:"limit_usd"`
	Spent   string    `json:"spent_usd"`
	Left    string    `json:"left_usd"`
	Until   time.Time `json:"until"`
	AtLimit string    `json:"at_limit"`
	// Unpriced counts calls of unknown cost, of which Spent has nothing.
	Unpriced int64 `json:"unpriced"`
}

func (f *face) budgets(ctx context.Context, a *app.App, asJSON bool) error {
	now := time.Now()
	if _, err := a.Today(ctx); err != nil {
		return err // what is spent would be a guess
	}
	limits := a.Limits()
	for _, l := range limits {
		if !asJSON {
			break
		}
		scope := l.Scope.Of
		if scope == "" {
			scope = "all"
		}
		if err := object(f.out(), limitJSON{
			scope, l.Scope.Name, view.PeriodWord(l), view.Decimal(l.Most), view.Decimal(l.Spent), view.Decimal(max(0, l.Most-l.Spent)),
			l.Until.UTC(), string(l.AtLimit), l.Unpriced,
		}); err != nil {
			return err
		}
	}
	switch {
	case asJSON:
	case len(limits) == 0:
		f.note("There is no limit. Set one with `keytray budget set all --day 5`.")
	default:
		f.print(view.BudgetTable(limits, now))
		if slices.ContainsFunc(limits, func(l app.Limit) bool { return l.Unpriced > 0 }) {
			f.note("Calls of unknown price use nothing of a limit. `keytray spend --by model` names their models: give those a price under their provider in config.yaml, then `keytray spend --reprice` counts the calls too.")
		}
	}
	f.warnOf(a, "config")
	return nil
}

func (f *face) completeScopes() completion {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return f.offer(cmd, begun, func(ctx context.Context, a *app.App) []string {
			var out []string
			switch {
			case len(args) == 0:
				return []string{"all", "tool", "provider", "key"}
			case len(args) > 1:
			case args[0] == "tool":
				for _, t := range a.Tokens() {
					out = append(out, t.Tool)
				}
			case args[0] == "provider":
				for _, p := range a.Providers() {
					out = append(out, p.ID+"\t"+p.Name)
				}
			case args[0] == "key":
				keys, _ := a.Keys(ctx) // none is an answer too
				for _, k := range keys {
					out = append(out, k.Provider+"/"+k.Label)
				}
			}
			return out
		}), cobra.ShellCompDirectiveNoFileComp
	}
}
