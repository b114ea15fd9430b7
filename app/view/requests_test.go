package view

import (
	"strings"
	"testing"
	"time"

	"keytray/app"
)

var at = time.Date(2026, 3, 10, 9, 0, 0, 0, time.UTC)

func someRows() []app.Row {
	four, zero := int64(40_000_000_000), int64(0)
	return []app.Row{
		{ID: 4, RequestID: "r3", Attempt: 1, Time: at, Tool: "codex", Asked: "m1", Provider: "a", Model: "m1", Status: "running", FirstByte: -1, CostKind: "unpriced"},
		{
			ID: 3, RequestID: "r2", Attempt: 2, Time: at.Add(-time.Minute), Tool: "aider", Inbound: "chat", Asked: "safe", Route: "safe", Provider: "b", Model: "m2", Key: "work", Status: "ok", HTTPStatus: 200, Streamed: true,
			FirstByte: 90 * time.Millisecond, Duration: 1200 * time.Millisecond, Usage: app.Usage{Input: 1000, CacheRead: 9000, Output: 50, Reasoning: 20}, CostPico: &four, CostKind: "exact", Lost: []string{"seed", "logit_bias"},
		},
		{ID: 2, RequestID: "r2", Attempt: 1, Time: at.Add(-time.Minute), Tool: "aider", Inbound: "chat", Asked: "safe", Route: "safe", Provider: "a", Model: "m1", Key: "work", Status: "error", HTTPStatus: 529, FirstByte: -1, CostPico: &zero, CostKind: "exact", Error: "overloaded: try later", Lost: []string{"seed"}},
		{ID: 1, RequestID: "r1", Attempt: 1, Time: at.Add(-30 * time.Hour), Provider: "a", Model: "m1", Status: "aborted", FirstByte: -1, CostPico: &four, CostKind: "estimated"},
	}
}

func TestCalls(t *testing.T) {
	var calls []Call
	for _, r := range someRows() {
		calls = append(calls, NewCall(r, at))
	}
	for i, want := range []string{
		"09:00:00|codex|a/m1||||||running",
		"08:59:00|aider|m2 <- safe|10K|50|9K|$0.04|90 ms|ok",
		"08:59:00|aider|m1 <- safe|0|0||$0.00||error 529",
		"9 Mar 03:00|unknown|a/m1|0|0||~$0.04 estimated||stopped",
	} {
		c := calls[i]
		if got := strings.Join([]string{c.Time, c.Tool, c.Model, c.In, c.Out, c.Cached, c.Cost, c.First, c.Status}, "|"); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for _, c := range []struct{ asked, provider, model, want string }{
		{"", "a", "m1", "a/m1"},
		{"m1", "a", "m1", "a/m1"},
		{"a/m1", "a", "m1", "a/m1"},
		{"a/m1", "b", "m2", "m2 <- a/m1"},
		{"a/m1", "b", "m1", "b/m1 <- a/m1"}, // else it would look as if nothing differed
		{"x/m1", "router", "x/m1", "router/x/m1"},
		{"nothing", "", "", "nothing"},
	} {
		if got := NewCall(app.Row{Asked: c.asked, Provider: c.provider, Model: c.model}, at).Model; got != c.want {
			t.Errorf("%s/%s for %q: %q, want %q", c.provider, c.model, c.asked, got, c.want)
		}
	}
	if calls[0].Tone != Busy || calls[1].Tone != Good || calls[2].Tone != Bad || calls[3].Tone != Plain {
		t.Error("tones differ")
	}
	for _, c := range []struct {
		text, status string
		want         int
	}{
		{"", "All", 4},
		{"AIDER", "All", 2},
		{"aider over", "All", 1},
		{"b/", "All", 0},
		{"m2", "All", 1},
		{"nobody", "All", 0},
		{"", "OK", 1},
		{"", "Failed", 1},
		{"", "Running", 1},
		{"", "Stopped", 1},
		{"codex", "Failed", 0},
		{"work", "Failed", 1},
	} {
		if got := len(FilterCalls(calls, c.text, c.status)); got != c.want {
			t.Errorf("%q, %s: %d calls, want %d", c.text, c.status, got, c.want)
		}
	}
	if got := ShortCost("at least $0.04") + ShortCost("~$0.04 estimated") + ShortCost("$0.04"); got != "≥$0.04~$0.04$0.04" {
		t.Errorf("short costs %s", got)
	}
}

func TestDetails(t *testing.T) {
	d := NewDetails(someRows()[1:3], at)
	for _, want := range []string{
		"safe\n", "Request: r2\n", "Dialect: chat\n", "Route: safe\n", "Lost in translation: seed, logit_bias\n",
		"Attempt 1: a/m1\nStatus: error 529\n", "Error: overloaded: try later\n",
		"Attempt 2: b/m2\nStatus: ok\nKey: work\nCost: $0.04\nFirst token: 90 ms\nTook: 1.2 s\nTokens in: 1,000\nRead from cache: 9,000\nTokens out: 50\nof them reasoning: 20\n",
	} {
		if !strings.Contains(d.Text(), want) {
			t.Errorf("the details lack %q:\n%s", want, d.Text())
		}
	}
	if a := d.Attempts; len(a) != 2 || a[0].Tone != Bad || a[1].Tone != Good {
		t.Errorf("attempts %+v", a)
	}
	if d := NewDetails(nil, at); d.Title == "" || d.Attempts != nil {
		t.Errorf("nothing %+v", d)
	}
}

// What a call was said to cost before it was priced anew stays in sight.
func TestFormerCosts(t *testing.T) {
	old, now := int64(2_000_000_000), int64(4_000_000_000)
	r := app.Row{
		ID: 1, Status: "ok", Provider: "lab", Model: "m", CostPico: &now, CostKind: "exact", Time: at, Reason: "priced by hand",
		Was: []app.Former{{At: at, CostKind: "unpriced"}, {At: at.Add(time.Hour), CostPico: &old, CostKind: "estimated"}},
	}
	text := NewDetails([]app.Row{r}, at).Text()
	want := "Cost: $0.0040\nCost before: unpriced until " + at.Format("2 Jan 15:04") + ", ~$0.0020 estimated until " + at.Add(time.Hour).Format("2 Jan 15:04") + "\nReason: priced by hand\n"
	if !strings.Contains(text, want) {
		t.Errorf("%s\nlacks\n%s", text, want)
	}
	never := r
	never.Was = nil
	lines := RequestTable(at, []app.Row{never, r}).Lines(0)
	if !strings.Contains(lines[0], "COST  WAS") || !strings.Contains(lines[2], "$0.0040    -  ") || strings.Contains(RequestTable(at, []app.Row{never}).Lines(0)[0], "WAS") {
		t.Errorf("%q", lines)
	}
}
