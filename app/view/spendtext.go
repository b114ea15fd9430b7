package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"keytray/app"
)

// SpendTable is sums as text, with a column for each thing they are grouped by.
func SpendTable(sums []app.Sum, by []app.By) *Table {
	t := &Table{}
	for _, g := range spendGroups {
		if slices.Contains(by, g) {
			t.Columns = append(t.Columns, Column{Title: strings.ToUpper(string(g)), Flexible: g != "day"})
		}
	}
	t.Columns = append(
		t.Columns,
		Column{Title: "CALLS", Right: true}, Column{Title: "FAILED", Right: true},
		Column{Title: "IN", Right: true}, Column{Title: "CACHED", Right: true}, Column{Title: "OUT", Right: true},
		Column{Title: "COST", Right: true},
	)
	saved := slices.ContainsFunc(sums, func(s app.Sum) bool { return s.SavedPico != 0 })
	if saved {
		t.Columns = append(t.Columns, Column{Title: "SAVED", Right: true})
	}
	t.Columns = append(t.Columns, Column{Title: "NOTE"})
	for _, s := range sums {
		var row []string
		for _, g := range spendGroups {
			if slices.Contains(by, g) {
				row = append(row, label(s, g))
			}
		}
		row = append(
			row,
			Count(s.Calls), Count(s.Errors),
			Tokens(TokensIn(s.Usage)), Tokens(TokensCached(s.Usage)), Tokens(TokensOut(s.Usage)),
			knownCost(s),
		)
		if saved {
			row = append(row, savedText(s))
		}
		t.Rows = append(t.Rows, append(row, spendNote(s)))
	}
	return t
}

var spendGroups = []app.By{"day", "tool", "provider", "model", "key", "route", "role"}

// label is what a sum is about; a row without one says "-".
func label(s app.Sum, g app.By) string {
	text := ""
	switch g {
	case "day":
		text = s.Day.Format(time.DateOnly)
	case "tool":
		text = s.Tool
	case "provider":
		text = s.Provider
	case "model":
		text = s.Model
	case "key":
		text = s.Key
	case "route":
		text = s.Route
	case "role":
		return RoleName(s.Role)
	}
	if text == "" {
		return "-"
	}
	return text
}

// RoleName names the part that calls have in an answer.
func RoleName(r app.Role) string { return cmp.Or(string(r), "answer") }

// savedText is what was saved; a dash for nothing.
func savedText(s app.Sum) string {
	if s.SavedPico == 0 {
		return "-"
	}
	return Money(s.SavedPico)
}

// knownCost is the cost of the calls that have one: a dash if none has.
func knownCost(s app.Sum) string {
	if s.Unpriced > 0 && s.Unpriced >= s.Calls {
		return "-"
	}
	return Money(s.CostPico)
}

func spendNote(s app.Sum) string {
	var notes []string
	if s.Unpriced > 0 {
		notes = append(notes, unpriced(s.Unpriced))
	}
	if d := Doubts(s); d != "" {
		notes = append(notes, d)
	}
	return strings.Join(notes, ", ")
}
