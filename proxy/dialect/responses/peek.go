package responses

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"keytray/proxy/llm"
)

// Peek finds the model and how the answer is wanted. The error is an
// [*llm.Error] for the client: the body is no whole JSON object, or does not
// name one model.
func (Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	p := llm.Peek{Counts: countsOnly(r), IncludeUsage: true}
	var bad *llm.Error
	err := llm.Fields(body, func(key, v []byte, at int) bool {
		switch fieldName(key) {
		case "model":
			switch {
			case p.ModelAt[1] > 0:
				bad = llm.Invalid("model", "model is given twice")
			case v[0] != '"':
				bad = llm.Invalid("model", "model must be a string, not %s", kindOf(v))
			default:
				if p.Model, bad = text("model", v); p.Model == "" && bad == nil {
					bad = llm.Invalid("model", "model is empty: name the model to use")
				}
				p.ModelAt = [2]int{at, at + len(v)}
			}
		case "stream":
			p.Stream, bad = boolean("stream", v)
			p.Stream = p.Stream && !p.Counts
		}
		return bad == nil
	})
	switch {
	case err != nil:
		return llm.Peek{}, unreadable(body)
	case bad != nil:
		return llm.Peek{}, bad
	case p.ModelAt[1] == 0:
		return llm.Peek{}, llm.Invalid("model", "model is missing: name the model to use")
	}
	return p, nil
}

// endless is what encoding/json says of JSON that is cut off.
const endless = "unexpected end of JSON input"

// unreadable says what is wrong with a body that is no JSON object.
func unreadable(body []byte) *llm.Error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return llm.Invalid("", "the request body is empty: send a JSON object")
	}
	var v map[string]json.RawMessage
	err := json.Unmarshal(body, &v)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && syntax.Error() == endless && trimmed[0] == '{':
		return llm.Invalid("", "the request body is cut off after %d bytes: it is not a whole JSON object", len(body))
	case errors.As(err, &syntax):
		return llm.Invalid("", "the request body is not JSON: %v, at byte %d", syntax, syntax.Offset)
	}
	return llm.Invalid("", "the request body must be a JSON object")
}
