package ledger

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// randomRows are spread over some days around at, in few groups, with every status and cost kind.
func randomRows(r *rand.Rand, n int, at time.Time) []Row {
	statuses := []Status{StatusOK, StatusError, StatusAborted, StatusCut, StatusInterrupted}
	kinds := []CostKind{CostExact, CostStated, CostEstimated, CostAtLeast}
	pick := func(names ...string) string { return names[r.IntN(len(names))] }
	rows := make([]Row, n)
	for i := range rows {
		row := Row{
			Time: at.Add(time.Duration(r.Int64N(int64(4 * 24 * time.Hour)))),
			Tool: pick("codex", "claude", ""), Provider: pick("openai", "anthropic"), Model: pick("a", "b", "c"), Key: pick("k", "l"),
			Route: pick("safe", ""), Role: Role(pick("", "lost", "judge")),
			Status: statuses[r.IntN(len(statuses))],
		}
		for _, c := range row.Usage.counts() {
			*c = r.Int64N(1000)
		}
		if r.IntN(4) > 0 {
			row.CostPico, row.CostKind = pico(r.Int64N(5*picoPerUSD)), kinds[r.IntN(len(kinds))]
		}
		if r.IntN(4) == 0 {
			row.SavedPico = pico(r.Int64N(picoPerUSD))
		}
		row.normalise(time.Now)
		rows[i] = row
	}
	return rows
}

// bruteForce is Spend without a database.
func bruteForce(rows []Row, q Query) []Sum {
	has := func(by By) bool { return slices.Contains(q.By, by) }
	type key struct{ day, tool, provider, model, key, route, role string }
	found := map[key]*Sum{}
	for i := range rows {
		r := &rows[i]
		if !q.From.IsZero() && r.Time.Before(q.From) || !q.To.IsZero() && !r.Time.Before(q.To) {
			continue
		}
		var k key
		if has(ByDay) {
			k.day = r.Time.In(q.Location).Format(time.DateOnly)
		}
		if has(ByTool) {
			k.tool = r.Tool
		}
		if has(ByProvider) {
			k.provider = r.Provider
		}
		if has(ByModel) {
			k.model = r.Model
		}
		if has(ByKey) {
			k.key = r.Key
		}
		if has(ByRoute) {
			k.route = r.Route
		}
		if has(ByRole) {
			k.role = string(r.Role)
		}
		s := found[k]
		if s == nil {
			s = &Sum{Tool: k.tool, Provider: k.provider, Model: k.model, Key: k.key, Route: k.route, Role: Role(k.role)}
			found[k] = s
		}
		s.Calls++
		if r.Status != StatusOK && r.Status != StatusAborted {
			s.Errors++
		}
		if r.CostPico == nil {
			s.Unpriced++
		} else {
			s.CostPico += *r.CostPico
		}
		if r.SavedPico != nil {
			s.SavedPico += *r.SavedPico
		}
		if r.CostKind == CostEstimated {
			s.Estimated++
		}
		if r.CostKind == CostAtLeast {
			s.AtLeast++
		}
		to, from := s.Usage.counts(), r.Usage.counts()
		for i := range to {
			*to[i] += *from[i]
		}
	}
	var keys []key
	for k := range found {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return slices.Compare([]string{a.day, a.tool, a.provider, a.model, a.key, a.route, a.role}, []string{b.day, b.tool, b.provider, b.model, b.key, b.route, b.role})
	})
	var out []Sum
	for _, k := range keys {
		s := *found[k]
		if k.day != "" {
			s.Day, _ = time.Parse(time.DateOnly, k.day)
		}
		out = append(out, s)
	}
	return out
}

