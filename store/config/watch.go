package config

import (
	"context"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// mostQuiet bounds how long a file that changes all the time is not read, in quiet times.
	mostQuiet = 20
	// emptyQuiet is how long a file that vanished or became empty must rest: an editor may be about to write it.
	emptyQuiet = time.Second
	// pollEvery is used where the system cannot watch, such as when it has no more watches to give.
	pollEvery = 2 * time.Second
	// lookEvery finds what no event tells: a folder further up that was renamed, a change by another machine.
	lookEvery = 30 * time.Second
)

// watch reloads the file after each change until the context ends.
func (s *Store) watch(ctx context.Context) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.poll(ctx)
		return
	}
	events, errs := pump(watcher.Events, watcher.Errors)
	defer func() {
		_ = watcher.Close()
		for range events { // until the pump has ended
		}
	}()
	f := &folders{path: s.path, add: watcher.Add, remove: watcher.Remove, list: watcher.WatchList}
	if err := f.follow(); err != nil {
		s.poll(ctx)
		return
	}
	d := &debounce{
		quiet: s.options.Quiet,
		ours:  f.ours,
		act: func(sure bool) bool {
			_ = f.follow()
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.load(sure)
		},
	}
	// What changed between Open's reading and the first watch gave no event.
	d.pending = true
	d.run(ctx, events, errs)
}

// pump hands on what a watcher tells, until the watcher is closed, and lets it never wait for the reader: on Windows
// the reader's next Add would wait for the watcher in turn. What the reader has not taken yet is kept once for each name,
// and one error.
func pump(events <-chan fsnotify.Event, errs <-chan error) (<-chan fsnotify.Event, <-chan error) {
	out, failed := make(chan fsnotify.Event), make(chan error, 1)
	go func() {
		defer close(out)
		var kept []fsnotify.Event
		for {
			next, to := fsnotify.Event{}, out
			if len(kept) == 0 {
				to = nil
			} else {
				next = kept[0]
			}
			select {
			case e, ok := <-events:
				if !ok {
					return
				}
				if !slices.ContainsFunc(kept, func(k fsnotify.Event) bool { return k.Name == e.Name }) {
					kept = append(kept, e)
				}
			case err, ok := <-errs:
				if !ok {
					errs = nil
					continue
				}
				select {
				case failed <- err:
				default: // one says as much as many: look
				}
			case to <- next:
				kept = kept[1:]
			}
		}
	}()
	return out, failed
}

func (s *Store) poll(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.Reload()
		}
	}
}

// debounce calls act once after a burst of events, and once more, sure this time, after a longer rest if act
// returns false because the file may be about to be written.
type debounce struct {
	quiet   time.Duration
	ours    func(name string) bool
	act     func(sure bool) bool
	pending bool
}

func (d *debounce) run(ctx context.Context, events <-chan fsnotify.Event, errs <-chan error) {
	timer := time.NewTimer(d.quiet)
	defer timer.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	if !d.pending {
		timer.Stop()
	}
	since, sure := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			if !d.ours(e.Name) {
				continue
			}
		case <-look.C:
		case _, ok := <-errs:
			// Events were lost, so look.
			if !ok {
				return
			}
		case <-timer.C:
			if sure = !d.act(sure); sure {
				timer.Reset(emptyQuiet)
			}
			d.pending = sure
			continue
		}
		if !d.pending {
			d.pending, since = true, time.Now()
		}
		sure = false
		if time.Since(since) < d.quiet*mostQuiet {
			timer.Reset(d.quiet)
		}
	}
}
