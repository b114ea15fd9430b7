package view

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func TestRouteTree(t *testing.T) {
	for yaml, want := range map[string]string{
		"a/b": "a/b",
		"{fallback: [a/b, {race: [c/d, e/f], after: 500ms}]}":   "Ask the first, and the next one when it fails| 1. a/b| 2. Ask several, and take the first answer (the next after 500 ms)|  1. c/d|  2. e/f",
		"{balance: {a/b: 3, c/d: 1}, only: [a, c]}":             "Share the calls out (only a, c)| 75% a/b| 25% c/d",
		"{split: [a/b, c/d], by: j/k, sample: 5%, budget: 0.5}": "Try one against another (judged by j/k; 5% of the calls are judged; judging costs no more than $0.50 a day)| 50% a/b| 50% c/d",
		"{cache: a/b, keep: 24h, size: 8}":                      "Give the same answer to the same request (kept for 24 h 0 min; up to 8 MB)| a/b",
		"{smart: [a/b], bar: 0.7, max_price: 2}":                "Ask the smallest that is good enough (the bar is 0.7; no more than $2.00 a million tokens)| a/b",
	} {
		target, err := app.ParseRoute(yaml)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, b := range RouteTree(target) {
			lines = append(lines, strings.Repeat(" ", b.Depth)+b.Text)
		}
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("%s:\n%s, want\n%s", yaml, got, want)
		}
	}
}

// TestRouteForms: a route that a form was filled with comes out of it unchanged.
func TestRouteForms(t *testing.T) {
	for _, yaml := range []string{
		"openai/gpt-6",
		"{fallback: [a/b, c/d]}",
		"{fallback: [a/b, {cheapest: [m, z], max_price: 0.5}]}",
		"{balance: {a/b: 3, c/d: 1}, ignore: [x]}",
		"{race: [a/b, c/d], after: 1m30s}",
		"{cache: {fallback: [a/b, c/d]}, keep: 24h, size: 8}",
		"{blend: [a/b, c/d], by: e/f}",
		"{split: [a/b, c/d], sample: 0.05, budget: 0.25}",
		"{smart: [a/b], bar: 0.7}",
		"{fallback: [ollama/qwen3:8b]}",
	} {
		target, err := app.ParseRoute(yaml)
		if err != nil {
			t.Fatal(yaml, err)
		}
		out := NewRouteForm("x", target).YAML()
		again, err := app.ParseRoute(out)
		if err != nil || !reflect.DeepEqual(again, target) {
			t.Errorf("%s came out as %s, %v", yaml, out, err)
		}
	}
	for want, f := range map[string]RouteForm{
		"":                            {},
		"{fallback: []}":              {Strategy: "fallback", Targets: []FormTarget{{}, {" ", "3"}}},
		`{fallback: ["a, b"]}`:        {Strategy: "fallback", Targets: []FormTarget{{Text: "a, b"}}},
		"{balance: {a/b: 2, c/d: 1}}": {Strategy: "balance", Targets: []FormTarget{{"a/b", "2"}, {"c/d", ""}}},
		"{race: [a/b], after: soon}":  {Strategy: "race", Targets: []FormTarget{{Text: "a/b"}}, Options: map[string]string{"after": "soon", "bar": "1"}},
	} {
		if got := f.YAML(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, o := range Strategies()[1:] {
		for _, option := range FormOptions(o.ID) {
			if option.Title == "" || option.Hint == "" {
				t.Errorf("%s: %+v", o.ID, option)
			}
		}
	}
	if len(FormOptions("fallback")) != 0 || len(FormOptions("cheapest")) != 4 {
		t.Error("a strategy has another's settings")
	}
}

func TestFit(t *testing.T) {
	if got := NewFit([]app.Fit{{Model: "a/b", Task: "code", Calls: 1200, Score: 0.824}}); got[0] != (FitLine{"code", "a/b", "82%", "1,200"}) {
		t.Errorf("%+v", got)
	}
	if got := paceLine(app.Pace{Name: "x/y", Why: "no key"}, at).Why; got != "x/y: no key" {
		t.Error(got)
	}
}

func TestPaces(t *testing.T) {
	for want, p := range map[string]app.Pace{
		"a/b|-|-|ready":            {Name: "a/b", Provider: "a", Model: "b"},
		"b at a|340 ms|72/s|ready": {Name: "b", Provider: "a", Model: "b", First: 340 * time.Millisecond, PerSecond: 71.9},
		"a/b|-|-|resting until " + at.Add(time.Minute).Format("15:04:05"): {Name: "a/b", Provider: "a", Model: "b", Resting: at.Add(time.Minute)},
		"x/y|-|-|not served": {Name: "x/y", Why: "no key"},
	} {
		l := paceLine(p, at)
		if got := strings.Join([]string{l.Name, l.First, l.Speed, l.State}, "|"); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
