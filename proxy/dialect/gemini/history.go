package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// history is what later contents need to know of earlier ones.
type history struct {
	waiting []waiting       // calls without a response yet, oldest first
	ids     map[string]bool // of all calls so far
	count   int             // calls that came without an id
}

// waiting is a call: given is its id as the client had it, id as it is now.
type waiting struct{ given, id, name string }

// newPart is a part of a content, cut into raw values.
type newPart struct {
	param                              string
	text, inline, file, call, response []byte
	code, result                       []byte
	signature                          string
	thought                            bool
}

// content reads one turn.
func (d *reader) content(param string, v []byte) *llm.Error {
	var role string
	var parts []byte
	if v[0] == '"' { // SDKs make a content of a string; some clients do not
		s, err := field.String(param, v)
		d.p.Messages = append(d.p.Messages, llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: s}}})
		return err
	}
	err := object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "role":
			role, err = field.String(param+".role", v)
		case "parts":
			parts = v
		default:
			if field.Truthy(v) {
				d.p.Lose("contents: " + key)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	m := llm.Message{}
	switch strings.ToLower(role) {
	case "user", "", "function", "tool":
		m.Role = llm.User
	case "model", "assistant":
		m.Role = llm.Assistant
	case "system":
		m.Role = llm.System
	default:
		return llm.Invalid(param+".role", "%s.role must be user or model, not %q", param, role)
	}
	t := turn{reader: d, m: &m}
	if err := list(param+".parts", parts, t.part); err != nil {
		return err
	}
	for _, b := range m.Blocks {
		switch {
		case b.Kind == llm.ToolCall && role == "":
			m.Role = llm.Assistant
		case b.Kind == llm.ToolCall && m.Role != llm.Assistant:
			return llm.Invalid(param+".role", "%s holds a functionCall, so its role must be model, not %q", param, role)
		case b.Kind == llm.ToolResult && m.Role != llm.User:
			return llm.Invalid(param+".role", "%s holds a functionResponse, so its role must be user, not %q", param, role)
		}
	}
	if len(m.Blocks) > 0 {
		d.p.Messages = append(d.p.Messages, m)
	}
	return nil
}

// turn is one content on its way to a message.
type turn struct {
	*reader
	m      *llm.Message
	answer bool // the last block is a function's response, which media after it belong to
}

func (t *turn) part(param string, v []byte) *llm.Error {
	p := newPart{param: param}
	err := object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "text":
			p.text = v
		case "thought":
			p.thought, err = field.Bool(param+".thought", v)
		case "thoughtSignature":
			p.signature, err = field.String(param+".thoughtSignature", v)
		case "inlineData":
			p.inline = v
		case "fileData":
			p.file = v
		case "functionCall":
			p.call = v
		case "functionResponse":
			p.response = v
		case "executableCode":
			p.code = v
		case "codeExecutionResult":
			p.result = v
		default: // videoMetadata, mediaResolution; toolCall, toolResponse of Google's own tools
			if field.Truthy(v) {
				t.p.Lose("contents: " + key)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if isBypass(p.signature) {
		p.signature = ""
	}
	before := len(t.m.Blocks)
	switch {
	case p.call != nil:
		err = t.call(p)
	case p.response != nil:
		err = t.response(p)
		t.answer = true
		return err
	case p.inline != nil, p.file != nil:
		return t.media(p)
	case p.code != nil:
		err = t.program(p)
	case p.result != nil:
		err = t.printed(p)
	default:
		err = t.said(p)
	}
	t.answer = t.answer && len(t.m.Blocks) == before
	return err
}

// isBypass tells the values that stand for no signature (E2).
func isBypass(s string) bool {
	return s == bypass || s == bypassPlain || s == "context_engineering_is_the_way_to_go" // Google's documents name both
}

func (t *turn) add(b llm.Block, signature string) {
	if signature != "" {
		b.Opaque, b.Origin = signature, name
		if origin, opaque, ok := llm.Unseal(signature); ok {
			b.Opaque, b.Origin = opaque, origin
		}
	}
	t.m.Blocks = append(t.m.Blocks, b)
}

// said reads text and thoughts (E14). Thoughts come in as many parts as there
// were frames; they are one block up to their signature.
func (t *turn) said(p newPart) *llm.Error {
	s := ""
	if p.text != nil {
		var err *llm.Error
		if s, err = field.String(p.param+".text", p.text); err != nil {
			return err
		}
	}
	if !p.thought {
		switch {
		case s != "":
			t.add(llm.Block{Text: s}, p.signature)
		case p.signature != "": // it came after what it signs
			t.add(llm.Block{Kind: llm.Thinking}, p.signature)
			b := &t.m.Blocks[len(t.m.Blocks)-1]
			if dialect, _, _ := strings.Cut(b.Origin, ":"); dialect != name {
				b.Kind = llm.Redacted
			}
		}
		return nil
	}
	if n := len(t.m.Blocks); n > 0 {
		if last := &t.m.Blocks[n-1]; last.Kind == llm.Thinking && last.Opaque == "" {
			s = last.Text + s
			t.m.Blocks = t.m.Blocks[:n-1]
		}
	}
	if s != "" || p.signature != "" {
		t.add(llm.Block{Kind: llm.Thinking, Text: s}, p.signature)
	}
	return nil
}

// call reads a function call. One without an id gets one that is the same
// each time the conversation comes again (E9, A17).
func (t *turn) call(p newPart) *llm.Error {
	param := p.param + ".functionCall"
	b := llm.Block{Kind: llm.ToolCall, Text: "{}"}
	err := object(param, p.call, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "id":
			b.ID, err = field.String(param+".id", v)
		case "name":
			b.Name, err = field.String(param+".name", v)
		case "args":
			if v[0] != '{' {
				return llm.Invalid(param+".args", "%s.args must be an object, not %s", param, field.Kind(v))
			}
			var args bytes.Buffer
			_ = json.Compact(&args, v) // the body is known to be JSON
			b.Text = args.String()
		default:
			if field.Truthy(v) {
				t.p.Lose("contents: functionCall." + key)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case b.Name == "":
		return llm.Invalid(param+".name", "%s.name is missing", param)
	}
	if t.ids == nil {
		t.ids = map[string]bool{}
	}
	given := b.ID
	for b.ID == "" || t.ids[b.ID] {
		t.count++
		b.ID = fmt.Sprintf("call_%d", t.count)
	}
	t.ids[b.ID] = true
	t.waiting = append(t.waiting, waiting{given, b.ID, b.Name})
	t.add(b, p.signature)
	return nil
}
