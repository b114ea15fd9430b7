package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

// dearer makes a row cost twice as much, or 5 if that is not known.
func dearer(r Row) (Row, bool) {
	if r.CostPico == nil {
		r.CostPico, r.CostKind = pico(5), CostEstimated
	} else {
		r.CostPico = pico(2 * *r.CostPico)
	}
	r.Price, r.SavedPico = `{"input":"2"}`, pico(1)
	return r, true
}

// sums asks for the same sums in every way that they are kept.
func everySum(t *testing.T, l *Ledger) (all [][]Sum) {
	t.Helper()
	from := time.Date(2026, 11, 1, 0, 7, 0, 0, time.UTC) // inside a quarter hour: by rows
	for _, q := range []Query{
		{}, {By: []By{ByModel, ByRoute}}, {By: []By{ByDay}, Location: time.UTC}, {By: []By{ByDay, ByTool}, Location: time.FixedZone("x", 19800)}, {From: from},
	} {
		s, err := l.Spend(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

func priced(i int) Row {
	r := Row{
		Tool: fmt.Sprint(i % 3), Provider: "p", Model: fmt.Sprint("m", i%2), Route: "r", Status: StatusOK,
		Time: time.Date(2026, 11, 1+i%4, i%24, i%60, 0, 0, time.UTC), CostKind: CostExact, CostPico: pico(int64(i) * 700_000_000_000), Price: `{"input":"1"}`,
	}
	if i%7 == 0 {
		r.CostPico, r.CostKind, r.Price = nil, CostUnpriced, ""
	}
	return r
}

// TestReprice: the rows, the sums and the former figures are those of a ledger that had the new prices from the start.
func TestReprice(t *testing.T) {
	const n = 2*repricePage + 10
	l, want := open(t, file(t), Options{Location: time.UTC}), open(t, file(t), Options{Location: time.UTC})
	for i := range n {
		r := priced(i)
		finish(t, l, r)
		r.normalise(time.Now)
		if r.Model == "m1" {
			r, _ = dearer(r)
		}
		finish(t, want, r)
	}
	l.Begin(Row{Model: "m1", Tool: "runs", CostPico: pico(9)})
	changed, err := l.Reprice(t.Context(), Filter{Model: "m1"}, dearer)
	if err != nil || changed != n/2 {
		t.Fatalf("%d of %d changed, %v", changed, n, err)
	}
	if got, want := everySum(t, l), everySum(t, want); !reflect.DeepEqual(got, want) {
		t.Errorf("sums\n%+v\nwant\n%+v", got, want)
	}
	var got, all []Row
	collect := func(to *[]Row) func(Row) error { return func(r Row) error { *to = append(*to, r); return nil } }
	if err := errors.Join(l.Each(t.Context(), Filter{Status: StatusOK}, collect(&got)), want.Each(t.Context(), Filter{}, collect(&all))); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if n := len(got[i].Was); n == 1 != (got[i].Model == "m1") {
			t.Errorf("%d former figures of %+v", n, got[i])
		}
		got[i].Was = nil
	}
	if !reflect.DeepEqual(got, all) {
		t.Error("the rows differ")
	}
	// Twice: both figures from before are kept.
	if _, err := l.Reprice(t.Context(), Filter{Model: "m1", BeforeID: 3}, dearer); err != nil {
		t.Fatal(err)
	}
	again, err := l.Rows(t.Context(), Filter{BeforeID: 3})
	if err != nil || len(again) != 2 {
		t.Fatalf("%+v, %v", again, err)
	}
	was := again[0].Was
	if again[0].ID != 2 || len(was) != 2 || *was[0].CostPico != 700_000_000_000 || was[0].Price != `{"input":"1"}` || was[0].SavedPico != nil ||
		*was[1].CostPico != 1_400_000_000_000 || was[1].Price != `{"input":"2"}` || was[1].At.Before(was[0].At) {
		t.Errorf("%+v", again[0])
	}
	if again[1].Was != nil {
		t.Errorf("a row that was left alone: %+v", again[1].Was)
	}
	// Rows that come after join the same sums.
	finish(t, l, priced(1))
	if s, err := l.Total(t.Context(), time.Time{}, time.Time{}); err != nil || s.Calls != n+1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestRepriceFails: when the file cannot be written in the middle, the page is as it was, rows and sums alike.
func TestRepriceFails(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{Location: time.UTC})
	for i := range 10 {
		finish(t, l, priced(i))
	}
	before := everySum(t, l)
	rawExec(t, path, `CREATE TRIGGER broken BEFORE UPDATE ON attempts WHEN old.id = 7 BEGIN SELECT raise(ABORT, 'broken'); END`)
	if n, err := l.Reprice(t.Context(), Filter{}, dearer); err == nil || n != 0 {
		t.Fatalf("%d changed, %v", n, err)
	}
	if got := everySum(t, l); !reflect.DeepEqual(got, before) {
		t.Errorf("sums\n%+v\nwere\n%+v", got, before)
	}
	rows, err := l.Rows(t.Context(), Filter{Model: "m1"})
	if err != nil || *rows[len(rows)-1].CostPico != 700_000_000_000 {
		t.Errorf("%v, %v", rows, err)
	}
	// The writer goes on, and with what is really in the file.
	rawExec(t, path, "DROP TRIGGER broken")
	finish(t, l, priced(11))
	if n, err := l.Reprice(t.Context(), Filter{}, dearer); err != nil || n != 11 {
		t.Errorf("%d changed, %v", n, err)
	}
	total, err := l.Total(t.Context(), time.Time{}, time.Time{})
	if err != nil || total.Unpriced != 0 || total.Calls != 11 {
		t.Errorf("%+v, %v", total, err)
	}
	var sum int64
	_ = l.Each(t.Context(), Filter{}, func(r Row) error { sum += *r.CostPico; return nil })
	if sum != total.CostPico {
		t.Errorf("the rows come to %d, the sums to %d", sum, total.CostPico)
	}
}

// Two commands may ask for it at once: the second one sees what the first has written.
func TestRepriceOneAtATime(t *testing.T) {
	l := open(t, file(t), Options{Location: time.UTC})
	for i := range 4 {
		finish(t, l, priced(i))
	}
	var second error
	if _, err := l.Reprice(t.Context(), Filter{}, func(r Row) (Row, bool) {
		if r.ID == 1 {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, second = l.Reprice(ctx, Filter{}, dearer)
		}
		return dearer(r)
	}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(second, context.DeadlineExceeded) {
		t.Errorf("the second one had not to wait: %v", second)
	}
	total, err := l.Total(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var sum int64
	_ = l.Each(t.Context(), Filter{}, func(r Row) error { sum += *r.CostPico; return nil })
	if sum != total.CostPico {
		t.Errorf("the rows come to %d, the sums to %d", sum, total.CostPico)
	}
}

func TestRepriceNeedsAWriter(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	finish(t, l, priced(1))
	r := open(t, path, Options{ReadOnly: true})
	if _, err := r.Reprice(t.Context(), Filter{}, dearer); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	l.Close()
	if _, err := l.Reprice(t.Context(), Filter{}, dearer); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
