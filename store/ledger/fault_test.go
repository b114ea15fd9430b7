package ledger

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// raw opens the file without the package.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func rawExec(t *testing.T, path, query string) {
	t.Helper()
	db := raw(t, path)
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
	db.Close()
}

// untilWell waits until nothing is wrong and nothing waits.
func untilWell(t *testing.T, l *Ledger) {
	t.Helper()
	changes, cancel := l.Subscribe()
	defer cancel()
	limit := time.After(10 * time.Second)
	for {
		if h := l.Health(); h.OK() && h.Waiting == 0 {
			return
		}
		select {
		case <-changes:
		case <-limit:
			t.Fatalf("still unwell: %+v", l.Health())
		}
	}
}

// fill is a disk that is full as long as limit is set.
func fill(limit *atomic.Int64) func(func(string) error) error {
	return func(exec func(string) error) error {
		if n := limit.Load(); n > 0 {
			return exec(fmt.Sprintf("PRAGMA max_page_count=%d", n))
		}
		return nil
	}
}

func TestDiskFull(t *testing.T) {
	var limit atomic.Int64
	limit.Store(40)
	path := file(t)
	l := open(t, path, Options{prepare: fill(&limit)})
	row := Row{Status: StatusOK, Error: strings.Repeat("x", 900), Time: time.Now(), CostPico: pico(1), CostKind: CostExact}
	long := row // runs all the time
	long.ID = l.Begin(long)
	written, n := 0, 0
	var full error
	for full == nil && n < 1000 {
		r := row
		r.ID = l.Begin(r)
		n++
		if full = l.Finish(t.Context(), r); full == nil {
			written++
		}
	}
	if !errors.Is(full, ErrKept) {
		t.Fatalf("after %d rows: %v", n, full)
	}
	h := l.Health()
	if h.Problem != "the disk is full" || h.Remedy == "" || h.Waiting == 0 || h.Since.IsZero() {
		t.Errorf("health %+v", h)
	}
	for range 600 { // more than one batch
		n++
		if err := l.Finish(t.Context(), row); !errors.Is(err, ErrKept) {
			t.Fatalf("while full: %v", err)
		}
	}
	if rows, err := l.Rows(t.Context(), Filter{Limit: 2000}); err != nil || len(rows) < written {
		t.Errorf("%d of %d written rows are readable, %v", len(rows), written, err)
	}
	limit.Store(0)
	untilWell(t, l)
	finish(t, l, long)
	if sum, err := l.Total(t.Context(), time.Time{}, time.Time{}); err != nil || sum.Calls != int64(n+1) || sum.CostPico != int64(n+1) {
		t.Errorf("%d rows: %+v, %v", n+1, sum, err)
	}
}

func TestCloseWhileFull(t *testing.T) {
	var limit atomic.Int64
	limit.Store(1)
	l, err := Open(t.Context(), file(t), Options{prepare: fill(&limit)})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		l.Begin(Row{})
	}
	if h := l.Health(); h.OK() {
		t.Errorf("health %+v", h)
	}
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "3 rows") {
		t.Errorf("close: %v", err)
	}
}

