package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

// reconciling is what `keytray reconcile` was asked for.
type reconciling struct {
	from, to, csv  string
	asJSON, addKey bool
}

func (f *face) reconcileCommand() *cobra.Command {
	var o reconciling
	cmd := &cobra.Command{
		Use:   "reconcile PROVIDER",
		Short: "Compare the ledger with what a provider says it charged",
		Long: `Reconcile lays a provider's own cost report beside the ledger, day by day and
model by model, and says what a gap is likely due to. Days are UTC days, as in
the report.

The report is fetched with an admin key of openai or anthropic, or a management
key of openrouter. Such a key signs no call and is kept apart from those that
do, under the label admin; --add-key asks for one and stores it. Of any provider
a CSV that its console exports can be read instead, with --csv. A gap is no
failure: the exit code is 0.`,
		Example: `  keytray reconcile openai --add-key
  keytray reconcile openai --since 7d
  keytray reconcile anthropic --csv cost.csv
  keytray reconcile openrouter --since 2026-11-01 --until 2026-11-15 --json`,
		Args: secretArgument(1, "a provider, such as openai"),
		ValidArgsFunction: f.complete(func(_ context.Context, a *app.App) []string {
			var out []string
			for _, r := range a.Reporters() {
				out = append(out, r.ID+"\t"+r.Name)
			}
			return out
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if o.addKey && o.csv != "" {
				return usagef(cmd, "--add-key stores a key and --csv reads a file: give one of them")
			}
			q, err := reconcileQuery(time.Now(), o)
			if err != nil {
				return usage(cmd, err)
			}
			return f.with(ctx, func(a *app.App) error {
				p, err := provide(a, args[0])
				if err != nil {
					return err
				}
				q.Provider = p.ID
				if o.addKey {
					return f.addAdminKey(ctx, a, p)
				}
				return f.reconcile(ctx, a, p, q, o)
			})
		},
	}
	cmd.Flags().StringVar(&o.from, "since", "", sinceHelp+"; 30 days if left out, or all days of the CSV")
	cmd.Flags().StringVar(&o.to, "until", "", "the last day, today included if left out")
	cmd.Flags().StringVar(&o.csv, "csv", "", "read an exported report from this file; - is standard input")
	cmd.Flags().BoolVar(&o.addKey, "add-key", false, "ask for an admin key, or read it from standard input, and store it")
	jsonFlag(cmd, &o.asJSON)
	return cmd
}

// reconcileQuery reads the days. The day that is named counts in UTC, whatever
// the user's zone is.
func reconcileQuery(now time.Time, o reconciling) (q app.ReconcileQuery, err error) {
	day := func(s, flag string) (time.Time, error) {
		t, err := since(now, s)
		if err != nil {
			return t, fmt.Errorf("--%s %s is no day: use %s", flag, quote(s), sinceHelp)
		}
		if t.IsZero() {
			return t, nil
		}
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
	}
	if q.From, err = day(o.from, "since"); err != nil {
		return q, err
	}
	if q.To, err = day(o.to, "until"); err != nil {
		return q, err
	}
	if !q.To.IsZero() {
		q.To = q.To.AddDate(0, 0, 1)
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, errors.New("--until is before --since")
	}
	return q, nil
}

// adminLabel is the label of keys that read cost reports.
const adminLabel = "admin"

func (f *face) addAdminKey(ctx context.Context, a *app.App, p app.Provider) error {
	r := app.Reporter{}
	for _, x := range a.Reporters() {
		if x.ID == p.ID {
			r = x
		}
	}
	if !r.Fetches {
		return fmt.Errorf("no cost report of %s can be fetched: export one as CSV in its console, and read it with --csv", p.Name)
	}
	if f.asks() {
		f.note("Make an %s at %s", r.KeyName, r.KeyURL)
	}
	secret, err := f.secret(ctx, fmt.Sprintf("%s for %s (not shown): ", strings.ToUpper(r.KeyName[:1])+r.KeyName[1:], p.Name))
	if err != nil {
		return err
	}
	if err := a.AddKey(ctx, p.ID, adminLabel, secret); err != nil {
		return err
	}
	f.stored(ctx, a, p, adminLabel, "stored")
	return nil
}

// saidAdmin says what a key that was stored as an admin key is for.
func (f *face) saidAdmin(a *app.App, p app.Provider) {
	for _, r := range a.Reporters() {
		if r.ID == p.ID {
			f.say("it signs no call: `keytray reconcile %s` reads the cost report with it", p.ID)
			return
		}
	}
	f.say("it signs no call, because of its label, and Keytray can fetch no cost report of %s; for calls, store it under another label", p.Name)
}

func (f *face) reconcile(ctx context.Context, a *app.App, p app.Provider, q app.ReconcileQuery, o reconciling) error {
	switch o.csv {
	case "":
	case "-":
		q.CSV = f.env.Stdin
	default:
		file, err := os.Open(o.csv)
		if err != nil {
			return fmt.Errorf("open the report: %w", err)
		}
		defer file.Close()
		q.CSV = io.Reader(file)
	}
	r, err := a.Reconcile(ctx, q)
	if err != nil {
		if o.csv != "" && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", o.csv, err)
		}
		return err
	}
	v := view.NewReconcile(r, p.Name)
	if o.asJSON {
		return f.reconcileJSON(r, v)
	}
	f.say("%s", view.PlainText(v.Title))
	if !v.Empty {
		f.say("")
		f.print(view.ReconcileTable(v))
		f.say("")
	}
	f.say("%s.", v.Verdict)
	for _, x := range v.Reasons {
		f.say("  %s", view.PlainText(x))
	}
	for _, n := range v.Notes {
		f.note("keytray: note: %s", tidy(n))
	}
	return nil
}

