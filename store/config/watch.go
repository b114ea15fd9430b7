package config

import (
	"context"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// mostQuiet bounds how long a file that changes all the time is not read, in quiet times.
	mostQuiet = 20
	// emptyQuiet is how much longer a file that vanished or became empty must rest: an editor may be about to
	// write it.
	emptyQuiet = 10
	// pollEvery is used where the system cannot watch, such as when it has no more watches to give.
	pollEvery = 2 * time.Second
)

// watch reloads the file after each change until the context ends.
func (s *Store) watch(ctx context.Context) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.poll(ctx)
		return
	}
	defer watcher.Close()
	f := &folders{path: s.path, add: watcher.Add, remove: watcher.Remove, list: watcher.WatchList}
	if err := f.follow(); err != nil {
		s.poll(ctx)
		return
	}
	d := &debounce{
		quiet: s.options.Quiet,
		ours:  f.ours,
		vanished: func() bool {
			info, err := os.Stat(s.path)
			return err != nil || info.Size() == 0
		},
		act: func() {
			_ = f.follow()
			_ = s.Reload()
		},
	}
	// What changed between Open's reading and the first watch gave no event.
	d.pending = true
	d.run(ctx, watcher.Events, watcher.Errors)
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

// debounce calls act once after a burst of events.
type debounce struct {
	quiet    time.Duration
	ours     func(name string) bool
	vanished func() bool
	act      func()
	pending  bool
}

func (d *debounce) run(ctx context.Context, events <-chan fsnotify.Event, errs <-chan error) {
	timer := time.NewTimer(d.quiet)
	defer timer.Stop()
	if !d.pending {
		timer.Stop()
	}
	since, patience := time.Now(), 1
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
		case _, ok := <-errs:
			// Events were lost, so look.
			if !ok {
				return
			}
		case <-timer.C:
			if patience == 1 && d.vanished() {
				patience = emptyQuiet
				timer.Reset(d.quiet * emptyQuiet)
				continue
			}
			d.pending, patience = false, 1
			d.act()
			continue
		}
		if !d.pending {
			d.pending, since = true, time.Now()
		}
		patience = 1
		if time.Since(since) < d.quiet*mostQuiet {
			timer.Reset(d.quiet)
		}
	}
}
