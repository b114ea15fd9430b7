package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

// Ollama's own client asks providers of every dialect. H2, H3, H5, H6, H7, H14
func TestOllamaClientOfClouds(t *testing.T) {
	for _, u := range upstreams {
		t.Run(string(u.dialect), func(t *testing.T) {
			scripts := []proxytest.Script{
				{Parts: proxytest.Parts(proxytest.Thinking("Two plus", " two."), proxytest.Text("Fo", "ur."))},
				{Parts: proxytest.Parts(proxytest.Text("Let me look."), proxytest.Call("", "get_weather", `{"city":`, `"Oslo"}`), proxytest.Call("", "get_weather", `{"city":"Rome"}`))},
				{},
				{Fail: &proxytest.Fail{Status: 429}},
				{Parts: proxytest.Parts(proxytest.Text("a", "b", "c")), Fault: proxytest.FaultCut, After: 2},
			}
			for _, stream := range []bool{false, true} {
				p := proxytest.New(scripts...)
				p.Models = []string{"text"}
				h, prefix := lab(t, u.dialect, p)
				c, model := h.ollamaClient(h.token), prefix+u.model

				ask := question(model)
				ask.Think, ask.KeepAlive = &api.ThinkValue{Value: true}, &api.Duration{Duration: 1e12}
				ask.Options = map[string]any{"num_predict": 300, "temperature": 0.5, "stop": []string{"END"}, "num_ctx": 8192}
				ask.Messages[0].Images = []api.ImageData{pixel(t)}
				got, err := chatWith(t, c, ask, stream)
				if err != nil || got.text != "Four." || got.thinking != "Two plus two." || got.done != "stop" || got.metrics.PromptEvalCount != 12 || got.metrics.EvalCount != 7 || got.metrics.TotalDuration <= 0 || got.metrics.EvalDuration <= 0 {
					t.Errorf("stream %v: %+v, %v", stream, got, err)
				}
				sent, row := string(p.Last().Body), h.last()
				if told := slices.Contains(row.Lost, "stop: this model takes none"); strings.Contains(sent, "END") == told { // GPT-5 takes none
					t.Errorf("stop is not in %s, lost %q", sent, row.Lost)
				}
				for _, want := range []string{"300", base64.StdEncoding.EncodeToString(pixel(t))} { // H7
					if !strings.Contains(sent, want) {
						t.Errorf("%s is not in %s", want, sent)
					}
				}
				if lost := strings.Join(row.Lost, " "); u.dialect != proxytest.Ollama && (!strings.Contains(lost, "keep_alive") || !strings.Contains(lost, "num_ctx")) || row.Inbound != "ollama" || row.Streamed != stream {
					t.Errorf("row %+v", row)
				}

				ask = question(model)
				ask.Tools = apiTools("get_weather")
				if got, err = chatWith(t, c, ask, stream); err != nil || len(got.calls) != 2 || got.text != "Let me look." {
					t.Fatalf("stream %v: %+v, %v", stream, got, err)
				}
				for i, city := range []string{"Oslo", "Rome"} {
					if f := got.calls[i].Function; f.Name != "get_weather" || f.Arguments.String() != `{"city":"`+city+`"}` || f.Index != i || got.calls[i].ID == "" {
						t.Errorf("stream %v: %+v", stream, got.calls[i])
					}
				}
				ask.Messages = append(ask.Messages, api.Message{Role: "assistant", Content: got.text, ToolCalls: got.calls},
					api.Message{Role: "tool", ToolName: "get_weather", Content: "9 degrees"}, api.Message{Role: "tool", Content: "21 degrees", ToolCallID: got.calls[1].ID})
				if got, err = chatWith(t, c, ask, stream); err != nil || got.text == "" {
					t.Errorf("stream %v: %+v, %v", stream, got, err)
				}
				if sent := string(p.Last().Body); !strings.Contains(sent, "9 degrees") || !strings.Contains(sent, "21 degrees") {
					t.Errorf("the results are not in %s", sent)
				}

				var refused api.StatusError
				if _, err = chatWith(t, c, question(model), stream); !errors.As(err, &refused) || refused.StatusCode != 429 || refused.ErrorMessage == "" {
					t.Errorf("stream %v: refused with %#v", stream, err)
				}
				if got, err = chatWith(t, c, question(model), stream); err == nil && u.dialect != proxytest.Ollama || got.done != "" {
					// Of a byte copy that breaks off, this client says nothing.
					t.Errorf("stream %v: a cut answer: %+v, %v", stream, got, err)
				}

				// A load asks no cloud.
				n := len(p.Requests())
				if got, err = chatWith(t, c, &api.ChatRequest{Model: model}, stream); u.dialect != proxytest.Ollama && (err != nil || got.done != "load" || got.pieces != 1 || len(p.Requests()) != n) {
					t.Errorf("load: %+v, %v, %d calls", got, err, len(p.Requests())-n)
				}
				if got, err = generateWith(t, c, &api.GenerateRequest{Model: model, KeepAlive: &api.Duration{}}, stream); u.dialect != proxytest.Ollama && (err != nil || got.done != "unload") {
					t.Errorf("unload: %+v, %v", got, err)
				}
			}
		})
	}
}

