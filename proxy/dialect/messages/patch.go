package messages

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/splice"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Patch replaces the model's name, and cuts out what other providers made of
// this client's conversation and Anthropic would refuse: thinking without a
// signature of its own, and citations of other searches. Every other byte goes
// on as it came, so that prompt caches hit. Usage is always reported, so
// nothing is added.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	edits, err := nameModel(c, r)
	if err != nil {
		return nil, err
	}
	if hasForeign(r) {
		x := cutter{c: c, raw: r.Raw, edits: edits}
		x.body(r)
		edits = x.edits
	}
	return splice.Apply(r.Raw, edits...), nil
}

func nameModel(c *llm.Call, r *llm.Request) ([]splice.Edit, error) {
	if edits, ok, err := hostEdits(c, r); ok {
		return edits, err
	}
	if model, err := splice.Model(c, r); err == nil {
		return []splice.Edit{model}, nil
	}
	// A body that leaves the model to its path or route gets one.
	open := bytes.IndexByte(r.Raw, '{') + 1
	if open == 0 || len(bytes.TrimSpace(r.Raw[:open-1])) > 0 {
		return nil, llm.Invalid("", "the request body is not a JSON object")
	}
	model := sse.AppendString([]byte(`"model":`), c.Model.Name)
	if rest := bytes.TrimLeft(r.Raw[open:], " \t\r\n"); len(rest) > 0 && rest[0] != '}' {
		model = append(model, ',')
	}
	return []splice.Edit{{From: open, To: open, Text: model}}, nil
}

var (
	thinkingWord = []byte(`thinking"`) // of thinking and of redacted_thinking
	roleWord     = []byte(`assistant"`)
	sealWord     = []byte(llm.Seal("", "")[:12])
)

// hasForeign tells at a glance whether there may be something to cut.
func hasForeign(r *llm.Request) bool {
	if o := r.Outline; o != nil {
		return o.Opaque != llm.OpaqueNone
	}
	return bytes.Contains(r.Raw, roleWord) && (bytes.Contains(r.Raw, thinkingWord) || bytes.Contains(r.Raw, sealWord))
}

// cutter finds what to cut out of a body, by scanning it.
type cutter struct {
	c     *llm.Call
	raw   []byte
	edits []splice.Edit

	thinking [2]int // where the value of the body's own thinking field lies
	bare     bool   // the last turn of calls lost the thinking at its start
}

// span is where an element of an array lies, and whether it goes.
type span struct {
	from, to int
	cut      bool
}

func (x *cutter) body(r *llm.Request) {
	var messages []span
	_ = r.Fields(func(key, v []byte, at int) bool { // what is no object is the provider's to refuse
		switch string(key) {
		case "thinking":
			x.thinking = [2]int{at, at + len(v)}
		case "messages":
			if v[0] != '[' {
				break
			}
			llm.Array(x.raw, at, func(i int) int {
				end, cut := x.message(i)
				if end > 0 {
					messages = append(messages, span{i, end, cut})
				}
				return end
			})
		}
		return true
	})
	x.cut(messages)
	if own := x.raw[x.thinking[0]:x.thinking[1]]; x.bare && field.Unquote(field.Of(own, "type")) == "enabled" {
		// With a budget, calls must follow the thinking that led to them.
		x.edits = append(x.edits, splice.Edit{From: x.thinking[0], To: x.thinking[1], Text: []byte(`{"type":"disabled"}`)})
		x.c.Lose("thinking: none in the middle of tool calls whose own thinking is another provider's")
	}
}

// message cuts out of the message that starts at i, and tells where it ends;
// cut is true if nothing is left of it, so that it must go as a whole.
func (x *cutter) message(i int) (end int, cut bool) {
	var role string
	content := 0 // where it starts, if it came before the role
	end = llm.Object(x.raw, i, func(key []byte, i int) int {
		switch string(key) {
		case "role":
			end := llm.Skip(x.raw, i)
			if end > 0 {
				role = field.Unquote(x.raw[i:end])
			}
			return end
		case "content":
			if role == "assistant" {
				end, gone := x.content(i)
				cut = gone
				return end
			}
			content = i
		}
		return llm.Skip(x.raw, i)
	})
	if role == "assistant" && content > 0 {
		_, cut = x.content(content)
	}
	return end, cut
}

// content cuts out of an assistant's content; gone is true if nothing is left.
func (x *cutter) content(at int) (end int, gone bool) {
	if x.bare = false; x.raw[at] != '[' {
		return llm.Skip(x.raw, at), false
	}
	var blocks []span
	kept, cut, called, signed := 0, 0, false, false
	end = llm.Array(x.raw, at, func(i int) int {
		end, kind, foreign := x.foreign(i)
		if end < 0 {
			return end
		}
		blocks = append(blocks, span{i, end, foreign})
		switch {
		case foreign:
			cut++
			return end
		case kept == 0:
			signed = kind == "thinking" || kind == "redacted_thinking"
		}
		kept++
		called = called || kind == "tool_use"
		return end
	})
	x.bare = called && !signed && cut > 0
	if cut > 0 && kept == 0 {
		return end, true
	}
	x.cut(blocks)
	return end, false
}

// foreign tells whether the block that starts at i is thinking that this
// provider did not sign. Of text, it cuts citations that were made for another
// provider's search.
func (x *cutter) foreign(i int) (end int, kind string, cut bool) {
	var sign []byte
	var cites [2]int
	end = llm.Object(x.raw, i, func(key []byte, i int) int {
		end := llm.Skip(x.raw, i)
		if end < 0 {
			return end
		}
		switch v := x.raw[i:end]; string(key) {
		case "type":
			kind = field.Unquote(v)
		case "signature", "data":
			sign = v
		case "citations":
			if bytes.Contains(v, sealWord) {
				cites = [2]int{i, end}
			}
		}
		return end
	})
	switch kind {
	case "text":
		if cites[1] > 0 {
			x.edits = append(x.edits, splice.Edit{From: cites[0], To: cites[1], Text: []byte("null")})
			x.c.Lose("messages: citations of another provider's search")
		}
	case "thinking", "redacted_thinking":
		opaque := field.Unquote(sign)
		switch {
		case opaque == "":
			x.c.Lose("messages: earlier reasoning that is not signed")
		case llm.IsSealed(opaque), x.c.Foreign != nil && x.c.Foreign(opaque):
			x.c.Lose("messages: earlier reasoning of another provider")
		default:
			return end, kind, false
		}
		return end, kind, true
	}
	return end, kind, false
}

// cut takes elements out of their array, with one comma each.
func (x *cutter) cut(all []span) {
	for i := 0; i < len(all); i++ {
		if !all[i].cut {
			continue
		}
		last := i
		for last+1 < len(all) && all[last+1].cut {
			last++
		}
		switch {
		case last+1 < len(all):
			x.edits = append(x.edits, splice.Edit{From: all[i].from, To: all[last+1].from})
		case i > 0:
			x.edits = append(x.edits, splice.Edit{From: all[i-1].to, To: all[last].to})
		default:
			x.edits = append(x.edits, splice.Edit{From: all[i].from, To: all[last].to})
		}
		i = last
	}
}
