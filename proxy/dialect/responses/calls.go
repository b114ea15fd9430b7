package responses

import (
	"crypto/rand"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// toolCall is one call of the answer. Its block starts once its name is known
// (D12). The arguments of a custom tool's call are its text, made JSON.
type toolCall struct {
	id, name string
	custom   bool
	index    int // of the block
	started  bool
	stopped  bool
	waiting  []byte // arguments from before the start
	sent     int    // bytes of arguments that came
	whole    bool   // the arguments are complete
}

// callItem takes in what an item says of its call.
func (d *reader) callItem(it *item, v []byte) {
	if it.call == nil {
		it.call = &toolCall{}
	}
	t := it.call
	t.custom = it.kind == "custom_tool_call"
	if t.name == "" {
		if t.name = field.Unquote(field.Of(v, "name")); t.name != "" {
			t.name = joinName(field.Unquote(field.Of(v, "namespace")), t.name)
		}
	}
	if t.id == "" {
		if t.id = field.Unquote(field.Of(v, "call_id")); t.id == "" && it.done {
			t.id = it.id
		}
	}
	if t.id != "" || it.done {
		d.startCall(t)
	}
}

// startCall opens the block of a call that has a name.
func (d *reader) startCall(t *toolCall) {
	if t.started || t.name == "" || d.Over {
		return
	}
	d.close("")
	if t.id == "" || d.taken(t) {
		t.id = "call_" + rand.Text()
	}
	t.started, t.index = true, d.next
	d.next++
	d.calls = true
	client := t.name
	if original, ok := d.Call.Tools[t.name]; ok {
		client = original
	}
	d.Emit(llm.Event{Kind: llm.BlockStart, Block: llm.ToolCall, Index: t.index, ID: t.id, Name: client})
	if len(t.waiting) > 0 {
		d.Emit(llm.Event{Kind: llm.Delta, Block: llm.ToolCall, Index: t.index, Text: string(t.waiting)})
		t.waiting = nil
	}
}

func (d *reader) taken(t *toolCall) bool {
	for _, it := range d.items {
		if c := it.call; c != nil && c != t && c.started && c.id == t.id {
			return true
		}
	}
	return false
}

// grow adds to a call's arguments.
func (d *reader) grow(t *toolCall, s string) {
	switch {
	case s == "" || d.Over:
	case t.stopped:
		d.Garbage("a tool call goes on after it ended")
	case t.started:
		d.Emit(llm.Event{Kind: llm.Delta, Block: llm.ToolCall, Index: t.index, Text: s})
	default:
		t.waiting = append(t.waiting, s...)
	}
}

// of is the call that an event is about; nil if its item is over (F16).
func (d *reader) callOf(f *frame) *toolCall {
	o := outcome{}
	d.start(&o)
	it := d.find(f)
	if it.call == nil {
		it.call = &toolCall{custom: f.kind == inputDelta}
	}
	if f.name != nil && it.call.name == "" {
		it.call.name = field.Unquote(f.name)
	}
	if it.done || it.call.whole {
		return nil
	}
	return it.call
}

// arguments takes in a piece of a call's arguments, or all of them, which
// count only if no piece came (D4).
func (d *reader) arguments(f *frame, v []byte, piece bool) {
	t := d.callOf(f)
	if t == nil {
		return
	}
	if s := argumentText(v); piece || t.sent == 0 {
		t.sent += len(s)
		d.grow(t, s)
	}
	t.whole = !piece && t.sent > 0
}

// argumentText is a string, or an object that a provider sent as such.
func argumentText(v []byte) string {
	if len(v) > 0 && v[0] == '{' {
		return string(v)
	}
	return field.Unquote(v)
}

// input takes in a piece of a custom tool's text, or all of it.
func (d *reader) input(f *frame, v []byte, piece bool) {
	t := d.callOf(f)
	if t == nil {
		return
	}
	if piece || t.sent == 0 {
		d.growInput(t, field.Unquote(v))
	}
	if !piece {
		d.endInput(t)
	}
}

const inputHead = `{"input":"`

func (d *reader) growInput(t *toolCall, s string) {
	if s == "" {
		return
	}
	quoted := sse.AppendString(nil, s)
	s = string(quoted[1 : len(quoted)-1])
	if t.sent == 0 {
		s = inputHead + s
	}
	t.sent += len(s)
	d.grow(t, s)
}

func (d *reader) endInput(t *toolCall) {
	if t.whole {
		return
	}
	if t.sent == 0 {
		d.grow(t, inputHead)
	}
	t.whole = true
	d.grow(t, `"}`)
}

// endCall ends a call with its whole item: what did not come in pieces comes
// now, and a call without arguments has "{}" (B7, F16).
func (d *reader) endCall(t *toolCall, v []byte) {
	if t.stopped || d.Over {
		return
	}
	switch {
	case t.whole:
	case t.custom:
		if t.sent == 0 {
			d.growInput(t, field.Unquote(field.Of(v, "input")))
		}
		d.endInput(t)
	case t.sent == 0:
		s := argumentText(field.Of(v, "arguments"))
		if s == "" {
			s = "{}"
		}
		t.sent = len(s)
		d.grow(t, s)
	}
	t.whole = true
	if d.startCall(t); !t.started && !d.Over {
		d.Garbage("a tool call has no name")
		return
	}
	t.stopped = true
	d.Emit(llm.Event{Kind: llm.BlockStop, Block: llm.ToolCall, Index: t.index})
}

// endCalls ends the calls that are open.
func (d *reader) endCalls() {
	for _, it := range d.items {
		if it.call != nil && !it.call.stopped {
			d.endCall(it.call, nil)
		}
	}
}
