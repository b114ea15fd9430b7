package view

import "keytray/app"

// ChangeTable is prices that another list gives otherwise, as text.
func ChangeTable(changes []app.PriceChange) *Table {
	t := &Table{Columns: []Column{
		{Title: "MODEL", Flexible: true},
		{Title: "FOR"},
		{Title: "OLD $/M", Right: true},
		{Title: "NEW $/M", Right: true},
	}}
	for _, c := range changes {
		what := c.Kind
		if c.Over > 0 {
			what += " over " + Tokens(c.Over)
		}
		old := c.Old
		if old == "" {
			old = "-"
		}
		t.Rows = append(t.Rows, []string{c.Provider + "/" + c.Model, what, old, c.New})
	}
	return t
}

// OfferText says what a newer list of prices would change, and what of it is
// refused.
func OfferText(o app.PriceOffer) string {
	text := ""
	switch {
	case o.Models == 0:
		text = o.Source + " knows none of the models that you have a key for."
	case len(o.Changes) == 0:
		text = Plural(int64(o.Models), "model") + " looked up at " + o.Source + ": no price has changed."
	default:
		text = agree(len(o.Changes), "price of "+o.Source+" differs", "prices of "+o.Source+" differ") + ", in USD for a million tokens. Calls from before keep theirs."
	}
	if n := len(o.Refused); n > 0 {
		text += " " + agree(n, "other is refused", "others are refused") + ": no price changes a thousandfold."
	}
	return text
}

// agree counts things with their verb.
func agree(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(int64(n)) + " " + many
}
