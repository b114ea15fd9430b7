package cli

import (
	"context"

	"keytray/app"
	"keytray/app/view"
)

// repricedJSON is a model's calls in --json.
type repricedJSON struct {
	Provider string  `json:"provider"`
	Model    string  `json:"model"`
	Calls    int64   `json:"calls"`
	Unpriced int64   `json:"unpriced_before"`
	Was      *string `json:"was_usd"` // null where none had a price
	Becomes  string  `json:"becomes_usd"`
	Written  bool    `json:"written"`
}

// reprice says what calls would cost at today's prices, and writes it down if
// it was told to.
func (f *face) reprice(ctx context.Context, a *app.App, q app.RowFilter, write, asJSON bool) error {
	all, err := a.Reprice(ctx, q, write)
	if err != nil {
		return err
	}
	t := &view.Table{Columns: []view.Column{
		{Title: "MODEL", Flexible: true},
		{Title: "CALLS", Right: true},
		{Title: "WAS", Right: true},
		{Title: "BECOMES", Right: true},
		{Title: "NOTE"},
	}}
	var before app.Sum
	var becomes int64
	for _, r := range all {
		if asJSON {
			if err := object(f.out(), repricedJSON{r.Provider, r.Model, r.Calls, r.Unpriced, usdIf(r.Was, r.Unpriced < r.Calls), view.Decimal(r.Becomes), write}); err != nil {
				return err
			}
			continue
		}
		note, was := "", view.Money(r.Was)
		if r.Unpriced == r.Calls {
			was = "-"
		}
		if r.Unpriced > 0 {
			note = view.Count(r.Unpriced) + " had no price"
		}
		before.Calls, before.Unpriced, before.CostPico = before.Calls+r.Calls, before.Unpriced+r.Unpriced, before.CostPico+r.Was
		becomes += r.Becomes
		t.Rows = append(t.Rows, []string{r.Provider + "/" + r.Model, view.Count(r.Calls), was, view.Money(r.Becomes), note})
	}
	switch {
	case asJSON:
		return nil
	case len(all) == 0:
		f.say("No call would cost anything else at today's prices.")
		return nil
	}
	f.print(t)
	f.say("")
	if write {
		f.say("%s priced anew: %s in place of %s. What they cost before is kept: see their was in `keytray requests --json`, or their details in the window.", view.Plural(before.Calls, "call"), view.Money(becomes), view.Spent(before))
		return nil
	}
	f.say("%s would cost %s in place of %s. Nothing was changed: add --yes to do it.", view.Plural(before.Calls, "call"), view.Money(becomes), view.Spent(before))
	return nil
}
