package route

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keytray/proxy/llm"
)

func TestRace(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name  string
		after time.Duration
		all   []*fake
		want  string // who answers
		fails error
		took  time.Duration
		asked []int
	}{
		{"the first is fast enough", 2 * s, []*fake{{name: "a", after: s}, {name: "b"}}, "a", nil, s, []int{1, 0}},
		{"the second overtakes", 2 * s, []*fake{{name: "a", after: 9 * s}, {name: "b", after: s}}, "b", nil, 3 * s, []int{1, 1}},
		{"the first is still faster", 2 * s, []*fake{{name: "a", after: 3 * s}, {name: "b", after: 5 * s}}, "a", nil, 3 * s, []int{1, 1}},
		{"all at once", 0, []*fake{{name: "a", after: 3 * s}, {name: "b", after: 2 * s}, {name: "c", after: s}}, "c", nil, s, []int{1, 1, 1}},
		{"a failure starts the next", 5 * s, []*fake{{after: s, err: busy}, {name: "b", after: s}}, "b", nil, 2 * s, []int{1, 1}},
		{"beside one that still runs", 5 * s, []*fake{{name: "a", after: 20 * s}, {after: s, err: busy}, {name: "c", after: s}}, "c", nil, 7 * s, []int{1, 1, 1}},
		{"nobody more for a wrong request", s, []*fake{{name: "a", after: 9 * s}, {after: s / 2, err: bad}, {name: "c"}}, "a", nil, 9 * s, []int{1, 1, 0}},
		{"all fail", s, []*fake{{err: busy}, {after: s, err: busy}}, "", busy, s, []int{1, 1}},
		{"nobody else would take it", s, []*fake{{err: bad}, {name: "b"}}, "", bad, 0, []int{1, 0}},
		{"a late failure does not matter", s, []*fake{{after: 2 * s, err: busy}, {name: "b", after: 5 * s}}, "b", nil, 6 * s, []int{1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				r := &llm.Request{}
				resp, err := Race{Targets: targets(c.all...), After: c.after}.Do(t.Context(), r)
				if !errors.Is(err, c.fails) || err == nil && resp.Target != c.want {
					t.Errorf("%+v, %v", resp, err)
				}
				if err == nil && (!strings.HasPrefix(resp.Why, "race: number ") || !strings.HasSuffix(resp.Why, " to be asked")) {
					t.Errorf("because %q", resp.Why)
				}
				if took := time.Since(begin); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				synctest.Wait()
				for i, f := range c.all {
					if f.asked != c.asked[i] {
						t.Errorf("target %d was asked %d times, want %d", i, f.asked, c.asked[i])
					}
					if f.cause != nil && f.cause != llm.ErrLost {
						t.Errorf("target %d was stopped because %v", i, f.cause)
					}
				}
			})
		})
	}
}

// TestRaceEndsLosers: one that answers in the same moment is closed, and the winner's answer lives on.
func TestRaceEndsLosers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stubborn := &stubborn{fake{name: "slow", after: 2 * time.Second}}
		fast := &fake{name: "fast", after: time.Second}
		resp, err := Race{Targets: []llm.Target{stubborn, fast}}.Do(t.Context(), &llm.Request{})
		if err != nil || resp.Target != "fast" {
			t.Fatal(resp, err)
		}
		time.Sleep(5 * time.Second) // of the bubble
		synctest.Wait()
		if stubborn.closed != 1 || fast.closed != 0 {
			t.Errorf("the loser was closed %d times, the winner %d", stubborn.closed, fast.closed)
		}
	})
}

// stubborn answers even when nobody wants it any more.
type stubborn struct{ fake }

func (s *stubborn) Do(_ context.Context, r *llm.Request) (*llm.Response, error) {
	return s.fake.Do(context.Background(), r)
}

