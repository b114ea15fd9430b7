package app

import (
	"testing"
	"time"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
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
