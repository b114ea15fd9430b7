package catalog

import (
	"testing"

	"keytray/proxy/llm"
)

func TestSaved(t *testing.T) {
	c := labCatalog(t)
	for _, tc := range []struct {
		name  string
		model string
		usage llm.Usage
		ctx   Context
		pico  llm.Pico
		ok    bool
	}{
		{"no cache", "plain", llm.Usage{Input: 5}, Context{}, 0, false},
		{"reads", "plain", llm.Usage{Input: 5, CacheRead: 10}, Context{}, 10 * (2e6 - 500_000), true},
		{"reads less writes", "plain", llm.Usage{CacheRead: 10, CacheWrite5m: 2, CacheWrite1h: 1}, Context{}, 15e6 - 2*500_000 - 2e6, true},
		{"writes alone cost more", "plain", llm.Usage{CacheWrite1h: 1}, Context{}, -2e6, true},
		{"at the tier's price", "plain", llm.Usage{CacheRead: 4}, Context{Tier: "batch"}, 4 * 750_000, true},
		{"over the length", "long", llm.Usage{CacheRead: 101}, Context{}, 101 * 1_800_000, true},
		{"sound", "media", llm.Usage{AudioCacheRead: 3}, Context{}, 0, true},
		{"a stated charge changes nothing", "plain", llm.Usage{CacheRead: 1, Stated: 1, HasStated: true}, Context{}, 1_500_000, true},
		{"no price", "nothing", llm.Usage{CacheRead: 10}, Context{}, 0, false},
	} {
		if got, ok := c.Saved("lab", tc.model, known(tc.usage), tc.ctx); got != tc.pico || ok != tc.ok {
			t.Errorf("%s: %d, %v; want %d, %v", tc.name, got, ok, tc.pico, tc.ok)
		}
	}
	if _, ok := c.Saved("lab", "plain", llm.Usage{CacheRead: 1}, Context{}); ok {
		t.Error("a usage that is not known saves something")
	}
}
