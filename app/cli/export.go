package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
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
			if !slices.Contains(formats[:], format) {
				return usagef(cmd, "--format %s is none: use %s", quote(format), strings.Join(formats[:], " or "))
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
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats[:], cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	return cmd
}

var formats = [...]string{"csv", "json"}

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
	out := bufio.NewWriter(w)
	write, flush := func(r rowJSON) error { return object(out, r) }, out.Flush
	if format == "csv" {
		table := csv.NewWriter(out)
		if err := table.Write(csvHeader[:]); err != nil {
			return err
		}
		write = func(r rowJSON) error { return table.Write(csvRow(r)) }
		flush = func() error { table.Flush(); return errors.Join(table.Error(), out.Flush()) }
	}
	n := 0
	err = a.EachRequest(ctx, q, func(r app.Row) error {
		n++
		return write(newRowJSON(r))
	})
	if flushed := flush(); err == nil {
		err = flushed
	}
	if err == nil && to != "" {
		f.note("%d calls written to %s", n, to)
	}
	return err
}

var csvHeader = [...]string{
	"id", "request_id", "attempt", "time", "tool", "inbound", "asked", "route", "role", "reason", "provider", "model", "key",
	"status", "http_status", "error", "streamed", "cost_usd", "cost_kind", "saved_usd", "first_byte_ms", "duration_ms", "lost",
	"input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning", "audio_input", "audio_cache_read",
	"audio_output", "image_input", "image_cache_read", "image_output", "searches",
	"images", "characters", "audio_ms",
}

func csvRow(r rowJSON) []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	usd := func(v *string) string {
		if v == nil {
			return ""
		}
		return *v
	}
	ms := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	u := r.Usage
	return []string{
		n(r.ID), cell(r.RequestID), strconv.Itoa(r.Attempt), r.Time.Format(time.RFC3339Nano), cell(r.Tool), cell(r.Inbound), cell(r.Asked),
		cell(r.Route), cell(r.Role), cell(r.Reason), cell(r.Provider), cell(r.Model), cell(r.Key), r.Status, strconv.Itoa(r.HTTPStatus),
		cell(r.Error), strconv.FormatBool(r.Streamed), usd(r.Cost), r.CostKind, usd(r.Saved), ms(r.FirstByte), ms(r.Duration),
		cell(strings.Join(r.Lost, "; ")),
		n(u.Input), n(u.CacheRead), n(u.CacheWrite5m), n(u.CacheWrite1h), n(u.Output), n(u.Reasoning), n(u.AudioInput),
		n(u.AudioCacheRead), n(u.AudioOutput), n(u.ImageInput), n(u.ImageCacheRead), n(u.ImageOutput), n(u.Searches),
		n(u.Images), n(u.Characters), n(u.AudioMS),
	}
}

// cell is text that a spreadsheet takes for text: others chose it, and what
// begins like a formula would be run.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
