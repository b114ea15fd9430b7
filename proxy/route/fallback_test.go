package route

import (
	"context"
	"testing"

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
