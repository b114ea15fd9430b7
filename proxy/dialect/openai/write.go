package openai

import (
	"encoding/base64"

	"keytray/proxy/llm"
)

// Joined is the text of a message's text blocks.
func Joined(blocks []llm.Block) string {
	s, n := "", 0
	for i := range blocks {
		if blocks[i].Kind == llm.Text {
			if n++; n == 1 {
				s = blocks[i].Text
			} else {
				s += blocks[i].Text
			}
		}
	}
	return s
}

// Has tells whether some block is of a kind.
func Has(blocks []llm.Block, kind llm.BlockKind) bool {
	for i := range blocks {
		if blocks[i].Kind == kind {
			return true
		}
	}
	return false
}

// DataURL is data as a URL; mime is its type where none is known.
func DataURL(m llm.Media, mime string) string {
	if m.Type != "" {
		mime = m.Type
	}
	return "data:" + mime + ";base64," + m.Data
}

// Sees refuses images for a model that sees none.
func (r *Request) Sees() error {
	if r.Flags.Has(llm.FlagNoVision) {
		return llm.Invalid("messages", "messages: %s cannot see images: choose another model", r.Call.Model.Name)
	}
	return nil
}

// Document is the text of a document that is plain text, which every model
// reads, under its name.
func Document(b *llm.Block) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(b.Media.Data)
	if err != nil {
		return "", llm.Invalid("messages", "messages: the document %q is not base64: %v", b.Name, err)
	}
	if b.Name != "" {
		return b.Name + ":\n" + string(raw), nil
	}
	return string(raw), nil
}

// FileName is a document's name, or one that a provider takes in its place.
func FileName(b *llm.Block) string {
	if b.Name == "" {
		return "document.pdf"
	}
	return b.Name
}
