package gemini

import (
	"encoding/base64"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// media reads bytes or a file. What directly follows a function's response
// was returned by that function (E21).
func (t *turn) media(p newPart) *llm.Error {
	param, v := p.param+".inlineData", p.inline
	if v == nil {
		param, v = p.param+".fileData", p.file
	}
	var b llm.Block
	uri := ""
	err := object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "mimeType":
			b.Media.Type, err = field.String(param+".mimeType", v)
		case "displayName":
			b.Name, err = field.String(param+".displayName", v)
		case "data":
			b.Media.Data, err = field.String(param+".data", v)
			b.Media.Data = standard(b.Media.Data)
		case "fileUri":
			uri, err = field.String(param+".fileUri", v)
		default:
			if field.Truthy(v) {
				t.p.Lose("contents: " + key)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case p.inline != nil && (b.Media.Data == "" || b.Media.Type == ""):
		return llm.Invalid(param, "%s needs a mimeType and data", param)
	case p.inline == nil && uri == "":
		return llm.Invalid(param+".fileUri", "%s.fileUri is missing", param)
	case keptAtGoogle(uri):
		b.Media.FileID = uri
	default:
		b.Media.URL = uri
	}
	kind := b.Media.Type
	if kind == "" {
		kind = mimeType(llm.Document, b.Media)
	}
	switch kind, _, _ := strings.Cut(strings.ToLower(kind), "/"); kind {
	case "image":
		b.Kind, b.Name = llm.Image, ""
	case "audio":
		b.Kind, b.Name = llm.Audio, ""
	default:
		b.Kind = llm.Document
	}
	if t.answer {
		last := &t.m.Blocks[len(t.m.Blocks)-1]
		last.Content = append(last.Content, b)
		return nil
	}
	t.add(b, p.signature)
	return nil
}

// standard is base64 in the alphabet that every provider takes; protobuf's
// JSON takes that of URLs as well, and without padding.
func standard(data string) string {
	if !strings.ContainsAny(data, "-_") && len(data)%4 == 0 {
		return data
	}
	raw := strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(data), "=")
	if _, err := base64.RawStdEncoding.DecodeString(raw); err != nil {
		return data
	}
	return raw + "==="[:(4-len(raw)%4)%4]
}

// program and printed are code that Google ran, as the text that the answer
// was to other clients.
func (t *turn) program(p newPart) *llm.Error {
	var language, code string
	err := object(p.param+".executableCode", p.code, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "language":
			language, err = field.String(p.param+".executableCode.language", v)
		case "code":
			code, err = field.String(p.param+".executableCode.code", v)
		}
		return err
	})
	t.add(llm.Block{Text: fenced(strings.ToLower(language), code)}, p.signature)
	return err
}

func (t *turn) printed(p newPart) *llm.Error {
	var output string
	err := object(p.param+".codeExecutionResult", p.result, func(key string, v []byte) (err *llm.Error) {
		if key == "output" {
			output, err = field.String(p.param+".codeExecutionResult.output", v)
		}
		return err
	})
	t.add(llm.Block{Text: fenced("", output)}, p.signature)
	return err
}
