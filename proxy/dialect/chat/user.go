package chat

import (
	"strings"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// user writes a turn of the user: its tool results as messages of their own,
// first, as they must follow their calls; then everything else.
func (e *encoder) user(m *llm.Message) error {
	rest := false
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if b.Kind != llm.ToolResult {
			rest = true
			continue
		}
		if err := e.result(b); err != nil {
			return err
		}
	}
	if !rest {
		if len(m.Blocks) == 0 {
			e.open("user", m.Name)
			e.Buf = append(e.Buf, `,"content":""}`...)
		}
		return nil
	}
	waiting := e.extras
	e.extras = nil
	e.open("user", m.Name)
	if b := onlyText(m.Blocks); b != nil && len(waiting) == 0 && (b.Cache == "" || !e.Flags.Has(llm.FlagCacheControl)) {
		if b.Cache != "" {
			e.Call.Lose("cache_control")
		}
		e.Str("content", b.Text)
		e.Buf = append(e.Buf, '}')
		return nil
	}
	e.Key("content")
	e.Buf = append(append(e.Buf, '['), waiting...)
	first := len(waiting) == 0
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if b.Kind == llm.ToolResult {
			continue
		}
		if !first {
			e.Buf = append(e.Buf, ',')
		}
		first = false
		if err := e.part(b); err != nil {
			return err
		}
	}
	e.Buf = append(e.Buf, "]}"...)
	return nil
}

// onlyText is the one text block of a message that has nothing else to say.
func onlyText(blocks []llm.Block) *llm.Block {
	var one *llm.Block
	for i := range blocks {
		switch {
		case blocks[i].Kind == llm.ToolResult:
		case blocks[i].Kind != llm.Text || one != nil:
			return nil
		default:
			one = &blocks[i]
		}
	}
	return one
}

// flush writes the parts that waited for a user message and found none.
func (e *encoder) flush() {
	if len(e.extras) == 0 {
		return
	}
	e.open("user", "")
	e.Key("content")
	e.Buf = append(append(append(e.Buf, '['), e.extras...), "]}"...)
	e.extras = nil
}

// result writes a tool message. It holds text only: images and files follow in
// the next user message, with a word in their place (A19, C3).
func (e *encoder) result(b *llm.Block) error {
	var text strings.Builder
	if b.Failed {
		text.WriteString("Error: ")
	}
	said := false
	for i := range b.Content {
		part := &b.Content[i]
		if part.Kind == llm.Text && part.Text == "" {
			continue
		}
		if said {
			text.WriteByte('\n')
		}
		said = true
		switch {
		case part.Kind == llm.Text:
			text.WriteString(part.Text)
		case part.Kind == llm.Image && e.Flags.Has(llm.FlagNoVision):
			text.WriteString("[image left out: this model sees none]")
			e.Call.Lose("messages: images in tool results: this model sees none")
		default:
			what := "image"
			if part.Kind != llm.Image {
				what = "file"
			}
			text.WriteString("[" + what + ": see the next message]")
			if err := e.extra(what, e.id(b.ID), part); err != nil {
				return err
			}
		}
	}
	e.open("tool", "")
	e.Str("tool_call_id", e.id(b.ID))
	e.cacheOff(b)
	e.Str("content", text.String()) // C2: "" if there is none
	e.Buf = append(e.Buf, '}')
	return nil
}

// cacheOff names marks that a tool message cannot carry.
func (e *encoder) cacheOff(b *llm.Block) {
	if b.Cache != "" {
		e.Call.Lose("cache_control")
	}
	for i := range b.Content {
		if b.Content[i].Cache != "" {
			e.Call.Lose("cache_control")
		}
	}
}

// extra keeps a part of a tool result for the next user message.
func (e *encoder) extra(what, id string, part *llm.Block) error {
	whole := e.Buf
	e.Buf = comma(e.extras)
	e.Buf = append(e.Buf, `{"type":"text","text":`...)
	label := strings.ToUpper(what[:1]) + what[1:] + " from the result of tool call " + id + ":"
	e.Buf = append(sse.AppendString(e.Buf, label), "},"...)
	err := e.part(part)
	e.extras, e.Buf = e.Buf, whole
	return err
}

// part writes one part of a user message.
func (e *encoder) part(b *llm.Block) error {
	switch b.Kind {
	case llm.Text:
		e.text(b)
		return nil
	case llm.Image:
		return e.image(b)
	case llm.Audio:
		return e.sound(&b.Media)
	case llm.Document:
		return e.document(b)
	}
	return llm.Invalid("messages", "messages: a user message holds a part that the chat dialect does not know")
}

func (e *encoder) image(b *llm.Block) error {
	if err := e.Sees(); err != nil {
		return err
	}
	if b.Media.Data == "" && b.Media.URL == "" {
		return llm.Invalid("messages", "messages: an image that is kept at another provider cannot be sent: send its data")
	}
	link := b.Media.URL
	if b.Media.Data != "" {
		link = openai.DataURL(b.Media, "image/png")
	}
	e.Buf = sse.AppendString(append(e.Buf, `{"type":"image_url","image_url":{"url":`...), link)
	if b.Media.Detail != "" {
		e.Str("detail", b.Media.Detail)
	}
	e.Buf = append(e.Buf, '}')
	e.cache(b.Cache)
	e.Buf = append(e.Buf, '}')
	return nil
}

// document writes a file part; plain text goes as text, which every model reads.
func (e *encoder) document(b *llm.Block) error {
	if e.documentURL(b) {
		return nil
	}
	m := &b.Media
	switch {
	case m.Data == "" && m.URL == "" && strings.ContainsRune(m.FileID, '/'): // Google's: gs://..., files/...
		return llm.Invalid("messages", "messages: a document is a file kept at another provider (%s): send its data", m.FileID)
	case m.Data == "" && m.URL == "" && m.FileID != "":
		e.Buf = append(e.Buf, `{"type":"file","file":{"file_id":`...)
		e.Buf = append(sse.AppendString(e.Buf, m.FileID), "}}"...)
		return nil
	case m.Data == "":
		return llm.Invalid("messages", "messages: a document must be sent as data to this provider, not as a URL")
	case strings.HasPrefix(m.Type, "text/"):
		s, err := openai.Document(b)
		if err != nil {
			return err
		}
		e.text(&llm.Block{Kind: llm.Text, Text: s, Cache: b.Cache})
		return nil
	}
	e.Buf = append(e.Buf, `{"type":"file","file":{"filename":`...)
	e.Buf = sse.AppendString(e.Buf, openai.FileName(b))
	e.Str("file_data", openai.DataURL(*m, "application/pdf"))
	e.Buf = append(e.Buf, '}')
	e.cache(b.Cache)
	e.Buf = append(e.Buf, '}')
	return nil
}

// sound writes one; Mistral finds its format out by itself.
func (e *encoder) sound(m *llm.Media) error {
	if m.Data == "" {
		return llm.Invalid("messages", "messages: audio must be sent as data to this provider, not as a URL")
	}
	e.Buf = append(e.Buf, `{"type":"input_audio","input_audio":`...)
	if e.mistral() {
		e.Buf = append(sse.AppendString(e.Buf, m.Data), '}')
		return nil
	}
	format := strings.TrimPrefix(strings.TrimPrefix(m.Type, "audio/"), "x-")
	if format == "mpeg" {
		format = "mp3"
	}
	e.Buf = sse.AppendString(append(e.Buf, `{"data":`...), m.Data)
	e.Str("format", format)
	e.Buf = append(e.Buf, "}}"...)
	return nil
}
