package view

import (
	"slices"
	"time"

	"keytray/app"
)

// RequestTable is attempts as text, in the order given. What a call cost before it
// was priced anew has a column if there is such a call.
func RequestTable(now time.Time, rows []app.Row) *Table {
	t := &Table{Columns: []Column{
		{Title: "TIME"},
		{Title: "TOOL", Flexible: true},
		{Title: "ASKED", Flexible: true},
		{Title: "ANSWERED", Flexible: true},
		{Title: "IN", Right: true},
		{Title: "CACHED", Right: true},
		{Title: "OUT", Right: true},
		{Title: "COST", Right: true},
		{Title: "FIRST", Right: true},
		{Title: "TOOK", Right: true},
		{Title: "STATUS"},
		{Title: "ERROR", Flexible: true},
	}}
	for _, r := range rows {
		t.Rows = append(t.Rows, requestCells(now, r))
	}
	if slices.ContainsFunc(rows, func(r app.Row) bool { return len(r.Was) > 0 }) {
		at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Title == "COST" }) + 1
		t.Columns = slices.Insert(t.Columns, at, Column{Title: "WAS", Right: true})
		for i, r := range rows {
			t.Rows[i] = slices.Insert(t.Rows[i], at, wasCost(r))
		}
	}
	return t
}

func requestCells(now time.Time, r app.Row) []string {
	who := r.Tool
	if who == "" {
		who = "-"
	}
	cells := []string{
		Moment(now, r.Time), who, r.Asked, r.Provider + "/" + r.Model,
		Tokens(TokensIn(r.Usage)), Tokens(TokensCached(r.Usage)), Tokens(TokensOut(r.Usage)), RowCost(r),
		Took(r.FirstByte), Took(r.Duration), string(r.Status), r.Error,
	}
	if r.Status == "running" {
		for _, i := range []int{4, 5, 6, 9} {
			cells[i] = ""
		}
	}
	return cells
}

// RequestLines is one attempt with the titles above it, in columns that do not
// depend on the other rows, for rows that come one by one.
func RequestLines(now time.Time, r app.Row) []string {
	t := RequestTable(now, []app.Row{r})
	for i, least := range []int{8, 10, 24, 30, 5, 6, 5, 8, 6, 6, 7} {
		t.Columns[i].Least = least
	}
	return t.Lines(0)
}

// RowCost is Cost in one word, for a column of them: "$0.04", "~$0.04",
// "$0.04+" and "-" for an unknown one.
func RowCost(r app.Row) string {
	switch {
	case r.Status == "running":
		return ""
	case r.CostPico == nil:
		return "-"
	case r.CostKind == "estimated":
		return "~" + Money(*r.CostPico)
	case r.CostKind == "at_least":
		return Money(*r.CostPico) + "+"
	default:
		return Money(*r.CostPico)
	}
}

// wasCost is RowCost as it was before the call was first priced anew.
func wasCost(r app.Row) string {
	if len(r.Was) == 0 {
		return ""
	}
	return RowCost(app.Row{CostPico: r.Was[0].CostPico, CostKind: r.Was[0].CostKind})
}

// Moment writes a local time: of today without the day.
func Moment(now, t time.Time) string {
	t = t.In(now.Location())
	if app.Day(now).Equal(app.Day(t)) {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04")
}
