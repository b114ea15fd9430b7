package app

import (
	"strings"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

// saved is what an attempt of that cost saved: by the provider's prompt cache,
// and by the choice of a strategy that else had asked another model. nil: there
// was nothing to save, or no price tells how much. It is never negative.
func saved(cat *catalog.Catalog, a *llm.Attempt, at catalog.Context, cost catalog.Cost) *int64 {
	u := a.Tally.Usage
	if !u.Known || cost.Kind == catalog.Unpriced || at.Unbilled {
		return nil
	}
	sum, any := cat.Saved(a.Provider, a.Model, u, at)
	// Only the answer stands in the other's place: parts and lost races come on top.
	if p, m, ok := strings.Cut(a.Note.Instead, "/"); ok && a.Note.Part == llm.PartAnswer && a.Outcome == llm.OK {
		u.Also, u.HasStated = nil, false
		if other := cat.Cost(p, m, u, catalog.Context{At: at.At, Sum: true}); other.Kind != catalog.Unpriced {
			sum, any = sum+other.Pico-cost.Pico, true
		}
	}
	if !any {
		return nil
	}
	return pico(max(sum, 0))
}
