package converse

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// find is the open block with the provider's index, or nil (G11).
func (d *decoder) find(wire int) *openBlock {
	for _, b := range d.open {
		if b.wire == wire {
			return b
		}
	}
	return nil
}

// begin opens a block. What is still open and is no call is closed first, so
// that blocks never overlap.
func (d *decoder) begin(wire int, kind llm.BlockKind, about string) *openBlock {
	d.start()
	for _, o := range slices.Clone(d.open) {
		if o.wire == wire || o.kind != llm.ToolCall || kind != llm.ToolCall {
			d.end(o)
		}
	}
	b := &openBlock{wire: wire, index: d.next, kind: kind}
	d.next++
	d.open = append(d.open, b)
	e := llm.Event{Kind: llm.BlockStart, Block: kind, Index: b.index}
	if kind == llm.Image {
		e.Name = about
	}
	if kind != llm.ToolCall {
		d.emit(e)
	}
	return b
}

// in is the open block of an index if it is of a kind, or a new one: only
// calls and images are announced, other blocks begin with what they hold.
func (d *decoder) in(wire int, kind llm.BlockKind) *openBlock {
	if b := d.find(wire); b != nil && b.kind == kind {
		return b
	}
	return d.begin(wire, kind, "")
}

func (d *decoder) beginCall(wire int, t *toolUse) *openBlock {
	if t.Name == d.call.FormatTool && t.Name != "" {
		b := d.begin(wire, llm.Text, "")
		b.isCall = true
		return b
	}
	b := d.begin(wire, llm.ToolCall, "")
	b.isCall = true
	d.calls++
	id, called := t.ID, restore(d.call, t.Name)
	if id == "" || slices.Contains(d.ids, id) {
		id = "call_" + rand.Text()
	}
	if called == "" {
		called = "tool"
	}
	d.ids = append(d.ids, id)
	d.emit(llm.Event{Kind: llm.BlockStart, Block: llm.ToolCall, Index: b.index, ID: id, Name: called})
	return b
}

// add yields a piece of text or of arguments.
func (d *decoder) add(b *openBlock, s string) {
	if s == "" {
		return
	}
	b.size += len(s)
	d.emit(llm.Event{Kind: llm.Delta, Block: b.kind, Index: b.index, Text: s})
}

// end closes a block.
func (d *decoder) end(b *openBlock) {
	d.open = slices.DeleteFunc(d.open, func(o *openBlock) bool { return o == b })
	if b.isCall && b.size == 0 {
		d.add(b, "{}") // a call without arguments sends none
	}
	for i := range b.cites {
		b.cites[i].End = b.size
		d.emit(llm.Event{Kind: llm.Delta, Block: b.kind, Index: b.index, Cite: &b.cites[i]})
	}
	stop := llm.Event{Kind: llm.BlockStop, Block: b.kind, Index: b.index}
	if len(b.opaque) > 0 {
		stop.Opaque, stop.Origin = string(b.opaque), d.call.Origin(name)
		if b.kind == llm.Redacted {
			stop.Opaque = base64.StdEncoding.EncodeToString(b.opaque)
		}
		d.call.Mark(stop.Opaque)
	}
	d.emit(stop)
}

// redact keeps redacted reasoning, which may come in several pieces.
func (b *openBlock) redact(s string) error {
	raw, err := base64.StdEncoding.DecodeString(s)
	b.opaque = append(b.opaque, raw...)
	return err
}

// delta handles a contentBlockDelta.
func (d *decoder) delta(wire int, raw []byte) error {
	p := cutPiece(raw)
	if p.value == nil {
		if p.kind != "" {
			d.call.Lose("answer: a delta of type " + clip(p.kind))
		}
		return nil
	}
	if p.kind == "citation" || p.kind == "image" {
		return d.oddDelta(wire, p)
	}
	s, ok := field.Text(p.value)
	if !ok {
		return garbage(errors.New("a delta is not text"))
	}
	switch p.kind {
	case "text":
		if s != "" { // some models begin with an empty piece, of a block of its own
			d.add(d.in(wire, llm.Text), s)
		}
	case "input":
		b := d.find(wire)
		if b == nil || !b.isCall {
			return garbage(errors.New("arguments came for a call that has not begun"))
		}
		d.add(b, s)
	case "reasoning":
		if s != "" {
			d.add(d.in(wire, llm.Thinking), s)
		}
	case "signature":
		b := d.in(wire, llm.Thinking)
		b.opaque = append(b.opaque, s...)
	case "redacted":
		if err := d.in(wire, llm.Redacted).redact(s); err != nil {
			return garbage(err)
		}
	}
	return nil
}

func (d *decoder) oddDelta(wire int, p piece) error {
	if p.kind == "citation" {
		var c citation
		if err := json.Unmarshal(p.value, &c); err != nil {
			return garbage(err)
		}
		b := d.in(wire, llm.Text)
		b.cites = append(b.cites, c.neutral())
		return nil
	}
	var i struct {
		Source struct {
			Bytes string `json:"bytes"`
		} `json:"source"`
	}
	if err := json.Unmarshal(p.value, &i); err != nil {
		return garbage(err)
	}
	if b := d.find(wire); b != nil && b.kind == llm.Image {
		d.add(b, i.Source.Bytes)
	}
	return nil
}

func (c *citation) neutral() llm.Citation {
	out := llm.Citation{URL: c.Location.Web.URL, Title: c.Title}
	if out.URL == "" {
		out.URL = c.Source
	}
	for _, q := range c.Quotes {
		out.Quote += q.Text
	}
	return out
}

// block handles a block of a whole answer.
func (d *decoder) block(at int, c *content) {
	switch {
	case c.Text != nil:
		if *c.Text != "" {
			d.add(d.in(at, llm.Text), *c.Text)
		}
	case c.ToolUse != nil:
		d.add(d.beginCall(at, c.ToolUse), compact(c.ToolUse.Input))
	case c.Reasoning != nil && c.Reasoning.Text != nil:
		b := d.in(at, llm.Thinking)
		d.add(b, c.Reasoning.Text.Text)
		b.opaque = append(b.opaque, c.Reasoning.Text.Signature...)
	case c.Reasoning != nil && c.Reasoning.Redacted != "":
		if err := d.in(at, llm.Redacted).redact(c.Reasoning.Redacted); err != nil {
			d.call.Lose("answer: redacted reasoning that is not base64")
		}
	case c.Image != nil:
		d.add(d.begin(at, llm.Image, "image/"+c.Image.Format), c.Image.Source.Bytes)
	case c.Citations != nil:
		b := d.in(at, llm.Text)
		for _, part := range c.Citations.Content {
			d.add(b, part.Text)
		}
		for i := range c.Citations.Citations {
			b.cites = append(b.cites, c.Citations.Citations[i].neutral())
		}
	default:
		d.call.Lose("answer: a part of a kind that is not known")
	}
	if b := d.find(at); b != nil {
		d.end(b)
	}
}

// compact is a call's input as one line of JSON.
func compact(input json.RawMessage) string {
	var b bytes.Buffer
	if len(input) == 0 || string(input) == "null" || json.Compact(&b, input) != nil {
		return "{}"
	}
	return b.String()
}