// zones are a writer's and a reader's, around days on which something happens in them.
var zones = []struct {
	writer, reader string
	at             time.Time
}{
	{"UTC", "UTC", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	{"Europe/Berlin", "Europe/Berlin", time.Date(2026, 3, 27, 0, 0, 0, 0, time.UTC)},            // 23 hours
	{"Europe/Berlin", "America/New_York", time.Date(2026, 10, 23, 0, 0, 0, 0, time.UTC)},        // 25 hours
	{"Asia/Kolkata", "Asia/Kathmandu", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},             // +5:30, +5:45
	{"Australia/Lord_Howe", "Australia/Lord_Howe", time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC)}, // half an hour of DST
	{"Pacific/Chatham", "Australia/Lord_Howe", time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC)},    // +12:45
	{"America/Sao_Paulo", "America/Sao_Paulo", time.Date(2018, 11, 2, 0, 0, 0, 0, time.UTC)},    // no midnight
	{"America/Havana", "America/Havana", time.Date(2025, 10, 31, 0, 0, 0, 0, time.UTC)},         // midnight twice
	{"Pacific/Apia", "Pacific/Apia", time.Date(2011, 12, 29, 0, 0, 0, 0, time.UTC)},             // a day that is not
	{"Asia/Tokyo", "Asia/Tokyo", time.Date(1969, 12, 30, 0, 0, 0, 0, time.UTC)},                 // before 1970
}

// TestSpendIsTheSumOfTheRows covers I16: days in any zone, and in UTC, are reproducible from the rows.
func TestSpendIsTheSumOfTheRows(t *testing.T) {
	bys := [][]By{nil, {ByDay}, {ByTool}, {ByDay, ByProvider}, {ByModel, ByKey}, {ByDay, ByRoute}, {ByRole}, {ByDay, ByTool, ByProvider, ByModel, ByKey}}
	for i, z := range zones {
		t.Run(z.writer+" "+z.reader, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(i), 1))
			rows := randomRows(r, 1500, z.at)
			path := file(t)
			// Two writers, so that the file has spans of two zones, the second's before and after the first's.
			slices.SortFunc(rows, func(a, b Row) int { return a.Time.Compare(b.Time) })
			parts := [][]Row{rows[500:1000], slices.Concat(rows[:500], rows[1000:])}
			for half, name := range []string{z.writer, z.reader} {
				l := open(t, path, Options{Location: zone(t, name)})
				var all sync.WaitGroup
				for _, row := range parts[half] {
					all.Go(func() {
						if err := l.Finish(t.Context(), row); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			}
			l := open(t, path, Options{ReadOnly: true, Location: zone(t, z.writer)})
			end := z.at.AddDate(0, 0, 9)
			ranges := [][2]time.Time{{}, {{}, end}, {z.at, {}}, {z.at, end}, {end, z.at}}
			for range 12 {
				from := z.at.Add(time.Duration(r.Int64N(int64(4 * 24 * time.Hour)))).Truncate(time.Microsecond)
				to := from.Add(time.Duration(r.ExpFloat64() * float64(6*time.Hour))).Truncate(time.Microsecond)
				ranges = append(ranges, [2]time.Time{from, to}, [2]time.Time{
					from.Truncate(quarterSeconds * time.Second), to.Truncate(quarterSeconds * time.Second),
				})
			}
			for _, name := range []string{z.writer, z.reader, "UTC"} {
				for _, by := range bys {
					for _, rg := range ranges {
						q := Query{From: rg[0], To: rg[1], By: by, Location: zone(t, name)}
						compare(t, l, rows, q)
					}
				}
			}
		})
	}
}

func compare(t *testing.T, l *Ledger, rows []Row, q Query) {
	t.Helper()
	got, err := l.Spend(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	want := bruteForce(rows, q)
	for i := range got {
		if slices.Contains(q.By, ByDay) {
			if loc := got[i].Day.Location(); loc != q.Location {
				t.Fatalf("day in %v", loc)
			}
			before := got[i].Day.Add(-1)
			if before.Format(time.DateOnly) == got[i].Day.Format(time.DateOnly) {
				t.Fatalf("%v is not the start of its day", got[i].Day)
			}
			got[i].Day, _ = time.Parse(time.DateOnly, got[i].Day.Format(time.DateOnly))
		}
	}
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%v to %v by %v in %v:\ngot  %s\nwant %s", q.From, q.To, q.By, q.Location, short(got), short(want))
	}
}

func short(sums []Sum) string {
	s := fmt.Sprint(len(sums), " sums:")
	for _, x := range sums {
		s += fmt.Sprintf(" [%s %s %s %s %s: %d, %d]", x.Day.Format(time.DateTime), x.Tool, x.Provider, x.Model, x.Key, x.Calls, x.CostPico)
	}
	return s
}

