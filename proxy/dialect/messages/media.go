package messages

import (
	"encoding/base64"
	"mime"
	"strings"
	"unicode/utf8"

	"keytray/proxy/llm"
)

// media makes an image or a document fit to be sent: its type is settled, and
// a text document's data become its text. What Anthropic cannot read is
// refused. Nothing is fetched: Anthropic itself fetches URLs (K6).
func (e *encoder) media(b *llm.Block) *llm.Error {
	what := "an image"
	if b.Kind == llm.Document {
		what = "a document"
	} else if e.c.Model.Flags.Has(llm.FlagNoVision) {
		return llm.Invalid("messages", "model %s cannot see images: choose another model or leave them out", e.c.Model.Name)
	}
	m := &b.Media
	switch {
	case m.Data != "":
		return e.inline(b, what)
	case m.URL != "":
		if !strings.HasPrefix(m.URL, "https://") && !strings.HasPrefix(m.URL, "http://") {
			return llm.Invalid("messages", "%s has a URL that Anthropic cannot fetch: use https, or send the data", what)
		}
		return e.detail(m)
	case m.FileID != "":
		return llm.Invalid("messages", "%s is a file kept at another provider (%s): send its data", what, m.FileID)
	}
	return llm.Invalid("messages", "%s has neither data nor a URL", what)
}

// detail is a hint that Anthropic does not know.
func (e *encoder) detail(m *llm.Media) *llm.Error {
	if m.Detail != "" && m.Detail != "auto" {
		e.c.Lose("image_url.detail")
	}
	return nil
}

func (e *encoder) inline(b *llm.Block, what string) *llm.Error {
	m := &b.Media
	kind, _, err := mime.ParseMediaType(m.Type)
	if err != nil {
		kind = ""
	}
	if known := sniff(m.Data); known != "" { // a wrong type is refused there
		kind = known
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
		return e.detail(m)
	case kind == "application/pdf":
		m.Type = kind
		return nil
	case strings.HasPrefix(kind, "image/"):
		b.Kind = llm.Image
		return e.inline(b, what)
	case !isText(kind):
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

func isText(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml",
		"application/javascript", "application/x-ndjson", "application/sql", "application/x-sh":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// sniff tells the types that Anthropic knows by how their base64 begins.
func sniff(data string) string {
	switch {
	case strings.HasPrefix(data, "iVBORw0KGgo"):
		return "image/png"
	case strings.HasPrefix(data, "/9j/"):
		return "image/jpeg"
	case strings.HasPrefix(data, "R0lGOD"):
		return "image/gif"
	case strings.HasPrefix(data, "UklGR") && len(data) > 16 && data[12:16] == "RUJQ": // RIFF, its size, WEBP
		return "image/webp"
	case strings.HasPrefix(data, "JVBERi0"):
		return "application/pdf"
	}
	return ""
}
