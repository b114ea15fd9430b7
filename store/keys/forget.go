package keys

import (
	"context"
	"errors"
)

// Forget takes everything of Keytray's out of the keychain: each key that the ring can name, the tokens of those tools, and
// the list of keys last, so that a stop in the middle can be begun again. A system without a keychain holds nothing.
func (r *Ring) Forget(ctx context.Context, tools []string) error {
	return r.locked(ctx, func(ctx context.Context) error {
		unlock, err := lockFile(ctx, r.lockFile)
		if err != nil {
			return err
		}
		defer unlock()
		x, err := readIndex(ctx, r.kc)
		if p := AsProblem(asProblem(err)); p != nil {
			switch {
			case p.Kind == NoService:
				return nil
			case p.Kind != Damaged || x.Version > indexVersion:
				return p
			}
			x.names = r.guess(x)
		}
		var accounts []string
		for _, n := range x.names {
			accounts = append(accounts, n.account())
		}
		for _, tool := range tools {
			accounts = append(accounts, toolAccount(tool))
		}
		for part := 1; part <= x.Parts; part++ {
			accounts = append(accounts, partAccount(x.Gen, part))
		}
		for _, account := range append(accounts, indexAccount+"/damaged", indexAccount) {
			if err := r.kc.Delete(ctx, account); err != nil && !errors.Is(err, ErrNotFound) {
				return asProblem(err)
			}
		}
		r.mu.Lock()
		r.stored = nil
		r.publish()
		r.mu.Unlock()
		return nil
	})
}
