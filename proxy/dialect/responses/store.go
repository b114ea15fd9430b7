package responses

import (
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Items are the items that a conversation goes on with: a request's input, or
// a response's output, as they stand. A text is made the user's message that
// it is. The response may be whole, or the terminal event of a stream. The
// items share memory with body. The error is an [*llm.Error].
func Items(body []byte) ([]json.RawMessage, error) {
	var input, output []byte
	err := llm.Fields(body, func(key, v []byte, _ int) bool {
		switch field.Name(key) {
		case "input":
			input = v
		case "output":
			output = v
		case "response":
			output = field.Of(v, "output")
		}
		return true
	})
	if err != nil {
		return nil, field.Unreadable(body)
	}
	list, what := input, "input"
	if output != nil {
		list, what = output, "output"
	}
	return itemsOf(what, list)
}

func itemsOf(what string, v []byte) ([]json.RawMessage, error) {
	if field.Null(v) {
		return nil, nil
	}
	if v[0] == '"' {
		item := append([]byte(`{"type":"message","role":"user","content":`), v...)
		return []json.RawMessage{append(item, '}')}, nil
	}
	var items []json.RawMessage
	if llm.Elements(v, func(v []byte, _ int) bool { items = append(items, v); return true }) != nil {
		return nil, llm.Invalid(what, "%s must be a text or an array of items, not %s", what, field.Kind(v))
	}
	return items, nil
}

// Refers tells what a request says of earlier answers: the answer that it
// continues ("" is none), and the ids of the items that it refers to.
func Refers(body []byte) (previous string, items []string) {
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // what is no request refers to nothing
		switch field.Name(key) {
		case "previous_response_id":
			previous = field.Unquote(v)
		case "input":
			_ = llm.Elements(v, func(v []byte, _ int) bool { // a text refers to nothing
				if id := reference(v); id != "" {
					items = append(items, id)
				}
				return true
			})
		}
		return true
	})
	return previous, items
}

// reference is the id of the item that v refers to, or "".
func reference(v []byte) string {
	if field.Unquote(field.Of(v, "type")) != "item_reference" {
		return ""
	}
	return field.Unquote(field.Of(v, "id"))
}

// Expand makes a request whole that continues an earlier answer: its input is
// what came before, previous, followed by its own, and previous_response_id is
// taken out. An item that its own input merely refers to is not repeated. All
// else stays as it is, byte for byte. The error is an [*llm.Error].
func Expand(previous []json.RawMessage, body []byte) ([]byte, error) {
	have := map[string]bool{}
	for _, v := range previous {
		if id := field.Unquote(field.Of(v, "id")); id != "" {
			have[id] = true
		}
	}
	return rewrite(body, "previous_response_id", func(own []json.RawMessage) []json.RawMessage {
		all := append([]json.RawMessage{}, previous...)
		for _, v := range own {
			if id := reference(v); id == "" || !have[id] {
				all = append(all, v)
			}
		}
		return all
	})
}

// Resolve puts items in the place of references to them. find gives the item
// of an id, or nil if it is not kept: the reference then stays as it is. The
// error is an [*llm.Error].
func Resolve(find func(id string) json.RawMessage, body []byte) ([]byte, error) {
	return rewrite(body, "", func(own []json.RawMessage) []json.RawMessage {
		for i, v := range own {
			if id := reference(v); id != "" {
				if whole := find(id); whole != nil {
					own[i] = whole
				}
			}
		}
		return own
	})
}

// rewrite replaces a request's input, and takes one field out.
func rewrite(body []byte, out string, change func([]json.RawMessage) []json.RawMessage) ([]byte, error) {
	own, err := Items(body)
	if err != nil {
		return nil, err
	}
	if !json.Valid(body) {
		return nil, field.Unreadable(body)
	}
	input := []byte{'['}
	for i, v := range change(own) {
		if i > 0 {
			input = append(input, ',')
		}
		input = append(input, v...)
	}
	input = append(input, ']')
	b := append(make([]byte, 0, len(body)+len(input)), '{')
	placed := false
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // Items has read it
		switch field.Name(key) {
		case out:
			return true
		case "input":
			v, placed = input, true
		}
		b = appendField(b, key, v)
		return true
	})
	if !placed {
		b = appendField(b, []byte("input"), input)
	}
	return append(b, '}'), nil
}

func appendField(b, key, v []byte) []byte {
	if len(b) > 1 {
		b = append(b, ',')
	}
	b = append(append(append(b, '"'), key...), '"', ':')
	return append(b, v...)
}
