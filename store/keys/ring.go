package keys

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options says where a Ring looks for keys. The zero Options look in the system's keychain alone.
type Options struct {
	// Service is the keychain's name for Keytray's items; "" means DefaultService. Used if Keychain is nil.
	Service string
	// Flags are the keys given on the command line, by provider.
	Flags map[string]Secret
	// Env reads an environment variable, such as os.Getenv; nil means an empty environment.
	Env func(name string) string
	// EnvVars names each provider's variables, the preferred one first.
	EnvVars map[string][]string
	// Keychain is asked last; nil means the system's. None{} means that there is none.
	Keychain Keychain
	// Timeout limits each load and each change; 0 means DefaultTimeout.
	Timeout time.Duration
	// LockFile, if set, is a file that is locked while the list of keys in the keychain changes, so that two Keytray
	// processes cannot undo each other's changes. Its folder must exist.
	LockFile string
}

// Ring finds keys and keeps them in memory. Its methods may be called from several goroutines at once. Those
// whose names begin with Cached, and Health and Notes, never wait: they read what is loaded through one atomic pointer,
// so the request path and the window's goroutine may call them. The others may wait for the keychain.
type Ring struct {
	kc       Keychain
	own      *SystemKeychain // kc, if the ring opened it
	timeout  time.Duration
	env      func(string) string
	flags    map[string]Secret
	lockFile string

	turn chan struct{} // holds one token while the keychain is read or changed

	mu        sync.Mutex // guards what follows
	vars      map[string][]string
	stored    []Key // from the keychain, in the index's order
	asked     bool  // a load was tried
	loaded    bool  // a load went through
	health    *Problem
	notes     []Note // of the last load
	listeners map[int]func()
	nextID    int

	now atomic.Pointer[snapshot]
}

// snapshot is all that the cached methods show. It never changes.
type snapshot struct {
	keys   map[string][]Key // that sign
	admin  map[string]Key
	all    []Key
	health *Problem
	notes  []Note
}

// Note is about one key that cannot be used.
type Note struct {
	Provider string
	Label    string // or the environment variable
	Message  string
	Remedy   string
}

// NewRing makes a ring that knows the flags and the environment. It does not touch the keychain: Load, or the
// first call of Keys or All, does. The caller closes it.
func NewRing(o Options) *Ring {
	r := &Ring{
		kc: o.Keychain, timeout: o.Timeout, env: o.Env, flags: maps.Clone(o.Flags), lockFile: o.LockFile,
		turn: make(chan struct{}, 1), vars: cloneVars(o.EnvVars), listeners: map[int]func(){},
	}
	if r.timeout <= 0 {
		r.timeout = DefaultTimeout
	}
	if r.env == nil {
		r.env = func(string) string { return "" }
	}
	if r.kc == nil {
		r.own = System(o.Service, r.timeout)
		r.kc = r.own
	}
	if kc, ok := r.kc.(interface{ OnReady(f func()) }); ok {
		kc.OnReady(func() { _ = r.Load(context.Background()) }) // Health keeps what it says
	}
	r.mu.Lock()
	r.publish()
	r.mu.Unlock()
	return r
}

// Close ends the keychain that the ring opened; one that it was given stays open. The cached keys can still be read.
func (r *Ring) Close() error {
	if r.own == nil {
		return nil
	}
	return r.own.Close()
}

// SetProviders replaces the providers and their environment variables, and reads the environment again.
func (r *Ring) SetProviders(vars map[string][]string) {
	r.mu.Lock()
	r.vars = cloneVars(vars)
	r.publish()
	r.mu.Unlock()
	r.tell()
}

// Keys gives the keys that can sign for provider, the preferred one first: flag, environment, keychain. It
// loads the keychain if that was never tried. The keys are good even if the error is not nil; the error is then what is
// wrong with the keychain. The caller must not change the slice.
func (r *Ring) Keys(ctx context.Context, provider string) ([]Key, error) {
	err := r.loadOnce(ctx)
	return r.Cached(provider), err
}

