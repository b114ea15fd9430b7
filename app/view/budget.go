package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"keytray/app"
)

// BudgetLine is one limit and how much of it is used.
type BudgetLine struct {
	Scope  app.Scope
	Title  string // "All tools together", "Tool codex"
	Amount string // "$12.40 of $50.00 this month"
	Left   string // "$37.60 left", "used up: calls are refused"
	Until  string // "until tomorrow 00:00"
	Note   string // what of it is not known, and what to do; "" for nothing
	Share  float64
	Tone   Tone
}

// NewBudgets are the limits as lines, in the order of app.Limits.
func NewBudgets(limits []app.Limit, now time.Time) []BudgetLine {
	out := make([]BudgetLine, len(limits))
	for i, l := range limits {
		out[i] = budgetLine(l, now)
	}
	return out
}

func budgetLine(l app.Limit, now time.Time) BudgetLine {
	b := BudgetLine{
		Scope: l.Scope, Title: ScopeTitle(l.Scope), Share: Share(l),
		Amount: Money(l.Spent) + " of " + Money(l.Most) + " " + l.Period(),
		Until:  "begins anew " + Until(now, l.Until),
	}
	if l.Unpriced > 0 {
		b.Amount = Money(l.Spent) + " + " + unpriced(l.Unpriced) + " of " + Money(l.Most) + " " + l.Period()
		b.Note = UnpricedAdvice(l.Unpriced)
	}
	switch {
	case l.Spent >= l.Most && string(l.AtLimit) == "offline":
		b.Left, b.Tone = "used up: local models answer", Bad
	case l.Spent >= l.Most:
		b.Left, b.Tone = "used up: calls are refused", Bad
	case b.Share >= 0.8:
		b.Left, b.Tone = Money(l.Most-l.Spent)+" left", Busy
	default:
		b.Left = Money(l.Most-l.Spent) + " left"
	}
	return b
}

// unpriced counts the calls whose cost is not known, for a sum of costs.
func unpriced(n int64) string { return Count(n) + " unpriced" }

// UnpricedAdvice says what calls of unknown price mean for a limit.
func UnpricedAdvice(n int64) string {
	if n == 1 {
		return "1 call of unknown price uses nothing of it: give its model a price under its provider in config.yaml"
	}
	return Count(n) + " calls of unknown price use nothing of it: give their models a price under their provider in config.yaml"
}

// Share is the part of a limit that is used, 0 to 1; a limit of 0 is used up.
func Share(l app.Limit) float64 {
	if l.Spent >= l.Most {
		return 1
	}
	return max(0, float64(l.Spent)/float64(l.Most))
}

// ScopeTitle names a scope at the head of a line.
func ScopeTitle(s app.Scope) string {
	if s.Of == "" {
		return "All tools together"
	}
	return strings.ToUpper(s.Of[:1]) + s.Of[1:] + " " + s.Name
}

// NearestBudget is the limit of which the largest part is used.
func NearestBudget(limits []app.Limit, now time.Time) (BudgetLine, bool) {
	if len(limits) == 0 {
		return BudgetLine{}, false
	}
	most := slices.MaxFunc(limits, func(a, b app.Limit) int { return cmp.Compare(Share(a), Share(b)) })
	return budgetLine(most, now), true
}

// BudgetWarning is a warning as a title and a text.
func BudgetWarning(w app.Warning, now time.Time) (title, text string) {
	who := w.Scope.String()
	title = fmt.Sprintf("%d%% of a budget is used", w.Percent)
	text = fmt.Sprintf("%s: %s of %s %s.", capitalized(who), Money(w.Spent), Money(w.Most), w.Period())
	if w.Percent >= 100 {
		title = "A budget is used up"
		text += " Calls that cost money are refused until " + Until(now, w.Until) + "."
		if string(w.AtLimit) == "offline" {
			text = strings.Replace(text, "Calls that cost money are refused", "Local models answer", 1)
		}
	}
	return title, text
}

// BudgetTable is limits as text.
func BudgetTable(limits []app.Limit, now time.Time) *Table {
	t := &Table{Columns: []Column{
		{Title: "SCOPE", Flexible: true},
		{Title: "PERIOD"},
		{Title: "LIMIT", Right: true},
		{Title: "SPENT", Right: true},
		{Title: "LEFT", Right: true},
		{Title: "UNTIL"},
		{Title: "AT THE LIMIT"},
	}}
	notes := slices.ContainsFunc(limits, func(l app.Limit) bool { return l.Unpriced > 0 })
	if notes {
		t.Columns = append(t.Columns, Column{Title: "NOTE"})
	}
	for _, l := range limits {
		at := "refuse"
		if string(l.AtLimit) == "offline" {
			at = "local models"
		}
		row := []string{
			ScopeWords(l.Scope), PeriodWord(l), Money(l.Most), Money(l.Spent), Money(max(0, l.Most-l.Spent)), Until(now, l.Until), at,
		}
		if note := ""; notes {
			if l.Unpriced > 0 {
				note = unpriced(l.Unpriced)
			}
			row = append(row, note)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// ScopeWords is a scope as a command takes it.
func ScopeWords(s app.Scope) string {
	if s.Of == "" {
		return "all"
	}
	return s.Of + " " + s.Name
}

// PeriodWord is day or month.
func PeriodWord(l app.Limit) string {
	if l.Month {
		return "month"
	}
	return "day"
}

// Until is a time to come: "at 15:04", "tomorrow 00:00", "1 Dec 00:00".
func Until(now, t time.Time) string {
	t = t.In(now.Location())
	today := app.Day(now)
	tomorrow := app.Day(today.Add(36 * time.Hour))
	switch {
	case t.Before(tomorrow):
		return "at " + t.Format("15:04")
	case t.Before(app.Day(tomorrow.Add(36 * time.Hour))):
		return "tomorrow " + t.Format("15:04")
	default:
		return t.Format("2 Jan 15:04")
	}
}

// ParseBudget reads what a person typed into the two fields of a form; an empty
// one is no limit.
func ParseBudget(day, month, atLimit string) (app.BudgetSettings, error) {
	b := app.BudgetSettings{AtLimit: atLimit}
	for _, f := range []struct {
		name, text string
		to         **int64
	}{{"The day's limit", day, &b.Day}, {"The month's limit", month, &b.Month}} {
		if strings.TrimSpace(f.text) == "" {
			continue
		}
		n, err := app.ParseUSD(f.text)
		if err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
		*f.to = &n
	}
	return b, nil
}

// AtLimits are the choices of what happens at a limit.
func AtLimits() []Option {
	return []Option{
		{"block", "Refuse calls", "The tool gets an error that says which budget is used up, and until when."},
		{"offline", "Local models", "A model in Ollama answers instead, at no cost."},
	}
}

// PlainUSD is an amount as a form takes it: "5", "0.5"; "" for none.
func PlainUSD(pico *int64) string {
	if pico == nil {
		return ""
	}
	return Decimal(*pico)
}

func capitalized(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Scopes are what a limit may be set for: all, the tools, the providers with a
// key, and the keys that are known.
func Scopes(c *app.Settings, tokens []app.Token, keys []app.Key) []app.Scope {
	out := []app.Scope{{}}
	add := func(of, name string) {
		if s := (app.Scope{Of: of, Name: name}); name != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, t := range tokens {
		add("tool", t.Tool)
	}
	for _, t := range c.Tools {
		add("tool", t.Name)
	}
	for _, k := range keys {
		add("provider", k.Provider)
	}
	for _, k := range keys {
		add("key", k.Provider+"/"+k.Label)
	}
	return out
}
