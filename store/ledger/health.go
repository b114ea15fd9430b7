package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/mattn/go-sqlite3"
)

// queueLimit is the number of waiting rows from which the ledger calls itself unwell. They are kept all the same.
const queueLimit = 10_000

// Health says how the ledger is. Problem is empty when all is well.
type Health struct {
	Problem string    // what is wrong, in words
	Remedy  string    // what to do about it
	Err     error     // the cause, if there is one
	Since   time.Time // since when
	Waiting int       // rows in memory that are not committed; a few are normal
}

// OK reports whether nothing is wrong.
func (h Health) OK() bool { return h.Problem == "" }

// NoticeKind says what a Notice is about.
type NoticeKind string

const (
	NoticeDamaged     NoticeKind = "damaged"     // a damaged file was kept and a new one started
	NoticeInterrupted NoticeKind = "interrupted" // rows of a crashed process were found
)

// Notice is something that happened once and that a person should hear of.
type Notice struct {
	Kind NoticeKind
	Time time.Time
	Text string
	Path string // the kept file, for NoticeDamaged
	Rows int    // for NoticeInterrupted
}

// Health says how the ledger is now. It waits for nothing.
func (l *Ledger) Health() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := Health{Waiting: len(l.queue) + l.taken}
	switch {
	case l.trouble != nil:
		h.Err, h.Since = l.trouble, l.since
		h.Problem, h.Remedy = explain(l.trouble, filepath.Dir(l.path))
	case l.checking != nil:
		h.Err = l.checking
		h.Problem = "the ledger could not be checked"
		h.Remedy = "restart Keytray to check it again"
	case h.Waiting > queueLimit:
		h.Problem = fmt.Sprintf("the disk is too slow: %d calls wait to be written", h.Waiting)
		h.Remedy = "wait, or put Keytray's folder on a faster disk"
	}
	return h
}

// Notices lists what happened since Open, oldest first.
func (l *Ledger) Notices() []Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.notices)
}

func (l *Ledger) note(n Notice) {
	n.Time = time.Now().UTC()
	l.mu.Lock()
	l.notices = append(l.notices, n)
	l.mu.Unlock()
}

// troubled puts rows that could not be written back at the head of the queue, and tells those who wait for them.
func (l *Ledger) troubled(left []op, why error) {
	l.mu.Lock()
	for i := range left {
		if o := &left[i]; o.waiter != nil {
			o.waiter <- kept(o.row.ID, why)
			o.waiter = nil
		}
	}
	l.queue = append(left, l.queue...)
	l.taken = 0
	if l.trouble == nil {
		l.since = time.Now()
	}
	l.trouble = why
	l.mu.Unlock()
	l.changed()
}

// written notes that n of the taken rows are committed.
func (l *Ledger) written(n int) {
	l.mu.Lock()
	l.taken -= n
	l.trouble = nil
	l.mu.Unlock()
	l.changed()
}

// explain words an error of writing for a person.
func explain(err error, folder string) (problem, remedy string) {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return "the ledger cannot be written: " + err.Error(), "check that " + folder + " can be written; calls are kept in memory until then"
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return "the disk is full", "free some space on the disk of " + folder + "; calls are kept in memory until then"
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm, sqlite3.ErrAuth:
		return "the ledger cannot be written", "make " + folder + " and the files in it writable; calls are kept in memory until then"
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "another program holds the ledger", "close the program that has ledger.db open; calls are kept in memory until then"
	case sqlite3.ErrIoErr:
		return "the disk fails: " + err.Error(), "check the disk of " + folder + "; calls are kept in memory until then"
	default:
		return "the ledger cannot be written: " + err.Error(), "restart Keytray if this stays; calls are kept in memory until then"
	}
}

// Subscribe returns a channel that gets a value soon after rows or the health changed. Changes that come faster than the
// receiver reads are one. Cancel ends the subscription; the channel is not closed. A Ledger opened for reading sends
// nothing.
func (l *Ledger) Subscribe() (changes <-chan struct{}, cancel func()) {
	c := make(chan struct{}, 1)
	l.subMu.Lock()
	l.subs[c] = struct{}{}
	l.subMu.Unlock()
	return c, func() {
		l.subMu.Lock()
		delete(l.subs, c)
		l.subMu.Unlock()
	}
}

func (l *Ledger) changed() {
	l.subMu.Lock()
	defer l.subMu.Unlock()
	for c := range l.subs {
		l.poke(c)
	}
}
