package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const childEnv = "KEYTRAY_LEDGER_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
	}
	os.Exit(m.Run())
}

// child writes rows until it is killed, and prints the id of each that is finished.
func child(path string) {
	l, err := Open(context.Background(), path, Options{})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println("open")
	var mu sync.Mutex
	for w := range 8 {
		go func() {
			for {
				row := Row{Tool: fmt.Sprint(w), Status: StatusOK, CostPico: pico(3), CostKind: CostExact, EstimatePico: pico(2)}
				row.ID = l.Begin(row)
				if row.ID%50 == 0 {
					continue // never finished
				}
				if err := l.Finish(context.Background(), row); err != nil {
					fmt.Println("error:", err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(row.ID)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestKill kills a writing process at random moments: no finished row is lost, nothing is broken, and the rows that were
// running are found.
func TestKill(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 3
	}
	path := file(t)
	finished := map[int64]bool{}
	for range rounds {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if first, err := lines.ReadString('\n'); err != nil || first != "open\n" {
			t.Fatalf("child: %q, %v", first, err)
		}
		if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrInUse) {
			t.Errorf("second process as writer: %v", err)
		}
		kill := time.AfterFunc(time.Duration(rand.IntN(int(120*time.Millisecond))), func() { cmd.Process.Kill() })
		for {
			line, err := lines.ReadString('\n')
			if err == io.EOF {
				break // a line that was cut is a row whose finish was not announced
			}
			if err != nil {
				t.Fatal(err)
			}
			id, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
			if err != nil {
				t.Fatalf("child: %s", line)
			}
			if finished[id] {
				t.Errorf("id %d was given twice", id)
			}
			finished[id] = true
		}
		cmd.Wait() // killed
		kill.Stop()
	}

	running := 0 // of the last one; the others' were found by the one after
	if err := open(t, path, Options{ReadOnly: true}).Each(t.Context(), Filter{}, func(r Row) error {
		if r.Status == StatusRunning {
			running++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	l := open(t, path, Options{})
	if err := quickCheck(t.Context(), path); err != nil {
		t.Error(err)
	}
	var all []Row
	interrupted := 0
	err := l.Each(t.Context(), Filter{}, func(r Row) error {
		all = append(all, r)
		delete(finished, r.ID)
		switch r.Status {
		case StatusOK:
		case StatusInterrupted:
			interrupted++
			if r.CostKind != CostEstimated || *r.CostPico != 2 {
				t.Errorf("interrupted row %+v", r)
			}
		default:
			t.Errorf("row %+v", r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(finished) > 0 {
		t.Errorf("%d finished rows are missing", len(finished))
	}
	if interrupted == 0 {
		t.Error("no row was interrupted")
	}
	if n := l.Notices(); len(n) > 1 || (len(n) == 1) != (running > 0) || len(n) == 1 && n[0].Kind != NoticeInterrupted {
		t.Errorf("notices %+v, of %d rows that ran", n, running)
	}
	compare(t, l, all, Query{By: []By{ByTool}, Location: time.UTC})
	t.Logf("%d rows, %d interrupted", len(all), interrupted)
}
