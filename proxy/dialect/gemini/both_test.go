package gemini_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/genai"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// reading has the official client read an answer.
func reading(t *testing.T, body []byte, stream bool) *genai.GenerateContentResponse {
	t.Helper()
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: "x", Backend: genai.BackendGeminiAPI, HTTPOptions: genai.HTTPOptions{BaseURL: "http://127.0.0.1"},
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body))}, nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !stream {
		r, err := c.Models.GenerateContent(t.Context(), "m", genai.Text("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var all genai.GenerateContentResponse
	for chunk, err := range c.Models.GenerateContentStream(t.Context(), "m", genai.Text("x"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		gather(&all, chunk)
	}
	return &all
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRecordedBothWays decodes every recorded answer and encodes it again: the
// official client reads the same in both, streamed and whole.
func TestRecordedBothWays(t *testing.T) {
	all := dialecttest.Recordings(t, "gemini-generate")
	same, refused, own := 0, 0, 0
	for _, r := range all {
		var events []llm.Event
		for e, err := range out.DecodeResponse(&llm.Call{Stream: r.Stream}, bytes.NewReader(r.Body)) {
			if err != nil {
				events = nil
				break
			}
			events = append(events, e)
		}
		if events == nil {
			refused++
			continue
		}
		if bytes.Contains(r.Body, []byte(`"executableCode"`)) || bytes.Contains(r.Body, []byte(`"toolCall"`)) {
			own++ // code becomes text, and calls of Google's own tools are reported as lost
			continue
		}
		original := reading(t, r.Body, r.Stream)
		if len(original.Candidates) == 0 { // a blocked prompt, which is told as text
			refused++
			continue
		}
		for _, path := range []string{wholePath, streamPath} {
			again := reading(t, []byte(write(t, path, thoughts, events...)), path == streamPath)
			// All of Google's filters are one to other dialects, and a call of an unknown
			// function is the client's to answer.
			normal := strings.NewReplacer("MODEL_ARMOR", "SAFETY", "UNEXPECTED_TOOL_CALL", "STOP")
			a, b := normal.Replace(tellOf(original)), tellOf(again)
			if a != b {
				t.Errorf("%s to %s:\n%s\nbecame\n%s", r.Name, path, a, b)
			}
			if ids(original) != ids(again) || sources(original) != sources(again) {
				t.Errorf("%s to %s: ids %s became %s, sources %s became %s", r.Name, path, ids(original), ids(again), sources(original), sources(again))
			}
		}
		same++
	}
	t.Logf("%d of %d answers read the same, whole and streamed; %d with tools of Google's and %d blocked ones left out", same, len(all), own, refused)
}

// ids are those of the calls, where the provider gave any.
func ids(r *genai.GenerateContentResponse) (s string) {
	for _, c := range r.FunctionCalls() {
		if c.ID != "" && !strings.HasPrefix(c.ID, "call_") {
			s += c.ID + " "
		}
	}
	return s
}

func sources(r *genai.GenerateContentResponse) (n string) {
	g := r.Candidates[0].GroundingMetadata
	if g == nil {
		return ""
	}
	seen := map[string]bool{}
	for _, c := range g.GroundingChunks {
		switch {
		case c.Web != nil:
			seen[c.Web.URI] = true
		case c.RetrievedContext != nil:
			seen[c.RetrievedContext.URI] = true
		case c.Maps != nil:
			seen[c.Maps.URI] = true
		}
	}
	if len(seen) == 0 {
		return ""
	}
	return fmt.Sprint(seen)
}

// TestRecordedRequests decodes every recorded request and encodes it for all.
func TestRecordedRequests(t *testing.T) {
	all := dialecttest.Recordings(t, "gemini-generate")
	read, sent := 0, map[string]int{}
	why := map[string]int{}
	for _, r := range all {
		p, err := out.DecodeRequest(&llm.Request{Inbound: out, Raw: r.Request})
		if err != nil {
			why[llm.AsError(err).Param]++
			continue
		}
		read++
		for _, to := range outbounds {
			b, err := to.EncodeRequest(&llm.Call{Model: llm.Model{Name: "m"}}, p)
			if err != nil {
				why[to.Name()+": "+err.Error()]++
				continue
			}
			if !json.Valid(b) {
				t.Errorf("%s to %s: %s", r.Name, to.Name(), b)
			}
			sent[to.Name()]++
		}
	}
	t.Logf("%d of %d requests read, sent %v", read, len(all), sent)
	for k, n := range why {
		t.Logf("%d refused: %.150s", n, k)
	}
	if read < len(all)*9/10 {
		t.Error("too many cannot be read")
	}
}

var outbounds = []llm.Outbound{chat.Dialect{}, messages.Dialect{}, ollama.Dialect{}, gemini.Dialect{}}

// gemini CLI's turn after a tool ran: thoughts on, tools as parametersJsonSchema,
// the history with its signature and ids.
const cli = `{"contents":[{"role":"user","parts":[{"text":"This is the Gemini CLI. We are setting up the context for our chat."}]},
	{"role":"user","parts":[{"text":"list the files"}]},
	{"role":"model","parts":[{"functionCall":{"name":"list_directory","args":{"path":"."},"id":"list_directory-1"},"thoughtSignature":"b3du"}]},
	{"role":"user","parts":[{"functionResponse":{"id":"list_directory-1","name":"list_directory","response":{"output":"a.go\nb.go"}}}]}],
	"systemInstruction":{"role":"user","parts":[{"text":"You are an interactive CLI agent."}]},
	"tools":[{"functionDeclarations":[{"name":"list_directory","description":"Lists files","parametersJsonSchema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}},
		{"name":"run_shell_command","description":"Runs","parametersJsonSchema":{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}}]}],
	"generationConfig":{"temperature":1,"topP":0.95,"topK":64,"thinkingConfig":{"includeThoughts":true}}}`

// TestCLI sends the same turn to a provider of every dialect.
func TestCLI(t *testing.T) {
	p := mustAsk(t, cli)
	if len(p.Lost) > 0 {
		t.Errorf("lost %q", p.Lost)
	}
	for _, to := range outbounds {
		c := &llm.Call{Model: llm.Model{Provider: "lab", Name: "m", MaxOutput: 1000}, Stream: true}
		b, err := to.EncodeRequest(c, p)
		if err != nil || !json.Valid(b) {
			t.Errorf("%s: %v\n%s", to.Name(), err, b)
			continue
		}
		for _, want := range []string{`You are an interactive CLI agent.`, `list the files`, `a.go\nb.go`, `run_shell_command`, `"command"`} {
			if !bytes.Contains(b, []byte(want)) {
				t.Errorf("%s got no %s:\n%s", to.Name(), want, b)
			}
		}
		if bytes.Contains(b, []byte("b3du")) != (to.Name() == "gemini") {
			t.Errorf("%s got the signature, or Google did not:\n%s", to.Name(), b)
		}
		lost := strings.Join(c.Lost, "|")
		t.Logf("%s: %d bytes, lost %s", to.Name(), len(b), lost)
	}
	c := &llm.Call{Model: llm.Model{Name: "m"}}
	b, err := out.EncodeRequest(c, p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := out.DecodeRequest(&llm.Request{Inbound: out, Raw: b})
	if err != nil || !reflect.DeepEqual(p.Tools, again.Tools) || !reflect.DeepEqual(p.Reasoning, again.Reasoning) || !reflect.DeepEqual(p.Limits, again.Limits) {
		t.Errorf("%v: %s", err, b)
	}
}

// BenchmarkBoth500 translates a stream of 500 deltas, from chat to gemini.
func BenchmarkBoth500(b *testing.B) {
	var body []byte
	for range 500 {
		body = sse.Append(body, "", []byte(`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" a few words of text"},"logprobs":null,"finish_reason":null}]}`))
	}
	body = sse.Append(body, "", []byte(`{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`))
	body = append(body, "data: [DONE]\n\n"...)
	r, err := asked(streamPath, `{"contents":"x"}`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c := &llm.Call{Stream: true}
		if err := out.EncodeResponse(io.Discard, r, chat.Dialect{}.DecodeResponse(c, bytes.NewReader(body))); err != nil {
			b.Fatal(err)
		}
	}
}

// E11: functions in one Tool object, and Google's own tools only without them.
func TestHosted(t *testing.T) {
	search := llm.Tool{Kind: llm.Hosted, Name: llm.WebSearch, Origin: "messages", Raw: json.RawMessage(`{"type":"web_search_20250305","name":"web_search","max_uses":5}`)}
	own := llm.Tool{Kind: llm.Hosted, Name: "googleMaps", Origin: "gemini", Raw: json.RawMessage(`{"googleMaps":{"enableWidget":true}}`)}
	odd := llm.Tool{Kind: llm.Hosted, Name: "bash", Origin: "messages", Raw: json.RawMessage(`{"type":"bash_20250124"}`)}
	f, g := llm.Tool{Name: "f"}, llm.Tool{Kind: llm.Custom, Name: "g"}
	for _, c := range []struct {
		tools      []llm.Tool
		choice     llm.Choice
		want, lost string
	}{
		{[]llm.Tool{search, own}, llm.Choice{}, `[{"googleSearch":{}},{"googleMaps":{"enableWidget":true}}]`, "tools: web_search: its options"},
		{[]llm.Tool{f, search, g}, llm.Choice{}, `f g`, "tools: web_search: Google takes it only without functions"},
		{[]llm.Tool{odd, f}, llm.Choice{Mode: llm.ChooseAuto}, `f`, "tools: bash"},
		{[]llm.Tool{odd, search}, llm.Choice{}, `[{"googleSearch":{}}]`, "tools: bash|tools: web_search: its options"},
		{[]llm.Tool{odd}, llm.Choice{}, "refused", ""},
		{[]llm.Tool{f, search}, llm.Choice{Mode: llm.ChooseNamed, Name: llm.WebSearch}, "refused", ""},
	} {
		call := model()
		b, err := out.EncodeRequest(call, &llm.Prompt{Tools: c.tools, Choice: c.choice, Messages: []llm.Message{user("x")}})
		if (err != nil) != (c.want == "refused") {
			t.Errorf("%+v: %v", c.tools, err)
		}
		if err != nil {
			continue
		}
		v := encode(t, model(), &llm.Prompt{Tools: c.tools, Choice: c.choice, Messages: []llm.Message{user("x")}})
		got := at(v, "tools")
		if d, _ := v["tools"].([]any); len(d) > 0 {
			if list, ok := d[0].(map[string]any)["functionDeclarations"].([]any); ok {
				got = strings.Trim(strings.ReplaceAll(at(list, 0, "name")+" "+at(list, 1, "name"), `"`, ""), " ")
				got = strings.TrimSuffix(got, " none")
			}
		}
		if got != c.want || strings.Join(call.Lost, "|") != c.lost {
			t.Errorf("%s, want %s; lost %q\n%s", got, c.want, call.Lost, b)
		}
	}
}
