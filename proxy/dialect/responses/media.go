package responses

import (
	"strings"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// part writes one part of a user's message or of a result.
func (e *encoder) part(b *llm.Block) error {
	e.cacheOff(b)
	switch b.Kind {
	case llm.Text:
		e.textPart(b.Text)
		return nil
	case llm.Image:
		return e.image(b)
	case llm.Document:
		return e.document(b)
	case llm.Audio:
		return llm.Invalid("messages", "messages: OpenAI's Responses API takes no sound: choose a model that chat completions serve, or send a transcript")
	}
	return llm.Invalid("messages", "messages: a user message holds a part that the responses dialect does not know")
}

func (e *encoder) textPart(s string) {
	e.Buf = append(sse.AppendString(append(e.Buf, `{"type":"input_text","text":`...), s), '}')
}

func (e *encoder) image(b *llm.Block) error {
	m := &b.Media
	if err := e.Sees(); err != nil {
		return err
	}
	e.Buf = append(e.Buf, `{"type":"input_image"`...)
	switch {
	case m.Data != "":
		e.Str("image_url", openai.DataURL(*m, "image/png"))
	case m.URL != "":
		e.Str("image_url", m.URL)
	case m.FileID != "":
		e.Str("file_id", m.FileID)
	default:
		return llm.Invalid("messages", "messages: an image holds neither data nor a URL")
	}
	if m.Detail != "" {
		e.Str("detail", m.Detail)
	}
	e.Buf = append(e.Buf, '}')
	return nil
}

// document writes a file part; plain text goes as text, which every model reads.
func (e *encoder) document(b *llm.Block) error {
	m := &b.Media
	switch {
	case strings.HasPrefix(m.Type, "text/") && m.Data != "":
		s, err := openai.Document(b)
		if err != nil {
			return err
		}
		e.textPart(s)
		return nil
	case m.Data != "":
		e.Buf = append(e.Buf, `{"type":"input_file"`...)
		e.Str("filename", openai.FileName(b))
		e.Str("file_data", openai.DataURL(*m, "application/pdf"))
	case m.URL != "":
		e.Buf = append(e.Buf, `{"type":"input_file"`...)
		e.Str("file_url", m.URL)
	case m.FileID != "":
		e.Buf = append(e.Buf, `{"type":"input_file"`...)
		e.Str("file_id", m.FileID)
	default:
		return llm.Invalid("messages", "messages: the document %q holds neither data nor a URL", b.Name)
	}
	e.Buf = append(e.Buf, '}')
	return nil
}
