package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"keytray/store/keys"
	"keytray/store/ledger"
)

// Belongings is all that Keytray has stored for this user.
type Belongings struct {
	Calls  int64    // in the ledger, dropped ones included
	Keys   []string // provider and label of each key in the keychain
	Unseen error    // no keychain could be reached, so that keys in one stay; else nil
	Tools  []string // that have a token
	Files  []string
	Folder []string // removed if nothing else is in them
}

// Belongings lists all that Purge removes. Its error is that of a keychain that
// cannot be read.
func (a *App) Belongings(ctx context.Context) (Belongings, error) {
	var b Belongings
	if s, err := a.Since(ctx, time.Time{}); err == nil {
		b.Calls = s.Calls
	}
	all, err := a.ring.All(ctx)
	if p := keys.AsProblem(err); p != nil && p.Kind == keys.NoService {
		b.Unseen = p
	} else if p != nil && p.Kind != keys.Damaged {
		return b, err
	}
	for _, k := range all {
		if k.Source == keys.FromKeychain {
			b.Keys = append(b.Keys, k.Provider+" "+k.Label)
		}
	}
	for _, t := range a.tokens.List() {
		if !t.Static {
			b.Tools = append(b.Tools, t.Name)
		}
	}
	b.Files, b.Folder = a.files()
	return b, nil
}

// files are those that Keytray makes, as far as they are there, and their
// folders.
func (a *App) files() (files, folders []string) {
	p := a.paths
	data := func(name string) string { return filepath.Join(p.DataFolder, name) }
	for _, pattern := range []string{
		p.Ledger, p.Ledger + "-*", p.Ledger + ".*", p.Tokens, p.Tokens + ".*", filepath.Join(filepath.Dir(p.Tokens), "."+filepath.Base(p.Tokens)+"*"),
		p.Vault, p.Vault + ".*", p.Lock, p.Lock + ".*", a.runningFile(), a.runningFile() + ".*", data("trusted.json*"),
		a.pricesPath(), data(".prices.json.new-*"), data(".keytray-probe-*"),
		p.Config, p.Config + ".*", filepath.Join(p.ConfigFolder, ".config.yaml.new-*"), filepath.Join(p.ConfigFolder, ".keytray-probe-*"),
	} {
		found, _ := filepath.Glob(pattern) // its only error is a bad pattern
		if _, err := os.Lstat(pattern); err == nil {
			found = append(found, pattern) // whatever signs are in the folder's name
		}
		for _, f := range found {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	slices.Sort(files)
	return files, slices.Compact([]string{p.DataFolder, p.ConfigFolder})
}

// Purge removes everything that Keytray has ever stored, and closes the App,
// which is of no use after it. It returns what it left in the folders because
// it is not its own. Another Keytray must not run: ErrRunning.
func (a *App) Purge(ctx context.Context) (left []string, err error) {
	if a.opt.Serve {
		return nil, fmt.Errorf("%w: this one", ErrRunning)
	}
	if err := a.Alone(ctx); err != nil {
		return nil, err
	}
	var tools []string
	for _, t := range a.tokens.List() {
		tools = append(tools, t.Name)
	}
	if err := a.ring.Forget(ctx, tools); err != nil {
		return nil, fmt.Errorf("nothing but keys was removed: %w", err)
	}
	if err := a.Close(); err != nil {
		a.log.Debug("close", "err", err) // what could not be written is removed anyway
	}
	files, folders := a.files()
	var errs []error
	for _, f := range files {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove %s: %w", f, err))
		}
	}
	for _, folder := range folders {
		if os.Remove(folder) == nil {
			continue
		}
		entries, _ := os.ReadDir(folder) // one that cannot be read is told of by its files
		for _, e := range entries {
			left = append(left, filepath.Join(folder, e.Name()))
		}
	}
	return left, errors.Join(errs...)
}

// Alone makes sure that no other Keytray serves from the folder.
func (a *App) Alone(ctx context.Context) error {
	if _, err := os.Stat(a.paths.Ledger); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	err := a.writing(ctx, func(*ledger.Ledger) error { return nil })
	if errors.Is(err, ErrRunning) {
		return fmt.Errorf("%w (%s): quit it first, in its tray menu or with Ctrl-C at `keytray serve`", ErrRunning, a.paths.DataFolder)
	}
	return nil // a ledger that cannot be opened is removed all the same
}
