package view

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
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
		"{balance: {ollama/qwen3:8b: 3, 'a:b': 1}}",
		"{balance: [{fallback: [a/b, ollama/qwen3:8b], weight: 3}, c/d, {ollama/qwen3:8b: 2}, {split: [{x: 4}, {race: [y, z]}]}]}",
		"{split: [{cheapest: [m, 'n:1']}, {smart: [a/b], bar: 0, weight: 7}], by: 'j:1', sample: 0, budget: 0.000000000001}",
		"{fallback: ['1', 'null', 'true', 'off', '1e3', 'a,b', 'x#y', weight, cache, '0x1', '2026-01-01']}",
		"{race: [a/b], after: 0s}", "{race: [a/b], after: 1h0m1s}", "{cache: weight, keep: 90s}", "{smart: [a/b], bar: 1, max_price: 0}",
		"{split: {weight: 2, fallback: 3}}", "{balance: [weight: 2, {race: [a, b], weight: 3}]}",
		"{fastest: [m], only: [a, b], ignore: [c], prefer: [a], max_price: 12.5}",
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
		"":                           {},
		"{fallback: []}":             {Strategy: "fallback", Targets: []FormTarget{{}, {" ", "3"}}},
		`{fallback: ["a, b"]}`:       {Strategy: "fallback", Targets: []FormTarget{{Text: "a, b"}}},
		"{balance: [{a/b: 2}, c/d]}": {Strategy: "balance", Targets: []FormTarget{{"a/b", "2"}, {"c/d", ""}}},
		"{race: [a/b], after: soon}": {Strategy: "race", Targets: []FormTarget{{Text: "a/b"}}, Options: map[string]string{"after": "soon", "bar": "1"}},
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

// Every route that is written down in this project comes out of the form as it
// went in.
func TestFormHoldsEveryRoute(t *testing.T) {
	files := []string{"../../README.md", "../../store/config/template.go"}
	for _, pattern := range []string{"../cli/testdata/*.txtar", "../*_test.go", "../cli/*.go", "../ui/*_test.go", "../../store/config/*_test.go"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	written := regexp.MustCompile(`\{ ?(fallback|balance|cheapest|fastest|smart|race|blend|judge|compare|split|cache):`)
	seen := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range written.FindAllIndex(text, -1) {
			yaml, depth := "", 0
			for i, c := range text[at[0]:] {
				switch c {
				case '{', '[':
					depth++
				case '}', ']':
					depth--
				}
				if depth == 0 || c == '\n' {
					yaml = string(text[at[0] : at[0]+i+1])
					break
				}
			}
			target, err := app.ParseRoute(yaml)
			if err != nil || seen[yaml] {
				continue // what is wrong on purpose, or made of pieces
			}
			seen[yaml] = true
			out := NewRouteForm("x", target).YAML()
			if again, err := app.ParseRoute(out); err != nil || !reflect.DeepEqual(again, target) {
				t.Errorf("%s: %s came out as %s, %v", file, yaml, out, err)
			}
			if again, err := app.ParseRoute(target.String()); err != nil || !reflect.DeepEqual(again, target) {
				t.Errorf("%s: %s is written as %s, %v", file, yaml, target, err)
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d routes were found", len(seen))
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
