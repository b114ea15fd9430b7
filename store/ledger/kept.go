package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"
)

// Kept is a thing that a provider keeps under an id: a file, a batch.
type Kept struct {
	ID       string
	Provider string
	Key      string // the label of the key that it was seen with
	Kind     string // the provider's word for it
}

// ErrSettled means that the cost of a batch's results is in the ledger already.
var ErrSettled = errors.New("these results are settled already")

// Keep remembers who has the things, for good. It hands them to the writer and
// does not wait.
func (l *Ledger) Keep(things ...Kept) {
	if l.opt.ReadOnly || len(things) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.push(op{extra: func(w *writer) error { return w.remember(things) }})
	}
}

// Kept is who has the thing of that id; ok is false if nobody is known to.
func (l *Ledger) Kept(ctx context.Context, id string) (k Kept, ok bool, err error) {
	db := l.read.Load()
	if db == nil {
		return k, false, nil
	}
	err = db.QueryRowContext(ctx, "SELECT id, provider, key, kind FROM kept WHERE id = ?", id).Scan(&k.ID, &k.Provider, &k.Key, &k.Kind)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Kept{}, false, nil
	case err != nil:
		return Kept{}, false, fmt.Errorf("look up who keeps a file: %w", err)
	}
	return k, true, nil
}

// Settle records the rows that the results of a batch come to, all of them or
// none, and once: it returns ErrSettled, and records nothing, if the provider's
// results of that id were settled before. The rows are as for Finish, with ID 0.
// It returns when that is committed; ErrKept is as for Finish.
func (l *Ledger) Settle(ctx context.Context, provider, id string, rows []Row) error {
	if l.opt.ReadOnly {
		return ErrReadOnly
	}
	settle := func(w *writer) error { return w.settle(provider, id, rows) }
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	for i := range rows {
		l.ready(&rows[i])
		rows[i].ID = l.next
		l.next++
	}
	if l.trouble != nil {
		err := fmt.Errorf("settle %s: %w: %w", id, ErrKept, l.trouble)
		l.push(op{extra: settle})
		l.mu.Unlock()
		return err
	}
	waiter := waiters.Get().(chan error)
	l.push(op{extra: settle, waiter: waiter})
	l.mu.Unlock()
	select {
	case err := <-waiter:
		waiters.Put(waiter)
		return err
	case <-ctx.Done():
		return ctx.Err() // the waiter is left to the writer's answer
	}
}

// remember writes things down; a later word on one of them holds.
func (w *writer) remember(things []Kept) error {
	for _, k := range things {
		if _, err := w.change("INSERT OR REPLACE INTO kept (id, provider, key, kind, seen) VALUES (?,?,?,?,?)",
			k.ID, k.Provider, k.Key, k.Kind, time.Now().UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// settle marks the results first, so that a second settlement is found before
// its rows are written.
func (w *writer) settle(provider, id string, rows []Row) error {
	n, err := w.change("INSERT OR IGNORE INTO settled (provider, id, at) VALUES (?,?,?)", provider, id, time.Now().UnixMicro())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrSettled
	}
	for i := range rows {
		if err := w.append.finish(&rows[i], false); err != nil {
			return err
		}
	}
	return nil
}

// change runs a statement that is not worth preparing, and tells how many rows
// it changed.
func (w *writer) change(query string, args ...any) (int64, error) {
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	res, err := w.conn.ExecContext(context.Background(), query, named)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
