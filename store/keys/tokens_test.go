package keys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func openTokens(t testing.TB, path string, kc Keychain) *Tokens {
	t.Helper()
	tokens, err := OpenTokens(path, kc, TokensOptions{Static: map[string]Secret{"env": secret(t, "from-the-environment"), "none": {}}})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func create(t testing.TB, tokens *Tokens, tool string) string {
	t.Helper()
	token, note, err := tokens.Create(t.Context(), tool)
	if err != nil || note != nil {
		t.Fatal(err, note)
	}
	return token.Reveal()
}

func wantTool(t *testing.T, tokens *Tokens, token, want string) {
	t.Helper()
	if got, ok := tokens.Check(token); got != want || ok != (want != "") {
		t.Errorf("the token is for %q, %v; want %q", got, ok, want)
	}
}

func TestTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.json")
	kc := newFake()
	tokens := openTokens(t, path, kc)
	codex := create(t, tokens, "codex")
	if !regexp.MustCompile(`^kt-local-[a-z2-7]{36}$`).MatchString(codex) {
		t.Error("the token has another form")
	}
	claude := create(t, tokens, "claude-code")
	for token, want := range map[string]string{
		codex: "codex", claude: "claude-code", "from-the-environment": "env",
		"": "", "kt-local-": "", codex[:len(codex)-1]: "", codex + "x": "", strings.ToUpper(codex): "", "none": "",
	} {
		wantTool(t, tokens, token, want)
	}
	text, err := os.ReadFile(path)
	must(t, err)
	sum := sha256.Sum256([]byte(codex))
	if strings.Contains(string(text), codex[9:]) || !strings.Contains(string(text), hex.EncodeToString(sum[:])) {
		t.Errorf("the file holds the token, or not its hash: %s", text)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if shown, err := tokens.Show(t.Context(), "codex"); err != nil || shown.Reveal() != codex {
		t.Errorf("showing: %v", err)
	}

	again := openTokens(t, path, kc) // after a restart
	wantTool(t, again, codex, "codex")
	next, note, err := again.Rotate(t.Context(), "codex")
	if err != nil || note != nil {
		t.Fatal(err, note)
	}
	wantTool(t, again, codex, "")
	wantTool(t, again, next.Reveal(), "codex")
	if note, err := again.Revoke(t.Context(), "claude-code"); err != nil || note != nil {
		t.Fatal(err, note)
	}
	wantTool(t, again, claude, "")
	if _, err := kc.Memory.Get(t.Context(), "token/claude-code"); !errors.Is(err, ErrNotFound) {
		t.Error("the revoked token is still in the keychain")
	}
	list := again.List()
	if len(list) != 2 || list[0].Name != "codex" || list[0].Created.IsZero() || list[0].LastUsed.IsZero() || !list[1].Static {
		t.Errorf("the list is %+v", list)
	}
	for name, err := range map[string]error{
		"create twice":   second(again.Create(t.Context(), "codex")),
		"show unknown":   first(again.Show(t.Context(), "nope")),
		"rotate unknown": second(again.Rotate(t.Context(), "nope")),
		"revoke unknown": first(again.Revoke(t.Context(), "nope")),
		"static":         second(again.Create(t.Context(), "env")),
		"capitals":       second(again.Create(t.Context(), "Claude Code")),
		"slash":          second(again.Create(t.Context(), "a/b")),
		"dot first":      second(again.Create(t.Context(), ".a")),
		"empty":          second(again.Create(t.Context(), "")),
		"long":           second(again.Create(t.Context(), strings.Repeat("a", 41))),
	} {
		want := map[string]string{
			"create twice": "rotate it", "show unknown": "keytray token nope", "rotate unknown": "has no token", "revoke unknown": "has no token", "static": "from outside",
			"capitals": `try "claude-code"`, "slash": "use a to z", "dot first": "use a to z", "empty": "missing", "long": "41 bytes",
		}[name]
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func first[T any](_ T, err error) error        { return err }
func second[T, U any](_ T, _ U, e error) error { return e }

func TestTokensWithoutKeychain(t *testing.T) {
	for _, kc := range []Keychain{nil, None{}, hangingNow{}} {
		tokens := openTokens(t, filepath.Join(t.TempDir(), "tokens.json"), kc)
		token, note, err := tokens.Create(t.Context(), "codex")
		must(t, err)
		if note == nil || !strings.Contains(note.Message, "shown this once") || !strings.Contains(note.Remedy, "--rotate") {
			t.Errorf("the note is %+v", note)
		}
		wantTool(t, tokens, token.Reveal(), "codex")
		if _, err := tokens.Show(t.Context(), "codex"); AsProblem(err) == nil || !strings.Contains(AsProblem(err).Remedy, "keytray token codex --rotate") {
			t.Errorf("showing again: %v", err)
		}
		if _, err := tokens.Revoke(t.Context(), "codex"); err != nil {
			t.Errorf("revoking: %v", err)
		}
		wantTool(t, tokens, token.Reveal(), "")
	}
	// Made without a keychain, asked for with one.
	path, kc := filepath.Join(t.TempDir(), "tokens.json"), newFake()
	if _, _, err := openTokens(t, path, nil).Create(t.Context(), "codex"); err != nil {
		t.Fatal(err)
	}
	tokens := openTokens(t, path, kc)
	if _, err := tokens.Show(t.Context(), "codex"); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "shown once") {
		t.Errorf("got %v", err)
	}
	must(t, kc.Memory.Set(t.Context(), "token/codex", "kt-local-other"))
	if _, err := tokens.Show(t.Context(), "codex"); kind(err) != Damaged || !strings.Contains(AsProblem(err).Remedy, "--rotate") {
		t.Errorf("another token in the keychain: %v", err)
	}
	kc.fail = func(string, string) error { return locked("shut", nil) }
	if note, err := tokens.Revoke(t.Context(), "codex"); err != nil || note == nil || note.Kind != Locked || !strings.Contains(note.Message, "is revoked") {
		t.Errorf("revoking with a locked keychain: %v, %+v", err, note)
	}
}

type hangingNow struct{ None }

func (hangingNow) Set(context.Context, string, string) error { return hangs("no answer", nil) }

func TestTokensOtherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path, kc := filepath.Join(t.TempDir(), "tokens.json"), newFake()
		app, cli := openTokens(t, path, kc), openTokens(t, path, kc)
		for range 500 { // a flood of wrong tokens does not use up what the right one needs
			app.Check("wrong")
		}
		time.Sleep(lookEvery) // in the bubble's time
		token := create(t, cli, "codex")
		wantTool(t, app, token, "codex") // a miss looks at the file
		if _, _, err := cli.Rotate(t.Context(), "codex"); err != nil {
			t.Fatal(err)
		}
		wantTool(t, app, token, "codex") // known: no look
		must(t, app.Reload())
		wantTool(t, app, token, "")

		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { app.Keep(ctx, func(err error) { t.Error(err) }); close(done) }()
		token = create(t, cli, "aider")
		wantTool(t, app, token, "aider")
		if _, err := cli.Revoke(t.Context(), "aider"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second + time.Millisecond)
		wantTool(t, app, token, "") // Keep has seen it
		token = create(t, cli, "cline")
		wantTool(t, app, token, "cline")
		time.Sleep(2 * time.Minute)
		if list := openTokens(t, path, kc).List(); list[0].Name != "cline" || list[0].LastUsed.IsZero() {
			t.Errorf("the last use is not in the file: %+v", list)
		}
		app.Check(token)
		used := app.List()[0].LastUsed
		cancel()
		<-done
		if list := openTokens(t, path, kc).List(); !list[0].LastUsed.Equal(used) {
			t.Errorf("the last use before the end is not in the file: %+v, want %v", list, used)
		}
		must(t, os.Remove(path))
		must(t, app.Reload())
		wantTool(t, app, token, "")
	})
}

