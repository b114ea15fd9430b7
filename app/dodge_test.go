package app

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"keytray/store/ledger"
)

// What names a model in two ways is answered, if at all, by the one that the
// tool may use.
func TestAllowedModelsCannotBeDodged(t *testing.T) {
	api := &anAPI{}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n  google: {base_url: "+s.URL+"/v1beta}\n"+
		"tools:\n  env: {models: [openai/gpt-5-mini, google/gemini-3-flash-preview, openai/text-embedding-3-small, openai/gpt-realtime]}\n",
		"OPENAI_API_KEY="+canary, "GEMINI_API_KEY="+canary)
	api.says("/", `{}`)
	for _, c := range [][2]string{
		{"/p/google/v1beta/models/gemini-3-pro-preview:generateContent", `{"model":"gemini-3-flash-preview","contents":[]}`},
		{"/p/google/v1beta/models/gemini-3-pro-preview:GenerateContent", `{"model":"gemini-3-flash-preview","contents":[]}`},
		{"/p/google/v1beta/tunedModels/dear:generateContent", `{"model":"gemini-3-flash-preview","contents":[]}`},
		{"/p/google/v1beta/endpoints/1:streamGenerateContent", `{"model":"gemini-3-flash-preview","contents":[]}`},
		{"/p/openai/deployments/gpt-5/chat/completions", `{"model":"gpt-5-mini","messages":[]}`},
		{"/p/openai/v1/chat/completions", `{"model":"gpt-5-mini","messages":[],"model":"gpt-5"}`},
		{"/p/openai/v1/chat/completions", `{"model":"gpt-5-mini","messages":[],"mod\u0065l":"gpt-5"}`},
		{"/p/openai/v1/chat/completions", `{"model":"gpt-5-mini","messages":[],"Model":"gpt-5"}`},
		{"/v1/chat/completions", `{"model":"openai/gpt-5-mini","messages":[],"MODEL":"gpt-5"}`},
		{"/v1/embeddings", `{"model":"text-embedding-3-small","input":"x","mod\u0065l":"text-embedding-3-large"}`},
		{"/v1/images/generations", `{"model":"gpt-5-mini","prompt":"x","mod\u0065l":"gpt-image-1"}`},
	} {
		if r := h.do("POST", c[0], c[1], "Content-Type", "application/json"); r.status != 400 && r.status != 403 {
			t.Errorf("%s %s: %d %s", c[0], c[1], r.status, r.body)
		}
	}
	if n := api.calls(); n != 0 {
		t.Errorf("the provider got %d calls", n)
	}

	// A form's second model, near its first and far behind it.
	h = open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n", "OPENAI_API_KEY="+canary)
	part := func(name, data string) string {
		return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + data + "\r\n"
	}
	// The far one last: a call that is cut reaches the provider at any time after.
	for i, file := range []string{"x", strings.Repeat("--bmodel\r\n", 100_000)} {
		form := part("model", "whisper-1") + part("file", file)
		send := func(form string) reply {
			return h.do("POST", "/v1/audio/transcriptions", form+"--b--\r\n", "Content-Type", "multipart/form-data; boundary=b")
		}
		n := api.calls()
		if r := send(form); r.status != 200 || api.calls() != n+1 || api.last(t).field(t, "file") != file {
			t.Errorf("form %d: %d %s", i, r.status, r.body)
		}
		if r := send(form + part("model", "gpt-4o-transcribe") + part("x", "y")); r.status != 400 || !strings.Contains(r.body, "twice") {
			t.Errorf("form %d, twice: %d %s", i, r.status, r.body)
		}
	}

	rt, p := realtimeHouse(t)
	c, _, err := rt.dial("model=gpt-realtime&%6dodel=gpt-realtime-mini", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer kt-test"}}})
	if err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
	if asked := (<-p.got).URL.RawQuery; strings.Contains(asked, "mini") {
		t.Errorf("asked for %s", asked)
	}
	(<-p.conn).CloseNow()
}

