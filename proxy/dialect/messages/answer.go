package messages

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// find is the open block with the provider's index, or nil.
func (d *decoder) find(wire int) *openBlock {
	for _, b := range d.open {
		if b.wire == wire {
			return b
		}
	}
	return nil
}

// begin opens a block. One that is still open and is no call is closed first,
// so that blocks never overlap.
func (d *decoder) begin(wire int, w *block) {
	d.start(nil)
	b := &openBlock{wire: wire}
	start := llm.Event{Kind: llm.BlockStart}
	first := ""
	switch w.Type {
	case "text":
		b.kind, first = llm.Text, w.Text
	case "thinking":
		b.kind, first = llm.Thinking, w.Thinking
		b.opaque = []byte(w.Signature)
	case "redacted_thinking":
		b.kind = llm.Redacted
		b.opaque = []byte(w.Data)
	case "tool_use":
		b.input = compact(w.Input)
		if w.Name == d.call.FormatTool && w.Name != "" {
			b.kind = llm.Text
			break
		}
		b.kind = llm.ToolCall
		start.ID, start.Name = w.ID, restore(d.call, w.Name)
		if start.ID == "" {
			start.ID = "call_" + rand.Text()
		}
		d.calls++
	default: // server tools and their results, and kinds yet to come (B11)
		b.hidden = true
		d.call.Lose("answer: a part of type " + clip(w.Type))
	}
	for _, o := range slices.Clone(d.open) {
		if o.wire == wire || o.kind != llm.ToolCall || b.kind != llm.ToolCall {
			d.end(o)
		}
	}
	d.open = append(d.open, b)
	if b.hidden {
		return
	}
	b.index = d.next
	d.next++
	start.Index, start.Block = b.index, b.kind
	d.emit(start)
	d.add(b, first)
	for i := range w.Citations {
		b.cite(&w.Citations[i])
	}
}

// add yields a piece of text or of arguments.
func (d *decoder) add(b *openBlock, s string) {
	if s == "" || b.hidden {
		return
	}
	b.size += len(s)
	d.emit(llm.Event{Kind: llm.Delta, Block: b.kind, Index: b.index, Text: s})
}

// end closes a block.
func (d *decoder) end(b *openBlock) {
	d.open = slices.DeleteFunc(d.open, func(o *openBlock) bool { return o == b })
	if b.hidden {
		return
	}
	if b.size == 0 && b.input != "" { // a call without arguments, or with all of them at its start (B7)
		d.add(b, b.input)
	}
	for i := range b.cites {
		b.cites[i].End = b.size
		d.emit(llm.Event{Kind: llm.Delta, Block: b.kind, Index: b.index, Cite: &b.cites[i]})
	}
	stop := llm.Event{Kind: llm.BlockStop, Block: b.kind, Index: b.index}
	if len(b.opaque) > 0 {
		stop.Opaque, stop.Origin = string(b.opaque), d.call.Origin(name)
	}
	d.emit(stop)
}

// delta handles a content_block_delta.
func (d *decoder) delta(data []byte) error {
	var p piece
	if !cutPiece(data, &p) {
		return d.oddDelta(data)
	}
	b := d.find(p.index)
	if b == nil {
		return garbage(fmt.Errorf("a delta of block %d, which has not begun", p.index))
	}
	if b.hidden {
		return nil
	}
	switch string(p.kind) {
	case "text_delta", "thinking_delta", "input_json_delta", "signature_delta":
		s, ok := field.Text(p.value)
		if !ok {
			return garbage(errors.New("a delta is not text"))
		}
		if p.kind[0] == 's' {
			b.opaque = append(b.opaque, s...)
		} else {
			d.add(b, s)
		}
	case "citations_delta":
		var c citation
		if err := json.Unmarshal(p.value, &c); err != nil {
			return garbage(err)
		}
		b.cite(&c)
	default:
		d.call.Lose("answer: a delta of type " + clip(string(p.kind)))
	}
	return nil
}

// oddDelta is a delta of a kind yet to come, or nonsense.
func (d *decoder) oddDelta(data []byte) error {
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return garbage(err)
	}
	if e.Delta == nil || e.Delta.Type == "" {
		return garbage(errors.New("a delta without a type"))
	}
	if b := d.find(e.Index); b == nil || !b.hidden {
		d.call.Lose("answer: a delta of type " + clip(e.Delta.Type))
	}
	return nil
}

// cite keeps a citation until the block's text, which it stands for, is whole.
func (b *openBlock) cite(c *citation) {
	out := llm.Citation{URL: c.URL, Title: c.Title, Quote: c.CitedText}
	if out.URL == "" {
		out.URL = c.Source
	}
	if out.Title == "" {
		out.Title = c.DocumentTitle
	}
	b.cites = append(b.cites, out)
}

// compact is a call's input as one line of JSON.
func compact(input json.RawMessage) string {
	var b bytes.Buffer
	if len(input) == 0 || string(input) == "null" || json.Compact(&b, input) != nil {
		return "{}"
	}
	return b.String()
}
