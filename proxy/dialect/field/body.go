package field

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"keytray/proxy/llm"
)

// Peek reads what the dialects with the model in the body have in common: the
// model, where it lies, and the wish for a stream. p is what else is known,
// and other, if not nil, reads the other fields into it. The error is an
// [*llm.Error] for the client: the body is no whole JSON object, or does not
// name one model.
func Peek(p llm.Peek, body []byte, other func(p *llm.Peek, key string, v []byte) *llm.Error) (llm.Peek, error) {
	var bad *llm.Error
	outline, err := llm.Scan(body, func(key, v []byte, at int) bool {
		switch key := Name(key); {
		case key == "model":
			bad = Model(&p, v, at)
		case key == "stream":
			p.Stream, bad = Bool(key, v)
		case other != nil:
			bad = other(&p, key, v)
		}
		return bad == nil
	})
	switch {
	case err != nil:
		return llm.Peek{}, Unreadable(body)
	case bad != nil:
		return llm.Peek{}, bad
	case p.ModelAt[1] == 0:
		return llm.Peek{}, llm.Invalid("model", "model is missing: name the model to use")
	}
	p.Stream, p.Outline = p.Stream && !p.Counts, outline
	return p, nil
}

// Model reads the model that a body names at a place.
func Model(p *llm.Peek, v []byte, at int) *llm.Error {
	switch {
	case p.ModelAt[1] > 0:
		return llm.Invalid("model", "model is given twice")
	case v[0] != '"':
		return must("model", "a string", v)
	}
	if p.Model = Unquote(v); p.Model == "" {
		return llm.Invalid("model", "model is empty: name the model to use")
	}
	p.ModelAt = [2]int{at, at + len(v)}
	return nil
}

// Unreadable says what is wrong with a body that is no JSON object.
func Unreadable(body []byte) *llm.Error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return llm.Invalid("", "the request body is empty: send a JSON object")
	}
	var v map[string]json.RawMessage
	err := json.Unmarshal(body, &v)
	var syntax *json.SyntaxError
	switch {
	case Cut(err) && trimmed[0] == '{':
		return llm.Invalid("", "the request body is cut off after %d bytes: it is not a whole JSON object", len(body))
	case errors.As(err, &syntax):
		return llm.Invalid("", "the request body is not JSON: %v, at byte %d", syntax, syntax.Offset)
	}
	return llm.Invalid("", "the request body must be a JSON object")
}

// Cut tells what encoding/json says of JSON that is fine as far as it goes.
func Cut(err error) bool {
	var s *json.SyntaxError
	return errors.As(err, &s) && (s.Error() == "unexpected end of JSON input" ||
		strings.HasPrefix(s.Error(), "invalid character ' ' in literal")) // null, true or false cut in two
}
