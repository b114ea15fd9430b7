package proxy

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// atOllama is a real Ollama's answer by path, and what it was asked.
type atOllama struct {
	answers map[string]string
	asked   []string
	err     error
	stop    error // how an answer's body ends
}

func (o *atOllama) do(r *http.Request, localOnly bool) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	o.asked = append(o.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
	if o.err != nil {
		return nil, o.err
	}
	w := httptest.NewRecorder()
	answer, ok := o.answers[r.URL.Path]
	if !ok {
		w.WriteHeader(404)
		answer = `{"error":"nothing here"}`
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Private", "1")
	w.Body.WriteString(answer)
	resp := w.Result()
	if o.stop != nil {
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(answer), &steps{err: o.stop}))
	}
	return resp, nil
}

func (o *atOllama) last() string {
	if len(o.asked) == 0 {
		return ""
	}
	return o.asked[len(o.asked)-1]
}

const tinyEntry = `{"name":"tiny:latest","model":"tiny:latest","size":455932,"digest":"1ef7","details":{"family":"llama"},"future":1}`

// ollamaDoor is a front door with one model in Ollama, two in clouds, a route,
// and the demo.
func ollamaDoor() (*Handler, *atOllama) {
	o := &atOllama{answers: map[string]string{}}
	d := &desk{ollama: o.do, list: []Model{
		{ID: "demo/echo", Owner: "demo", Local: true},
		{ID: "quick", Owner: "keytray"},
		{ID: "ollama/tiny:latest", Owner: "ollama", Local: true, Host: "http://127.0.0.1:11434", Ollama: json.RawMessage(tinyEntry)},
		{ID: "anthropic/claude-sonnet", Owner: "anthropic", Created: 1767225600, Name: "Claude Sonnet", Context: 200_000, MaxOutput: 64_000, Host: "https://a.example", Flags: llm.Flags{llm.FlagTools, llm.FlagVision, llm.FlagReasoning}},
		{ID: "openrouter/meta/llama", Owner: "openrouter", Host: "https://o.example", Flags: llm.Flags{llm.FlagNoTools}},
	}}
	h, _ := door(d, func(o *Options) { o.Without = func() Access { return Local } })
	return h, o
}

const stranger = ""

// said is the error in an answer of Ollama's shape.
func said(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var e struct{ Error *string }
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Error == nil {
		t.Fatalf("no error of Ollama's shape: %d %s", w.Code, w.Body)
	}
	return *e.Error
}

