package app

import (
	"testing"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
	"keytray/proxy/route"
	"keytray/store/ledger"
)

// TestSavedOfAnAttempt prices what caches and strategies saved with the
// built-in list: gpt-5 is 1.25, 0.125 cached and 10 out; gpt-5-mini a fifth.
func TestSavedOfAnAttempt(t *testing.T) {
	h := open(t, "")
	cat := h.catalog.Load()
	at := catalog.Context{At: time.Now()}
	for _, c := range []struct {
		name  string
		a     llm.Attempt
		usage llm.Usage
		want  string
	}{
		{"nothing to save", llm.Attempt{Model: "gpt-5-mini"}, llm.Usage{Input: 1000, Output: 100}, "unknown"},
		{"the cache", llm.Attempt{Model: "gpt-5"}, llm.Usage{Input: 10, CacheRead: 1_000_000}, "1125000000000"},
		{"the choice", llm.Attempt{Model: "gpt-5-mini", Note: llm.Note{Instead: "openai/gpt-5"}}, llm.Usage{Input: 1_000_000, Output: 100_000}, "1800000000000"},
		{"both", llm.Attempt{Model: "gpt-5-mini", Note: llm.Note{Instead: "openai/gpt-5"}}, llm.Usage{CacheRead: 1_000_000}, "325000000000"},
		{"a dearer choice", llm.Attempt{Model: "gpt-5", Note: llm.Note{Instead: "openai/gpt-5-mini"}}, llm.Usage{Input: 10}, "0"},
		{"an own model in place of one that costs", llm.Attempt{Provider: "ollama", Model: "qwen3", Note: llm.Note{Instead: "openai/gpt-5"}}, llm.Usage{Input: 1_000_000}, "1250000000000"},
		{"a lost race stands in nobody's place", llm.Attempt{Model: "gpt-5-mini", Note: llm.Note{Instead: "openai/gpt-5", Part: llm.PartLost}}, llm.Usage{Input: 1_000_000}, "unknown"},
		{"in place of nobody knows what", llm.Attempt{Model: "gpt-5", Note: llm.Note{Instead: "openai/who"}}, llm.Usage{Input: 10}, "unknown"},
		{"usage that nobody told", llm.Attempt{Model: "gpt-5", Note: llm.Note{Instead: "openai/gpt-5-pro"}}, llm.Usage{}, "unknown"},
	} {
		a := c.a
		if a.Provider == "" {
			a.Provider = "openai"
		}
		a.Outcome, a.Tally.Usage = llm.OK, c.usage
		a.Tally.Usage.Known = c.usage.Prompt() > 0
		cost := cat.Cost(a.Provider, a.Model, a.Tally.Usage, at)
		if got := picoText(saved(cat, &a, at, cost)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestHitsAreRows: an answer from a cache is a row of its own, which cost nothing.
func TestHitsAreRows(t *testing.T) {
	h := open(t, "")
	req := &llm.Request{ID: "kt-1", Tool: "editor", Peek: llm.Peek{Model: "fast"}, Route: "fast", Inbound: chat.Dialect{}}
	recorder{h.App}.Hit(t.Context(), req, route.Hit{Target: "openai/gpt-5", Usage: llm.Usage{Input: 1_000_000, Known: true}})
	row := h.last()
	if row.Role != ledger.RoleKept || row.Status != ledger.StatusOK || row.CostKind != ledger.CostExact || picoText(row.CostPico) != "0" ||
		picoText(row.SavedPico) != "1250000000000" || row.Route != "fast" || row.Provider != "openai" || row.Model != "gpt-5" || row.Usage.Input != 0 {
		t.Errorf("%+v", row)
	}
	recorder{h.App}.Hit(t.Context(), req, route.Hit{Target: "openai/who", Usage: llm.Usage{Input: 1, Known: true}})
	if row := h.last(); row.SavedPico != nil {
		t.Errorf("a model without a price saved %s", picoText(row.SavedPico))
	}
}
