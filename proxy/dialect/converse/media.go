package converse

import (
	"fmt"
	"mime"
	"path"
	"slices"
	"strconv"
	"strings"

	"keytray/proxy/dialect/turns"
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

// introduce puts words beside documents that came without any.
func (e *encoder) introduce() {
	is := func(kind llm.BlockKind) func(llm.Block) bool { return func(b llm.Block) bool { return b.Kind == kind } }
	for i := range e.Turns {
		t := &e.Turns[i]
		if at := slices.IndexFunc(t.Blocks, is(llm.Document)); at >= 0 && !slices.ContainsFunc(t.Blocks, is(llm.Text)) {
			t.Blocks = slices.Insert(t.Blocks, at, llm.Block{Kind: llm.Text, Text: documentText})
		}
	}
}

// media makes an image or a document fit to be sent: Media.Type becomes
// Bedrock's format, and a document's name one that it takes. Bedrock fetches
// from S3 alone.
func (e *encoder) media(b *llm.Block, what string) *llm.Error {
	m := &b.Media
	if m.Data == "" && !strings.HasPrefix(m.URL, "s3://") {
		return llm.Invalid("messages", "%s is given by a URL, which Bedrock does not fetch: send its data, or an s3:// address", what)
	}
	kind := turns.TypeOf(m)
	if kind == "" && m.Data == "" {
		kind, _, _ = strings.Cut(mime.TypeByExtension(path.Ext(m.URL)), ";")
	}
	if strings.HasPrefix(kind, "image/") {
		b.Kind = llm.Image
	}
	if b.Kind == llm.Image {
		return image(m, kind)
	}
	format, ok := formats[kind]
	switch {
	case ok:
		m.Type = format
	case turns.IsText(kind):
		m.Type = "txt"
	default:
		return llm.Invalid("messages", "a document of type %q cannot be sent to Bedrock: use PDF, Word, Excel, CSV, HTML, Markdown or plain text", b.Media.Type)
	}
	b.Name = e.documentName(b.Name)
	return nil
}

func image(m *llm.Media, kind string) *llm.Error {
	switch kind {
	case "image/jpg", "image/jpeg":
		m.Type = "jpeg"
	case "image/png", "image/gif", "image/webp":
		m.Type = strings.TrimPrefix(kind, "image/")
	default:
		return llm.Invalid("messages", "an image of type %q cannot be sent to Bedrock: use JPEG, PNG, GIF or WebP", m.Type)
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
