package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Load reads all keys from the keychain into memory, once or again. The error is a *Problem, or the context's
// end; what was loaded before then stays, and flags and environment work all the same. It is limited by the
// ring's timeout.
func (r *Ring) Load(ctx context.Context) error {
	return r.locked(ctx, func(ctx context.Context) error { return r.read(ctx) })
}

// loadOnce loads if no load was ever tried, else it answers with the keychain's last problem.
func (r *Ring) loadOnce(ctx context.Context) error {
	r.mu.Lock()
	asked, health := r.asked, r.health
	r.mu.Unlock()
	if !asked {
		return r.Load(ctx)
	}
	if health != nil {
		return health
	}
	return nil
}

// locked runs f while no other load or change runs, within the ring's timeout, and tells the subscribers.
func (r *Ring) locked(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for another change of the keys: %w", ctx.Err())
	}
	err := f(ctx)
	<-r.turn
	r.tell()
	return err
}

// change runs f with the list of keys as it is now in the keychain, alone among all Keytray processes if there
// is a lock file. It notes what is wrong with the keychain, and loads everything if the keychain has come back.
func (r *Ring) change(ctx context.Context, f func(context.Context, index) error) error {
	return r.locked(ctx, func(ctx context.Context) error {
		unlock, err := lockFile(ctx, r.lockFile)
		if err != nil {
			return err
		}
		defer unlock()
		x, err := readIndex(ctx, r.kc)
		if p := AsProblem(err); p != nil && p.Kind == Damaged && x.Version <= indexVersion {
			x.names, err = r.salvage(ctx) // for a new list; a copy of the old one is kept
		}
		err = asProblem(err)
		if err == nil {
			err = f(ctx, x)
		}
		r.mu.Lock()
		stale := !r.loaded || r.health != nil
		if p := AsProblem(err); p != nil && p.whole() {
			r.health = p
			r.publish()
		}
		r.mu.Unlock()
		if err == nil && stale {
			_ = r.read(ctx) // the change went through; Health says what did not
		}
		return err
	})
}

// read loads everything. The caller holds the turn.
func (r *Ring) read(ctx context.Context) error {
	found, notes, err := r.readAll(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = true
	r.health = AsProblem(err)
	switch {
	case err == nil || r.health != nil && r.health.Kind == Damaged:
		r.stored, r.notes, r.loaded = found, notes, true
	case !r.loaded: // a part is better than nothing
		r.stored, r.notes = found, notes
	default: // the old keys still work
	}
	if err != nil && r.health == nil && errors.Is(err, context.Canceled) {
		r.asked = r.loaded // the caller gave up; the keychain was not found wanting
	}
	r.publish()
	return err
}

func (r *Ring) readAll(ctx context.Context) (found []Key, notes []Note, err error) {
	x, broken := readIndex(ctx, r.kc)
	if p := AsProblem(broken); broken != nil && (p == nil || p.Kind != Damaged) {
		return nil, nil, asProblem(broken)
	}
	names := x.names
	if broken != nil {
		names = r.guess(x)
	}
	for _, account := range x.strange {
		notes = append(notes, Note{Label: account, Message: fmt.Sprintf("the list of keys holds a name that is none: %q", account), Remedy: "Add the key again."})
	}
	for _, n := range names {
		k, err := r.readKey(ctx, n)
		switch {
		case err == nil:
			found = append(found, k)
		case errors.Is(err, ErrNotFound):
			if x.find(n) >= 0 {
				notes = append(notes, Note{n.provider, n.label, fmt.Sprintf("the key %s is listed, but the keychain no longer holds it", n.account()), "Add it again, or remove it."})
			}
		case errors.Is(err, errMalformed):
			notes = append(notes, Note{n.provider, n.label, fmt.Sprintf("the key %s cannot be used: %v", n.account(), errors.Unwrap(err)), "Replace it."})
		default:
			return found, notes, asProblem(err)
		}
	}
	return found, notes, broken
}

// salvage gives the names that a damaged list should hold, as far as their keys are found.
func (r *Ring) salvage(ctx context.Context) (names []name, err error) {
	found, _, err := r.readAll(ctx)
	for _, k := range found {
		names = append(names, name{k.Provider, k.Label})
	}
	if p := AsProblem(err); p != nil && p.Kind == Damaged {
		err = nil
	}
	return names, err
}

// guess adds to a damaged list what may be there all the same: the keys in memory, and each provider's default.
func (r *Ring) guess(x index) []name {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := x.names
	add := func(n name) {
		if !slices.ContainsFunc(names, n.same) {
			names = append(names, n)
		}
	}
	for _, k := range r.stored {
		add(name{k.Provider, k.Label})
	}
	for provider := range r.vars {
		if checkProvider(provider) == nil {
			add(name{provider, DefaultLabel})
		}
	}
	slices.SortStableFunc(names[len(x.names):], func(a, b name) int {
		switch {
		case a.account() < b.account():
			return -1
		case a.account() > b.account():
			return 1
		}
		return 0
	})
	return names
}

// errMalformed marks an item that is there and is no key. What is wrong is one Unwrap below it.
var errMalformed = errors.New("malformed")

type malformed struct{ err error }

func (m malformed) Error() string        { return "malformed: " + m.err.Error() }
func (m malformed) Unwrap() error        { return m.err }
func (m malformed) Is(target error) bool { return target == errMalformed }

// readKey reads one key from the keychain.
func (r *Ring) readKey(ctx context.Context, n name) (Key, error) {
	text, err := r.kc.Get(ctx, n.account())
	if err != nil {
		return Key{}, err
	}
	secret, err := NewSecret(text)
	if err != nil {
		return Key{}, malformed{err}
	}
	return r.key(n, secret), nil
}

func (r *Ring) key(n name, secret Secret) Key {
	return Key{Provider: n.provider, Label: n.label, Source: FromKeychain, Secret: secret, Where: placeOf(r.kc)}
}

// asProblem makes sure that a keychain's error is a problem, except where the caller gave up.
func asProblem(err error) error {
	switch {
	case err == nil || AsProblem(err) != nil || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return hangs("the keychain did not answer in time", err)
	}
	return failed(err)
}
