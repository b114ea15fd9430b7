package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// Reload reads the file again if another process has changed it. After an error the tokens in memory stay good.
func (t *Tokens) Reload() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.changed() {
		return nil
	}
	_, err := t.sync(false)
	return err
}

// Flush writes the times of last use to the file, if there are new ones.
func (t *Tokens) Flush() error {
	if !t.unsaved.Swap(false) {
		return nil
	}
	err := t.edit(context.Background(), func(entries []entry) ([]entry, error) { return entries, nil })
	if err != nil {
		t.unsaved.Store(true)
	}
	return err
}

// Keep looks every second for changes that other processes made, such as a revoked token, and writes the times of last use once
// a minute, until ctx ends; then it writes them once more. Errors go to report, which may be nil.
func (t *Tokens) Keep(ctx context.Context, report func(error)) {
	look, save := time.NewTicker(time.Second), time.NewTicker(time.Minute)
	defer look.Stop()
	defer save.Stop()
	tell := func(err error) {
		if err != nil && report != nil {
			report(err)
		}
	}
	for {
		select {
		case <-look.C:
			tell(t.Reload())
		case <-save.C:
			tell(t.Flush())
		case <-ctx.Done():
			tell(t.Flush())
			return
		}
	}
}

// edit changes the list as it is in the file now: f gets a copy without the static tokens, and what it returns is written and then
// used. Other processes wait meanwhile.
func (t *Tokens) edit(ctx context.Context, f func([]entry) ([]entry, error)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	unlock, err := t.lockTokens(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	entries, err := t.sync(true)
	if err != nil {
		return err
	}
	if entries, err = f(slices.Clone(entries)); err != nil {
		return err
	}
	info, err := writeTokens(t.path, entries)
	if err != nil {
		return fmt.Errorf("writing the tokens: %w", err)
	}
	t.now.Store(&table{entries: slices.Concat(entries, t.static), info: info})
	return nil
}

// sync brings memory up to date with the file and gives its entries. The caller holds t.mu. A damaged file is moved aside if
// heal is true, and what is in memory goes on counting; otherwise it is an error.
func (t *Tokens) sync(heal bool) ([]entry, error) {
	old := t.now.Load()
	mine := slices.DeleteFunc(slices.Clone(old.entries), func(e entry) bool { return e.static })
	if old.info != nil && !t.changed() {
		return mine, nil
	}
	entries, info, err := readTokens(t.path)
	var bad *damage
	switch {
	case errors.As(err, &bad) && heal:
		kept, moveErr := keepDamaged(t.path, t.clock())
		if errors.Is(moveErr, fs.ErrNotExist) { // another process was quicker
			return t.sync(heal)
		}
		if moveErr != nil {
			return nil, fmt.Errorf("the list of tokens in %s is damaged (%w) and cannot be moved aside: %w", t.path, bad.err, moveErr)
		}
		t.health.Store(&Problem{
			Damaged, fmt.Sprintf("the list of tokens was damaged (%v); it is kept as %s, and a new one is begun", bad.err, kept),
			"Give each tool a new token: keytray token TOOL", bad.err,
		})
		entries, info = mine, nil
	case err != nil:
		return nil, fmt.Errorf("reading the tokens in %s: %w", t.path, err)
	}
	for i := range entries { // a time of last use that is not written yet is newer than the file's
		for _, have := range mine {
			if have.tool == entries[i].tool && have.sum == entries[i].sum && have.used != entries[i].used {
				have.used.Store(max(have.used.Load(), entries[i].used.Load()))
				entries[i].used = have.used
			}
		}
	}
	t.now.Store(&table{entries: slices.Concat(entries, t.static), info: info})
	return entries, nil
}
