package app

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// C17: after a provider that was sent the client's own bytes, the next one is
// sent what it would have been sent at first: the original, translated.
func TestFallbackTranslatesTheOriginal(t *testing.T) {
	down := proxytest.New(proxytest.Script{Fail: &proxytest.Fail{Status: 529}})
	up := proxytest.New(proxytest.Script{})
	h := open(t, "providers:\n  anthropic: {base_url: "+proxytest.Start(t, down).URL+"/v1}\n  openai: {base_url: "+proxytest.Start(t, up).URL+"/v1}\n"+
		"routes:\n  safe: {fallback: [anthropic/claude-haiku-5-5, openai/gpt-4.1]}\n", "ANTHROPIC_API_KEY="+canary, "OPENAI_API_KEY="+canary)
	ask := func(model string) reply {
		return h.do("POST", "/v1/messages", `{"model":"`+model+`","max_tokens":90,"temperature":0.5,"system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],
			"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"b":1,"a":2}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1"}]}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{"b":{},"a":{}}}}]}`)
	}
	if r := ask("safe"); r.status != 200 || len(down.Requests()) != 1 || gjson.GetBytes(down.Last().Body, "model").String() != "claude-haiku-5-5" {
		t.Fatalf("%d %s after %d calls", r.status, r.body, len(down.Requests()))
	}
	got := string(up.Last().Body)
	if r := ask("openai/gpt-4.1"); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if want := string(up.Last().Body); got != want || !strings.Contains(got, `{"role":"system","content":"Be brief."}`) || strings.Contains(got, "cache_control") {
		t.Errorf("after the other provider it was sent\n%s, and alone\n%s", got, want)
	}
}

// I9: the rate is that of the tier in the answer, whatever was asked for, and a
// refusal for want of flex capacity costs nothing.
func TestTierOfTheAnswerIsBilled(t *testing.T) {
	told, status := "default", 200
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if status != 200 {
			_, _ = w.Write([]byte(`{"error":{"message":"Resource unavailable.","type":"resource_unavailable","code":"resource_unavailable"}}`))
			return
		}
		_, _ = w.Write([]byte(`{"id":"c","object":"chat.completion","model":"gpt-5-mini","service_tier":"` + told + `","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000000,"completion_tokens":0,"total_tokens":1000000}}`))
	}))
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n", "OPENAI_API_KEY="+canary)
	for _, c := range []struct {
		asked, told string
		status      int
		usd         string
		kind        ledger.CostKind
	}{
		{"flex", "default", 200, "0.25", ledger.CostExact},
		{"flex", "flex", 200, "0.125", ledger.CostExact},
		{"auto", "priority", 200, "0.45", ledger.CostExact},
		{"flex", "", 429, "0", ledger.CostExact},
	} {
		told, status = c.told, c.status
		if r := h.chat("openai/gpt-5-mini", `"service_tier":"`+c.asked+`"`); r.status != c.status {
			t.Fatalf("%d %s", r.status, r.body)
		}
		row := h.last()
		if row.CostPico == nil || llm.Pico(*row.CostPico).String() != c.usd || row.CostKind != c.kind {
			t.Errorf("asked %s, told %q, status %d: cost %v, %s", c.asked, c.told, c.status, row.CostPico, row.CostKind)
		}
	}
}

// K11: there is no page to serve, and so no script of anybody's: not at the
// front door, and not among the embedded files.
func TestNoWebPages(t *testing.T) {
	h := open(t, "")
	for _, path := range []string{"/", "/index.html", "/ui", "/ui/", "/admin", "/dashboard", "/static/app.js", "/favicon.ico", "/healthz", "/v1", "/v1/models", "/api/tags"} {
		r := h.do("GET", path, "")
		kind := r.header.Get("Content-Type")
		if strings.Contains(kind, "html") || strings.Contains(kind, "javascript") || strings.Contains(kind, "css") || strings.Contains(r.body, "<script") {
			t.Errorf("GET %s: %s: %s", path, kind, r.body)
		}
	}
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && path != "." {
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".html", ".htm", ".js", ".mjs", ".css", ".wasm":
			t.Errorf("%s is a page's", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
