package app

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keytray/store/ledger"
)

// sendLines writes a request as it is, and reads the answer.
func (h *house) sendLines(request string) *http.Response {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp
}

func TestRawPassesBytes(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Thing", "1")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(201)
		fmt.Fprint(w, "made")
	})
	body := "\x00\x01 any bytes at all"
	r := h.do("PUT", "/p/openai/v1/vector%20stores/a%2Bb?x=1&key=kt-test&y=%2F&k%65y=kt-test", body,
		"OpenAI-Organization", "org", "Cookie", "c=1", "X-Forwarded-For", "1.2.3.4", "X-Api-Key", "kt-test", "Content-Type", "application/x-odd", "Connection", "X-Mine", "X-Mine", "1", "Referer", "http://x.test/", "Forwarded", "for=1.2.3.4", "Via", "1.1 x", "Dnt", "1")
	if r.status != 201 || r.body != "made" || r.header.Get("X-Thing") != "1" || r.header.Get("Set-Cookie") != "" || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %s %v", r.status, r.body, r.header)
	}
	g := api.last(t)
	g.wantSigned(t)
	if g.method != "PUT" || g.path != "/v1/vector%20stores/a%2Bb" || g.query != "x=1&y=%2F" || string(g.body) != body || g.header.Get("Content-Type") != "application/x-odd" {
		t.Errorf("%+v", g)
	}
	if g.header.Get("OpenAI-Organization") != "org" || g.header.Get("Cookie") != "" || g.header.Get("X-Forwarded-For") != "" || g.header.Get("X-Mine") != "" ||
		g.header.Get("Referer")+g.header.Get("Forwarded")+g.header.Get("Via")+g.header.Get("Dnt") != "" {
		t.Errorf("header %v", g.header)
	}
	row := h.last()
	if row.Inbound != "raw" || row.Status != ledger.StatusOK || row.HTTPStatus != 201 {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 0, ledger.CostUnpriced)
	n := len(h.rows())
	if r := h.do("GET", "/p/openai/models", ""); r.status != 201 || api.last(t).path != "/v1/models" {
		t.Errorf("%d %s", r.status, api.last(t).path)
	}
	if len(h.rows()) != n || !strings.Contains(h.log.String(), "passed on") {
		t.Error("a call that only reads has a row, or no line in the log")
	}
}

