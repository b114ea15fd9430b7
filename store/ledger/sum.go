package ledger

import (
	"context"
	"strings"
)

// addRollup adds the rollup rows of one kind with first <= start < last. Pieces of quarter hours lie within one day, so
// only spans are told apart by their start.
func (s *spender) addRollup(ctx context.Context, kind, first, last int64) error {
	rows, err := s.tx.QueryContext(ctx, s.rollupSQL(kind), kind, first, last)
	if err != nil {
		return err
	}
	defer rows.Close()
	var part sums
	var start int64
	var labels [len(labelColumns)]string
	dest := make([]any, 0, 1+len(labels)+sumCounts)
	dest = append(dest, &start)
	for i := range labels {
		if s.by[i] {
			dest = append(dest, &labels[i])
		}
	}
	for _, f := range part.fields() {
		dest = append(dest, f)
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		day, _ := s.day(start)
		s.at(sumKey{day, labels}).merge(&part)
	}
	return rows.Err()
}

func (s *spender) rollupSQL(kind int64) string {
	groupBy := []string{}
	start := "min(r.start)"
	if s.byDay && kind != kindQuarter {
		groupBy = append(groupBy, "r.start")
	}
	columns := []string{start}
	from := " FROM rollup r"
	if s.labels {
		from += " CROSS JOIN groups g ON g.id = r.grp"
	}
	for i, by := range labelColumns {
		if name := "g." + string(by); s.by[i] {
			columns = append(columns, name)
			groupBy = append(groupBy, name)
		}
	}
	for name := range strings.SplitSeq(sumColumns, ",") {
		columns = append(columns, "sum(r."+strings.TrimSpace(name)+")")
	}
	query := "SELECT " + strings.Join(columns, ", ") + from + " WHERE r.kind = ? AND r.start >= ? AND r.start < ?"
	if len(groupBy) > 0 {
		return query + " GROUP BY " + strings.Join(groupBy, ", ")
	}
	return query + " HAVING count(*) > 0"
}

// merge adds the figures of another sum.
func (s *sums) merge(o *sums) {
	to, from := s.fields(), o.fields()
	for i := range to {
		*to[i] = addCount(*to[i], *from[i])
	}
	s.usd += s.pico / picoPerUSD
	s.pico %= picoPerUSD
}
