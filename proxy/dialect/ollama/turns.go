package ollama

import (
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// pending is a call of the last assistant message that has no result yet.
type pending struct{ id, name string }

// messages reads the conversation. System messages before all others are the
// prompt's leading instructions.
func (d *reader) messages(v []byte) *llm.Error {
	return field.Array("messages", v, func(param string, v []byte) *llm.Error {
		m, bad := d.message(param, v)
		if bad != nil {
			return bad
		}
		switch {
		case m.Role == llm.System && !d.started:
			d.p.System = append(d.p.System, m.Blocks...)
			return nil
		case len(m.Blocks) == 0 && m.Role != llm.User:
			return nil // it says nothing
		}
		d.started = true
		d.p.Messages = append(d.p.Messages, m)
		return nil
	})
}

// message is where the fields of a client's message lie.
type parts struct {
	content, thinking string
	images, calls     []byte
	tool, id          string
	role              string
}

func (d *reader) message(param string, v []byte) (m llm.Message, bad *llm.Error) {
	var p parts
	bad = field.Object(param, v, func(key string, v []byte) (bad *llm.Error) {
		at := param + "." + key
		switch {
		case field.Null(v):
		case key == "role":
			p.role, bad = field.String(at, v)
		case key == "content":
			p.content, bad = field.String(at, v)
		case key == "thinking":
			p.thinking, bad = field.String(at, v)
		case key == "images":
			p.images = v
		case key == "tool_calls":
			p.calls = v
		case key == "tool_name", key == "name": // what it was called at first
			p.tool, bad = field.String(at, v)
		case key == "tool_call_id":
			p.id, bad = field.String(at, v)
		default:
			d.p.Lose("messages: " + key)
		}
		return bad
	})
	if bad != nil {
		return m, bad
	}
	switch m.Role = llm.Role(strings.ToLower(p.role)); m.Role {
	case llm.User, llm.System:
		m.Blocks, bad = said(param, &p)
	case llm.Assistant:
		m.Blocks, bad = d.assistant(param, &p)
	case "tool":
		m.Role = llm.User
		m.Blocks, bad = d.result(param, &p)
	default:
		bad = llm.Invalid(param+".role", "%s.role must be system, user, assistant or tool, not %q", param, p.role)
	}
	return m, bad
}

// said is what a message shows: text, then images.
func said(param string, p *parts) (blocks []llm.Block, bad *llm.Error) {
	if p.content != "" {
		blocks = append(blocks, llm.Block{Text: p.content})
	}
	if p.images == nil {
		return blocks, nil
	}
	pictures, bad := images(param+".images", p.images)
	return append(blocks, pictures...), bad
}

// assistant is a turn of the model's.
func (d *reader) assistant(param string, p *parts) (blocks []llm.Block, bad *llm.Error) {
	if p.thinking != "" {
		blocks = append(blocks, llm.Block{Kind: llm.Thinking, Text: p.thinking, Origin: name})
	}
	shown, bad := said(param, p)
	if blocks = append(blocks, shown...); bad != nil || p.calls == nil {
		return blocks, bad
	}
	turn := len(d.p.Messages)
	d.calls = d.calls[:0]
	bad = field.Array(param+".tool_calls", p.calls, func(param string, v []byte) *llm.Error {
		b := llm.Block{Kind: llm.ToolCall}
		bad := field.Object(param, v, func(key string, v []byte) (bad *llm.Error) {
			switch {
			case field.Null(v):
			case key == "id":
				b.ID, bad = field.String(param+".id", v)
			case key == "function":
				b.Name, b.Text, bad = function(param+".function", v)
			}
			return bad
		})
		if bad != nil {
			return bad
		}
		if b.Name == "" {
			return llm.Invalid(param+".function.name", "%s.function.name is missing: name the function that was called", param)
		}
		if b.ID == "" {
			// Most clients send none. The same conversation must give the same
			// bytes, for prompt caches. A17.
			b.ID = fmt.Sprintf("call_%d_%d", turn, len(d.calls))
		}
		d.calls = append(d.calls, pending{b.ID, b.Name})
		blocks = append(blocks, b)
		return nil
	})
	return blocks, bad
}

// function is a call's name and arguments: an object, or as some clients
// write it an object's text. H3.
func function(param string, v []byte) (called, args string, bad *llm.Error) {
	bad = field.Object(param, v, func(key string, v []byte) (bad *llm.Error) {
		switch {
		case field.Null(v):
		case key == "name":
			called, bad = field.String(param+".name", v)
		case key == "arguments":
			object := v
			if v[0] == '"' {
				object = []byte(field.Unquote(v))
			}
			b, ok := compact(object)
			if !ok {
				return llm.Invalid(param+".arguments", "%s.arguments must be an object, not %s", param, field.Kind(v))
			}
			args = string(b)
		}
		return bad
	})
	if args == "" {
		args = "{}" // B7
	}
	return called, args, bad
}

// result is what a tool answered. Its call is found by id, else by the tool's
// name, else it is the first one without a result.
func (d *reader) result(param string, p *parts) ([]llm.Block, *llm.Error) {
	i := slices.IndexFunc(d.calls, func(c pending) bool { return p.id != "" && c.id == p.id })
	if i < 0 && p.id == "" {
		i = slices.IndexFunc(d.calls, func(c pending) bool { return c.name == p.tool })
		if i < 0 && p.tool == "" && len(d.calls) > 0 {
			i = 0
		}
	}
	b := llm.Block{Kind: llm.ToolResult, ID: p.id, Name: p.tool}
	switch {
	case i >= 0:
		b.ID, b.Name = d.calls[i].id, d.calls[i].name
		d.calls = slices.Delete(d.calls, i, i+1)
	case p.id == "":
		return nil, llm.Invalid(param, "%s is a tool's result that belongs to no call of the message before it: give it the tool_name of one", param)
	}
	var bad *llm.Error
	b.Content, bad = said(param, p)
	return []llm.Block{b}, bad
}

// images reads base64 without a type, which is told by the first bytes.
func images(param string, v []byte) (blocks []llm.Block, bad *llm.Error) {
	bad = field.Array(param, v, func(param string, v []byte) *llm.Error {
		data, bad := field.String(param, v)
		if bad != nil {
			return bad
		}
		if head, rest, ok := strings.Cut(data, ";base64,"); ok && strings.HasPrefix(head, "data:") {
			data = rest
		}
		m := llm.Media{Type: mime(data), Data: data}
		if !strings.HasPrefix(m.Type, "image/") {
			return llm.Invalid(param, "%s is no image that can be told: send a PNG, JPEG, GIF or WebP as base64", param)
		}
		blocks = append(blocks, llm.Block{Kind: llm.Image, Media: m})
		return nil
	})
	return blocks, bad
}
