package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for in, out := range map[string]string{
		"openai/gpt-6":                        "openai/gpt-6",
		"{fallback: [a/b, c/d]}":              "{fallback: [a/b, c/d]}",
		"fallback:\n  - a/b\n  - c/d # two\n": "{fallback: [a/b, c/d]}",
		"{balance: {a/b: 3, c/d: 1}}":         "{balance: {a/b: 3, c/d: 1}}",
		"balance:\n  - a/b: 3\n  - fallback: [c/d, e/f]\n    weight: 2\n  - g/h\n": "{balance: [{a/b: 3}, {fallback: [c/d, e/f], weight: 2}, g/h]}",
		"{balance: {ollama/qwen3:8b: 3, c/d: 1}}":                                  "{balance: {\"ollama/qwen3:8b\": 3, c/d: 1}}",
		"{balance: [{ollama/qwen3:8b: 3}, {race: [a:b, c]}]}":                      "{balance: [{\"ollama/qwen3:8b\": 3}, {race: [a:b, c]}]}",
		"{split: [{a/b: 2}, {c/d: 1}]}":                                            "{split: {a/b: 2, c/d: 1}}",
		"{split: [{race: [a, b], weight: 1}, c]}":                                  "{split: [{race: [a, b]}, c]}",
		"{race: [a/b, {cheapest: [m, o], max_price: 0.5}], after: 500ms}":          "{race: [a/b, {cheapest: [m, o], max_price: 0.5}], after: 500ms}",
		"cache: {fallback: [a/b]}\nkeep: 2h\nsize: 8":                              "{cache: {fallback: [a/b]}, keep: 2h, size: 8}",
	} {
		got, err := ParseTarget(in)
		if err != nil || got.String() != out {
			t.Errorf("%q is %s, %v", in, got, err)
			continue
		}
		again, err := ParseTarget(got.String())
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Errorf("%s reads back as %+v, %v", got, again, err)
		}
	}
	for _, c := range []struct{ in, want string }{
		{"", "names no model"},
		{"{falback: [a/b]}", "fallback"},
		{"{fallback: []}", "fallback: names no model"},
		{"fallback: [a/b]\nbar: 0.5", "bar: is no setting of fallback"},
		{"fallback:\n  - a/b\n  - a/b", "is in the list twice"},
		{"{fallback: [a/b", ""},
		{"{balance: [{race: [a, b], weight: 0}]}", "weight: is no weight"},
		{"{balance: [{a/b: many}]}", "a/b: is not a setting"},
		{"{balance: [{a/b: 2, c/d: 1}]}", "a/b: is not a setting"},
		{"{fallback: [{race: [a, b], weight: 2}]}", "weight: is not a setting"},
		{"{balance: [{race: [a, b], weight: 2, weight: 3}]}", "weight"},
		{"{split: [{weight: two, race: [a]}]}", "weight: is no weight"},
		{"{balance: [{a/b: 2}, a/b]}", "is in the list twice"},
		{"a/b\nx: y", ""},
	} {
		got, err := ParseTarget(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "route:") || strings.Contains(err.Error(), "route.") {
			t.Errorf("%q is %s, %v", c.in, got, err)
		}
	}
	_, err := ParseTarget("fallback: [a/b]\nbar: 0.5")
	if p, ok := err.(Problems); !ok || p[0].Line != 2 || p[0].Column != 1 {
		t.Errorf("%#v", err)
	}
	if got := Race.Options(); !slices.Equal(got, []string{"after"}) {
		t.Error(got)
	}
}
