// Package route holds strategies: targets made of targets.
package route

import (
	"context"
	"time"

	"keytray/proxy/llm"
)

// Fallback asks its targets in order until one begins a good answer. It goes
// on only after failures that another target may not share, never after a good
// first frame, and never once the client has gone. Targets that should be left
// alone for now (they asked for it, or keep failing) are asked after all others.
// Its error is the last one.
type Fallback []llm.Target

// Do answers r; see llm.Target.
func (f Fallback) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	if len(f) == 0 {
		return nil, errNoTargets("fallback")
	}
	return inOrder(ctx, r, f, func(at int, as string) llm.Note {
		if as == "" {
			return llm.Note{}
		}
		return llm.Note{Reason: "fallback: " + place(at, len(f)) + as}
	})
}

func goesOn(ctx context.Context, err error) bool {
	return ctx.Err() == nil && llm.AsError(err).Retryable()
}

// Rester is a target that knows for how long it should be left alone; 0 is not
// at all.
type Rester interface {
	Rest() time.Duration
}

func rest(t llm.Target) time.Duration {
	if r, ok := t.(Rester); ok {
		return r.Rest()
	}
	return 0
}

// Watched is a model's target whose rest is known to a [Health].
type Watched struct {
	llm.Target
	Provider, Model string
	Health          *Health
	Keys            func() []string // labels of the provider's keys; nil: it takes none
}

// Name is provider/model.
func (w Watched) Name() string { return w.Provider + "/" + w.Model }

// Rest is that of the key that rests least.
func (w Watched) Rest() time.Duration {
	if w.Keys == nil {
		return w.Health.Rest(w.Provider, "", w.Model)
	}
	var least time.Duration
	for i, key := range w.Keys() {
		if d := w.Health.Rest(w.Provider, key, w.Model); i == 0 || d < least {
			least = d
		}
	}
	return least
}

// Do asks the target. When a key is refused or used up, the next one is tried:
// whoever signs passes over keys that rest.
func (w Watched) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	tries := 1
	if w.Keys != nil {
		tries = max(1, len(w.Keys()))
	}
	for {
		resp, err := w.Target.Do(ctx, r)
		if err == nil {
			return resp, nil
		}
		tries--
		if tries == 0 || !ofTheKey(err) || ctx.Err() != nil || w.Rest() > 0 {
			return nil, err
		}
	}
}

// ofTheKey tells a failure that another key of the provider may not share.
func ofTheKey(err error) bool {
	switch llm.AsError(err).Kind {
	case llm.RateLimited, llm.Unauthorized, llm.NoCredit:
		return true
	default:
		return false
	}
}
