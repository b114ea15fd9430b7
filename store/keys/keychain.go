package keys

import (
	"context"
	"errors"
	"sync"
)

// Keychain keeps small secrets under account names for one service. Each method returns when ctx ends at the
// latest, may be called from several goroutines at once, and never puts a value into an error. Get and Delete
// answer ErrNotFound for an account that is not there; other errors are, or wrap, a *Problem.
//
// A Keychain may also have the method Place() string: where it keeps things, as a part of a sentence ("in the
// login keyring"); and OnReady(func()): call the function whenever the keychain works again after a problem that the
// caller was told about.
type Keychain interface {
	Get(ctx context.Context, account string) (string, error)
	// Set stores value, and replaces what was there.
	Set(ctx context.Context, account, value string) error
	Delete(ctx context.Context, account string) error
}

// placeOf gives the words for where kc keeps things.
func placeOf(kc Keychain) string {
	if p, ok := kc.(interface{ Place() string }); ok {
		return p.Place()
	}
	return "in the keychain"
}

// None is the Keychain of a machine without one: every call answers NoService.
type None struct{}

func (None) problem() error {
	return &Problem{
		NoService, "Keytray was started without a keychain",
		"Start it without that setting to keep keys; keys from the environment and from --key work as they are.", nil,
	}
}

// Get answers NoService.
func (n None) Get(context.Context, string) (string, error) { return "", n.problem() }

// Set answers NoService.
func (n None) Set(context.Context, string, string) error { return n.problem() }

// Delete answers NoService.
func (n None) Delete(context.Context, string) error { return n.problem() }

// Memory is a Keychain that forgets everything when the program ends. The zero Memory is empty and ready.
type Memory struct {
	mu     sync.Mutex
	values map[string]func() string // functions, so that printing a Memory shows no value
}

// Get gives the value of account.
func (m *Memory) Get(ctx context.Context, account string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[account]
	if !ok {
		return "", errors.Join(ctx.Err(), ErrNotFound)
	}
	return v(), ctx.Err()
}

// Set stores value.
func (m *Memory) Set(ctx context.Context, account, value string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values == nil {
		m.values = map[string]func() string{}
	}
	m.values[account] = func() string { return value }
	return nil
}

// Delete forgets account.
func (m *Memory) Delete(ctx context.Context, account string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.values[account]; !ok {
		return ErrNotFound
	}
	delete(m.values, account)
	return nil
}

// Place says that nothing is kept.
func (m *Memory) Place() string { return "in memory until Keytray ends" }
