// Package ledger keeps one row for every attempt: what was called, how it ended and what it cost.
//
// Open a Ledger, Begin a row before the provider is called, Finish it when the answer ends. Begin never waits for the
// disk; Finish returns when the row is committed. One goroutine writes and takes all that is queued in one transaction;
// reading goes through connections of its own. Rows, Each, Spend and Total read; Subscribe says when to read again;
// Health says what is wrong and what to do about it.
//
// The file is SQLite in WAL mode and may be read by any number of processes; one writes. The ledger refuses to hold the
// content of a prompt or an answer, or a secret: there is no field for it.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

var (
	// ErrInUse means that another process, or another Ledger of this one, writes to the file.
	ErrInUse = errors.New("the ledger is open for writing already: quit the other Keytray first")
	// ErrNewer means that a newer Keytray made the file; it is left as it is.
	ErrNewer = errors.New("the ledger was made by a newer Keytray: install that version, or move the file away")
	// ErrOlder means that the file must be migrated, which only a writer does.
	ErrOlder = errors.New("the ledger was made by an older Keytray: start Keytray once to bring it up to date")
	// ErrForeign means that the file is a database of another program; it is left as it is.
	ErrForeign = errors.New("not a Keytray ledger: move the file away, or choose another folder")
	// ErrDamaged means that the file cannot be read. A writer keeps a copy and starts a new file by itself.
	ErrDamaged = errors.New("the ledger is damaged: start Keytray, which keeps a copy and begins a new one")
	// ErrKept means that a row could not be written yet. It is in memory and is written as soon as that is possible.
	ErrKept = errors.New("the row is kept in memory until the ledger can be written")
	// ErrReadOnly means that the Ledger was opened for reading.
	ErrReadOnly = errors.New("the ledger is open for reading only")
	// ErrClosed means that the Ledger was closed before the call.
	ErrClosed = errors.New("the ledger is closed")
	// ErrFinished means that the row had ended before.
	ErrFinished = errors.New("the attempt is in the ledger already")
	// ErrOverflow means that a sum is beyond what int64 pico-USD can hold, about 9.2 million USD.
	ErrOverflow = errors.New("the sum is beyond 9.2 million USD: ask for a shorter range")
)

// Sync says what a finished row survives.
type Sync int

const (
	// SyncNormal survives the death of the process at any moment. A power cut may lose the last seconds.
	SyncNormal Sync = iota
	// SyncFull survives a power cut too, and waits for the disk at each commit.
	SyncFull
)

// String returns the word that the config uses, which is SQLite's.
func (s Sync) String() string {
	if s == SyncFull {
		return "full"
	}
	return "normal"
}

// Options say how to open a ledger. The zero value is a writer with SyncNormal and the machine's time zone.
type Options struct {
	Sync     Sync
	ReadOnly bool // read what another process writes: nothing in the file is changed
	// Location is where the user's days begin and end. Spend is exact for any zone and fastest for this one.
	// Nil means time.Local.
	Location *time.Location

	// prepare is called with each new writing connection; tests use it.
	prepare func(execute func(query string) error) error
}

// Ledger is an open ledger. All its methods may be called at once from any goroutine.
type Ledger struct {
	path string
	opt  Options
	read atomic.Pointer[sql.DB] // nil while there is no file to read

	counts atomic.Bool // rows keep counts alone

	mu       sync.Mutex
	queue    []op  // what the writer has not taken yet
	taken    int   // what it has taken and not written yet
	next     int64 // the next row's id
	asleep   bool  // the writer waits for wake
	lingers  bool  // linger is running
	closed   bool
	trouble  error // why the last commit failed; nil while all is well
	since    time.Time
	checking error // what the last check found
	notices  []Notice

	wake    chan struct{}
	linger  *time.Timer
	suspect chan struct{} // a reader met damage
	chores  chan chore
	pricing chan struct{} // holds one while rows are priced anew
	done    chan struct{} // closed when the writer has ended; nil for a reader
	end     error         // what the writer could not do; read after done

	subMu sync.Mutex
	subs  map[chan struct{}]struct{}
}

// Open opens the ledger at path. A writer makes the folder and the file if they are missing, brings an older file up to
// date, marks rows that a crash left running as interrupted, and replaces a damaged file by a new one, keeping the old
// (see Notices). It returns ErrInUse, ErrNewer or ErrForeign without touching the file. If the disk is full or the
// folder cannot be written, a writer opens nevertheless: it keeps rows in memory, says so in Health, and tries again.
//
// A reader gets an error that is fs.ErrNotExist if there is no ledger yet. ctx bounds the opening only.
func Open(ctx context.Context, path string, opt Options) (*Ledger, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the ledger: %w", err)
	}
	if opt.Location == nil {
		opt.Location = time.Local
	}
	l := &Ledger{
		path:    path,
		opt:     opt,
		next:    1,
		wake:    make(chan struct{}, 1),
		suspect: make(chan struct{}, 1),
		chores:  make(chan chore),
		pricing: make(chan struct{}, 1),
		subs:    map[chan struct{}]struct{}{},
	}
	if opt.ReadOnly {
		if err := l.openReadOnly(ctx); err != nil {
			return nil, err
		}
		return l, nil
	}
	w := &writer{l: l}
	if err := w.open(ctx); err != nil {
		return nil, err
	}
	l.linger = time.AfterFunc(time.Hour, l.lingered)
	l.linger.Stop()
	l.done = make(chan struct{})
	go w.run()
	return l, nil
}

func (l *Ledger) openReadOnly(ctx context.Context) error {
	if _, err := os.Stat(l.path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no ledger yet, it is made when Keytray starts: %w", err)
		}
		return fmt.Errorf("open the ledger: %w", err)
	}
	db, err := openReaders(ctx, l.path)
	if err != nil {
		return l.readError(err)
	}
	if err := checkReadable(ctx, db, l.path); err != nil {
		db.Close()
		return l.readError(err)
	}
	l.read.Store(db)
	return nil
}

// checkReadable refuses files whose version this program cannot read.
func checkReadable(ctx context.Context, db *sql.DB, path string) error {
	steps, err := steps()
	if err != nil {
		return err
	}
	version, err := checkVersion(func(query string) (n int64, err error) {
		return n, db.QueryRowContext(ctx, query).Scan(&n)
	}, path, len(steps))
	if err != nil {
		return err
	}
	if version < len(steps) {
		return fmt.Errorf("%s has version %d, this Keytray reads %d: %w", path, version, len(steps), ErrOlder)
	}
	return nil
}

// Close writes what is queued, ends the writer and closes the file. Rows begun and not finished stay running in the file
// and are marked interrupted at the next start. The error says how many rows could not be written, if any. A second
// Close does nothing.
func (l *Ledger) Close() error {
	l.mu.Lock()
	again := l.closed
	l.closed = true
	l.mu.Unlock()
	if again {
		return nil
	}
	if l.done != nil {
		l.linger.Stop()
		l.poke(l.wake)
		<-l.done
		return l.end
	}
	if db := l.read.Swap(nil); db != nil {
		if err := db.Close(); err != nil {
			return fmt.Errorf("close the ledger: %w", err)
		}
	}
	return nil
}

// poke sends without waiting; the channel's one place is enough for any number of pokes.
func (l *Ledger) poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
