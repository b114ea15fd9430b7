package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func written(t *testing.T, r *llm.Request, events llm.Events) string {
	t.Helper()
	r.ID, r.Model, r.Start = "7", "asked/model", time.Unix(1700000000, 0)
	var out bytes.Buffer
	if err := (Dialect{}).EncodeResponse(&out, r, events); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var script = []llm.Event{
	{Kind: llm.Start, Name: "provider-model"},
	{Kind: llm.BlockStart, Block: llm.Thinking},
	{Kind: llm.Delta, Block: llm.Thinking, Text: "hm"},
	{Kind: llm.BlockStop, Block: llm.Thinking, Opaque: "sig", Origin: "messages"},
	{Kind: llm.BlockStart, Block: llm.Redacted, Index: 1},
	{Kind: llm.BlockStop, Block: llm.Redacted, Index: 1, Opaque: "red", Origin: "messages"},
	{Kind: llm.Ping},
	{Kind: llm.BlockStart, Block: llm.Text, Index: 2},
	{Kind: llm.Delta, Block: llm.Text, Index: 2, Text: "a\n"},
	{Kind: llm.BlockStop, Block: llm.Text, Index: 2},
	{Kind: llm.BlockStart, Block: llm.ToolCall, Index: 3, ID: "c1", Name: "f"},
	{Kind: llm.BlockStart, Block: llm.ToolCall, Index: 4, ID: "c2", Name: "g"},
	{Kind: llm.Delta, Block: llm.ToolCall, Index: 4, Text: `{"x":1}`},
	{Kind: llm.BlockStop, Block: llm.ToolCall, Index: 3, Opaque: "csig", Origin: "gemini"},
	{Kind: llm.BlockStop, Block: llm.ToolCall, Index: 4},
	{Kind: llm.Stop, Why: llm.CallTools, Usage: &llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 5, Reasoning: 2, Known: true}, Tier: "flex"},
}

