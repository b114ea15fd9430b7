//go:build !nogui

package ui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// crew does work beside Fyne's goroutine and comes back to it. Its owner
// cancels ctx and waits.
type crew struct {
	ctx    context.Context
	wait   sync.WaitGroup
	inline bool // tests: work is done where it is asked for
}

// later works in a goroutine and then calls done on Fyne's, unless ctx has
// ended meanwhile. It is called on Fyne's goroutine.
func later[T any](c *crew, ctx context.Context, work func(context.Context) T, done func(T)) {
	if c.inline {
		done(work(ctx))
		return
	}
	c.wait.Go(func() {
		v := work(ctx)
		if ctx.Err() != nil {
			return
		}
		fyne.Do(func() {
			if ctx.Err() == nil {
				done(v)
			}
		})
	})
}

// actTime bounds what the user asks for by a button.
const actTime = 60 * time.Second

// act does what the user asked for, to its end even if the screen is left, and
// then calls done with its error.
func (c *crew) act(work func(context.Context) error, done func(error)) {
	later(c, c.ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, actTime)
		defer cancel()
		return work(ctx)
	}, done)
}

// stage is a screen's time in view. Work that it loads ends with it.
type stage struct {
	crew   *crew
	ctx    context.Context // nil while the screen is not in view
	cancel context.CancelFunc
	busy   bool // a load is under way
	again  bool // and another was asked for
	alarm  *time.Timer
}

func (s *stage) enter() {
	s.leave()
	s.ctx, s.cancel = context.WithCancel(s.crew.ctx)
}

func (s *stage) leave() {
	if s.cancel != nil {
		s.cancel()
	}
	s.ctx, s.cancel, s.busy, s.again = nil, nil, false, false
	s.wake(0, nil)
}

// wake calls f on Fyne's goroutine after d, in place of what was to be called
// before, unless the screen goes out of view; 0 calls nothing.
func (s *stage) wake(d time.Duration, f func()) {
	if s.alarm != nil {
		s.alarm.Stop()
		s.alarm = nil
	}
	if ctx := s.ctx; d > 0 && ctx != nil && !s.crew.inline {
		s.alarm = time.AfterFunc(d, func() {
			fyne.Do(func() {
				if ctx.Err() == nil {
					f()
				}
			})
		})
	}
}

// load reads in a goroutine and draws on Fyne's. While one load is under way,
// any number of further ones become one.
func load[T any](s *stage, read func(context.Context) (T, error), draw func(T, error)) {
	switch {
	case s.ctx == nil:
		return
	case s.busy:
		s.again = true
		return
	}
	s.busy = true
	type result struct {
		v   T
		err error
	}
	later(s.crew, s.ctx, func(ctx context.Context) result {
		v, err := read(ctx)
		return result{v, err}
	}, func(r result) {
		s.busy = false
		draw(r.v, r.err)
		if s.again {
			s.again = false
			load(s, read, draw)
		}
	})
}
