package chat

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// delta turns a piece of the message into events, in the order in which a
// model makes its parts.
func (d *reader) delta(dl *delta) {
	d.thought(dl)
	if dl.content != nil {
		d.contentOf(dl.content)
	}
	if dl.audio != nil && dl.content == nil { // what was said aloud, as text
		d.text(llm.Text, field.Unquote(field.Of(dl.audio, "transcript")))
	}
	if dl.refusal != nil {
		d.refused = d.refused || len(dl.refusal) > 2
		d.text(llm.Refusal, field.Unquote(dl.refusal))
	}
	if dl.annotations != nil {
		d.annotations(dl.annotations)
	}
	if dl.images != nil {
		d.pictures(dl.images)
	}
	if dl.calls != nil {
		d.toolCalls(dl.calls)
	}
	if dl.function != nil {
		if p := functionCall(dl.function); p != (piece{}) { // Snowflake fills in empty ones
			d.toolCall(0, p)
		}
	}
}

// contentOf reads content: a string, or Mistral's array of parts.
func (d *reader) contentOf(v []byte) {
	if v[0] != '[' {
		d.text(llm.Text, field.Unquote(v))
		return
	}
	_ = llm.Elements(v, func(v []byte, _ int) bool { // the chunk was read before
		switch field.Unquote(field.Of(v, "type")) {
		case "text", "output_text":
			d.text(llm.Text, field.Unquote(field.Of(v, "text")))
		case "thinking", "reasoning":
			d.text(llm.Thinking, partsText(field.Of(v, "thinking")))
		case "image_url":
			d.picture(v)
		case "reference": // Mistral's numbers of documents, which point nowhere here
		default:
			d.Call.Lose("content: a part of type " + field.Unquote(field.Of(v, "type")))
		}
		return !d.Over
	})
}

// text adds text to the open block of its kind, or opens one.
func (d *reader) text(kind llm.BlockKind, s string) {
	if s == "" || d.Over {
		return
	}
	d.begin(kind)
	d.Emit(llm.Event{Kind: llm.Delta, Block: kind, Index: d.index, Text: s})
	if kind == llm.Text {
		d.content = append(d.content, s...)
		d.flushCites()
	}
}

// begin makes sure that a block of a kind is open, and no other.
func (d *reader) begin(kind llm.BlockKind) {
	if d.open && d.kind == kind {
		return
	}
	d.close()
	d.endCalls()
	d.flushHidden()
	d.open, d.kind, d.index = true, kind, d.next
	d.next++
	d.content = d.content[:0]
	d.Emit(llm.Event{Kind: llm.BlockStart, Block: kind, Index: d.index})
}

// close ends the open block, if there is one.
func (d *reader) close() {
	if !d.open {
		return
	}
	d.open = false
	e := llm.Event{Kind: llm.BlockStop, Block: d.kind, Index: d.index}
	switch d.kind {
	case llm.Thinking:
		if d.opaque != nil {
			e.Opaque, e.Origin = string(d.opaque), d.Call.Origin(name)
			d.opaque, d.signed = nil, false
		}
	case llm.Text:
		d.before += utf8.RuneCount(d.content)
	}
	d.Emit(e)
}

// thought reads reasoning in the forms that providers chose: reasoning_content
// (DeepSeek and most), reasoning (Groq, OpenRouter, Ollama), or entries of
// reasoning_details, which also sign it and often repeat a plain form.
func (d *reader) thought(dl *delta) {
	told := dl.details != nil && tellsText(dl.details)
	for _, v := range [2][]byte{dl.reasoningContent, dl.reasoning} {
		if !told && v != nil && v[0] == '"' && len(v) > 2 {
			d.text(llm.Thinking, field.Unquote(v))
			break
		}
	}
	if dl.details == nil {
		return
	}
	_ = llm.Elements(dl.details, func(v []byte, _ int) bool { // what is no array has no entries
		d.entry(v)
		return !d.Over
	})
}

// tellsText tells that some entry of reasoning_details has text.
func tellsText(details []byte) bool {
	found := false
	_ = llm.Elements(details, func(v []byte, _ int) bool { // what is no array has no entries
		found = len(field.Of(v, "text")) > 2 && !field.Null(field.Of(v, "text")) || len(field.Of(v, "summary")) > 2 && !field.Null(field.Of(v, "summary"))
		return !found
	})
	return found
}

