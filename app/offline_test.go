package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"keytray/proxy/proxytest"
)

// Promise 6: with the switch on offline, nothing but this computer is dialled, whoever asks for whatever: each
// connection that Keytray opens is one that the Ollama here has taken.
func TestOfflineDialsNobody(t *testing.T) {
	var taken, away atomic.Int64
	here := httptest.NewUnstartedServer(&proxytest.Provider{Models: []string{"small"}})
	here.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			taken.Add(1)
		}
	}
	here.Start()
	defer here.Close()
	// What goes around the one network would be seen here.
	transport := http.DefaultTransport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(addr); !net.ParseIP(host).IsLoopback() {
			away.Add(1)
		}
		return dial(ctx, network, addr)
	}
	defer func() { transport.DialContext = dial }()

	const far = "openai/gpt-4.1, anthropic/claude-opus-5-5, google/gemini-2.5-flash, lab/text"
	var yaml strings.Builder
	yaml.WriteString("active: offline\nproviders:\n")
	fmt.Fprintf(&yaml, "  ollama: {base_url: %s}\n", here.URL)
	for id, base := range map[string]string{"openai": "http://198.51.100.7/v1", "anthropic": "http://far.invalid/v1", "google": "http://198.51.100.8/v1beta"} {
		fmt.Fprintf(&yaml, "  %s: {base_url: %s}\n", id, base)
	}
	yaml.WriteString("  lab: {dialect: ollama, base_url: http://198.51.100.9, key_env: LAB_KEY, models: [text]}\nroutes:\n")
	for _, s := range strategiesOf {
		near, far := "["+far+", ollama/small]", "["+far+"]"
		if s == "cache" {
			near, far = "{fallback: "+near+"}", "openai/gpt-4.1"
		}
		fmt.Fprintf(&yaml, "  near-%s: {%s: %s}\n  far-%s: {%s: %s}\n", s, s, near, s, s, far)
	}
	yaml.WriteString("  no-judge: {judge: [ollama/small, demo/echo], by: openai/gpt-4.1}\n  no-writer: {blend: [ollama/small, demo/echo], by: openai/gpt-4.1}\n")
	env := []string{"OPENAI_API_KEY=" + canary, "ANTHROPIC_API_KEY=" + canary, "GEMINI_API_KEY=" + canary, "LAB_KEY=" + canary}
	h := open(t, yaml.String(), env...)
	before := h.network.Dials() - taken.Load()
	if before != 0 {
		t.Errorf("%d connections were opened at the start", before)
	}

	ask := func(x tongue, model string, stream bool, wanted int) {
		t.Helper()
		r := h.do("POST", x.path(model, stream), fmt.Sprintf(x.body, model, "hello", stream))
		if r.status != wanted {
			t.Errorf("%s, %s, stream %v: %d %s", x.dialect, model, stream, r.status, r.body)
		}
		if told := strings.ToLower(r.body); wanted != 200 && !strings.Contains(told, "offline") {
			t.Errorf("%s, %s: it does not say why: %s", x.dialect, model, r.body)
		}
	}
	for _, x := range allTongues(t) {
		for _, stream := range []bool{false, true} {
			ask(x, "ollama/small", stream, 200)
			ask(x, "no-judge", stream, 200)
			ask(x, "no-writer", stream, 200)
			for _, model := range []string{"openai/gpt-4.1", "claude-opus-5-5", "google/gemini-2.5-flash", "lab/text"} {
				ask(x, model, stream, 403)
			}
			for _, s := range strategiesOf {
				ask(x, "near-"+s, stream, 200)
				ask(x, "far-"+s, stream, 403)
			}
		}
	}
	for _, path := range []string{
		"/v1/models", "/v1beta/models", "/v1/models/openai%2Fgpt-4.1", "/api/tags", "/api/version", "/api/ps",
		"/p/openai/models", "/v1/files", "/v1/batches",
	} {
		h.do("GET", path, "")
	}
	h.do("GET", "/v1/models", "", "Anthropic-Version", "2023-06-01")
	for path, body := range map[string]string{
		"/api/show":                 `{"model":"small"}`,
		"/api/pull":                 `{"model":"other","stream":false}`,
		"/v1/embeddings":            `{"model":"openai/text-embedding-3-small","input":"x"}`,
		"/v1/messages/count_tokens": `{"model":"anthropic/claude-opus-5-5","messages":[{"role":"user","content":"x"}]}`,
		"/v1/moderations":           `{"input":"x"}`,
		"/v1/images/generations":    `{"model":"openai/gpt-image-1","prompt":"x"}`,
		"/p/openai/responses":       `{"model":"gpt-4.1","input":"x"}`,
	} {
		if r := h.do("POST", path, body); r.status == 200 && !strings.HasPrefix(path, "/api/") {
			t.Logf("%s: %s", path, r.body)
		}
	}
	h.Doctor(t.Context())
	h.Models(t.Context())
	if said, err := h.TestKey(t.Context(), "lab", "LAB_KEY"); err == nil || !strings.Contains(err.Error(), "offline") {
		t.Errorf("a key was tested: %+v %v", said, err)
	}
	opened, got := h.network.Dials(), taken.Load()
	if opened != got || got == 0 {
		t.Errorf("%d connections were opened, and the Ollama here has taken %d", opened, got)
	}
	if n := away.Load(); n != 0 {
		t.Errorf("%d connections went around the network, away from this computer", n)
	}
}
