package messages

import (
	"net/http"
	"strings"

	"keytray/proxy/llm"
)

// countPath ends the path of calls that ask for the size of a prompt alone.
const countPath = "/count_tokens"

// Patterns are the endpoints, without the version prefix. A query such as
// ?beta=true changes nothing.
func (Dialect) Patterns() []llm.Pattern {
	return []llm.Pattern{
		{Method: http.MethodPost, Path: "/messages"},
		{Method: http.MethodPost, Path: "/messages" + countPath},
	}
}

// ContentType of an answer.
func (Dialect) ContentType(p llm.Peek) string {
	if p.Stream {
		return "text/event-stream"
	}
	return "application/json"
}

// Peek finds the model and how the answer is wanted. The error is an
// [*llm.Error] for the client: the body is no whole JSON object, or does not
// name one model.
func (Dialect) Peek(hr *http.Request, body []byte) (llm.Peek, error) {
	p := llm.Peek{IncludeUsage: true, Counts: strings.HasSuffix(hr.URL.Path, countPath)}
	var bad *llm.Error
	err := llm.Fields(body, func(key, v []byte, at int) bool {
		switch fieldName(key) {
		case "model":
			switch {
			case p.ModelAt[1] > 0:
				bad = llm.Invalid("model", "model is given twice")
			case v[0] != '"':
				bad = llm.Invalid("model", "model must be a string, not %s", shapeOf(v))
			default:
				if p.Model = stringOf(v); p.Model == "" {
					bad = llm.Invalid("model", "model is empty: name the model to use")
				}
				p.ModelAt = [2]int{at, at + len(v)}
			}
		case "stream":
			p.Stream, bad = readBool("stream", v)
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
	p.Stream = p.Stream && !p.Counts
	return p, nil
}
