package catalog

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"keytray/proxy/llm"
)

// lab is a made-up provider whose numbers are easy to follow.
const lab = `{"id": "lab", "name": "Lab", "kind": "host", "base_url": "https://lab.example/v1", "dialect": "chat",
 "tiers": {"batch": "0.5"}, "search": "10", "as_of": "2026-11-01", "flags": ["system_role", "no_json_schema"],
 "models": {
  "plain": {"aliases": ["simple"], "context": 1000, "max_output": 500, "flags": ["json_schema", "tools"], "geo": {"us": "1.1"},
   "prices": [{"input": "2", "output": "8", "cache_read": "0.5", "cache_write_5m": "2.5", "cache_write_1h": "4", "source": ["x"]}],
   "tiers": {"flex": {"input": "1", "output": "4", "source": ["x"]}, "fast": {"times": "6", "source": ["x"]}}},
  "long": {"prices": [{"input": "1", "output": "5", "cache_read": "0.1", "cache_write_5m": "1.25", "source": ["x"],
    "long": {"over": 100, "input": "2", "output": "7.5", "cache_read": "0.2"}}],
   "tiers": {"priority": {"input": "2", "output": "10", "long": {"over": 100, "input": "6", "output": "20"}, "source": ["x"]},
    "batch": {"input": "0.5", "output": "2.5", "source": ["x"]}}},
  "dated": {"prices": [{"to": "2026-08-17", "input": "1", "output": "1", "source": ["x"]},
    {"from": "2026-08-17", "to": "2027-01-01", "input": "2", "output": "2", "source": ["x"]},
    {"from": "2026-08-17", "to": "2027-01-01", "hours": ["01:00-04:00", "22:00-00:30"], "days": ["mon", "tue"], "input": "4", "output": "4", "source": ["x"]}]},
  "fine": {"prices": [{"input": "0.0833333333", "output": "1", "source": ["x"]}]},
  "media": {"prices": [{"input": "1", "output": "4", "cache_read": "0.1", "input_audio": "10", "output_image": "30", "source": ["x"]}]},
  "thinker": {"prices": [{"input": "1", "output": "8", "reasoning": "3", "source": ["x"]}]},
  "ears": {"mode": "embedding", "prices": [{"input": "1", "source": ["x"]}]},
  "asks": {"request": "5", "search": "7", "prices": [{"input": "1", "output": "1", "source": ["x"]}]},
  "nothing": {"context": 5},
  "free": {"prices": [{"input": "0", "output": "0", "source": ["x"]}], "tiers": {"flex": {"input": "0", "output": "0", "source": ["x"]}}}
 }}`

