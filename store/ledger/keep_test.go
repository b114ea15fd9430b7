package ledger

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestDrop: old rows go, with all that was theirs alone, and every sum stays as it was.
func TestDrop(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{Location: time.UTC})
	const n = dropPage + 500
	for i := range n {
		r := priced(i)
		r.Reason = strings.Repeat("why ", 50)
		if i == 4 {
			r.Price = "of an old row alone"
		}
		finish(t, l, r)
	}
	if _, err := l.Reprice(t.Context(), Filter{Model: "m1", BeforeID: 100}, dearer); err != nil {
		t.Fatal(err)
	}
	all, err := l.Spend(t.Context(), Query{By: []By{ByDay, ByModel}})
	if err != nil {
		t.Fatal(err)
	}
	inner := Query{From: time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 2, 9, 15, 0, 0, time.UTC)}
	part, err := l.Spend(t.Context(), inner)
	if err != nil {
		t.Fatal(err)
	}
	before := size(t, path)
	gone, err := l.Drop(t.Context(), time.Date(2026, 11, 4, 0, 7, 0, 0, time.UTC))
	if err != nil || gone != n*3/4 {
		t.Fatalf("%d of %d dropped, %v", gone, n, err)
	}
	var free int
	if err := raw(t, path).QueryRow("PRAGMA freelist_count").Scan(&free); err != nil || free != 0 {
		t.Errorf("%d pages are empty, %v", free, err)
	}
	if after := size(t, path); after > before/2 {
		t.Errorf("the file has %d bytes, had %d", after, before)
	}
	rows, err := l.Rows(t.Context(), Filter{Until: time.Date(2026, 11, 4, 0, 0, 0, 0, time.UTC)})
	if err != nil || len(rows) != 0 {
		t.Errorf("%d old rows are left, %v", len(rows), err)
	}
	if got, err := l.Spend(t.Context(), Query{By: []By{ByDay, ByModel}}); err != nil || !reflect.DeepEqual(got, all) {
		t.Errorf("sums\n%+v\nwere\n%+v, %v", got, all, err)
	}
	// A range that cuts quarter hours of which only the sums are left counts them whole.
	inner.From, inner.To = inner.From.Add(time.Minute), inner.To.Add(-time.Minute)
	if got, err := l.Spend(t.Context(), inner); err != nil || !reflect.DeepEqual(got, part) {
		t.Errorf("sums\n%+v\nwere\n%+v, %v", got, part, err)
	}
	dropped := []Row{{ID: 2}}
	if err := formers(t.Context(), l.read.Load(), dropped); err != nil || dropped[0].Was != nil {
		t.Errorf("former figures of a dropped row: %+v, %v", dropped[0].Was, err)
	}
	// Prices still go to rows, whose forgotten ids are made anew.
	r := priced(4)
	r.Price = "of an old row alone"
	finish(t, l, r)
	if rows, err := l.Rows(t.Context(), Filter{Limit: 1}); err != nil || rows[0].Price != r.Price || rows[0].ID != n+1 {
		t.Errorf("%+v, %v", rows, err)
	}
	if gone, err := l.Drop(t.Context(), time.Date(2026, 11, 4, 0, 7, 0, 0, time.UTC)); err != nil || gone != 1 {
		t.Errorf("%d dropped, %v", gone, err)
	}
}

// Ids grow over a restart, even if the last rows are gone.
func TestDropKeepsCounting(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{Location: time.UTC})
	finish(t, l, priced(1))
	finish(t, l, priced(2))
	if n, err := l.Drop(t.Context(), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	l.Close()
	l = open(t, path, Options{Location: time.UTC})
	if id := l.Begin(priced(3)); id != 3 {
		t.Errorf("the next id is %d", id)
	}
	if s, err := l.Total(t.Context(), time.Time{}, time.Time{}); err != nil || s.Calls != 2 {
		t.Errorf("%+v, %v", s, err)
	}
}

func size(t *testing.T, path string) (all int64) {
	t.Helper()
	for _, part := range []string{"", "-wal"} {
		if info, err := os.Stat(path + part); err == nil {
			all += info.Size()
		}
	}
	return all
}

// TestCountsOnly: nothing that names a model or tells of an error reaches the file.
func TestCountsOnly(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	l.CountsOnly(true)
	row := fullRow()
	const secret = "unmentionable"
	row.Model, row.Asked, row.Reason, row.Error, row.Price, row.Lost = secret, secret, secret, secret, `{"model":"`+secret+`"}`, []string{secret}
	row.ID = l.Begin(row)
	finish(t, l, row)
	l.Begin(row)
	if err := l.Settle(t.Context(), "openai", "file", []Row{row}); err != nil {
		t.Fatal(err)
	}
	l.AddVerdict(Verdict{Model: "openai/" + secret, Task: "code", Score: 1})
	rows, err := l.Rows(t.Context(), Filter{Status: StatusCut})
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	want := fullRow()
	if got := rows[1]; got.Usage != want.Usage || *got.CostPico != *want.CostPico || got.Tool != want.Tool || got.Provider != want.Provider || got.Model != NotKept {
		t.Errorf("%+v", got)
	}
	sums, err := l.Spend(t.Context(), Query{By: []By{ByModel}})
	if err != nil || len(sums) != 1 || sums[0].Model != "(not kept)" || sums[0].Calls != 2 {
		t.Errorf("%+v, %v", sums, err)
	}
	l.Close()
	if b, err := os.ReadFile(path); err != nil || strings.Contains(string(b), secret) {
		t.Errorf("the file holds it, %v", err)
	}
}
