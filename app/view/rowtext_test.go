package view

import (
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func money(pico int64) *int64 { return &pico }

func TestRequestTable(t *testing.T) {
	now := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
	row := app.Row{
		Time: now.Add(-time.Minute), Tool: "editor", Asked: "gpt", Provider: "openai", Model: "gpt-5", Status: "ok",
		Usage:    app.Usage{Input: 1200, CacheRead: 800, Output: 50},
		CostPico: money(42_000_000_000), CostKind: "exact", FirstByte: 240 * time.Millisecond, Duration: 1200 * time.Millisecond,
	}
	nobody := row
	nobody.Tool, nobody.Time = "", now.AddDate(0, 0, -1)
	under := row
	under.Status, under.CostPico, under.FirstByte = "running", nil, -1
	failed := row
	failed.Status, failed.CostPico, failed.CostKind, failed.FirstByte, failed.Error = "error", nil, "unpriced", -1, "rate\nlimited"
	failed.Usage = app.Usage{}
	want := []string{
		"TIME              TOOL    ASKED  ANSWERED       IN  CACHED  OUT   COST   FIRST   TOOK  STATUS   ERROR",
		"14:59:00          editor  gpt    openai/gpt-5   2K     800   50  $0.04  240 ms  1.2 s  ok",
		"2026-11-20 15:00  -       gpt    openai/gpt-5   2K     800   50  $0.04  240 ms  1.2 s  ok",
		"14:59:00          editor  gpt    openai/gpt-5                                         running",
		"14:59:00          editor  gpt    openai/gpt-5    0       0    0      -          1.2 s  error    rate limited",
	}
	got := RequestTable(now, []app.Row{row, nobody, under, failed}).Lines(0)
	for i := range want {
		if strings.Join(strings.Fields(got[i]), " ") != strings.Join(strings.Fields(want[i]), " ") {
			t.Errorf("got  %s\nwant %s", got[i], want[i])
		}
	}
	// Rows that come one by one stand under the same titles.
	first, second := RequestLines(now, row), RequestLines(now, under)
	if first[0] != second[0] {
		t.Errorf("titles differ:\n%s\n%s", first[0], second[0])
	}
	if strings.Index(first[0], "ANSWERED") != strings.Index(first[1], "openai/") {
		t.Errorf("not aligned:\n%s\n%s", first[0], first[1])
	}
}

func TestRowCost(t *testing.T) {
	for _, c := range []struct {
		row  app.Row
		want string
	}{
		{app.Row{Status: "ok", CostPico: money(0), CostKind: "exact"}, "$0.00"},
		{app.Row{Status: "ok", CostPico: money(40_000_000_000), CostKind: "stated"}, "$0.04"},
		{app.Row{Status: "cut", CostPico: money(40_000_000_000), CostKind: "estimated"}, "~$0.04"},
		{app.Row{Status: "ok", CostPico: money(40_000_000_000), CostKind: "at_least"}, "$0.04+"},
		{app.Row{Status: "ok", CostKind: "unpriced"}, "-"},
		{app.Row{Status: "running", CostPico: money(1)}, ""},
	} {
		if got := RowCost(c.row); got != c.want {
			t.Errorf("%+v is %q, want %q", c.row, got, c.want)
		}
	}
}

func TestSpendTable(t *testing.T) {
	sums := []app.Sum{
		{Tool: "editor", Provider: "openai", Calls: 3, Errors: 1, Usage: app.Usage{Input: 1000, Output: 500}, CostPico: 40_000_000_000},
		{Provider: "lab", Calls: 2, Unpriced: 2, Usage: app.Usage{Input: 10}},
		{Tool: "x", Provider: "lab", Calls: 4, Unpriced: 1, Estimated: 2, AtLeast: 1, CostPico: 1_000_000_000_000},
	}
	want := []string{
		"TOOL PROVIDER CALLS FAILED IN CACHED OUT COST NOTE",
		"editor openai 3 1 1K 0 500 $0.04",
		"- lab 2 0 10 0 0 - 2 unpriced",
		"x lab 4 0 0 0 0 $1.00 1 unpriced, 2 estimated, 1 at least",
	}
	// The order of the columns does not depend on how they were asked for.
	for i, got := range SpendTable(sums, []app.By{"provider", "tool"}).Lines(0) {
		if strings.Join(strings.Fields(got), " ") != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
	}
	day := SpendTable([]app.Sum{{Day: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Calls: 1, Provider: "p", Model: "m", Key: "k"}}, []app.By{"day", "model", "key"}).Lines(0)[1]
	if !strings.HasPrefix(day, "2026-11-01  m      k      ") {
		t.Errorf("got %s", day)
	}
}
