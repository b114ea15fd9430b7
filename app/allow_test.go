package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"keytray/proxy/llm"
)

// What a tool with a list may use, by the name that it asks for and by what the
// switch has answer in its place.
func TestAllowedModels(t *testing.T) {
	const rest = `
providers:
  lab: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [a, b, "c:1"]}
  hut: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [b, d]}
routes:
  one: lab/a
  both: {fallback: [lab/a, hut/d]}
  deep: {fallback: [both, one, lab/b]}
  cheap: {cheapest: [b]}
  written: {blend: [lab/a, lab/b], by: hut/d}
`
	for _, c := range []struct {
		name, active, may, asked string
		who                      string // answers, in order
		says                     string // or why not
	}{
		{"a model", "auto", "lab/a", "lab/a", "lab/a", ""},
		{"by its bare name", "auto", "lab/a", "a", "lab/a", ""},
		{"another", "auto", "lab/a", "lab/b", "", "env may not use lab/b: it may use lab/a. Change that with `keytray token env --models`"},
		{"all of a provider", "auto", "lab/", "lab/b", "lab/b", ""},
		{"what it does not list too", "auto", "lab/", "lab/new", "lab/new", ""},
		{"but of no other", "auto", "lab/", "hut/b", "", "may not use hut/b"},
		{"a bare name is everywhere", "auto", "b", "hut/b", "hut/b", ""},
		{"and nothing else", "auto", "b", "hut/d", "", "may not use hut/d"},
		{"a model with a tag", "auto", "lab/c:1", "lab/c:1", "lab/c:1", ""},
		{"what nobody serves", "auto", "lab/a", "ghost", "", "may not use ghost"},
		{"a route", "auto", "both", "both", "lab/a hut/d", ""},
		{"with all that it leads to", "auto", "deep", "deep", "lab/a hut/d lab/a lab/b", ""},
		{"not by its models alone", "auto", "lab/a, hut/d", "both", "", "may not use both"},
		{"not by a route in it", "auto", "both", "deep", "", "may not use deep"},
		{"an alias, not what it stands for", "auto", "one", "lab/a", "", "may not use lab/a"},

		{"the switch on its provider", "lab", "lab/a", "lab/a", "lab/a", ""},
		{"on another that has it", "hut", "b", "lab/b", "hut/b", ""},
		{"which is not allowed", "hut", "lab/b", "lab/b", "", "the switch stands on hut, so hut/b would answer, and env may not use that: it may use lab/b. Change that with `keytray token env --models` or under tools in config.yaml, or turn the switch with `keytray use auto`"},
		{"a stand-in that is", "hut", "lab/a, hut/b", "lab/a", "hut/b", ""},
		{"a stand-in that is not", "hut", "lab/a, hut/d", "lab/a", "", "so hut/b would answer"},
		{"a stand-in for what is not", "hut", "hut/b", "lab/a", "", "env may not use lab/a"},
		{"the demo stays", "both", "demo/", "demo/echo", "demo/echo", ""},

		{"the switch on a route that is", "both", "lab/b, both", "lab/b", "lab/a hut/d", ""},
		{"on one that is in part", "both", "hut/", "hut/b", "hut/d", ""},
		{"on one that is not", "both", "lab/b", "lab/b", "", "the switch stands on the route both, which leads to lab/a, and env may not use that"},
		{"for what is not allowed", "both", "both", "lab/b", "", "env may not use lab/b"},
		{"a route in it is", "deep", "both, x", "x", "lab/a hut/d", ""},
		{"a model in a route in it is", "deep", "hut/d", "hut/d", "hut/d", ""},
		{"one of all that serve it", "cheap", "hut/", "hut/d", "cheapest of hut/b", ""},
		{"none of them", "cheap", "lab/a", "lab/a", "", "the switch stands on the route cheap, which leads to b, and env may not use that"},
		{"asked for while it stands there", "both", "one, both", "one", "lab/a hut/d", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := open(t, "active: "+c.active+"\ntools:\n  env: {models: ["+c.may+"]}\n"+rest)
			r := &llm.Request{Tool: "env", Inbound: client{name: "chat"}, Peek: llm.Peek{Model: c.asked}}
			target, err := h.table.Load().Target(r)
			switch {
			case err != nil:
				if e := llm.AsError(err); c.says == "" || !strings.Contains(e.Message, c.says) || e.Kind != llm.Forbidden || e.Code != "model_not_allowed" {
					t.Errorf("%+v", e)
				}
			case c.says != "":
				t.Errorf("%s answers", answers(t, target))
			default:
				if who := answers(t, target); who != c.who {
					t.Errorf("%s answers, want %s", who, c.who)
				}
			}
			// A tool without a list asks for anything.
			if _, err := h.table.Load().Target(&llm.Request{Tool: "free", Inbound: client{name: "chat"}, Peek: llm.Peek{Model: c.asked}}); err != nil && llm.AsError(err).Kind == llm.Forbidden {
				t.Errorf("a tool without a list: %v", err)
			}
		})
	}
}

