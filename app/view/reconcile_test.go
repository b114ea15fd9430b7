package view

import (
	"math"
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func TestNewReconcile(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	r := app.Reconciled{
		Provider: "openai", From: day, To: day.AddDate(0, 0, 21), Theirs: 3 * picoPerUSD, Ours: 2 * picoPerUSD, Gap: picoPerUSD, Unpriced: 1200,
		Rows: []app.Compared{
			{Day: day, Model: "gpt-4o", Theirs: 3 * picoPerUSD, Ours: 2 * picoPerUSD, Gap: picoPerUSD, Why: app.WhyMore},
			{Day: day, Model: "grant", Kind: "credit", Theirs: -1, Gap: -1, Why: app.WhyRounding},
			{Day: day, Kind: "other"},
			{Day: day, Model: "m1", Theirs: picoPerUSD, Gap: picoPerUSD, Calls: 2, Unpriced: 2, Why: app.WhyUnpriced},
			{Day: day, Model: "m2", Theirs: picoPerUSD, Ours: 1, Gap: picoPerUSD - 1, Calls: 2, Unpriced: 1, Why: app.WhyUnpriced},
			{Day: day, Model: "m3", Unlisted: true, Ours: 2 * picoPerUSD, Gap: -2 * picoPerUSD, Calls: 1, Why: app.WhyLate},
			{Day: day, Model: "m4", Unlisted: true, Calls: 1, Unpriced: 1},
		},
		Reasons: []app.Reason{{Why: app.WhyMore, Pico: picoPerUSD, Rows: 1, Models: []string{"gpt-4o"}}},
	}
	v := NewReconcile(r, "OpenAI")
	for got, want := range map[string]string{
		v.Title:         "OpenAI, 1 Nov to 21 Nov 2026 (UTC)",
		v.Verdict:       "The report has $1.00 more than the ledger",
		v.Gap:           "+$1.00",
		v.Ours:          "$2.00 + 1,200 unpriced",
		v.Rows[0].Why:   "partly not through Keytray",
		v.Rows[1].Model: "grant (credit)",
		v.Rows[1].Gap:   "-<$0.0001",
		v.Rows[2].Model: "not broken down",
		v.Reasons[0]:    "+$1.00: more of a model than went through this Keytray: other tools or keys of the account use gpt-4o too.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	// What is not known is a dash, and never a sum of nothing.
	for i, want := range [][3]string{{"$1.00", "-", "+$1.00"}, {"$1.00", "<$0.0001+", "+$1.00"}, {"-", "$2.00", "-$2.00"}, {"-", "-", "-"}} {
		if x := v.Rows[3+i]; x.Theirs != want[0] || x.Ours != want[1] || x.Gap != want[2] {
			t.Errorf("%s: %s, %s, %s, want %q", x.Model, x.Theirs, x.Ours, x.Gap, want)
		}
	}
	if got := oursText(0, 2); got != "2 unpriced" {
		t.Error(got)
	}
	if v.Rows[0].Even || !v.Rows[1].Even || !v.Rows[2].Even {
		t.Error("which rows are even")
	}
	if lines := ReconcileTable(v).Lines(0); len(lines) != 9 || !strings.HasPrefix(lines[8], "total") {
		t.Errorf("%q", lines)
	}
	for gap, want := range map[int64]string{
		0: "agree to the last digit", -picoPerUSD: "The ledger has $1.00 more", math.MinInt64: "The ledger has $",
	} {
		if got := NewReconcile(app.Reconciled{Gap: gap, Rows: r.Rows[2:3]}, "X").Verdict; !strings.Contains(got, want) {
			t.Errorf("a gap of %d: %q", gap, got)
		}
	}
	r.Gap = 0
	if got := NewReconcile(r, "X").Verdict; got != "The sums agree, though single days do not" {
		t.Error(got)
	}
	if got := NewReconcile(app.Reconciled{}, "X"); !got.Empty || !strings.HasPrefix(got.Verdict, "Neither") {
		t.Errorf("%+v", got)
	}
}

// Every reason has words of its own, in a cell and in a sentence.
func TestReasonText(t *testing.T) {
	all := []app.Why{
		app.WhyRounding, app.WhyCredit, app.WhyTax, app.WhyTool, app.WhyOther, app.WhyOutside, app.WhyMore, app.WhyMissing, app.WhyLate,
		app.WhyMidnight, app.WhyUnpriced, app.WhyRunning, app.WhyEstimate, app.WhyPrice, app.WhyBatch, app.WhyUnknown,
	}
	texts, cells := map[string]bool{}, map[string]bool{}
	for _, w := range all {
		text := ReasonText(app.Reason{Why: w, Pico: -2 * picoPerUSD, Rows: 2, Calls: 3, Models: []string{"a", "b", "c", "d", "e", "f"}, Factor: "0.5"}, "OpenAI")
		if !strings.HasPrefix(text, "-$2.00: ") || !strings.HasSuffix(text, ".") || texts[text] {
			t.Errorf("%s: %q", w, text)
		}
		if strings.Contains(text, "a, b") && !strings.Contains(text, "a, b, c, d, and 2 more") {
			t.Errorf("%s: %q", w, text)
		}
		texts[text], cells[whyShort(w)] = true, true
	}
	if len(cells) != len(all) {
		t.Errorf("%d cells for %d reasons: %v", len(cells), len(all), cells)
	}
	price := ReasonText(app.Reason{Why: app.WhyPrice, Factor: "0.5", Models: []string{"a"}}, "OpenAI")
	if !strings.Contains(price, "OpenAI charges 0.5 times") || !strings.Contains(price, "half is the price of the batch and flex tiers") {
		t.Error(price)
	}
}