// comparedJSON is one day of one model in --json; amounts are exact, in USD.
type comparedJSON struct {
	Day    string  `json:"day"`
	Model  string  `json:"model"`
	Kind   string  `json:"kind"`
	Theirs *string `json:"theirs_usd"` // null where the report has no line
	Ours   *string `json:"ours_usd"`   // null where no call of ours has a price
	Gap    string  `json:"gap_usd"`
	Calls  int64   `json:"calls"`
	Why    string  `json:"why"`
}

// reconciledJSON is the last line of --json.
type reconciledJSON struct {
	Total    bool         `json:"total"`
	Provider string       `json:"provider"`
	From     string       `json:"from"`
	To       string       `json:"to"` // the last day
	Theirs   string       `json:"theirs_usd"`
	Ours     string       `json:"ours_usd"`
	Gap      string       `json:"gap_usd"`
	Unpriced int64        `json:"unpriced"`
	Reasons  []reasonJSON `json:"reasons"`
	Notes    []string     `json:"notes"`
}

type reasonJSON struct {
	Why    string   `json:"why"`
	USD    string   `json:"usd"`
	Rows   int      `json:"rows"`
	Calls  int64    `json:"calls"`
	Models []string `json:"models"`
	Factor string   `json:"factor,omitempty"`
	Said   string   `json:"said"`
}

// usdIf is an amount, null if it is none.
func usdIf(pico int64, is bool) *string {
	if !is {
		return nil
	}
	return view.KnownDecimal(&pico)
}

func (f *face) reconcileJSON(r app.Reconciled, v view.Reconcile) error {
	for _, x := range r.Rows {
		line := comparedJSON{
			x.Day.Format(time.DateOnly), x.Model, string(x.Kind), usdIf(x.Theirs, !x.Unlisted), usdIf(x.Ours, view.OursKnown(x)), view.Decimal(x.Gap), x.Calls, string(x.Why),
		}
		if err := object(f.out(), line); err != nil {
			return err
		}
	}
	total := reconciledJSON{
		Total: true, Provider: r.Provider, From: r.From.Format(time.DateOnly), To: r.To.AddDate(0, 0, -1).Format(time.DateOnly),
		Theirs: view.Decimal(r.Theirs), Ours: view.Decimal(r.Ours), Gap: view.Decimal(r.Gap), Unpriced: r.Unpriced,
		Reasons: []reasonJSON{}, Notes: append([]string{}, r.Notes...),
	}
	for i, x := range r.Reasons {
		total.Reasons = append(total.Reasons, reasonJSON{string(x.Why), view.Decimal(x.Pico), x.Rows, x.Calls, append([]string{}, x.Models...), x.Factor, v.Reasons[i]})
	}
	return object(f.out(), total)
}
