package route

import (
	"context"
	"fmt"

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
	return inTurn(ctx, r, b.Targets, pick(r.Conversation(), b.Weights), func(at int, as string) llm.Note {
		return llm.Note{Reason: fmt.Sprintf("balance: its share is %d of %d%s", b.Weights[at], sum(b.Weights), as)}
	})
}

// inTurn is inOrder from one target on, around to the one before it.
func inTurn(ctx context.Context, r *llm.Request, all []llm.Target, first int, why func(at int, as string) llm.Note) (*llm.Response, error) {
	order := make([]llm.Target, 0, len(all))
	order = append(append(order, all[first:]...), all[:first]...)
	return inOrder(ctx, r, order, func(at int, as string) llm.Note { return why((first+at)%len(all), as) })
}

func sum(weights []int) (n int) {
	for _, w := range weights {
		n += w
	}
	return n
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
