package route

import (
	"context"

	"keytray/proxy/llm"
)

// Balance gives each target its share of the conversations, by weight. The
// turns of one conversation stay with one target, so that its provider's prompt
// cache is hit. When that one fails, the others are asked in their order, as
// [Fallback] does.
type Balance struct {
	Targets []llm.Target
	Weights []int // one for each target, none below 1
}

// Do answers r; see llm.Target.
func (b Balance) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	at := pick(r.Conversation(), b.Weights)
	order := make(Fallback, 0, len(b.Targets))
	for i := range b.Targets {
		order = append(order, b.Targets[(at+i)%len(b.Targets)])
	}
	return order.Do(ctx, r)
}

// pick is the index whose share of the weights n falls into.
func pick(n uint64, weights []int) int {
	var sum uint64
	for _, w := range weights {
		sum += uint64(max(w, 0))
	}
	if sum == 0 {
		return 0
	}
	n %= sum
	for i, w := range weights {
		if n < uint64(w) {
			return i
		}
		n -= uint64(w)
	}
	return 0
}
