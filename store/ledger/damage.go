package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/mattn/go-sqlite3"
)

// damaged reports whether the file itself is broken.
func damaged(err error) bool {
	if errors.Is(err, ErrDamaged) {
		return true
	}
	var e sqlite3.Error
	return errors.As(err, &e) && (e.Code == sqlite3.ErrCorrupt || e.Code == sqlite3.ErrNotADB)
}

// readError words an error of a reading connection, and has the writer check the file if it smells of damage.
func (l *Ledger) readError(err error) error {
	if !damaged(err) || errors.Is(err, ErrDamaged) {
		return err
	}
	if !l.opt.ReadOnly {
		l.poke(l.suspect)
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// replace puts a damaged file aside under a name with the date, and starts a new one. Nothing is deleted.
func (w *writer) replace(why error) error {
	w.stopCheck()
	w.disconnect()
	w.l.readers(nil)
	kept, err := putAside(w.l.path, time.Now())
	if err != nil {
		return fmt.Errorf("put the damaged ledger aside: %w", err)
	}
	w.replaced = true
	w.l.note(Notice{
		Kind: NoticeDamaged,
		Text: fmt.Sprintf("the ledger was damaged (%v): it is kept as %s, and a new one was started; earlier calls are missing from the sums", why, kept),
		Path: kept,
	})
	return w.connect(context.Background())
}

// putAside renames the file and what SQLite keeps beside it, and returns the new name.
func putAside(path string, now time.Time) (string, error) {
	base := path + ".damaged-" + now.UTC().Format("20060102-150405")
	kept := base
	for n := 2; ; n++ {
		if _, err := os.Lstat(kept); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return "", err
		}
		kept = fmt.Sprintf("%s-%d", base, n)
	}
	// The log first: a log without its file is found by nobody, a file without its log would lose rows. If a part cannot
	// go, as on Windows while somebody reads it, none goes.
	parts := []string{"-wal", "-shm", ""}
	for i, part := range parts {
		if err := os.Rename(path+part, kept+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			for _, gone := range parts[:i] {
				_ = os.Rename(kept+gone, path+gone)
			}
			return "", err
		}
	}
	return kept, nil
}

const (
	smallFile  = 32 << 20 // checked at each start: takes a fraction of a second
	checkEvery = 30 * 24 * time.Hour
)

// worthChecking says whether the whole file is to be read at this start.
func (w *writer) worthChecking(clean bool, checked time.Time) bool {
	if age := time.Since(checked); !clean || age > checkEvery || age < 0 {
		return true
	}
	info, err := os.Stat(w.l.path)
	return err != nil || info.Size() <= smallFile
}

// check is a whole check of the file that runs beside the writer.
type check struct {
	cancel context.CancelFunc
	result chan error // gets one answer
}

func (w *writer) startCheck() {
	if w.check != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.check = &check{cancel: cancel, result: make(chan error, 1)}
	go func(c *check) { c.result <- quickCheck(ctx, w.l.path) }(w.check)
}

// stopCheck waits for the check's end.
func (w *writer) stopCheck() {
	if w.check != nil {
		w.check.cancel()
		<-w.check.result
		w.check.cancel()
		w.check = nil
	}
}

// endCheck acts on the answer of the check that ended.
func (w *writer) endCheck(err error) {
	w.check.cancel()
	w.check = nil
	switch {
	case damaged(err):
		why := w.replace(err)
		if why != nil {
			w.l.troubled(nil, why)
		}
		err = nil
	case err == nil && w.conn != nil:
		// If this cannot be noted, the next start checks again.
		execute(w.conn, fmt.Sprintf("UPDATE state SET value = %d WHERE name = 'checked'", time.Now().Unix()))
	}
	w.l.mu.Lock()
	w.l.checking = err
	w.l.mu.Unlock()
	w.l.changed()
}

// quickCheck reads the whole file; an error that is damaged tells what it found.
func quickCheck(ctx context.Context, path string) error {
	db, err := openReaders(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("check %s: %w", path, err)
	}
	if found != "ok" {
		return fmt.Errorf("%w: %s", ErrDamaged, found)
	}
	return nil
}
