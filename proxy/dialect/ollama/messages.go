package ollama

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"keytray/proxy/llm"
)

// messages writes the conversation: system messages where they stand, tool
// results as messages of their own (H6).
func messages(c *llm.Call, p *llm.Prompt) ([]message, error) {
	var out []message
	for _, b := range p.System {
		if b.Text != "" {
			out = append(out, message{Role: "system", Content: b.Text})
		}
	}
	names := map[string]string{} // call id -> function
	for _, m := range p.Messages {
		if m.Name != "" {
			c.Lose("messages.name")
		}
		w := message{Role: string(m.Role)}
		var results []message
		for i := range m.Blocks {
			b := &m.Blocks[i]
			if b.Kind == llm.ToolCall {
				names[b.ID] = b.Name
			}
			if b.Kind == llm.ToolResult {
				r, err := result(c, b, names)
				if err != nil {
					return nil, err
				}
				results = append(results, r)
				continue
			}
			if err := w.add(c, b); err != nil {
				return nil, err
			}
		}
		out = append(out, results...)
		if w.Content != "" || w.Thinking != "" || len(w.Images) > 0 || len(w.ToolCalls) > 0 {
			out = append(out, w)
		}
	}
	return out, nil
}

// add puts one block into a message.
func (w *message) add(c *llm.Call, b *llm.Block) error {
	switch b.Kind {
	case llm.Text, llm.Refusal:
		w.Content = join(w.Content, b.Text)
	case llm.Thinking:
		w.Thinking = join(w.Thinking, b.Text)
	case llm.Redacted:
		c.Lose("redacted thinking of another provider")
	case llm.ToolCall:
		call := toolCall{ID: b.ID}
		call.Function.Index = len(w.ToolCalls)
		call.Function.Name = b.Name
		call.Function.Arguments = object(b.Text)
		w.ToolCalls = append(w.ToolCalls, call)
	case llm.Image:
		switch {
		case c.Model.Flags.Has(llm.FlagNoVision):
			return llm.Invalid("messages", "%s cannot see images: choose a model with vision, or leave the image out", c.Model.Name)
		case b.Media.Data == "":
			return llm.Invalid("messages", "Ollama takes images as data, not as URLs, and Keytray fetches none: send the image as a data URL")
		}
		w.Images = append(w.Images, b.Media.Data)
		if b.Media.Detail != "" && b.Media.Detail != "auto" {
			c.Lose("image_url.detail")
		}
	case llm.Document:
		text, ok := plainText(b.Media)
		if !ok {
			return llm.Invalid("messages", "Ollama reads no documents of type %q: send the text itself", b.Media.Type)
		}
		w.Content = join(w.Content, text)
	default:
		return llm.Invalid("messages", "Ollama takes no sound: choose another model, or send the text")
	}
	if b.Cache != "" {
		c.Lose("cache_control")
	}
	return nil
}

// result writes a tool's result. Its function is found by the call's id.
func result(c *llm.Call, b *llm.Block, names map[string]string) (message, error) {
	r := message{Role: "tool", ToolCallID: b.ID, ToolName: b.Name}
	if r.ToolName == "" {
		r.ToolName = names[b.ID]
	}
	for i := range b.Content {
		if err := r.add(c, &b.Content[i]); err != nil {
			return r, err
		}
	}
	if b.Failed {
		c.Lose("tool_result.is_error")
	}
	return r, nil
}

// object is a call's arguments as a JSON object, {} if they are none: broken
// history must not stop the conversation. A13.
func object(args string) json.RawMessage {
	var o map[string]json.RawMessage
	if json.Unmarshal([]byte(args), &o) != nil || o == nil {
		return json.RawMessage("{}")
	}
	return json.RawMessage(args)
}

// plainText is a document that is text already.
func plainText(m llm.Media) (string, bool) {
	if !strings.HasPrefix(m.Type, "text/") && m.Type != "application/json" {
		return "", false
	}
	b, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil || len(b) == 0 || !utf8.Valid(b) {
		return "", false
	}
	return string(b), true
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}
