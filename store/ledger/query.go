package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Filter chooses rows. Empty fields choose all.
type Filter struct {
	Since, Until time.Time // start of the attempt: Since <= start < Until
	Tool         string
	Provider     string
	Model        string
	Key          string
	Route        string
	Status       Status
	AfterID      int64 // only later rows
	BeforeID     int64 // only earlier rows
	Limit        int   // 0: 100 in Rows, all in Each
}

const rowsLimit = 100

// Rows returns rows, newest first, running ones included. A row is visible once it is committed.
func (l *Ledger) Rows(ctx context.Context, f Filter) ([]Row, error) {
	if f.Limit <= 0 {
		f.Limit = rowsLimit
	}
	return l.page(ctx, f, "DESC")
}

// eachPage bounds how long one read keeps the log from being reset.
const eachPage = 1000

// Each calls fn with each row, oldest first, and stops at its first error, which it returns. It reads in pages, so rows
// that are added meanwhile may or may not be met; none is met twice.
func (l *Ledger) Each(ctx context.Context, f Filter, fn func(Row) error) error {
	left := f.Limit
	for {
		f.Limit = eachPage
		if left > 0 {
			f.Limit = min(left, eachPage)
		}
		rows, err := l.page(ctx, f, "ASC")
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
		}
		if len(rows) < f.Limit {
			return nil
		}
		if left > 0 {
			if left -= len(rows); left == 0 {
				return nil
			}
		}
		f.AfterID = rows[len(rows)-1].ID
	}
}

func (l *Ledger) page(ctx context.Context, f Filter, order string) ([]Row, error) {
	db, err := l.reader()
	if db == nil {
		return nil, err
	}
	few, err := f.few(ctx, db)
	if err != nil {
		return nil, l.readError(fmt.Errorf("read the ledger: %w", err))
	}
	query, args := f.query(order, few)
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, l.readError(fmt.Errorf("read the ledger: %w", err))
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, l.readError(fmt.Errorf("read the ledger: %w", err))
		}
		out = append(out, r)
	}
	err = rows.Err()
	if err == nil {
		err = formers(ctx, db, out)
	}
	if err != nil {
		return nil, l.readError(fmt.Errorf("read the ledger: %w", err))
	}
	return out, nil
}

// reader returns the pool to read with; nil without an error means that there is nothing to read yet.
func (l *Ledger) reader() (*sql.DB, error) {
	if db := l.read.Load(); db != nil {
		return db, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	return nil, nil
}

// A row is read in three steps: what attempts and running share, then how an attempt ended, then what only running has.
const headColumns = `t.id AS id, t.request, t.started, g.tool, g.provider, g.model, g.key, t.inbound, t.asked, t.route,
	t.role, t.reason, t.attempt, t.streamed, t.lost, p.price, t.cost`

const endedColumns = headColumns + `, t.status, t.http_status, t.error, t.first_byte, t.duration, t.cost_kind, t.stated,
	t.computed, t.saved, ` + usageColumns + `, 0, NULL`

const runningColumns = headColumns + `, 'running', 0, '', NULL, 0, 'unpriced', NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, t.estimate_input, t.estimate`

const namesJoin = ` t ` + joins

const joins = `CROSS JOIN groups g ON g.id = t.grp LEFT JOIN prices p ON p.id = t.price`

// few tells whether so few rows started in the filter's time that they are best found by it. SQLite would rather walk
// all rows by id, which is quick only where it soon meets enough that pass the filter.
func (f *Filter) few(ctx context.Context, db *sql.DB) (bool, error) {
	if f.Since.IsZero() && f.Until.IsZero() {
		return false, nil
	}
	const many = 5 * eachPage
	where, args := (&Filter{Since: f.Since, Until: f.Until}).where()
	n := 0
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM attempts t"+where+" LIMIT ?)", append(args, many)...).Scan(&n)
	return n < many, err
}

// query finds the rows; byTime has it look for ended ones by when they started.
func (f *Filter) query(order string, byTime bool) (query string, args []any) {
	where, args := f.where()
	ended := "SELECT " + endedColumns + " FROM attempts t "
	if byTime {
		ended += "INDEXED BY attempts_started "
	}
	ended += joins + where
	running := "SELECT " + runningColumns + " FROM running" + namesJoin + where
	switch f.Status {
	case "":
		query = ended + " UNION ALL " + running
		args = append(args, args...)
	case StatusRunning:
		query = running
	default:
		query = ended
		if where == "" {
			query += " WHERE t.status = ?"
		} else {
			query += " AND t.status = ?"
		}
		args = append(args, string(f.Status))
	}
	return query + " ORDER BY id " + order + " LIMIT ?", append(args, f.Limit)
}

func (f *Filter) where() (string, []any) {
	var conds []string
	var args []any
	add := func(cond string, arg any) {
		conds = append(conds, cond)
		args = append(args, arg)
	}
	if !f.Since.IsZero() {
		add("t.started >= ?", ceilMicro(f.Since))
	}
	if !f.Until.IsZero() {
		add("t.started < ?", ceilMicro(f.Until))
	}
	if f.AfterID > 0 {
		add("t.id > ?", f.AfterID)
	}
	if f.BeforeID > 0 {
		add("t.id < ?", f.BeforeID)
	}
	// By group id, found once: rows are then walked in order of id, and most need no look at their group.
	for _, n := range []struct{ column, value string }{
		{"tool", f.Tool}, {"provider", f.Provider}, {"model", f.Model}, {"key", f.Key}, {"route", f.Route},
	} {
		if n.value != "" {
			add("t.grp IN (SELECT id FROM groups WHERE "+n.column+" = ?)", n.value)
		}
	}
	if len(conds) == 0 {
		return "", nil
	}
	return " WHERE " + strings.Join(conds, " AND "), args
}

// ceilMicro is the first microsecond not before t: starts are kept to the microsecond.
func ceilMicro(t time.Time) int64 {
	us := t.UnixMicro()
	if t.Nanosecond()%1000 != 0 {
		us++
	}
	return us
}

func scanRow(rows *sql.Rows) (Row, error) {
	var r Row
	var started, duration int64
	var first sql.NullInt64
	var price sql.NullString
	var lost string
	dest := []any{
		&r.ID, &r.RequestID, &started, &r.Tool, &r.Provider, &r.Model, &r.Key, &r.Inbound, &r.Asked, &r.Route,
		&r.Role, &r.Reason, &r.Attempt, &r.Streamed, &lost, &price, &r.CostPico,
		&r.Status, &r.HTTPStatus, &r.Error, &first, &duration, &r.CostKind, &r.StatedPico, &r.ComputedPico, &r.SavedPico,
	}
	for _, n := range r.Usage.counts() {
		dest = append(dest, n)
	}
	dest = append(dest, &r.EstimateInput, &r.EstimatePico)
	if err := rows.Scan(dest...); err != nil {
		return r, err
	}
	r.Time = time.UnixMicro(started).UTC()
	r.Duration = time.Duration(duration) * time.Microsecond
	r.FirstByte = -1
	if first.Valid {
		r.FirstByte = time.Duration(first.Int64) * time.Microsecond
	}
	r.Price = price.String
	if lost != "" {
		if err := json.Unmarshal([]byte(lost), &r.Lost); err != nil {
			return r, fmt.Errorf("lost of attempt %d: %w", r.ID, err)
		}
	}
	return r, nil
}