func TestRaceLeavesAlone(t *testing.T) {
	resting, ready := &fake{name: "resting"}, &fake{name: "ready"}
	resp, err := Race{Targets: []llm.Target{tired{resting}, ready}, After: time.Hour}.Do(t.Context(), &llm.Request{})
	if err != nil || resp.Target != "ready" || resting.asked != 0 {
		t.Errorf("%v, %v; the resting one was asked %d times", resp, err, resting.asked)
	}
}

// Who asked to be left alone is not asked with the others, but when they have
// failed, or hang.
func TestRaceLeavesAloneWhileOthersRun(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second, silence + time.Second} {
		synctest.Test(t, func(t *testing.T) {
			most := max(silence, after)
			resting, slow := &fake{name: "resting"}, &fake{name: "slow", after: most - 1}
			s := Race{Targets: []llm.Target{tired{resting}, slow}, After: after}
			if resp, err := s.Do(t.Context(), &llm.Request{}); err != nil || resp.Target != "slow" || resting.asked != 0 {
				t.Errorf("%v, %v; the resting one was asked %d times", resp, err, resting.asked)
			}
			start := time.Now()
			slow.after = time.Hour
			if resp, err := s.Do(t.Context(), &llm.Request{}); err != nil || resp.Target != "resting" || time.Since(start) != most {
				t.Errorf("beside one that hangs: %v, %v after %s", resp, err, time.Since(start))
			}
			slow.err, slow.after = busy, 0
			start = time.Now()
			if resp, err := s.Do(t.Context(), &llm.Request{}); err != nil || resp.Target != "resting" || time.Since(start) != 0 {
				t.Errorf("with nobody else: %v, %v after %s", resp, err, time.Since(start))
			}
		})
	}
}

// Where all should be left alone, they race like any others.
func TestRaceOfResting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs, answers := &fake{name: "hangs", after: time.Hour}, &fake{name: "answers"}
		start := time.Now()
		resp, err := Race{Targets: []llm.Target{tired{hangs}, tired{answers}}, After: time.Second}.Do(t.Context(), &llm.Request{})
		if err != nil || resp.Target != "answers" || time.Since(start) != time.Second {
			t.Errorf("%v, %v after %s", resp, err, time.Since(start))
		}
	})
}

func TestRaceClientGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a, b := &fake{after: time.Hour}, &fake{after: time.Hour}
		time.AfterFunc(3*time.Second, cancel)
		_, err := Race{Targets: targets(a, b), After: time.Second}.Do(ctx, &llm.Request{})
		if llm.AsError(err).Kind != llm.Canceled {
			t.Error(err)
		}
		synctest.Wait()
		if a.cause != context.Canceled {
			t.Errorf("stopped because %v", a.cause)
		}
	})
}

// claims is a target whose answers come whole, all at the same moment, and who asks whether each is wanted.
type claims struct{ together *sync.WaitGroup }

func (c claims) Do(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
	c.together.Done()
	c.together.Wait()
	if !llm.Claim(ctx) {
		return nil, llm.Lost()
	}
	return &llm.Response{Body: io.NopCloser(strings.NewReader(""))}, nil
}

// However many whole answers come at the same moment, one is the answer, and the others know that they have lost.
func TestRaceHasOneWinner(t *testing.T) {
	const many = 20
	for range 50 {
		var together sync.WaitGroup
		together.Add(many)
		won := make(chan bool, many)
		var all []llm.Target
		for range many {
			all = append(all, doing(func(ctx context.Context, r *llm.Request) (*llm.Response, error) {
				resp, err := claims{&together}.Do(ctx, r)
				won <- err == nil
				return resp, err
			}))
		}
		if _, err := (Race{Targets: all}).Do(t.Context(), &llm.Request{}); err != nil {
			t.Fatal(err)
		}
		winners := 0
		for range many {
			if <-won {
				winners++
			}
		}
		if winners != 1 {
			t.Fatalf("%d have won", winners)
		}
	}
}

type doing func(context.Context, *llm.Request) (*llm.Response, error)

func (f doing) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) { return f(ctx, r) }
