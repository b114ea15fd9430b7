package messages

import (
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// maxMarks is how many cache marks a request may have.
const maxMarks = 4

// countMarks finds how many marks are too many; the earliest are left out.
func (e *encoder) countMarks() *llm.Error {
	n := 0
	count := func(blocks []llm.Block) {
		for i := range blocks {
			if blocks[i].Cache != "" && !turns.IsThought(blocks[i]) {
				n++
			}
			for k := range blocks[i].Content {
				if blocks[i].Content[k].Cache != "" {
					n++
				}
			}
		}
	}
	for i := range e.tools {
		if e.tools[i].Cache != "" {
			n++
		}
	}
	count(e.System)
	for i := range e.Turns {
		count(e.Turns[i].Blocks)
	}
	if n > maxMarks {
		e.marks = n - maxMarks
		e.c.Lose("cache_control: only the last 4 marks are taken")
	}
	return nil
}

// appendMark ends a block's object, with its cache mark if it has one.
func (e *encoder) appendMark(b []byte, lifetime string) []byte {
	switch {
	case lifetime == "":
	case e.marks > 0:
		e.marks--
	case lifetime == "1h":
		b = append(b, `,"cache_control":{"type":"ephemeral","ttl":"1h"}`...)
	default:
		b = append(b, `,"cache_control":{"type":"ephemeral"}`...)
	}
	return append(b, '}')
}

func (e *encoder) appendBlocks(b []byte, blocks []llm.Block) []byte {
	b = append(b, '[')
	for i := range blocks {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendBlock(b, &blocks[i])
	}
	return append(b, ']')
}

// appendBlock writes a block that arrange has let through.
func (e *encoder) appendBlock(b []byte, blk *llm.Block) []byte {
	switch blk.Kind {
	case llm.Thinking:
		b = sse.AppendString(append(b, `{"type":"thinking","thinking":`...), blk.Text)
		return append(sse.AppendString(append(b, `,"signature":`...), blk.Opaque), '}')
	case llm.Redacted:
		return append(sse.AppendString(append(b, `{"type":"redacted_thinking","data":`...), blk.Opaque), '}')
	case llm.ToolCall:
		b = sse.AppendString(append(b, `{"type":"tool_use","id":`...), blk.ID)
		b = sse.AppendString(append(b, `,"name":`...), blk.Name)
		b = append(append(b, `,"input":`...), turns.Arguments(e.c, blk.Text)...)
	case llm.ToolResult:
		b = sse.AppendString(append(b, `{"type":"tool_result","tool_use_id":`...), blk.ID)
		if len(blk.Content) > 0 {
			b = e.appendBlocks(append(b, `,"content":`...), blk.Content)
		}
		if blk.Failed {
			b = append(b, `,"is_error":true`...)
		}
	case llm.Image:
		b = appendSource(append(b, `{"type":"image"`...), &blk.Media)
	case llm.Document:
		b = appendSource(append(b, `{"type":"document"`...), &blk.Media)
		if blk.Name != "" {
			b = sse.AppendString(append(b, `,"title":`...), blk.Name)
		}
	default: // Text: arrange lets nothing else through
		b = sse.AppendString(append(b, `{"type":"text","text":`...), blk.Text)
	}
	return e.appendMark(b, blk.Cache)
}

func appendSource(b []byte, m *llm.Media) []byte {
	switch {
	case m.Data == "":
		b = sse.AppendString(append(b, `,"source":{"type":"url","url":`...), m.URL)
	case m.Type == "text/plain":
		b = sse.AppendString(append(b, `,"source":{"type":"text","media_type":"text/plain","data":`...), m.Data)
	default:
		b = sse.AppendString(append(b, `,"source":{"type":"base64","media_type":`...), m.Type)
		b = sse.AppendString(append(b, `,"data":`...), m.Data)
	}
	return append(b, '}')
}
