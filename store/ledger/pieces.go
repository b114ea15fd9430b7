package ledger

import (
	"context"
	"database/sql"
	"math"
	"math/big"
	"time"
)

// A query is cut into pieces: whole spans where they fit, quarter hours where a span is cut by the range or by another
// zone's midnight, and single rows where the range is cut inside a quarter hour.

// run adds up all pieces.
func (s *spender) run(ctx context.Context, from, to time.Time) error {
	from, to, err := s.whole(ctx, from, to)
	if err != nil {
		return err
	}
	var low, high sql.NullInt64
	err = s.tx.QueryRowContext(ctx, `SELECT (SELECT start FROM rollup WHERE kind = 0 ORDER BY start LIMIT 1),
		(SELECT start FROM rollup WHERE kind = 0 ORDER BY start DESC LIMIT 1)`).Scan(&low, &high)
	if err != nil || !low.Valid {
		return err
	}
	first, last := low.Int64, high.Int64+1
	if !from.IsZero() && quarterOf(from) >= first {
		first = quarterOf(from)
		if !from.Equal(quarterTime(first)) {
			first++ // the rest of from's quarter hour is summed by rows
			if err := s.addRows(ctx, from, earlier(to, quarterTime(first))); err != nil {
				return err
			}
		}
	}
	if !to.IsZero() && quarterOf(to) < last {
		last = quarterOf(to)
		if edge := quarterTime(last); last >= first && !to.Equal(edge) {
			if err := s.addRows(ctx, edge, to); err != nil {
				return err
			}
		}
	}
	if first >= last {
		return nil
	}
	return s.addSpans(ctx, first, last)
}

// earlier returns the earlier time; a zero limit is none.
func earlier(limit, t time.Time) time.Time {
	if !limit.IsZero() && limit.Before(t) {
		return limit
	}
	return t
}

// addRows sums the rows that started in from <= start < to, one by one.
func (s *spender) addRows(ctx context.Context, from, to time.Time) error {
	f := Filter{Since: from, Until: to}
	where, args := f.where()
	rows, err := s.tx.QueryContext(ctx, "SELECT "+endedColumns+" FROM attempts"+namesJoin+where, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return err
		}
		day, _ := s.day(quarterOf(r.Time))
		k := sumKey{day: day}
		for i, label := range [...]string{r.Tool, r.Provider, r.Model, r.Key, r.Route, string(r.Role)} {
			if s.by[i] {
				k.labels[i] = label
			}
		}
		s.at(k).add(&r)
	}
	return rows.Err()
}

// addSpans sums the quarter hours first <= q < last.
func (s *spender) addSpans(ctx context.Context, first, last int64) error {
	whole, parts, err := s.cut(ctx, first, last)
	if err != nil {
		return err
	}
	kind := kindSpanAll
	if s.labels {
		kind = kindSpan
	}
	for _, p := range whole {
		if err := s.addRollup(ctx, kind, p.first, p.last); err != nil {
			return err
		}
	}
	for _, p := range parts {
		if err := s.addRollup(ctx, kindQuarter, p.first, p.last); err != nil {
			return err
		}
	}
	return nil
}

// piece is the quarter hours first <= q < last.
type piece struct{ first, last int64 }

// grow adds a piece, and joins it to the one before if joined says that nothing lies between.
func grow(pieces []piece, p piece, joined bool) []piece {
	if n := len(pieces); n > 0 && joined {
		pieces[n-1].last = p.last
		return pieces
	}
	return append(pieces, p)
}

// cut splits a range into pieces to be summed from spans, and pieces to be summed from quarter hours. Quarter pieces
// never cross a midnight of the asked zone.
func (s *spender) cut(ctx context.Context, first, last int64) (whole, parts []piece, err error) {
	// A span is at most two days long, so that none that began earlier can reach into the range.
	rows, err := s.tx.QueryContext(ctx, "SELECT start, finish FROM rollup WHERE kind = 2 AND start > ? AND start < ? ORDER BY start",
		first-2*24*4, last)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	wasWhole := false
	for rows.Next() {
		var p piece
		if err := rows.Scan(&p.first, &p.last); err != nil {
			return nil, nil, err
		}
		if p.last <= first {
			continue
		}
		if _, end := s.day(p.first); p.first >= first && p.last <= last && p.last <= end {
			whole = grow(whole, p, wasWhole)
			wasWhole = true
			continue
		}
		wasWhole = false
		p.first, p.last = max(p.first, first), min(p.last, last)
		for p.first < p.last {
			_, end := s.day(p.first)
			part := piece{p.first, min(p.last, end)}
			n := len(parts)
			parts = grow(parts, part, n > 0 && parts[n-1].last == part.first && sameDay(s, parts[n-1].first, part.first))
			p.first = part.last
		}
	}
	return whole, parts, rows.Err()
}

func sameDay(s *spender, a, b int64) bool {
	dayA, _ := s.day(a)
	dayB, _ := s.day(b)
	return dayA == dayB
}

// cost returns the cost in pico-USD if it fits.
func (s *sums) cost() (int64, bool) {
	if s.usd > math.MaxInt64/picoPerUSD-1 || s.usd < math.MinInt64/picoPerUSD+1 {
		c := new(big.Int).Mul(big.NewInt(s.usd), big.NewInt(picoPerUSD))
		c.Add(c, big.NewInt(s.pico))
		return c.Int64(), c.IsInt64()
	}
	return s.usd*picoPerUSD + s.pico, true
}
