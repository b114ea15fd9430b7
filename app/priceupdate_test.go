package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

// list is of models.dev's shape: gpt-5-mini is 0.25, 0.025 cached and 2 out.
const list = `{"openai": {"id": "openai", "models": {
  "gpt-5-mini": {"id": "gpt-5-mini", "cost": {"input": 0.3, "output": 2, "cache_read": 0.025}},
  "gpt-5": {"cost": {"input": 0.00000125, "output": 12.5, "cache_read": 0}},
  "gpt-nobody": {"cost": {"input": 1, "output": 1}},
  "gpt-5-nano": {}}},
 "anthropic": {"models": {"claude-sonnet-4-5": {"cost": {"input": 99, "output": 99}}}}}`

func listServer(t *testing.T, body string) (string, *atomic.Int64) {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			t.Error("a key went along")
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL + "/api.json", &asked
}

func TestPriceUpdate(t *testing.T) {
	h := open(t, "", "OPENAI_API_KEY="+canary)
	from, _ := listServer(t, list)
	cost := func() llm.Pico {
		return h.catalog.Load().Cost("openai", "gpt-5-mini", llm.Usage{Input: 10, Known: true}, catalog.Context{At: time.Now().Add(time.Minute)}).Pico
	}
	before := cost()
	o, err := h.OfferPrices(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	// Only of providers with a key, and only what differs; what cannot be is refused.
	want := []PriceChange{
		{Provider: "openai", Model: "gpt-5", Kind: "output", Old: "10", New: "12.5"},
		{Provider: "openai", Model: "gpt-5-mini", Kind: "input", Old: "0.25", New: "0.3"},
	}
	if len(o.Changes) != 2 || o.Changes[0] != want[0] || o.Changes[1] != want[1] || o.Models != 2 {
		t.Errorf("offered %+v of %d", o.Changes, o.Models)
	}
	if len(o.Refused) != 2 || o.Refused[0].New != "0.00000125" || o.Refused[1].Kind != "cache_read" || o.Refused[1].New != "0" {
		t.Errorf("refused %+v", o.Refused)
	}
	if cost() != before {
		t.Error("an offer changed a price")
	}
	if err := h.AcceptPrices(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got := cost(); got != 10*300_000 {
		t.Errorf("10 tokens cost %d", got)
	}
	// Calls of before keep their price.
	if got := h.catalog.Load().Cost("openai", "gpt-5-mini", llm.Usage{Input: 10, Known: true}, catalog.Context{At: time.Now().Add(-time.Hour)}).Pico; got != before {
		t.Errorf("an earlier call costs %d, was %d", got, before)
	}
	// Another look finds nothing new, and what was taken survives a restart.
	if o, err := h.OfferPrices(t.Context(), from); err != nil || len(o.Changes) != 0 {
		t.Errorf("again %+v, %v", o.Changes, err)
	}
	h.loadPrices()
	if p, ok := h.listed().Listed("openai", "gpt-5", time.Now().Add(time.Minute)); !ok || p.Rates["output"] != "12.5" || p.Source != "127.0.0.1" || p.AsOf != time.Now().UTC().Format(time.DateOnly) {
		t.Errorf("%+v", p)
	}
}

func TestPriceUpdateRefusals(t *testing.T) {
	h := open(t, "active: offline", "OPENAI_API_KEY="+canary)
	for from, want := range map[string]string{
		"https://models.dev/api.json":                                    "Keytray is offline, so models.dev is not called",
		"http://models.dev/api.json":                                     "use https",
		filepath.Join(t.TempDir(), "no-such"):                            "no such file",
		func() string { u, _ := listServer(t, "<html>"); return u }():    "is not models.dev's list",
		func() string { u, _ := listServer(t, `{"a": {}}`); return u }(): "no model in it has a price",
	} {
		if _, err := h.OfferPrices(t.Context(), from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", from, err)
		}
	}
}

// A prices.json that cannot be read is left aside, and said.
func TestBrokenPricesFile(t *testing.T) {
	home := t.TempDir()
	for _, text := range []string{"{", `{"prices": [{"provider": "openai", "model": "gpt-5", "from": "2026-11-30T00:00:00Z", "usd_per_million": {"in": "1"}}]}`, `{"prices": [{"provider": "openai", "model": "gpt-5"}]}`} {
		if err := os.WriteFile(filepath.Join(home, "prices.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		h := reopen(t, home, "")
		if in, _ := h.catalog.Load().Prices("openai", "gpt-5", time.Now()); in != "1.25" {
			t.Errorf("%s: gpt-5 costs %q", text, in)
		}
		p := h.priceProblems()
		if len(p) != 1 || !strings.Contains(p[0].Message, "prices.json") || !strings.Contains(p[0].Message, "the built-in prices are used") {
			t.Errorf("%s: %+v", text, p)
		}
		if err := h.App.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The weekly look asks when it is wanted and due, and uses nothing of itself.
func TestWeeklyPrices(t *testing.T) {
	h := open(t, "", "OPENAI_API_KEY="+canary)
	from, asked := listServer(t, list)
	h.pricesFrom = from
	now := time.Now()
	if err := h.weekly(t.Context(), now); err != nil || asked.Load() != 0 {
		t.Fatalf("asked %d times by default, %v", asked.Load(), err)
	}
	if err := os.WriteFile(filepath.Join(h.home, "config.yaml"), []byte("prices: {update: weekly}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.config.Reload(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{1, 1, 2} {
		if err := h.weekly(t.Context(), now.Add(time.Duration(i)*6*24*time.Hour)); err != nil || asked.Load() != want {
			t.Errorf("look %d: asked %d times, %v", i, asked.Load(), err)
		}
	}
	if in, _ := h.catalog.Load().Prices("openai", "gpt-5-mini", time.Now()); in != "0.25" {
		t.Errorf("gpt-5-mini costs %s, and nobody agreed", in)
	}
	if p := h.priceProblems(); len(p) != 1 || !strings.Contains(p[0].Message, "2 prices differ at models.dev") || p[0].Grave {
		t.Errorf("%+v", p)
	}
}