// How a raw call is labelled does not keep its cost out of the ledger.
func TestRawIsMeteredHoweverItIsLabelled(t *testing.T) {
	const body = `{"model":"gpt-5","messages":[]}`
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, body)
	_ = z.Close()
	h, api := openAIHouse(t, "")
	api.says("/", `{"id":"1","object":"chat.completion","model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19}}`)
	for _, c := range []struct{ path, body, kind, encoding string }{
		{"/chat/completions", body, "text/plain", ""},
		{"/chat/completions", body, "APPLICATION/JSON", ""},
		{"/chat/completions", body, "multipart/form-data; boundary=b", ""},
		{"/chat/completions", packed.String(), "application/json", "gzip"},
		{"/chat/completions/", body, "application/json", ""},
		{"/chat//completions", body, "application/json", ""},
		{"/chat/c%6fmpletions", body, "application/json", ""},
		{"/Chat/Completions", body, "application/json", ""},
	} {
		r := h.do("POST", "/p/openai/v1"+c.path, c.body, "Content-Type", c.kind, "Content-Encoding", c.encoding)
		got := api.last(t)
		if r.status != 200 || string(got.body) != body || got.header.Get("Content-Encoding") != "" {
			t.Errorf("%+v: %d %s; the provider got %s", c, r.status, r.body, got.body)
		}
		if row := h.last(); row.Model != "gpt-5" || row.Usage.Input != 12 {
			t.Errorf("%+v: row %+v", c, row)
		}
		wantCost(t, h.last(), 85e6, ledger.CostExact)
	}
	// What could make another call of one that only reads does not go on, and
	// an odd method is written down.
	api.HandleFunc("GET /v1/models", func(http.ResponseWriter, *http.Request) {})
	h.do("GET", "/p/openai/v1/models", "", "X-HTTP-Method-Override", "POST", "X-Method-Override", "POST")
	if hd := api.last(t).header; hd.Get("X-Http-Method-Override")+hd.Get("X-Method-Override") != "" {
		t.Errorf("header %v", hd)
	}
	n := len(h.rows())
	h.do("post", "/p/openai/v1/chat/completions", body)
	if len(h.rows()) != n+1 {
		t.Error("a call with an odd method has no row")
	}
}

// I19: a batch is refused when the budget is used up, though its cost comes with
// its results; and those are settled by whichever way they are fetched.
func TestBatchesKeepBudgets(t *testing.T) {
	h, api := openAIHouse(t, "tools:\n  env: {budget: {day: 0.000001}}\n")
	api.says("POST /v1/batches", `{"id":"batch_1","object":"batch"}`)
	api.says("POST /v1/batches/{id}/cancel", `{"id":"batch_1","object":"batch"}`)
	api.HandleFunc("GET /v1/files/{id}/content", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		fmt.Fprint(w, batchLine(0, "gpt-5", 200, 1000, 0, 100))
	})
	const batch = `{"input_file_id":"file-1","endpoint":"/v1/chat/completions","completion_window":"24h"}`
	if r := h.do("POST", "/v1/batches", batch); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := h.do("GET", "/p/openai/v1/files/out-1/content", ""); r.status != 200 || len(h.rows()) != 1 {
		t.Fatalf("%d, %d rows", r.status, len(h.rows()))
	}
	wantCost(t, h.last(), (1000*1_250_000+100*10_000_000)/2, ledger.CostExact)
	n := api.calls()
	if r := h.do("POST", "/v1/batches", batch); r.status < 400 || !strings.Contains(r.body, "budget") || api.calls() != n {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.do("POST", "/v1/batches/batch_1/cancel", "{}"); r.status != 200 {
		t.Errorf("a batch cannot be stopped: %d %s", r.status, r.body)
	}
}

// A batch counts once, also when its results are the first thing of a new day.
func TestBatchesCountOnce(t *testing.T) {
	h, api := openAIHouse(t, "budget: {day: 5}\n")
	api.HandleFunc("GET /v1/files/{id}/content", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		fmt.Fprint(w, batchLine(0, "gpt-5", 200, 1000, 0, 100))
	})
	h.Limits()
	h.purses.mu.Lock()
	h.purses.day.from = h.purses.day.from.AddDate(0, 0, -1)
	h.purses.mu.Unlock()
	if r := h.do("GET", "/v1/files/out-1/content", ""); r.status != 200 || len(h.rows()) != 1 {
		t.Fatalf("%d, %d rows", r.status, len(h.rows()))
	}
	if l := h.Limits()[0]; l.Spent != *h.last().CostPico {
		t.Errorf("%d spent on a batch of %d", l.Spent, *h.last().CostPico)
	}
}

