package report

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestParseUSD(t *testing.T) {
	for text, want := range map[string]int64{
		"0":                     0,
		"0.8958740000000000":    895_874_000_000,
		"1.5e-05":               15_000_000,
		"2E-12":                 2,
		"0.0000000000005":       1, // half a pico is rounded away from zero
		"0.0000000000004":       0,
		"-0.0000000000005":      -1,
		"$1,234.56":             1_234_560_000_000_000,
		" 1 234.56 ":            1_234_560_000_000_000,
		"1\u202f234,5":          1_234_500_000_000_000,
		"1'234.50":              1_234_500_000_000_000,
		"1.234,56":              1_234_560_000_000_000,
		"1.234.567":             1_234_567_000_000_000_000,
		"1,234":                 1_234_000_000_000_000,
		"1,234,567.8":           1_234_567_800_000_000_000,
		"0,25":                  250_000_000_000,
		"0,123":                 123_000_000_000, // a zero leads: no thousands
		"12,5":                  12_500_000_000_000,
		"(3.10)":                -3_100_000_000_000,
		"-$3":                   -3_000_000_000_000,
		"$-3":                   -3_000_000_000_000,
		"\u22123":               -3_000_000_000_000,
		"US$ 7":                 7_000_000_000_000,
		"7 USD":                 7_000_000_000_000,
		"usd7":                  7_000_000_000_000,
		".5":                    500_000_000_000,
		"9223372.036854775807":  math.MaxInt64,
		"-9223372.036854775808": math.MinInt64,
	} {
		if got, err := parseUSD(text); err != nil || got != want {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-", "$", "abc", "1/2", "0x10", "1_000", "Inf", "NaN", "1e999999999", "1e-999999999", "1e+21", "9223372.036854775808",
		"1,23,456.7", "1.23.4", "1,2,3", "--3", "(3", "3)", "(-3)", "1e", "e5", "€5", strings.Repeat("9", 101), "12 34x",
	} {
		if got, err := parseUSD(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	if got, err := parseCents("123.45"); err != nil || got != 1_234_500_000_000 {
		t.Errorf("123.45 cents are %d, %v", got, err)
	}
}

func TestParseDay(t *testing.T) {
	for _, text := range []string{
		"2026-11-05", "2026-11-05T00:00:00+00:00", "2026-11-05T23:59:59Z", "2026-11-06T01:30:00+02:00", "2026-11-05 03:46:57.713",
		"2026-11-05 03:46", "2026/11/05", "20261105", "Nov 5, 2026", "5 Nov 2026", "1793836800", "1793836800000", " 2026-11-05 ", "2026-11-05 12:00:00 UTC",
	} {
		if got, err := parseDay(text); err != nil || got.Format(time.RFC3339) != "2026-11-05T00:00:00Z" {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "11/05/2026", "2026-13-01", "0", "999999999999999", "0001-01-01", "yesterday", "-1793836800"} {
		if got, err := parseDay(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestLineItem(t *testing.T) {
	for item, want := range map[string]struct {
		name  string
		kind  Kind
		batch bool
	}{
		"gpt-4o-2024-08-06, input":            {"gpt-4o-2024-08-06", Model, false},
		"gpt-6-astra, input_tokens":           {"gpt-6-astra", Model, false},
		"gpt-4o-mini, batch input":            {"gpt-4o-mini", Model, true},
		"gpt-4o-mini batch, output":           {"gpt-4o-mini batch", Model, true},
		"gpt-4o-search-preview, output":       {"gpt-4o-search-preview", Model, false},
		"GPT-4 Turbo":                         {"GPT-4 Turbo", Model, false},
		"web search tool calls":               {"web search tool calls", Tool, false},
		"Assistants API | Code Interpreter":   {"Assistants API | Code Interpreter", Tool, false},
		"assistants api | file search":        {"assistants api | file search", Tool, false},
		"Promotional credits, November grant": {"Promotional credits, November grant", Credit, false},
		"Sales tax (CA)":                      {"Sales tax (CA)", Tax, false},
		"":                                    {"", Other, false},
		" , input":                            {"", Other, false},
	} {
		if name, kind, batch := lineItem(item); name != want.name || kind != want.kind || batch != want.batch {
			t.Errorf("%q is %q, %q, %v; want %v", item, name, kind, batch, want)
		}
	}
}
