package keys

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Add stores a new key in the keychain and in memory; label "" means DefaultLabel. A label or a secret that
// the provider has already is refused with ErrExists. If the secret is stored and the list of names cannot be
// written after it, the error says so and adding it again puts it right.
func (r *Ring) Add(ctx context.Context, provider, label string, secret Secret) error {
	n, err := makeName(provider, label)
	if err != nil {
		return err
	}
	if secret.IsZero() {
		return errors.New("the key is empty")
	}
	return r.change(ctx, func(ctx context.Context, x index) error {
		names, err := r.others(ctx, x, n, secret)
		if err != nil {
			return err
		}
		names = append(names, n)
		if _, _, err := x.plan(names); err != nil {
			return err
		}
		if err := r.kc.Set(ctx, n.account(), secret.Reveal()); err != nil {
			return fmt.Errorf("storing the key %s: %w", n.account(), asProblem(err))
		}
		if err := x.write(ctx, r.kc, names); err != nil {
			return fmt.Errorf("the key %s is stored but not listed yet; add it again: %w", n.account(), asProblem(err))
		}
		r.hold(n, func(list []Key, at int) []Key {
			if at >= 0 {
				list = slices.Delete(list, at, at+1)
			}
			return append(list, r.key(n, secret))
		})
		return nil
	})
}

// others gives the names besides n, and refuses n or secret if the provider has it already. A name whose
// secret is gone does not count.
func (r *Ring) others(ctx context.Context, x index, n name, secret Secret) ([]name, error) {
	names := make([]name, 0, len(x.names)+1)
	for _, have := range x.names {
		if have.provider != n.provider {
			names = append(names, have)
			continue
		}
		k, err := r.readKey(ctx, have)
		gone := errors.Is(err, ErrNotFound)
		if err != nil && !gone && !errors.Is(err, errMalformed) {
			return nil, asProblem(err)
		}
		switch {
		case gone && have.same(n):
			continue
		case have.same(n):
			return nil, refuse(ErrExists, "%s has a key labelled %q already; replace that one or choose another label", n.provider, have.label)
		case err == nil && k.Secret.Equal(secret):
			return nil, refuse(ErrExists, "%s has this very key already, labelled %q", n.provider, have.label)
		}
		names = append(names, have)
	}
	return names, nil
}

// Replace gives the key a new secret. ErrUnknown if there is no such key, ErrExists if another label of the
// provider has that secret.
func (r *Ring) Replace(ctx context.Context, provider, label string, secret Secret) error {
	n, err := makeName(provider, label)
	if err != nil {
		return err
	}
	if secret.IsZero() {
		return errors.New("the key is empty")
	}
	return r.change(ctx, func(ctx context.Context, x index) error {
		at := x.find(n)
		if at < 0 {
			return r.unknown(n)
		}
		n = x.names[at]
		rest := x
		rest.names = slices.Delete(slices.Clone(x.names), at, at+1)
		if _, err := r.others(ctx, rest, n, secret); err != nil {
			return err
		}
		if err := r.kc.Set(ctx, n.account(), secret.Reveal()); err != nil {
			return fmt.Errorf("storing the key %s: %w", n.account(), asProblem(err))
		}
		r.hold(n, func(list []Key, at int) []Key {
			if at < 0 {
				return append(list, r.key(n, secret))
			}
			list[at] = r.key(n, secret)
			return list
		})
		return nil
	})
}

// Remove takes the key out of the keychain and out of memory. ErrUnknown if there is no such key.
func (r *Ring) Remove(ctx context.Context, provider, label string) error {
	n, err := makeName(provider, label)
	if err != nil {
		return err
	}
	return r.change(ctx, func(ctx context.Context, x index) error {
		at := x.find(n)
		if at < 0 {
			return r.unknown(n)
		}
		n = x.names[at]
		if err := r.kc.Delete(ctx, n.account()); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("removing the key %s: %w", n.account(), asProblem(err))
		}
		r.hold(n, drop)
		if err := x.write(ctx, r.kc, slices.Delete(slices.Clone(x.names), at, at+1)); err != nil {
			return fmt.Errorf("the key %s is removed but still listed; remove it again: %w", n.account(), asProblem(err))
		}
		return nil
	})
}

// Rename gives the key another label and keeps its place. ErrUnknown if there is no such key, ErrExists if the
// new label is taken. Two labels that differ in case alone are the same label.
func (r *Ring) Rename(ctx context.Context, provider, label, to string) error {
	from, err := makeName(provider, label)
	if err != nil {
		return err
	}
	target, err := makeName(provider, to)
	if err != nil {
		return err
	}
	return r.change(ctx, func(ctx context.Context, x index) error {
		at := x.find(from)
		if at < 0 {
			return r.unknown(from)
		}
		from = x.names[at]
		if from == target {
			return nil
		}
		if taken := x.find(target); taken == at {
			return refuse(ErrExists, "the label %q differs from %q in case alone, and some keychains cannot tell them apart: choose another", target.label, from.label)
		} else if taken >= 0 {
			return refuse(ErrExists, "%s has a key labelled %q already; choose another label", provider, x.names[taken].label)
		}
		names := slices.Clone(x.names)
		names[at] = target
		if _, _, err := x.plan(names); err != nil {
			return err
		}
		k, err := r.readKey(ctx, from)
		if err != nil {
			return fmt.Errorf("reading the key %s: %w", from.account(), err)
		}
		if err := r.kc.Set(ctx, target.account(), k.Secret.Reveal()); err != nil {
			return fmt.Errorf("storing the key %s: %w", target.account(), asProblem(err))
		}
		if err := x.write(ctx, r.kc, names); err != nil {
			return fmt.Errorf("the key keeps its label %q: %w", from.label, asProblem(err))
		}
		r.hold(from, func(list []Key, at int) []Key {
			if at >= 0 {
				list[at] = r.key(target, k.Secret)
			}
			return list
		})
		if err := r.kc.Delete(ctx, from.account()); err != nil && !errors.Is(err, ErrNotFound) {
			return fmt.Errorf("the key is now %s, but its old item %s is still in the keychain: %w", target.account(), from.account(), asProblem(err))
		}
		return nil
	})
}

// hold changes the keys in memory: f gets a copy of the list and the place of n in it, or -1. It drops what the last load noted
// about n.
func (r *Ring) hold(n name, f func(list []Key, at int) []Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.Clone(r.stored)
	at := slices.IndexFunc(list, func(k Key) bool { return n.same(name{k.Provider, k.Label}) })
	r.stored = f(list, at)
	r.notes = slices.DeleteFunc(slices.Clone(r.notes), func(note Note) bool { return n.same(name{note.Provider, note.Label}) })
	r.publish()
}

func drop(list []Key, at int) []Key {
	if at < 0 {
		return list
	}
	return slices.Delete(list, at, at+1)
}

// unknown says what to do about a key that is not in the keychain.
func (r *Ring) unknown(n name) error {
	for _, k := range r.Cached(n.provider) {
		if k.Source != FromKeychain && strings.EqualFold(k.Label, n.label) {
			return refuse(ErrUnknown, "the key %s comes %s, not out of the keychain: change it there", n.account(), k.Where)
		}
	}
	return refuse(ErrUnknown, "%s has no key labelled %q in the keychain", n.provider, n.label)
}
