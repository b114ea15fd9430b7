package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// NotKept stands for a model's name in a ledger that keeps counts alone.
const NotKept = "(not kept)"

// CountsOnly says whether rows that begin or end from now on keep counts and costs alone: no models' names, no reasons, no
// errors' texts. Rows from before stay as they are.
func (l *Ledger) CountsOnly(yes bool) { l.counts.Store(yes) }

// bare takes out of a row what a ledger of counts does not keep. The price names the model, so it goes too.
func (r *Row) bare() {
	r.Asked, r.Reason, r.Error, r.Price, r.Lost = "", "", "", "", nil
	if r.Model != "" {
		r.Model = NotKept
	}
}

// ready makes a row fit to be written.
func (l *Ledger) ready(r *Row) {
	if l.counts.Load() {
		r.bare()
	}
	r.normalise(time.Now)
}

const dropPage = 2000 // rows in one transaction

// Drop deletes the ended rows whose attempt started before a time, and returns how many they were. Their sums stay, by
// quarter hours: a query that cuts one into two counts it whole. The file gets smaller when all are gone. A stop in the
// middle leaves the rest for the next time.
func (l *Ledger) Drop(ctx context.Context, before time.Time) (dropped int, err error) {
	if l.opt.ReadOnly {
		return 0, ErrReadOnly
	}
	before = quarterTime(quarterOf(before))
	for {
		n := 0
		if err := l.have(ctx, func(w *writer) (err error) { n, err = w.drop(before); return err }); err != nil {
			return dropped, fmt.Errorf("drop old rows: %w", err)
		}
		if dropped += n; n < dropPage {
			break
		}
	}
	if dropped == 0 {
		return 0, nil
	}
	if err := l.have(ctx, (*writer).shrink); err != nil {
		return dropped, fmt.Errorf("make the ledger's file smaller: %w", err)
	}
	return dropped, nil
}

// drop deletes a page of rows, and notes up to when rows are missing and which ids were given.
func (w *writer) drop(before time.Time) (n int, err error) {
	us := before.UnixMicro()
	err = w.apart(func() error {
		const old = "SELECT id FROM attempts WHERE started < ? ORDER BY started LIMIT ?"
		if _, err := w.change("DELETE FROM repriced WHERE attempt IN ("+old+")", us, int64(dropPage)); err != nil {
			return err
		}
		last, err := number(w.conn, lastIDSQL)
		if err != nil {
			return err
		}
		gone, err := w.change("DELETE FROM attempts WHERE id IN ("+old+")", us, int64(dropPage))
		if n = int(gone); err != nil || n == 0 {
			return err
		}
		for _, s := range []struct {
			name  string
			value int64
		}{{"last", last}, {"dropped", us}} {
			if _, err := w.change("INSERT INTO state (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)", s.name, s.value); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// shrink forgets prices that no row has, and gives the room back to the disk.
func (w *writer) shrink() error {
	err := w.apart(func() error {
		_, err := w.change(`DELETE FROM prices WHERE id NOT IN (SELECT price FROM attempts WHERE price IS NOT NULL
			UNION SELECT price FROM running WHERE price IS NOT NULL UNION SELECT price FROM repriced WHERE price IS NOT NULL)`)
		return err
	})
	clear(w.append.prices)
	if err != nil {
		return err
	}
	return errors.Join(execute(w.conn, "VACUUM"), execute(w.conn, "PRAGMA wal_checkpoint(TRUNCATE)"))
}

// whole widens a range to quarter hours where rows were dropped, and only sums are left.
func (s *spender) whole(ctx context.Context, from, to time.Time) (time.Time, time.Time, error) {
	var us int64
	if err := s.tx.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM state WHERE name = 'dropped'), 0)").Scan(&us); err != nil || us == 0 {
		return from, to, err
	}
	horizon := time.UnixMicro(us)
	if !from.IsZero() && from.Before(horizon) {
		from = quarterTime(quarterOf(from))
	}
	if !to.IsZero() && to.Before(horizon) && !to.Equal(quarterTime(quarterOf(to))) {
		to = quarterTime(quarterOf(to) + 1)
	}
	return from, to, nil
}
