package chat

import (
	"bytes"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// F8: calls of a client's custom tools go back as such, as their text comes.
func TestCustomCallsGoBack(t *testing.T) {
	events := func(yield func(llm.Event, error) bool) {
		for _, e := range []llm.Event{
			{Kind: llm.Start, ID: "x"},
			{Kind: llm.BlockStart, Block: llm.ToolCall, ID: "c1", Name: "edit"},
			{Kind: llm.Delta, Block: llm.ToolCall, Text: `{"inp`},
			{Kind: llm.Delta, Block: llm.ToolCall, Text: `ut": "a\n`},
			{Kind: llm.Delta, Block: llm.ToolCall, Text: `\"b\""}`},
			{Kind: llm.BlockStop, Block: llm.ToolCall},
			{Kind: llm.BlockStart, Block: llm.ToolCall, Index: 1, ID: "c2", Name: "f"},
			{Kind: llm.BlockStop, Block: llm.ToolCall, Index: 1},
			{Kind: llm.Stop, Why: llm.CallTools},
		} {
			if !yield(e, nil) {
				return
			}
		}
	}
	const tools = `{"tools":[{"type":"custom","custom":{"name":"edit"}},{"type":"function","function":{"name":"f"}}]}`
	for stream, want := range map[bool][]string{
		false: {`"tool_calls":[{"id":"c1","type":"custom","custom":{"name":"edit","input":"a\n\"b\""}},{"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}]`},
		true: {
			`{"index":0,"id":"c1","type":"custom","custom":{"name":"edit","input":""}}`, `{"index":0,"custom":{"input":"a\n"}}`, `{"index":0,"custom":{"input":"\"b\""}}`,
			`{"index":1,"id":"c2","type":"function","function":{"name":"f","arguments":""}}`, `{"index":1,"function":{"arguments":"{}"}}`,
		},
	} {
		var b bytes.Buffer
		r := &llm.Request{ID: "r", Raw: []byte(tools), Peek: llm.Peek{Model: "m", Stream: stream}}
		if err := (Dialect{}).EncodeResponse(&b, r, events); err != nil {
			t.Fatal(err)
		}
		rest := b.String()
		for _, w := range want {
			_, after, ok := strings.Cut(rest, w)
			if !ok {
				t.Fatalf("stream %v: no %s in\n%s", stream, w, b.String())
			}
			rest = after
		}
		if strings.Contains(rest, `"input"`) {
			t.Errorf("stream %v: more input in\n%s", stream, b.String())
		}
	}
}