// The lists of models, in each of their shapes, show what this tool may ask for.
func TestListsAreTheTools(t *testing.T) {
	ollama := &anAPI{}
	ollama.says("GET /api/tags", `{"models":[{"name":"small:latest","size":9},{"name":"large:latest","size":99}]}`)
	ollama.says("GET /api/ps", `{"models":[{"name":"large:latest","model":"large:latest"},{"name":"small:latest","model":"small:latest"}]}`)
	ollama.says("POST /api/show", `{"capabilities":["completion"]}`)
	ollama.says("POST /api/copy", `{}`)
	server := httptest.NewServer(ollama)
	t.Cleanup(server.Close)
	h := open(t, "tools:\n  env: {models: [ollama/small, openai/gpt-5, safe, lab/]}\nproviders:\n  ollama: {base_url: "+server.URL+"}\n  lab: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [a, b]}\nroutes:\n  safe: openai/gpt-5-mini\n  other: openai/gpt-5-mini\n", "OPENAI_API_KEY="+canary)
	want := []string{"lab/a", "lab/b", "ollama/small:latest", "openai/gpt-5", "safe"}
	same := func(what string, got []string) {
		t.Helper()
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s lists %q", what, got)
		}
	}
	read := func(r reply, list, name string) (all []string) {
		t.Helper()
		items, _ := r.field(t, list).([]any)
		for _, x := range items {
			id, _ := x.(map[string]any)[name].(string)
			all = append(all, strings.TrimPrefix(id, "models/"))
		}
		return all
	}
	same("OpenAI's", read(h.do("GET", "/v1/models", ""), "data", "id"))
	same("Anthropic's", read(h.do("GET", "/v1/models", "", "Anthropic-Version", "2023-06-01"), "data", "id"))
	same("Google's", read(h.do("GET", "/v1beta/models", ""), "models", "name"))
	same("Google's by its key's header", read(h.do("GET", "/v1/models", "", "X-Goog-Api-Key", "kt-test"), "models", "name"))
	tags := read(h.do("GET", "/api/tags", ""), "models", "name")
	for i, name := range tags {
		if name == "small:latest" {
			tags[i] = "ollama/" + name
		}
	}
	same("Ollama's", tags)
	if ps := read(h.do("GET", "/api/ps", ""), "models", "name"); !slices.Equal(ps, []string{"small:latest"}) {
		t.Errorf("in memory: %q", ps)
	}
	for path, header := range map[string]string{
		"/v1/models/": "", "/v1beta/models/": "", "/v1/models/ ": "Anthropic-Version",
	} {
		path = strings.TrimSpace(path)
		for name, status := range map[string]int{"openai/gpt-5": 200, "safe": 200, "lab/b": 200, "openai/gpt-5-mini": 404, "other": 404, "demo/echo": 404} {
			var more []string
			if header != "" {
				more = []string{header, "2023-06-01"}
			}
			if r := h.do("GET", path+name, "", more...); r.status != status || status == 404 && !strings.Contains(r.body, "env may not use "+name) {
				t.Errorf("%s%s: %d %s", path, name, r.status, r.body)
			}
		}
	}
	if r := h.do("POST", "/api/show", `{"model":"small"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.do("POST", "/api/show", `{"model":"large"}`); r.status != 404 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.do("POST", "/api/copy", `{"source":"large","destination":"small"}`); r.status != 403 {
		t.Errorf("%d %s", r.status, r.body)
	}
	// An edit of the list holds at once.
	if err := h.SetToolModels("env", nil); err != nil {
		t.Fatal(err)
	}
	if n := len(read(h.do("GET", "/v1/models", ""), "data", "id")); n < 10 {
		t.Errorf("%d models without a list", n)
	}
}

// Calls that are no conversation, and those that name their provider, are held to
// the model and the provider that are called.
func TestAllowedModelsOfOtherCalls(t *testing.T) {
	api := &anAPI{}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	const house = "  openai: {base_url: URL/v1}\n  mill: {dialect: chat, base_url: URL/mill, models: [text-embedding-3-small, openai/gpt-5]}\n"
	yaml := func(active string) string {
		return "active: " + active + "\ntools:\n  env: {models: [openai/gpt-5, openai/text-embedding-3-small, openai/gpt-realtime]}\nproviders:\n" + strings.ReplaceAll(house, "URL", server.URL) + "routes:\n  near: mill/text-embedding-3-small\n"
	}
	api.says("/", `{"data":[{"index":0,"embedding":[1]}]}`)
	h := open(t, yaml("auto"), "OPENAI_API_KEY="+canary)
	for _, c := range []struct {
		path, body, says string
		header           []string
	}{
		{"/p/mill/chat/completions", `{"model":"openai/gpt-5","messages":[]}`, "may not use mill/openai/gpt-5", nil},
		{"/p/openai/v1/chat/completions", `{"model":"openai/gpt-realtime-mini","messages":[]}`, "may not use", nil},
		{"/p/openai/v1/files", `{}`, "may not use openai", nil},
		{"/v1/embeddings", `{"model":"near","input":"x"}`, "may not use near", nil},
		{"/v1/images/generations", `{"model":"openai/gpt-5","prompt":"x"}`, "may not use mill/openai/gpt-5", []string{"Keytray-Provider", "mill"}},
		{"/v1/batches", `{"model":"openai/gpt-5","input_file_id":"f"}`, "may not use openai", nil},
		{"/v1/moderations", `{"input":"x"}`, "may not use openai", nil},
	} {
		if r := h.do("POST", c.path, c.body, append(c.header, "Content-Type", "application/json")...); r.status != 403 || !strings.Contains(r.body, c.says) {
			t.Errorf("%s: %d %s", c.path, r.status, r.body)
		}
	}
	if _, resp, err := h.dial("model=openai/gpt-realtime-mini", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + h.token}}}); err == nil || resp.StatusCode != 403 {
		t.Errorf("a session: %v", err)
	}
	if api.calls() != 0 {
		t.Errorf("the provider was called: %+v", api.got)
	}
	embed := func() reply { return h.do("POST", "/v1/embeddings", `{"model":"text-embedding-3-small","input":"x"}`) }
	if r := embed(); r.status != 200 || api.last(t).path != "/v1/embeddings" {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := h.do("POST", "/p/openai/v1/chat/completions", `{"model":"gpt-5","messages":[]}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	n := api.calls()
	h = open(t, yaml("mill"), "OPENAI_API_KEY="+canary)
	if r := embed(); r.status != 403 || !strings.Contains(r.body, "so mill/text-embedding-3-small would answer") || api.calls() != n {
		t.Errorf("%d %s", r.status, r.body)
	}
	if err := h.SetToolModels("env", []string{"text-embedding-3-small"}); err != nil {
		t.Fatal(err)
	}
	if r := embed(); r.status != 200 || api.last(t).path != "/mill/embeddings" {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// Each message of a WebSocket is a call of its own.
func TestAllowedModelsOverAWebSocket(t *testing.T) {
	h := open(t, "active: lab\ntools:\n  env: {models: [demo/, lab/a, openai/gpt-5]}\nproviders:\n  lab: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [b, a]}\n", "OPENAI_API_KEY="+canary)
	addr, err := h.Addr()
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := websocket.Dial(t.Context(), "ws://"+addr+"/v1/responses", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + h.token}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for model, says := range map[string]string{"lab/b": "env may not use lab/b", "openai/gpt-5": "the switch stands on lab, so lab/b would answer"} {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(`{"type":"response.create","model":"`+model+`","input":"x"}`)); err != nil {
			t.Fatal(err)
		}
		_, b, err := c.Read(context.WithoutCancel(t.Context()))
		var event struct {
			Type  string
			Error struct{ Code, Message string }
		}
		if err != nil || json.Unmarshal(b, &event) != nil || event.Type != "error" || event.Error.Code != "model_not_allowed" || !strings.Contains(event.Error.Message, says) {
			t.Errorf("%s: %s %v", model, b, err)
		}
	}
}