// pixel is a picture.
func pixel(t *testing.T) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The generate form asks clouds too, and refuses what only Ollama can do.
func TestOllamaGenerateOfClouds(t *testing.T) {
	for _, u := range upstreams[:3] {
		t.Run(string(u.dialect), func(t *testing.T) {
			p := proxytest.New(proxytest.Script{Parts: proxytest.Parts(proxytest.Thinking("hm"), proxytest.Text("Fo", "ur."))})
			h, prefix := lab(t, u.dialect, p)
			c := h.ollamaClient(h.token)
			for _, stream := range []bool{false, true} {
				ask := &api.GenerateRequest{Model: prefix + u.model, Prompt: "two and two?", System: "Be brief.", Format: json.RawMessage(`"json"`)}
				got, err := generateWith(t, c, ask, stream)
				if err != nil || got.text != "Four." || got.thinking != "hm" || got.done != "stop" || got.metrics.EvalCount != 7 || stream != (got.pieces > 1) {
					t.Errorf("%+v, %v", got, err)
				}
				if sent := string(p.Last().Body); !strings.Contains(sent, "two and two?") || !strings.Contains(sent, "Be brief.") {
					t.Errorf("sent %s", sent)
				}
				n := len(p.Requests())
				ask.Suffix = "}"
				var refused api.StatusError
				if _, err := generateWith(t, c, ask, stream); !errors.As(err, &refused) || refused.StatusCode != 400 || !strings.Contains(refused.ErrorMessage, "suffix") || len(p.Requests()) != n {
					t.Errorf("%v", err)
				}
			}
		})
	}
}

// Without a token the small endpoints tell of local models alone; with one a
// cloud's model is listed, shown, and pulled in no time. H4
func TestOllamaListsClouds(t *testing.T) {
	h, _ := lab(t, proxytest.Messages, proxytest.New())
	own, stranger := h.ollamaClient(h.token), h.ollamaClient("")
	names := func(c *api.Client) string {
		list, err := c.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := " "
		for _, m := range list.Models {
			all += m.Name + " "
			if strings.HasPrefix(m.Name, "anthropic/") && (m.RemoteModel == "" || m.RemoteHost == "" || m.Details.Family != "anthropic" || m.ModifiedAt.IsZero()) {
				t.Errorf("%+v", m)
			}
		}
		return all
	}
	const claude = "anthropic/claude-haiku-5-5"
	if all := names(own); !strings.Contains(all, " "+claude+" ") || !strings.Contains(all, " demo/echo ") {
		t.Error(all)
	}
	if all := names(stranger); strings.Contains(all, "anthropic") || !strings.Contains(all, " demo/echo ") {
		t.Error(all)
	}
	for _, name := range []string{claude, "claude-haiku-5-5", claude + ":latest"} {
		s, err := own.Show(t.Context(), &api.ShowRequest{Model: name})
		if err != nil || len(s.Capabilities) < 3 || s.Capabilities[1] != "tools" || s.ModelInfo["anthropic.context_length"] == nil || s.RemoteModel != "claude-haiku-5-5" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		status := ""
		if err := own.Pull(t.Context(), &api.PullRequest{Model: name}, func(p api.ProgressResponse) error { status = p.Status; return nil }); err != nil || status != "success" {
			t.Errorf("pull %s: %q, %v", name, status, err)
		}
		if got, err := chatWith(t, own, question(name), true); err != nil || got.done != "stop" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if row := h.last(); row.Model != "claude-haiku-5-5" || row.Asked != name {
			t.Errorf("row %+v", row)
		}
	}
	var refused api.StatusError
	if _, err := stranger.Show(t.Context(), &api.ShowRequest{Model: claude}); !errors.As(err, &refused) || refused.StatusCode != 404 {
		t.Errorf("%v", err)
	}
	if err := stranger.Pull(t.Context(), &api.PullRequest{Model: claude}, func(api.ProgressResponse) error { return nil }); !errors.As(err, &refused) || refused.StatusCode != 403 {
		t.Errorf("%v", err)
	}
	if r := h.do("POST", "/api/chat", `{"model":"`+claude+`","messages":[]}`, "Authorization", ""); r.status != 401 || r.field(t, "error") == nil {
		t.Errorf("a stranger loads a cloud's model: %d %s", r.status, r.body)
	}
	if v, err := stranger.Version(t.Context()); err != nil || v != "0.17.4" {
		t.Errorf("%q, %v", v, err)
	}
	if got, err := stranger.ListRunning(t.Context()); err != nil || len(got.Models) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := chatWith(t, stranger, question("demo/echo"), true); err != nil || !strings.HasSuffix(got.text, "hi there, what now?") {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := chatWith(t, stranger, &api.ChatRequest{Model: "demo/echo"}, true); err != nil || got.done != "load" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := own.Copy(t.Context(), &api.CopyRequest{Source: "a", Destination: "b"}); !errors.As(err, &refused) || refused.StatusCode != 502 {
		t.Errorf("no Ollama: %v", err)
	}
}

// An Ollama on another computer is not for callers without a token, and not
// to be called offline.
func TestOllamaElsewhere(t *testing.T) {
	h := open(t, "", "OLLAMA_HOST=http://192.0.2.1:11434")
	gone, cancel := context.WithCancel(t.Context())
	cancel() // should it be called, nothing leaves
	r := httptest.NewRequest("GET", "/api/ps", nil).WithContext(gone)
	for _, c := range []struct {
		active    string
		localOnly bool
		kind      llm.ErrorKind
	}{{"auto", true, llm.Unauthorized}, {"auto", false, llm.Canceled}, {"offline", false, llm.Forbidden}} {
		if err := h.Use(c.active); err != nil {
			t.Fatal(err)
		}
		if _, err := h.table.Load().Ollama(r, c.localOnly); llm.AsError(err).Kind != c.kind {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
