package app

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"keytray/proxy/proxytest"
	"keytray/store/keys"
	"keytray/store/ledger"
)

// servesEnv makes the test program a Keytray that serves from the folder that it names.
const servesEnv = "KEYTRAY_TEST_SERVES"

func TestMain(m *testing.M) {
	if home := os.Getenv(servesEnv); home != "" {
		serveUntilKilled(home)
	}
	os.Exit(m.Run())
}

// serveUntilKilled prints the address once it serves, or why it does not.
func serveUntilKilled(home string) {
	vars := map[string]string{"KEYTRAY_HOME": home, "OLLAMA_HOST": "127.0.0.1:1", "KEYTRAY_TOKEN": "kt-test", "OPENAI_API_KEY": canary, "ANTHROPIC_API_KEY": canary}
	a, err := Open(context.Background(), Options{
		Serve: true, Listen: "127.0.0.1:0", Keychain: &keys.Memory{}, Getenv: func(k string) string { return vars[k] },
	})
	if err == nil {
		err = a.Start()
	}
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	addr, _ := a.Addr()
	fmt.Println(addr)
	_, _ = io.Copy(io.Discard, os.Stdin) // and no longer than who started it
	os.Exit(0)
}

// TestKillTheProgram kills a Keytray under load again and again: what its clients had whole is in the ledger at the next
// start, what they had not is marked as interrupted, nothing is there twice, and nothing is broken (promise 8).
func TestKillTheProgram(t *testing.T) {
	rounds := 50
	if testing.Short() {
		rounds = 5
	}
	provider := &proxytest.Provider{Choose: func(s *proxytest.Seen) proxytest.Script {
		if s.Model == "gpt-5-mini" {
			return proxytest.Script{Fault: proxytest.FaultStall, After: 3} // an answer that never ends
		}
		return proxytest.Script{}
	}}
	at := proxytest.Start(t, provider).URL + "/v1"
	home := t.TempDir()
	yaml := fmt.Sprintf("providers:\n  openai: {base_url: %s}\n  anthropic: {base_url: %s}\nroutes:\n  both: {race: [openai/gpt-5, anthropic/claude-opus-5-5], after: 1ms}\n", at, at)
	if err := os.WriteFile(home+"/config.yaml", []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	finished := map[string]bool{} // by the request's id
	for round := range rounds {
		for _, id := range killOne(t, home, 1+rand.IntN(40)) {
			finished[id] = true
		}
		checkKept(t, home+"/ledger.db", finished, round)
	}
	l, err := ledger.Open(t.Context(), home+"/ledger.db", ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rows, interrupted := 0, 0
	ids := map[string]bool{}
	err = l.Each(t.Context(), ledger.Filter{}, func(r ledger.Row) error {
		rows++
		if key := fmt.Sprint(r.RequestID, " ", r.Attempt); ids[key] {
			t.Errorf("%s is there twice", key)
		} else {
			ids[key] = true
		}
		switch r.Status {
		case ledger.StatusRunning:
			t.Errorf("still running: %+v", r)
		case ledger.StatusInterrupted:
			interrupted++
			if r.CostPico == nil || *r.CostPico == 0 || r.CostKind != ledger.CostEstimated || r.Usage.Input == 0 || r.Error == "" {
				t.Errorf("interrupted: %+v", r)
			}
		case ledger.StatusOK:
			if r.CostPico == nil || r.CostKind != ledger.CostExact {
				t.Errorf("finished: %+v", r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if interrupted == 0 || len(finished) < rounds {
		t.Errorf("%d rounds: %d answers, %d rows interrupted: nothing is proved", rounds, len(finished), interrupted)
	}
	var said string
	db, err := sql.Open("sqlite3", "file:"+home+"/ledger.db?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&said); err != nil || said != "ok" {
		t.Errorf("integrity_check: %s %v", said, err)
	}
	t.Logf("%d rounds, %d answers had whole, %d rows, %d interrupted", rounds, len(finished), rows, interrupted)
}

// killOne starts a Keytray, kills it when its clients have had that many answers, and returns the ids of those that
// came whole.
func killOne(t *testing.T, home string, answers int) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), servesEnv+"="+home)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if addr = strings.TrimSpace(addr); err != nil || strings.HasPrefix(addr, "error") {
		_ = cmd.Process.Kill()
		t.Fatalf("it does not start: %s %v", addr, err)
	}
	var mu sync.Mutex
	var whole []string
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10}}
	defer client.CloseIdleConnections()
	var clients sync.WaitGroup
	for n := range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				id, ok := askOnce(ctx, client, addr, n)
				if !ok {
					continue
				}
				mu.Lock()
				if whole = append(whole, id); len(whole) == answers {
					_ = cmd.Process.Kill() // SIGKILL
					cancel()
				}
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	_ = cmd.Wait() // it was killed
	return whole
}

// askOnce tells whether an answer came whole.
func askOnce(ctx context.Context, client *http.Client, addr string, n int) (id string, ok bool) {
	model, more := []string{"openai/gpt-5", "anthropic/claude-opus-5-5", "both"}[n%3], ""
	if n == 7 {
		model = "openai/gpt-5-mini"
	}
	end := `"finish_reason":"stop"`
	if n%2 == 0 {
		more, end = `"stream":true`, "data: [DONE]"
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/v1/chat/completions", strings.NewReader(chatBody(model, more)))
	if err != nil {
		return "", false
	}
	req.Header.Set("Authorization", "Bearer kt-test")
	resp, err := client.Do(req)
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.Header.Get("Keytray-Request-Id"), err == nil && strings.Contains(string(b), end)
}

// checkKept checks that what was had whole is in the ledger of a Keytray that was killed.
func checkKept(t *testing.T, file string, finished map[string]bool, round int) {
	t.Helper()
	l, err := ledger.Open(t.Context(), file, ledger.Options{ReadOnly: true})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer l.Close()
	kept := map[string]bool{}
	err = l.Each(t.Context(), ledger.Filter{}, func(r ledger.Row) error {
		if r.Status == ledger.StatusOK {
			kept[r.RequestID] = true
		}
		return nil
	})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	for id := range finished {
		if !kept[id] {
			t.Errorf("round %d: the answer %s is not in the ledger", round, id)
		}
	}
}
