package messages

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// begin opens a block.
func (d *decoder) begin(wire int, w *block) {
	b := &turns.Block{Wire: wire}
	var id, called, first string
	switch w.Type {
	case "text":
		b.Kind, first = llm.Text, w.Text
	case "thinking":
		b.Kind, first = llm.Thinking, w.Thinking
		b.Opaque = []byte(w.Signature)
	case "redacted_thinking":
		b.Kind = llm.Redacted
		b.Opaque = []byte(w.Data)
	case "tool_use":
		b.Input = turns.Compact(w.Input)
		if w.Name == d.Call.FormatTool && w.Name != "" {
			b.Kind = llm.Text
			break
		}
		b.Kind = llm.ToolCall
		id, called = w.ID, turns.Restore(d.Call, w.Name)
		if id == "" {
			id = "call_" + rand.Text()
		}
	default: // server tools and their results, and kinds yet to come (B11)
		b.Hidden = true
		d.Call.Lose("answer: a part of type " + turns.Clip(w.Type))
	}
	d.Add(d.Begin(b, id, called), first)
	for i := range w.Citations {
		b.Cite(w.Citations[i].neutral())
	}
}

// delta handles a content_block_delta.
func (d *decoder) delta(data []byte) error {
	var p piece
	if !cutPiece(data, &p) {
		return d.oddDelta(data)
	}
	b := d.Find(p.index)
	if b == nil {
		return turns.Garbage(fmt.Errorf("a delta of block %d, which has not begun", p.index))
	}
	if b.Hidden {
		return nil
	}
	switch string(p.kind) {
	case "text_delta", "thinking_delta", "input_json_delta", "signature_delta":
		s, ok := field.Text(p.value)
		if !ok {
			return turns.Garbage(errors.New("a delta is not text"))
		}
		if p.kind[0] == 's' {
			b.Opaque = append(b.Opaque, s...)
		} else {
			d.Add(b, s)
		}
	case "citations_delta":
		var c citation
		if err := json.Unmarshal(p.value, &c); err != nil {
			return turns.Garbage(err)
		}
		b.Cite(c.neutral())
	default:
		d.Call.Lose("answer: a delta of type " + turns.Clip(string(p.kind)))
	}
	return nil
}

// oddDelta is a delta of a kind yet to come, or nonsense.
func (d *decoder) oddDelta(data []byte) error {
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return turns.Garbage(err)
	}
	if e.Delta == nil || e.Delta.Type == "" {
		return turns.Garbage(errors.New("a delta without a type"))
	}
	if b := d.Find(e.Index); b == nil || !b.Hidden {
		d.Call.Lose("answer: a delta of type " + turns.Clip(e.Delta.Type))
	}
	return nil
}

func (c *citation) neutral() llm.Citation {
	out := llm.Citation{URL: c.URL, Title: c.Title, Quote: c.CitedText}
	if out.URL == "" {
		out.URL = c.Source
	}
	if out.Title == "" {
		out.Title = c.DocumentTitle
	}
	return out
}