// A last use that only this process knows survives a change that another one writes.
func TestTokensLastUseSurvives(t *testing.T) {
	path, kc := filepath.Join(t.TempDir(), "tokens.json"), newFake()
	app := openTokens(t, path, kc)
	wantTool(t, app, create(t, app, "codex"), "codex")
	create(t, openTokens(t, path, kc), "aider")
	must(t, app.Reload())
	if list := app.List(); len(list) != 3 || list[1].Name != "codex" || list[1].LastUsed.IsZero() {
		t.Errorf("the last use is forgotten: %+v", list)
	}
	must(t, app.Flush())
	if list := openTokens(t, path, kc).List(); list[1].LastUsed.IsZero() {
		t.Errorf("the last use is not in the file: %+v", list)
	}
}

func TestTokensLookRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := openTokens(t, filepath.Join(t.TempDir(), "tokens.json"), nil)
		count := func() (n int) {
			for range 1000 {
				if tokens.mayLook() {
					n++
				}
			}
			return n
		}
		if n := count(); n < lookBurst || n > lookBurst+1 {
			t.Errorf("a burst of %d", n)
		}
		time.Sleep(3 * lookEvery)
		if n := count(); n != 3 {
			t.Errorf("%d looks after a pause, want 3", n)
		}
		tokens.nextLook.Store(time.Now().Add(time.Hour).UnixNano()) // the clock went back
		if n := count(); n == 0 {
			t.Error("a clock that goes back stops the looks")
		}
	})
}