func labCatalog(t *testing.T) *Catalog {
	t.Helper()
	c, err := Load(fstest.MapFS{"lab.json": {Data: []byte(lab)}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func known(u llm.Usage) llm.Usage {
	u.Known = true
	return u
}

func TestCost(t *testing.T) {
	c := labCatalog(t)
	when := func(s string) time.Time {
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	autumn := when("2026-11-01T12:00:00Z")
	for _, tc := range []struct {
		name  string
		model string
		usage llm.Usage
		ctx   Context
		pico  llm.Pico
		kind  Kind
	}{
		{"all buckets", "plain", llm.Usage{Input: 1, CacheRead: 10, CacheWrite5m: 100, CacheWrite1h: 1000, Output: 10_000}, Context{}, 2e6 + 5e6 + 250e6 + 4000e6 + 80_000e6, Exact},
		{"an alias", "simple", llm.Usage{Input: 3}, Context{}, 6e6, Exact},
		{"no guess by prefix", "plain-2026-01-01", llm.Usage{Input: 3}, Context{}, 0, Unpriced},
		{"reasoning is output", "plain", llm.Usage{Output: 10, Reasoning: 9}, Context{}, 80e6, Exact},
		{"reasoning with a price", "thinker", llm.Usage{Output: 10, Reasoning: 9}, Context{}, 8e6 + 27e6, Exact},
		{"nothing used", "no-such", llm.Usage{}, Context{}, 0, Exact},
		{"searches", "plain", llm.Usage{Input: 1, Searches: 2}, Context{}, 2e6 + 20e9, Exact},
		{"a fee for each request", "asks", llm.Usage{Input: 1, Searches: 1}, Context{}, 1e6 + 7e9 + 5e9, Estimated},
		{"listed without a price", "nothing", llm.Usage{Input: 1}, Context{}, 0, Unpriced},
		{"free is 0", "free", llm.Usage{Input: 1, Output: 1}, Context{Tier: "flex"}, 0, Exact},
		{"refused", "plain", llm.Usage{}, Context{Unbilled: true}, 0, Exact},

		{"default tier", "plain", llm.Usage{Input: 1}, Context{Tier: "default"}, 2e6, Exact},
		{"flex", "plain", llm.Usage{Input: 1, Output: 1}, Context{Tier: "flex"}, 5e6, Exact},
		{"flex halves what it does not name", "plain", llm.Usage{CacheRead: 4}, Context{Tier: "flex"}, 1e6, Exact},
		{"batch by the provider's rule", "plain", llm.Usage{CacheRead: 1, Output: 1}, Context{Tier: "batch"}, 250_000 + 4e6, Exact},
		{"fast as a factor", "plain", llm.Usage{CacheRead: 2, Input: 1}, Context{Tier: "FAST"}, 6e6 + 12e6, Exact},
		{"a tier nobody prices", "plain", llm.Usage{Input: 1}, Context{Tier: "turbo"}, 2e6, Estimated},
		{"in the USA", "plain", llm.Usage{Input: 1, Searches: 1}, Context{Geo: "us"}, 2_200_000 + 10e9, Exact},
		{"in the USA, flex", "plain", llm.Usage{Input: 1}, Context{Geo: "us", Tier: "flex"}, 1_100_000, Exact},
		{"anywhere", "plain", llm.Usage{Input: 1}, Context{Geo: "global"}, 2e6, Exact},

		{"up to the length", "long", llm.Usage{Input: 50, CacheRead: 50, Output: 1000}, Context{}, 50e6 + 5e6 + 5000e6, Exact},
		{"over the length, all of it", "long", llm.Usage{Input: 50, CacheRead: 51, Output: 2}, Context{}, 100e6 + 10_200_000 + 15e6, Exact},
		{"a write over the length grows as input does", "long", llm.Usage{CacheWrite5m: 101}, Context{}, 101 * 2_500_000, Exact},
		{"priority over the length", "long", llm.Usage{Input: 101, Output: 1}, Context{Tier: "priority"}, 606e6 + 20e6, Exact},
		{"batch over the length", "long", llm.Usage{Input: 101, Output: 2}, Context{Tier: "batch"}, 101e6 + 7_500_000, Exact},

		{"before the change", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-16T23:59:59Z")}, 1e6, Exact},
		{"from midnight UTC on", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-17T04:00:00Z")}, 2e6, Exact},
		{"its instant, in another zone", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-17T02:00:00+05:30")}, 1e6, Exact},
		{"peak", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-18T01:00:00Z")}, 4e6, Exact},
		{"peak, told in another zone", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-18T06:30:00+05:30")}, 4e6, Exact},
		{"peak past midnight", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-18T00:29:00Z")}, 4e6, Exact},
		{"peak ends", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-18T00:30:00Z")}, 2e6, Exact},
		{"not on that day", "dated", llm.Usage{Input: 1}, Context{At: when("2026-08-19T01:00:00Z")}, 2e6, Exact},
		{"the price has ended", "dated", llm.Usage{Input: 1}, Context{At: when("2027-01-01T00:00:00Z")}, 0, Unpriced},

		{"fractions are rounded once", "fine", llm.Usage{Input: 3}, Context{}, 250_000, Exact},
		{"half up", "fine", llm.Usage{Input: 1}, Context{}, 83_333, Exact},
		{"sound in", "media", llm.Usage{Input: 1, AudioInput: 1}, Context{}, 11e6, Exact},
		{"cached sound costs as sound", "media", llm.Usage{AudioCacheRead: 1}, Context{}, 10e6, Exact},
		{"sound out has no price", "media", llm.Usage{AudioOutput: 1}, Context{}, 4e6, AtLeast},
		{"pictures in are input", "media", llm.Usage{ImageInput: 1, ImageCacheRead: 1}, Context{}, 1_100_000, Exact},
		{"pictures out", "media", llm.Usage{ImageOutput: 1}, Context{}, 30e6, Exact},
		{"sound where only text has a price", "plain", llm.Usage{AudioInput: 1}, Context{}, 2e6, AtLeast},
		{"a part without a price", "ears", llm.Usage{Input: 1, Output: 1}, Context{}, 1e6, AtLeast},
		{"nothing with a price", "ears", llm.Usage{Output: 1}, Context{}, 0, Unpriced},
		{"counts that contradict each other", "plain", llm.Usage{Input: -5, Output: 1}, Context{}, 8e6, Estimated},
		{"more than an int64 holds", "plain", llm.Usage{Input: math.MaxInt64 / 2}, Context{}, 0, Unpriced},

		{"a sum that an int64 does not hold", "plain", llm.Usage{Input: 4e12, Output: 1e12}, Context{}, 0, Unpriced},

		{"another model's part", "plain", llm.Usage{Input: 1, Also: []llm.OtherUsage{{Model: "media", Usage: llm.Usage{Input: 5}}}}, Context{}, 7e6, Exact},
		{"an unknown model's part", "plain", llm.Usage{Input: 1, Also: []llm.OtherUsage{{Model: "who", Usage: llm.Usage{Input: 5}}}}, Context{}, 2e6, AtLeast},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.ctx.At.IsZero() {
				tc.ctx.At = autumn
			}
			got := c.Cost("lab", tc.model, known(tc.usage), tc.ctx)
			if got.Kind != tc.kind || got.Pico != tc.pico || got.ComputedKind != tc.kind || got.HasStated {
				t.Errorf("%d pico, %s; want %d, %s\n%s", got.Pico, got.Kind, tc.pico, tc.kind, got.Price)
			}
			if got.Price != nil && !json.Valid(got.Price) {
				t.Errorf("not JSON: %s", got.Price)
			}
		})
	}
}

func TestCostWithoutUsage(t *testing.T) {
	c := labCatalog(t)
	if got := c.Cost("lab", "plain", llm.Usage{Input: 5}, Context{}); got.Kind != Unpriced || got.Pico != 0 {
		t.Errorf("%+v", got)
	}
	if got := c.Cost("who", "plain", known(llm.Usage{Input: 5}), Context{}); got.Kind != Unpriced {
		t.Errorf("%+v", got)
	}
}

func TestStatedIsPreferredAndComputedKept(t *testing.T) {
	c := labCatalog(t)
	u := known(llm.Usage{Input: 5, Stated: 7, HasStated: true})
	got := c.Cost("lab", "plain", u, Context{})
	if got.Kind != Stated || got.Pico != 7 || got.Computed != 10e6 || got.ComputedKind != Exact || got.Stated != 7 {
		t.Errorf("%+v", got)
	}
	got = c.Cost("lab", "who", u, Context{})
	if got.Kind != Stated || got.Pico != 7 || got.ComputedKind != Unpriced || got.Price != nil {
		t.Errorf("%+v", got)
	}
}

func TestPriceTellsWhatWasUsed(t *testing.T) {
	c := labCatalog(t)
	u := known(llm.Usage{Input: 1, Output: 1, Searches: 1, Also: []llm.OtherUsage{{Model: "long", Usage: llm.Usage{Input: 101}}}})
	got := string(c.Cost("lab", "plain", u, Context{Tier: "flex", Geo: "us"}).Price)
	want := `{"model":"plain","tier":"flex","place":"1.1","input":"1.1","output":"4.4","search_per_1k":"10","source":"x",` +
		`"also":[{"model":"long","over":100,"tier":"flex","input":"2","source":"x"}]}`
	if got != want {
		t.Errorf("\n%s, want\n%s", got, want)
	}
	at := time.Date(2026, 8, 18, 2, 0, 0, 0, time.UTC)
	got = string(c.Cost("lab", "dated", known(llm.Usage{Input: 1}), Context{At: at}).Price)
	if want := `{"model":"dated","from":"2026-08-17","by_hour":true,"input":"4","source":"x"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestLocalCostsNothing(t *testing.T) {
	c := load(t)
	got := c.Cost("ollama", "whatever:7b", llm.Usage{}, Context{})
	if got.Kind != Exact || got.Pico != 0 || got.ComputedKind != Exact {
		t.Errorf("%+v", got)
	}
	// Ollama's own cloud bills a subscription: nobody knows what one call costs.
	if got := c.Cost("ollama", "gpt-oss:120b-cloud", known(llm.Usage{Input: 1}), Context{}); got.Kind != Unpriced {
		t.Errorf("%+v", got)
	}
}

func TestEstimate(t *testing.T) {
	c := labCatalog(t)
	for _, tc := range []struct {
		name       string
		usage      llm.Usage
		sent, text int64
		pico       llm.Pico
		kind       Kind
	}{
		{"nothing is known", llm.Usage{}, 400, 41, 100*2e6 + 11*8e6, Estimated},
		{"the prompt is counted", llm.Usage{Input: 7, CacheRead: 2, Output: 1}, 400, 40, 7*2e6 + 1e6 + 10*8e6, Estimated},
		{"no more prompt than fits", llm.Usage{}, 1e9, 0, 1000 * 2e6, Estimated},
		{"more was counted than seen", llm.Usage{Input: 1, Output: 50}, 4, 40, 2e6 + 50*8e6, Estimated},
	} {
		if got := c.Estimate("lab", "plain", tc.usage, tc.sent, tc.text, Context{}); got.Pico != tc.pico || got.Kind != tc.kind {
			t.Errorf("%s: %d, %s; want %d", tc.name, got.Pico, got.Kind, tc.pico)
		}
	}
	if got := c.Estimate("lab", "who", llm.Usage{}, 4, 4, Context{}); got.Kind != Unpriced {
		t.Errorf("an unknown model: %+v", got)
	}
	if got := c.Estimate("lab", "plain", llm.Usage{}, 4, 4, Context{Unbilled: true}); got.Kind != Exact || got.Pico != 0 {
		t.Errorf("refused: %+v", got)
	}
}

// TestEveryBuiltInPriceComputes prices every bucket of every model, in every
// tier, against plain arithmetic on big numbers: no product overflows.
func TestEveryBuiltInPriceComputes(t *testing.T) {
	c := load(t)
	u := known(llm.Usage{Input: 1_000_003, CacheRead: 700_001, CacheWrite5m: 11, CacheWrite1h: 13, Output: 90_001, Reasoning: 5})
	priced := 0
	for _, p := range c.Providers() {
		for _, listed := range c.Models(p.ID) {
			at, _ := c.find(p.ID)
			m, ok := c.shelves[at].model(listed.ID)
			if !ok {
				t.Errorf("%s does not decode", listed.Path())
				continue
			}
			if len(m.Prices) == 0 {
				continue
			}
			priced++
			for _, tier := range []string{"", "batch", "flex", "priority", "fast"} {
				ctx := Context{At: time.Date(2026, 8, 1, 2, 0, 0, 0, time.UTC), Tier: tier, Geo: "us", Endpoint: "regional"}
				got := c.Cost(p.ID, listed.ID, u, ctx)
				if got.Kind == Unpriced && len(m.Prices) == 1 && m.Prices[0].Rates[input].told() || got.Pico < 0 {
					t.Errorf("%s %s: %+v", listed.Path(), tier, got)
				}
				b := bill{ctx: ctx, provider: &p, kind: Exact}
				for i, r := range b.tariff(m, &m.Prices[0], u.Prompt()).rates {
					if r.told() && (r.num < 0 || r.den <= 0 || r.num/r.den > 20_000_000_000) {
						t.Errorf("%s %s: %s is %d/%d", listed.Path(), tier, bucketNames[i], r.num, r.den)
					}
				}
			}
		}
	}
	if priced < 1900 {
		t.Errorf("only %d models have a price", priced)
	}
}

func BenchmarkLoad(b *testing.B) {
	fsys := os.DirFS("../../assets/providers")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(fsys); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCost(b *testing.B) {
	c := load(b)
	u := known(llm.Usage{Input: 1000, CacheRead: 5000, Output: 300})
	ctx := Context{At: time.Now(), Tier: "default"}
	for _, ctx.Sum = range []bool{false, true} {
		b.Run(map[bool]string{false: "price", true: "sum"}[ctx.Sum], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Cost("openai", "gpt-5.6-sol", u, ctx)
			}
		})
	}
}

func BenchmarkFindAll(b *testing.B) {
	for b.Loop() {
		load(b).Find("gpt-oss-120b")
	}
}
