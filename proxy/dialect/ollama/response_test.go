package ollama_test

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
)

const end = `{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":3}`

func lines(all ...string) string { return strings.Join(all, "\n") + "\n" }

func piece(message string) string {
	return `{"model":"m","created_at":"2026-11-21T04:43:35.4Z","message":{"role":"assistant",` + message + `},"done":false}`
}

func TestAnswers(t *testing.T) {
	const both = `{"id":"a","function":{"index":0,"name":"f","arguments":{"x":1}}},{"id":"b","function":{"index":0,"name":"f","arguments":{"x":2}}}`
	for _, c := range []struct {
		name   string
		whole  bool
		body   string
		want   said
		called string // names and arguments
		kinds  []llm.BlockKind
	}{
		{
			name:  "H2 thought in every piece",
			body:  lines(piece(`"content":"","thinking":"a"`), piece(`"content":"","thinking":"b"`), piece(`"content":"","thinking":"c"`), piece(`"content":"d"`), end),
			want:  wants("d", "abc", "end"),
			kinds: []llm.BlockKind{llm.Thinking, llm.Text},
		},
		{
			name:  "H14 thought and text in one piece",
			body:  lines(piece(`"content":"x","thinking":"a"`), piece(`"content":"y","thinking":"b"`), end),
			want:  wants("xy", "ab", "end"),
			kinds: []llm.BlockKind{llm.Thinking, llm.Text, llm.Thinking, llm.Text},
		},
		{
			name:   "H5 calls with one index for all, in one piece and in two",
			body:   lines(piece(`"content":"","tool_calls":[`+both+`]`), piece(`"content":"","tool_calls":[{"id":"c","function":{"index":0,"name":"g","arguments":{}}}]`), end),
			want:   wants("", "", "tool_calls"),
			called: `f{"x":1} f{"x":2} g{}`,
			kinds:  []llm.BlockKind{llm.ToolCall, llm.ToolCall, llm.ToolCall},
		},
		{
			name:   "calls without ids, or with one id for two",
			body:   lines(piece(`"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"f","arguments":{}}},{"id":"c","function":{"name":"f","arguments":{}}},{"id":"c","function":{"name":"f","arguments":{}}}]`), end),
			want:   wants("", "", "tool_calls"),
			called: `f{} f{} f{} f{}`,
			kinds:  slices.Repeat([]llm.BlockKind{llm.ToolCall}, 4),
		},
		{
			name:   "B7 arguments that are absent, null, empty, or JSON text",
			body:   lines(piece(`"content":"","tool_calls":[{"function":{"name":"f"}},{"function":{"name":"f","arguments":null}},{"function":{"name":"f","arguments":""}},{"function":{"name":"f","arguments":"{\"x\":1}"}}]`), end),
			want:   wants("", "", "tool_calls"),
			called: `f{} f{} f{} f{"x":1}`,
			kinds:  slices.Repeat([]llm.BlockKind{llm.ToolCall}, 4),
		},
		{
			name:  "an image",
			body:  lines(piece(`"content":"see","images":["`+png+`"]`), end),
			want:  wants("see", "", "end"),
			kinds: []llm.BlockKind{llm.Text, llm.Image},
		},
		{
			name:   "a call in the last line of all, after text",
			body:   lines(piece(`"content":"x"`), strings.Replace(end, `"content":""`, `"content":"","tool_calls":[`+both+`]`, 1)),
			want:   wants("x", "", "tool_calls"),
			called: `f{"x":1} f{"x":2}`,
			kinds:  []llm.BlockKind{llm.Text, llm.ToolCall, llm.ToolCall},
		},
		{
			name: "length", body: lines(piece(`"content":"x"`), strings.Replace(end, `"stop"`, `"length"`, 1)),
			want: wants("x", "", "max_tokens"), kinds: []llm.BlockKind{llm.Text},
		},
		{name: "a reason of its own", body: lines(strings.Replace(end, `"stop"`, `"load"`, 1)), want: wants("", "", "load")},
		{name: "no reason", body: lines(strings.Replace(end, `"stop"`, `null`, 1)), want: wants("", "", "end")},
		{
			name: "other white space, blank lines, CRLF", body: "\r\n { \"model\" : \"m\", \"message\" : {\"content\" : \"x\", \"tool_calls\": null }, \"done\" : false, \"error\": null }\r\n \r\n" + strings.ReplaceAll(end, ":", " : "),
			want: wants("x", "", "end"), kinds: []llm.BlockKind{llm.Text},
		},
		{
			name: "after the end", body: lines(end, piece(`"content":"x"`), "rubbish"),
			want: wants("", "", "end"),
		},
		{
			name: "whole", whole: true, body: "\n" + `{"model":"m","message":{"role":"assistant","content":"x","thinking":"a","tool_calls":[` + both + `]},"done":true,"done_reason":"stop","prompt_eval_count":5,"eval_count":3}` + "\n",
			want: wants("x", "a", "tool_calls"), called: `f{"x":1} f{"x":2}`, kinds: []llm.BlockKind{llm.Thinking, llm.Text, llm.ToolCall, llm.ToolCall},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := streamed()
			call.Stream = !c.whole
			for _, body := range []io.Reader{strings.NewReader(c.body), iotest.OneByteReader(strings.NewReader(c.body)), iotest.DataErrReader(strings.NewReader(c.body))} { // H13
				got := read(t, call, body)
				if got.err != nil {
					t.Fatal(got.err)
				}
				if got.Text != c.want.Text || got.Thinking != c.want.Thinking || got.Why != c.want.Why || got.model != "m" || !reflect.DeepEqual(got.kinds, c.kinds) {
					t.Errorf("%+v", got)
				}
				if want := (llm.Usage{Input: 5, Output: 3, Known: true}); !reflect.DeepEqual(*got.usage, want) {
					t.Errorf("usage %+v", *got.usage)
				}
				var called []string
				ids := map[string]bool{}
				for i, k := range got.Calls {
					called = append(called, k.Name+string(k.Arguments))
					ids[got.calls[i].ID] = true
				}
				if strings.Join(called, " ") != c.called || len(ids) != len(called) {
					t.Errorf("called %s with ids %v, want %s", called, ids, c.called)
				}
				for _, i := range got.Images {
					if i != "image/png;base64,"+png {
						t.Errorf("image %s", i)
					}
				}
			}
			sum, verdicts := weigh(t, call, c.body)
			if !sum.Good || !sum.Done || sum.Err != nil || string(sum.Why) != c.want.Why || sum.Model != "m" || sum.Usage.Input != 5 || sum.Usage.Output != 3 || !slices.Contains(verdicts, llm.Last) {
				t.Errorf("tally %+v, verdicts %v", sum, verdicts)
			}
		})
	}
}

