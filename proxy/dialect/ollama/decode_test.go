package ollama_test

import (
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// asks is a client's call of a path, peeked at.
func asks(t testing.TB, path, body string) *llm.Request {
	t.Helper()
	peek, err := out.Peek(httptest.NewRequest("POST", path, nil), []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return &llm.Request{ID: "r1", Inbound: out, Raw: []byte(body), Peek: peek}
}

// chatWith is a chat request with more fields, generateWith a generate one.
func chatWith(more string) string {
	return `{"model":"m","messages":[{"role":"user","content":"q"}],` + more + `}`
}

func generateWith(more string) string { return `{"model":"m","prompt":"q",` + more + `}` }

func TestPeek(t *testing.T) {
	for _, c := range []struct {
		path, body string
		want       llm.Peek
	}{
		{"/api/chat", chatWith(`"x":1`), llm.Peek{Model: "m", Stream: true}},
		{"/api/chat", chatWith(`"stream":null`), llm.Peek{Model: "m", Stream: true}},
		{"/api/chat", chatWith(`"stream":false`), llm.Peek{Model: "m"}},
		{"/api/generate", generateWith(`"stream":true`), llm.Peek{Model: "m", Stream: true, Form: ollama.Generate}},
		{"/api/chat", `{"\u006dodel":"a\/b", "messages":[{}]}`, llm.Peek{Model: "a/b", Stream: true}},
		// A load is answered whole, whatever is asked for.
		{"/api/chat", `{"model":"m","stream":true}`, llm.Peek{Model: "m"}},
		{"/api/chat", `{"model":"m","messages":[ ]}`, llm.Peek{Model: "m"}},
		{"/api/generate", `{"model":"m","prompt":"","messages":[{}]}`, llm.Peek{Model: "m", Form: ollama.Generate}},
	} {
		got := asks(t, c.path, c.body).Peek
		if name := c.body[got.ModelAt[0]:got.ModelAt[1]]; name != `"m"` && name != `"a\/b"` {
			t.Errorf("%s: the model is at %q", c.body, name)
		}
		c.want.ModelAt, c.want.IncludeUsage, c.want.Outline = got.ModelAt, true, got.Outline
		if got != c.want || got.Outline == nil {
			t.Errorf("%s %s: %+v, want %+v", c.path, c.body, got, c.want)
		}
	}
	for body, says := range map[string]string{
		``: "missing request body", `[]`: "must be a JSON object", `{"model":"m"`: "cut off after 12 bytes", `{"model":"m",}`: "not JSON",
		`{"messages":[]}`: "model is required", `{"model":"","messages":[]}`: "model is required", `{"model":7}`: "model must be a string, not a number",
		`{"model":"a","model":"b"}`: "model is given twice", `{"model":"m","stream":"yes"}`: "stream must be true or false, not a string",
	} {
		_, err := out.Peek(httptest.NewRequest("POST", "/api/chat", nil), []byte(body))
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || !strings.Contains(e.Message, says) {
			t.Errorf("%s: %v, want %q", body, err, says)
		}
	}
}

func TestLoads(t *testing.T) {
	for _, c := range []struct {
		path, body string
		want       llm.Why
	}{
		{"/api/chat", `{"model":"m"}`, "load"},
		{"/api/chat", `{"model":"m","messages":[]}`, "load"},
		{"/api/chat", `{"model":"m","messages":null,"keep_alive":"5m"}`, "load"},
		{"/api/chat", `{"model":"m","messages":[],"keep_alive":0}`, "unload"},
		{"/api/generate", `{"model":"m","keep_alive":"0s"}`, "unload"},
		{"/api/generate", `{"keep_alive":0.0,"model":"m","prompt":""}`, "unload"},
		{"/api/generate", `{"model":"m","keep_alive":-1}`, "load"},
		{"/api/chat", chatWith(`"keep_alive":0`), ""},
		{"/api/generate", generateWith(`"keep_alive":0`), ""},
	} {
		if why, ok := ollama.Loads(asks(t, c.path, c.body)); ok != (c.want != "") || ok && why != c.want {
			t.Errorf("%s %s: %q, %v", c.path, c.body, why, ok)
		}
	}
	if _, ok := ollama.Loads(&llm.Request{Raw: []byte(`{}`)}); ok {
		t.Error("a request of no dialect loads")
	}
}

// TestLost decodes fields that a prompt cannot hold: each is named, and one
// that asks for nothing is not.
func TestLost(t *testing.T) {
	for body, want := range map[string]string{
		chatWith(`"keep_alive":"30m"`):                                                                         "keep_alive: this model is not in Ollama's memory",
		chatWith(`"truncate":true,"shift":true`):                                                               "",
		chatWith(`"truncate":false,"shift":false`):                                                             "truncate shift",
		chatWith(`"logprobs":true,"top_logprobs":3`):                                                           "logprobs top_logprobs",
		chatWith(`"logprobs":false,"top_logprobs":0`):                                                          "",
		chatWith(`"future":{"x":1},"other":null`):                                                              "future",
		chatWith(`"_debug_render_only":false`):                                                                 "",
		chatWith(`"options":{"num_ctx":4096,"num_gpu":1}`):                                                     "options.num_ctx options.num_gpu",
		chatWith(`"options":{"repeat_penalty":1.1,"min_p":0.05,"typical_p":0.9,"tfs_z":2,"repeat_last_n":64}`): "options.repeat_penalty options.min_p options.typical_p options.tfs_z options.repeat_last_n",
		chatWith(`"options":{"repeat_penalty":1,"min_p":0.0,"typical_p":1.0,"tfs_z":1,"num_ctx":null}`):        "",
		chatWith(`"options":{"num_predict":-1,"top_k":0,"seed":-1}`):                                           "",
		generateWith(`"template":"{{ .Prompt }}","suffix":"","raw":false,"context":[],"width":0`):              "template: this model has its own",
		generateWith(`"width":512,"steps":4`):                                                                  "width steps",
		`{"model":"m","messages":[{"role":"user","content":"q","mood":"good"}]}`:                               "messages: mood",
		chatWith(`"tools":[{"type":"function","items":1,"function":{"name":"f","returns":{}}}]`):               "tools: returns",
	} {
		path := "/api/chat"
		if strings.Contains(body, "prompt\"") {
			path = "/api/generate"
		}
		p, err := out.DecodeRequest(asks(t, path, body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := strings.Join(p.Lost, " "); got != want {
			t.Errorf("%s\nlost %q, want %q", body, got, want)
		}
		if l := p.Limits; l.MaxTokens != nil || l.TopK != nil || l.Seed != nil {
			t.Errorf("%s: limits %+v", body, l)
		}
	}
}

func TestDecodeRequestRefuses(t *testing.T) {
	for body, param := range map[string]string{
		generateWith(`"suffix":"end"`):                                  "suffix",
		generateWith(`"raw":true`):                                      "raw",
		generateWith(`"context":[1,2]`):                                 "context",
		generateWith(`"_debug_render_only":true`):                       "_debug_render_only",
		generateWith(`"images":["aGVsbG8gdGhlcmU="]`):                   "images[0]",
		generateWith(`"images":"x"`):                                    "images",
		generateWith(`"system":7`):                                      "system",
		chatWith(`"format":"xml"`):                                      "format",
		chatWith(`"format":7`):                                          "format",
		chatWith(`"think":"deeply"`):                                    "think",
		chatWith(`"options":[]`):                                        "options",
		chatWith(`"options":{"temperature":"hot"}`):                     "options.temperature",
		chatWith(`"options":{"num_predict":"9"}`):                       "options.num_predict",
		chatWith(`"options":{"stop":[1]}`):                              "options.stop[0]",
		chatWith(`"options":{"min_p":"x"}`):                             "options.min_p",
		chatWith(`"tools":{}`):                                          "tools",
		chatWith(`"tools":[{"type":"web_search"}]`):                     "tools[0].type",
		chatWith(`"tools":[{"function":{}}]`):                           "tools[0].function.name",
		chatWith(`"tools":[{"function":{"name":"f","parameters":[]}}]`): "tools[0].function.parameters",
		`{"model":"m","messages":[{"role":"robot","content":"q"}]}`:     "messages[0].role",
		`{"model":"m","messages":[{"role":"user","content":[]}]}`:       "messages[0].content",
		`{"model":"m","messages":[{"role":"user","content":"q"},{"role":"tool","content":"x"}]}`:                          "messages[1]",
		`{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":[1]}}]}]}`:        "messages[0].tool_calls[0].function.arguments",
		`{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"not json"}}]}]}`: "messages[0].tool_calls[0].function.arguments",
		`{"model":"m","messages":[{"role":"assistant","tool_calls":[{"function":{"arguments":{}}}]}]}`:                    "messages[0].tool_calls[0].function.name",
		`{"model":"m","messages":[]}`:           "messages",
		`{"model":"m","prompt":"","system":""}`: "prompt",
	} {
		path := "/api/chat"
		if strings.Contains(body, "prompt\"") {
			path = "/api/generate"
		}
		_, err := out.DecodeRequest(asks(t, path, body))
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != param || e.Message == "" {
			t.Errorf("%s: %v, want a refusal that names %s", body, err, param)
		}
	}
	if _, err := out.DecodeRequest(&llm.Request{Raw: []byte(`{"model":"m","messages":[x]}`)}); llm.AsError(err).Kind != llm.BadRequest {
		t.Errorf("no JSON: %v", err)
	}
}

func TestDecodeGenerate(t *testing.T) {
	p, err := out.DecodeRequest(asks(t, "/api/generate", `{"model":"m","prompt":"What is it?","system":"Be brief.","images":["data:image/png;base64,`+png+`"],
		"format":{"type":"object"},"think":"high","options":{"num_predict":7.0,"temperature":0,"top_k":3,"seed":0,"stop":"END"}}`))
	if err != nil {
		t.Fatal(err)
	}
	l := p.Limits
	if len(p.System) != 1 || p.System[0].Text != "Be brief." || len(p.Messages) != 1 || p.Messages[0].Role != llm.User ||
		*l.MaxTokens != 7 || *l.Temperature != 0 || *l.TopK != 3 || *l.Seed != 0 || !slices.Equal(l.Stop, []string{"END"}) || // H7, A25
		p.Format.Kind != llm.FormatSchema || string(p.Format.Schema) != `{"type":"object"}` || p.Reasoning.Effort != "high" || p.Reasoning.Show != "auto" || len(p.Lost) != 0 {
		t.Errorf("%+v", p)
	}
	if b := p.Messages[0].Blocks; len(b) != 2 || b[0].Text != "What is it?" || b[1].Kind != llm.Image || b[1].Media.Type != "image/png" || b[1].Media.Data != png {
		t.Errorf("%+v", b)
	}
	// Only a template of Ollama's could take a picture with no words.
	if p, err := out.DecodeRequest(asks(t, "/api/generate", `{"model":"m","prompt":"","images":["`+png+`"]}`)); err != nil || len(p.Messages[0].Blocks) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestDecodeThink(t *testing.T) {
	for think, want := range map[string]string{"true": " -1 auto", "false": " 0 ", `"low"`: "low nil auto", `"none"`: " 0 ", `""`: " nil ", "null": " nil "} {
		p, err := out.DecodeRequest(asks(t, "/api/chat", chatWith(`"think":`+think)))
		if err != nil {
			t.Fatal(err)
		}
		budget := "nil"
		if b := p.Reasoning.Budget; b != nil {
			budget = map[int]string{-1: "-1", 0: "0"}[*b]
		}
		if got := p.Reasoning.Effort + " " + budget + " " + p.Reasoning.Show; got != want {
			t.Errorf("think %s: %q, want %q", think, got, want)
		}
	}
}

// TestDecodeToolHistory has calls and results without ids, as most clients
// send them: results find their calls by name, else in order. H3, H6, A17
func TestDecodeToolHistory(t *testing.T) {
	body := `{"model":"m","messages":[
		{"role":"SYSTEM","content":"s"},{"role":"user","content":"q"},
		{"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"a","arguments":{"x": 1,
			"y":"z"}}},{"id":"own","function":{"name":"b"}},{"function":{"name":"a","arguments":"{\"x\":2}"}}]},
		{"role":"tool","content":"of b","tool_name":"b"},{"role":"tool","content":"of a","tool_name":"a"},{"role":"tool","content":"of the other a","images":["` + png + `"]},
		{"role":"assistant","content":"","tool_calls":[{"function":{"name":"a","arguments":{}}}]},{"role":"tool","tool_name":"a","content":""}]}`
	p, err := out.DecodeRequest(asks(t, "/api/chat", body))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ids := map[string]string{}
	for _, m := range p.Messages {
		for _, b := range m.Blocks {
			switch b.Kind {
			case llm.ToolCall:
				if _, twice := ids[b.ID]; twice || b.ID == "" {
					t.Errorf("call %+v", b)
				}
				ids[b.ID] = b.Name + b.Text
			case llm.ToolResult:
				text := ""
				for _, c := range b.Content {
					text += c.Text + c.Media.Type
				}
				got = append(got, ids[b.ID]+" "+b.Name+": "+text)
			}
		}
	}
	want := []string{`b{} b: of b`, `a{"x":1,"y":"z"} a: of a`, `a{"x":2} a: of the other aimage/png`, `a{} a: `}
	if !slices.Equal(got, want) || len(p.System) != 1 || len(p.Lost) != 0 {
		t.Errorf("%q\nwant %q; %+v", got, want, p)
	}
	again, err := out.DecodeRequest(asks(t, "/api/chat", body))
	if err != nil || again.Messages[1].Blocks[1].ID != p.Messages[1].Blocks[1].ID {
		t.Errorf("an id of our own is another the second time: %v", err)
	}
}
