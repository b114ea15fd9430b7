package ledger

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"
	"time"
)

// open opens a writer in a folder of the test and closes it at the end.
func open(t testing.TB, path string, opt Options) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), path, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "ledger.db") }

func pico(n int64) *int64 { return &n }

func finish(t testing.TB, l *Ledger, r Row) {
	t.Helper()
	if err := l.Finish(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

// fullRow has a value of its own in every field that is kept.
func fullRow() Row {
	return Row{
		RequestID: "req-1", Attempt: 2, Time: time.Date(2026, 11, 21, 6, 53, 7, 123456000, time.UTC),
		Tool: "codex", Inbound: "chat", Asked: "gpt-6", Route: "safe", Role: RoleLost, Reason: "slower", Provider: "openai", Model: "gpt-6-luna", Key: "work",
		Status: StatusCut, HTTPStatus: 200, Error: "the stream stopped", Streamed: true,
		FirstByte: 250 * time.Millisecond, Duration: 3 * time.Second, Lost: []string{"logit_bias", "a \"quoted\" one"},
		Usage: Usage{
			Input: 1, CacheRead: 2, CacheWrite5m: 3, CacheWrite1h: 4, Output: 5, Reasoning: 6, AudioInput: 7,
			AudioCacheRead: 8, AudioOutput: 9, ImageInput: 10, ImageCacheRead: 11, ImageOutput: 12, Searches: 13, Images: 14, Characters: 15, AudioMS: 16,
		},
		CostPico: pico(341_642_000_000), CostKind: CostStated, StatedPico: pico(341_642_000_000), ComputedPico: pico(0), SavedPico: pico(14),
		Price: `{"input":"1.25"}`,
	}
}

func TestRowIsReadAsWritten(t *testing.T) {
	none := Row{
		Attempt: 1, Time: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Status: StatusOK, FirstByte: -1,
		CostKind: CostUnpriced,
	}
	for name, want := range map[string]Row{"full": fullRow(), "empty": none} {
		for _, begun := range []bool{true, false} {
			l := open(t, file(t), Options{})
			row := want
			if begun {
				row.ID = l.Begin(row)
			}
			finish(t, l, row)
			want.ID = 1
			got, err := l.Rows(t.Context(), Filter{})
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
				t.Errorf("%s, begun %v: got %+v\nwant %+v", name, begun, got, want)
			}
		}
	}
}

func TestRunningRowIsVisible(t *testing.T) {
	l := open(t, file(t), Options{})
	changes, cancel := l.Subscribe()
	defer cancel()
	row := fullRow()
	row.EstimateInput, row.EstimatePico = 77, pico(88)
	id := l.Begin(row)
	<-changes
	rows, err := l.Rows(t.Context(), Filter{})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	got := rows[0]
	if got.ID != id || got.Status != StatusRunning || got.Tool != "codex" || got.Model != "gpt-6-luna" || got.FirstByte != -1 ||
		got.EstimateInput != 77 || *got.EstimatePico != 88 || got.Price != row.Price || !got.Time.Equal(row.Time) {
		t.Errorf("got %+v", got)
	}
	if sum, err := l.Total(t.Context(), time.Time{}, time.Time{}); err != nil || sum.Calls != 0 {
		t.Errorf("a running row was counted: %+v, %v", sum, err)
	}
	row.ID = id
	finish(t, l, row)
	rows, err = l.Rows(t.Context(), Filter{})
	if err != nil || len(rows) != 1 || rows[0].Status != StatusCut {
		t.Errorf("after finish: %+v, %v", rows, err)
	}
}

func TestNormalise(t *testing.T) {
	l := open(t, file(t), Options{})
	long := make([]byte, 999)
	for i := range long {
		long[i] = 'x'
	}
	finish(t, l, Row{
		Status: StatusError, Duration: -time.Second, FirstByte: -5, Error: string(long) + "é and more",
		CostPico: pico(5), Usage: Usage{Input: -3, Output: 1 << 62},
	})
	rows, err := l.Rows(t.Context(), Filter{})
	if err != nil {
		t.Fatal(err)
	}
	r := rows[0]
	if r.Duration != 0 || r.FirstByte != -1 || r.CostKind != CostEstimated || r.Attempt != 1 || r.Time.IsZero() ||
		r.Error != string(long)+"…" || r.Usage.Input != 0 || r.Usage.Output != countLimit {
		t.Errorf("got %+v", r)
	}
}

func TestFinishRefuses(t *testing.T) {
	l := open(t, file(t), Options{})
	for _, status := range []Status{"", StatusRunning, "done"} {
		if err := l.Finish(t.Context(), Row{Status: status}); err == nil {
			t.Errorf("status %q was accepted", status)
		}
	}
	row := Row{Status: StatusOK}
	row.ID = l.Begin(row)
	finish(t, l, row)
	if err := l.Finish(t.Context(), row); !errors.Is(err, ErrFinished) {
		t.Errorf("second finish: %v", err)
	}
	if sum, err := l.Total(t.Context(), time.Time{}, time.Time{}); err != nil || sum.Calls != 1 {
		t.Errorf("counted %d calls, %v", sum.Calls, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Finish(t.Context(), Row{Status: StatusOK}); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	if _, err := l.Rows(t.Context(), Filter{}); !errors.Is(err, ErrClosed) {
		t.Errorf("rows after close: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestFilter(t *testing.T) {
	l := open(t, file(t), Options{})
	base := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for i := range 10 {
		r := Row{Status: StatusOK, Time: base.Add(time.Duration(i) * time.Minute), Tool: "a", Provider: "p", Model: "m", Key: "k"}
		if i%2 == 1 {
			r.Tool, r.Provider, r.Model, r.Key, r.Status = "b", "q", "n", "j", StatusError
		}
		finish(t, l, r)
	}
	if id := l.Begin(Row{Tool: "b", Time: base.Add(10 * time.Minute)}); id != 11 {
		t.Fatal("id", id)
	}
	if err := l.Close(); err != nil { // drains the begin
		t.Fatal(err)
	}
	l = open(t, l.path, Options{ReadOnly: true})
	for name, c := range map[string]struct {
		f    Filter
		want []int64
	}{
		"all":         {Filter{}, []int64{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}},
		"limit":       {Filter{Limit: 2}, []int64{11, 10}},
		"tool":        {Filter{Tool: "b"}, []int64{11, 10, 8, 6, 4, 2}},
		"provider":    {Filter{Provider: "q"}, []int64{10, 8, 6, 4, 2}},
		"model":       {Filter{Model: "m", Limit: 2}, []int64{9, 7}},
		"key":         {Filter{Key: "j", BeforeID: 5}, []int64{4, 2}},
		"status":      {Filter{Status: StatusError, AfterID: 4}, []int64{10, 8, 6}},
		"ok of a":     {Filter{Status: StatusOK, Tool: "a", Limit: 1}, []int64{9}},
		"running":     {Filter{Status: StatusRunning}, []int64{11}},
		"since":       {Filter{Since: base.Add(8 * time.Minute)}, []int64{11, 10, 9}},
		"since, fine": {Filter{Since: base.Add(8*time.Minute + 1)}, []int64{11, 10}},
		"until":       {Filter{Until: base.Add(2 * time.Minute)}, []int64{2, 1}},
		"between":     {Filter{AfterID: 3, BeforeID: 6}, []int64{5, 4}},
		"since of b":  {Filter{Since: base.Add(4 * time.Minute), Tool: "b", Limit: 2}, []int64{11, 10}},
		"in a time":   {Filter{Since: base.Add(2 * time.Minute), Until: base.Add(6 * time.Minute), Status: StatusOK}, []int64{5, 3}},
		"nobody":      {Filter{Tool: "nobody"}, nil},
	} {
		rows, err := l.Rows(t.Context(), c.f)
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(rows); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// A short time in a long ledger is found by the index of times, and a long one by walking the rows: both find the same.
func TestFewRowsAreFoundByTime(t *testing.T) {
	const n = 6000
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	path := file(t)
	makeYear(t, path, n, start, time.UTC)
	l := open(t, path, Options{ReadOnly: true})
	db := l.read.Load()
	for name, c := range map[string]struct {
		f   Filter
		few bool
	}{
		"all":             {Filter{}, false},
		"the year":        {Filter{Since: start}, false},
		"to its end":      {Filter{Until: start.AddDate(2, 0, 0), Tool: "tool-1"}, false},
		"its last days":   {Filter{Since: start.AddDate(0, 11, 20), Tool: "tool-1"}, true},
		"a week's errors": {Filter{Since: start.AddDate(0, 3, 0), Until: start.AddDate(0, 3, 7), Status: StatusError}, true},
		"the first day":   {Filter{Until: start.AddDate(0, 0, 1)}, true},
	} {
		c.f.Limit = 50
		few, err := c.f.few(t.Context(), db)
		if err != nil || few != c.few {
			t.Errorf("%s: few is %v, %v", name, few, err)
		}
		want, err := l.Rows(t.Context(), c.f)
		if err != nil || len(want) == 0 {
			t.Fatal(name, err)
		}
		for _, byTime := range []bool{false, true} {
			if byTime && c.f.Since.IsZero() && c.f.Until.IsZero() {
				continue
			}
			query, args := c.f.query("DESC", byTime)
			rows, err := db.QueryContext(t.Context(), query, args...)
			if err != nil {
				t.Fatal(name, err)
			}
			var got []int64
			for rows.Next() {
				r, err := scanRow(rows)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.ID)
			}
			rows.Close()
			if !reflect.DeepEqual(got, ids(want)) {
				t.Errorf("%s, by time %v: %d rows, want %d", name, byTime, len(got), len(want))
			}
		}
	}
}

func ids(rows []Row) (out []int64) {
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func TestEachPages(t *testing.T) {
	l := open(t, file(t), Options{})
	const n = 2*eachPage + 17
	for range n - 1 {
		l.Begin(Row{Status: StatusOK})
	}
	finish(t, l, Row{Status: StatusOK})
	for _, c := range []struct{ limit, want int }{{0, n}, {5, 5}, {eachPage, eachPage}, {eachPage + 1, eachPage + 1}, {n + 5, n}} {
		last := int64(0)
		count := 0
		err := l.Each(t.Context(), Filter{Limit: c.limit}, func(r Row) error {
			if r.ID != last+1 {
				t.Fatalf("row %d after %d", r.ID, last)
			}
			last = r.ID
			count++
			return nil
		})
		if err != nil || count != c.want {
			t.Errorf("limit %d: %d rows, %v", c.limit, count, err)
		}
	}
	stop := errors.New("stop")
	if err := l.Each(t.Context(), Filter{}, func(Row) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestClockJumpsBack(t *testing.T) {
	l := open(t, file(t), Options{})
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, at := range []time.Time{now, now.AddDate(0, 0, -3), now.AddDate(-1, 0, 0), now.Add(time.Second), now.AddDate(30, 0, 0)} {
		finish(t, l, Row{Status: StatusOK, Time: at, CostPico: pico(1), CostKind: CostExact})
	}
	rows, err := l.Rows(t.Context(), Filter{})
	if err != nil || !reflect.DeepEqual(ids(rows), []int64{5, 4, 3, 2, 1}) {
		t.Errorf("got %v, %v", ids(rows), err)
	}
	sums, err := l.Spend(t.Context(), Query{By: []By{ByDay}, Location: time.UTC})
	if err != nil || len(sums) != 4 || sums[2].Calls != 2 {
		t.Errorf("got %+v, %v", sums, err)
	}
}

func TestReadOnly(t *testing.T) {
	path := file(t)
	if _, err := Open(t.Context(), path, Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	w := open(t, path, Options{})
	row := Row{Tool: "a", Status: StatusOK}
	finish(t, w, row)
	row.ID = w.Begin(row)
	finish(t, w, Row{Status: StatusOK})

	r := open(t, path, Options{ReadOnly: true})
	rows, err := r.Rows(t.Context(), Filter{})
	if err != nil || len(rows) != 3 || rows[1].Status != StatusRunning {
		t.Errorf("the reader changed or missed rows: %+v, %v", rows, err)
	}
	if id := r.Begin(row); id != 0 {
		t.Errorf("begin gave %d", id)
	}
	if err := r.Finish(t.Context(), row); !errors.Is(err, ErrReadOnly) {
		t.Errorf("finish: %v", err)
	}
	finish(t, w, row)
	if rows, err = r.Rows(t.Context(), Filter{Status: StatusOK}); err != nil || len(rows) != 3 {
		t.Errorf("the reader does not see new rows: %v, %v", rows, err)
	}
}

func TestSecondWriterIsRefused(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	id := l.Begin(Row{})
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrInUse) {
		t.Fatalf("second writer: %v", err)
	}
	finish(t, l, Row{ID: id, Status: StatusOK})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, Options{})
	if n := l.Notices(); len(n) != 0 {
		t.Errorf("notices after an orderly close: %+v", n)
	}
	if id := l.Begin(Row{}); id != 2 {
		t.Errorf("next id %d", id)
	}
}

func TestInterrupted(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{Sync: SyncFull})
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	l.Begin(Row{Time: at, Tool: "estimate", EstimateInput: 10, EstimatePico: pico(20)})
	l.Begin(Row{Time: at, Tool: "local", EstimateInput: 10, CostPico: pico(0), CostKind: CostExact})
	l.Begin(Row{Time: at, Tool: "unknown"})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, Options{})
	notices := l.Notices()
	if len(notices) != 1 || notices[0].Kind != NoticeInterrupted || notices[0].Rows != 3 {
		t.Errorf("notices: %+v", notices)
	}
	want := map[string]struct {
		cost *int64
		kind CostKind
		in   int64
	}{
		"estimate": {pico(20), CostEstimated, 10}, "local": {pico(0), CostAtLeast, 10}, "unknown": {nil, CostUnpriced, 0},
	}
	rows, err := l.Rows(t.Context(), Filter{Status: StatusInterrupted})
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	for _, r := range rows {
		w := want[r.Tool]
		if !reflect.DeepEqual(r.CostPico, w.cost) || r.CostKind != w.kind || r.Usage.Input != w.in || r.Error == "" {
			t.Errorf("%s: %+v", r.Tool, r)
		}
	}
	sum, err := l.Total(t.Context(), time.Time{}, time.Time{})
	if err != nil || sum.Calls != 3 || sum.Errors != 3 || sum.Unpriced != 1 || sum.Estimated != 1 || sum.AtLeast != 1 || sum.CostPico != 20 {
		t.Errorf("sum %+v, %v", sum, err)
	}
	l.Close()
	l = open(t, path, Options{})
	if n := l.Notices(); len(n) != 0 {
		t.Errorf("marked twice: %+v", n)
	}
}

func TestOddNames(t *testing.T) {
	name := "a b%41#&=é.db"
	if runtime.GOOS != "windows" {
		name = "who?" + name
	}
	path := filepath.Join(t.TempDir(), "a folder+", name)
	l := open(t, path, Options{})
	finish(t, l, Row{Status: StatusOK})
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if rows, err := l.Rows(t.Context(), Filter{}); err != nil || len(rows) != 1 {
		t.Error(rows, err)
	}
	if info, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
