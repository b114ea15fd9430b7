package ledger

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// op is one thing to write. Its waiter, if any, gets exactly one answer.
type op struct {
	row    Row
	ended  bool                  // a finish, not a begin
	extra  func(w *writer) error // in place of a row
	waiter chan error
}

// waiters are reused: a channel costs more than the rest of a Finish.
var waiters = sync.Pool{New: func() any { return make(chan error, 1) }}

// Begin hands the row to the writer as running and returns its id at once, whatever the disk does. It is committed within
// a few milliseconds. Set the same id in the
// row that is given to Finish. The row's ID and Status are ignored. A Ledger that is closed or opened for reading keeps
// nothing; the first returns an id all the same, the second 0.
func (l *Ledger) Begin(row Row) (id int64) {
	if l.opt.ReadOnly {
		return 0
	}
	row.Status = StatusRunning
	l.ready(&row)
	l.mu.Lock()
	row.ID = l.next
	l.next++
	if !l.closed {
		l.queue = append(l.queue, op{row: row})
		if l.asleep && !l.lingers {
			l.lingers = true
			l.linger.Reset(linger)
		}
	}
	l.mu.Unlock()
	return row.ID
}

// linger is how long a begin may wait for company. Nobody waits for a begin;
// with a finish, or with other begins, it costs a fraction of what it costs
// alone, and an attempt that is over by then is one insert in place of two.
const linger = 2 * time.Millisecond

// lingered sends the writer to begins that no finish has taken along.
func (l *Ledger) lingered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lingers = false
	if l.asleep && len(l.queue) > 0 {
		l.asleep = false
		l.poke(l.wake)
	}
}

// Finish records how the attempt ended, and returns when that is committed. Row is the whole row, ID as given by Begin;
// with ID 0 an attempt is recorded that was never begun. The status must be a final one.
//
// An error that is ErrKept means that the row is in memory and will be written when the disk allows it; Health says what
// is in the way. When ctx ends first its error is returned, and the row is written all the same.
func (l *Ledger) Finish(ctx context.Context, row Row) error {
	switch row.Status {
	case StatusOK, StatusError, StatusAborted, StatusCut, StatusInterrupted:
	default:
		return fmt.Errorf("finish attempt %d: %q is no final status", row.ID, row.Status)
	}
	if l.opt.ReadOnly {
		return ErrReadOnly
	}
	l.ready(&row)

	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	if row.ID == 0 {
		row.ID = l.next
		l.next++
	}
	if l.trouble != nil {
		err := kept(row.ID, l.trouble)
		l.push(op{row: row, ended: true})
		l.mu.Unlock()
		return err
	}
	waiter := waiters.Get().(chan error)
	l.push(op{row: row, ended: true, waiter: waiter})
	l.mu.Unlock()

	select {
	case err := <-waiter:
		waiters.Put(waiter)
		return err
	case <-ctx.Done():
		return ctx.Err() // the waiter is left to the writer's answer
	}
}

func kept(id int64, why error) error {
	return fmt.Errorf("attempt %d: %w: %w", id, ErrKept, why)
}

// push queues an op and wakes the writer if it sleeps. In trouble it sleeps until it is time to try again.
func (l *Ledger) push(o op) {
	l.queue = append(l.queue, o)
	if l.asleep {
		l.asleep = false
		l.poke(l.wake)
	}
}

type state int

const (
	stateWell state = iota
	stateTrouble
	stateClosed
)

// take moves the queue into batch, which is empty, and gives its storage back to the queue.
func (l *Ledger) take(batch []op) ([]op, state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ops := l.queue
	l.queue = batch[:0]
	l.taken = len(ops)
	l.asleep = len(ops) == 0 && l.trouble == nil
	switch {
	case l.closed:
		return ops, stateClosed
	case l.trouble != nil:
		return ops, stateTrouble
	default:
		return ops, stateWell
	}
}