// TestTinyDisk fills a real file system, where one can be mounted.
func TestTinyDisk(t *testing.T) {
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("only root on Linux can mount a small disk; TestDiskFull covers the rest")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no small disk: %v: %s", err, out)
		}
		t.Skipf("no small disk: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	l := open(t, filepath.Join(dir, "ledger.db"), Options{})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	row := Row{Status: StatusOK, Error: strings.Repeat("x", 900)}
	n := int64(0)
	var full error
	for full == nil && n < 1000 {
		full = l.Finish(t.Context(), row)
		n++
	}
	if !errors.Is(full, ErrKept) || l.Health().OK() {
		t.Fatalf("after %d rows: %v, %+v", n, full, l.Health())
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	untilWell(t, l)
	if sum, err := l.Total(t.Context(), time.Time{}, time.Time{}); err != nil || sum.Calls != n {
		t.Errorf("%d rows: %+v, %v", n, sum, err)
	}
	l.Close() // before the disk goes
}

// TestReadOnlyFolder runs itself as a user who may not write.
func TestReadOnlyFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder's read-only mark does not stop writing on Windows")
	}
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	for _, exists := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "home")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "ledger.db")
		want := int64(1)
		if exists {
			l := open(t, path, Options{})
			finish(t, l, Row{Status: StatusOK})
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			want = 2
		}
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		l := open(t, path, Options{})
		if id := l.Begin(Row{}); id != want {
			t.Errorf("id %d, want %d", id, want)
		}
		err := l.Finish(t.Context(), Row{ID: want, Status: StatusOK})
		if h := l.Health(); !errors.Is(err, ErrKept) || h.Problem != "the ledger cannot be written" || !strings.Contains(h.Remedy, "writable") {
			t.Errorf("finish: %v; health %+v", err, h)
		}
		if rows, err := l.Rows(t.Context(), Filter{}); err != nil || len(rows) != int(want-1) {
			t.Errorf("readable rows: %v, %v", rows, err)
		}
		if exists {
			r := open(t, path, Options{ReadOnly: true})
			if rows, err := r.Rows(t.Context(), Filter{}); err != nil || len(rows) != 1 {
				t.Errorf("reader: %v, %v", rows, err)
			}
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		untilWell(t, l)
		if rows, err := l.Rows(t.Context(), Filter{Status: StatusOK}); err != nil || len(rows) != int(want) {
			t.Errorf("rows after all: %v, %v", rows, err)
		}
	}
}

func TestNewerAndForeignFiles(t *testing.T) {
	newer, foreign := file(t), file(t)
	open(t, newer, Options{}).Close()
	rawExec(t, newer, "PRAGMA user_version=99")
	rawExec(t, foreign, "CREATE TABLE recipes (name TEXT)")
	for _, c := range []struct {
		path string
		want error
	}{{newer, ErrNewer}, {foreign, ErrForeign}} {
		before, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, readOnly := range []bool{false, true} {
			if _, err := Open(t.Context(), c.path, Options{ReadOnly: readOnly}); !errors.Is(err, c.want) {
				t.Errorf("read only %v: %v, want %v", readOnly, err, c.want)
			}
		}
		after, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, after) {
			t.Error("the file was changed")
		}
	}
	older := file(t)
	rawExec(t, older, fmt.Sprintf("PRAGMA application_id=%d; VACUUM", applicationID))
	if _, err := Open(t.Context(), older, Options{ReadOnly: true}); !errors.Is(err, ErrOlder) {
		t.Errorf("older: %v", err)
	}
}

