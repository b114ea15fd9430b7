package ledger

import (
	"database/sql/driver"
	"math"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Kinds of a rollup row; migrations/0001.sql says what they hold.
const (
	kindQuarter int64 = iota
	kindSpan
	kindSpanAll
)

const picoPerUSD = 1_000_000_000_000

const sumColumns = "calls, errors, unpriced, estimated, at_least, cost_usd, cost_pico, saved, " + usageColumns

const sumCounts = 8 + usageCounts

// sums are the figures of one rollup row.
type sums struct {
	calls, errors, unpriced, estimated, atLeast int64
	usd, pico                                   int64 // one figure: whole dollars and the rest
	saved                                       int64 // pico-USD
	usage                                       Usage
}

// fields lists the figures in the order of sumColumns.
func (s *sums) fields() [sumCounts]*int64 {
	f := [sumCounts]*int64{&s.calls, &s.errors, &s.unpriced, &s.estimated, &s.atLeast, &s.usd, &s.pico, &s.saved}
	u := s.usage.counts()
	copy(f[8:], u[:])
	return f
}

func (s *sums) add(r *Row) {
	s.calls++
	if r.Status.failed() {
		s.errors++
	}
	s.money(r, 1)
	to, from := s.usage.counts(), r.Usage.counts()
	for i := range to {
		*to[i] = addCount(*to[i], *from[i])
	}
}

// money adds (sign 1) or takes away (sign -1) what a row cost and saved.
func (s *sums) money(r *Row, sign int64) {
	switch r.CostKind {
	case CostUnpriced:
		s.unpriced += sign
	case CostEstimated:
		s.estimated += sign
	case CostAtLeast:
		s.atLeast += sign
	case CostExact, CostStated:
	}
	if r.CostPico != nil {
		s.usd += sign * (*r.CostPico / picoPerUSD)
		s.pico += sign * (*r.CostPico % picoPerUSD)
		s.usd += s.pico / picoPerUSD
		s.pico %= picoPerUSD
		if s.pico < 0 && s.usd > 0 {
			s.usd--
			s.pico += picoPerUSD
		}
	}
	if r.SavedPico != nil {
		s.saved = addCount(s.saved, sign**r.SavedPico)
	}
}

// addCount adds and stops at the ends of int64: a provider that claims 2^63 tokens must not turn a sum negative.
func addCount(a, b int64) int64 {
	c := a + b
	if a > 0 && b > 0 && c < 0 {
		return math.MaxInt64
	}
	if a < 0 && b < 0 && c >= 0 {
		return math.MinInt64
	}
	return c
}

type rollupKey struct{ kind, start, grp int64 }

type rollupSums struct {
	sums
	finish int64
	dirty  bool
}

// rollup keeps the rollup rows in use in memory, where they are added to, and writes the changed ones at the end of each
// transaction. That is safe because only one process writes.
type rollup struct {
	loc                     *time.Location
	load, store, span, next *statement
	rows                    map[rollupKey]*rollupSums
	dirty                   []rollupKey
	first, last             int64 // the span used last: first <= quarter < last
	cells                   [sumCounts]driver.Value
}

func newRollup(conn *sqlite3.SQLiteConn, loc *time.Location) (*rollup, error) {
	u := &rollup{loc: loc, rows: map[rollupKey]*rollupSums{}}
	for _, s := range []struct {
		to    **statement
		query string
	}{
		{&u.load, "SELECT " + sumColumns + " FROM rollup WHERE kind = ? AND start = ? AND grp = ?"},
		{&u.store, "REPLACE INTO rollup (kind, start, grp, finish, " + sumColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"},
		{&u.span, "SELECT start, finish FROM rollup WHERE kind = 2 AND start <= ? ORDER BY start DESC LIMIT 1"},
		{&u.next, "SELECT start FROM rollup WHERE kind = 2 AND start > ? ORDER BY start LIMIT 1"},
	} {
		st, err := prepare(conn, s.query)
		if err != nil {
			return nil, err
		}
		*s.to = st
	}
	return u, nil
}

// add counts an ended row in its quarter hour and its span.
func (u *rollup) add(r *Row, grp int64) error {
	return u.each(r, grp, func(s *sums) { s.add(r) })
}

// each lets f change all sums that a row is in.
func (u *rollup) each(r *Row, grp int64, f func(*sums)) error {
	q := quarterOf(r.Time)
	if q < u.first || q >= u.last {
		if err := u.findSpan(q); err != nil {
			return err
		}
	}
	for _, k := range [...]rollupKey{
		{kindQuarter, q, grp}, {kindSpan, u.first, grp}, {kindSpanAll, u.first, 0},
	} {
		s, err := u.get(k, q)
		if err != nil {
			return err
		}
		f(&s.sums)
		if !s.dirty {
			s.dirty = true
			u.dirty = append(u.dirty, k)
		}
	}
	return nil
}

// findSpan makes first and last the span that holds q: the one in the file, whatever local day made it, or else the local
// day as far as it leaves its neighbours alone.
func (u *rollup) findSpan(q int64) error {
	first, last := dayBounds(q, u.loc)
	cells := u.cells[:2]
	u.span.int(q)
	ok, err := u.span.one(cells)
	if err != nil {
		return err
	}
	if ok {
		start, finish := cells[0].(int64), cells[1].(int64)
		if finish > q {
			u.first, u.last = start, finish
			return nil
		}
		first = max(first, finish)
	}
	u.next.int(q)
	cells = u.cells[:1]
	if ok, err = u.next.one(cells); err != nil {
		return err
	}
	if ok {
		last = min(last, cells[0].(int64))
	}
	u.first, u.last = first, last
	return nil
}

func (u *rollup) get(k rollupKey, q int64) (*rollupSums, error) {
	if s, ok := u.rows[k]; ok {
		return s, nil
	}
	s := &rollupSums{finish: u.last}
	if k.kind == kindQuarter {
		s.finish = q + 1
	}
	u.load.int(k.kind)
	u.load.int(k.start)
	u.load.int(k.grp)
	ok, err := u.load.one(u.cells[:])
	if err != nil {
		return nil, err
	}
	if ok {
		for i, f := range s.fields() {
			*f = u.cells[i].(int64)
		}
	}
	u.rows[k] = s
	return s, nil
}

// flush writes the changed rows.
func (u *rollup) flush() error {
	for _, k := range u.dirty {
		s := u.rows[k]
		st := u.store
		st.int(k.kind)
		st.int(k.start)
		st.int(k.grp)
		st.int(s.finish)
		for _, f := range s.fields() {
			st.int(*f)
		}
		if _, err := st.exec(); err != nil {
			return err
		}
		s.dirty = false
	}
	u.dirty = u.dirty[:0]
	if len(u.rows) > 1024 {
		clear(u.rows)
	}
	return nil
}
