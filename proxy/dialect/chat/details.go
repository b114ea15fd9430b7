package chat

import (
	"bytes"
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// reasoning_details is OpenRouter's way to carry reasoning that must go back
// unchanged, and what other gateways and clients took over:
//
//	{"type": "reasoning.text", "text": ..., "signature": ..., "format": ..., "index": 0}
//	{"type": "reasoning.summary", "summary": ..., ...}
//	{"type": "reasoning.encrypted", "data": ..., "id": ..., ...}
//
// format says whose data it is. An encrypted entry with the id of a tool call
// is that call's signature. In a stream the text has gone out before its
// signature comes: such an entry of ours has, in place of the text, the span of
// bytes of reasoning_content that it signs.

// formatOf names the format of a dialect's data, as OpenRouter does.
func formatOf(origin string) string {
	switch origin {
	case "messages":
		return "anthropic-claude-v1"
	case "gemini":
		return "google-gemini-v1"
	case "responses":
		return "openai-responses-v1"
	}
	return ownFormat + origin
}

const ownFormat = "keytray-"

// originOf is the dialect that made the data of a format; chat's own providers
// made what has a format of no other dialect.
func originOf(format string) string {
	switch format {
	case "anthropic-claude-v1":
		return "messages"
	case "google-gemini-v1":
		return "gemini"
	case "openai-responses-v1":
		return "responses"
	}
	if origin, ok := strings.CutPrefix(format, ownFormat); ok {
		return origin
	}
	return name
}

// thought reads an assistant's reasoning of an earlier turn, and the
// signatures of its calls by their ids.
func (d *decoder) thought(m message) ([]llm.Block, map[string]llm.Block, *llm.Error) {
	said, err := field.String(m.param+".reasoning_content", m.reasoningContent)
	if err == nil && said == "" {
		said, err = field.String(m.param+".reasoning", m.reasoning)
	}
	if err != nil {
		return nil, nil, err
	}
	var blocks []llm.Block
	signed := map[string]llm.Block{}
	told := false // some entry has text
	bare := 0     // signatures without text
	err = field.Array(m.param+".reasoning_details", m.details, func(param string, v []byte) *llm.Error {
		if v[0] != '{' {
			return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
		}
		b := detail(v, said)
		id := field.Unquote(field.Of(v, "id"))
		if b.Kind == llm.Redacted && id != "" && hasCall(m.calls, id) {
			signed[id] = b
			return nil
		}
		told = told || b.Text != ""
		if last := len(blocks) - 1; last >= 0 && mergeable(blocks[last], b) {
			blocks[last].Text += b.Text
			blocks[last].Opaque, blocks[last].Origin = b.Opaque, b.Origin
			return nil
		}
		if b.Kind == llm.Thinking && b.Text == "" {
			bare++
		}
		blocks = append(blocks, b)
		return nil
	})
	if err != nil || told || said == "" {
		return blocks, signed, err
	}
	if bare == 1 { // it signs all there is
		for i := range blocks {
			if blocks[i].Kind == llm.Thinking {
				blocks[i].Text = said
			}
		}
		return blocks, signed, nil
	}
	kept := []llm.Block{{Kind: llm.Thinking, Text: said, Origin: name}}
	for _, b := range blocks {
		if b.Kind == llm.Redacted {
			kept = append(kept, b)
		} else {
			d.Prompt.Lose("messages[].reasoning_details: signatures without their text")
		}
	}
	return kept, signed, nil
}

// mergeable tells pieces of one block, pushed back as they were streamed.
func mergeable(last, next llm.Block) bool {
	return last.Kind == llm.Thinking && next.Kind == llm.Thinking && last.Opaque == ""
}

// detail reads one entry of reasoning_details. said is the text that a span
// points into.
func detail(v []byte, said string) llm.Block {
	origin := originOf(field.Unquote(field.Of(v, "format")))
	data, sig := field.Unquote(field.Of(v, "data")), field.Unquote(field.Of(v, "signature"))
	text := field.Unquote(field.Of(v, "text")) + field.Unquote(field.Of(v, "summary"))
	if text == "" {
		text = spanOf(field.Of(v, "span"), said)
	}
	b := llm.Block{Kind: llm.Thinking, Text: text, Opaque: sig, Origin: origin}
	if data != "" {
		b = llm.Block{Kind: llm.Redacted, Opaque: data, Origin: origin}
	}
	if origin == name {
		b.Opaque = string(wrapDetail(nil, v))
	}
	return b
}

// spanOf is the piece of the reasoning that an entry signs.
func spanOf(v []byte, said string) string {
	var at []int64
	_ = llm.Elements(v, func(v []byte, _ int) bool { // nil has none
		at = append(at, openai.Tokens(v))
		return len(at) < 2
	})
	if len(at) != 2 || at[0] > at[1] || at[1] > int64(len(said)) {
		return ""
	}
	return said[at[0]:at[1]]
}

// wrapDetail is an entry without its text: what goes back beside the text.
func wrapDetail(dst, v []byte) []byte {
	dst = append(dst, '{')
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // v is an object
		switch string(key) {
		case "text", "summary", "span":
		default:
			if len(dst) > 1 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, '"'), key...), '"', ':')
			dst = append(dst, oneLine(v)...)
		}
		return true
	})
	return append(dst, '}')
}

