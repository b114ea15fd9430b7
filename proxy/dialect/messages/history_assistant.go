package messages

import (
	"bytes"
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// assistantTurn is a message of the assistant. What the provider's own tools
// found stands in the midst of it; for others it becomes a call and its
// result, which stands in a message of the user, so that the message is cut
// there.
type assistantTurn struct {
	*reader
	blocks  []llm.Block
	results []llm.Block          // of calls at the end of blocks
	waiting map[string]llm.Block // calls of the provider's own tools, by id
}

func (d *reader) assistant(param string, v []byte) *llm.Error {
	if blocks, ok := plain(v); ok {
		d.add(llm.Assistant, blocks)
		return nil
	}
	t := assistantTurn{reader: d, waiting: map[string]llm.Block{}}
	if err := field.DottedArray(param, v, t.item); err != nil {
		return err
	}
	for range t.waiting {
		d.p.Lose("messages: a call of a provider's own tool that was not finished")
	}
	t.cut()
	if len(t.blocks) > 0 {
		d.add(llm.Assistant, t.blocks)
	}
	return nil
}

// cut ends the message before it goes on after results.
func (t *assistantTurn) cut() {
	if len(t.results) == 0 {
		return
	}
	t.add(llm.Assistant, t.blocks)
	t.add(llm.User, t.results)
	t.blocks, t.results = nil, nil
}

func (t *assistantTurn) item(param string, v []byte) *llm.Error {
	p, err := t.part(param, v)
	if err != nil {
		return err
	}
	if strings.HasSuffix(p.kind, "_tool_result") {
		return t.found(&p)
	}
	var b llm.Block
	switch p.kind {
	case "text":
		b, err = p.textBlock(p.text)
	case "thinking", "redacted_thinking":
		b, err = p.thought()
	case "tool_use":
		b, err = t.called(&p)
	case "server_tool_use", "mcp_tool_use":
		if b, err = t.called(&p); err == nil {
			t.waiting[b.ID] = b
		}
		return err
	case "image", "document":
		if t.strict && p.kind == "document" {
			return llm.Invalid(param, "%s: a document cannot stand in a message of the assistant under anthropic-version %s and later", param, strictVersion)
		}
		more, err := t.shown(&p)
		t.cut()
		t.blocks = append(t.blocks, more...)
		return err
	case "compaction":
		s, _ := field.Text(p.content)
		if s == "" {
			return llm.Invalid(param, "%s: this summary of the conversation is encrypted, and only Anthropic can read it: ask one of its models, or begin anew", param)
		}
		b, err = p.block(llm.Text)
		b.Text = s
		t.p.Lose("messages: a compaction block went as text")
	case "fallback", "mcp_tool_listing":
		t.p.Lose("messages[].content[]: " + p.kind)
		return nil
	default:
		return llm.Invalid(param+".type", "%s.type: a block of type %q cannot be translated for this model: leave it out, or ask one of Anthropic's models", param, p.kind)
	}
	if err != nil {
		return err
	}
	t.cut()
	t.blocks = append(t.blocks, b)
	return nil
}

// found takes in what a provider's own tool answered.
func (t *assistantTurn) found(p *rawBlock) *llm.Error {
	b, err := p.block(llm.ToolResult)
	if err != nil {
		return err
	}
	b.ID = field.Unquote(p.useID)
	call, ok := t.waiting[b.ID]
	if !ok {
		t.p.Lose("messages[].content[]: " + p.kind)
		return nil
	}
	delete(t.waiting, b.ID)
	t.p.Lose("messages: the work of a provider's own tool went as a call of a tool")
	b.Name = call.Name
	b.Failed = string(p.failed) == "true" || strings.HasSuffix(field.Unquote(field.Of(p.content, "type")), "_error")
	switch {
	case field.Null(p.content):
	case p.content[0] == '[' && p.kind == "web_search_tool_result":
		b.Content = pages(p.content)
	case p.kind == "mcp_tool_result" || p.content[0] == '"':
		if b.Content, err = t.resultContent(p.param+".content", p.content); err != nil {
			return err
		}
	default:
		var s bytes.Buffer
		_ = json.Compact(&s, p.content) // the body is valid JSON
		b.Content = []llm.Block{{Kind: llm.Text, Text: s.String()}}
	}
	t.blocks = append(t.blocks, call)
	t.results = append(t.results, b)
	return nil
}

// pages lists what a web search found. Their text is encrypted.
func pages(v []byte) []llm.Block {
	var s strings.Builder
	_ = llm.Elements(v, func(v []byte, _ int) bool { // the body is valid JSON
		if s.Len() > 0 {
			s.WriteByte('\n')
		}
		s.WriteString(field.Unquote(field.Of(v, "title")) + ": " + field.Unquote(field.Of(v, "url")))
		return true
	})
	return []llm.Block{{Kind: llm.Text, Text: s.String()}}
}
