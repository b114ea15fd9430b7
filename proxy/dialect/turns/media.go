package turns

import (
	"mime"
	"strings"

	"keytray/proxy/llm"
)

// media makes an image or a document fit to be sent, by the provider's rules.
// Nothing is fetched (K6).
func (a *arranger) media(b llm.Block) (llm.Block, *llm.Error) {
	what := "an image"
	if b.Kind == llm.Document {
		what = "a document"
	} else if a.c.Model.Flags.Has(llm.FlagNoVision) {
		return b, llm.Invalid("messages", "model %s cannot see images: choose another model or leave them out", a.c.Model.Name)
	}
	switch m := &b.Media; {
	case m.Data != "" || m.URL != "":
	case m.FileID != "":
		return b, llm.Invalid("messages", "%s is a file kept at another provider (%s): send its data", what, m.FileID)
	default:
		return b, llm.Invalid("messages", "%s has neither data nor a URL", what)
	}
	if err := a.rules.Media(&b, what); err != nil {
		return b, err
	}
	if d := b.Media.Detail; b.Kind == llm.Image && d != "" && d != "auto" { // a hint that neither provider knows
		a.c.Lose("image_url.detail")
	}
	return b, nil
}

// TypeOf is what media are by how their data begin, or else as their client
// says, without parameters; "" is not known. A wrong type is refused by those
// who look.
func TypeOf(m *llm.Media) string {
	switch data := m.Data; {
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
	kind, _, err := mime.ParseMediaType(m.Type)
	if err != nil {
		return ""
	}
	return kind
}

// IsText tells the types that can be read as they are.
func IsText(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml",
		"application/javascript", "application/x-ndjson", "application/sql", "application/x-sh":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}
