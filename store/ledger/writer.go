package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	batchLimit   = 512 // rows in one transaction
	firstBackoff = 50 * time.Millisecond
	lastBackoff  = 5 * time.Second
)

// writer is the goroutine that writes. Only it touches these fields.
type writer struct {
	l      *Ledger
	owner  *sqlite3.SQLiteConn // holds the lock
	conn   *sqlite3.SQLiteConn // nil when it must be opened
	append *appender
	swept  bool // rows left running by an earlier process are marked

	ending   map[int64]bool // ids that end in this transaction
	check    *check
	looking  bool // the readers were opened while nothing could be written
	replaced bool // a damaged file was replaced, and nothing was written since
}

// run writes until the ledger is closed.
func (w *writer) run() {
	defer close(w.l.done)
	backoff := firstBackoff
	var spare []op
	for {
		batch, state := w.l.take(spare)
		spare = nil
		if len(batch) == 0 && state == stateClosed {
			w.l.end = w.close(0, nil)
			return
		}
		if len(batch) == 0 && state == stateWell {
			spare = batch
			w.idle()
			continue
		}
		left, err := w.writeAll(batch)
		if err == nil {
			backoff = firstBackoff
			clear(batch)
			spare = batch
			continue
		}
		w.l.troubled(left, err)
		if state == stateClosed {
			w.l.end = w.close(len(left), err)
			return
		}
		if !w.wait(backoff) {
			backoff = firstBackoff
		} else {
			backoff = min(2*backoff, lastBackoff)
		}
	}
}

// idle waits for work.
func (w *writer) idle() {
	var checked chan error
	if w.check != nil {
		checked = w.check.result
	}
	select {
	case <-w.l.wake:
	case c := <-w.l.chores:
		c.done <- w.chore(c.do)
	case <-w.l.suspect:
		w.startCheck()
	case err := <-checked:
		w.endCheck(err)
	}
	w.l.mu.Lock()
	w.l.asleep = false
	w.l.mu.Unlock()
}

// wait lets the backoff pass, and reports false if the ledger is being closed.
func (w *writer) wait(backoff time.Duration) bool {
	t := time.NewTimer(backoff)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-w.l.wake:
		return false
	}
}

// writeAll writes ops in order, in transactions of bounded size, and answers their waiters. It returns those that could
// not be written and why.
func (w *writer) writeAll(ops []op) (left []op, err error) {
	for first := true; first || len(ops) > 0; first = false { // in trouble even nothing is worth a try
		n := min(len(ops), batchLimit)
		err := w.write(ops[:n])
		if damaged(err) && !w.replaced {
			// Once per success: a disk that spoils each new file is trouble, not damage.
			if err = w.replace(err); err == nil {
				err = w.write(ops[:n])
			}
		}
		if err != nil {
			return ops, err
		}
		w.replaced = false
		w.l.written(n)
		ops = ops[n:]
	}
	return nil, nil
}

// write writes ops in one transaction. Any error means that none of them is in the file.
func (w *writer) write(ops []op) error {
	if w.conn == nil {
		if err := w.connect(context.Background()); err != nil {
			return err
		}
	}
	faults, err := w.transact(ops)
	if err != nil {
		w.disconnect() // whatever it was: the next try starts clean
		return err
	}
	for i := range ops {
		if ops[i].waiter != nil {
			ops[i].waiter <- faults[i]
		}
	}
	return nil
}

// transact applies ops and commits. Faults are the errors of ops that can never be written, by index; the others are.
func (w *writer) transact(ops []op) (faults map[int]error, err error) {
	if _, err := w.append.beginTx.exec(); err != nil {
		return nil, err
	}
	clear(w.ending)
	for i := range ops {
		if ops[i].ended {
			w.ending[ops[i].row.ID] = false
		}
	}
	for i := range ops {
		o := &ops[i]
		var err error
		if o.extra != nil {
			err = o.extra(w)
		} else if o.ended {
			err = w.append.finish(&o.row, !w.ending[o.row.ID])
		} else if _, ends := w.ending[o.row.ID]; ends {
			w.ending[o.row.ID] = true // begun and ended at once: one insert will do
		} else {
			err = w.append.begin(&o.row)
		}
		if err == nil {
			continue
		}
		if !ownFault(err) {
			return nil, err
		}
		if faults == nil {
			faults = map[int]error{}
		}
		faults[i] = fmt.Errorf("record attempt %d: %w", o.row.ID, fault(err))
	}
	if err := w.append.sums.flush(); err != nil {
		return nil, err
	}
	_, err = w.append.commitTx.exec()
	return faults, err
}

// ownFault reports whether the row is to blame and not the file.
func ownFault(err error) bool {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return true // it never came to SQLite
	}
	switch e.Code {
	case sqlite3.ErrConstraint, sqlite3.ErrTooBig, sqlite3.ErrMismatch, sqlite3.ErrRange:
		return true
	default:
		return false
	}
}

func fault(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintPrimaryKey {
		return ErrFinished
	}
	return err
}

// close ends the check and the connections. waiting rows were not written because of why.
func (w *writer) close(waiting int, why error) error {
	w.stopCheck()
	// The readers first: the last connection to go folds the log into the file, and only one that writes can.
	w.l.readers(nil)
	var err error
	if w.conn != nil {
		err = w.sayClean()
	}
	w.disconnect()
	if w.owner != nil {
		w.owner.Close()
	}
	if waiting > 0 {
		return fmt.Errorf("close the ledger: %d rows could not be written: %w", waiting, why)
	}
	if err != nil {
		return fmt.Errorf("close the ledger: %w", err)
	}
	return nil
}

func (w *writer) disconnect() {
	if w.conn == nil {
		return
	}
	rolledBack(w.conn, nil)
	w.append.close()
	w.conn.Close()
	w.conn, w.append = nil, nil
}

// readers swaps the pool that reads.
func (l *Ledger) readers(db *sql.DB) {
	if old := l.read.Swap(db); old != nil {
		old.Close()
	}
}
