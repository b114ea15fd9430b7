package proxy

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// Base URLs are typed by hand: /v1 may be missing or doubled, slashes too.
func TestPathsAreForgiven(t *testing.T) {
	d := &desk{}
	h, _ := door(d)
	for _, path := range []string{
		"/v1/chat/completions", "/chat/completions", "/v1/v1/chat/completions", "/v1//chat/completions", "//v1/chat/completions",
		"/v1/chat/completions/", "/v1/v1//v1/chat//completions//", "/v1/./chat/completions",
	} {
		if w := call(h, "POST", path, hello); w.Code != 200 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	for _, path := range []string{"/v1/models", "/models", "/v1/models/", "/v1/v1/models"} {
		if w := call(h, "GET", path, ""); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	for _, path := range []string{"/", "/v1", "/v1/", "/v2/chat/completions", "/v1x/chat/completions", "/v1/chat/completions/x", "/v1/chat%2Fcompletionsx"} {
		w := call(h, "POST", path, hello)
		if message, code := problem(t, w); w.Code != 404 || code != "unknown_url" || !strings.Contains(message, "POST /v1/chat/completions") || !strings.HasPrefix(message, "Keytray serves no "+strings.ReplaceAll(path, "%2F", "/")+";") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := call(h, "POST", "/v1/nothing?key=secret", hello); !strings.Contains(w.Body.String(), "no /v1/nothing;") {
		t.Errorf("the path as it was asked for, alone: %s", w.Body)
	}
	for _, at := range [][2]string{{"GET", "/v1/chat/completions"}, {"PUT", "/v1/chat/completions"}, {"POST", "/v1/models"}, {"DELETE", "/v1/models/x"}} {
		w := call(h, at[0], at[1], hello)
		if _, code := problem(t, w); w.Code != 405 || code != "method_not_allowed" {
			t.Errorf("%s: %d %s", at, w.Code, w.Body)
		}
	}
	if w := call(h, "GET", "/nowhere", "", "Authorization", ""); w.Code != 401 {
		t.Errorf("a stranger learns %d of a path that is not", w.Code)
	}
}

func TestHealth(t *testing.T) {
	h, _ := door(&desk{})
	for _, method := range []string{"GET", "HEAD"} {
		if w := call(h, method, "/healthz", "", "Authorization", ""); w.Code != 200 || method == "GET" && w.Body.String() != "ok\n" {
			t.Errorf("%s: %d %q", method, w.Code, w.Body)
		}
	}
}

func TestModels(t *testing.T) {
	d := &desk{list: []Model{{ID: "openai/gpt-6", Owner: "openai", Created: 1767225600}, {ID: "qwen3:8b", Owner: "ollama"}}}
	h, _ := door(d)
	const first, second = `{"id":"openai/gpt-6","object":"model","created":1767225600,"owned_by":"openai"}`, `{"id":"qwen3:8b","object":"model","created":0,"owned_by":"ollama"}`
	for path, want := range map[string]string{
		"/v1/models":                  `{"object":"list","data":[` + first + `,` + second + `]}`,
		"/v1/models/openai/gpt-6":     first,
		"/v1/models/openai%2Fgpt-6":   first,
		"/v1/models/qwen3:8b":         second,
		"/v1/v1/models/openai/gpt-6/": first,
	} {
		w := call(h, "GET", path, "")
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	w := call(h, "GET", "/v1/models/gpt-6", "")
	if message, code := problem(t, w); w.Code != 404 || code != "model_not_found" || !strings.Contains(message, "gpt-6") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	d.list = nil
	if w := call(h, "GET", "/v1/models", ""); w.Body.String() != `{"object":"list","data":[]}` {
		t.Errorf("no models: %s", w.Body)
	}
}

// What a target gets to know of a call.
func TestTheRequestThatATargetGets(t *testing.T) {
	d := &desk{}
	h, _ := door(d)
	body := ` {"stream" : false, "model":"a\/b", "messages":[{"role":"user","content":"é"}],"x":1.0} `
	w := call(h, "POST", "/v1/chat/completions", body, "X-Title", "App")
	r := d.last(t)
	if string(r.Raw) != body || r.Model != "a/b" || r.Stream || r.Tool != "tool" || r.LocalOnly || r.Inbound.Name() != "chat" || r.Header.Get("X-Title") != "App" || r.Start.IsZero() {
		t.Errorf("%+v", r)
	}
	if id := w.Header().Get("Keytray-Request-Id"); id == "" || id != r.ID || !strings.HasPrefix(id, "kt-") {
		t.Errorf("ids %q and %q", id, r.ID)
	}
	call(h, "POST", "/v1/chat/completions", hello)
	if d.last(t).ID == r.ID {
		t.Error("an id was used twice")
	}
	w = call(h, "POST", "/v1/chat/completions", `{"model":"nobody","messages":[]}`)
	if _, code := problem(t, w); w.Code != 404 || code != "model_not_found" || w.Header().Get("Keytray-Request-Id") == "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A fault of Keytray's own is an error of the dialect's shape, and the log has
// where it was but nothing of what was said.
func TestPanic(t *testing.T) {
	d := &desk{do: func(_ context.Context, r *llm.Request) (*llm.Response, error) { panic("secret: " + string(r.Raw)) }}
	h, log := door(d)
	w := call(h, "POST", "/v1/chat/completions", strings.Replace(hello, "hi", "my-private-words", 1))
	message, _ := problem(t, w)
	id := w.Header().Get("Keytray-Request-Id")
	if w.Code != 500 || !strings.Contains(message, id) || strings.Contains(message, "private") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if s := log.String(); !strings.Contains(s, id) || !strings.Contains(s, "proxy_test.go") || strings.Contains(s, "private") || strings.Contains(s, "secret") {
		t.Errorf("log %s", s)
	}
}

func TestErrorsAreJSONWhateverTheySay(t *testing.T) {
	d := &desk{do: func(context.Context, *llm.Request) (*llm.Response, error) {
		return nil, &llm.Error{Kind: llm.ServerError, Provider: "lab", Message: "odd \"words\"\n\x00\xff <b>"}
	}}
	h, _ := door(d)
	w := call(h, "POST", "/v1/chat/completions", hello)
	if !json.Valid(w.Body.Bytes()) || w.Code != 502 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
