package responses

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// parts reads content.
func parts(param string, v []byte, holds openai.Holds) ([]llm.Block, *llm.Error) {
	return openai.Parts(param, v, func(param string, v []byte) (llm.Block, *llm.Error) {
		b, err := part(param, v, holds)
		if field.Truthy(field.Of(v, "prompt_cache_breakpoint")) {
			b.Cache = "5m"
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
	case kind == "input_text" || kind == "output_text" || kind == "text" || kind == "summary_text" || kind == "reasoning_text":
		s, err := field.String(param+".text", field.Of(v, "text"))
		return llm.Block{Kind: llm.Text, Text: s}, err
	case kind == "":
		return llm.Block{}, llm.Invalid(param+".type", "%s.type is missing", param)
	case kind == "refusal" && holds == openai.AssistantPart:
		s, err := field.String(param+".refusal", field.Of(v, "refusal"))
		return llm.Block{Kind: llm.Refusal, Text: s}, err
	case holds == openai.TextOnly:
		return llm.Block{}, llm.Invalid(param+".type", "%s.type must be input_text in this role, not %q", param, kind)
	case kind == "input_image" || kind == "image_url":
		return image(param, v)
	case kind == "input_file" || kind == "file":
		return file(param, v)
	case kind == "input_audio":
		return openai.Sound(param+".input_audio", field.Of(v, "input_audio"))
	}
	return llm.Block{}, llm.Invalid(param+".type", "%s.type: a part of type %q cannot be translated to another provider", param, kind)
}

func image(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Image}
	b.Media.Detail = field.Unquote(field.Of(v, "detail"))
	link := field.Of(v, "image_url")
	if rawObject(link) != nil { // F18: chat's form
		if b.Media.Detail == "" {
			b.Media.Detail = field.Unquote(field.Of(link, "detail"))
		}
		link = field.Of(link, "url")
	}
	if b.Media.FileID = field.Unquote(field.Of(v, "file_id")); b.Media.FileID != "" && field.Null(link) {
		return b, nil
	}
	s, err := field.String(param+".image_url", link)
	if err != nil {
		return b, err
	}
	err = openai.SetURL(&b, param+".image_url", s, "")
	return b, err
}

func file(param string, v []byte) (llm.Block, *llm.Error) {
	if in := field.Of(v, "file"); rawObject(in) != nil { // F18: chat's form
		v, param = in, param+".file"
	}
	b := llm.Block{Kind: llm.Document, Name: field.Unquote(field.Of(v, "filename"))}
	b.Media.FileID = field.Unquote(field.Of(v, "file_id"))
	data, link := field.Unquote(field.Of(v, "file_data")), field.Unquote(field.Of(v, "file_url"))
	switch {
	case data != "":
		err := openai.SetURL(&b, param+".file_data", data, "application/pdf")
		return b, err
	case link != "":
		b.Media.URL = link // never fetched here (K6)
	case b.Media.FileID == "":
		return b, llm.Invalid(param, "%s needs file_data, file_url or file_id", param)
	}
	return b, nil
}
