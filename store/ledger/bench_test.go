package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// benchRow is a usual row.
func benchRow(i int) Row {
	return Row{
		RequestID: "01JD3Q8Y4S6V7X9ZABCDEFGHJK", Attempt: 1, Tool: "codex", Inbound: "chat", Asked: "gpt-6-luna",
		Provider: "openai", Model: []string{"gpt-6-luna", "gpt-6-mini", "gpt-6"}[i%3], Key: "work", Status: StatusOK, HTTPStatus: 200,
		Streamed: true, FirstByte: 312345 * time.Microsecond, Duration: 2812345 * time.Microsecond,
		Usage:    Usage{Input: 51232, CacheRead: 1188096, Output: 12909, Reasoning: 4000},
		CostPico: pico(341_642_000_000), CostKind: CostExact, ComputedPico: pico(341_642_000_000),
		Price: `{"input":"1.25","cache_read":"0.125","output":"10","per":1000000,"from":"2026-08-07","source":"list"}`,
	}
}

// BenchmarkBeginFinish is one attempt, begun and finished, by so many goroutines at once.
func BenchmarkBeginFinish(b *testing.B) {
	for _, mode := range []Sync{SyncNormal, SyncFull} {
		for _, writers := range []int{1, 8, 64} {
			b.Run(fmt.Sprintf("%v/%d", mode, writers), func(b *testing.B) {
				l := open(b, filepath.Join(b.TempDir(), "ledger.db"), Options{Sync: mode})
				took := make([][]time.Duration, writers)
				b.ReportAllocs()
				b.ResetTimer()
				cpu := processCPU()
				var all sync.WaitGroup
				for w := range writers {
					all.Go(func() {
						for i := w; i < b.N; i += writers {
							row := benchRow(i)
							row.Time = time.Now()
							row.ID = l.Begin(row)
							start := time.Now()
							if err := l.Finish(context.Background(), row); err != nil {
								b.Error(err)
								return
							}
							took[w] = append(took[w], time.Since(start))
						}
					})
				}
				all.Wait()
				b.StopTimer()
				b.ReportMetric(float64(processCPU()-cpu)/1e3/float64(b.N), "cpu-µs/op")
				waits := slices.Concat(took...)
				slices.Sort(waits)
				b.ReportMetric(float64(waits[len(waits)/2])/1e3, "p50-µs")
				b.ReportMetric(float64(waits[len(waits)*99/100])/1e3, "p99-µs")
			})
		}
	}
}

