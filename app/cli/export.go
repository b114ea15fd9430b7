package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) exportCommand() *cobra.Command {
	var format, from, to string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the record of calls out as CSV or JSON",
		Long: `Export writes every call of ledger.db, the oldest first: as CSV for a
spreadsheet, or as JSON with one object a line, as requests --json does. Costs
are exact US dollars; an unknown one is empty in CSV and null in JSON. What was
said in a call is not kept, and so not in it.`,
		Example: `  keytray export > calls.csv
  keytray export --format json --since 30d --to calls.json`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(view.ExportFormats(), format) {
				return usagef(cmd, "--format %s is none: use %s", quote(format), strings.Join(view.ExportFormats(), " or "))
			}
			var q app.RowFilter
			if from != "all" {
				var err error
				if q.Since, err = since(time.Now(), from); err != nil {
					return usage(cmd, err)
				}
			}
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error { return f.export(ctx, a, q, format, to) })
		},
	}
	cmd.Flags().StringVar(&format, "format", "csv", "csv or json")
	cmd.Flags().StringVar(&from, "since", "all", sinceHelp+"; or all")
	cmd.Flags().StringVar(&to, "to", "", "a new file to write; standard output if left out")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(view.ExportFormats(), cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return cmd
}

func (f *face) export(ctx context.Context, a *app.App, q app.RowFilter, format, to string) (err error) {
	w := f.out()
	if to != "" {
		file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if os.IsExist(err) {
			return fmt.Errorf("%s is there already: remove it, or choose another name", to)
		}
		if err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
		defer func() {
			if closed := file.Close(); err == nil {
				err = closed
			}
		}()
		w = file
	}
	n, err := view.Export(w, format, func(each func(app.Row) error) error { return a.EachRequest(ctx, q, each) })
	if err == nil && to != "" {
		f.note("%d calls written to %s", n, to)
	}
	return err
}
