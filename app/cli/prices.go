package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) pricesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "prices [SEARCH]...",
		Short: "List the prices that calls are counted with",
		Long: `Prices lists what the models that can be asked for cost, in US dollars for a
million tokens, or for what stands under OTHER, with where each price is from
and the day it was read on. Prices under a provider in config.yaml win over
those that prices update has taken, and those over the built-in ones.`,
		Example: `  keytray prices
  keytray prices gpt-6
  keytray prices update`,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error { return f.prices(ctx, a, args, asJSON) })
		},
	}
	jsonFlag(cmd, &asJSON)
	cmd.AddCommand(f.pricesUpdate())
	return cmd
}

// priceJSON is a price in --json.
type priceJSON struct {
	ID     string            `json:"id"`
	Rates  map[string]string `json:"usd_per_million"`
	Units  map[string]string `json:"usd,omitempty"` // of what is no token: per_image and the like
	Over   int64             `json:"over,omitempty"`
	Long   map[string]string `json:"usd_per_million_over,omitempty"`
	Hours  bool              `json:"by_hour"`
	Source string            `json:"source"`
	AsOf   *string           `json:"as_of"`
}

func (f *face) prices(ctx context.Context, a *app.App, search []string, asJSON bool) error {
	t := &view.Table{Columns: []view.Column{
		{Title: "MODEL", Flexible: true},
		{Title: "IN $/M", Right: true},
		{Title: "CACHED", Right: true},
		{Title: "OUT $/M", Right: true},
		{Title: "OTHER $"},
		{Title: "SOURCE", Flexible: true},
		{Title: "AS OF"},
	}}
	for _, p := range a.UsedPrices(ctx) {
		if !matches(p.ID, search) {
			continue
		}
		tokens, units := byUnit(p.Rates)
		if asJSON {
			if err := object(f.out(), priceJSON{p.ID, tokens, units, p.Over, p.Long, p.Hours, p.Source, filled(p.AsOf)}); err != nil {
				return err
			}
			continue
		}
		t.Rows = append(t.Rows, []string{p.ID, p.Rates["input"], p.Rates["cache_read"], p.Rates["output"], unitText(units), p.Source, p.AsOf})
	}
	f.warnOf(a, "config", "keychain", "prices")
	if asJSON {
		return nil
	}
	switch {
	case len(t.Rows) == 0 && len(search) > 0:
		f.note("No model with a price has %q in its name; `keytray prices` lists all.", strings.Join(search, " "))
		return nil
	case len(t.Rows) == 0:
		f.note("No model that can be asked for has a price: a provider's key adds its models (keytray keys add).")
		return nil
	}
	if at := slices.IndexFunc(t.Columns, func(c view.Column) bool { return c.Title == "OTHER $" }); !slices.ContainsFunc(t.Rows, func(r []string) bool { return r[at] != "" }) {
		t.Columns = slices.Delete(t.Columns, at, at+1)
		for i := range t.Rows {
			t.Rows[i] = slices.Delete(t.Rows[i], at, at+1)
		}
	}
	f.print(t)
	return nil
}

// byUnit parts the prices of tokens from those of what their name says.
func byUnit(rates map[string]string) (tokens, units map[string]string) {
	tokens, units = map[string]string{}, map[string]string{}
	for kind, usd := range rates {
		if strings.HasPrefix(kind, "per_") {
			units[kind] = usd
		} else {
			tokens[kind] = usd
		}
	}
	return tokens, units
}

// unitText writes prices of what is no token: "0.04 per image".
func unitText(units map[string]string) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(units)) {
		parts = append(parts, units[kind]+" "+strings.ReplaceAll(kind, "_", " "))
	}
	return strings.Join(parts, ", ")
}

func (f *face) pricesUpdate() *cobra.Command {
	var from string
	var yes bool
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Look for newer prices, and take them if you agree",
		Long: `Update reads the list of models.dev, shows each price that differs for providers
that you have a key for, and uses the new ones from then on if you agree. Calls
from before keep their price. A price a thousand times another is refused. What
is taken is kept in prices.json; remove that file to go back to the built-in
prices. Nothing else in Keytray asks models.dev, unless prices: {update: weekly}
is in config.yaml, which looks each week and still asks you.`,
		Example: `  keytray prices update
  keytray prices update --from api.json --yes`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return f.with(ctx, func(a *app.App) error { return f.updatePrices(ctx, a, from, yes) })
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "a file or an address with the same list")
	cmd.Flags().BoolVar(&yes, "yes", false, "take the new prices without being asked")
	return cmd
}

func (f *face) updatePrices(ctx context.Context, a *app.App, from string, yes bool) error {
	o, err := a.OfferPrices(ctx, from)
	if err != nil {
		return err
	}
	if o.Models == 0 {
		f.note("%s knows none of the models that you have a key for.", o.Source)
		return nil
	}
	if len(o.Refused) > 0 {
		f.note("Refused, as no price changes so much:")
		for _, line := range view.ChangeTable(o.Refused).Lines(f.columns()) {
			f.note("%s", line)
		}
	}
	if len(o.Changes) == 0 {
		f.say("%s looked up at %s: no price has changed", view.Plural(int64(o.Models), "model"), o.Source)
		return a.AcceptPrices(ctx, o)
	}
	f.print(view.ChangeTable(o.Changes))
	if err := f.agreed(ctx, yes, fmt.Sprintf("Use %s of %s from now on?", view.Plural(int64(len(o.Changes)), "price"), o.Source), "no price was changed"); err != nil {
		return err
	}
	if err := a.AcceptPrices(ctx, o); err != nil {
		return err
	}
	f.say("%s changed, from now on", view.Plural(int64(len(o.Changes)), "price"))
	return nil
}

// agreed asks a question with yes or no. Where nobody can be asked, the answer
// is --yes; what says what happens without it.
func (f *face) agreed(ctx context.Context, yes bool, question, what string) error {
	if yes {
		return nil
	}
	if !f.asks() {
		return errors.New(what + ": add --yes to do it, since nobody can be asked here")
	}
	fmt.Fprint(f.env.Stderr, question+" [y/N] ")
	read := make(chan string, 1)
	go func() { // nothing can stop a terminal's read; the program ends soon after ctx
		line, _ := bufio.NewReader(f.env.Stdin).ReadString('\n') // an end of input is no yes
		read <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(f.env.Stderr)
		return ctx.Err()
	case said := <-read:
		if said == "y" || said == "yes" {
			return nil
		}
		return errors.New(what)
	}
}
