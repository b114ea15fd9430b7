package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// By names what sums are grouped by.
type By string

const (
	ByDay      By = "day"
	ByTool     By = "tool"
	ByProvider By = "provider"
	ByModel    By = "model"
	ByKey      By = "key"
	ByRoute    By = "route"
	ByRole     By = "role"
)

// Query asks for sums of the rows that ended and whose attempt started in From <= start < To. A zero From or To leaves
// that side open.
type Query struct {
	From, To time.Time
	By       []By           // none: one sum of all
	Location *time.Location // where days begin and end; nil is the ledger's
}

// Sum is the sum of a group of rows. The labels that the query does not group by are empty.
type Sum struct {
	Day                        time.Time // the first instant of the local day; zero if not grouped by day
	Tool, Provider, Model, Key string
	Route                      string
	Role                       Role

	Calls     int64
	Errors    int64 // ended as error, cut or interrupted
	Unpriced  int64 // of unknown cost, which CostPico leaves out
	Estimated int64 // whose cost is an estimate
	AtLeast   int64 // whose cost is a lower bound
	Usage     Usage
	CostPico  int64 // exact
	SavedPico int64
}

// Spend sums rows, sorted by day and then by the labels in the order of labelColumns. Days without rows are
// left out. A row belongs to the local day in which the quarter hour of its start begins, so each is counted once in any
// zone, and on its true day where the zone's offset is a multiple of 15 minutes. It returns ErrOverflow rather than a
// wrong sum.
func (l *Ledger) Spend(ctx context.Context, q Query) ([]Sum, error) {
	s := &spender{loc: q.Location, sums: map[sumKey]*sums{}}
	if s.loc == nil {
		s.loc = l.opt.Location
	}
	for _, by := range q.By {
		switch by {
		case ByDay:
			s.byDay = true
		case ByTool, ByProvider, ByModel, ByKey, ByRoute, ByRole:
			s.labels = true
		default:
			return nil, fmt.Errorf("sum the ledger: cannot group by %q", by)
		}
	}
	for i, by := range labelColumns {
		s.by[i] = slices.Contains(q.By, by)
	}
	db, err := l.reader()
	if db == nil {
		return nil, err
	}
	// One transaction, so that all parts show the same moment.
	s.tx, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, l.readError(fmt.Errorf("sum the ledger: %w", err))
	}
	defer s.tx.Rollback()
	if err := s.run(ctx, q.From, q.To); err != nil {
		return nil, l.readError(fmt.Errorf("sum the ledger: %w", err))
	}
	return s.result()
}

// Total sums all rows that started in from <= start < to; a zero time leaves that side open.
func (l *Ledger) Total(ctx context.Context, from, to time.Time) (Sum, error) {
	sums, err := l.Spend(ctx, Query{From: from, To: to})
	if err != nil || len(sums) == 0 {
		return Sum{}, err
	}
	return sums[0], nil
}

// labelColumns are the columns of groups that sums are grouped by, in the order that they are sorted by.
var labelColumns = [...]By{ByTool, ByProvider, ByModel, ByKey, ByRoute, ByRole}

// sumKey is a group: day is the quarter hour in which the local day begins.
type sumKey struct {
	day    int64
	labels [len(labelColumns)]string
}

// spender answers one query.
type spender struct {
	tx     *sql.Tx
	loc    *time.Location
	byDay  bool
	by     [len(labelColumns)]bool
	labels bool // any of by
	sums   map[sumKey]*sums

	dayFirst, dayLast int64 // the local day looked up last
}

// day returns the group of a quarter hour, and how far its day reaches.
func (s *spender) day(q int64) (day, last int64) {
	if !s.byDay {
		return 0, 1 << 62
	}
	if q < s.dayFirst || q >= s.dayLast {
		s.dayFirst, s.dayLast = dayBounds(q, s.loc)
	}
	return s.dayFirst, s.dayLast
}

// at returns the sums of a group.
func (s *spender) at(k sumKey) *sums {
	t := s.sums[k]
	if t == nil {
		t = &sums{}
		s.sums[k] = t
	}
	return t
}

func (s *spender) result() ([]Sum, error) {
	out := make([]Sum, 0, len(s.sums))
	for k, t := range s.sums {
		cost, ok := t.cost()
		if !ok {
			return nil, ErrOverflow
		}
		sum := Sum{
			Tool: k.labels[0], Provider: k.labels[1], Model: k.labels[2], Key: k.labels[3],
			Route: k.labels[4], Role: Role(k.labels[5]),
			Calls: t.calls, Errors: t.errors, Unpriced: t.unpriced, Estimated: t.estimated, AtLeast: t.atLeast,
			Usage: t.usage, CostPico: cost, SavedPico: t.saved,
		}
		if s.byDay {
			sum.Day = quarterTime(k.day).In(s.loc)
		}
		out = append(out, sum)
	}
	slices.SortFunc(out, func(a, b Sum) int {
		return cmp.Or(
			a.Day.Compare(b.Day), strings.Compare(a.Tool, b.Tool), strings.Compare(a.Provider, b.Provider),
			strings.Compare(a.Model, b.Model), strings.Compare(a.Key, b.Key),
			strings.Compare(a.Route, b.Route), cmp.Compare(a.Role, b.Role),
		)
	})
	return out, nil
}
