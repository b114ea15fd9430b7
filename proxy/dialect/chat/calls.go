package chat

import (
	"crypto/rand"
	"encoding/json"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// toolCall is one call of the answer. Its block starts once its name is known
// (D12), and stops when another kind of part begins or the answer ends: calls
// may grow side by side.
type toolCall struct {
	at       int    // the provider's index
	given    string // the provider's id, if it gave one
	id, name string
	args     []byte // all of them, so far
	index    int    // of the block
	started  bool
	stopped  bool
	sent     int    // how much of args was yielded
	extra    string // extra_content, which must go back
	custom   bool   // its argument is free text, which args has as JSON
}

// piece is what one delta says of a call.
type piece struct {
	id, name, args string
	extra          string
	custom         bool // args is a piece of free text
}

func (d *reader) toolCalls(v []byte) {
	i := 0
	err := llm.Elements(v, func(v []byte, _ int) bool {
		at := i
		var p piece
		var fn, custom []byte
		err := llm.Fields(v, func(key, v []byte, _ int) bool {
			switch string(key) {
			case "index":
				if n, err := strconv.Atoi(string(v)); err == nil && !d.strict {
					at = n
				}
			case "id":
				p.id = field.Unquote(v)
			case "function":
				fn = v
			case "custom":
				custom = v
			case "extra_content":
				if json.Valid(v) && !field.Null(v) {
					p.extra = string(oneLine(v))
				}
			}
			return true
		})
		switch {
		case err != nil:
			d.Garbage("a tool call cannot be read: %v", err)
		case fn != nil:
			f := functionCall(fn)
			p.name, p.args = f.name, f.args
		case custom != nil: // free text, where a function has an object
			p.custom = true
			p.name, p.args = field.Unquote(field.Of(custom, "name")), field.Unquote(field.Of(custom, "input"))
		}
		d.toolCall(at, p)
		i++
		return !d.Over
	})
	if err != nil {
		d.Garbage("the tool calls cannot be read: %v", err)
	}
}

func functionCall(v []byte) piece {
	var p piece
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // null has no fields
		switch string(key) {
		case "name":
			p.name = field.Unquote(v)
		case "arguments":
			p.args = arguments(v)
		}
		return true
	})
	return p
}

// toolCall adds a piece to the call that the provider has at an index.
func (d *reader) toolCall(at int, p piece) {
	var t *toolCall
	for i := len(d.calls) - 1; i >= 0 && t == nil; i-- {
		if d.calls[i].at == at {
			t = d.calls[i]
		}
	}
	if t == nil || t.another(p) {
		t = &toolCall{at: at}
		d.calls = append(d.calls, t)
	}
	if t.given == "" {
		t.given = p.id
	}
	if t.name == "" {
		t.name = p.name
	}
	if p.extra != "" {
		t.extra = `{"extra_content":` + p.extra + `}`
	}
	if t.stopped && p.args != "" {
		d.Garbage("a tool call goes on after it ended")
		return
	}
	if t.custom = t.custom || p.custom; t.custom {
		t.input(p.args)
	} else {
		t.args = append(t.args, p.args...)
	}
	if t.name != "" && !t.stopped {
		d.grow(t)
	}
}

const inputHead = `{"input":"`

// input adds a piece of free text to the arguments.
func (t *toolCall) input(s string) {
	if s == "" {
		return
	}
	if len(t.args) == 0 {
		t.args = append(t.args, inputHead...)
	}
	at := len(t.args)
	t.args = sse.AppendString(t.args, s)
	t.args = append(t.args[:at], t.args[at+1:len(t.args)-1]...) // without the quotes
}

// another tells that a piece begins a new call although its index is taken:
// some providers give every call the index 0 (H5).
func (t *toolCall) another(p piece) bool {
	if p.name == "" {
		return false
	}
	if p.id != "" && t.given != "" {
		return p.id != t.given
	}
	return p.id == "" && t.given == "" && t.name != "" && json.Valid(t.args)
}

// grow yields what a call has not yielded yet.
func (d *reader) grow(t *toolCall) {
	if !t.started {
		d.close()
		t.started, t.index = true, d.next
		d.next++
		if t.id = t.given; t.id == "" || d.taken(t) {
			t.id = "call_" + rand.Text()
		}
		client := t.name
		if original, ok := d.Call.Tools[t.name]; ok {
			client = original
		}
		d.Emit(llm.Event{Kind: llm.BlockStart, Block: llm.ToolCall, Index: t.index, ID: t.id, Name: client})
	}
	if t.sent < len(t.args) {
		d.Emit(llm.Event{Kind: llm.Delta, Block: llm.ToolCall, Index: t.index, Text: string(t.args[t.sent:])})
		t.sent = len(t.args)
	}
}

func (d *reader) taken(t *toolCall) bool {
	for _, c := range d.calls {
		if c != t && c.started && c.id == t.id {
			return true
		}
	}
	return false
}

// endCalls stops the calls that are open. One without arguments gets "{}" (B7).
func (d *reader) endCalls() {
	for _, t := range d.calls {
		if t.stopped || d.Over {
			continue
		}
		if t.name == "" {
			d.Garbage("a tool call has no name")
			return
		}
		if t.custom {
			if len(t.args) == 0 {
				t.args = append(t.args, inputHead...)
			}
			t.args = append(t.args, `"}`...)
		}
		d.grow(t)
		if len(t.args) == 0 {
			d.Emit(llm.Event{Kind: llm.Delta, Block: llm.ToolCall, Index: t.index, Text: "{}"})
		}
		t.stopped = true
		e := llm.Event{Kind: llm.BlockStop, Block: llm.ToolCall, Index: t.index}
		if t.extra != "" {
			e.Opaque, e.Origin = t.extra, d.Call.Origin(name)
		}
		d.Emit(e)
	}
}
