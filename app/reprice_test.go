package app

import (
	"testing"
	"time"

	"keytray/proxy/dialect/verbatim"
	"keytray/store/ledger"
)

func TestWhatIsPricedAnew(t *testing.T) {
	h := open(t, "providers: {openai: {prices: {gpt-5: {input: 2}}}}")
	cat := h.catalog.Load()
	day := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		row  Row
		cost string // "" stays
		kind ledger.CostKind
	}{
		{"another price", Row{Status: "ok", CostPico: pico(1250), CostKind: "exact", Price: `{"input":"1.25"}`}, "2000000000", "exact"},
		{"the same price", Row{Status: "ok", CostPico: pico(2_000_000_000), CostKind: "exact", Price: `{}`}, "", ""},
		{"no price before, and a tier that nobody knows", Row{Status: "ok", CostKind: "unpriced"}, "2000000000", "estimated"},
		{"a tier, of which a ratio is known", Row{Status: "ok", CostPico: pico(1), CostKind: "exact", Price: `{"tier":"priority"}`}, "4000000000", "estimated"},
		{"estimated tokens", Row{Status: "cut", CostPico: pico(1), CostKind: "estimated", Price: `{"input":"1.25"}`}, "2000000000", "estimated"},
		{"stated by the provider", Row{Status: "ok", CostPico: pico(1), CostKind: "stated", Price: `{}`}, "", ""},
		{"a batch", Row{Status: "ok", CostPico: pico(1), CostKind: "exact", Price: `{"tier":"batch"}`}, "", ""},
		{"a batch without a price", Row{Status: "ok", Inbound: string(verbatim.Batches), CostKind: "unpriced"}, "", ""},
		{"several models", Row{Status: "ok", CostPico: pico(1), CostKind: "exact", Price: `{"also":[{}]}`}, "", ""},
		{"a place", Row{Status: "ok", CostPico: pico(1), CostKind: "exact", Price: `{"place":"1.1"}`}, "", ""},
		{"from the cache", Row{Status: "ok", Role: ledger.RoleKept, CostPico: pico(0), CostKind: "exact"}, "", ""},
		{"under way", Row{Status: "running"}, "", ""},
		{"no price today either", Row{Status: "ok", Model: "who", CostPico: pico(3), CostKind: "exact", Price: `{}`}, "", ""},
		{"the demo", Row{Status: "ok", Provider: "demo", Model: "echo", CostPico: pico(0), CostKind: "exact"}, "", ""},
		{"local", Row{Status: "ok", Provider: "ollama", Model: "qwen3", CostPico: pico(0), CostKind: "exact", Price: `{"local":true}`}, "", ""},
	} {
		r := c.row
		r.Time, r.Usage.Input = day, 1000
		if r.Model == "" {
			r.Provider, r.Model = "openai", "gpt-5"
		}
		if r.Provider == "" {
			r.Provider = "openai"
		}
		got, ok := reprice(cat, r)
		if ok != (c.cost != "") || ok && (picoText(got.CostPico) != c.cost || got.CostKind != c.kind || got.Price == r.Price) {
			t.Errorf("%s: %v, %s %s (%s)", c.name, ok, picoText(got.CostPico), got.CostKind, got.Price)
		}
	}
	if _, ok := reprice(cat, Row{Provider: "openai", Model: "gpt-5", Status: "error", CostPico: pico(0), CostKind: "exact"}); ok {
		t.Error("a call that used nothing")
	}
}