func TestDamagedFile(t *testing.T) {
	spoil := map[string]func(data []byte) []byte{
		"no database": func([]byte) []byte { return []byte(strings.Repeat("this is a text about cats. ", 400)) },
		"cut off":     func(d []byte) []byte { return d[:len(d)/3] },
		"schema":      func(d []byte) []byte { clear(d[100:4096]); return d },
		"all but the header": func(d []byte) []byte {
			for i := 4096; i < len(d); i++ {
				d[i] = byte(i * 7)
			}
			return d
		},
		"one page in the middle": func(d []byte) []byte {
			at := len(d) / 2 / 4096 * 4096
			for i := range 4096 {
				d[at+i] = 0xA5
			}
			return d
		},
	}
	for name, fn := range spoil {
		t.Run(name, func(t *testing.T) {
			path := file(t)
			l := open(t, path, Options{})
			var all sync.WaitGroup
			for range 300 {
				all.Go(func() {
					id := l.Begin(Row{})
					if err := l.Finish(t.Context(), Row{ID: id, Status: StatusOK, Error: strings.Repeat("y", 500)}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bad := fn(data)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}

			l = open(t, path, Options{})
			changes, cancel := l.Subscribe()
			defer cancel()
			limit := time.After(10 * time.Second)
			for len(l.Notices()) == 0 {
				select {
				case <-changes:
				case <-limit:
					t.Fatal("the damage was not found")
				}
			}
			n := l.Notices()[0]
			if n.Kind != NoticeDamaged || !strings.HasPrefix(n.Path, path+".damaged-2") || !strings.Contains(n.Text, n.Path) {
				t.Errorf("notice %+v", n)
			}
			kept, err := os.ReadFile(n.Path)
			if err != nil {
				t.Fatal(err)
			}
			if len(kept) < len(bad) || !bytes.Equal(kept[100:len(bad)], bad[100:]) && name != "one page in the middle" {
				t.Error("the copy is not the damaged file")
			}
			finish(t, l, Row{Status: StatusOK, Tool: "new"})
			rows, err := l.Rows(t.Context(), Filter{})
			if err != nil || len(rows) != 1 || rows[0].Tool != "new" {
				t.Errorf("new file: %v, %v", rows, err)
			}
			if h := l.Health(); !h.OK() {
				t.Errorf("health %+v", h)
			}
		})
	}
}

// TestDamageMetByReader spoils the file while it is in use, after the check at start.
func TestDamageMetByReader(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	for range 3000 {
		l.Begin(Row{Error: "z", Asked: strings.Repeat("z", 500)})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, Options{})
	changes, cancel := l.Subscribe()
	defer cancel()
	wait := func(what string, done func() bool) {
		t.Helper()
		limit := time.After(10 * time.Second)
		for !done() {
			select {
			case <-changes:
			case <-limit:
				t.Fatal(what)
			}
		}
	}
	wait("not checked", func() bool {
		var at int64
		err := l.read.Load().QueryRowContext(t.Context(), "SELECT value FROM state WHERE name = 'checked'").Scan(&at)
		return err == nil && at > 0
	})
	rawExec(t, path, "PRAGMA wal_checkpoint(TRUNCATE)")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0x5A}, int(info.Size()/2)), info.Size()/4/4096*4096)
	if err := errors.Join(err, f.Close()); err != nil { // Windows moves no file that is open
		t.Fatal(err)
	}
	if err := l.Each(t.Context(), Filter{}, func(Row) error { return nil }); !errors.Is(err, ErrDamaged) {
		t.Errorf("read: %v", err)
	}
	wait("no notice", func() bool { n := l.Notices(); return n[len(n)-1].Kind == NoticeDamaged })
	finish(t, l, Row{Status: StatusOK})
}

// TestSlowDisk looks at a queue that nobody empties.
func TestSlowDisk(t *testing.T) {
	l := &Ledger{queue: make([]op, queueLimit), taken: 1}
	if h := l.Health(); h.OK() || h.Waiting != queueLimit+1 || !strings.Contains(h.Problem, "10001 calls") {
		t.Errorf("health %+v", h)
	}
	l.taken = 0
	if h := l.Health(); !h.OK() {
		t.Errorf("health %+v", h)
	}
}

func TestManyWriters(t *testing.T) {
	const writers, each = 64, 40
	for _, sync := range []Sync{SyncNormal, SyncFull} {
		l := open(t, file(t), Options{Sync: sync})
		hammer(t, l, writers, each)
		sum, err := l.Total(t.Context(), time.Time{}, time.Time{})
		if err != nil || sum.Calls != writers*each || sum.CostPico != writers*each || sum.Usage.Output != 2*writers*each {
			t.Errorf("%v: %+v, %v", sync, sum, err)
		}
		seen := map[int64]bool{}
		err = l.Each(t.Context(), Filter{}, func(r Row) error {
			if seen[r.ID] || r.Status != StatusOK {
				return fmt.Errorf("row %+v", r)
			}
			seen[r.ID] = true
			return nil
		})
		if err != nil || len(seen) != writers*each {
			t.Errorf("%v: %d rows, %v", sync, len(seen), err)
		}
	}
}

// hammer has many goroutines begin, finish and read.
func hammer(t *testing.T, l *Ledger, writers, each int) {
	t.Helper()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				row := Row{
					Status: StatusOK, Tool: fmt.Sprint(w % 4), Model: fmt.Sprint(i % 3), Price: fmt.Sprint(i % 5),
					CostPico: pico(1), CostKind: CostExact, Usage: Usage{Output: 2},
				}
				row.ID = l.Begin(row)
				if err := l.Finish(t.Context(), row); err != nil {
					t.Error(err)
					return
				}
				if i%20 == 0 {
					if rows, err := l.Rows(t.Context(), Filter{AfterID: row.ID - 1, BeforeID: row.ID + 1}); err != nil || len(rows) != 1 || rows[0].Status != StatusOK {
						t.Errorf("own row: %v, %v", rows, err)
					}
					if _, err := l.Spend(t.Context(), Query{By: []By{ByDay, ByTool}}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
}
