package app

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// ollamaClient is Ollama's own client, pointed at Keytray. By itself it can
// send no token, so one is added on the way.
func (h *house) ollamaClient(token string) *api.Client {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	return api.NewClient(&url.URL{Scheme: "http", Host: addr}, &http.Client{Transport: bearing(token)})
}

// bearing adds a token to each call.
type bearing string

// RoundTrip sends r with the token, if there is one.
func (b bearing) RoundTrip(r *http.Request) (*http.Response, error) {
	if b != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+string(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// heard is what the client makes of one answer, of either form.
type heard struct {
	text, thinking string
	calls          []api.ToolCall
	pieces         int
	done           string
	metrics        api.Metrics
}

func chatWith(t *testing.T, c *api.Client, r *api.ChatRequest, stream bool) (a heard, err error) {
	t.Helper()
	if r.Stream = nil; !stream { // absent is a stream
		r.Stream = &stream
	}
	err = c.Chat(t.Context(), r, func(g api.ChatResponse) error {
		a.text, a.thinking, a.calls = a.text+g.Message.Content, a.thinking+g.Message.Thinking, append(a.calls, g.Message.ToolCalls...)
		a.pieces++
		if g.Done {
			a.done, a.metrics = g.DoneReason, g.Metrics
		}
		return nil
	})
	return a, err
}

func generateWith(t *testing.T, c *api.Client, r *api.GenerateRequest, stream bool) (a heard, err error) {
	t.Helper()
	if r.Stream = nil; !stream {
		r.Stream = &stream
	}
	err = c.Generate(t.Context(), r, func(g api.GenerateResponse) error {
		a.text, a.thinking = a.text+g.Response, a.thinking+g.Thinking
		a.pieces++
		if g.Done {
			a.done, a.metrics = g.DoneReason, g.Metrics
		}
		return nil
	})
	return a, err
}

func question(model string) *api.ChatRequest {
	return &api.ChatRequest{Model: model, Messages: []api.Message{{Role: "user", Content: "hi there, what now?"}}}
}

func apiTools(names ...string) (tools api.Tools) {
	for _, name := range names {
		f := api.ToolFunction{Name: name, Parameters: api.ToolFunctionParameters{Type: "object", Properties: api.NewToolPropertiesMap()}}
		f.Parameters.Properties.Set("city", api.ToolProperty{Type: api.PropertyType{"string"}})
		f.Parameters.Properties.Set("zone", api.ToolProperty{Type: api.PropertyType{"string"}})
		tools = append(tools, api.Tool{Type: "function", Function: f})
	}
	return tools
}

// The endpoints and bodies of the real Ollama, byte for byte through Keytray;
// no token is needed to use what it has, and one is to change it.
func TestOllamaClientOfRealOllama(t *testing.T) {
	server := proxytest.StartOllama(t)
	h := open(t, "", "OLLAMA_HOST="+strings.TrimPrefix(server.URL, "http://"))
	real, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	direct, own, stranger := api.NewClient(real, http.DefaultClient), h.ollamaClient(h.token), h.ollamaClient("")

	t.Run("what is there", func(t *testing.T) { // H4
		if err := stranger.Heartbeat(t.Context()); err != nil {
			t.Error(err)
		}
		want, err := direct.Version(t.Context())
		if got, gerr := stranger.Version(t.Context()); errors.Join(err, gerr) != nil || got != want {
			t.Errorf("%q, want %q, %v", got, want, errors.Join(err, gerr))
		}
		list, err := direct.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*api.Client{own, stranger} {
			got, err := c.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			byName := map[string]api.ListModelResponse{}
			for _, m := range got.Models {
				byName[m.Name] = m
			}
			for _, m := range list.Models {
				if g, w := asJSON(t, byName[m.Name]), asJSON(t, m); g != w {
					t.Errorf("%s\nwant %s", g, w)
				}
			}
		}
		for _, name := range []string{"tiny", "tiny-think:latest", "ollama/tiny"} {
			want, err := direct.Show(t.Context(), &api.ShowRequest{Model: strings.TrimPrefix(name, "ollama/")})
			got, gerr := stranger.Show(t.Context(), &api.ShowRequest{Model: name})
			if errors.Join(err, gerr) != nil {
				t.Fatalf("%s: %v", name, errors.Join(err, gerr))
			}
			got.Modelfile, got.Parameters, want.Modelfile, want.Parameters = "", "", "", "" // in a new order each time
			if g, w := asJSON(t, got), asJSON(t, want); g != w || len(got.Capabilities) == 0 {
				t.Errorf("%s: %s\nwant %s", name, g, w)
			}
		}
		var refused api.StatusError
		if _, err := own.Show(t.Context(), &api.ShowRequest{Model: "absent"}); !errors.As(err, &refused) || refused.StatusCode != 404 || refused.ErrorMessage != "model 'absent' not found" {
			t.Errorf("%#v", err)
		}
	})
	for _, stream := range []bool{false, true} {
		for _, name := range []string{"tiny", "tiny:latest", "ollama/tiny"} {
			got, err := chatWith(t, stranger, question(name), stream)
			if err != nil || got.text != proxytest.TinyText || got.done != "stop" || got.metrics.EvalCount == 0 || stream != (got.pieces > 1) {
				t.Errorf("%s, stream %v: %+v, %v", name, stream, got, err)
			}
			row := h.last()
			if row.Inbound != "ollama" || row.Asked != name || row.Provider != "ollama" || strings.TrimSuffix(row.Model, ":latest") != "tiny" || row.Streamed != stream || row.Tool != "unknown" || row.Usage.Output != int64(got.metrics.EvalCount) || row.CostPico == nil || *row.CostPico != 0 {
				t.Errorf("row %+v", row)
			}
		}
		got, err := generateWith(t, own, &api.GenerateRequest{Model: "tiny", Prompt: "hi", Options: map[string]any{"num_predict": 4}}, stream)
		if err != nil || !strings.HasPrefix(proxytest.TinyText, got.text) || got.text == "" || got.done != "length" || got.metrics.EvalCount != 4 {
			t.Errorf("generate, stream %v: %+v, %v", stream, got, err)
		}
		if row := h.last(); row.Usage.Output != 4 || row.Usage.Input != int64(got.metrics.PromptEvalCount) || row.Status != ledger.StatusOK {
			t.Errorf("row %+v", row)
		}
		if got, err = generateWith(t, stranger, &api.GenerateRequest{Model: "tiny-think", Prompt: "hi"}, stream); err != nil || got.text != proxytest.TinyConclusion || got.thinking != proxytest.TinyThought {
			t.Errorf("generate with thought, stream %v: %+v, %v", stream, got, err)
		}
		ask := question("tiny") // H3, H5
		ask.Messages = append([]api.Message{{Role: "system", Content: proxytest.TinySystemBoth}}, ask.Messages...)
		ask.Tools = apiTools(proxytest.TinyTool, proxytest.TinySecondTool)
		got, err = chatWith(t, own, ask, stream)
		if err != nil || len(got.calls) != 2 || got.calls[0].Function.Arguments.String() != proxytest.TinyToolArguments || got.calls[1].Function.Index == got.calls[0].Function.Index {
			t.Errorf("tools, stream %v: %+v, %v", stream, got, err)
		}
		load, err := chatWith(t, stranger, &api.ChatRequest{Model: "tiny"}, stream)
		if err != nil || load.done != "load" || load.pieces != 1 {
			t.Errorf("load: %+v, %v", load, err)
		}
		load, err = generateWith(t, stranger, &api.GenerateRequest{Model: "tiny", KeepAlive: &api.Duration{}}, stream)
		if err != nil || load.done != "unload" {
			t.Errorf("unload: %+v, %v", load, err)
		}
		if row := h.last(); row.Status != ledger.StatusOK || row.CostPico == nil || *row.CostPico != 0 || row.Usage.Output != 0 {
			t.Errorf("row of an unload %+v", row)
		}
	}
	t.Run("bytes", func(t *testing.T) { // promise 2
		for _, body := range []string{
			`{"model":"tiny:latest","stream":true}`, `{"stream" : true, "model":"tiny:latest","messages":[],"keep_alive":0}`,
			`{"model":"tiny:latest","messages":[{"role":"user","content":"q"}],"think":true}`,
			`{"model":"tiny:latest","messages":[{"role":"user","content":"q"}],"stream":false}`,
		} {
			got := h.do("POST", "/api/chat", body)
			resp, err := http.Post(server.URL+"/api/chat", "application/json", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			want, err := io.ReadAll(resp.Body)
			if err := errors.Join(err, resp.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if got.status != resp.StatusCode || got.header.Get("Content-Type") != resp.Header.Get("Content-Type") || untimed(got.body) != untimed(string(want)) {
				t.Errorf("%s\n%d %s %s\nwant %d %s %s", body, got.status, got.header, got.body, resp.StatusCode, resp.Header, want)
			}
		}
	})
	t.Run("running", func(t *testing.T) {
		if _, err := chatWith(t, stranger, question("tiny"), false); err != nil {
			t.Fatal(err)
		}
		if got, err := stranger.ListRunning(t.Context()); err != nil || len(got.Models) == 0 || got.Models[0].Name == "" {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("changes", func(t *testing.T) {
		var refused api.StatusError
		var steps []string // of the last creation
		for _, c := range []func(*api.Client) error{
			func(c *api.Client) error {
				return c.Copy(t.Context(), &api.CopyRequest{Source: "tiny", Destination: "twin"})
			},
			func(c *api.Client) error {
				return c.Create(t.Context(), &api.CreateRequest{Model: "terse", From: "tiny", System: "Be terse."}, func(p api.ProgressResponse) error {
					steps = append(steps, p.Status)
					return nil
				})
			},
		} {
			if err := c(stranger); !errors.As(err, &refused) || refused.StatusCode != 403 || !strings.Contains(refused.ErrorMessage, "keytray token") {
				t.Errorf("a stranger: %#v", err)
			}
			if err := c(own); err != nil {
				t.Error(err)
			}
		}
		if len(steps) == 0 || steps[len(steps)-1] != "success" { // the client takes a cut answer for a whole one
			t.Errorf("creating said %q", steps)
		}
		for _, name := range []string{"twin", "terse"} { // at once
			if got, err := chatWith(t, own, question(name), false); err != nil || got.text != proxytest.TinyText {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if err := own.Delete(t.Context(), &api.DeleteRequest{Model: name}); err != nil {
				t.Errorf("delete %s: %v", name, err)
			}
			if _, err := chatWith(t, own, question(name), false); !errors.As(err, &refused) || refused.StatusCode != 404 {
				t.Errorf("%s deleted: %v", name, err)
			}
		}
		if err := own.CreateBlob(t.Context(), "sha256:"+strings.Repeat("0", 64), strings.NewReader(strings.Repeat("blob", 1<<18))); !errors.As(err, &refused) || !strings.Contains(refused.ErrorMessage, "digest") {
			t.Errorf("a blob of another digest: %v", err)
		}
		const empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		if err := own.CreateBlob(t.Context(), empty, strings.NewReader("")); err != nil {
			t.Error(err)
		}
		if r := h.do("HEAD", "/api/blobs/"+empty, ""); r.status != 200 {
			t.Errorf("the blob is not there: %d", r.status)
		}
	})
}

var times = regexp.MustCompile(`"(created_at":"[^"]*"|[a-z_]+_duration":\d+)`)

// untimed is an answer without what differs each time.
func untimed(body string) string { return times.ReplaceAllString(body, "") }

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
