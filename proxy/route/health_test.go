package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"keytray/proxy/llm"
)

// ended is an attempt that has just ended.
func ended(provider, key, model string, err *llm.Error) *llm.Attempt {
	a := &llm.Attempt{Provider: provider, Key: key, Model: model, Outcome: llm.OK, Start: time.Now(), End: time.Now()}
	if err != nil {
		a.Outcome, a.Err = llm.Failed, err
	}
	return a
}

func TestHealthRests(t *testing.T) {
	limited := &llm.Error{Kind: llm.RateLimited, RetryAfter: 30 * time.Second}
	wrong := &llm.Error{Kind: llm.Unauthorized}
	down := &llm.Error{Kind: llm.ServerError}
	for _, c := range []struct {
		name                 string
		errs                 []*llm.Error
		same, key2, m2, both time.Duration // rest of k1/m1, k2/m1, k1/m2, k2/m2
	}{
		{"a limit is of one key and model", []*llm.Error{limited}, 30 * time.Second, 0, 0, 0},
		{"a limit without a time", []*llm.Error{{Kind: llm.RateLimited}}, limitRest, 0, 0, 0},
		{"an absurd time", []*llm.Error{{Kind: llm.RateLimited, RetryAfter: 1000 * time.Hour}}, longestAsked, 0, 0, 0},
		{"a wrong key is wrong for all models", []*llm.Error{wrong}, badKeyRest, 0, badKeyRest, 0},
		{"one failure is nothing", []*llm.Error{down}, 0, 0, 0, 0},
		{"three are, with every key", []*llm.Error{down, down, down}, firstRest, firstRest, 0, 0},
		{"and four are more", []*llm.Error{down, down, down, down}, 2 * firstRest, 2 * firstRest, 0, 0},
		{"twenty are not for ever", slicesRepeat(down, 20), longestRest, longestRest, 0, 0},
		{"a success in between", []*llm.Error{down, down, nil, down}, 0, 0, 0, 0},
		{"an answer ends the rest", []*llm.Error{down, down, down, nil}, 0, 0, 0, 0},
		{"nobody is there", slicesRepeat(&llm.Error{Kind: llm.Unreachable}, 3), firstRest, firstRest, firstRest, firstRest},
		{"the client's own fault", slicesRepeat(bad, 9), 0, 0, 0, 0},
		{"the client went away", slicesRepeat(&llm.Error{Kind: llm.Canceled}, 9), 0, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var h Health
				for _, err := range c.errs {
					h.Note(ended("p", "k1", "m1", err))
				}
				for _, x := range []struct {
					key, model string
					want       time.Duration
				}{{"k1", "m1", c.same}, {"k2", "m1", c.key2}, {"k1", "m2", c.m2}, {"k2", "m2", c.both}} {
					if got := h.Rest("p", x.key, x.model); got != x.want {
						t.Errorf("%s with %s rests %v, want %v", x.model, x.key, got, x.want)
					}
				}
				if got := h.Rest("q", "k1", "m1"); got != 0 {
					t.Errorf("another provider rests %v", got)
				}
				time.Sleep(longestAsked)
				if got := h.Rest("p", "k1", "m1"); got != 0 {
					t.Errorf("still rests %v", got)
				}
			})
		})
	}
}

// What began before a provider asked to be left alone says nothing of the time
// after, however well it ends; and a shorter rest does not end a longer one.
func TestHealthKeepsARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Health
		before := ended("p", "k", "m", nil)
		time.Sleep(time.Second)
		h.Note(ended("p", "k", "m", &llm.Error{Kind: llm.ServerError, RetryAfter: time.Minute}))
		time.Sleep(time.Second)
		before.End = time.Now()
		h.Note(before)
		h.Note(ended("p", "k", "m", &llm.Error{Kind: llm.ServerError, RetryAfter: time.Second}))
		if got := h.Rest("p", "k", "m"); got != 59*time.Second {
			t.Errorf("it rests %v", got)
		}
	})
}

