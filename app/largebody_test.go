package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// readsAway is a provider that reads what it is sent without keeping it, and
// answers as its dialect does.
type readsAway struct{ got chan int64 }

func (p readsAway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	buf := make([]byte, 32<<10)
	n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.Body}, buf)
	p.got <- n
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.Contains(r.URL.Path, "/chat/"):
		fmt.Fprint(w, `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`)
	case strings.Contains(r.URL.Path, "/messages"):
		fmt.Fprint(w, `{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`)
	case strings.Contains(r.URL.Path, "/responses"):
		fmt.Fprint(w, `{"id":"resp_1","object":"response","model":"m","status":"completed","output":[{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"ok","annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`)
	case strings.Contains(r.URL.Path, "enerateContent"):
		fmt.Fprint(w, `{"candidates":[{"content":{"parts":[{"text":"ok"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2},"modelVersion":"m"}`)
	default:
		fmt.Fprint(w, `{"model":"m","created_at":"2026-11-20T10:00:00Z","message":{"role":"assistant","content":"ok"},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":1}`)
	}
}

// largeCalls are calls in each dialect's own bytes; %s is a picture in base64.
var largeCalls = map[string]struct{ path, head, tail string }{
	"chat":      {"/v1/chat/completions", `{"model":"chat/m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,`, `"}}]}]}`},
	"responses": {"/v1/responses", `{"model":"responses/m","store":false,"input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,`, `"}]}]}`},
	"messages":  {"/v1/messages", `{"model":"messages/m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"`, `"}}]}]}`},
	"gemini":    {"/v1beta/models/gemini/m:generateContent", `{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"`, `"}}]}]}`},
	"ollama":    {"/api/chat", `{"model":"ollama-api/m","stream":false,"messages":[{"role":"user","content":"see","images":["`, `"]}]}`},
}

// A body of 20 MB passes in one buffer in each dialect's byte copy: read once,
// and sent from where it lies. Client and provider keep none of it here, so all
// that is allocated is Keytray's.
func TestLargeBodiesAreHeldOnce(t *testing.T) {
	const size = 20 << 20
	p := readsAway{got: make(chan int64, 1)}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	yaml := "providers:\n"
	for _, d := range []string{"chat", "responses", "messages", "gemini"} {
		yaml += "  " + d + ": {dialect: " + d + ", base_url: " + server.URL + "/v1, key_env: LAB_KEY, models: [m]}\n"
	}
	yaml += "  ollama-api: {dialect: ollama, base_url: " + server.URL + ", key_env: LAB_KEY, models: [m]}\n"
	h := open(t, yaml, "LAB_KEY="+canary)
	picture := bytes.Repeat([]byte("iVBORw0KGgo/+AAB"), size/16)
	for dialect, c := range largeCalls {
		t.Run(dialect, func(t *testing.T) {
			body := []byte(c.head + string(picture) + c.tail)
			call := func() {
				resp, err := h.upload(t.Context(), c.path, bytes.NewReader(body), "application/json", int64(len(body)))
				if err != nil {
					t.Fatal(err)
				}
				answer, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("%s: %s", resp.Status, answer)
				}
				if n := <-p.got; n < size || n > int64(len(body)) {
					t.Fatalf("the provider got %d bytes of %d", n, len(body))
				}
			}
			call() // makes what is used again
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			call()
			runtime.ReadMemStats(&after)
			extra := int64(after.TotalAlloc-before.TotalAlloc) - int64(len(body))
			t.Logf("%d bytes beside the body", extra)
			if extra > 1<<20 {
				t.Errorf("%.1f MB were allocated beside the body's %d MB", float64(extra)/(1<<20), size>>20)
			}
		})
	}
}
