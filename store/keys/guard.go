package keys

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// DefaultTimeout is how long one keychain call, or one load of all keys, may take.
	DefaultTimeout = 10 * time.Second

	probeTimeout = 500 * time.Millisecond // for a look at a keychain that hung before
	maxLost      = 4                      // calls that may be stuck in the system at the same time
)

// vault is one system's keychain: calls that block as long as they like, and what can be found out around
// them. get, set and del are never called at the same time, except while an earlier call is stuck.
type vault struct {
	get func(account string) (string, error)
	set func(account, value string) error
	del func(account string) error
	// fits answers TooLarge before anything is written.
	fits func(account, value string) *Problem
	// look finds out what is wrong without changing anything, in the time that ctx gives. It is nil where the system
	// cannot tell.
	look func(ctx context.Context) *Problem
	// ready is look, and then what makes a call possible: it starts the service and asks to unlock the keyring.
	ready func(ctx context.Context) *Problem
	// explain classifies an error of get, set or del.
	explain func(error) *Problem
}

// guard puts a deadline around every call of a vault. A call that is not answered in time is left behind and
// remembered; until it returns, further calls go ahead only if a look says that the vault is well again.
type guard struct {
	vault
	timeout time.Duration
	life    context.Context // ends at Close

	turn chan struct{} // holds one token while a call is made

	mu    sync.Mutex
	lost  int      // calls left behind that have not returned
	last  *Problem // what the last one's caller was told
	hooks []func() // see OnReady
}

func newGuard(life context.Context, v vault, timeout time.Duration) *guard {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	return &guard{vault: v, timeout: timeout, life: life, turn: make(chan struct{}, 1)}
}

// Get reads the value of account.
func (g *guard) Get(ctx context.Context, account string) (string, error) {
	return g.do(ctx, func() (string, error) { return g.get(account) })
}

// Set stores value and reads it back: services have answered "done" to a write that the user refused.
func (g *guard) Set(ctx context.Context, account, value string) error {
	if p := g.fits(account, value); p != nil {
		return p
	}
	_, err := g.do(ctx, func() (string, error) {
		if err := g.set(account, value); err != nil {
			return "", err
		}
		kept, err := g.get(account)
		if err == nil && kept == value {
			return "", nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return "", err
		}
		return "", errNotKept
	})
	return err
}

// Delete removes every item of account, and makes sure.
func (g *guard) Delete(ctx context.Context, account string) error {
	found := false
	_, err := g.do(ctx, func() (string, error) {
		for range 8 {
			err := g.del(account)
			if found && errors.Is(err, ErrNotFound) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			found = true
		}
		return "", errNotGone
	})
	return err
}

var (
	errNotKept = errors.New("the keychain took the value but does not hold it")
	errNotGone = errors.New("the keychain still holds the value after removing it")
	errClosed  = errors.New("the keychain is closed")
)

// OnReady adds a function that is called, from a goroutine of the keychain, when a call that was left behind
// has returned or a keyring was unlocked later than a caller could wait.
func (g *guard) OnReady(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hooks = append(g.hooks, f)
}

func (g *guard) announce() {
	g.mu.Lock()
	hooks := g.hooks[:len(g.hooks):len(g.hooks)]
	g.mu.Unlock()
	if g.life.Err() != nil {
		return
	}
	for _, f := range hooks {
		f()
	}
}

// do makes one call within the timeout, and once more if the first failed in a way that may pass: the
// session's connection is shared with the window's toolkit, and an unlock can take a signal that was meant for another.
func (g *guard) do(ctx context.Context, op func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	defer context.AfterFunc(g.life, cancel)()
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		return "", g.late(ctx)
	}
	value, err := g.attempt(ctx, op)
	if err == nil || errors.Is(err, ErrNotFound) {
		return value, err
	}
	first := AsProblem(err)
	if first == nil || first.Err == nil || !(first.Kind == Locked || first.Kind == Died || first.Kind == Failed) {
		return "", err
	}
	value, err = g.attempt(ctx, op)
	if again := AsProblem(err); first.Kind == Died && again != nil && again.Kind == NoService {
		return "", first // what the user saw happen, rather than what it left
	}
	return value, err
}

func (g *guard) attempt(ctx context.Context, op func() (string, error)) (string, error) {
	if err := g.admit(ctx); err != nil {
		return "", err
	}
	c := &call{answer: make(chan struct{})}
	go func() {
		c.value, c.err = protect(op)
		close(c.answer)
		if g.returned(c) {
			g.announce()
		}
	}()
	select {
	case <-c.answer:
	case <-ctx.Done():
		if err := g.leave(ctx, c); err != nil {
			return "", err
		}
	}
	if c.err == nil || errors.Is(c.err, ErrNotFound) {
		return c.value, c.err
	}
	p := g.classify(c.err)
	if p.Kind == NoService && g.ready != nil {
		p = died(c.err) // it was there a moment ago
	}
	return "", p
}

// call is one running call. value and err are set before answer is closed; left and over are the guard's.
type call struct {
	value  string
	err    error
	answer chan struct{}
	left   bool
	over   bool
}

// protect turns a panic into an error: go-keyring panics when the bus ends while it waits for a dialog.
func protect(op func() (string, error)) (value string, err error) {
	defer func() {
		if r := recover(); r != nil {
			value, err = "", errPanic
		}
	}()
	return op()
}

var errPanic = errors.New("the connection to the keychain broke")

// admit decides whether a call may go out.
func (g *guard) admit(ctx context.Context) error {
	if g.life.Err() != nil {
		return failed(errClosed)
	}
	g.mu.Lock()
	lost, last := g.lost, g.last
	g.mu.Unlock()
	if lost > 0 {
		if g.look == nil || lost >= maxLost {
			return last
		}
		probe, cancel := context.WithTimeout(ctx, probeTimeout)
		p := g.look(probe)
		cancel()
		if p != nil {
			return p
		}
	}
	if g.ready == nil {
		return nil
	}
	if p := g.ready(ctx); p != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return g.late(ctx)
		}
		return p
	}
	return nil
}

// leave gives up waiting for c and says why, or answers nil if c has just returned.
func (g *guard) leave(ctx context.Context, c *call) error {
	g.mu.Lock()
	if c.over {
		g.mu.Unlock()
		return nil
	}
	c.left = true
	g.lost++
	if g.last == nil {
		g.last = hangs("the keychain did not answer in time", ctx.Err())
	}
	g.mu.Unlock()

	err := g.late(ctx)
	if p := AsProblem(err); p != nil {
		g.mu.Lock()
		g.last = p
		g.mu.Unlock()
	}
	return err
}

// returned notes that c came back, and reports whether it was the last of those left behind.
func (g *guard) returned(c *call) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.over = true
	if !c.left {
		return false
	}
	g.lost--
	if g.lost == 0 {
		g.last = nil
	}
	return g.lost == 0
}

// late says why ctx ended before the call did.
func (g *guard) late(ctx context.Context) error {
	if g.life.Err() != nil {
		return failed(errClosed)
	}
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("waiting for the keychain: %w", context.Cause(ctx))
	}
	if g.look != nil {
		probe, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTimeout)
		defer cancel()
		if p := g.look(probe); p != nil {
			return p
		}
	}
	return hangs("the keychain did not answer in time", ctx.Err())
}

func (g *guard) classify(err error) *Problem {
	switch {
	case errors.Is(err, errNotKept), errors.Is(err, errNotGone):
		p := denied(err)
		p.Message = err.Error() + ": a question of the system may have been answered with no"
		return p
	case errors.Is(err, errPanic):
		return died(err)
	}
	return g.explain(err)
}
