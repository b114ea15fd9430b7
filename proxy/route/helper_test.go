package route

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"keytray/proxy/llm"
)

// fake is a target that answers, or fails, after a while.
type fake struct {
	name  string
	after time.Duration
	err   error

	mu     sync.Mutex
	asked  int
	cause  error // why its context ended before it answered
	closed int
}

func (f *fake) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	f.mu.Lock()
	f.asked++
	f.mu.Unlock()
	r.NextAttempt()
	wait := make(chan struct{})
	if f.after == 0 {
		close(wait)
	} else {
		defer time.AfterFunc(f.after, func() { close(wait) }).Stop()
	}
	select {
	case <-wait:
	case <-ctx.Done():
		f.mu.Lock()
		f.cause = context.Cause(ctx)
		f.mu.Unlock()
		return nil, &llm.Error{Kind: llm.Canceled, Message: "stopped", Cause: ctx.Err()}
	}
	if f.err != nil {
		return nil, f.err
	}
	return &llm.Response{Target: f.name, Body: &closer{f, strings.NewReader(f.name)}, Call: &llm.Call{}, Why: llm.NoteOf(ctx).Reason}, nil
}

type closer struct {
	f *fake
	io.Reader
}

func (c *closer) Close() error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	c.f.closed++
	return nil
}

var (
	busy = &llm.Error{Kind: llm.Overloaded, Message: "busy"}
	bad  = &llm.Error{Kind: llm.BadRequest, Message: "bad"}
)

func targets(all ...*fake) []llm.Target {
	var out []llm.Target
	for _, f := range all {
		out = append(out, f)
	}
	return out
}

// now answers at once.
type now struct{}

func (now) Do(context.Context, *llm.Request) (*llm.Response, error) {
	return &llm.Response{Body: io.NopCloser(strings.NewReader(""))}, nil
}
