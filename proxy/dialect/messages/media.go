package messages

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// media makes an image or a document fit to be sent: its type is settled, and
// a text document's data become its text. What Anthropic cannot read is
// refused. Anthropic itself fetches URLs (K6).
func media(b *llm.Block, what string) *llm.Error {
	m := &b.Media
	if m.Data == "" {
		if !strings.HasPrefix(m.URL, "https://") && !strings.HasPrefix(m.URL, "http://") {
			return llm.Invalid("messages", "%s has a URL that Anthropic cannot fetch: use https, or send the data", what)
		}
		return nil
	}
	kind := turns.TypeOf(m)
	if strings.HasPrefix(kind, "image/") {
		b.Kind = llm.Image
	}
	switch {
	case b.Kind == llm.Image:
		switch kind {
		case "image/jpg":
			kind = "image/jpeg"
		case "image/jpeg", "image/png", "image/gif", "image/webp":
		default:
			return llm.Invalid("messages", "an image of type %q cannot be sent to Anthropic: use JPEG, PNG, GIF or WebP", m.Type)
		}
		m.Type = kind
		return nil
	case kind == "application/pdf":
		m.Type = kind
		return nil
	case !turns.IsText(kind):
		return llm.Invalid("messages", "%s of type %q cannot be sent to Anthropic: use PDF or plain text", what, m.Type)
	}
	raw, err := base64.StdEncoding.DecodeString(m.Data)
	if err != nil {
		return llm.Invalid("messages", "the data of %s are not base64: %v", what, err)
	}
	if !utf8.Valid(raw) || strings.TrimSpace(string(raw)) == "" {
		return llm.Invalid("messages", "%s of type %q holds no UTF-8 text", what, m.Type)
	}
	m.Type, m.Data = "text/plain", string(raw)
	return nil
}
