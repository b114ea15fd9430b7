package openai

import (
	"encoding/base64"
	"net/url"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Holds is what kinds of part a message may hold.
type Holds uint8

// What messages hold.
const (
	TextOnly Holds = iota
	AssistantPart
	AnyPart
)

// Parts reads a message's content: a string, an array of parts, or nothing.
// Empty text is left out (A10).
func Parts(param string, v []byte, part func(param string, v []byte) (llm.Block, *llm.Error)) ([]llm.Block, *llm.Error) {
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
			if s := field.Unquote(v); s != "" {
				blocks = append(blocks, llm.Block{Kind: llm.Text, Text: s})
			}
			return nil
		}
		if v[0] != '{' {
			return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
		}
		b, err := part(param, v)
		if err == nil && (b.Kind != llm.Text && b.Kind != llm.Refusal || b.Text != "") {
			blocks = append(blocks, b)
		}
		return err
	})
	return blocks, err
}

// Sound reads the input_audio of a part.
func Sound(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Audio}
	if b.Media.Data = field.Unquote(field.Of(v, "data")); b.Media.Data == "" {
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

// SetURL takes a data URL apart, and keeps any other URL as it is: Keytray
// never fetches it (K6). bare is the type of data that is no URL at all.
func SetURL(b *llm.Block, param, s, bare string) *llm.Error {
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