func TestDayBounds(t *testing.T) {
	for _, c := range []struct {
		zone  string
		at    time.Time
		start string // local
		hours float64
	}{
		{"UTC", time.Date(2026, 5, 5, 23, 59, 59, 0, time.UTC), "2026-05-05 00:00", 24},
		{"Europe/Berlin", time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC), "2026-03-29 00:00", 23},
		{"Europe/Berlin", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), "2026-10-25 00:00", 25},
		{"Europe/Berlin", time.Date(2026, 10, 24, 21, 59, 0, 0, time.UTC), "2026-10-24 00:00", 24},
		{"Asia/Kathmandu", time.Date(2026, 5, 5, 18, 15, 0, 0, time.UTC), "2026-05-06 00:00", 24},
		{"Asia/Kathmandu", time.Date(2026, 5, 5, 18, 14, 0, 0, time.UTC), "2026-05-05 00:00", 24},
		{"Australia/Lord_Howe", time.Date(2026, 4, 5, 3, 0, 0, 0, time.UTC), "2026-04-05 00:00", 24.5},
		{"America/Sao_Paulo", time.Date(2018, 11, 4, 12, 0, 0, 0, time.UTC), "2018-11-04 01:00", 23},
		{"America/Havana", time.Date(2025, 11, 2, 5, 30, 0, 0, time.UTC), "2025-11-02 00:00", 25},
		{"Pacific/Apia", time.Date(2011, 12, 31, 3, 0, 0, 0, time.UTC), "2011-12-31 00:00", 24},
		{"Pacific/Apia", time.Date(2011, 12, 30, 3, 0, 0, 0, time.UTC), "2011-12-29 00:00", 24},
	} {
		loc := zone(t, c.zone)
		start, finish := dayBounds(quarterOf(c.at), loc)
		got := quarterTime(start).In(loc).Format("2006-01-02 15:04")
		if hours := float64(finish-start) / 4; got != c.start || hours != c.hours {
			t.Errorf("%s %v: %s, %v hours; want %s, %v", c.zone, c.at, got, hours, c.start, c.hours)
		}
	}
}

func TestSumsDoNotWrap(t *testing.T) {
	l := open(t, file(t), Options{Location: time.UTC})
	at := time.Date(2026, 5, 5, 12, 0, 0, 0, time.UTC)
	for i := range 3 {
		finish(t, l, Row{
			Status: StatusOK, Time: at.AddDate(0, 0, i), Tool: fmt.Sprint(i), CostPico: pico(math.MaxInt64 - int64(i)), CostKind: CostStated,
			Usage: Usage{Input: math.MaxInt64},
		})
	}
	finish(t, l, Row{Status: StatusOK, Time: at.AddDate(0, 0, 2), Tool: "2", CostPico: pico(2), CostKind: CostStated})
	if _, err := l.Total(t.Context(), time.Time{}, time.Time{}); !errors.Is(err, ErrOverflow) {
		t.Errorf("got %v", err)
	}
	sums, err := l.Spend(t.Context(), Query{By: []By{ByDay}})
	if err != nil || len(sums) != 3 || sums[0].CostPico != math.MaxInt64 || sums[1].CostPico != math.MaxInt64-1 ||
		sums[2].CostPico != math.MaxInt64 || sums[2].Usage.Input != countLimit {
		t.Errorf("got %+v, %v", sums, err)
	}
	finish(t, l, Row{Status: StatusOK, Time: at.AddDate(0, 0, 2), Tool: "2", CostPico: pico(1), CostKind: CostStated})
	if _, err = l.Spend(t.Context(), Query{By: []By{ByTool}}); !errors.Is(err, ErrOverflow) {
		t.Errorf("one more: %v", err)
	}
	finish(t, l, Row{Status: StatusOK, Time: at.AddDate(0, 0, 2), Tool: "2", CostPico: pico(-1), CostKind: CostStated})
	if sums, err = l.Spend(t.Context(), Query{By: []By{ByTool}}); err != nil || sums[2].CostPico != math.MaxInt64 {
		t.Errorf("one less: %+v, %v", sums, err)
	}
}

func TestSpendRefusesUnknownGroup(t *testing.T) {
	l := open(t, file(t), Options{})
	if _, err := l.Spend(t.Context(), Query{By: []By{"colour"}}); err == nil {
		t.Error("no error")
	}
	if sums, err := l.Spend(t.Context(), Query{By: []By{ByDay}}); err != nil || len(sums) != 0 {
		t.Errorf("empty ledger: %v, %v", sums, err)
	}
}
