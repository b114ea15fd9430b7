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
	if s := system(c, p); s != "" {
		out = append(out, message{Role: "system", Content: s})
	}
	names := map[string]string{} // call id -> function
	for _, m := range p.Messages {
		if m.Name != "" {
			c.Lose("messages: name")
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
	if len(out) == 0 {
		// Ollama takes this as the wish to load the model, and answers nothing.
		return nil, llm.Invalid("messages", "the request says nothing: give it a message with some content")
	}
	return out, nil
}

// system joins the leading instructions: many of Ollama's renderers take the
// first message alone for them.
func system(c *llm.Call, p *llm.Prompt) string {
	var all []string
	for _, b := range p.System {
		if b.Text != "" {
			all = append(all, b.Text)
		}
		if b.Cache != "" {
			c.Lose("cache_control")
		}
	}
	return strings.Join(all, "\n\n")
}

// add puts one block into a message.
func (w *message) add(c *llm.Call, b *llm.Block) error {
	switch b.Kind {
	case llm.Text, llm.Refusal:
		w.Content = join(w.Content, b.Text)
	case llm.Thinking: // another provider's thoughts go only to who wants them
		if b.Origin == name || b.Origin == c.Origin(name) || c.Model.Flags.Has(llm.FlagReasoningHistory) {
			w.Thinking = join(w.Thinking, b.Text)
		} else {
			c.Lose("reasoning of earlier turns")
		}
	case llm.Redacted:
		c.Lose("redacted thinking of another provider")
	case llm.ToolCall:
		call := toolCall{ID: b.ID}
		call.Function.Index = len(w.ToolCalls)
		call.Function.Name = b.Name
		call.Function.Arguments = object(c, b.Text)
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
	case llm.Audio:
		return llm.Invalid("messages", "Ollama takes no sound: choose another model, or send the text")
	default:
		return llm.Invalid("messages", "Ollama takes no part of this kind here")
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
		part := &b.Content[i]
		if part.Kind == llm.Image && c.Model.Flags.Has(llm.FlagNoVision) {
			// The conversation must go on with what a tool returned. C3.
			c.Lose("messages: images in tool results: this model sees none")
			r.Content = join(r.Content, "[image: left out, this model sees none]")
			continue
		}
		if err := r.add(c, part); err != nil {
			return r, err
		}
	}
	if b.Failed {
		c.Lose("tool_result.is_error")
	}
	if b.Cache != "" {
		c.Lose("cache_control")
	}
	return r, nil
}

// object is a call's arguments as a JSON object, {} if they are none: broken
// history must not stop the conversation. A13.
func object(c *llm.Call, args string) json.RawMessage {
	var o map[string]json.RawMessage
	if json.Unmarshal([]byte(args), &o) != nil || o == nil {
		if strings.TrimSpace(args) != "" {
			c.Lose("messages: the arguments of an earlier tool call are not a JSON object")
		}
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
