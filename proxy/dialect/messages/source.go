package messages

import (
	"encoding/base64"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

func (d *reader) image(p *rawBlock) ([]llm.Block, *llm.Error) {
	b, err := p.block(llm.Image)
	if err != nil {
		return nil, err
	}
	b.Media, err = p.media("an image")
	return []llm.Block{b}, err
}

// media reads a source of data, or a URL, which is never fetched here (K6).
func (p *rawBlock) media(what string) (m llm.Media, err *llm.Error) {
	param := p.param + ".source"
	if field.Null(p.source) || p.source[0] != '{' {
		return m, llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(p.source))
	}
	read := func(key string) string {
		s, bad := field.String(param+"."+key, field.Of(p.source, key))
		if bad == nil && s == "" {
			bad = llm.Invalid(param+"."+key, "%s.%s is missing", param, key)
		}
		if err == nil {
			err = bad
		}
		return s
	}
	switch kind := field.Unquote(field.Of(p.source, "type")); kind {
	case "base64":
		m.Type, m.Data = read("media_type"), read("data")
	case "url":
		m.URL = read("url")
	case "text":
		m.Type, m.Data = "text/plain", base64.StdEncoding.EncodeToString([]byte(read("data")))
	case "file":
		return m, llm.Invalid(param, "%s: %s that is kept at Anthropic (%s) cannot be read by another provider: send its data", param, what, field.Unquote(field.Of(p.source, "file_id")))
	default:
		return m, llm.Invalid(param+".type", "%s.type must be base64, text, url, content or file, not %q", param, kind)
	}
	return m, err
}

// document reads a document with what belongs to it. Its text goes on whole
// (C18); only citations of it are not to be had from other providers.
func (d *reader) document(p *rawBlock) ([]llm.Block, *llm.Error) {
	d.noCitations(p)
	title, err := field.String(p.param+".title", p.title)
	if err != nil {
		return nil, err
	}
	about, err := field.String(p.param+".context", p.context)
	if err != nil {
		return nil, err
	}
	b, err := p.block(llm.Document)
	if err != nil {
		return nil, err
	}
	var blocks []llm.Block
	if about != "" {
		blocks = append(blocks, llm.Block{Kind: llm.Text, Text: strings.TrimSpace("About the document "+title) + ": " + about})
	}
	if field.Unquote(field.Of(p.source, "type")) == "content" {
		return d.documentOf(p, title, b.Cache, blocks)
	}
	b.Name = title
	if b.Media, err = p.media("a document"); err != nil {
		return nil, err
	}
	if b.Media.URL != "" && b.Media.Type == "" {
		b.Media.Type = "application/pdf" // the only kind that Anthropic fetches
	}
	return append(blocks, b), nil
}

// documentOf reads a document that is made of blocks: they go as they are.
func (d *reader) documentOf(p *rawBlock, title, mark string, blocks []llm.Block) ([]llm.Block, *llm.Error) {
	if title != "" {
		blocks = append(blocks, llm.Block{Kind: llm.Text, Text: title + ":"})
	}
	inner, err := d.resultContent(p.param+".source.content", field.Of(p.source, "content"))
	blocks = append(blocks, inner...)
	if n := len(blocks); n > 0 && mark != "" {
		blocks[n-1].Cache = mark
	}
	return blocks, err
}

// searchResult reads what a client's own search found, as text.
func (d *reader) searchResult(p *rawBlock) ([]llm.Block, *llm.Error) {
	d.noCitations(p)
	b, err := p.block(llm.Text)
	if err != nil {
		return nil, err
	}
	var s strings.Builder
	for _, line := range []string{field.Unquote(p.title), field.Unquote(p.source)} {
		if line != "" {
			s.WriteString(line + "\n")
		}
	}
	err = field.DottedArray(p.param+".content", p.content, func(param string, v []byte) *llm.Error {
		s.WriteString("\n" + field.Unquote(field.Of(v, "text")))
		return nil
	})
	b.Text = s.String()
	return []llm.Block{b}, err
}

func (d *reader) noCitations(p *rawBlock) {
	if string(field.Of(p.citations, "enabled")) == "true" {
		d.p.Lose("messages[].content[].citations: only Anthropic's models cite documents")
	}
}
