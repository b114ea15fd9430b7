package chat

import (
	"strings"

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
// is that call's signature.

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
	var blocks []llm.Block
	signed := map[string]llm.Block{}
	told := false // some entry has text
	err := array(m.param+".reasoning_details", m.details, func(_ int, param string, v []byte) *llm.Error {
		if v[0] != '{' {
			return llm.Invalid(param, "%s must be an object, not %s", param, kindOf(v))
		}
		b := detail(v)
		id := unquote(field(v, "id"))
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
		blocks = append(blocks, b)
		return nil
	})
	if err != nil || told {
		return blocks, signed, err
	}
	s, err := text(m.param+".reasoning_content", m.reasoningContent)
	if err == nil && s == "" {
		s, err = text(m.param+".reasoning", m.reasoning)
	}
	if s != "" {
		blocks = append([]llm.Block{{Kind: llm.Thinking, Text: s, Origin: name}}, blocks...)
	}
	return blocks, signed, err
}

// mergeable tells pieces of one block, pushed back as they were streamed.
func mergeable(last, next llm.Block) bool {
	return last.Kind == llm.Thinking && next.Kind == llm.Thinking && last.Opaque == ""
}

// detail reads one entry of reasoning_details.
func detail(v []byte) llm.Block {
	origin := originOf(unquote(field(v, "format")))
	data, sig := unquote(field(v, "data")), unquote(field(v, "signature"))
	text := unquote(field(v, "text")) + unquote(field(v, "summary"))
	b := llm.Block{Kind: llm.Thinking, Text: text, Opaque: sig, Origin: origin}
	if data != "" {
		b = llm.Block{Kind: llm.Redacted, Opaque: data, Origin: origin}
	}
	if origin == name {
		b.Opaque = string(wrapDetail(nil, v))
	}
	return b
}

// wrapDetail is an entry without its text: what goes back beside the text.
func wrapDetail(dst, v []byte) []byte {
	dst = append(dst, '{')
	_ = llm.Fields(v, func(key, v []byte, _ int) bool { // v is an object
		switch string(key) {
		case "text", "summary":
		default:
			if len(dst) > 1 {
				dst = append(dst, ',')
			}
			dst = append(append(append(dst, '"'), key...), '"', ':')
			dst = append(dst, v...)
		}
		return true
	})
	return append(dst, '}')
}

func hasCall(calls []byte, id string) bool {
	found := false
	_ = llm.Elements(calls, func(v []byte) bool { // null or bad: no calls, and said elsewhere
		found = unquote(field(v, "id")) == id
		return !found
	})
	return found
}

// appendDetail writes an entry for a block: a thinking block's text with its
// signature, redacted data, or a call's signature under its id.
func appendDetail(dst []byte, kind llm.BlockKind, id, text, opaque, origin string, index int) []byte {
	if origin == name {
		return unwrapDetail(dst, text, opaque)
	}
	if kind == llm.Thinking {
		dst = append(dst, `{"type":"reasoning.text","text":`...)
		dst = sse.AppendString(dst, text)
		dst = append(dst, `,"signature":`...)
	} else {
		dst = append(dst, `{"type":"reasoning.encrypted","data":`...)
	}
	dst = sse.AppendString(dst, opaque)
	if id != "" {
		dst = append(dst, `,"id":`...)
		dst = sse.AppendString(dst, id)
	}
	dst = append(dst, `,"format":`...)
	dst = sse.AppendString(dst, formatOf(origin))
	dst = append(dst, `,"index":`...)
	return append(appendInt(dst, int64(index)), '}')
}

// unwrapDetail puts an entry and its text together again.
func unwrapDetail(dst []byte, text, opaque string) []byte {
	entry := []byte(opaque)
	if len(entry) < 2 || entry[0] != '{' {
		return append(dst, `{"type":"reasoning.text","text":""}`...)
	}
	if text == "" {
		return append(dst, entry...)
	}
	dst = append(dst, entry[:len(entry)-1]...)
	if len(entry) > 2 {
		dst = append(dst, ',')
	}
	if unquote(field(entry, "type")) == "reasoning.summary" {
		dst = append(dst, `"summary":`...)
	} else {
		dst = append(dst, `"text":`...)
	}
	return append(sse.AppendString(dst, text), '}')
}
