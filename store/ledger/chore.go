package ledger

import "context"

// chore is work of the writer that is no row: it is done between two transactions of rows, and makes its own.
type chore struct {
	do   func(*writer) error
	done chan error // gets one answer
}

// have lets the writer do a chore, and waits for it. While nothing can be written it waits for ctx.
func (l *Ledger) have(ctx context.Context, do func(*writer) error) error {
	if l.opt.ReadOnly {
		return ErrReadOnly
	}
	c := chore{do, make(chan error, 1)}
	select {
	case l.chores <- c:
		return <-c.done
	case <-l.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// chore does one. After an error nothing of it is in the file, and the next write starts clean.
func (w *writer) chore(do func(*writer) error) error {
	if w.conn == nil {
		if err := w.connect(context.Background()); err != nil {
			return err
		}
	}
	err := do(w)
	if err != nil {
		w.disconnect()
	}
	w.l.changed()
	return err
}

// apart runs f in a transaction of its own.
func (w *writer) apart(f func() error) error {
	if _, err := w.append.beginTx.exec(); err != nil {
		return err
	}
	if err := f(); err != nil {
		return err
	}
	_, err := w.append.commitTx.exec()
	return err
}