// oneLine copies a JSON value so that it fits into a frame: providers that
// print their JSON prettily would break it in two.
func oneLine(v []byte) []byte {
	v = bytes.Clone(v)
	for i, c := range v {
		if c == '\n' || c == '\r' { // only between values: strings escape theirs
			v[i] = ' '
		}
	}
	return v
}

func hasCall(calls []byte, id string) bool {
	found := false
	_ = llm.Elements(calls, func(v []byte, _ int) bool { // null or bad: no calls, and said elsewhere
		found = field.Unquote(field.Of(v, "id")) == id
		return !found
	})
	return found
}

// entry is what an answer writes of a block's opaque data.
type entry struct {
	kind           llm.BlockKind
	id             string // of a call
	text           string // of thinking; "" in a stream
	span           [2]int // of thinking in a stream; 0, 0 is none
	opaque, origin string
	index          int
}

// appendDetail writes an entry for a block: a thinking block's text with its
// signature, redacted data, or a call's signature under its id.
func appendDetail(dst []byte, e entry) []byte {
	switch {
	case e.origin == name:
		dst = unwrapDetail(dst, e.text, e.opaque)
		dst = dst[:len(dst)-1]
	case e.kind == llm.Thinking:
		dst = append(dst, `{"type":"reasoning.text",`...)
		if e.text != "" {
			dst = append(sse.AppendString(append(dst, `"text":`...), e.text), ',')
		}
		dst = sse.AppendString(append(dst, `"signature":`...), e.opaque)
	default:
		dst = append(dst, `{"type":"reasoning.encrypted","data":`...)
		dst = sse.AppendString(dst, e.opaque)
	}
	if e.origin != name {
		if e.id != "" {
			dst = sse.AppendString(append(dst, `,"id":`...), e.id)
		}
		dst = sse.AppendString(append(dst, `,"format":`...), formatOf(e.origin))
		dst = appendInt(append(dst, `,"index":`...), int64(e.index))
	}
	if e.span[1] > e.span[0] {
		dst = appendInt(append(dst, `,"span":[`...), int64(e.span[0]))
		dst = append(appendInt(append(dst, ','), int64(e.span[1])), ']')
	}
	return append(dst, '}')
}

// unwrapDetail puts an entry and its text together again.
func unwrapDetail(dst []byte, text, opaque string) []byte {
	entry := []byte(opaque)
	if len(entry) < 3 || entry[0] != '{' || !json.Valid(entry) {
		return append(dst, `{"type":"reasoning.text","text":""}`...)
	}
	if text == "" {
		return append(dst, entry...)
	}
	dst = append(append(dst, entry[:len(entry)-1]...), ',')
	if field.Unquote(field.Of(entry, "type")) == "reasoning.summary" {
		dst = append(dst, `"summary":`...)
	} else {
		dst = append(dst, `"text":`...)
	}
	return append(sse.AppendString(dst, text), '}')
}
