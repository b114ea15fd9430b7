package responses_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/dialect/responses"
	"keytray/proxy/llm"
)

// codex is a request in the form of Codex 0.169: a later turn, after one call.
const codex = `{"model":"test-model","instructions":"You are Codex.","input":[
	{"type":"message","id":"msg_in_1","role":"developer","content":[{"type":"input_text","text":"<permissions>"},{"type":"input_text","text":"<skills>"}]},
	{"type":"message","id":"msg_in_2","role":"user","content":[{"type":"input_text","text":"<environment_context>"}]},
	{"type":"message","id":"msg_in_3","role":"user","content":[{"type":"input_text","text":"What changed?"}]},
	{"type":"reasoning","id":"rs_1","summary":[],"content":null,"encrypted_content":null},
	{"type":"function_call","id":"fc_1","name":"log","namespace":"mcp__git","arguments":"{\"n\":1}","call_id":"call_1"},
	{"type":"function_call_output","id":"fco_1","call_id":"call_1","output":"one commit"}],
	"tools":[{"type":"function","name":"shell","description":"Runs a command","strict":false,"parameters":{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"}}},"required":["command"]}},
	{"type":"custom","name":"apply_patch","description":"Edits files","format":{"type":"grammar","syntax":"lark","definition":"start: patch"}},
	{"type":"namespace","name":"mcp__git","description":"Git","tools":[{"type":"function","name":"log","description":"History","strict":false,"parameters":{"type":"object","properties":{"n":{"type":"integer"}}}}]},
	{"type":"web_search","external_web_access":false}],
	"tool_choice":"auto","parallel_tool_calls":false,"reasoning":{"effort":"medium","summary":"auto"},"store":false,"stream":true,
	"include":["reasoning.encrypted_content"],"prompt_cache_key":"0198","text":{"verbosity":"low"},"client_metadata":{"x-codex":"1"}}`

func outbounds() []llm.Outbound {
	return []llm.Outbound{chat.Dialect{}, messages.Dialect{}, gemini.Dialect{}, ollama.Dialect{}, responses.Dialect{}}
}

// Every kind of provider can be asked what Codex asks, and Codex reads the
// answer: its call goes back to the namespace that it knows (F8).
func TestCodex(t *testing.T) {
	in := responses.Dialect{}
	peek, err := in.Peek(httptest.NewRequest("POST", "/v1/responses", nil), []byte(codex))
	if err != nil || !peek.Stream {
		t.Fatal(err)
	}
	r := &llm.Request{ID: "kt-1", Inbound: in, Raw: []byte(codex), Peek: peek}
	p, err := r.Prompt()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.System) != 3 || len(p.Messages) != 4 || p.CacheKey != "0198" {
		t.Fatalf("%+v", p)
	}
	for _, out := range outbounds() {
		t.Run(out.Name(), func(t *testing.T) {
			c := &llm.Call{Model: llm.Model{Provider: "test", Name: "m", Flags: llm.Flags{llm.FlagReasoning}}, Stream: true}
			b, err := out.EncodeRequest(c, p)
			if err != nil || !json.Valid(b) {
				t.Fatalf("%v\n%s", err, b)
			}
			for _, want := range []string{"You are Codex.", "<skills>", "What changed?", `"mcp__git__log"`, "one commit", `"apply_patch"`} {
				if !strings.Contains(string(b), want) {
					t.Errorf("no %s in %s", want, b)
				}
			}
			for _, not := range []string{"client_metadata", "msg_in_1", "rs_1", "namespace\""} {
				if strings.Contains(string(b), not) {
					t.Errorf("%s in %s", not, b)
				}
			}
			if lost := strings.Join(c.Lost, "|"); !strings.Contains(lost, "client_metadata") {
				t.Errorf("lost %s", lost)
			}

			// The provider of the conversation "tools" calls get_weather: the
			// same answer, with the function that Codex knows.
			name := out.Name() + ".answer.sse"
			if out.Framing(c) == llm.NDJSON {
				name = out.Name() + ".answer.ndjson"
			}
			body, err := os.ReadFile(filepath.Join("..", "testdata", "tools", name))
			if err != nil {
				t.Fatal(err)
			}
			body = bytes.ReplaceAll(body, []byte(`"get_weather"`), []byte(`"mcp__git__log"`))
			var answer bytes.Buffer
			if err := in.EncodeResponse(&answer, r, out.DecodeResponse(c, bytes.NewReader(body))); err != nil {
				t.Fatal(err)
			}
			last := answer.String()[strings.LastIndex(answer.String(), "event: "):]
			if !strings.HasPrefix(last, "event: response.completed\n") || !strings.Contains(last, `"name":"log","namespace":"mcp__git","arguments":"{\"city\":`) {
				t.Errorf("%s", last)
			}
		})
	}
}

// A conversation whose earlier turns another provider made goes to any other:
// its thinking stays behind and is reported, and nothing is refused (F10).
func TestThinkingStaysBehind(t *testing.T) {
	for _, secret := range []string{"gAAAAABfromOpenAI", llm.Seal("messages:anthropic", "sig"), llm.Seal("gemini:google", "c2ln")} {
		body := `{"model":"m","input":[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"private"}],"encrypted_content":"` + secret + `"},{"type":"message","role":"assistant","content":"b"},{"role":"user","content":"c"}]}`
		p, err := responses.Dialect{}.DecodeRequest(&llm.Request{Raw: []byte(body)})
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range outbounds() {
			c := &llm.Call{Model: llm.Model{Provider: "other", Name: "m"}, Foreign: func(string) bool { return true }}
			b, err := out.EncodeRequest(c, p)
			if out.Name() == "ollama" { // tells its models all that was thought, in plain text
				continue
			}
			if err != nil || strings.Contains(string(b), "private") || strings.Contains(string(b), secret) || strings.Contains(string(b), `"sig"`) || len(c.Lost) != 1 {
				t.Errorf("%s of %s: %v, lost %q\n%s", secret, out.Name(), err, c.Lost, b)
			}
		}
	}
	// The provider that made it gets it back, signed (F9).
	body := `{"input":[{"type":"reasoning","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"` + llm.Seal("messages:anthropic", "c2ln") + `"},{"type":"message","role":"assistant","content":"b"},{"role":"user","content":"c"}]}`
	p, err := responses.Dialect{}.DecodeRequest(&llm.Request{Raw: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	c := &llm.Call{Model: llm.Model{Provider: "anthropic", Name: "m"}}
	if b, err := (messages.Dialect{}).EncodeRequest(c, p); err != nil || !strings.Contains(string(b), `"signature":"c2ln"`) || !strings.Contains(string(b), `"thinking":"hm"`) {
		t.Errorf("%v %s", err, b)
	}
}
