package route

import (
	"context"
	"slices"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func TestFallback(t *testing.T) {
	for name, c := range map[string]struct {
		errs  []error
		want  error
		calls []int
	}{
		"first answers":            {[]error{nil, nil}, nil, []int{1, 0}},
		"second answers":           {[]error{busy, nil}, nil, []int{1, 1}},
		"client's own fault":       {[]error{bad, nil}, bad, []int{1, 0}},
		"all busy: the last error": {[]error{bad2(), busy}, busy, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var f Fallback
			var fakes []*fake
			for _, err := range c.errs {
				x := &fake{err: err}
				fakes = append(fakes, x)
				f = append(f, x)
			}
			resp, err := f.Do(t.Context(), &llm.Request{})
			if err != c.want || (err == nil) != (resp != nil) {
				t.Errorf("got %v, %v; want %v", resp, err, c.want)
			}
			for i, x := range fakes {
				if x.asked != c.calls[i] {
					t.Errorf("target %d was called %d times, want %d", i, x.asked, c.calls[i])
				}
			}
		})
	}
}

func bad2() error { return &llm.Error{Kind: llm.RateLimited, Message: "later"} }

func TestFallbackStopsWhenTheClientIsGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	second := &fake{}
	_, err := Fallback{&fake{err: &llm.Error{Kind: llm.Unreachable}}, second}.Do(ctx, &llm.Request{})
	if err == nil || second.asked != 0 {
		t.Errorf("err %v, second target called %d times", err, second.asked)
	}
}

// tired is a target that should be left alone.
type tired struct{ *fake }

func (tired) Rest() time.Duration { return time.Minute }

func TestFallbackLeavesAlone(t *testing.T) {
	resting, ready := &fake{name: "resting"}, &fake{name: "ready"}
	f := Fallback{tired{resting}, ready}
	if resp, err := f.Do(t.Context(), &llm.Request{}); err != nil || resp.Target != "ready" || resting.asked != 0 {
		t.Errorf("%v, %v; the resting one was asked %d times", resp, err, resting.asked)
	}
	ready.err = busy
	if resp, err := f.Do(t.Context(), &llm.Request{}); err != nil || resp.Target != "resting" {
		t.Errorf("with nobody else: %v, %v", resp, err)
	}
}

// The row and the answer say why another than the first was asked.
func TestFallbackSaysWhy(t *testing.T) {
	watched := func(model string, err error, rest time.Duration) llm.Target {
		var h Health
		if rest > 0 {
			h.Note(ended("p", "k", model, &llm.Error{Kind: llm.RateLimited, RetryAfter: rest}))
		}
		return Watched{Target: &fake{name: model, err: err}, Provider: "p", Model: model, Health: &h, Keys: func() []string { return []string{"k"} }}
	}
	for want, f := range map[string]Fallback{
		"": {watched("a", nil, 0), watched("b", nil, 0)},
		"fallback: number 2 of 2, as p/a failed (overloaded)":                {watched("a", busy, 0), watched("b", nil, 0)},
		"fallback: number 2 of 2, as p/a is left alone for now":              {watched("a", nil, time.Hour), watched("b", nil, 0)},
		"fallback: number 1 of 2, as p/b failed (overloaded)":                {watched("a", nil, time.Hour), watched("b", busy, 0)},
		"fallback: number 3 of 3, as p/b failed (overloaded)":                {watched("a", nil, time.Hour), watched("b", busy, 0), watched("c", nil, 0)},
		"fallback: number 2 of 2, as p/a failed (rate_limit)":                {watched("a", bad2(), time.Hour), watched("b", nil, time.Hour)},
		"fallback: number 2 of 2, as the one before failed (authentication)": {&fake{err: &llm.Error{Kind: llm.Unauthorized}}, watched("b", nil, 0)},
	} {
		if resp, err := f.Do(t.Context(), &llm.Request{}); err != nil || resp.Why != want {
			t.Errorf("%+v, %v; want %q", resp, err, want)
		}
	}
	if _, err := (Fallback{}).Do(t.Context(), &llm.Request{}); llm.AsError(err).Kind != llm.Internal {
		t.Error(err)
	}
}

func TestWatchedTriesEachKey(t *testing.T) {
	var h Health
	limited := &llm.Error{Kind: llm.RateLimited, RetryAfter: time.Minute}
	keys := []string{"one", "two", "three"}
	var used []string
	fails := map[string]*llm.Error{"one": limited, "two": {Kind: llm.Unauthorized}}
	w := Watched{Provider: "p", Model: "m", Health: &h, Keys: func() []string { return keys }}
	w.Target = do(func() error {
		for _, k := range keys { // as a signer would
			if h.Rest("p", k, "m") == 0 {
				used = append(used, k)
				h.Note(ended("p", k, "m", fails[k]))
				if err := fails[k]; err != nil {
					return err
				}
				return nil
			}
		}
		return limited
	})
	if _, err := w.Do(t.Context(), &llm.Request{}); err != nil || !slices.Equal(used, keys) || w.Rest() != 0 {
		t.Errorf("keys %v were tried: %v; rests %v", used, err, w.Rest())
	}
	fails["three"], used = limited, nil
	if _, err := w.Do(t.Context(), &llm.Request{}); err != limited || len(used) != 1 {
		t.Errorf("keys %v were tried: %v", used, err)
	}
	if d := w.Rest(); d <= 0 || d > time.Minute {
		t.Errorf("all keys rest, and the model %v", d)
	}
}

// do is a target that answers or fails as the function says.
type do func() error

func (d do) Do(context.Context, *llm.Request) (*llm.Response, error) {
	if err := d(); err != nil {
		return nil, err
	}
	return &llm.Response{}, nil
}
