package view

import (
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func limit(of, name string, month bool, spent, most float64) app.Limit {
	l := app.Limit{Scope: app.Scope{Of: of, Name: name}, Month: month, Spent: int64(spent * picoPerUSD), Most: int64(most * picoPerUSD), AtLimit: "block", Until: app.Day(at).AddDate(0, 0, 1)}
	if month {
		l.Until = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, at.Location())
	}
	return l
}

func TestBudgetLines(t *testing.T) {
	offline := limit("provider", "openai", false, 2, 2)
	offline.AtLimit = "offline"
	unknown := limit("tool", "codex", false, 1, 5)
	unknown.Unpriced = 3
	for _, c := range []struct {
		l                   app.Limit
		title, amount, left string
		share               float64
		tone                Tone
	}{
		{limit("", "", true, 12.4, 50), "All tools together", "$12.40 of $50.00 this month", "$37.60 left", 0.248, Plain},
		{limit("tool", "codex", false, 0, 5), "Tool codex", "$0.00 of $5.00 today", "$5.00 left", 0, Plain},
		{limit("tool", "codex", false, 4, 5), "Tool codex", "$4.00 of $5.00 today", "$1.00 left", 0.8, Busy},
		{limit("key", "openai/work", false, 7, 5), "Key openai/work", "$7.00 of $5.00 today", "used up: calls are refused", 1, Bad},
		{limit("key", "openai/work", false, 0, 0), "Key openai/work", "$0.00 of $0.00 today", "used up: calls are refused", 1, Bad},
		{unknown, "Tool codex", "$1.00 + 3 unpriced of $5.00 today", "$4.00 left", 0.2, Plain},
		{offline, "Provider openai", "$2.00 of $2.00 today", "used up: local models answer", 1, Bad},
	} {
		got := budgetLine(c.l, at)
		if got.Title != c.title || got.Amount != c.amount || got.Left != c.left || got.Share != c.share || got.Tone != c.tone {
			t.Errorf("got %+v, want %+v", got, c)
		}
		if advises := strings.Contains(got.Note, "give their models a price"); advises != (c.l.Unpriced > 0) {
			t.Errorf("%s: %q", c.amount, got.Note)
		}
	}
}

func TestNearestBudget(t *testing.T) {
	if _, ok := NearestBudget(nil, at); ok {
		t.Error("a limit out of nowhere")
	}
	got, _ := NearestBudget([]app.Limit{limit("", "", true, 10, 50), limit("tool", "x", false, 3, 4), limit("tool", "y", false, 1, 4)}, at)
	if got.Title != "Tool x" {
		t.Errorf("nearest is %s", got.Title)
	}
}

func TestBudgetWarning(t *testing.T) {
	for _, c := range []struct {
		percent int
		at      string
		want    string
	}{
		{50, "block", "50% of a budget is used|Tool codex: $2.50 of $5.00 today."},
		{100, "block", "A budget is used up|Tool codex: $2.50 of $5.00 today. Calls that cost money are refused until tomorrow 00:00."},
		{100, "offline", "A budget is used up|Tool codex: $2.50 of $5.00 today. Local models answer until tomorrow 00:00."},
	} {
		w := app.Warning{Limit: limit("tool", "codex", false, 2.5, 5), Percent: c.percent}
		if c.at == "offline" {
			w.AtLimit = "offline"
		}
		title, text := BudgetWarning(w, at)
		if got := title + "|" + text; got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestParseBudget(t *testing.T) {
	b, err := ParseBudget(" $5 ", "", "block")
	if err != nil || b.Day == nil || *b.Day != 5*picoPerUSD || b.Month != nil || PlainUSD(b.Day) != "5" {
		t.Errorf("%+v %v", b, err)
	}
	half := int64(picoPerUSD / 2)
	if PlainUSD(&half) != "0.5" || PlainUSD(nil) != "" {
		t.Error(PlainUSD(&half))
	}
	if _, err := ParseBudget("5", "much", "block"); err == nil || !strings.HasPrefix(err.Error(), "The month's limit: ") {
		t.Error(err)
	}
}

func TestUntil(t *testing.T) {
	for want, m := range map[string]time.Time{
		"at 23:59":       app.Day(at).Add(24*time.Hour - time.Minute),
		"tomorrow 00:00": app.Day(at).Add(24 * time.Hour),
	} {
		if got := Until(at, m); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got := Until(at, at.AddDate(0, 0, 9)); got != at.AddDate(0, 0, 9).Format("2 Jan 15:04") {
		t.Error(got)
	}
}

func TestABlockedCallSaysSo(t *testing.T) {
	c := NewCall(app.Row{Status: "error", Error: "budget: today's budget of 5 USD for tool codex is used up"}, at)
	if c.Status != "over budget" || c.Tone != Bad {
		t.Errorf("%q", c.Status)
	}
}