func wants(text, thinking, why string) said {
	var s said
	s.Text, s.Thinking, s.Why = text, thinking, why
	return s
}

// TestFailures are answers that do not end well. B10.
func TestFailures(t *testing.T) {
	broken := errors.New("connection reset")
	for _, c := range []struct {
		name  string
		whole bool
		body  io.Reader
		text  string
		kind  llm.ErrorKind
		says  string
	}{
		{"nothing came", false, strings.NewReader(""), "", llm.Cut, "before its end"},
		{"nothing came whole", true, strings.NewReader(" \n"), "", llm.Cut, "before its end"},
		{"no last line", false, strings.NewReader(lines(piece(`"content":"x"`))), "x", llm.Cut, "before its end"},
		{"half a line", false, strings.NewReader(lines(piece(`"content":"x"`)) + piece(`"content":"y"`)[:80]), "x", llm.Cut, "before its end"},
		{"half a body", true, strings.NewReader(end[:60]), "", llm.Cut, "before its end"},
		{"a whole answer that is not done", true, strings.NewReader(piece(`"content":"x"`)), "x", llm.Cut, "before its end"},
		{"the connection broke", false, io.MultiReader(strings.NewReader(lines(piece(`"content":"x"`))), iotest.ErrReader(broken)), "x", llm.Cut, "connection reset"},
		{"the reader knows better", false, iotest.ErrReader(&llm.Error{Kind: llm.Canceled, Message: "gone"}), "", llm.Canceled, "gone"},
		{"a page", false, strings.NewReader("<html><title>Hi</title></html>"), "", llm.Garbage, "cannot be read"},
		{"a line of another kind", false, strings.NewReader(lines(piece(`"content":"x"`), `[1]`)), "x", llm.Garbage, "cannot be read"},
		{"a call without a name", false, strings.NewReader(lines(piece(`"content":"","tool_calls":[{"id":"a","function":{"arguments":{}}}]`), end)), "", llm.Garbage, "without a name"},
		{"an error after text", false, strings.NewReader(lines(piece(`"content":"x"`), `{"error":"model runner has unexpectedly stopped"}`)), "x", llm.ServerError, "model runner has unexpectedly stopped"},
		{"an error at once", false, strings.NewReader(lines(`{"error":{"message":"server busy, please try again"}}`)), "", llm.Overloaded, "server busy"},
		{"an error in a whole answer", true, strings.NewReader(`{"error":"unexpected EOF"}`), "", llm.ServerError, "unexpected EOF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := streamed()
			call.Stream = !c.whole
			got := read(t, call, c.body)
			if got.err == nil {
				t.Fatalf("complete: %+v", got)
			}
			if got.err.Kind != c.kind || !strings.Contains(got.err.Message, c.says) || got.Text != c.text || got.err.HTTPStatus() < 400 {
				t.Errorf("%+v after %q", got.err, got.Text)
			}
			if c.kind == llm.Cut && c.says == "connection reset" && !errors.Is(got.err, broken) {
				t.Error("the cause is lost")
			}
		})
	}
}

