package chat

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

// parts reads a message's content: a string, an array of parts, or nothing.
// Empty text is left out (A10).
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
		b, err := part(param, v, kinds)
		if err != nil {
			return err
		}
		if mark := field.Of(v, "cache_control"); !field.Null(mark) {
			if b.Cache, err = cacheMark(param+".cache_control", mark); err != nil {
				return err
			}
		}
		if b.Kind != llm.Text && b.Kind != llm.Refusal || b.Text != "" {
			blocks = append(blocks, b)
		}
		return nil
	})
	return blocks, err
}

func part(param string, v []byte, kinds partKinds) (llm.Block, *llm.Error) {
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
	case kind == "refusal" && kinds == assistantPart:
		s, err := field.String(param+".refusal", field.Of(v, "refusal"))
		return llm.Block{Kind: llm.Refusal, Text: s}, err
	case kind == "thinking" && kinds == assistantPart: // Mistral's
		return llm.Block{Kind: llm.Thinking, Text: partsText(field.Of(v, "thinking")), Origin: name}, nil
	case kinds == textOnly:
		return llm.Block{}, llm.Invalid(param+".type", "%s.type must be text in this role, not %q", param, kind)
	case kind == "image_url":
		return image(param+".image_url", field.Of(v, "image_url"))
	case kind == "input_audio":
		return audio(param+".input_audio", field.Of(v, "input_audio"))
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
	err = setURL(&b, param, s, "")
	return b, err
}

func audio(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Audio}
	format, data := field.Unquote(field.Of(v, "format")), field.Unquote(field.Of(v, "data"))
	if data == "" {
		return b, llm.Invalid(param+".data", "%s.data is missing", param)
	}
	switch format {
	case "mp3":
		b.Media.Type = "audio/mpeg"
	case "":
		return b, llm.Invalid(param+".format", "%s.format is missing", param)
	default:
		b.Media.Type = "audio/" + format
	}
	b.Media.Data = data
	return b, nil
}

func file(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Document, Name: field.Unquote(field.Of(v, "filename"))}
	b.Media.FileID = field.Unquote(field.Of(v, "file_id"))
	data := field.Unquote(field.Of(v, "file_data"))
	switch {
	case data != "":
		err := setURL(&b, param+".file_data", data, "application/pdf")
		return b, err
	case b.Media.FileID == "":
		return b, llm.Invalid(param, "%s needs file_data or file_id", param)
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
