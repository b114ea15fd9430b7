package catalog

import (
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func rateOf(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// TestOwnPrices: what the user pays wins over the list, at all times and
// lengths; what they leave out stays, and tiers and places keep their ratio.
func TestOwnPrices(t *testing.T) {
	c, err := labCatalog(t).With(Override{
		ID: "lab", Discount: 200_000,
		Prices: []Own{
			{Model: "simple", Rates: rateOf("input", "1.2", "output", "3")},
			{Model: "long", Rates: rateOf("input", "3")},
			{Model: "dated", Rates: rateOf("input", "0.5")},
			{Model: "mine", Rates: rateOf("input", "0.1")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	peak := time.Date(2026, 8, 18, 2, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		model string
		usage llm.Usage
		ctx   Context
		pico  llm.Pico
		kind  Kind
	}{
		{"named by an alias", "plain", llm.Usage{Input: 10, Output: 1}, Context{}, 12e6 + 3e6, Exact},
		{"what is left out stays", "plain", llm.Usage{CacheRead: 2, CacheWrite1h: 1}, Context{}, 1e6 + 4e6, Exact},
		{"a tier's own price keeps its ratio", "plain", llm.Usage{Input: 10}, Context{Tier: "flex"}, 6e6, Estimated},
		{"a tier by rule", "plain", llm.Usage{Input: 10}, Context{Tier: "batch"}, 6e6, Exact},
		{"a place", "plain", llm.Usage{Input: 10}, Context{Geo: "us"}, 13_200_000, Exact},
		{"at any length", "long", llm.Usage{Input: 101, Output: 2}, Context{}, 303e6 + 10e6, Exact},
		{"at any hour", "dated", llm.Usage{Input: 4}, Context{At: peak}, 2e6, Exact},
		{"a model that is not listed", "mine", llm.Usage{Input: 10}, Context{}, 1e6, Exact},
		{"its output has no price", "mine", llm.Usage{Input: 10, Output: 1}, Context{}, 1e6, AtLeast},

		{"a discount on others", "media", llm.Usage{Input: 10}, Context{}, 8e6, Exact},
		{"and on searches", "thinker", llm.Usage{Input: 10, Searches: 1}, Context{}, 8e6 + 8e9, Exact},
		{"with the place", "plain", llm.Usage{Searches: 1}, Context{}, 10e9, Exact}, // no discount where there is an own price
		{"not on a stated charge", "media", llm.Usage{Input: 10, Stated: 5, HasStated: true}, Context{}, 5, Stated},
	} {
		got := c.Cost("lab", tc.model, known(tc.usage), tc.ctx)
		if got.Pico != tc.pico || got.Kind != tc.kind {
			t.Errorf("%s: %d, %s; want %d, %s\n%s", tc.name, got.Pico, got.Kind, tc.pico, tc.kind, got.Price)
		}
	}
	u := known(llm.Usage{Input: 10, Searches: 1})
	if got := string(c.Cost("lab", "simple", u, Context{}).Price); got != `{"model":"plain","input":"1.2","search_per_1k":"10","source":"config"}` {
		t.Errorf("the row keeps %s", got)
	}
	if got := string(c.Cost("lab", "media", u, Context{}).Price); got != `{"model":"media","discount":"20%","input":"0.8","search_per_1k":"8","source":"x"}` {
		t.Errorf("the row keeps %s", got)
	}
	if in, out := c.Prices("lab", "plain", peak); in != "1.2" || out != "3" {
		t.Errorf("shown as %s, %s", in, out)
	}
	if in, _ := c.Prices("lab", "media", peak); in != "0.8" {
		t.Errorf("shown as %s", in)
	}
	if p, ok := c.Listed("lab", "plain", peak); !ok || p.Source != SourceConfig || p.Rates["cache_read"] != "0.5" {
		t.Errorf("%+v", p)
	}
	if _, err := labCatalog(t).With(Override{ID: "lab", Prices: []Own{{Model: "plain", Rates: rateOf("inputs", "1")}}}); err == nil || !strings.Contains(err.Error(), "inputs") {
		t.Errorf("an unknown kind: %v", err)
	}
	// The catalog below stays as it is.
	if got := labCatalog(t).Cost("lab", "plain", known(llm.Usage{Input: 1}), Context{}); got.Pico != 2e6 {
		t.Errorf("%+v", got)
	}
}

// TestOwnPriceOfALocalModel: the user may say what running a model costs.
func TestOwnPriceOfALocalModel(t *testing.T) {
	c, err := load(t).With(Override{ID: "ollama", Prices: []Own{{Model: "qwen3", Rates: rateOf("input", "0.1", "output", "0.4")}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Cost("ollama", "qwen3", known(llm.Usage{Output: 10}), Context{}); got.Pico != 4e6 || got.Kind != Exact {
		t.Errorf("%+v", got)
	}
	if got := c.Cost("ollama", "other", known(llm.Usage{Output: 10}), Context{}); got.Pico != 0 || got.Kind != Exact {
		t.Errorf("%+v", got)
	}
}

// TestNewerPrices: a newer list holds from its time on, and below the user's word.
func TestNewerPrices(t *testing.T) {
	day := func(d int) time.Time { return time.Date(2026, 11, d, 12, 0, 0, 0, time.UTC) }
	own := []Own{
		{Provider: "lab", Model: "plain", Rates: rateOf("input", "3"), From: day(10), Source: "models.dev"},
		{Provider: "lab", Model: "plain", Rates: rateOf("input", "4"), From: day(5), Source: "models.dev"},
		{Provider: "lab", Model: "long", Rates: rateOf("output", "6"), Over: 100, Long: rateOf("input", "9"), From: day(5), Source: "models.dev"},
		{Provider: "lab", Model: "dated", Rates: rateOf("input", "9"), From: day(5), Source: "models.dev"},
		{Provider: "lab", Model: "media", Rates: rateOf("input", "9"), From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Source: "models.dev"},
		{Provider: "lab", Model: "who", Rates: rateOf("input", "9"), From: day(5), Source: "models.dev"},
		{Provider: "who", Model: "plain", Rates: rateOf("input", "9"), From: day(5), Source: "models.dev"},
	}
	c, err := labCatalog(t).Newer(own)
	if err != nil {
		t.Fatal(err)
	}
	price := func(c *Catalog, model string, d int, u llm.Usage) llm.Pico {
		return c.Cost("lab", model, known(u), Context{At: day(d)}).Pico
	}
	in := llm.Usage{Input: 1}
	for _, tc := range []struct {
		name string
		got  llm.Pico
		want llm.Pico
	}{
		{"before", price(c, "plain", 4, in), 2e6},
		{"from then on", price(c, "plain", 6, in), 4e6},
		{"and the next", price(c, "plain", 11, in), 3e6},
		{"what it leaves out", price(c, "plain", 11, llm.Usage{Output: 1}), 8e6},
		{"a long prompt", price(c, "long", 6, llm.Usage{Input: 101}), 909e6},
		{"a short one", price(c, "long", 6, llm.Usage{Input: 1, Output: 1}), 1e6 + 6e6},
		{"one by the hour stays", price(c, "dated", 6, in), 2e6},
		{"one older than the built-in list", price(c, "media", 6, in), 1e6},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, tc.got, tc.want)
		}
	}
	if got := c.Cost("lab", "who", known(in), Context{At: day(6)}); got.Kind != Unpriced {
		t.Errorf("a model that is not listed: %+v", got)
	}
	mine, err := c.With(Override{ID: "lab", Prices: []Own{{Model: "plain", Rates: rateOf("input", "1")}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := price(mine, "plain", 11, in); got != 1e6 {
		t.Errorf("the user's own: %d", got)
	}
}

// I15: a price for one token where one for a million is wanted, and the reverse.
func TestAbsurdPrices(t *testing.T) {
	c := labCatalog(t)
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		model, usd string
		listed     string
		absurd     bool
	}{
		{"plain", "0.000002", "2", true},
		{"plain", "2000000", "2", true},
		{"plain", "2000", "2", true},
		{"plain", "1999", "2", false},
		{"plain", "0.002", "2", true},
		{"plain", "0.003", "2", false},
		{"plain", "0", "2", false},
		{"plain", "-1", "", true},
		{"who", "1.5", "", false},
		{"who", "0.0000015", "", true},
		{"who", "15000", "", true},
		{"who", "0", "", false},
	} {
		if listed, is := c.Absurd("lab", tc.model, "input", tc.usd, now); listed != tc.listed || is != tc.absurd {
			t.Errorf("%s at %s: %q, %v", tc.model, tc.usd, listed, is)
		}
	}
}
