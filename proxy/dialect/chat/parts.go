package chat

import (
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// parts reads a message's content.
func parts(param string, v []byte, holds openai.Holds) ([]llm.Block, *llm.Error) {
	return openai.Parts(param, v, func(param string, v []byte) (llm.Block, *llm.Error) {
		b, err := part(param, v, holds)
		if err == nil {
			b.Cache, err = cacheMark(param+".cache_control", field.Of(v, "cache_control"))
		}
		return b, err
	})
}

func part(param string, v []byte, holds openai.Holds) (llm.Block, *llm.Error) {
	kind, err := field.String(param+".type", field.Of(v, "type"))
	if err != nil {
		return llm.Block{}, err
	}
	switch {
	case kind == "text" || kind == "input_text" || kind == "output_text":
		s, err := field.String(param+".text", field.Of(v, "text"))
		return llm.Block{Kind: llm.Text, Text: s}, err
	case kind == "":
		return llm.Block{}, llm.Invalid(param+".type", "%s.type is missing", param)
	case kind == "refusal" && holds == openai.AssistantPart:
		s, err := field.String(param+".refusal", field.Of(v, "refusal"))
		return llm.Block{Kind: llm.Refusal, Text: s}, err
	case kind == "thinking" && holds == openai.AssistantPart: // Mistral's
		return llm.Block{Kind: llm.Thinking, Text: partsText(field.Of(v, "thinking")), Origin: name}, nil
	case holds == openai.TextOnly:
		return llm.Block{}, llm.Invalid(param+".type", "%s.type must be text in this role, not %q", param, kind)
	case kind == "image_url":
		return image(param+".image_url", field.Of(v, "image_url"))
	case kind == "input_audio":
		return openai.Sound(param+".input_audio", field.Of(v, "input_audio"))
	case kind == "file":
		return file(param+".file", field.Of(v, "file"))
	}
	return llm.Block{}, llm.Invalid(param+".type", "%s.type: a part of type %q cannot be translated to another provider", param, kind)
}

// partsText joins the texts of an array of parts, or is the string itself.
func partsText(v []byte) string {
	if len(v) > 0 && v[0] == '"' {
		return field.Unquote(v)
	}
	var b strings.Builder
	_ = llm.Elements(v, func(v []byte, _ int) bool { // what is no array has no text
		b.WriteString(field.Unquote(field.Of(v, "text")))
		return true
	})
	return b.String()
}

func image(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Image}
	link := v
	if len(v) > 0 && v[0] == '{' {
		link = field.Of(v, "url")
		b.Media.Detail = field.Unquote(field.Of(v, "detail"))
		param += ".url"
	}
	s, err := field.String(param, link)
	if err != nil {
		return b, err
	}
	err = openai.SetURL(&b, param, s, "")
	return b, err
}

func file(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Document, Name: field.Unquote(field.Of(v, "filename"))}
	b.Media.FileID = field.Unquote(field.Of(v, "file_id"))
	data := field.Unquote(field.Of(v, "file_data"))
	switch {
	case data != "":
		err := openai.SetURL(&b, param+".file_data", data, "application/pdf")
		return b, err
	case b.Media.FileID == "":
		return b, llm.Invalid(param, "%s needs file_data or file_id", param)
	}
	return b, nil
}

// cacheMark reads Anthropic's cache mark, which gateways take in chat too.
func cacheMark(param string, v []byte) (string, *llm.Error) {
	if field.Null(v) {
		return "", nil
	}
	if v[0] != '{' {
		return "", llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	}
	if ttl := field.Unquote(field.Of(v, "ttl")); ttl == "1h" {
		return ttl, nil
	}
	return "5m", nil
}
