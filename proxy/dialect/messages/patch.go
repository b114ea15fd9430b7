package messages

import (
	"bytes"
	"cmp"
	"slices"

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
	if hasForeign(r.Raw) {
		x := cutter{c: c, raw: r.Raw, edits: edits}
		x.body()
		edits = x.edits
	}
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	pieces := make([][]byte, 0, 2*len(edits)+1)
	at := 0
	for _, e := range edits {
		pieces = append(pieces, r.Raw[at:e.from:e.from])
		if len(e.with) > 0 {
			pieces = append(pieces, e.with)
		}
		at = e.to
	}
	return append(pieces, r.Raw[at:]), nil
}

// edit replaces the bytes [from, to) of a body.
type edit struct {
	from, to int
	with     []byte
}

func nameModel(c *llm.Call, r *llm.Request) ([]edit, error) {
	if edits, ok, err := hostEdits(c, r); ok {
		return edits, err
	}
	start, end := r.ModelAt[0], r.ModelAt[1]
	if 0 < start && start < end && end <= len(r.Raw) {
		return []edit{{start, end, sse.AppendString(nil, c.Model.Name)}}, nil
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
	return []edit{{open, open, model}}, nil
}

var (
	thinkingWord = []byte(`thinking"`) // of thinking and of redacted_thinking
	roleWord     = []byte(`assistant"`)
	sealWord     = []byte(llm.Seal("", "")[:12])
)

// hasForeign tells at a glance whether there may be something to cut.
func hasForeign(body []byte) bool {
	return bytes.Contains(body, roleWord) && (bytes.Contains(body, thinkingWord) || bytes.Contains(body, sealWord))
}

// cutter finds what to cut out of a body, by scanning it.
type cutter struct {
	c     *llm.Call
	raw   []byte
	edits []edit

	thinking [2]int // where the value of the body's own thinking field lies
	bare     bool   // the last turn of calls lost the thinking at its start
}

// span is where an element of an array lies, and whether it goes.
type span struct {
	from, to int
	cut      bool
}

func (x *cutter) body() {
	var messages []span
	_ = llm.Fields(x.raw, func(key, v []byte, at int) bool { // what is no object is the provider's to refuse
		switch string(key) {
		case "thinking":
			x.thinking = [2]int{at, at + len(v)}
		case "messages":
			_ = llm.Elements(v, func(m []byte, i int) bool { // the same
				messages = append(messages, span{at + i, at + i + len(m), x.message(m, at+i)})
				return true
			})
		}
		return true
	})
	x.cut(messages)
	if own := x.raw[x.thinking[0]:x.thinking[1]]; x.bare && stringOf(field(own, "type")) == "enabled" {
		// With a budget, calls must follow the thinking that led to them.
		x.edits = append(x.edits, edit{x.thinking[0], x.thinking[1], []byte(`{"type":"disabled"}`)})
		x.c.Lose("thinking: none in the middle of tool calls whose own thinking is another provider's")
	}
}

// message cuts out of one message, which lies at base; true if nothing is left
// of it, so that it must go as a whole.
func (x *cutter) message(m []byte, base int) bool {
	var role string
	var content []byte
	at := 0
	_ = llm.Fields(m, func(key, v []byte, i int) bool { // what is no object is the provider's to refuse
		switch string(key) {
		case "role":
			role = stringOf(v)
		case "content":
			content, at = v, base+i
		}
		return true
	})
	if role != "assistant" {
		return false
	}
	if x.bare = false; len(content) == 0 || content[0] != '[' {
		return false
	}
	var blocks []span
	kept, cut, called, signed := 0, 0, false, false
	_ = llm.Elements(content, func(b []byte, i int) bool { // the same
		kind, foreign := x.foreign(b, at+i)
		blocks = append(blocks, span{at + i, at + i + len(b), foreign})
		switch {
		case foreign:
			cut++
			return true
		case kept == 0:
			signed = kind == "thinking" || kind == "redacted_thinking"
		}
		kept++
		called = called || kind == "tool_use"
		return true
	})
	x.bare = called && !signed && cut > 0
	if cut > 0 && kept == 0 {
		return true
	}
	x.cut(blocks)
	return false
}

// foreign tells whether a block is thinking that this provider did not sign.
// Of text, it cuts citations that were made for another provider's search.
func (x *cutter) foreign(b []byte, base int) (kind string, cut bool) {
	var sign []byte
	var cites [2]int
	_ = llm.Fields(b, func(key, v []byte, at int) bool { // what is no object is the provider's to refuse
		switch string(key) {
		case "type":
			kind = stringOf(v)
		case "signature", "data":
			sign = v
		case "citations":
			if bytes.Contains(v, sealWord) {
				cites = [2]int{base + at, base + at + len(v)}
			}
		}
		return true
	})
	switch kind {
	case "text":
		if cites[1] > 0 {
			x.edits = append(x.edits, edit{cites[0], cites[1], []byte("null")})
			x.c.Lose("messages: citations of another provider's search")
		}
	case "thinking", "redacted_thinking":
		opaque := stringOf(sign)
		switch {
		case opaque == "":
			x.c.Lose("messages: earlier reasoning that is not signed")
		case llm.IsSealed(opaque), x.c.Foreign != nil && x.c.Foreign(opaque):
			x.c.Lose("messages: earlier reasoning of another provider")
		default:
			return kind, false
		}
		return kind, true
	}
	return kind, false
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
			x.edits = append(x.edits, edit{all[i].from, all[last+1].from, nil})
		case i > 0:
			x.edits = append(x.edits, edit{all[i-1].to, all[last].to, nil})
		default:
			x.edits = append(x.edits, edit{all[i].from, all[last].to, nil})
		}
		i = last
	}
}
