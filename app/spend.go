package app

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"keytray/store/ledger"
)

// The ledger's values, for faces.
type (
	// Sum is a group of rows summed.
	Sum = ledger.Sum
	// SpendQuery asks for sums.
	SpendQuery = ledger.Query
	// By is what sums are grouped by: day, tool, provider, model, key, route, role.
	By = ledger.By
	// Role is the part of an attempt in its request's answer.
	Role = ledger.Role
	// Row is one attempt.
	Row = ledger.Row
	// Former is what a row was said to cost before it was priced anew.
	Former = ledger.Former
	// RowFilter chooses rows.
	RowFilter = ledger.Filter
	// Usage counts tokens in buckets that never overlap.
	Usage = ledger.Usage
)

// Spend sums what was spent. A ledger that does not exist yet has no sums.
func (a *App) Spend(ctx context.Context, q SpendQuery) ([]Sum, error) {
	l, err := a.book()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return l.Spend(ctx, q)
}

// Today sums the user's local day so far.
func (a *App) Today(ctx context.Context) (Sum, error) {
	return a.Since(ctx, Day(time.Now()))
}

// Since sums all rows from a moment on.
func (a *App) Since(ctx context.Context, from time.Time) (Sum, error) {
	sums, err := a.Spend(ctx, SpendQuery{From: from})
	if err != nil || len(sums) == 0 {
		return Sum{}, err
	}
	return sums[0], nil
}

// Day is the first instant of t's local day. Where the clock jumps over
// midnight, it is the first instant after.
func Day(t time.Time) time.Time {
	y, m, d := t.Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, t.Location())
	if day.Day() != d { // midnight does not exist: Date went back before it
		day = day.Add(time.Hour)
	}
	if before := day.Add(-time.Hour); before.Day() == d { // midnight comes twice: Date may give the second
		day = before
	}
	return day
}

// Requests lists attempts, newest first, those under way included.
func (a *App) Requests(ctx context.Context, f RowFilter) ([]Row, error) {
	l, err := a.book()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return l.Rows(ctx, f)
}

// EachRequest calls fn with each attempt, oldest first.
func (a *App) EachRequest(ctx context.Context, f RowFilter, fn func(Row) error) error {
	l, err := a.book()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.Each(ctx, f, fn)
}
