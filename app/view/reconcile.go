package view

import (
	"fmt"
	"strings"
	"time"

	"keytray/app"
)

// Reconcile is a provider's report beside the ledger, in words.
type Reconcile struct {
	Title   string // "OpenAI, 1 Nov to 21 Nov 2026 (UTC)"
	Verdict string // "The report has $0.42 more than the ledger"
	Theirs  string
	Ours    string
	Gap     string
	Rows    []ReconcileLine
	Reasons []string
	Notes   []string
	Empty   bool // neither has anything
}

// ReconcileLine is one day of one model.
type ReconcileLine struct {
	Day, Model, Theirs, Ours, Gap string
	Why                           string // in a word or two; "" where nothing is amiss
	Even                          bool
}

// NewReconcile writes a comparison; name is the provider's.
func NewReconcile(r app.Reconciled, name string) Reconcile {
	v := Reconcile{
		Title:  name + ", " + days(r.From, r.To) + " (UTC)",
		Theirs: Money(r.Theirs), Ours: oursText(r.Ours, r.Unpriced), Gap: Signed(r.Gap),
		Notes: r.Notes, Empty: len(r.Rows) == 0,
	}
	switch {
	case v.Empty:
		v.Verdict = "Neither the report nor the ledger has anything in these days"
	case r.Gap == 0 && len(r.Reasons) == 0:
		v.Verdict = "The report and the ledger agree to the last digit"
	case r.Gap == 0:
		v.Verdict = "The sums agree, though single days do not"
	case r.Gap > 0:
		v.Verdict = "The report has " + Money(r.Gap) + " more than the ledger"
	default:
		v.Verdict = "The ledger has " + Money(-max(r.Gap, -1<<63+1)) + " more than the report"
	}
	for _, x := range r.Rows {
		v.Rows = append(v.Rows, ReconcileLine{
			Day: x.Day.Format(time.DateOnly), Model: modelText(x), Theirs: theirsCell(x), Ours: oursCell(x), Gap: gapCell(x),
			Why: whyShort(x.Why), Even: x.Gap == 0 || x.Why == app.WhyRounding,
		})
	}
	for _, x := range r.Reasons {
		v.Reasons = append(v.Reasons, ReasonText(x, name))
	}
	return v
}

func oursText(pico, without int64) string {
	switch {
	case without > 0 && pico == 0:
		return unpriced(without)
	case without > 0:
		return Money(pico) + " + " + unpriced(without)
	default:
		return Money(pico)
	}
}

// OursKnown tells whether any call of ours has a cost, or there is none at all.
func OursKnown(x app.Compared) bool { return x.Unpriced == 0 || x.Unpriced < x.Calls }

// theirsCell is a dash where the report has no line, as nobody knows then.
func theirsCell(x app.Compared) string {
	if x.Unlisted {
		return "-"
	}
	return Money(x.Theirs)
}

// oursCell is a dash where no cost is known, and has a + after it where some are
// not, as RowCost has.
func oursCell(x app.Compared) string {
	switch {
	case !OursKnown(x):
		return "-"
	case x.Unpriced > 0:
		return Money(x.Ours) + "+"
	default:
		return Money(x.Ours)
	}
}

func gapCell(x app.Compared) string {
	if x.Unlisted && !OursKnown(x) {
		return "-"
	}
	return Signed(x.Gap)
}

func modelText(x app.Compared) string {
	switch {
	case x.Model == "":
		return "not broken down"
	case x.Kind != "":
		return x.Model + " (" + string(x.Kind) + ")"
	default:
		return x.Model
	}
}

// Signed writes an amount with its sign, but 0 without one.
func Signed(pico int64) string {
	if pico > 0 {
		return "+" + Money(pico)
	}
	return Money(pico)
}

// days is a span of days; to is not in it.
func days(from, to time.Time) string {
	last := to.AddDate(0, 0, -1)
	if !from.Before(last) {
		return from.Format("2 Jan 2006")
	}
	if from.Year() == last.Year() {
		return from.Format("2 Jan") + " to " + last.Format("2 Jan 2006")
	}
	return from.Format("2 Jan 2006") + " to " + last.Format("2 Jan 2006")
}

