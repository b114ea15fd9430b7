package gemini

import (
	"net/url"
	"path"
	"strings"

	"keytray/proxy/llm"
)

// filesURL is where the Files API keeps uploads; "files/ID" is its short form.
const filesURL = "https://generativelanguage.googleapis.com/v1beta/"

// media is an image, a document or a sound as a part. A URL is handed on for
// Google to fetch; nothing is fetched here (K6).
func (e *encoder) media(b llm.Block, param string) (part, error) {
	m := b.Media
	what := map[llm.BlockKind]string{llm.Image: "an image", llm.Document: "a document", llm.Audio: "a sound"}[b.Kind]
	if b.Kind == llm.Image && e.c.Model.Flags.Has(llm.FlagNoVision) {
		return part{}, llm.Invalid(param, "model %s cannot see images: choose another model or leave them out", e.c.Model.Name)
	}
	e.lose(m.Detail != "" && m.Detail != "auto", "image detail")
	typ := mimeType(b.Kind, m)
	switch {
	case m.Data != "":
		if typ == "" {
			return part{}, llm.Invalid(param, "%s has no MIME type", what)
		}
		return part{InlineData: &blob{MimeType: typ, Data: m.Data}}, nil
	case m.URL != "":
		u, err := url.Parse(m.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "gs" {
			return part{}, llm.Invalid(param, "%s has a URL that Google cannot fetch: use https, http or gs, or send the data", what)
		}
		return part{FileData: &fileData{MimeType: typ, FileURI: m.URL}}, nil
	case strings.HasPrefix(m.FileID, "files/"):
		return part{FileData: &fileData{MimeType: typ, FileURI: filesURL + m.FileID}}, nil
	case keptAtGoogle(m.FileID):
		return part{FileData: &fileData{MimeType: typ, FileURI: m.FileID}}, nil
	case m.FileID != "":
		return part{}, llm.Invalid(param, "%s is a file kept at another provider (%s): send its data", what, m.FileID)
	default:
		return part{}, llm.Invalid(param, "%s is empty", what)
	}
}

// keptAtGoogle tells URIs that only Google can read: uploads, Cloud Storage,
// and videos of YouTube, whose pages are of no use to anyone else.
func keptAtGoogle(uri string) bool {
	if strings.HasPrefix(uri, "gs://") {
		return true
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	switch strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.") {
	case "generativelanguage.googleapis.com", "youtube.com", "m.youtube.com", "youtu.be":
		return true
	}
	return false
}

// mimeType is what the client said, else what the kind or the name suggests.
func mimeType(kind llm.BlockKind, m llm.Media) string {
	typ := strings.ToLower(m.Type)
	switch {
	case strings.Contains(typ, "/"):
		return typ
	case typ != "" && kind == llm.Audio: // OpenAI names the format alone
		return "audio/" + typ
	case m.Data != "" && kind == llm.Document:
		return "application/pdf"
	case m.URL == "":
		return ""
	}
	u, err := url.Parse(m.URL)
	if err != nil {
		return ""
	}
	switch strings.ToLower(path.Ext(u.Path)) {
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".webp":
		return "image/webp"
	case ".heic":
		return "image/heic"
	case ".heif":
		return "image/heif"
	case ".gif":
		return "image/gif"
	case ".pdf":
		return "application/pdf"
	case ".txt", ".md":
		return "text/plain"
	case ".mp3":
		return "audio/mp3"
	case ".wav":
		return "audio/wav"
	case ".mp4":
		return "video/mp4"
	default:
		return ""
	}
}
