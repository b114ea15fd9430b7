package responses

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/splice"
	"keytray/proxy/llm"
)

// Patch replaces the model's name. Reasoning that another provider made is
// taken out of the input, as this one would refuse it (F10), and so are the
// ids of what followed it, which refer to it (F15). Nothing else changes; the
// pieces share r.Raw.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	model, err := splice.Model(c, r)
	if err != nil {
		return nil, err
	}
	edits := foreign(c, r)
	if len(edits) > 0 {
		c.Lose("reasoning of earlier turns: another provider made it")
	}
	return splice.Apply(r.Raw, append(edits, model)...), nil
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
func foreign(c *llm.Call, r *llm.Request) []splice.Edit {
	if !r.MayHold(c) || r.Outline == nil && !bytes.Contains(r.Raw, []byte(`"encrypted_content"`)) {
		return nil
	}
	var edits []splice.Edit
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
func cut(items []element, body []byte) []splice.Edit {
	var edits []splice.Edit
	kept := false
	for i, e := range items {
		switch {
		case e.orphan:
			edits = append(edits, splice.Remove(body, e.id[0], e.id[1]))
		case e.remove && kept:
			edits = append(edits, splice.Edit{From: items[i-1].at[1], To: e.at[1]})
		case e.remove && i+1 < len(items):
			edits = append(edits, splice.Edit{From: e.at[0], To: items[i+1].at[0]})
		case e.remove:
			edits = append(edits, splice.Edit{From: e.at[0], To: e.at[1]})
		}
		kept = kept || !e.remove
	}
	return edits
}
