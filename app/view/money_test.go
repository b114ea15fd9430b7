package view

import (
	"math"
	"testing"
	"time"

	"keytray/app"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		pico int64
		want string
	}{
		{0, "$0.00"},
		{1, "<$0.0001"},
		{99_999_999, "<$0.0001"},
		{100_000_000, "$0.0001"},
		{3_500_000_000, "$0.0035"},
		{9_949_999_999, "$0.0099"},
		{9_960_000_000, "$0.01"},
		{10_000_000_000, "$0.01"},
		{44_999_999_999, "$0.04"},
		{45_000_000_000, "$0.05"},
		{4_210_000_000_000, "$4.21"},
		{999_995_000_000_000, "$1,000.00"},
		{1_204_500_000_000_000, "$1,204.50"},
		{math.MaxInt64, "$9,223,372.04"},
		{-4_210_000_000_000, "-$4.21"},
		{math.MinInt64, "-$9,223,372.04"},
	} {
		if got := Money(c.pico); got != c.want {
			t.Errorf("Money(%d) = %q, want %q", c.pico, got, c.want)
		}
	}
}

func TestSpent(t *testing.T) {
	for _, c := range []struct {
		name string
		sum  app.Sum
		want string
	}{
		{"nothing", app.Sum{}, "$0.00"},
		{"a true zero", app.Sum{Calls: 3}, "$0.00"},
		{"never free when unknown", app.Sum{Calls: 2, Unpriced: 2}, "2 unpriced"},
		{"free and unknown", app.Sum{Calls: 3, Unpriced: 2}, "$0.00 + 2 unpriced"},
		{"known and unknown", app.Sum{Calls: 3, Unpriced: 1, CostPico: 4_210_000_000_000}, "$4.21 + 1 unpriced"},
		{"doubtful", app.Sum{Calls: 9, Estimated: 3, AtLeast: 1, CostPico: 4_210_000_000_000}, "$4.21 (3 estimated, 1 at least)"},
	} {
		if got := Spent(c.sum); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s := app.Sum{Calls: 2, CostPico: 40_000_000_000, Usage: app.Usage{Input: 10_000, CacheRead: 4_000, Output: 1_000, Reasoning: 700}}
	if got, want := Sentence("Today", s), "Today $0.04 · 15K tokens"; got != want {
		t.Errorf("Sentence = %q, want %q", got, want)
	}
	if got := Sentence("Today", app.Sum{}); got != "Today $0.00" {
		t.Errorf("Sentence of nothing = %q", got)
	}
}

func TestCost(t *testing.T) {
	four := int64(40_000_000_000)
	for _, c := range []struct {
		row  app.Row
		want string
	}{
		{app.Row{Status: "running", CostKind: "unpriced"}, ""},
		{app.Row{Status: "ok", CostKind: "unpriced"}, "unpriced"},
		{app.Row{Status: "ok", CostKind: "exact", CostPico: &four}, "$0.04"},
		{app.Row{Status: "ok", CostKind: "stated", CostPico: &four}, "$0.04"},
		{app.Row{Status: "cut", CostKind: "estimated", CostPico: &four}, "~$0.04 estimated"},
		{app.Row{Status: "ok", CostKind: "at_least", CostPico: &four}, "at least $0.04"},
	} {
		if got := Cost(c.row); got != c.want {
			t.Errorf("Cost(%v) = %q, want %q", c.row, got, c.want)
		}
	}
}

func TestTokens(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1K", 1499: "1.5K", 9_949: "9.9K", 9_960: "10K", 15_400: "15K", 999_499: "999K",
		999_500: "1M", 2_400_000: "2.4M", 31_000_000_000: "31B", 5_000_000_000_000: "5T", -1500: "-1.5K",
	} {
		if got := Tokens(n); got != want {
			t.Errorf("Tokens(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.FixedZone("half", 5*3600+1800))
	for _, c := range []struct {
		back time.Duration
		want string
	}{
		{-time.Hour, "just now"},
		{0, "just now"},
		{45 * time.Second, "45 s ago"},
		{59*time.Minute + 59*time.Second, "59 min ago"},
		{12 * time.Hour, "12 h ago"},
		{12*time.Hour + time.Second, "yesterday 23:59"},
		{36*time.Hour + time.Second, "8 Mar"},
		{365 * 24 * time.Hour, "10 Mar 2025"},
	} {
		if got := Ago(now, now.Add(-c.back).UTC()); got != c.want {
			t.Errorf("%v ago = %q, want %q", c.back, got, c.want)
		}
	}
	if got := Ago(now, time.Time{}); got != "never" {
		t.Errorf("the zero time = %q", got)
	}
}

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "", 0: "<1 ms", 4 * time.Millisecond: "4 ms", 240 * time.Millisecond: "240 ms",
		999_600 * time.Microsecond: "1.0 s", 1240 * time.Millisecond: "1.2 s", 9_960 * time.Millisecond: "10 s",
		59_600 * time.Millisecond: "1 min 0 s", 65 * time.Second: "1 min 5 s", 2*time.Hour + 3*time.Minute: "2 h 3 min",
	} {
		if got := Took(d); got != want {
			t.Errorf("Took(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	if got := Clip("  a\nbé  c ", 10); got != "a bé c" {
		t.Errorf("got %q", got)
	}
	if got := Clip("ééééé", 3); got != "éé…" {
		t.Errorf("got %q", got)
	}
}

func TestTick(t *testing.T) {
	for _, c := range []struct {
		step float64
		want string
	}{
		{0, "$0 $0 $0"},
		{1, "$0 $1 $4"},
		{500, "$0 $500 $2,000"},
		{2.5, "$0.00 $2.50 $10.00"},
		{0.5, "$0.00 $0.50 $2.00"},
		{0.1, "$0.00 $0.10 $0.40"},
		{0.025, "$0.000 $0.025 $0.100"},
		{0.02, "$0.00 $0.02 $0.08"},
		{0.00025, "$0.00000 $0.00025 $0.00100"},
	} {
		if got := Tick(0, c.step) + " " + Tick(c.step, c.step) + " " + Tick(4*c.step, c.step); got != c.want {
			t.Errorf("steps of %g: %s, want %s", c.step, got, c.want)
		}
	}
}