// whyShort is a reason for a table's cell.
func whyShort(w app.Why) string {
	switch w {
	case app.WhyRounding, "":
		return ""
	case app.WhyCredit:
		return "credit or discount"
	case app.WhyTax:
		return "tax"
	case app.WhyTool:
		return "listed apart"
	case app.WhyOther:
		return "no model named"
	case app.WhyOutside:
		return "not through Keytray"
	case app.WhyMore:
		return "partly not through Keytray"
	case app.WhyMissing:
		return "not in the report"
	case app.WhyLate:
		return "day not finished"
	case app.WhyMidnight:
		return "around midnight UTC"
	case app.WhyUnpriced:
		return "unpriced here"
	case app.WhyRunning:
		return "still running"
	case app.WhyEstimate:
		return "estimated here"
	case app.WhyPrice:
		return "another price"
	case app.WhyBatch:
		return "batch"
	default:
		return "unexplained"
	}
}

// ReasonText says a part of a gap, and what it is likely due to.
func ReasonText(r app.Reason, name string) string {
	text := Signed(r.Pico) + ": "
	calls, models := Plural(r.Calls, "call"), listed(r.Models)
	switch r.Why {
	case app.WhyRounding:
		return text + "rounding, on " + Plural(int64(r.Rows), "line") + "."
	case app.WhyCredit:
		return text + "credits, discounts or refunds of " + name + ": " + models + "."
	case app.WhyTax:
		return text + "taxes: " + models + "."
	case app.WhyTool:
		return text + "searches, sessions or storage, which " + name + " lists apart from the models: " + models + ". The ledger has a search's price within its call."
	case app.WhyOther:
		return text + "charges for which the report names no model."
	case app.WhyOutside:
		return text + "on " + Plural(int64(r.Rows), "line") + " the ledger has no call: calls were made outside this Keytray, or with keys of another computer of the same account. Models: " + models + "."
	case app.WhyMore:
		return text + "more of a model than went through this Keytray: other tools or keys of the account use " + models + " too."
	case app.WhyMissing:
		return text + calls + " of the ledger that the report does not have: the key may belong to another account, organization or project than the report, or a tier that it leaves out. Models: " + models + "."
	case app.WhyLate:
		return text + calls + " on days that " + name + " may not have finished: compare them again tomorrow."
	case app.WhyMidnight:
		return text + "calls around midnight UTC, which the ledger books on the day they began and " + name + " on the other: " + models + "."
	case app.WhyUnpriced:
		return text + calls + " here are unpriced, and " + name + " has charged for them: " + models + "."
	case app.WhyRunning:
		return text + calls + " here still running, and already in the report."
	case app.WhyEstimate:
		return text + calls + " here with an estimated cost, such as interrupted ones: " + models + "."
	case app.WhyPrice:
		return text + name + " charges " + r.Factor + " times what the ledger's prices say for " + models + ": another tier, region or contract, or a price that changed" + tierText(r.Factor) + "."
	case app.WhyBatch:
		return text + "batches, which are charged on the day they end, at a price of their own: " + models + "."
	default:
		return text + "unexplained: " + models + "."
	}
}

func tierText(factor string) string {
	switch factor {
	case "0.5":
		return "; half is the price of the batch and flex tiers"
	case "2":
		return "; twice is the price of a priority tier"
	default:
		return ""
	}
}

// listed names a few, and counts the rest.
func listed(names []string) string {
	const most = 4
	var out []string
	for i, n := range names {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(names)-most))
			break
		}
		if n == "" {
			n = "not broken down"
		}
		out = append(out, Clip(n, 60))
	}
	return strings.Join(out, ", ")
}

// ReconcileTable is the comparison as text.
func ReconcileTable(v Reconcile) *Table {
	t := &Table{Columns: []Column{
		{Title: "DAY"},
		{Title: "MODEL", Flexible: true},
		{Title: "THEIRS", Right: true},
		{Title: "OURS", Right: true},
		{Title: "GAP", Right: true},
		{Title: "LIKELY", Flexible: true},
	}}
	for _, r := range v.Rows {
		t.Rows = append(t.Rows, []string{r.Day, r.Model, r.Theirs, r.Ours, r.Gap, r.Why})
	}
	t.Rows = append(t.Rows, []string{"total", "", v.Theirs, v.Ours, v.Gap, ""})
	return t
}
