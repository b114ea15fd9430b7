package gemini

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// response reads what a function answered.
func (t *turn) response(p newPart) *llm.Error {
	param := p.param + ".functionResponse"
	b := llm.Block{Kind: llm.ToolResult}
	var said, parts []byte
	err := object(param, p.response, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "id":
			b.ID, err = field.String(param+".id", v)
		case "name":
			b.Name, err = field.String(param+".name", v)
		case "response":
			said = v
		case "parts":
			parts = v
		default:
			if field.Truthy(v) {
				t.p.Lose("contents: functionResponse." + key)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	t.match(&b)
	if b.ID == "" {
		return llm.Invalid(param, "%s answers no function call that was made before it: %q is not waiting for a response", param, b.Name)
	}
	if s, failed := outcome(said); s != "" || failed {
		b.Failed = failed
		b.Content = []llm.Block{{Text: s}}
	}
	t.m.Blocks = append(t.m.Blocks, b)
	t.answer = true
	return list(param+".parts", parts, func(param string, v []byte) *llm.Error {
		inner := newPart{param: param}
		err := object(param, v, func(key string, v []byte) *llm.Error {
			switch key {
			case "inlineData":
				inner.inline = v
			case "fileData":
				inner.file = v
			default:
				t.p.Lose("contents: functionResponse.parts." + key)
			}
			return nil
		})
		if err != nil || inner.inline == nil && inner.file == nil {
			return err
		}
		return t.media(inner)
	})
}

// match finds the call that a response belongs to: by id, else the oldest one
// of its name that waits (E8, E9).
func (t *turn) match(b *llm.Block) {
	at := -1
	for i, w := range t.waiting {
		if b.ID != "" && w.given == b.ID || b.ID == "" && w.name == b.Name {
			at = i
			break
		}
	}
	if at < 0 && b.ID != "" { // an id of the client's own making
		for i, w := range t.waiting {
			if w.name == b.Name {
				at = i
				break
			}
		}
	}
	if at < 0 {
		return
	}
	b.ID, b.Name = t.waiting[at].id, t.waiting[at].name
	t.waiting = append(t.waiting[:at:at], t.waiting[at+1:]...)
}

// outcome is what a response says: the text of "output" or of "error" where
// there is nothing else, or else the whole object.
func outcome(v []byte) (said string, failed bool) {
	if field.Null(v) {
		return "", false
	}
	n := 0
	var output, problem []byte
	if llm.Fields(v, func(k, v []byte, _ int) bool {
		n++
		switch string(k) {
		case "output":
			output = v
		case "error":
			problem = v
		}
		return true
	}) != nil {
		return string(v), false
	}
	failed = output == nil && field.Truthy(problem)
	if n == 1 {
		for _, v := range [][]byte{output, problem} {
			if s, ok := field.Text(v); ok && len(v) > 0 {
				return s, failed
			}
		}
	}
	return string(v), failed
}