// entry takes one of reasoning_details in.
func (d *reader) entry(v []byte) {
	if !json.Valid(v) { // it goes to the client as it is
		d.Garbage("an entry of reasoning_details cannot be read")
		return
	}
	if data := field.Of(v, "data"); !field.Null(data) && len(data) > 2 {
		d.hidden = append(d.hidden, oneLine(v))
		if len(d.calls) == 0 { // else it waits for the calls to end
			d.close()
			d.flushHidden()
		}
		return
	}
	if said := field.Unquote(field.Of(v, "text")) + field.Unquote(field.Of(v, "summary")); said != "" {
		if d.open && d.kind == llm.Thinking && d.signed {
			d.close()
		}
		d.text(llm.Thinking, said)
	}
	signature, id := field.Of(v, "signature"), field.Of(v, "id")
	isSigned := len(signature) > 2 && !field.Null(signature)
	if !isSigned && field.Null(id) {
		return
	}
	if !d.open && len(d.calls) == 0 {
		d.begin(llm.Thinking)
	}
	if !d.open || d.kind != llm.Thinking { // too late for its block
		d.Call.Lose("reasoning_details: a signature apart from its reasoning")
		return
	}
	if d.opaque == nil || isSigned {
		d.opaque, d.signed = wrapDetail(nil, v), isSigned
	}
}

// flushHidden yields encrypted entries as redacted thinking.
func (d *reader) flushHidden() {
	for _, v := range d.hidden {
		d.Emit(llm.Event{Kind: llm.BlockStart, Block: llm.Redacted, Index: d.next})
		d.Emit(llm.Event{Kind: llm.BlockStop, Block: llm.Redacted, Index: d.next, Opaque: string(v), Origin: d.Call.Origin(name)})
		d.next++
	}
	d.hidden = nil
}

// annotations keeps citations for the text that they are about.
func (d *reader) annotations(v []byte) {
	_ = llm.Elements(v, func(v []byte, _ int) bool { // null has none
		c := field.Of(v, "url_citation")
		if field.Unquote(field.Of(v, "type")) != "url_citation" || c == nil {
			d.Call.Lose("annotations: " + field.Unquote(field.Of(v, "type")))
			return true
		}
		d.cites = append(d.cites, &llm.Citation{
			URL: field.Unquote(field.Of(c, "url")), Title: field.Unquote(field.Of(c, "title")), Quote: field.Unquote(field.Of(c, "content")),
			Start: int(openai.Tokens(field.Of(c, "start_index"))), End: int(openai.Tokens(field.Of(c, "end_index"))),
		})
		return true
	})
	if d.open && d.kind == llm.Text {
		d.flushCites()
	}
}

// flushCites yields citations into the open text block. Their indices count
// characters of the whole content on the wire, and bytes of the block here.
func (d *reader) flushCites() {
	for _, c := range d.cites {
		c.Start, c.End = d.byteAt(c.Start), d.byteAt(c.End)
		if c.Start < 0 || c.End <= c.Start {
			c.Start, c.End = 0, 0
		}
		d.Emit(llm.Event{Kind: llm.Delta, Block: llm.Text, Index: d.index, Cite: c})
	}
	d.cites = nil
}

// byteAt is where a character of the content starts in the open block, or -1.
func (d *reader) byteAt(char int) int {
	return openai.ByteAt(d.content, char-d.before)
}

// pictures yields images, whole.
func (d *reader) pictures(v []byte) {
	_ = llm.Elements(v, func(v []byte, _ int) bool { // null has none
		d.picture(v)
		return !d.Over
	})
}

func (d *reader) picture(v []byte) {
	link := field.Unquote(field.Of(field.Of(v, "image_url"), "url"))
	head, data, ok := strings.Cut(strings.TrimPrefix(link, "data:"), ";base64,")
	if !ok || !strings.HasPrefix(link, "data:") {
		d.Call.Lose("images: a picture that is only a URL")
		return
	}
	d.close()
	d.endCalls()
	d.flushHidden()
	d.Emit(llm.Event{Kind: llm.BlockStart, Block: llm.Image, Index: d.next, Name: head})
	d.Emit(llm.Event{Kind: llm.Delta, Block: llm.Image, Index: d.next, Text: data})
	d.Emit(llm.Event{Kind: llm.BlockStop, Block: llm.Image, Index: d.next})
	d.next++
}
