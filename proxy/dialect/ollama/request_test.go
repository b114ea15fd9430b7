package ollama_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
)

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func image(data, url string) llm.Block {
	return llm.Block{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: data, URL: url}}
}

func TestMessages(t *testing.T) {
	call := func(id, args string) llm.Block {
		return llm.Block{Kind: llm.ToolCall, ID: id, Name: "f", Text: args}
	}
	result := func(id string, content ...llm.Block) llm.Block {
		return llm.Block{Kind: llm.ToolResult, ID: id, Content: content}
	}
	for _, c := range []struct {
		name  string
		flags llm.Flags
		p     llm.Prompt
		want  string
		lost  string
	}{
		{
			name: "A1 leading instructions are one message, later ones stay in place",
			p: llm.Prompt{
				System:   []llm.Block{{Text: "a"}, {Text: ""}, {Text: "b"}},
				Messages: []llm.Message{user("q"), turn(llm.System, llm.Block{Text: "c"}), user("r")},
			},
			want: `[{"content":"a\n\nb","role":"system"},{"content":"q","role":"user"},{"content":"c","role":"system"},{"content":"r","role":"user"}]`,
		},
		{
			name: "A10 empty text is left out, and so is a message of nothing else",
			p:    llm.Prompt{Messages: []llm.Message{turn(llm.User, llm.Block{}, llm.Block{Text: "q"}), turn(llm.Assistant, llm.Block{}), user("r")}},
			want: `[{"content":"q","role":"user"},{"content":"r","role":"user"}]`,
		},
		{
			name: "A13 broken and absent arguments of earlier calls are an empty object",
			p:    llm.Prompt{Messages: []llm.Message{turn(llm.Assistant, call("1", ""), call("2", `{"a":`), call("3", `[1]`), call("4", "null"), call("5", `{"b": 1.0}`))}},
			want: `[{"content":"","role":"assistant","tool_calls":[` +
				`{"function":{"arguments":{},"index":0,"name":"f"},"id":"1"},{"function":{"arguments":{},"index":1,"name":"f"},"id":"2"},` +
				`{"function":{"arguments":{},"index":2,"name":"f"},"id":"3"},{"function":{"arguments":{},"index":3,"name":"f"},"id":"4"},` +
				`{"function":{"arguments":{"b":1},"index":4,"name":"f"},"id":"5"}]}]`,
			lost: "messages: the arguments of an earlier tool call are not a JSON object",
		},
		{
			name: "C2 a result without content is an empty string",
			p:    llm.Prompt{Messages: []llm.Message{turn(llm.Assistant, call("1", "{}")), turn(llm.User, result("1"))}},
			want: `[{"content":"","role":"assistant","tool_calls":[{"function":{"arguments":{},"index":0,"name":"f"},"id":"1"}]},` +
				`{"content":"","role":"tool","tool_call_id":"1","tool_name":"f"}]`,
		},
		{
			name: "H6 results are messages of their own, before the user's text",
			p: llm.Prompt{Messages: []llm.Message{turn(
				llm.User, llm.Block{Text: "go on"}, result("7", llm.Block{Text: "a"}, llm.Block{Text: "b"}, image(png, "")),
			)}},
			want: `[{"content":"a\nb","images":["` + png + `"],"role":"tool","tool_call_id":"7"},{"content":"go on","role":"user"}]`,
		},
		{
			name:  "C3 an image of a tool, for a model that sees none, is named in the text",
			flags: llm.Flags{llm.FlagNoVision},
			p:     llm.Prompt{Messages: []llm.Message{turn(llm.User, result("7", llm.Block{Text: "a"}, image(png, "")))}},
			want:  `[{"content":"a\n[image: left out, this model sees none]","role":"tool","tool_call_id":"7"}]`,
			lost:  "messages: images in tool results: this model sees none",
		},
		{
			name:  "thoughts of others go along as text where they are wanted; hidden ones do not",
			flags: llm.Flags{llm.FlagReasoningHistory},
			p: llm.Prompt{Messages: []llm.Message{turn(
				llm.Assistant,
				llm.Block{Kind: llm.Thinking, Text: "hm", Opaque: "c2ln", Origin: "messages"}, llm.Block{Kind: llm.Redacted, Opaque: "c2Vj", Origin: "messages"}, llm.Block{Text: "a"},
			)}},
			want: `[{"content":"a","role":"assistant","thinking":"hm"}]`,
			lost: "redacted thinking of another provider",
		},
		{
			name: "thoughts of others do not go along; those of Ollama do",
			p: llm.Prompt{Messages: []llm.Message{
				turn(llm.Assistant, llm.Block{Kind: llm.Thinking, Text: "hm", Origin: "messages:anthropic"}, llm.Block{Text: "a"}),
				turn(llm.Assistant, llm.Block{Kind: llm.Thinking, Text: "mine", Origin: "ollama"}, llm.Block{Text: "b"}),
			}},
			want: `[{"content":"a","role":"assistant"},{"content":"b","role":"assistant","thinking":"mine"}]`,
			lost: "reasoning of earlier turns",
		},
		{
			name: "a text document is its text",
			p:    llm.Prompt{Messages: []llm.Message{turn(llm.User, llm.Block{Kind: llm.Document, Media: llm.Media{Type: "text/plain", Data: "w6k="}}, llm.Block{Text: "?"})}},
			want: `[{"content":"é\n?","role":"user"}]`,
		},
		{
			name: "what has no field is named",
			p: llm.Prompt{
				System: []llm.Block{{Text: "s", Cache: "5m"}},
				Messages: []llm.Message{
					{Role: llm.User, Name: "Ada", Blocks: []llm.Block{{Kind: llm.Image, Media: llm.Media{Data: png, Detail: "high"}}}},
					turn(llm.User, llm.Block{Kind: llm.ToolResult, ID: "7", Failed: true, Content: []llm.Block{{Text: "no"}}}),
				},
			},
			want: `[{"content":"s","role":"system"},{"content":"","images":["` + png + `"],"role":"user"},{"content":"no","role":"tool","tool_call_id":"7"}]`,
			lost: "cache_control, messages: name, image_url.detail, tool_result.is_error",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := model(c.flags...)
			if got := at(encode(t, call, &c.p), "messages"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := strings.Join(call.Lost, ", "); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name  string
		p     llm.Prompt
		field string
		want  string
		lost  string
	}{
		{"nothing asked for", llm.Prompt{}, "options", "none", ""},
		{"A25 zeros are kept", llm.Prompt{Limits: llm.Limits{Temperature: ptr(0.0), TopP: ptr(0.0), Seed: ptr(int64(0)), TopK: ptr(0)}}, "options", `{"seed":0,"temperature":0,"top_k":0,"top_p":0}`, ""},
		{"H7 max_tokens", llm.Prompt{Limits: llm.Limits{MaxTokens: ptr(7)}}, "options", `{"num_predict":7}`, ""},
		{"the rest", llm.Prompt{Limits: llm.Limits{Stop: []string{"a", "b"}, FrequencyPenalty: ptr(0.5), PresencePenalty: ptr(-1.0)}}, "options", `{"frequency_penalty":0.5,"presence_penalty":-1,"stop":["a","b"]}`, ""},
		{"JSON", llm.Prompt{Format: llm.Format{Kind: llm.FormatJSON}}, "format", `"json"`, ""},
		{"a schema", llm.Prompt{Format: llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(` {"type": "object"} `)}}, "format", `{"type":"object"}`, ""},
		{"a schema that is none", llm.Prompt{Format: llm.Format{Kind: llm.FormatSchema}}, "format", `"json"`, ""},
		{"user and tier", llm.Prompt{User: "ada", Tier: "flex"}, "options", "none", "user, service_tier: flex"},
		{"the tier that everybody has", llm.Prompt{Tier: "auto"}, "options", "none", ""},
		{"what was lost before", llm.Prompt{Lost: []string{"logit_bias"}}, "options", "none", "logit_bias"},
		{"hints", llm.Prompt{CacheKey: "k", Verbosity: "low"}, "options", "none", "prompt_cache_key, verbosity"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := model()
			c.p.Messages = []llm.Message{user("q")}
			if got := at(encode(t, call, &c.p), c.field); got != c.want {
				t.Errorf("%s is %s, want %s", c.field, got, c.want)
			}
			if got := strings.Join(call.Lost, ", "); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
		})
	}
}