func slicesRepeat(e *llm.Error, n int) []*llm.Error {
	all := make([]*llm.Error, n)
	for i := range all {
		all[i] = e
	}
	return all
}

func TestHealthMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Health
		call := func(first, rest time.Duration, tokens int64) {
			a := ended("p", "k", "m", nil)
			a.Streamed, a.Start, a.FirstByte = true, a.End.Add(-first-rest), a.End.Add(-rest)
			a.Tally.Usage.Output = tokens
			h.Note(a)
		}
		call(time.Second, 2*time.Second, 200)
		if first, speed := h.Speed("p", "m"); first != time.Second || speed != 100 {
			t.Errorf("after one call: %v, %v", first, speed)
		}
		call(2*time.Second, 2*time.Second, 400)
		if first, speed := h.Speed("p", "m"); first != 1300*time.Millisecond || speed != 130 {
			t.Errorf("after two calls: %v, %v", first, speed)
		}
		time.Sleep(100 * halfLife)
		call(4*time.Second, 2*time.Second, 20)
		if first, speed := h.Speed("p", "m"); first.Round(time.Millisecond) != 4*time.Second || speed > 10.01 {
			t.Errorf("long after: %v, %v", first, speed)
		}
		if first, speed := h.Speed("p", "other"); first != 0 || speed != 0 {
			t.Errorf("never called: %v, %v", first, speed)
		}
	})
}

func TestHealthIsBounded(t *testing.T) {
	var h Health
	for i := range 3 * mostStates {
		a := ended("p", "k", fmt.Sprint(i), &llm.Error{Kind: llm.RateLimited})
		a.End = time.Unix(int64(i), 0)
		h.Note(a)
	}
	if len(h.state) > mostStates || h.state[subject{"p", "k", fmt.Sprint(3*mostStates - 1)}] == nil {
		t.Errorf("%d states, the last one kept: %v", len(h.state), h.state[subject{"p", "k", fmt.Sprint(3*mostStates - 1)}] != nil)
	}
}

func BenchmarkHealth(b *testing.B) {
	var h Health
	h.Note(ended("p", "k", "m", &llm.Error{Kind: llm.RateLimited, RetryAfter: time.Hour}))
	for b.Loop() {
		_ = h.Rest("p", "k", "m")
	}
}

// TestHealthTellsWhoRests: who is left alone, until when and why, and nobody
// whose time is over.
func TestHealthTellsWhoRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Health
		h.Note(ended("p", "k1", "m1", &llm.Error{Kind: llm.RateLimited, RetryAfter: 30 * time.Second}))
		h.Note(ended("p", "k2", "m1", &llm.Error{Kind: llm.Unauthorized}))
		for range 3 {
			h.Note(ended("q", "", "m2", &llm.Error{Kind: llm.Overloaded}))
		}
		h.Note(ended("r", "k3", "m3", &llm.Error{Kind: llm.ServerError})) // once is nothing
		h.Note(ended("s", "", "m4", &llm.Error{Kind: llm.Unauthorized}))  // it has no key yet
		start := time.Now()
		told := func() string {
			var out []string
			for _, r := range h.Resting(time.Now()) {
				out = append(out, fmt.Sprint(r.Provider, " ", r.Key, " ", r.Model, " ", r.Until.Sub(start), " ", r.Why))
			}
			slices.Sort(out)
			return strings.Join(out, "; ")
		}
		if got, want := told(), "p k1 m1 30s rate_limit; p k2  5m0s authentication; q  m2 10s overloaded"; got != want {
			t.Errorf("%s rest, want %s", got, want)
		}
		time.Sleep(30 * time.Second) // of the bubble's clock
		if got, want := told(), "p k2  5m0s authentication"; got != want {
			t.Errorf("later %s rest, want %s", got, want)
		}
		h.Note(ended("p", "k2", "m1", nil))
		if got := told(); got != "" {
			t.Errorf("after an answer %s rest", got)
		}
	})
}
