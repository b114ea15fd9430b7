package converse

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

const noOutputText = "(no output)"

// maxMarks is how many cache points a request may have.
const maxMarks = 4

// countMarks finds how many marks are too many; the earliest are left out.
func (e *encoder) countMarks() *llm.Error {
	n := 0
	mark := func(cache *string) {
		if *cache != "" && !e.c.Model.Flags.Has(llm.FlagCacheControl) {
			e.c.Lose("cache_control: this model keeps no cache that can be asked for")
			*cache = ""
		}
		if *cache != "" {
			n++
		}
	}
	for i := range e.tools {
		if e.tools[i].Cache != "" && e.c.Model.Flags.Has(llm.FlagNovaFields) {
			e.c.Lose("cache_control: this model keeps no cache of tools")
			e.tools[i].Cache = ""
		}
		mark(&e.tools[i].Cache)
	}
	e.markLast(e.System, mark)
	for i := range e.Turns {
		e.markLast(e.Turns[i].Blocks, mark)
	}
	if n > maxMarks {
		e.marks = n - maxMarks
		e.c.Lose("cache_control: only the last 4 marks are taken")
	}
	return nil
}

// markLast moves marks to where a cache point may stand: not after reasoning,
// not inside a tool's result, and not after a document that is no PDF.
func (e *encoder) markLast(blocks []llm.Block, mark func(*string)) {
	for i := range blocks {
		b := &blocks[i]
		for k := range b.Content {
			if cache := b.Content[k].Cache; cache != "" && b.Cache == "" {
				b.Cache = cache // after the result is the nearest place
			}
		}
		if turns.IsThought(*b) {
			b.Cache = ""
		}
		if b.Cache == "" || b.Kind != llm.Document || b.Media.Type == "pdf" {
			continue
		}
		at := i
		for at >= 0 && blocks[at].Kind == llm.Document && blocks[at].Media.Type != "pdf" {
			at--
		}
		e.c.Lose("cache_control: the mark after a document went before it")
		if at >= 0 && blocks[at].Cache == "" {
			blocks[at].Cache = b.Cache
		}
		b.Cache = ""
	}
	for i := range blocks {
		mark(&blocks[i].Cache)
	}
}

// appendPoint writes the cache point that stands after a marked element, as an
// element of its own (G5).
func (e *encoder) appendPoint(b []byte, lifetime string) []byte {
	switch {
	case lifetime == "":
		return b
	case e.marks > 0:
		e.marks--
		return b
	case lifetime == "1h" && e.c.Model.Flags.Has(llm.FlagCacheHour):
		return append(b, `,{"cachePoint":{"type":"default","ttl":"1h"}}`...)
	case lifetime == "1h":
		e.c.Lose("cache_control: one hour went as five minutes, which is what this model keeps")
	}
	return append(b, `,{"cachePoint":{"type":"default"}}`...)
}

// appendBlocks writes the elements of a content, without its brackets.
func (e *encoder) appendBlocks(b []byte, blocks []llm.Block) []byte {
	for i := range blocks {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendPoint(e.appendBlock(b, &blocks[i]), blocks[i].Cache)
	}
	return b
}

// appendBlock writes a block that arrange has let through.
func (e *encoder) appendBlock(b []byte, blk *llm.Block) []byte {
	switch blk.Kind {
	case llm.Thinking:
		b = sse.AppendString(append(b, `{"reasoningContent":{"reasoningText":{"text":`...), blk.Text)
		if blk.Opaque != "" {
			b = sse.AppendString(append(b, `,"signature":`...), blk.Opaque)
		}
		return append(b, `}}}`...)
	case llm.Redacted:
		return append(sse.AppendString(append(b, `{"reasoningContent":{"redactedContent":`...), blk.Opaque), `}}`...)
	case llm.ToolCall:
		b = sse.AppendString(append(b, `{"toolUse":{"toolUseId":`...), blk.ID)
		b = sse.AppendString(append(b, `,"name":`...), blk.Name)
		return append(append(append(b, `,"input":`...), turns.Arguments(e.c, blk.Text)...), `}}`...)
	case llm.ToolResult:
		b = sse.AppendString(append(b, `{"toolResult":{"toolUseId":`...), blk.ID)
		b = e.appendResult(append(b, `,"content":[`...), blk.Content)
		if blk.Failed {
			return append(b, `],"status":"error"}}`...)
		}
		return append(b, `]}}`...)
	case llm.Image:
		return append(appendSource(append(b, `{"image":{`...), &blk.Media), '}')
	case llm.Document:
		b = sse.AppendString(append(b, `{"document":{"name":`...), blk.Name)
		return append(appendSource(append(b, ','), &blk.Media), '}')
	default: // Text: arrange lets nothing else through
		return append(sse.AppendString(append(b, `{"text":`...), blk.Text), '}')
	}
}

// appendSource writes format and source, up to the end of their object.
func appendSource(b []byte, m *llm.Media) []byte {
	b = append(append(append(b, `"format":"`...), m.Type...), `","source":{`...)
	if m.Data == "" {
		b = append(sse.AppendString(append(b, `"s3Location":{"uri":`...), m.URL), '}')
	} else {
		b = sse.AppendString(append(b, `"bytes":`...), m.Data)
	}
	return append(b, `}}`...)
}

// appendResult writes what a tool found. A result that is one JSON object goes
// as such; any other JSON is refused there, so an array goes inside one (G7).
func (e *encoder) appendResult(b []byte, content []llm.Block) []byte {
	if len(content) == 0 {
		return append(sse.AppendString(append(b, `{"text":`...), noOutputText), '}')
	}
	if len(content) == 1 && content[0].Kind == llm.Text {
		switch s := strings.TrimSpace(content[0].Text); {
		case s[0] == '{' && json.Valid([]byte(s)):
			return append(append(append(b, `{"json":`...), s...), '}')
		case s[0] == '[' && json.Valid([]byte(s)):
			return append(append(append(b, `{"json":{"result":`...), s...), `}}`...)
		}
	}
	for i := range content {
		if i > 0 {
			b = append(b, ',')
		}
		b = e.appendBlock(b, &content[i])
	}
	return b
}
