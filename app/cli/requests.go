package cli

import (
	"bufio"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

// shown is how many rows are shown when no one says.
const shown = 20

func (f *face) requestsCommand() *cobra.Command {
	var q app.RowFilter
	var from, status string
	var asJSON, follow bool
	cmd := &cobra.Command{
		Use:   "requests",
		Short: "List calls: who asked, who answered, tokens, cost",
		Long: `Requests lists calls from ledger.db, one row for each attempt at a provider, the
newest last: the last 20, or all since a time. What was said in a call is not
kept, and so not shown.

A cost with ~ before it is an estimate, one with a + after it is known in part
only, and a dash is an unknown one. In --json it is null then. What a call was
said to cost before spend --reprice is under WAS, and in --json in was.`,
		Example: `  keytray requests
  keytray requests --since today --tool my-editor
  keytray requests --follow --json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if q.Since, err = since(time.Now(), from); err != nil {
				return usage(cmd, err)
			}
			if q.Limit < 0 || q.Limit == 0 && cmd.Flags().Changed("limit") {
				return usagef(cmd, "--limit must be 1 or more")
			}
			if status != "" && !slices.Contains(statuses[:], status) {
				return usagef(cmd, "--status %s is none: use %s", quote(status), strings.Join(statuses[:], ", "))
			}
			if q.Limit == 0 && from == "" {
				q.Limit = shown
			}
			q.Status = app.RowStatus(status)
			if follow && q.Status == "running" {
				return usagef(cmd, "--follow shows calls as they end: leave out --status running")
			}
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error {
				if follow {
					return f.follow(ctx, a, q, asJSON)
				}
				return f.requests(ctx, a, q, asJSON)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&from, "since", "", sinceHelp)
	flags.IntVar(&q.Limit, "limit", 0, "at most so many, the newest (default 20, or all with --since)")
	flags.StringVar(&q.Tool, "tool", "", "only calls of this tool")
	flags.StringVar(&q.Provider, "provider", "", "only calls to this provider")
	flags.StringVar(&q.Model, "model", "", "only calls to this model, by the provider's name for it")
	flags.StringVar(&q.Key, "key", "", "only calls with the key of this label")
	flags.StringVar(&status, "status", "", "only calls that are "+strings.Join(statuses[:], ", "))
	flags.BoolVarP(&follow, "follow", "f", false, "go on with calls as they end, until Ctrl-C")
	_ = cmd.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(statuses[:], cobra.ShellCompDirectiveNoFileComp)) // these two
	_ = cmd.RegisterFlagCompletionFunc("provider", f.completeProviders(func(app.Provider) bool { return true }))          // exist
	jsonFlag(cmd, &asJSON)
	return cmd
}

// statuses are how an attempt can stand or end.
var statuses = [...]string{"running", "ok", "error", "aborted", "cut", "interrupted"}

func (f *face) requests(ctx context.Context, a *app.App, q app.RowFilter, asJSON bool) error {
	if asJSON && q.Limit == 0 {
		// All of a long time: a row at a time.
		out := bufio.NewWriter(f.out())
		err := a.EachRequest(ctx, q, func(r app.Row) error { return object(out, view.NewRowJSON(r)) })
		if flushed := out.Flush(); err == nil {
			err = flushed
		}
		return err
	}
	rows, err := last(ctx, a, q)
	if err != nil {
		return err
	}
	if asJSON {
		for _, r := range rows {
			if err := object(f.out(), view.NewRowJSON(r)); err != nil {
				return err
			}
		}
		return nil
	}
	if len(rows) == 0 {
		f.noCalls(ctx, a, q)
		return nil
	}
	f.print(view.RequestTable(time.Now(), rows))
	return nil
}

// noCalls says why the list is empty: the filters, or that nobody called yet.
func (f *face) noCalls(ctx context.Context, a *app.App, q app.RowFilter) {
	if q.Limit = 1; q != (app.RowFilter{Limit: 1}) {
		if any, err := a.Requests(ctx, app.RowFilter{Limit: 1}); err != nil || len(any) > 0 {
			f.note("No calls of that kind. `keytray requests` alone lists the newest of all.")
			return
		}
	}
	address, err := a.RunningAddress(ctx)
	if err != nil {
		f.note("No calls yet, and Keytray is not running: start it with `keytray`, or `keytray serve` where there is no display.")
		return
	}
	f.note("No calls yet. Make one, which needs no key:\n  curl http://%s/v1/chat/completions -d '{\"model\":\"demo/echo\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}'", address)
}

// last are the newest rows, oldest first.
func last(ctx context.Context, a *app.App, q app.RowFilter) ([]app.Row, error) {
	if q.Limit > 0 {
		rows, err := a.Requests(ctx, q)
		slices.Reverse(rows)
		return rows, err
	}
	var rows []app.Row
	err := a.EachRequest(ctx, q, func(r app.Row) error { rows = append(rows, r); return nil })
	return rows, err
}
