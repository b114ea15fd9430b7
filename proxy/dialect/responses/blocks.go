package responses

import (
	"bytes"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// item is one item of the answer, as far as it has come.
type item struct {
	at    int // its output_index
	id    string
	kind  string
	done  bool
	sent  []int // bytes yielded of each of its parts
	cited bool  // its citations came one by one

	// Of reasoning: which of its two lists of texts is yielded, and the part
	// of it that came last.
	list  string
	last  int
	begun bool // its block was opened
	call  *toolCall
}

// find is the item that an event is about: by its index, which all providers
// give, or else by its id. One that was not announced begins here.
func (d *reader) find(f *frame) *item {
	id := ""
	if f.output < 0 {
		if id = field.Unquote(f.itemID); id == "" {
			id = field.Unquote(field.Of(f.item, "id"))
		}
	}
	for i := len(d.items) - 1; i >= 0; i-- {
		if it := d.items[i]; f.output >= 0 && it.at == f.output || f.output < 0 && it.id == id {
			return it
		}
	}
	it := &item{at: f.output, id: id}
	if f.output < 0 {
		it.at = -1 - len(d.items)
	}
	if len(d.items) > maxIndex {
		d.Garbage("the answer has too many items")
	}
	d.items = append(d.items, it)
	return it
}

// part is the count of bytes yielded of one of the item's parts.
func (it *item) part(n int) *int {
	n = max(n, 0)
	for len(it.sent) <= n {
		it.sent = append(it.sent, 0)
	}
	return &it.sent[n]
}

// added takes in that an item has begun. A call's block can begin with it.
func (d *reader) added(f *frame) {
	o := outcome{}
	d.start(&o)
	it := d.find(f)
	if it.done || f.item == nil {
		return
	}
	it.kind, it.id = field.Unquote(field.Of(f.item, "type")), field.Unquote(field.Of(f.item, "id"))
	switch it.kind {
	case "function_call", "custom_tool_call":
		d.callItem(it, f.item)
	default:
		d.Emit(llm.Event{Kind: llm.Ping})
	}
}

// finished takes in a whole item: what of it has not come in pieces.
func (d *reader) finished(it *item, v []byte) {
	if it.done || v == nil {
		return
	}
	o := outcome{}
	d.start(&o)
	it.done = true
	switch it.kind = field.Unquote(field.Of(v, "type")); it.kind {
	case "message":
		d.message(it, v)
	case "reasoning":
		d.reasoned(it, v)
	case "function_call", "custom_tool_call":
		d.callItem(it, v)
		d.endCall(it.call, v)
	case "web_search_call":
		if isSearch(v) {
			d.searches++
		}
		d.Emit(llm.Event{Kind: llm.Ping})
	case "image_generation_call":
		d.picture(v)
	default: // run by the provider: no call of the client's (B11)
		d.Call.Lose("output: " + it.kind)
	}
}

// isSearch tells a search, which is billed, from the reading of its pages.
func isSearch(item []byte) bool {
	what := field.Unquote(field.Of(field.Of(item, "action"), "type"))
	return what == "" || what == "search"
}

func (d *reader) message(it *item, v []byte) {
	n := 0
	_ = llm.Elements(field.Of(v, "content"), func(v []byte, _ int) bool { // null has no parts
		d.wholePart(it, n, v)
		n++
		return !d.Over
	})
	if d.open && d.owner == it {
		d.close("")
	}
}

// wholePart yields a part that did not come in pieces, and its citations.
func (d *reader) wholePart(it *item, n int, v []byte) {
	kind, key := llm.Text, "text"
	switch field.Unquote(field.Of(v, "type")) {
	case "output_text", "text":
	case "refusal":
		kind, key = llm.Refusal, "refusal"
	default:
		d.Call.Lose("output: a part of type " + field.Unquote(field.Of(v, "type")))
		return
	}
	if *it.part(n) == 0 {
		d.text(kind, it, n, field.Unquote(field.Of(v, key)))
	}
	if it.cited || kind != llm.Text {
		return
	}
	_ = llm.Elements(field.Of(v, "annotations"), func(v []byte, _ int) bool { // null has none
		it.cited = true
		d.annotation(v, it)
		return !d.Over
	})
}

// said takes in a piece of text or refusal, or all of it (done).
func (d *reader) said(f *frame, v []byte, piece bool) {
	o := outcome{}
	d.start(&o)
	it := d.find(f)
	kind := llm.Text
	if strings.HasPrefix(f.kind, "response.refusal") {
		kind = llm.Refusal
	}
	if n := max(f.content, 0); !it.done && (piece || *it.part(n) == 0) {
		d.text(kind, it, n, field.Unquote(v))
	}
}

func (d *reader) partDone(f *frame) {
	it := d.find(f)
	if it.done || field.Unquote(field.Of(f.part, "type")) == "reasoning_text" {
		return
	}
	d.wholePart(it, max(f.content, 0), f.part)
	if d.open && d.owner == it && d.part == max(f.content, 0) {
		d.close("")
	}
}

// text adds text to the block of an item's part, or opens it.
func (d *reader) text(kind llm.BlockKind, it *item, n int, s string) {
	if s == "" || d.Over {
		return
	}
	*it.part(n) += len(s)
	if !d.open || d.owner != it || d.part != n || d.kind != kind {
		d.begin(kind, it, n)
	}
	d.refused = d.refused || kind == llm.Refusal
	d.Emit(llm.Event{Kind: llm.Delta, Block: kind, Index: d.index, Text: s})
	if kind == llm.Text {
		d.content = append(d.content, s...)
	}
}

// begin opens a block, and closes every other.
func (d *reader) begin(kind llm.BlockKind, it *item, part int) {
	d.close("")
	d.endCalls()
	d.open, d.kind, d.owner, d.part, d.index = true, kind, it, part, d.next
	d.next++
	d.content = d.content[:0]
	d.Emit(llm.Event{Kind: llm.BlockStart, Block: kind, Index: d.index})
}

// close ends the open block, if there is one.
func (d *reader) close(opaque string) {
	if !d.open {
		return
	}
	d.open = false
	e := llm.Event{Kind: llm.BlockStop, Block: d.kind, Index: d.index}
	if opaque != "" {
		e.Opaque, e.Origin = opaque, d.Call.Origin(name)
	}
	d.Emit(e)
}

// thought takes in a piece of reasoning, or all of a part of it. An item may
// hold a summary and the raw text: what comes first is yielded (F11).
func (d *reader) thought(f *frame, v []byte, piece bool) {
	o := outcome{}
	d.start(&o)
	it := d.find(f)
	list, n := "summary", f.summary
	if strings.HasPrefix(f.kind, "response.reasoning_text") {
		list, n = "content", f.content
	}
	d.reason(it, list, max(n, 0), field.Unquote(v), piece)
}

func (d *reader) reason(it *item, list string, n int, s string, piece bool) {
	if it.list == "" {
		it.list = list
	}
	if s == "" || d.Over || list != it.list || it.done && piece || !piece && *it.part(n) > 0 {
		return
	}
	if !d.open || d.owner != it || d.kind != llm.Thinking {
		d.begin(llm.Thinking, it, 0)
		it.begun = true
	} else if n != it.last {
		s = "\n\n" + s
	}
	it.last = n
	*it.part(n) += len(s)
	d.Emit(llm.Event{Kind: llm.Delta, Block: llm.Thinking, Index: d.index, Text: s})
}

// reasoned takes in a whole reasoning item. Without any text it is thinking
// that only its provider can read.
func (d *reader) reasoned(it *item, v []byte) {
	for _, list := range [2]string{"summary", "content"} {
		n := 0
		_ = llm.Elements(field.Of(v, list), func(v []byte, _ int) bool { // null has no parts
			d.reason(it, list, n, field.Unquote(field.Of(v, "text")), false)
			n++
			return !d.Over
		})
	}
	secret := field.Unquote(field.Of(v, "encrypted_content"))
	d.Call.Mark(secret)
	if d.open && d.owner == it {
		d.close(secret)
		return
	}
	if secret == "" {
		return
	}
	d.begin(llm.Redacted, it, 0)
	d.close(secret)
}

// annotation yields a citation into the open text block. Its indices count
// characters of the part on the wire, and bytes of the block here.
func (d *reader) annotation(v []byte, it *item) {
	if v == nil || it.done && !d.open {
		return
	}
	if kind := field.Unquote(field.Of(v, "type")); kind != "url_citation" {
		d.Call.Lose("annotations: " + kind)
		return
	}
	if !d.open || d.owner != it || d.kind != llm.Text {
		d.Call.Lose("annotations: apart from their text")
		return
	}
	it.cited = true
	c := &llm.Citation{
		URL: field.Unquote(field.Of(v, "url")), Title: field.Unquote(field.Of(v, "title")), Quote: field.Unquote(field.Of(v, "content")),
		Start: openai.ByteAt(d.content, int(openai.Tokens(field.Of(v, "start_index")))),
		End:   openai.ByteAt(d.content, int(openai.Tokens(field.Of(v, "end_index")))),
	}
	if c.Start < 0 || c.End <= c.Start {
		c.Start, c.End = 0, 0
	}
	d.Emit(llm.Event{Kind: llm.Delta, Block: llm.Text, Index: d.index, Cite: c})
}

// picture yields an image, whole.
func (d *reader) picture(v []byte) {
	data := field.Unquote(field.Of(v, "result"))
	if data == "" {
		d.Call.Lose("output: image_generation_call: an image without data")
		return
	}
	mime := imageType(field.Unquote(field.Of(v, "output_format")))
	if raw, ok := bytes.CutPrefix([]byte(data), []byte("data:")); ok { // a gateway's data URL
		if head, rest, ok := strings.Cut(string(raw), ";base64,"); ok {
			mime, data = head, rest
		}
	}
	d.close("")
	d.endCalls()
	d.Emit(llm.Event{Kind: llm.BlockStart, Block: llm.Image, Index: d.next, Name: mime})
	d.Emit(llm.Event{Kind: llm.Delta, Block: llm.Image, Index: d.next, Text: data})
	d.Emit(llm.Event{Kind: llm.BlockStop, Block: llm.Image, Index: d.next})
	d.next++
}
