package ollama

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// line is where the fields of an answer lie; nil is none.
type line struct {
	model, message, done, reason, prompt, eval, fault []byte

	generated part // of the generate form, whose fields lie in the line itself
}

// scan finds the fields of a line, or of a whole answer, without decoding it.
func scan(frame []byte) (l line, err error) {
	err = llm.Fields(frame, func(key, value []byte, _ int) bool {
		switch string(key) {
		case "model":
			l.model = value
		case "message":
			l.message = value
		case "response":
			l.generated.content, l.generated.plain = value, true
		case "thinking":
			l.generated.thinking = value
		case "tool_calls":
			l.generated.calls = value
		case "image":
			l.generated.image = value
		case "done":
			l.done = value
		case "done_reason":
			l.reason = value
		case "prompt_eval_count":
			l.prompt = value
		case "eval_count":
			l.eval = value
		case "error":
			l.fault = value
		}
		return true
	})
	return l, err
}

// part is where the fields of a message lie.
type part struct {
	content, thinking, calls, image []byte
	plain                           bool // it has no others, but its role
}

// part is what the line says, in either form; ok is false if it says nothing.
func (l *line) part() (p part, ok bool) {
	if len(l.message) > 0 && l.message[0] == '{' {
		return scanMessage(l.message), true
	}
	g := l.generated
	ok = g.content != nil || g.image != nil
	g.plain = g.plain && g.calls == nil && g.image == nil
	return g, ok
}

func scanMessage(raw []byte) (p part) {
	p.plain = true
	err := llm.Fields(raw, func(key, value []byte, _ int) bool {
		switch string(key) {
		case "content":
			p.content = value
		case "thinking":
			p.thinking = value
		case "tool_calls":
			p.calls, p.plain = value, false
		case "role":
		default:
			p.plain = false
		}
		return true
	})
	p.plain = p.plain && err == nil
	return p
}

// quick reads a line that holds a piece of text or thought and nothing else,
// as nearly all do, several times faster than decoding it; ok is false for
// any other.
func quick(frame []byte) (model []byte, m message, ok bool) {
	l, err := scan(frame)
	if err != nil || string(l.done) != "false" || refuses(l.fault) {
		return nil, m, false
	}
	p, _ := l.part()
	if !p.plain {
		return nil, m, false
	}
	var good bool
	if m.Content, good = str(p.content); !good {
		return nil, m, false
	}
	m.Thinking, ok = str(p.thinking)
	return l.model, m, ok
}

// str is the text of a JSON string; nil is an empty one.
func str(raw []byte) (string, bool) {
	if raw == nil {
		return "", true
	}
	return field.Text(raw)
}
