package config

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// TestDebounce plays events at set times and looks when the file was read.
func TestDebounce(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name     string
		pending  bool
		events   []time.Duration // since the start; negative ones are of another file
		vanished [2]time.Duration
		want     []time.Duration
	}{
		{"nothing", false, nil, [2]time.Duration{}, nil},
		{"the first look", true, nil, [2]time.Duration{}, []time.Duration{100 * ms}},
		{"one", false, []time.Duration{10 * ms}, [2]time.Duration{}, []time.Duration{110 * ms}},
		{"a burst", false, []time.Duration{10 * ms, 60 * ms, 110 * ms}, [2]time.Duration{}, []time.Duration{210 * ms}},
		{"two", false, []time.Duration{10 * ms, 400 * ms}, [2]time.Duration{}, []time.Duration{110 * ms, 500 * ms}},
		{"another file", false, []time.Duration{-10 * ms, 20 * ms, -50 * ms, -115 * ms}, [2]time.Duration{}, []time.Duration{120 * ms}},
		{"without end", false, every(30*ms, 150), [2]time.Duration{}, []time.Duration{2110 * ms, 4210 * ms, 4600 * ms}},
		{"empty for a while", false, []time.Duration{10 * ms, 600 * ms}, [2]time.Duration{10 * ms, 600 * ms}, []time.Duration{700 * ms}},
		{"empty for good", false, []time.Duration{10 * ms}, [2]time.Duration{10 * ms, time.Hour}, []time.Duration{1110 * ms}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				start := time.Now()
				events, errs := make(chan fsnotify.Event), make(chan error)
				var got []time.Duration
				d := &debounce{
					quiet: 100 * ms,
					ours:  func(name string) bool { return name == "ours" },
					act: func(sure bool) bool {
						now := time.Since(start)
						if !sure && now >= c.vanished[0] && now < c.vanished[1] {
							return false
						}
						got = append(got, now)
						return true
					},
					pending: c.pending,
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					d.run(ctx, events, errs)
				}()
				for _, at := range c.events {
					name := "ours"
					if at < 0 {
						at, name = -at, "other"
					}
					<-time.After(at - time.Since(start))
					events <- fsnotify.Event{Name: name, Op: fsnotify.Write}
				}
				<-time.After(10 * time.Second)
				cancel()
				<-done
				if !slices.Equal(got, c.want) {
					t.Errorf("read at %v, want %v", got, c.want)
				}
			})
		})
	}
}

func every(step time.Duration, n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = step * time.Duration(i+1)
	}
	return out
}

// TestDebounceLost looks at the file when the system lost events.
func TestDebounceLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		errs, acted, done := make(chan error), make(chan struct{}), make(chan struct{})
		d := &debounce{quiet: time.Second, act: func(bool) bool { close(acted); return true }}
		go func() {
			defer close(done)
			d.run(ctx, nil, errs)
		}()
		errs <- fsnotify.ErrEventOverflow
		<-acted
		cancel()
		<-done
	})
}

// TestDebounceLooks looks at the file now and then though nothing was said.
func TestDebounceLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		acted, done := make(chan struct{}, 10), make(chan struct{})
		d := &debounce{quiet: time.Second, act: func(bool) bool { acted <- struct{}{}; return true }}
		go func() {
			defer close(done)
			d.run(ctx, nil, nil)
		}()
		<-time.After(2*lookEvery + 2*time.Second)
		cancel()
		<-done
		if len(acted) != 2 {
			t.Errorf("looked %d times", len(acted))
		}
	})
}

// TestPoll reads the file where it cannot be watched.
func TestPoll(t *testing.T) {
	s := opened(t, "active: a\n", Options{})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.poll(ctx)
		}()
		write(t, s.Path(), "active: b\n")
		<-time.After(pollEvery + time.Second)
		cancel()
		<-done
	})
	if s.Current().Active != "b" {
		t.Errorf("got %+v", s.Current())
	}
}

// TestPump: a watcher is never kept waiting by a reader that is at something else, such as an Add, for which it would
// wait in turn; and the reader misses no name.
func TestPump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, errs := make(chan fsnotify.Event), make(chan error)
		out, failed := pump(events, errs)
		for i := range 1000 {
			events <- fsnotify.Event{Name: []string{"config.yaml", "ledger.db", "ledger.db-wal"}[i%3]}
			errs <- fsnotify.ErrEventOverflow
		}
		var got []string
		for range 3 {
			got = append(got, (<-out).Name)
		}
		if err := <-failed; err == nil || !slices.Equal(got, []string{"config.yaml", "ledger.db", "ledger.db-wal"}) {
			t.Errorf("%v, %v", got, err)
		}
		close(errs)
		events <- fsnotify.Event{Name: "again"}
		if e := <-out; e.Name != "again" {
			t.Errorf("%v", e)
		}
		close(events)
		if e, ok := <-out; ok {
			t.Errorf("after the end %v", e)
		}
	})
}
