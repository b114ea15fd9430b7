package messages

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func ptr[T any](v T) *T { return &v }

func txt(s string) llm.Block { return llm.Block{Kind: llm.Text, Text: s} }

func user(b ...llm.Block) llm.Message { return llm.Message{Role: llm.User, Blocks: b} }

func says(b ...llm.Block) llm.Message { return llm.Message{Role: llm.Assistant, Blocks: b} }

func calls(id, name, args string) llm.Block {
	return llm.Block{Kind: llm.ToolCall, ID: id, Name: name, Text: args}
}

func result(id string, content ...llm.Block) llm.Block {
	return llm.Block{Kind: llm.ToolResult, ID: id, Content: content}
}

func prompt(m ...llm.Message) *llm.Prompt { return &llm.Prompt{Messages: m} }

func hi(change func(p *llm.Prompt)) *llm.Prompt {
	p := prompt(user(txt("hi")))
	change(p)
	return p
}

func fn(name, schema string) llm.Tool { return llm.Tool{Name: name, Schema: json.RawMessage(schema)} }

const noProps = `{"type":"object","properties":{}}`

// part compares one field of the body with what is wanted of it.
func part(t *testing.T, body []byte, path, want string) {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	for _, key := range strings.Split(path, ".") {
		if key != "" {
			v = v.(map[string]any)[key]
		}
	}
	if want == "" {
		if v != nil {
			got, _ := json.Marshal(v)
			t.Errorf("%s is there: %s", path, got)
		}
		return
	}
	var w any
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(v, w) {
		got, _ := json.Marshal(v)
		t.Errorf("%s is\n%s, want\n%s", path, got, want)
	}
}