// BenchmarkSpend sums a year. KEYTRAY_LEDGER_ROWS says how many rows it has (100,000), KEYTRAY_LEDGER_FILE keeps the file
// there for another run.
func BenchmarkSpend(b *testing.B) {
	n := 100_000
	if s := os.Getenv("KEYTRAY_LEDGER_ROWS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	path := os.Getenv("KEYTRAY_LEDGER_FILE")
	if path == "" {
		path = filepath.Join(b.TempDir(), "ledger.db")
	}
	loc := zone(b, "Asia/Kolkata")
	year := time.Date(2025, 11, 21, 0, 0, 0, 0, loc)
	if _, err := os.Stat(path); err != nil {
		makeYear(b, path, n, year, loc)
	}
	start := time.Now()
	l := open(b, path, Options{Location: loc})
	b.Logf("%d rows, open took %v", n, time.Since(start))
	from, to := year, year.AddDate(1, 0, 0)
	for _, c := range []struct {
		name string
		q    Query
	}{
		{"year/day", Query{From: from, To: to, By: []By{ByDay}}},
		{"year/total", Query{From: from, To: to}},
		{"year/provider", Query{From: from, To: to, By: []By{ByProvider}}},
		{"year/day,provider", Query{From: from, To: to, By: []By{ByDay, ByProvider}}},
		{"year/day,model", Query{From: from, To: to, By: []By{ByDay, ByModel}}},
		{"year/day/other zone", Query{From: from, To: to, By: []By{ByDay}, Location: zone(b, "America/New_York")}},
		{"month/day,model", Query{From: to.AddDate(0, -1, 0), To: to, By: []By{ByDay, ByModel}}},
		{"today/total", Query{From: to.AddDate(0, 0, -1), To: to}},
		{"cut hour/tool", Query{From: to.Add(-61 * time.Minute), To: to.Add(-time.Minute), By: []By{ByTool}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			sums := 0
			for b.Loop() {
				s, err := l.Spend(b.Context(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				sums = len(s)
			}
			b.ReportMetric(float64(sums), "sums")
		})
	}
	for name, f := range map[string]Filter{
		"last 100": {}, "last 100 of a model": {Model: "model-7"}, "running": {Status: StatusRunning}, "of nobody": {Tool: "nobody"},
		"errors": {Status: StatusError}, "interrupted": {Status: StatusInterrupted},
		"last hour": {Since: to.Add(-time.Hour)}, "last hour's errors": {Since: to.Add(-time.Hour), Status: StatusInterrupted}, "last hour of a tool": {Since: to.Add(-time.Hour), Tool: "nobody"},
		"a day of a model, a year ago": {Since: from, Until: from.AddDate(0, 0, 1), Model: "model-7"},
	} {
		b.Run("rows/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := l.Rows(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// makeYear fills a ledger with n rows over a year, in the shortest way: rows in one statement, then the rollup from them.
func makeYear(b testing.TB, path string, n int, year time.Time, loc *time.Location) {
	b.Helper()
	open(b, path, Options{Location: loc}).Close()
	db, err := sql.Open("sqlite3", path+"?_journal_mode=WAL&_synchronous=OFF&_cache_size=-200000")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	do := func(query string, args ...any) {
		b.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			b.Fatal(err)
		}
	}
	// 20 groups: 4 tools, 5 providers, 10 models.
	do(`WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n+1 FROM i WHERE n < 19)
		INSERT INTO groups SELECT n+1, 'tool-'||(n%4), 'provider-'||(n%5), 'model-'||(n%10), 'work', '', '' FROM i`)
	do(`INSERT INTO prices VALUES (1, '{"input":"1.25","cache_read":"0.125","output":"10","per":1000000}')`)
	from := year.UnixMicro()
	step := year.AddDate(1, 0, 0).Add(-time.Second).UnixMicro() - from
	do(`WITH RECURSIVE i(n) AS (SELECT 0 UNION ALL SELECT n+1 FROM i WHERE n < ?1-1)
		INSERT INTO attempts SELECT n+1, '01JD3Q8Y4S6V7X9Z'||printf('%010d', n), ?2 + n*(?3/?1), (n*7)%20+1, 'chat', 'gpt-6-luna', '', 1, 1, '',
		1, iif(n%50=0, 'error', 'ok'), 200, '', 312345, 2812345, 341642000000+n, 'exact', NULL, 341642000000,
		51232+n%100, 1188096, 0, 0, 12909, 4000, 0, 0, 0, 0, 0, 0, 0, '', '', NULL, 0, 0, 0 FROM i`, n, from, step)
	const into = `INSERT INTO rollup (kind, start, grp, finish, ` + sumColumns + `)`
	const counted = `count(*), sum(status='error'), 0, 0, 0, sum(cost/1000000000000), sum(cost%1000000000000), 0, sum(input),
		sum(cache_read), 0, 0, sum(output), sum(reasoning), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0`
	do(into + ` SELECT 0, started/900000000 AS q, grp, started/900000000+1, ` + counted + ` FROM attempts GROUP BY q, grp`)
	do(`CREATE TEMP TABLE d (start INTEGER PRIMARY KEY, finish INTEGER)`)
	for q := quarterOf(year); q < quarterOf(year.AddDate(1, 0, 0)); {
		start, finish := dayBounds(q, loc)
		do("INSERT INTO d VALUES (?, ?)", start, finish)
		q = finish
	}
	sums := ""
	for c := range strings.SplitSeq(sumColumns, ",") {
		sums += ", sum(" + c + ")"
	}
	do(into + ` SELECT 1, d.start, r.grp, d.finish` + sums + ` FROM d JOIN rollup r ON r.kind = 0 AND r.start >= d.start AND r.start < d.finish GROUP BY d.start, r.grp`)
	do(into + ` SELECT 2, start, 0, finish` + sums + ` FROM rollup WHERE kind = 1 GROUP BY start`)
	runtime.GC()
}
