package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Former is what a row was said to cost before it was priced anew.
type Former struct {
	At           time.Time // when it was priced anew
	CostPico     *int64
	CostKind     CostKind
	ComputedPico *int64
	SavedPico    *int64
	Price        string
}

// repricePage bounds how many rows are priced anew in one transaction, so that calls under way get theirs in between.
const repricePage = 256

// Reprice has fn price each ended row anew, oldest first, and returns how many it has changed: those for which fn returns
// true. Of the row that fn returns CostPico, CostKind, ComputedPico, SavedPico and Price are taken. The figures from
// before are kept, and the sums follow in the same transaction, so that a stop at any moment leaves every row and every
// sum either old or new. It stops at the first error; what was changed until then stays. One runs at a time, as each takes
// the figures that it has read for those that it changes: the next one waits.
func (l *Ledger) Reprice(ctx context.Context, f Filter, fn func(Row) (Row, bool)) (changed int, err error) {
	if l.opt.ReadOnly {
		return 0, ErrReadOnly
	}
	select {
	case l.pricing <- struct{}{}:
		defer func() { <-l.pricing }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	f.Limit = repricePage
	for {
		rows, err := l.page(ctx, f, "ASC")
		if err != nil {
			return changed, err
		}
		var from, to []Row
		for _, r := range rows {
			if r.Status == StatusRunning {
				continue
			}
			if now, ok := fn(r); ok {
				now.normalise(time.Now)
				from, to = append(from, r), append(to, now)
			}
		}
		if len(to) > 0 {
			if err := l.have(ctx, func(w *writer) error { return w.reprice(from, to) }); err != nil {
				return changed, fmt.Errorf("price anew: %w", err)
			}
			changed += len(to)
		}
		if len(rows) < f.Limit {
			return changed, nil
		}
		f.AfterID = rows[len(rows)-1].ID
	}
}

const formerSQL = `INSERT INTO repriced (attempt, at, price, cost, cost_kind, computed, saved)
	SELECT id, ?, price, cost, cost_kind, computed, saved FROM attempts WHERE id = ?`

const repriceSQL = `UPDATE attempts SET price = ?, cost = ?, cost_kind = ?, computed = ?, saved = ? WHERE id = ?`

func (w *writer) reprice(from, to []Row) error {
	var statements []*statement
	defer func() {
		for _, s := range statements {
			s.stmt.Close()
		}
	}()
	for _, query := range []string{"SELECT grp FROM attempts WHERE id = ?", formerSQL, repriceSQL} {
		s, err := prepare(w.conn, query)
		if err != nil {
			return err
		}
		statements = append(statements, s)
	}
	group, former, update := statements[0], statements[1], statements[2]
	at := time.Now().UnixMicro()
	return w.apart(func() error {
		for i := range to {
			r := &to[i]
			cells := w.append.sums.cells[:1]
			group.int(r.ID)
			if ok, err := group.one(cells); err != nil {
				return err
			} else if !ok {
				continue // dropped meanwhile
			}
			grp := cells[0].(int64)
			former.int(at)
			former.int(r.ID)
			if _, err := former.exec(); err != nil {
				return err
			}
			_, price, err := w.append.names(r)
			if err != nil {
				return err
			}
			update.optional(price)
			update.optional(r.CostPico)
			update.text(string(r.CostKind))
			update.optional(r.ComputedPico)
			update.optional(r.SavedPico)
			update.int(r.ID)
			if _, err := update.exec(); err != nil {
				return err
			}
			if err := w.append.sums.change(&from[i], r, grp); err != nil {
				return err
			}
		}
		return w.append.sums.flush()
	})
}

// change takes the new figures of a row in the place of the old ones.
func (u *rollup) change(from, to *Row, grp int64) error {
	return u.each(from, grp, func(s *sums) {
		s.money(from, -1)
		s.money(to, 1)
	})
}

// formers gives the rows, in order of their ids or its reverse, what they were said to cost before.
func formers(ctx context.Context, db *sql.DB, rows []Row) error {
	if len(rows) == 0 {
		return nil
	}
	first, last := rows[0].ID, rows[len(rows)-1].ID
	found, err := db.QueryContext(ctx, `SELECT r.attempt, r.at, r.cost, r.cost_kind, r.computed, r.saved, coalesce(p.price, '')
		FROM repriced r LEFT JOIN prices p ON p.id = r.price WHERE r.attempt BETWEEN ? AND ? ORDER BY r.id`, min(first, last), max(first, last))
	if err != nil {
		return err
	}
	defer found.Close()
	of := map[int64][]Former{}
	for found.Next() {
		var f Former
		var id, at int64
		if err := found.Scan(&id, &at, &f.CostPico, &f.CostKind, &f.ComputedPico, &f.SavedPico, &f.Price); err != nil {
			return err
		}
		f.At = time.UnixMicro(at).UTC()
		of[id] = append(of[id], f)
	}
	if err := found.Err(); err != nil || len(of) == 0 {
		return err
	}
	for i := range rows {
		rows[i].Was = of[rows[i].ID]
	}
	return nil
}