// TestRefused holds what must not be sent in another meaning. C18, K6.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		flags llm.Flags
		p     llm.Prompt
		param string
		says  string
	}{
		{"nothing said", nil, llm.Prompt{Messages: []llm.Message{user("")}}, "messages", "says nothing"},
		{"K6 a URL is not fetched", nil, llm.Prompt{Messages: []llm.Message{turn(llm.User, image("", "http://169.254.169.254/latest"))}}, "messages", "data URL"},
		{"K6 nor one in a tool result", nil, llm.Prompt{Messages: []llm.Message{turn(llm.User, llm.Block{Kind: llm.ToolResult, ID: "1", Content: []llm.Block{image("", "http://127.0.0.1/a.png")}})}}, "messages", "data URL"},
		{"an image for a blind model", llm.Flags{llm.FlagNoVision}, llm.Prompt{Messages: []llm.Message{turn(llm.User, image(png, ""))}}, "messages", "cannot see images"},
		{"C18 a PDF", nil, llm.Prompt{Messages: []llm.Message{turn(llm.User, llm.Block{Kind: llm.Document, Media: llm.Media{Type: "application/pdf", Data: "JVBERg=="}})}}, "messages", "application/pdf"},
		{"a sound", nil, llm.Prompt{Messages: []llm.Message{turn(llm.User, llm.Block{Kind: llm.Audio, Media: llm.Media{Data: "AA=="}})}}, "messages", "no sound"},
		{"a limit of nothing", nil, llm.Prompt{Messages: []llm.Message{user("q")}, Limits: llm.Limits{MaxTokens: ptr(0)}}, "max_tokens", "1 or more"},
		{"a schema that is no object", nil, llm.Prompt{Messages: []llm.Message{user("q")}, Format: llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(`true`)}}, "response_format", "JSON object"},
		{"parameters that are no object", nil, llm.Prompt{Messages: []llm.Message{user("q")}, Tools: []llm.Tool{{Name: "f", Schema: json.RawMessage(`[]`)}}}, "tools", "tool f"},
		{"a call forced on a model that makes none", llm.Flags{llm.FlagNoTools}, llm.Prompt{Messages: []llm.Message{user("q")}, Tools: []llm.Tool{{Name: "f"}}, Choice: llm.Choice{Mode: llm.ChooseAny}}, "tool_choice", "calls no tools"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := out.EncodeRequest(model(c.flags...), &c.p)
			var e *llm.Error
			if !errors.As(err, &e) {
				t.Fatalf("sent %s, error %v", b, err)
			}
			if e.Kind != llm.BadRequest || e.HTTPStatus() != 400 || e.Param != c.param || !strings.Contains(e.Message, c.says) {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestPatch(t *testing.T) {
	raw := []byte(`{"x":1,"model": "a","messages":[]}`)
	at := bytes.Index(raw, []byte(`"a"`))
	pieces, err := out.Patch(model(), &llm.Request{Raw: raw, Peek: llm.Peek{ModelAt: [2]int{at, at + 3}}})
	if got := string(bytes.Join(pieces, nil)); err != nil || got != `{"x":1,"model": "qwen3:8b","messages":[]}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := out.Patch(model(), &llm.Request{Raw: []byte(`{}`)}); err == nil {
		t.Error("a body without a model was patched")
	}
	if got := out.URL(&llm.Call{}, "http://127.0.0.1:11434"); got != "http://127.0.0.1:11434/api/chat" || out.Framing(nil) != llm.NDJSON || out.Name() != "ollama" {
		t.Errorf("URL %s, framing %v", got, out.Framing(nil))
	}
}

// TestServerReads gives every conversation's request to Ollama's own types:
// it is read without an unknown field, and nothing is lost on the way.
func TestServerReads(t *testing.T) {
	files, err := filepath.Glob("../testdata/*/ollama.request.json")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d requests, %v", len(files), err)
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]any
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		dropUnread(want)
		known, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var r api.ChatRequest
		d := json.NewDecoder(bytes.NewReader(known))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		var o api.Options
		if err := o.FromMap(r.Options); err != nil {
			t.Errorf("%s: %v", f, err)
		}
		again, err := json.Marshal(r) // messages are read by a method of their own, which lets unknown fields pass
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatal(err)
		}
		if got["options"] == nil {
			delete(got, "options") // written as null by these types
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: the server reads\n%s\nof\n%s", f, again, body)
		}
	}
}

// dropUnread takes out what JSON Schema has and api.Tool has not; format and
// arguments are kept whole by the server.
func dropUnread(request map[string]any) {
	tools, _ := request["tools"].([]any)
	for _, t := range tools {
		delete(t.(map[string]any)["function"].(map[string]any)["parameters"].(map[string]any), "additionalProperties")
	}
}
