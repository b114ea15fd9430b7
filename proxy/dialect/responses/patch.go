package responses

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch replaces the model's name. Reasoning that another provider made is
// taken out of the input, as this one would refuse it (F10), and so are the
// ids of what followed it, which refer to it (F15). Nothing else changes; the
// pieces share r.Raw.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	if r.ModelAt[1] <= r.ModelAt[0] || r.ModelAt[1] > len(r.Raw) {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the place of the model in the request is not known"}
	}
	model := edit{at: r.ModelAt, text: sse.AppendString(nil, c.Model.Name)}
	edits := foreign(c, r)
	if len(edits) > 0 {
		c.Lose("reasoning of earlier turns: another provider made it")
	}
	return apply(r.Raw, merge(edits, model)), nil
}

// edit replaces the bytes at [start, end).
type edit struct {
	at   [2]int
	text []byte
}

// element is one item of the input.
type element struct {
	at     [2]int
	kind   string
	remove bool
	id     [2]int // where the value of its id lies
	orphan bool   // its id goes
}

// foreign finds the reasoning of other providers in the input.
func foreign(c *llm.Call, r *llm.Request) []edit {
	if !r.MayHold(c) || r.Outline == nil && !bytes.Contains(r.Raw, []byte(`"encrypted_content"`)) {
		return nil
	}
	var edits []edit
	_ = r.Fields(func(key, _ []byte, at int) bool { // the body was read before
		if string(key) == "input" {
			edits = append(edits, cut(foreignItems(c, r.Raw, at), r.Raw)...)
		}
		return true
	})
	return edits
}

// foreignItems are the items of the input that starts at a place in the body.
func foreignItems(c *llm.Call, body []byte, input int) []element {
	if body[input] != '[' {
		return nil // a text has none
	}
	var items []element
	gone := map[string]bool{}
	orphans := false
	llm.Array(body, input, func(i int) int {
		e := element{}
		var id, secret []byte
		role := ""
		end := llm.Object(body, i, func(key []byte, i int) int {
			end := llm.Skip(body, i)
			if end < 0 {
				return end
			}
			switch x := body[i:end]; string(key) {
			case "type":
				e.kind = field.Unquote(x)
			case "role":
				role = field.Unquote(x)
			case "id":
				id, e.id = x, [2]int{i, end}
			case "encrypted_content":
				secret = x
			}
			return end
		})
		if end < 0 {
			return end
		}
		e.at = [2]int{i, end}
		switch {
		case e.kind == "reasoning":
			s := field.Unquote(secret)
			e.remove = s != "" && (llm.IsSealed(s) || c.Foreign != nil && c.Foreign(s))
			orphans = e.remove
			if e.remove && len(id) > 0 {
				gone[field.Unquote(id)] = true
			}
		case e.kind == "item_reference":
			e.remove = gone[field.Unquote(id)]
		case role == "user":
			orphans = false
		default:
			e.orphan = orphans && !field.Null(id)
		}
		items = append(items, e)
		return end
	})
	return items
}

// cut makes edits of what goes: an item with one of the commas beside it.
func cut(items []element, body []byte) []edit {
	var edits []edit
	kept := false
	for i, e := range items {
		switch {
		case e.orphan:
			edits = append(edits, remove(body, edit{at: e.id}))
		case e.remove && kept:
			edits = append(edits, edit{at: [2]int{items[i-1].at[1], e.at[1]}})
		case e.remove && i+1 < len(items):
			edits = append(edits, edit{at: [2]int{e.at[0], items[i+1].at[0]}})
		case e.remove:
			edits = append(edits, edit{at: e.at})
		}
		kept = kept || !e.remove
	}
	return edits
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// remove takes a field out of the object with its key and one comma.
func remove(body []byte, e edit) edit {
	start := bytes.LastIndexByte(body[:e.at[0]], ':')
	start = bytes.LastIndexByte(body[:start], '"')
	for start--; body[start] != '"'; start-- {
	}
	end := skipSpace(body, e.at[1])
	if body[end] == ',' {
		return edit{at: [2]int{start, end + 1}}
	}
	for start--; body[start] == ' ' || body[start] == '\n' || body[start] == '\t' || body[start] == '\r'; start-- {
	}
	if body[start] != ',' { // it is the only field
		start++
	}
	return edit{at: [2]int{start, e.at[1]}}
}

// merge puts the model's edit in its place among the others.
func merge(edits []edit, model edit) []edit {
	i := 0
	for i < len(edits) && edits[i].at[0] < model.at[0] {
		i++
	}
	out := make([]edit, 0, len(edits)+1)
	out = append(append(out, edits[:i]...), model)
	return append(out, edits[i:]...)
}

func apply(body []byte, edits []edit) [][]byte {
	pieces := make([][]byte, 0, 2*len(edits)+1)
	at := 0
	for _, e := range edits {
		if e.at[0] > at {
			pieces = append(pieces, body[at:e.at[0]])
		}
		if len(e.text) > 0 {
			pieces = append(pieces, e.text)
		}
		at = e.at[1]
	}
	return append(pieces, body[at:])
}
