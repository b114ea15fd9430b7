package view

import (
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func day(now time.Time, back int) time.Time { return FirstDay(now, back+1) }

func TestSpend(t *testing.T) {
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, time.FixedZone("half", 5*3600+1800))
	usd := int64(picoPerUSD)
	sums := []app.Sum{
		{Day: day(now, 2), Provider: "a", Calls: 2, CostPico: 3 * usd, Usage: app.Usage{Input: 1000, CacheRead: 500, Output: 10}},
		{Day: day(now, 2), Provider: "b", Calls: 1, Unpriced: 1},
		{Day: day(now, 0), Provider: "b", Calls: 4, CostPico: usd, Errors: 1, Estimated: 1},
		{Day: day(now, 7), Provider: "a", Calls: 9, CostPico: 900 * usd}, // before the range: no bar may take it
	}
	v := NewSpend(sums[:3], now, 7, "provider", map[string]string{"a": "Alpha"})
	if v.Total != "$4.00 + 1 unpriced (1 estimated)" || v.Empty {
		t.Errorf("total %q", v.Total)
	}
	if got := strings.Join(v.Series, ","); got != "Alpha,b" {
		t.Errorf("series %s: the dearest is first", got)
	}
	if v.Saved || v.Rows[0].Saved != "" || strings.Contains(v.Note, "saved") {
		t.Errorf("saved out of nowhere: %+v", v.Rows)
	}
	sums[1].SavedPico = usd / 2
	if v := NewSpend(sums[:3], now, 7, "provider", nil); !v.Saved || v.Rows[1].Saved != "$0.50" || v.Rows[0].Saved != "" || !strings.HasSuffix(v.Note, " · $0.50 saved by caches and routes") {
		t.Errorf("saved %q, %+v", v.Note, v.Rows)
	}
	if len(v.Bars) != 7 {
		t.Fatalf("%d bars", len(v.Bars))
	}
	if b := v.Bars[4]; b.Parts[0] != 3 || b.Parts[1] != 0 || b.Unknown != 1 || b.Empty || b.Label != "8 Mar" || b.Read != "Sun 8 Mar: $3.00 + 1 unpriced · 1.5K tokens · 3 calls" {
		t.Errorf("bar %+v", b)
	}
	if b := v.Bars[5]; !b.Empty || b.Read != "Mon 9 Mar: no calls" {
		t.Errorf("a day without calls %+v", b)
	}
	if b := v.Bars[6]; b.Parts[1] != 1 || b.Read != "Today: $1.00 (1 estimated) · 4 calls" {
		t.Errorf("today %+v", b)
	}
	if r := v.Rows[1]; r.Name != "b" || r.Cost != "$1.00 + 1 unpriced (1 estimated)" || r.Share != "25 %" || r.Errors != "1" || v.Rows[0].Errors != "0" || !r.Unpriced {
		t.Errorf("row %+v", r)
	}
	if v := NewSpend(sums, now, 7, "provider", nil); v.Bars[0].Parts[0] != 0 {
		t.Error("a sum of an earlier day stands in the first bar")
	}
	if v := NewSpend(nil, now, 1, "model", nil); !v.Empty || v.Total != "$0.00" || len(v.Bars) != 1 {
		t.Errorf("nothing %+v", v)
	}
}

func TestSpendManyGroups(t *testing.T) {
	now := time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)
	var sums []app.Sum
	for i := range 8 {
		sums = append(sums, app.Sum{Day: day(now, 0), Tool: string(rune('a' + i)), Calls: 1, CostPico: int64(10-i) * picoPerUSD})
	}
	v := NewSpend(sums, now, 1, "tool", nil)
	if got := strings.Join(v.Series, ","); got != "a,b,c,d,e,3 others" {
		t.Errorf("series %s", got)
	}
	if p := v.Bars[0].Parts; len(p) != 6 || p[5] != 5+4+3 {
		t.Errorf("parts %v: the rest is one part", p)
	}
	if len(v.Rows) != 8 {
		t.Errorf("%d rows: the table has all", len(v.Rows))
	}
}

// TestFirstDay: days begin and end with the clock's own, when it is changed too.
func TestFirstDay(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	now := time.Date(2026, 3, 30, 0, 30, 0, 0, berlin) // the day after summer time began
	for days, want := range map[int]string{1: "2026-03-30T00:00:00+02:00", 2: "2026-03-29T00:00:00+01:00", 3: "2026-03-28T00:00:00+01:00", 30: "2026-03-01T00:00:00+01:00"} {
		if got := FirstDay(now, days).Format(time.RFC3339); got != want {
			t.Errorf("FirstDay(%d) = %s, want %s", days, got, want)
		}
	}
}

func TestGroupNames(t *testing.T) {
	s := app.Sum{Provider: "a", Model: "m", Key: "work", Tool: "codex"}
	names := map[string]string{"a": "Alpha"}
	for group, want := range map[string]string{"provider": "Alpha", "model": "m · Alpha", "key": "work · Alpha", "tool": "codex"} {
		if got := groupName(s, group, names); got != want {
			t.Errorf("%s: %q, want %q", group, got, want)
		}
	}
	for group, want := range map[string]string{"provider": "no provider", "model": "no model · no provider", "key": "no key · no provider", "tool": "unknown tool"} {
		if got := groupName(app.Sum{}, group, names); got != want {
			t.Errorf("%s of nothing: %q, want %q", group, got, want)
		}
	}
}