func TestTokensDamaged(t *testing.T) {
	good := func(lines string) string { return `{"version":1,"tools":[` + lines + `]}` }
	line := `{"tool":"codex","sha256":"` + strings.Repeat("ab", 32) + `","created":"2026-01-02T03:04:05Z"}`
	for _, text := range []string{"", "{", "[]", `{"version":0}`, "null", good(`{"tool":"A b","sha256":""}`), good(`{"tool":"a","sha256":"zz"}`), good(`{"tool":"a","sha256":"abcd"}`), good(line + "," + line), strings.Repeat(" ", tokensLimit+1)} {
		t.Run(text[:min(len(text), 40)], func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "tokens.json")
			must(t, os.WriteFile(path, []byte(text), 0o600))
			tokens := openTokens(t, path, nil)
			p := tokens.Health()
			if p == nil || p.Kind != Damaged || len(tokens.List()) != 1 {
				t.Fatalf("health %v, list %v", p, tokens.List())
			}
			kept, err := filepath.Glob(filepath.Join(dir, "*.damaged-*"))
			if err != nil || len(kept) != 1 || !strings.Contains(p.Message, kept[0]) {
				t.Fatalf("kept %v, message %s", kept, p.Message)
			}
			if copied, err := os.ReadFile(kept[0]); err != nil || string(copied) != text {
				t.Errorf("the copy is another: %v", err)
			}
			if _, _, err := tokens.Create(t.Context(), "codex"); err != nil {
				t.Error(err)
			}
			// Damaged while running: what is in memory counts, and the next change writes it again.
			must(t, os.WriteFile(path, []byte(text+"x"), 0o600))
			if err := tokens.Reload(); err == nil {
				t.Error("the damage was not told")
			}
			aider, _, err := tokens.Create(t.Context(), "aider")
			must(t, err)
			reader := openTokens(t, path, nil)
			wantTool(t, reader, aider.Reveal(), "aider")
			if n := len(reader.List()); n != 3 {
				t.Errorf("%d tools, want 3", n)
			}
		})
	}
	path := filepath.Join(t.TempDir(), "tokens.json")
	must(t, os.WriteFile(path, []byte(`{"version":2}`), 0o600))
	if _, err := OpenTokens(path, nil, TokensOptions{}); !errors.Is(err, errNewer) {
		t.Errorf("a newer file: %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != `{"version":2}` {
		t.Errorf("a newer file was changed: %s, %v", text, err)
	}
}

func TestTokensReadOnlyFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "tokens.json")
	tokens := openTokens(t, path, nil)
	if _, _, err := tokens.Create(t.Context(), "codex"); err == nil {
		t.Error("a token was made that is written nowhere")
	}
	if len(tokens.List()) != 1 {
		t.Error("and it is accepted")
	}
}

func TestTokensConcurrent(t *testing.T) {
	path, kc := filepath.Join(t.TempDir(), "tokens.json"), newFake()
	processes := []*Tokens{openTokens(t, path, kc), openTokens(t, path, kc)}
	var group sync.WaitGroup
	made := make([]string, 20)
	for i := range made {
		group.Go(func() {
			p := processes[i%2]
			token, _, err := p.Create(t.Context(), fmt.Sprint("tool-", i))
			if err != nil {
				t.Error(err)
				return
			}
			made[i] = token.Reveal()
			p.Check(token.Reveal())
			if err := p.Flush(); err != nil {
				t.Error(err)
			}
			p.List()
		})
	}
	group.Wait()
	for _, p := range processes {
		must(t, p.Reload())
		for i, token := range made {
			wantTool(t, p, token, fmt.Sprint("tool-", i))
		}
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte(`{"version":1,"tools":[{"tool":"codex","sha256":"` + strings.Repeat("ab", 32) + `","created":"2026-01-02T03:04:05Z","last_used":"2026-01-02T03:04:05Z"}]}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := parseTokens(text)
		if err != nil && entries != nil {
			t.Fatal("entries came with an error")
		}
		for _, e := range entries {
			if CheckTool(e.tool) != nil {
				t.Fatalf("the tool %q got in", e.tool)
			}
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	tokens := openTokens(b, filepath.Join(b.TempDir(), "tokens.json"), newFake())
	var token string
	for i := range 20 {
		token = create(b, tokens, fmt.Sprint("tool-", i))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := tokens.Check(token); !ok {
			b.Fatal("refused")
		}
	}
}