// Admin gives the key that may read provider's cost report, if there is one, as Keys gives those that sign.
func (r *Ring) Admin(ctx context.Context, provider string) (k Key, ok bool, err error) {
	err = r.loadOnce(ctx)
	k, ok = r.now.Load().admin[provider]
	return k, ok, err
}

// All is Keys for every provider that has one, sorted by provider. A provider's admin key is its last.
func (r *Ring) All(ctx context.Context) ([]Key, error) {
	err := r.loadOnce(ctx)
	return r.CachedAll(), err
}

// Cached gives the keys of provider that are in memory, in the order of Keys. It never waits. The caller must
// not change the slice.
func (r *Ring) Cached(provider string) []Key { return r.now.Load().keys[provider] }

// CachedAll gives all keys in memory, in the order of All. It never waits. The caller must not change the slice.
func (r *Ring) CachedAll() []Key { return r.now.Load().all }

// Health gives what was wrong with the keychain when it was last used, or nil. It never waits.
func (r *Ring) Health() *Problem { return r.now.Load().health }

// Notes gives what is known about keys that cannot be used: gone from the keychain, or malformed. It never waits.
// The caller must not change the slice.
func (r *Ring) Notes() []Note { return r.now.Load().notes }

// Subscribe calls f after every change of the keys or of their health, from the goroutine that made the change and
// without any lock held. f must not wait for long. The returned function ends the subscription.
func (r *Ring) Subscribe(f func()) (stop func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := r.nextID
	r.nextID++
	r.listeners[id] = f
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.listeners, id)
	}
}

func (r *Ring) tell() {
	r.mu.Lock()
	listeners := make([]func(), 0, len(r.listeners))
	for _, id := range slices.Sorted(maps.Keys(r.listeners)) {
		listeners = append(listeners, r.listeners[id])
	}
	r.mu.Unlock()
	for _, f := range listeners {
		f()
	}
}

// publish makes a new snapshot from the ring's fields. The caller holds r.mu.
func (r *Ring) publish() {
	s := &snapshot{keys: map[string][]Key{}, admin: map[string]Key{}, health: r.health, notes: slices.Clone(r.notes)}
	for provider, secret := range r.flags {
		if !secret.IsZero() {
			s.keys[provider] = []Key{{Provider: provider, Label: string(FromFlag), Source: FromFlag, Secret: secret, Where: "from --key"}}
		}
	}
	for _, provider := range slices.Sorted(maps.Keys(r.vars)) {
		found, notes := r.fromEnvironment(provider, r.vars[provider])
		s.keys[provider] = append(s.keys[provider], found...)
		s.notes = append(s.notes, notes...)
	}
	providers := map[string]bool{}
	for _, k := range r.stored {
		providers[k.Provider] = true
		if k.Admin() {
			s.admin[k.Provider] = k
			continue
		}
		s.keys[k.Provider] = append(s.keys[k.Provider], k)
	}
	for provider, list := range s.keys {
		providers[provider] = true
		s.keys[provider] = slices.Clip(list)
	}
	for _, provider := range slices.Sorted(maps.Keys(providers)) {
		s.all = append(s.all, s.keys[provider]...)
		if k, ok := s.admin[provider]; ok {
			s.all = append(s.all, k)
		}
	}
	s.all = slices.Clip(s.all)
	r.now.Store(s)
}

func (r *Ring) fromEnvironment(provider string, vars []string) (found []Key, notes []Note) {
	for _, v := range vars {
		text := r.env(v)
		if text == "" {
			continue
		}
		secret, err := NewSecret(text)
		if err != nil {
			notes = append(notes, Note{provider, v, fmt.Sprintf("%s is set, but cannot be used: %v", v, err), "Correct the variable or unset it, and start Keytray again."})
			continue
		}
		if slices.ContainsFunc(found, func(k Key) bool { return k.Secret.Equal(secret) }) {
			continue // the same key under a second name
		}
		found = append(found, Key{Provider: provider, Label: v, Source: FromEnvironment, EnvVar: v, Secret: secret, Where: "from " + v})
	}
	return found, notes
}

func cloneVars(vars map[string][]string) map[string][]string {
	out := make(map[string][]string, len(vars))
	for provider, names := range vars {
		out[provider] = slices.Clone(names)
	}
	return out
}