func TestOllamaIsRunning(t *testing.T) {
	h, _ := ollamaDoor()
	for _, method := range []string{"GET", "HEAD"} {
		w := call(h, method, "/", "", "Authorization", stranger)
		if w.Code != 200 || method == "GET" && w.Body.String() != "Ollama is running" {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	h.Without = func() Access { return Refuse }
	if w := call(h, "GET", "/", "", "Authorization", stranger); w.Code != 401 || !strings.Contains(said(t, w), "keytray token") {
		t.Errorf("a stranger gets %d %s", w.Code, w.Body)
	}
	if w := call(h, "GET", "/", "", "Host", "evil.example"); w.Code != 403 {
		t.Errorf("a foreign host gets %d", w.Code)
	}
}

// H4
func TestOllamaVersion(t *testing.T) {
	h, o := ollamaDoor()
	for own, want := range map[string]string{
		`{"version":"0.21.0"}`: "0.21.0", `{"version":"0.6.4"}`: "0.6.4", `{"version":"0.7.0-rc2"}`: "0.7.0-rc2", `{"version":"1.0"}`: "1.0",
		`{"version":"0.6.3"}`: ollamaVersion, `{"version":"0.0.0"}`: ollamaVersion, `{"version":"0"}`: ollamaVersion, `{"version":"new"}`: ollamaVersion, `<html>`: ollamaVersion,
	} {
		o.answers["/api/version"] = own
		if w := call(h, "GET", "/api/version", "", "Authorization", stranger); w.Code != 200 || w.Body.String() != `{"version":"`+want+`"}` {
			t.Errorf("of %s: %d %s", own, w.Code, w.Body)
		}
	}
	o.err = errors.New("down")
	if w := call(h, "HEAD", "/v1/api/version", ""); w.Code != 200 || o.last() != "GET /api/version" {
		t.Errorf("%d %s, asked %s", w.Code, w.Body, o.last())
	}
}

// H4
func TestOllamaTags(t *testing.T) {
	h, _ := ollamaDoor()
	w := call(h, "GET", "/api/tags", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), tinyEntry) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var list struct {
		Models []struct {
			Name, Model, Digest string
			Remote              string `json:"remote_model"`
			Host                string `json:"remote_host"`
			At                  string `json:"modified_at"`
			Details             struct{ Family string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil || len(list.Models) != 5 {
		t.Fatalf("%v, %d models", err, len(list.Models))
	}
	if m := list.Models[3]; m.Name != "anthropic/claude-sonnet" || m.Model != m.Name || m.Remote != "claude-sonnet" || m.Host != "https://a.example" || m.At != "2026-01-01T00:00:00Z" || len(m.Digest) != 64 || m.Details.Family != "anthropic" {
		t.Errorf("%+v", m)
	}
	if m := list.Models[1]; m.Name != "quick" || m.Remote+m.Host != "" || m.Digest == list.Models[0].Digest {
		t.Errorf("%+v", m)
	}
	if m := list.Models[4]; m.Remote != "meta/llama" {
		t.Errorf("%+v", m)
	}
	if w := call(h, "GET", "/api/tags", "", "Authorization", stranger); w.Code != 200 || w.Body.String() != `{"models":[]}` { // the desk has none for strangers
		t.Errorf("a stranger sees %d %s", w.Code, w.Body)
	}
}

// H4
func TestOllamaShow(t *testing.T) {
	h, o := ollamaDoor()
	o.answers["/api/show"] = `{"model_info":{"general.architecture":"llama"},"capabilities":["completion"]} `
	for _, asked := range []string{"tiny", "tiny:latest", "ollama/tiny", "ollama/tiny:latest"} {
		w := call(h, "POST", "/api/show", `{"verbose": true, "model": "`+asked+`"}`)
		if w.Code != 200 || w.Body.String() != o.answers["/api/show"] || o.last() != `POST /api/show {"verbose": true, "model": "tiny:latest"}` || w.Header().Get("X-Private") != "" {
			t.Errorf("%s: %d %s, asked %s", asked, w.Code, w.Body, o.last())
		}
	}
	n := len(o.asked)
	var s struct {
		Capabilities []string
		Info         map[string]any `json:"model_info"`
		Remote       string         `json:"remote_model"`
	}
	for _, body := range []string{`{"model":"anthropic/claude-sonnet"}`, `{"name":"claude-sonnet"}`, `{"model":"claude-sonnet:latest"}`} {
		w := call(h, "POST", "/api/show", body)
		if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", body, w.Code, w.Body)
		}
		if arch, _ := s.Info["general.architecture"].(string); strings.Join(s.Capabilities, " ") != "completion tools vision thinking" || s.Info[arch+".context_length"] != 200000.0 || s.Info["general.basename"] != "Claude Sonnet" || s.Remote != "claude-sonnet" {
			t.Errorf("%s: %s", body, w.Body)
		}
	}
	w := call(h, "POST", "/api/show", `{"model":"openrouter/meta/llama"}`)
	if !strings.Contains(w.Body.String(), `"capabilities":["completion"]`) || strings.Contains(w.Body.String(), "context_length") {
		t.Errorf("%s", w.Body)
	}
	for body, status := range map[string]int{`{"model":"absent"}`: 404, `{}`: 400, `{"model":7}`: 400, `x`: 400, ``: 400} {
		if w := call(h, "POST", "/api/show", body); w.Code != status || said(t, w) == "" || status == 404 && said(t, w) != "model 'absent' not found" {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if len(o.asked) != n {
		t.Errorf("Ollama was asked %q", o.asked[n:])
	}
}

func TestOllamaPs(t *testing.T) {
	h, o := ollamaDoor()
	o.answers["/api/ps"] = `{"models":[{"name":"tiny:latest","size_vram":0}]}`
	if w := call(h, "GET", "/api/ps", ""); w.Body.String() != o.answers["/api/ps"] {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	o.err = errors.New("down")
	if w := call(h, "GET", "/api/ps", ""); w.Code != 200 || w.Body.String() != `{"models":[]}` {
		t.Errorf("without an Ollama: %d %s", w.Code, w.Body)
	}
}

// What a cloud serves need not be pulled; the rest is the real Ollama's.
func TestOllamaPull(t *testing.T) {
	h, o := ollamaDoor()
	const done = "{\"status\":\"success\"}\n"
	for body, kind := range map[string]string{
		`{"model":"anthropic/claude-sonnet"}`: "application/x-ndjson", `{"name":"claude-sonnet:latest","stream":true}`: "application/x-ndjson",
		`{"model":"quick","stream":false}`: "application/json", `{"model":"demo/echo"}`: "application/x-ndjson",
	} {
		if w := call(h, "POST", "/api/pull", body); w.Code != 200 || w.Body.String() != done || w.Header().Get("Content-Type") != kind || len(o.asked) != 0 {
			t.Errorf("%s: %d %s, asked %q", body, w.Code, w.Body, o.asked)
		}
	}
	o.answers["/api/pull"] = "{\"status\":\"pulling manifest\"}\n{\"status\":\"success\"}\n"
	for _, body := range []string{`{"model":"other:1b"}`, `{"model":"tiny"}`, `broken`, `{}`} {
		if w := call(h, "POST", "/api/pull", body); w.Code != 200 || w.Body.String() != o.answers["/api/pull"] || o.last() != "POST /api/pull "+body {
			t.Errorf("%s: %d %s, asked %q", body, w.Code, w.Body, o.last())
		}
	}
}

func TestOllamaChanges(t *testing.T) {
	h, o := ollamaDoor()
	for _, c := range [][2]string{
		{"POST", "/api/pull"},
		{"POST", "/api/copy"},
		{"POST", "/api/create"},
		{"POST", "/api/push"},
		{"DELETE", "/api/delete"},
		{"POST", "/api/blobs/sha256:1ef7"},
		{"HEAD", "/api/blobs/sha256:1ef7"},
	} {
		o.asked = nil
		w := call(h, c[0], c[1], `{"model":"tiny"}`, "Authorization", stranger)
		if w.Code != 403 || len(o.asked) != 0 || !strings.Contains(said(t, w), "keytray token") {
			t.Errorf("%s for a stranger: %d %s, asked %q", c, w.Code, w.Body, o.asked)
		}
		o.answers[c[1]] = "{\"status\":\"one\"}\n{\"status\":\"two\"}\n"
		w = call(h, c[0], c[1], `{"model":"tiny"}`)
		if w.Code != 200 || w.Body.String() != o.answers[c[1]] || w.Header().Get("Content-Type") != "application/x-ndjson" || o.last() != c[0]+" "+c[1]+` {"model":"tiny"}` {
			t.Errorf("%s: %d %s, asked %q", c, w.Code, w.Body, o.asked)
		}
	}
	delete(o.answers, "/api/copy")
	if w := call(h, "POST", "/api/copy", `{}`); w.Code != 404 || said(t, w) != "nothing here" {
		t.Errorf("a refusal: %d %s", w.Code, w.Body)
	}
	o.err = &llm.Error{Kind: llm.Unreachable, Message: "nothing listens there"}
	if w := call(h, "POST", "/api/copy", `{}`); w.Code != 502 || said(t, w) != "nothing listens there" {
		t.Errorf("no Ollama: %d %s", w.Code, w.Body)
	}
	o.err, o.stop = nil, errors.New("reset")
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("a cut answer ended with %v", p)
		}
	}()
	call(h, "POST", "/api/create", `{}`)
}

func TestOllamaErrorsOnOtherPaths(t *testing.T) {
	h, _ := ollamaDoor()
	for path, status := range map[string]int{"/api/nowhere": 404, "/api/me": 404, "/api/tags": 405, "/api/chat/x": 404} {
		if w := call(h, "POST", path, `{}`); w.Code != status || !strings.Contains(said(t, w), "POST /api/chat") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := call(h, "POST", "/api/chat", `{"messages":[]}`)
	if w.Code != 400 || !strings.Contains(said(t, w), "model is required") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A tool that may use some models only sees those, in memory too, and changes
// nothing else that Ollama holds: a copy can have any name.
func TestOllamaForSomeModels(t *testing.T) {
	h, o := ollamaDoor()
	d := h.Table().(*desk)
	d.only = []string{"ollama/tiny:latest", "ollama/tiny", "quick"}
	o.answers["/api/ps"] = `{"models":[{"name":"tiny:latest"},{"model":"large:latest"},{"size":1}]}`
	if w := call(h, "GET", "/api/ps", ""); w.Body.String() != `{"models":[{"name":"tiny:latest"}]}` {
		t.Errorf("%s", w.Body)
	}
	w := call(h, "GET", "/api/tags", "")
	if list := w.Body.String(); strings.Count(list, `"name"`) != 2 || !strings.Contains(list, `"tiny:latest"`) || !strings.Contains(list, `"quick"`) {
		t.Errorf("%s", list)
	}
	if w := call(h, "POST", "/api/show", `{"model":"claude-sonnet"}`); w.Code != 404 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for path, body := range map[string]string{
		"/api/pull": `{"model":"large"}`, "/api/copy": `{"source":"large","destination":"tiny"}`, "/api/create": `{"model":"tiny","from":"large"}`,
		"/api/push": `{"model":"tiny"}`,
	} {
		n := len(o.asked)
		if w := call(h, "POST", path, body); w.Code != 403 || !strings.Contains(said(t, w), "ollama/") || len(o.asked) != n {
			t.Errorf("%s: %d %s, asked %q", path, w.Code, w.Body, o.asked[n:])
		}
	}
	o.answers["/api/pull"] = "{}\n"
	if w := call(h, "POST", "/api/pull", `{"model":"tiny"}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	d.only = append(d.only, "ollama/")
	o.answers["/api/copy"] = "{}\n"
	if w := call(h, "POST", "/api/copy", `{"source":"large","destination":"tiny"}`); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
