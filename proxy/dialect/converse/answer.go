package converse

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// in is the open block of an index if it is of a kind, or a new one: only
// calls and images are announced, other blocks begin with what they hold.
func (d *decoder) in(wire int, kind llm.BlockKind) *turns.Block {
	if b := d.Find(wire); b != nil && b.Kind == kind { // G11
		return b
	}
	return d.Begin(&turns.Block{Wire: wire, Kind: kind}, "", "")
}

func (d *decoder) beginImage(wire int, format string) *turns.Block {
	return d.Begin(&turns.Block{Wire: wire, Kind: llm.Image}, "", "image/"+format)
}

// beginCall opens a call, or the text that the call of a format's tool is.
func (d *decoder) beginCall(wire int, t *toolUse) *turns.Block {
	b := &turns.Block{Wire: wire, Kind: llm.ToolCall, Input: "{}"} // one without arguments sends none
	if t.Name == d.Call.FormatTool && t.Name != "" {
		b.Kind = llm.Text
		return d.Begin(b, "", "")
	}
	id, called := t.ID, turns.Restore(d.Call, t.Name)
	if id == "" || slices.Contains(d.ids, id) {
		id = "call_" + rand.Text()
	}
	if called == "" {
		called = "tool"
	}
	d.ids = append(d.ids, id)
	return d.Begin(b, id, called)
}

// redact adds to redacted reasoning, whose base64 may come in several pieces.
func redact(b *turns.Block, s string) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, b.Opaque)
	if err == nil {
		raw, err = base64.StdEncoding.AppendDecode(raw, []byte(s))
	}
	b.Opaque = base64.StdEncoding.AppendEncode(nil, raw)
	return err
}

// delta handles a contentBlockDelta.
func (d *decoder) delta(wire int, raw []byte) error {
	p := cutPiece(raw)
	if p.value == nil {
		if p.kind != "" {
			d.Call.Lose("answer: a delta of type " + turns.Clip(p.kind))
		}
		return nil
	}
	if p.kind == "citation" || p.kind == "image" {
		return d.oddDelta(wire, p)
	}
	s, ok := field.Text(p.value)
	if !ok {
		return turns.Garbage(errors.New("a delta is not text"))
	}
	switch p.kind {
	case "text":
		if s != "" { // some models begin with an empty piece, of a block of its own
			d.Add(d.in(wire, llm.Text), s)
		}
	case "input":
		b := d.Find(wire)
		if b == nil || b.Input == "" {
			return turns.Garbage(errors.New("arguments came for a call that has not begun"))
		}
		d.Add(b, s)
	case "reasoning":
		if s != "" {
			d.Add(d.in(wire, llm.Thinking), s)
		}
	case "signature":
		b := d.in(wire, llm.Thinking)
		b.Opaque = append(b.Opaque, s...)
	case "redacted":
		if err := redact(d.in(wire, llm.Redacted), s); err != nil {
			return turns.Garbage(err)
		}
	}
	return nil
}

func (d *decoder) oddDelta(wire int, p piece) error {
	if p.kind == "citation" {
		var c citation
		if err := json.Unmarshal(p.value, &c); err != nil {
			return turns.Garbage(err)
		}
		b := d.in(wire, llm.Text)
		b.Cite(c.neutral())
		return nil
	}
	var i struct {
		Source struct {
			Bytes string `json:"bytes"`
		} `json:"source"`
	}
	if err := json.Unmarshal(p.value, &i); err != nil {
		return turns.Garbage(err)
	}
	if b := d.Find(wire); b != nil && b.Kind == llm.Image {
		d.Add(b, i.Source.Bytes)
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
			d.Add(d.in(at, llm.Text), *c.Text)
		}
	case c.ToolUse != nil:
		d.Add(d.beginCall(at, c.ToolUse), turns.Compact(c.ToolUse.Input))
	case c.Reasoning != nil && c.Reasoning.Text != nil:
		b := d.in(at, llm.Thinking)
		d.Add(b, c.Reasoning.Text.Text)
		b.Opaque = append(b.Opaque, c.Reasoning.Text.Signature...)
	case c.Reasoning != nil && c.Reasoning.Redacted != "":
		if err := redact(d.in(at, llm.Redacted), c.Reasoning.Redacted); err != nil {
			d.Call.Lose("answer: redacted reasoning that is not base64")
		}
	case c.Image != nil:
		d.Add(d.beginImage(at, c.Image.Format), c.Image.Source.Bytes)
	case c.Citations != nil:
		b := d.in(at, llm.Text)
		for _, part := range c.Citations.Content {
			d.Add(b, part.Text)
		}
		for i := range c.Citations.Citations {
			b.Cite(c.Citations.Citations[i].neutral())
		}
	default:
		d.Call.Lose("answer: a part of a kind that is not known")
	}
	if b := d.Find(at); b != nil {
		d.End(b)
	}
}
