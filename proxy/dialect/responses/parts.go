package responses

import (
	"encoding/base64"
	"net/url"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// What kinds of part a message may hold.
type partKinds uint8

const (
	textOnly partKinds = iota
	assistantPart
	anyPart
)

// parts reads content: a string, an array of parts, or nothing. Empty text is
// left out.
func (d *decoder) parts(param string, v []byte, kinds partKinds) ([]llm.Block, *llm.Error) {
	if field.Null(v) {
		return nil, nil
	}
	if v[0] == '"' {
		s := field.Unquote(v)
		if s == "" {
			return nil, nil
		}
		return []llm.Block{{Kind: llm.Text, Text: s}}, nil
	}
	if v[0] != '[' {
		return nil, llm.Invalid(param, "%s must be a string or an array of parts, not %s", param, field.Kind(v))
	}
	var blocks []llm.Block
	err := field.Array(param, v, func(param string, v []byte) *llm.Error {
		if v[0] == '"' {
			blocks = append(blocks, llm.Block{Kind: llm.Text, Text: field.Unquote(v)})
			return nil
		}
		if v[0] != '{' {
			return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
		}
		b, err := d.part(param, v, kinds)
		if err != nil {
			return err
		}
		if field.Truthy(field.Of(v, "prompt_cache_breakpoint")) && !field.Null(field.Of(v, "prompt_cache_breakpoint")) {
			b.Cache = "5m"
		}
		if b.Kind != llm.Text && b.Kind != llm.Refusal || b.Text != "" {
			blocks = append(blocks, b)
		}
		return nil
	})
	return blocks, err
}

func (d *decoder) part(param string, v []byte, kinds partKinds) (llm.Block, *llm.Error) {
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
	case kind == "refusal" && kinds == assistantPart:
		s, err := field.String(param+".refusal", field.Of(v, "refusal"))
		return llm.Block{Kind: llm.Refusal, Text: s}, err
	case kinds == textOnly:
		return llm.Block{}, llm.Invalid(param+".type", "%s.type must be input_text in this role, not %q", param, kind)
	case kind == "input_image" || kind == "image_url":
		return image(param, v)
	case kind == "input_file" || kind == "file":
		return file(param, v)
	case kind == "input_audio":
		return audio(param+".input_audio", field.Of(v, "input_audio"))
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
	err = setURL(&b, param+".image_url", s, "")
	return b, err
}

func audio(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Audio}
	b.Media.Data = field.Unquote(field.Of(v, "data"))
	if b.Media.Data == "" {
		return b, llm.Invalid(param+".data", "%s.data is missing", param)
	}
	switch format := field.Unquote(field.Of(v, "format")); format {
	case "mp3":
		b.Media.Type = "audio/mpeg"
	case "":
		return b, llm.Invalid(param+".format", "%s.format is missing", param)
	default:
		b.Media.Type = "audio/" + format
	}
	return b, nil
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
		err := setURL(&b, param+".file_data", data, "application/pdf")
		return b, err
	case link != "":
		b.Media.URL = link // never fetched here (K6)
	case b.Media.FileID == "":
		return b, llm.Invalid(param, "%s needs file_data, file_url or file_id", param)
	}
	return b, nil
}

// setURL takes a data URL apart, and keeps any other URL as it is: Keytray
// never fetches it (K6). bare is the type of data that is no URL at all.
func setURL(b *llm.Block, param, s, bare string) *llm.Error {
	head, data, isData := strings.Cut(s, ",")
	switch {
	case s == "":
		return llm.Invalid(param, "%s is missing", param)
	case !strings.HasPrefix(s, "data:"):
		if bare != "" && !strings.Contains(s, "://") {
			b.Media.Type, b.Media.Data = bare, s
			return nil
		}
		b.Media.URL = s
		return nil
	case !isData:
		return llm.Invalid(param, "%s is a data URL without data", param)
	}
	head = strings.TrimPrefix(head, "data:")
	kind, is64 := strings.CutSuffix(head, ";base64")
	b.Media.Type, _, _ = strings.Cut(kind, ";")
	b.Media.Data = data
	if !is64 {
		raw, err := url.PathUnescape(data)
		if err != nil {
			return llm.Invalid(param, "%s is a data URL that cannot be read: %v", param, err)
		}
		b.Media.Data = base64.StdEncoding.EncodeToString([]byte(raw))
	}
	if b.Media.Data == "" {
		return llm.Invalid(param, "%s is a data URL without data", param)
	}
	return nil
}
