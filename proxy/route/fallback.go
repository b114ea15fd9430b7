// Package route holds strategies: targets made of targets.
package route

import (
	"context"

	"keytray/proxy/llm"
)

// Fallback asks its targets in order until one begins a good answer. It goes
// on only after failures that another target may not share, never after a good
// first frame, and never once the client has gone. Its error is the last one.
type Fallback []llm.Target

// Do answers r; see llm.Target.
func (f Fallback) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	last := errNoTargets("fallback")
	for _, t := range f {
		resp, err := t.Do(ctx, r)
		if err == nil {
			return resp, nil
		}
		if last = err; ctx.Err() != nil || !llm.AsError(err).Retryable() {
			break
		}
	}
	return nil, last
}