// TestErrorKeepsItsBytes reads on after an error: the reader uses the frame's
// memory again.
func TestErrorKeepsItsBytes(t *testing.T) {
	frame := []byte(`{"error":"first"}`)
	var sum llm.Tally
	out.Tally(streamed(), &sum, frame)
	copy(frame, `{"error":"other"}`)
	if sum.Err == nil || string(sum.Err.Raw) != `{"error":"first"}` {
		t.Errorf("%+v", sum.Err)
	}
}

// TestStopsWhenTold leaves the sequence after each event in turn.
func TestStopsWhenTold(t *testing.T) {
	body := lines(piece(`"content":"x","thinking":"a"`), piece(`"content":"","tool_calls":[{"id":"a","function":{"name":"f","arguments":{}}}]`), end)
	for n := 1; ; n++ {
		seen := 0
		for range out.DecodeResponse(streamed(), strings.NewReader(body)) {
			if seen++; seen == n {
				break
			}
		}
		if seen < n {
			if n != 12 {
				t.Errorf("%d events", n-1)
			}
			return
		}
	}
}

// TestServerWrites writes answers with the server's own type, with every field
// set, and reads them.
func TestServerWrites(t *testing.T) {
	args := api.NewToolCallFunctionArguments()
	args.Set("city", "<Oslo>")
	r := api.ChatResponse{
		Model: "m", RemoteModel: "r", RemoteHost: "h", CreatedAt: time.Unix(1795000000, 0).UTC(), Done: true, DoneReason: "stop",
		Message: api.Message{
			Role: "assistant", Content: "a\u2028<b>", Thinking: "t", Images: []api.ImageData{{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}},
			ToolCalls: []api.ToolCall{{ID: "call_1", Function: api.ToolCallFunction{Index: 3, Name: "f", Arguments: args}}},
		},
		Logprobs: []api.Logprob{{TokenLogprob: api.TokenLogprob{Token: "a"}}},
		Metrics:  api.Metrics{TotalDuration: 1, LoadDuration: 2, PromptEvalCount: 7, PromptEvalDuration: 3, EvalCount: 9, EvalDuration: 4},
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []bool{false, true} {
		got := read(t, &llm.Call{Stream: stream}, strings.NewReader(string(body)))
		if got.err != nil || got.Text != "a\u2028<b>" || got.Thinking != "t" || len(got.Calls) != 1 || got.Images[0] != "image/png;base64,iVBORw0KGgo=" ||
			got.calls[0].ID != "call_1" || string(got.Calls[0].Arguments) != `{"city":"\u003cOslo\u003e"}` || got.usage.Input != 7 || got.usage.Output != 9 {
			t.Errorf("%+v", got)
		}
	}
}
