package messages

import (
	"net/http"
	"strings"

	"keytray/proxy/dialect/field"
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

// Peek finds the model and how the answer is wanted.
func (Dialect) Peek(hr *http.Request, body []byte) (llm.Peek, error) {
	return field.Peek(llm.Peek{IncludeUsage: true, Counts: strings.HasSuffix(hr.URL.Path, countPath)}, body, nil)
}
