package responses

import (
	"encoding/base64"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// part writes one part of a user's message or of a result.
func (e *encoder) part(b *llm.Block) error {
	e.cacheOff(b)
	m := &b.Media
	switch b.Kind {
	case llm.Text:
		e.textPart(b.Text)
		return nil
	case llm.Image:
		return e.image(b)
	case llm.Document:
		return e.document(b)
	case llm.Audio:
		if m.Data == "" {
			return llm.Invalid("messages", "messages: audio must be sent as data to this provider, not as a URL")
		}
		format := strings.TrimPrefix(strings.TrimPrefix(m.Type, "audio/"), "x-")
		if format == "mpeg" {
			format = "mp3"
		}
		e.buf = sse.AppendString(append(e.buf, `{"type":"input_audio","input_audio":{"data":`...), m.Data)
		e.str("format", format)
		e.buf = append(e.buf, "}}"...)
		return nil
	}
	return llm.Invalid("messages", "messages: a user message holds a part that the responses dialect does not know")
}

func (e *encoder) textPart(s string) {
	e.buf = append(sse.AppendString(append(e.buf, `{"type":"input_text","text":`...), s), '}')
}

func (e *encoder) image(b *llm.Block) error {
	m := &b.Media
	if e.flags.Has(llm.FlagNoVision) {
		return llm.Invalid("messages", "messages: %s cannot see images: choose another model", e.c.Model.Name)
	}
	e.buf = append(e.buf, `{"type":"input_image"`...)
	switch {
	case m.Data != "":
		e.str("image_url", dataURL(*m, "image/png"))
	case m.URL != "":
		e.str("image_url", m.URL)
	case m.FileID != "":
		e.str("file_id", m.FileID)
	default:
		return llm.Invalid("messages", "messages: an image holds neither data nor a URL")
	}
	if m.Detail != "" {
		e.str("detail", m.Detail)
	}
	e.buf = append(e.buf, '}')
	return nil
}

func dataURL(m llm.Media, mime string) string {
	if m.Type != "" {
		mime = m.Type
	}
	return "data:" + mime + ";base64," + m.Data
}

// document writes a file part; plain text goes as text, which every model reads.
func (e *encoder) document(b *llm.Block) error {
	m := &b.Media
	switch {
	case strings.HasPrefix(m.Type, "text/") && m.Data != "":
		raw, err := base64.StdEncoding.DecodeString(m.Data)
		if err != nil {
			return llm.Invalid("messages", "messages: the document %q is not base64: %v", b.Name, err)
		}
		s := string(raw)
		if b.Name != "" {
			s = b.Name + ":\n" + s
		}
		e.textPart(s)
		return nil
	case m.Data != "":
		fileName := b.Name
		if fileName == "" {
			fileName = "document.pdf"
		}
		e.buf = append(e.buf, `{"type":"input_file"`...)
		e.str("filename", fileName)
		e.str("file_data", dataURL(*m, "application/pdf"))
	case m.URL != "":
		e.buf = append(e.buf, `{"type":"input_file"`...)
		e.str("file_url", m.URL)
	case m.FileID != "":
		e.buf = append(e.buf, `{"type":"input_file"`...)
		e.str("file_id", m.FileID)
	default:
		return llm.Invalid("messages", "messages: the document %q holds neither data nor a URL", b.Name)
	}
	e.buf = append(e.buf, '}')
	return nil
}
