package converse

import (
	"fmt"
	"mime"
	"path"
	"strconv"
	"strings"

	"keytray/proxy/llm"
)

// documentText stands beside documents that came without words.
const documentText = "See the attached document."

// maxDocumentName is the longest name of a document, in bytes.
const maxDocumentName = 200

// formats are the documents that Bedrock reads, by MIME type.
var formats = map[string]string{
	"application/pdf":    "pdf",
	"text/csv":           "csv",
	"application/msword": "doc",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
	"application/vnd.ms-excel": "xls",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
	"text/html":       "html",
	"text/markdown":   "md",
	"text/x-markdown": "md",
}

// media makes an image or a document fit to be sent: Media.Type becomes
// Bedrock's format, and a document's name one that it takes. Nothing is
// fetched, and Bedrock fetches from S3 alone.
func (e *encoder) media(b *llm.Block) *llm.Error {
	what := "an image"
	if b.Kind == llm.Document {
		what = "a document"
	} else if e.c.Model.Flags.Has(llm.FlagNoVision) {
		return llm.Invalid("messages", "model %s cannot see images: choose another model or leave them out", e.c.Model.Name)
	}
	m := &b.Media
	if m.Data == "" {
		switch {
		case m.URL == "" && m.FileID != "":
			return llm.Invalid("messages", "%s is a file kept at another provider (%s): send its data", what, m.FileID)
		case m.URL == "":
			return llm.Invalid("messages", "%s has neither data nor a URL", what)
		case !strings.HasPrefix(m.URL, "s3://"):
			return llm.Invalid("messages", "%s is given by a URL, which Bedrock does not fetch: send its data, or an s3:// address", what)
		}
	}
	kind, _, err := mime.ParseMediaType(m.Type)
	if err != nil {
		kind = ""
	}
	if kind == "" && m.Data == "" {
		kind, _, _ = strings.Cut(mime.TypeByExtension(path.Ext(m.URL)), ";")
	}
	if known := sniff(m.Data); known != "" { // a wrong type is refused there
		kind = known
	}
	if strings.HasPrefix(kind, "image/") {
		b.Kind = llm.Image
	}
	if b.Kind == llm.Image {
		return e.image(b, kind)
	}
	format, ok := formats[kind]
	switch {
	case ok:
		m.Type = format
	case isText(kind):
		m.Type = "txt"
	default:
		return llm.Invalid("messages", "a document of type %q cannot be sent to Bedrock: use PDF, Word, Excel, CSV, HTML, Markdown or plain text", b.Media.Type)
	}
	b.Name = e.documentName(b.Name)
	return nil
}

func (e *encoder) image(b *llm.Block, kind string) *llm.Error {
	m := &b.Media
	switch kind {
	case "image/jpg", "image/jpeg":
		m.Type = "jpeg"
	case "image/png", "image/gif", "image/webp":
		m.Type = strings.TrimPrefix(kind, "image/")
	default:
		return llm.Invalid("messages", "an image of type %q cannot be sent to Bedrock: use JPEG, PNG, GIF or WebP", m.Type)
	}
	if m.Detail != "" && m.Detail != "auto" {
		e.c.Lose("image_url.detail")
	}
	return nil
}

// documentName is a name of letters, digits, single spaces, hyphens, round and
// square brackets, without its extension and unlike all earlier ones (G8).
func (e *encoder) documentName(s string) string {
	if at := strings.LastIndexByte(s, '.'); at > 0 && len(s)-at <= len(".html") {
		s = s[:at]
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-()[]", r):
			return r
		}
		return ' '
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	s = strings.TrimSpace(s[:min(len(s), maxDocumentName)])
	if s == "" {
		s = "Document " + strconv.Itoa(len(e.documents)+1)
	}
	free := s
	for n := 2; e.documents[free]; n++ {
		suffix := fmt.Sprintf(" (%d)", n)
		free = s[:min(len(s), maxDocumentName-len(suffix))] + suffix
	}
	e.documents[free] = true
	return free
}

func isText(kind string) bool {
	switch kind {
	case "application/json", "application/xml", "application/yaml", "application/x-yaml", "application/toml",
		"application/javascript", "application/x-ndjson", "application/sql", "application/x-sh":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// sniff tells some types by how their base64 begins.
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