func TestStreamForm(t *testing.T) {
	got := written(t, &llm.Request{Raw: []byte(`{}`), Peek: llm.Peek{Stream: true, IncludeUsage: true}}, replay(script))
	const head = `data: {"id":"chatcmpl-7","object":"chat.completion.chunk","created":1700000000,"model":"asked/model","choices":[`
	const tail = `},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"
	frame := func(delta string) string { return head + `{"index":0,"delta":{` + delta + tail } // B8
	want := frame(`"role":"assistant","content":""`) +
		frame(`"reasoning_content":"hm"`) + // B12
		frame(`"reasoning_details":[{"type":"reasoning.text","signature":"sig","format":"anthropic-claude-v1","index":0,"span":[0,2]}]`) +
		frame(`"reasoning_details":[{"type":"reasoning.encrypted","data":"red","format":"anthropic-claude-v1","index":1}]`) + // B5
		": ping\n\n" + // B9
		frame(`"content":"a\n"`) +
		frame(`"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]`) +
		frame(`"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":""}}]`) +
		frame(`"tool_calls":[{"index":1,"function":{"arguments":"{\"x\":1}"}}]`) +
		frame(`"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]`) + // B7
		frame(`"reasoning_details":[{"type":"reasoning.encrypted","data":"csig","id":"c1","format":"google-gemini-v1","index":2}]`) +
		head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"service_tier":"flex","usage":null}` + "\n\n" +
		head + `],"service_tier":"flex","usage":{"prompt_tokens":156,"completion_tokens":5,"total_tokens":161,"prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":50,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}` + "\n\n" + // B2
		"data: [DONE]\n\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	plain := written(t, &llm.Request{Raw: []byte(`{}`), Peek: llm.Peek{Stream: true}}, replay(script))
	if strings.Contains(plain, "usage") || !strings.HasSuffix(plain, "data: [DONE]\n\n") {
		t.Error("usage that nobody asked for: " + plain)
	}
}

func TestWholeForm(t *testing.T) {
	got := written(t, &llm.Request{Raw: []byte(`{}`)}, replay(script))
	want := `{"id":"chatcmpl-7","object":"chat.completion","created":1700000000,"model":"asked/model","choices":[{"index":0,"message":{"role":"assistant","content":"a\n","refusal":null,"annotations":[],"reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm","signature":"sig","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"red","format":"anthropic-claude-v1","index":1},{"type":"reasoning.encrypted","data":"csig","id":"c1","format":"google-gemini-v1","index":2}],"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{\"x\":1}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":156,"completion_tokens":5,"total_tokens":161,"prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":50,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"flex"}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// B5, B12: what the client pushes back is what the provider signed, whether
// the client put it together from a stream or got it whole.
func TestSignaturesComeBack(t *testing.T) {
	const calls = `"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]`
	for what, message := range map[string]string{
		"whole":    messageIn(t, written(t, &llm.Request{Raw: []byte(`{}`)}, replay(script))),
		"streamed": `{"role":"assistant","content":"a\n","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","signature":"sig","format":"anthropic-claude-v1","index":0,"span":[0,2]},{"type":"reasoning.encrypted","data":"red","format":"anthropic-claude-v1","index":1},{"type":"reasoning.encrypted","data":"csig","id":"c1","format":"google-gemini-v1","index":2}],` + calls + `}`,
	} {
		p, e := decode(t, `{"model":"m","messages":[{"role":"user","content":"x"},`+message+`]}`)
		if e != nil {
			t.Fatal(what, e)
		}
		b := p.Messages[1].Blocks
		if len(b) != 5 || b[0].Kind != llm.Thinking || b[0].Text != "hm" || b[0].Opaque != "sig" || b[0].Origin != "messages" ||
			b[1].Kind != llm.Redacted || b[1].Opaque != "red" || b[2].Text != "a\n" || b[3].Opaque != "csig" || b[3].Origin != "gemini" || b[4].Opaque != "" {
			t.Errorf("%s: %+v", what, b)
		}
	}
}

func messageIn(t *testing.T, completion string) string {
	t.Helper()
	var v struct {
		Choices []struct{ Message json.RawMessage }
	}
	if err := json.Unmarshal([]byte(completion), &v); err != nil {
		t.Fatal(err)
	}
	return string(v.Choices[0].Message)
}

// B10: a stream that breaks ends in an error, not in a stop.
func TestStreamError(t *testing.T) {
	boom := &llm.Error{Kind: llm.Overloaded, Message: "busy", Provider: "anthropic", Code: "overloaded_error"}
	events := func(yield func(llm.Event, error) bool) {
		for _, e := range script[:9] {
			if !yield(e, nil) {
				return
			}
		}
		yield(llm.Event{}, boom)
	}
	var out bytes.Buffer
	r := &llm.Request{Raw: []byte(`{}`), Peek: llm.Peek{Stream: true, IncludeUsage: true}}
	err := Dialect{}.EncodeResponse(&out, r, events)
	const end = `data: {"error":{"message":"anthropic: busy","type":"server_error","param":null,"code":"overloaded_error"}}` + "\n\n"
	if !errors.Is(err, boom) || !strings.HasSuffix(out.String(), end) || strings.Contains(out.String(), `"stop"`) || strings.Contains(out.String(), "[DONE]") {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	r.Stream = false
	if err := (Dialect{}).EncodeResponse(&out, r, events); !errors.Is(err, boom) || out.Len() > 0 {
		t.Errorf("%v, wrote %q", err, out.String())
	}
}

func TestFinishReasons(t *testing.T) {
	for _, tt := range []struct {
		why   llm.Why
		block llm.BlockKind
		body  string
		want  string
	}{
		{llm.EndTurn, llm.Text, `{}`, `"finish_reason":"stop"}`},
		{llm.StopSequence, llm.Text, `{}`, `"finish_reason":"stop"}`},
		{llm.PauseTurn, llm.Text, `{}`, `"finish_reason":"stop"}`},
		{llm.MaxTokens, llm.Text, `{}`, `"finish_reason":"length"}`},
		{llm.CallTools, llm.ToolCall, `{}`, `"finish_reason":"tool_calls"}`},
		{llm.CallTools, llm.ToolCall, `{"functions":[{"name":"f"}]}`, `"finish_reason":"function_call"}`},
		{llm.ContentFilter, llm.Text, `{}`, `"finish_reason":"content_filter"}`},
		{llm.Refused, llm.Refusal, `{}`, `"finish_reason":"stop"}`},
		{llm.Refused, llm.Text, `{}`, `"finish_reason":"content_filter"}`},
		{"SPII", llm.Text, `{}`, `"finish_reason":"stop","native_finish_reason":"SPII"}`},
	} {
		events := []llm.Event{
			{Kind: llm.Start},
			{Kind: llm.BlockStart, Block: tt.block, ID: "c", Name: "f"},
			{Kind: llm.Delta, Block: tt.block, Text: "{}"},
			{Kind: llm.BlockStop, Block: tt.block},
			{Kind: llm.Stop, Why: tt.why},
		}
		for _, stream := range []bool{false, true} {
			got := written(t, &llm.Request{Raw: []byte(tt.body), Peek: llm.Peek{Stream: stream}}, replay(events))
			if !strings.Contains(got, tt.want) {
				t.Errorf("%s, stream %v: %s", tt.why, stream, got)
			}
			if legacy := strings.Contains(tt.body, "functions"); legacy == strings.Contains(got, "tool_calls\":[") && tt.block == llm.ToolCall {
				t.Errorf("legacy %v: %s", legacy, got)
			}
		}
	}
}
