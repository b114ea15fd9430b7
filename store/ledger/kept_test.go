package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func rowsOf(t *testing.T, l *Ledger) (all []Row) {
	t.Helper()
	if err := l.Each(t.Context(), Filter{}, func(r Row) error { all = append(all, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestKeptOutlivesTheProcess(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	if _, ok, err := l.Kept(t.Context(), "file-1"); ok || err != nil {
		t.Fatal(ok, err)
	}
	l.Keep(Kept{"file-1", "openai", "work", "file"}, Kept{"b-1", "openai", "", "batch"})
	l.Keep(Kept{"file-1", "groq", "", "file"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l.Keep(Kept{ID: "late"}) // nothing happens
	l = open(t, path, Options{})
	if k, ok, err := l.Kept(t.Context(), "file-1"); !ok || err != nil || k != (Kept{"file-1", "groq", "", "file"}) {
		t.Errorf("%+v %v %v", k, ok, err)
	}
	if k, ok, _ := l.Kept(t.Context(), "b-1"); !ok || k.Kind != "batch" {
		t.Errorf("%+v %v", k, ok)
	}
}

// I11: results are settled once, by whoever comes first, and for good.
func TestSettleOnce(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	rows := func() []Row {
		return []Row{
			{Provider: "openai", Model: "a", Status: StatusOK, CostPico: pico(5), CostKind: CostExact, FirstByte: -1},
			{Provider: "openai", Model: "b", Status: StatusOK, CostPico: pico(7), CostKind: CostExact, FirstByte: -1},
		}
	}
	const many = 8
	errs := make(chan error, many)
	for range many {
		go func() { errs <- l.Settle(t.Context(), "openai", "out-1", rows()) }()
	}
	good := 0
	for range many {
		if err := <-errs; err == nil {
			good++
		} else if !errors.Is(err, ErrSettled) {
			t.Error(err)
		}
	}
	if good != 1 || len(rowsOf(t, l)) != 2 {
		t.Fatalf("settled %d times, %d rows", good, len(rowsOf(t, l)))
	}
	if err := l.Settle(t.Context(), "groq", "out-1", rows()[:1]); err != nil { // an id is its provider's
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Settle(t.Context(), "openai", "x", nil); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	l = open(t, path, Options{})
	if err := l.Settle(t.Context(), "openai", "out-1", rows()); !errors.Is(err, ErrSettled) {
		t.Errorf("after a restart: %v", err)
	}
	sum, err := l.Total(t.Context(), time.Time{}, time.Now().Add(time.Hour))
	if err != nil || sum.CostPico != 5+7+5 || sum.Calls != 3 {
		t.Errorf("%+v %v", sum, err)
	}
}

// A ledger of the first version is brought up to date with its rows.
func TestSecondVersion(t *testing.T) {
	path := file(t)
	all, err := steps()
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	if _, err := db.Exec(all[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=1", applicationID)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l := open(t, path, Options{})
	if err := l.Settle(t.Context(), "openai", "x", []Row{fullRow()}); err != nil || len(rowsOf(t, l)) != 1 {
		t.Error(err)
	}
}
