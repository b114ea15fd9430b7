package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"keytray/store/keys"
)

// canary is a provider key that must be seen nowhere but in its own header.
const canary = "sk-canary-5d41402abc4b2a76b9719d911017c592"

// house is a Keytray that serves from a folder of its own.
type house struct {
	*App
	t     *testing.T
	home  string
	token string
	log   *lockedBuffer
}

// open starts a Keytray with these lines of config.yaml; env adds to the
// environment as KEY=VALUE.
func open(t *testing.T, yaml string, env ...string) *house {
	t.Helper()
	home := t.TempDir()
	return reopen(t, home, yaml, env...)
}

func reopen(t *testing.T, home, yaml string, env ...string) *house {
	t.Helper()
	vars := map[string]string{"KEYTRAY_HOME": home, "OLLAMA_HOST": "127.0.0.1:1", "KEYTRAY_TOKEN": "kt-test"}
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		vars[k] = v
	}
	if yaml != "" {
		if err := os.WriteFile(filepath.Join(home, "config.yaml"), []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := &house{t: t, home: home, token: "kt-test", log: &lockedBuffer{}}
	var err error
	h.App, err = Open(t.Context(), Options{
		Serve: true, Listen: "127.0.0.1:0", Keychain: &keys.Memory{},
		Getenv: func(k string) string { return vars[k] },
		Log:    slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range h.Status().Problems {
		t.Logf("problem: %s: %s %s", p.About, p.Message, p.Remedy)
	}
	t.Cleanup(func() {
		if err := h.App.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	return h
}

// provider is config for one provider of our own at a base URL.
func provider(id, dialect, base string) string {
	return fmt.Sprintf("providers:\n  %s: {dialect: %s, base_url: %s, key_env: LAB_KEY, models: [text, tools]}\n", id, dialect, base)
}

// reply is an answer of the front door.
type reply struct {
	status int
	header http.Header
	body   string
}

func (h *house) do(method, path, body string, header ...string) reply {
	h.t.Helper()
	r, err := h.try(h.t.Context(), method, path, body, header...)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) try(ctx context.Context, method, path, body string, header ...string) (reply, error) {
	addr, err := h.Addr()
	if err != nil {
		return reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if h.token != "" {
		req.Header.Set("Authorization", "Bearer "+h.token)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(b)}, err
}

// chat sends a chat request for a model with further JSON fields.
func (h *house) chat(model, more string) reply {
	h.t.Helper()
	return h.do("POST", "/v1/chat/completions", chatBody(model, more))
}

func chatBody(model, more string) string {
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hello there"}]%s}`, model, more)
}

// rows are the ledger's, oldest first.
func (h *house) rows() []Row {
	h.t.Helper()
	var all []Row
	if err := h.EachRequest(h.t.Context(), RowFilter{}, func(r Row) error { all = append(all, r); return nil }); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// last is the newest row.
func (h *house) last() Row {
	h.t.Helper()
	rows := h.rows()
	if len(rows) == 0 {
		h.t.Fatal("the ledger has no row")
	}
	return rows[len(rows)-1]
}

// field digs into a JSON answer.
func (r reply) field(t *testing.T, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				t.Fatalf("no %v in %s", path, r.body)
			}
			v = l[p]
		}
	}
	return v
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