// A known path is metered as its own dialect says.
func TestRawIsMeteredWhereKnown(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.says("POST /v1/chat/completions", `{"id":"1","object":"chat.completion","model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":7,"total_tokens":19}}`)
	body := `{"model":"gpt-5","messages":[{"role":"user","content":"hi"}], "odd":1.0}`
	r := h.do("POST", "/p/openai/v1/chat/completions", body, "Content-Type", "application/json")
	if r.status != 200 || string(api.last(t).body) != body {
		t.Fatalf("%d %s", r.status, r.body)
	}
	row := h.last()
	if row.Model != "gpt-5" || row.Usage.Input != 12 || row.Usage.Output != 7 {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 85e6, ledger.CostExact)

	api.HandleFunc("POST /v1/embeddings", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(400)
		fmt.Fprint(w, `{"error":{"message":"no","type":"x","odd":1}}`)
	})
	r = h.do("POST", "/p/openai/embeddings", `{"model":"text-embedding-3-small","input":"x"}`, "Content-Type", "application/json")
	if r.status != 400 || r.body != `{"error":{"message":"no","type":"x","odd":1}}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	wantCost(t, h.last(), 0, ledger.CostExact)
}

func TestRawOfOtherDialects(t *testing.T) {
	api := &anAPI{}
	s := httptest.NewServer(api)
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  anthropic: {base_url: "+s.URL+"/v1}\n  google: {base_url: "+s.URL+"/v1beta}\n", "ANTHROPIC_API_KEY="+canary, "GEMINI_API_KEY="+canary)
	api.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-haiku-5-5\",\"content\":[],\"usage\":{\"input_tokens\":12,\"output_tokens\":1}}}\n\n"+
			"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":7}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")
	})
	r := h.do("POST", "/p/anthropic/v1/messages", `{"model":"claude-haiku-5-5","max_tokens":9,"stream":true,"messages":[]}`, "Content-Type", "application/json", "anthropic-beta", "b1")
	if r.status != 200 || !strings.HasSuffix(r.body, "\"message_stop\"}\n\n") || api.last(t).header.Get("X-Api-Key") != canary || api.last(t).header.Get("Anthropic-Beta") != "b1" {
		t.Fatalf("%d %s %v", r.status, r.body, api.last(t).header)
	}
	wantCost(t, h.last(), 4_700_000, ledger.CostExact)
	api.says("POST /v1beta/models/{m}", `{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":12,"candidatesTokenCount":7,"totalTokenCount":19},"modelVersion":"gemini-3-flash-preview"}`)
	r = h.do("POST", "/p/google/v1beta/models/gemini-3-flash-preview:generateContent", `{"contents":[]}`, "Content-Type", "application/json")
	if r.status != 200 || api.last(t).header.Get("X-Goog-Api-Key") != canary {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if row := h.last(); row.Model != "gemini-3-flash-preview" || row.Provider != "google" {
		t.Errorf("row %+v", row)
	}
	wantCost(t, h.last(), 27_000_000, ledger.CostExact)
}

func TestRawRefusals(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "reached") })
	const head = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer kt-test\r\nContent-Length: 0\r\n"
	for _, line := range []string{
		"GET /p/openai/v1/../../admin", "GET /p/openai/%2e%2e/admin", "GET /p/openai/v1/%2E%2E%2fadmin", "GET /p/openai/..%5cadmin",
		"GET /p/openai/%252e%252e/admin", "GET /p/openai/a%00b", "GET /p/openai/a%0d%0aX:1", "GET /p/openai/./x", "GET /p/nobody/x",
		"GET /p/openai/x%3fkey=1", "GET /p/../healthz/p", "CONNECT /p/openai/x", "TRACE /p/openai/x", "GET http://localhost/p/openai/x", "GET /p/",
	} {
		if resp := h.sendLines(line + head + "\r\n"); resp.StatusCode < 400 {
			b, _ := io.ReadAll(resp.Body)
			t.Errorf("%s: %d %s", line, resp.StatusCode, b)
		}
	}
	if api.calls() != 0 {
		t.Errorf("the provider got %+v", api.got)
	}
	// What tries to be two requests is one, or none.
	resp := h.sendLines("POST /p/openai/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer kt-test\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\nConnection: Authorization, close\r\nX-Goog-Api-Key: kt-test\r\n\r\n0\r\n\r\n")
	if resp.StatusCode == 200 {
		api.last(t).wantSigned(t)
	}
	if r := h.do("GET", "/p/openai/@evil.test/x", ""); r.status != 200 || api.last(t).path != "/v1/@evil.test/x" {
		t.Errorf("%d %s", r.status, api.last(t).path)
	}
	if r := h.do("GET", "/p/openai//evil.test/x", ""); r.status != 200 || api.last(t).path != "/v1/evil.test/x" {
		t.Errorf("%d %s", r.status, api.last(t).path)
	}
	if r := h.do("GET", "/p/openai/x", "", "Authorization", "Bearer wrong"); r.status != 401 {
		t.Errorf("a wrong token: %d", r.status)
	}
	if r := h.do("GET", "/p/openai/x", "", "Origin", "https://evil.com"); r.status != 403 { // K1
		t.Errorf("a foreign page: %d", r.status)
	}
	h.token = ""
	if r := h.do("GET", "/p/openai/x", ""); r.status != 401 {
		t.Errorf("no token: %d", r.status)
	}
	h.token = "kt-test"

	ollama := &anAPI{}
	s := httptest.NewServer(ollama)
	t.Cleanup(s.Close)
	ollama.says("/api/tags", `{"models":[]}`)
	ollama.says("/api/delete", `{}`)
	h = open(t, "", "OLLAMA_HOST="+strings.TrimPrefix(s.URL, "http://"))
	h.token = ""
	if r := h.do("GET", "/p/ollama/api/tags", ""); r.status != 200 {
		t.Errorf("a look at a local provider: %d %s", r.status, r.body)
	}
	if r := h.do("DELETE", "/p/ollama/api/delete", "{}"); r.status != 403 {
		t.Errorf("a change without a token: %d %s", r.status, r.body)
	}
}

// K10 and promise 6: a raw call goes where the provider's keys may go, and
// nowhere while Keytray is offline.
func TestRawKeepsTheKeyAtHome(t *testing.T) {
	h := open(t, "providers:\n  openai: {base_url: \"https://stranger.test/v1\"}\n", "OPENAI_API_KEY="+canary)
	if r := h.do("GET", "/p/openai/models", ""); r.status != 403 || !strings.Contains(r.body, "keytray keys trust openai") {
		t.Errorf("%d %s", r.status, r.body)
	}
	h = open(t, "active: offline\n", "OPENAI_API_KEY="+canary)
	for _, path := range []string{"/p/openai/v1/models", "/v1/files"} {
		if r := h.do("GET", path, ""); r.status != 403 || !strings.Contains(r.body, "offline") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

// A redirect is the client's to follow: the key goes with no second call.
func TestRawRedirect(t *testing.T) {
	h, api := openAIHouse(t, "")
	api.HandleFunc("/v1/go", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/v1/there", http.StatusFound) })
	resp := h.sendLines("GET /p/openai/go HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer kt-test\r\n\r\n")
	if resp.StatusCode != 302 || resp.Header.Get("Location") != "/v1/there" || api.calls() != 1 {
		t.Errorf("%d %v, %d calls", resp.StatusCode, resp.Header, api.calls())
	}
}