// An id leads to nothing beside what it names.
func TestIDsStayInTheirPlace(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("/", `{}`)
	for sent, want := range map[string]string{
		"/v1/files/%252e%252e%252fmodels": "/v1/files/%252e%252e%252fmodels",
		"/v1/files/a%3Fb=c":               "/v1/files/a%3Fb=c",
		"/v1/files/a%23b":                 "/v1/files/a%23b",
	} {
		h.do("GET", sent, "")
		if g := api.last(t); g.path != want || g.query != "" {
			t.Errorf("%s became %s?%s", sent, g.path, g.query)
		}
	}
}

// A caller without a token gets no model of Ollama's cloud, by whatever name.
func TestNoCloudBehindOllamaWithoutAToken(t *testing.T) {
	ollama := &anAPI{}
	s := httptest.NewServer(ollama)
	t.Cleanup(s.Close)
	ollama.says("GET /api/tags", `{"models":[{"name":"mine:latest","size":9},{"name":"gpt-oss:120b-cloud","remote_host":"https://ollama.com"},{"name":"far:latest","remote_host":"https://ollama.com"}]}`)
	ollama.says("POST /api/show", `{}`)
	ollama.says("POST /api/chat", `{"model":"x","message":{"role":"assistant","content":"hi"},"done":true,"done_reason":"stop"}`)
	h := open(t, "", "OLLAMA_HOST="+strings.TrimPrefix(s.URL, "http://"))
	h.token = ""
	chat := func(path, model, more string) reply {
		return h.do("POST", path, `{"model":"`+model+`","messages":[{"role":"user","content":"x"}],"stream":false`+more+`}`, "Content-Type", "application/json")
	}
	if r := chat("/api/chat", "mine", ""); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	asked := func() (n int) {
		ollama.mu.Lock()
		defer ollama.mu.Unlock()
		for _, g := range ollama.got {
			if g.path == "/api/chat" {
				n++
			}
		}
		return n
	}
	for _, path := range []string{"/api/chat", "/p/ollama/api/chat"} {
		for _, model := range []string{"far", "FAR", "gpt-oss:120b-cloud", "gpt-oss:120b-CLOUD", "GPT-oss:120b-Cloud", "library/far", "registry.ollama.ai/library/far:latest", "kimi-k2:1t-cloud"} {
			if r := chat(path, model, ""); r.status < 400 {
				t.Errorf("%s %s: %d %s", path, model, r.status, r.body)
			}
		}
		for _, more := range []string{`,"Model":"far"`, `,"mod\u0065l":"far"`, `,"model":"far"`} {
			if r := chat(path, "mine", more); r.status != 400 {
				t.Errorf("%s %s: %d %s", path, more, r.status, r.body)
			}
		}
	}
	if n := asked(); n != 1 {
		t.Errorf("Ollama was asked %d times", n)
	}
}

// An answer that its provider keeps can be fetched again and deleted by the tool
// that asked for it, and by no other.
func TestKeptAnswersOfProviders(t *testing.T) {
	api := &anAPI{}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  lab: {dialect: responses, base_url: "+s.URL+"/v1, key_env: LAB_KEY, models: [gpt-5]}\n", "LAB_KEY="+canary)
	const object = `{"id":"resp_1","object":"response","model":"gpt-5","status":"completed","output":[],"usage":{"input_tokens":12,"input_tokens_details":{"cached_tokens":0},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":19}}`
	api.says("POST /v1/responses", object)
	api.says("GET /v1/responses/{id}", object)
	api.says("DELETE /v1/responses/{id}", `{"id":"resp_1","object":"response","deleted":true}`)
	if r := h.do("POST", "/v1/responses", `{"model":"lab/gpt-5","input":"x"}`); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	n := api.calls()
	if r := h.do("GET", "/v1/responses/resp_2", ""); r.status != 404 || api.calls() != n {
		t.Errorf("another's answer: %d %s", r.status, r.body)
	}
	if r := h.do("GET", "/v1/responses/resp_1?include=a", ""); r.status != 200 || r.body != object || api.last(t).query != "include=a" {
		t.Errorf("%d %s", r.status, r.body)
	}
	api.last(t).wantSigned(t)
	if r := h.do("DELETE", "/v1/responses/resp_1", ""); r.status != 200 || r.field(t, "deleted") != true {
		t.Errorf("%d %s", r.status, r.body)
	}
	if len(h.rows()) != 1 {
		t.Errorf("%d rows, want that of the answer alone", len(h.rows()))
	}
}
