package chat

import (
	"encoding/base64"
	"strings"

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
			e.buf = append(e.buf, `,"content":""}`...)
		}
		return nil
	}
	waiting := e.extras
	e.extras = nil
	e.open("user", m.Name)
	if b := onlyText(m.Blocks); b != nil && len(waiting) == 0 && (b.Cache == "" || !e.flags.Has(llm.FlagCacheControl)) {
		if b.Cache != "" {
			e.c.Lose("cache_control")
		}
		e.str("content", b.Text)
		e.buf = append(e.buf, '}')
		return nil
	}
	e.key("content")
	e.buf = append(append(e.buf, '['), waiting...)
	first := len(waiting) == 0
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if b.Kind == llm.ToolResult {
			continue
		}
		if !first {
			e.buf = append(e.buf, ',')
		}
		first = false
		if err := e.part(b); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, "]}"...)
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
	e.key("content")
	e.buf = append(append(append(e.buf, '['), e.extras...), "]}"...)
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
		case part.Kind == llm.Image && e.flags.Has(llm.FlagNoVision):
			text.WriteString("[image left out: this model sees none]")
			e.c.Lose("messages: images in tool results: this model sees none")
		default:
			what := "image"
			if part.Kind != llm.Image {
				what = "file"
			}
			text.WriteString("[" + what + ": see the next message]")
			if err := e.extra(what, b.ID, part); err != nil {
				return err
			}
		}
	}
	e.open("tool", "")
	e.str("tool_call_id", b.ID)
	e.cacheOff(b)
	e.str("content", text.String()) // C2: "" if there is none
	e.buf = append(e.buf, '}')
	return nil
}

// cacheOff names marks that a tool message cannot carry.
func (e *encoder) cacheOff(b *llm.Block) {
	if b.Cache != "" {
		e.c.Lose("cache_control")
	}
	for i := range b.Content {
		if b.Content[i].Cache != "" {
			e.c.Lose("cache_control")
		}
	}
}

// extra keeps a part of a tool result for the next user message.
func (e *encoder) extra(what, id string, part *llm.Block) error {
	whole := e.buf
	e.buf = comma(e.extras)
	e.buf = append(e.buf, `{"type":"text","text":`...)
	label := strings.ToUpper(what[:1]) + what[1:] + " from the result of tool call " + id + ":"
	e.buf = append(sse.AppendString(e.buf, label), "},"...)
	err := e.part(part)
	e.extras, e.buf = e.buf, whole
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
		return e.audio(b)
	case llm.Document:
		return e.document(b)
	}
	return llm.Invalid("messages", "messages: a user message holds a part that the chat dialect does not know")
}

func (e *encoder) image(b *llm.Block) error {
	switch {
	case e.flags.Has(llm.FlagNoVision):
		return llm.Invalid("messages", "messages: %s cannot see images: choose another model", e.c.Model.Name)
	case b.Media.Data == "" && b.Media.URL == "":
		return llm.Invalid("messages", "messages: an image that is kept at another provider cannot be sent: send its data")
	}
	e.buf = append(e.buf, `{"type":"image_url","image_url":{"url":`...)
	if b.Media.Data != "" {
		e.data(b.Media, "image/png")
	} else {
		e.buf = sse.AppendString(e.buf, b.Media.URL)
	}
	if b.Media.Detail != "" {
		e.str("detail", b.Media.Detail)
	}
	e.buf = append(e.buf, '}')
	e.cache(b.Cache)
	e.buf = append(e.buf, '}')
	return nil
}

// data writes a data URL as a JSON string. Base64 needs no escapes, but what
// a client called base64 may.
func (e *encoder) data(m llm.Media, mime string) {
	if m.Type != "" {
		mime = m.Type
	}
	e.buf = sse.AppendString(e.buf, "data:"+mime+";base64,"+m.Data)
}

func (e *encoder) audio(b *llm.Block) error {
	format := strings.TrimPrefix(strings.TrimPrefix(b.Media.Type, "audio/"), "x-")
	if format == "mpeg" {
		format = "mp3"
	}
	if b.Media.Data == "" {
		return llm.Invalid("messages", "messages: audio must be sent as data to this provider, not as a URL")
	}
	e.buf = append(e.buf, `{"type":"input_audio","input_audio":{"data":`...)
	e.buf = sse.AppendString(e.buf, b.Media.Data)
	e.str("format", format)
	e.buf = append(e.buf, "}}"...)
	return nil
}

// document writes a file part; plain text goes as text, which every model reads.
func (e *encoder) document(b *llm.Block) error {
	m := &b.Media
	switch {
	case m.Data == "" && m.URL == "" && strings.ContainsRune(m.FileID, '/'): // Google's: gs://..., files/...
		return llm.Invalid("messages", "messages: a document is a file kept at another provider (%s): send its data", m.FileID)
	case m.Data == "" && m.URL == "" && m.FileID != "":
		e.buf = append(e.buf, `{"type":"file","file":{"file_id":`...)
		e.buf = append(sse.AppendString(e.buf, m.FileID), "}}"...)
		return nil
	case m.Data == "":
		return llm.Invalid("messages", "messages: a document must be sent as data to this provider, not as a URL")
	case strings.HasPrefix(m.Type, "text/"):
		raw, err := base64.StdEncoding.DecodeString(m.Data)
		if err != nil {
			return llm.Invalid("messages", "messages: the document %q is not base64: %v", b.Name, err)
		}
		t := llm.Block{Kind: llm.Text, Text: string(raw), Cache: b.Cache}
		if b.Name != "" {
			t.Text = b.Name + ":\n" + t.Text
		}
		e.text(&t)
		return nil
	}
	e.buf = append(e.buf, `{"type":"file","file":{"filename":`...)
	fileName := b.Name
	if fileName == "" {
		fileName = "document.pdf"
	}
	e.buf = sse.AppendString(e.buf, fileName)
	e.key("file_data")
	e.data(*m, "application/pdf")
	e.buf = append(e.buf, '}')
	e.cache(b.Cache)
	e.buf = append(e.buf, '}')
	return nil
}
