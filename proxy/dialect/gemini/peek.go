package gemini

import (
	"net/http"
	"net/url"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// The methods of a model, as they stand behind the colon of a path.
const (
	generate = "generateContent"
	stream   = "streamGenerateContent"
	count    = "countTokens"
)

// formArray is the form of a stream without alt=sse: one JSON array that grows.
const formArray = "array"

// Patterns are the endpoints. The front door takes a leading /v1 away, but not
// /v1beta; @google/genai asks for either.
func (Dialect) Patterns() []llm.Pattern {
	var all []llm.Pattern
	for _, version := range []string{"/v1beta", "", "/v1alpha"} {
		for _, method := range []string{generate, stream, count} {
			all = append(all, llm.Pattern{Method: http.MethodPost, Path: version + "/models/{model:.+}:" + method})
		}
	}
	// Vercel's AI SDK takes a model's name with a slash for a whole resource
	// name, and leaves models/ out.
	for _, version := range []string{"/v1beta", "/v1alpha"} {
		for _, method := range []string{generate, stream, count} {
			all = append(all, llm.Pattern{Method: http.MethodPost, Path: version + "/{model:.+/.+}:" + method})
		}
	}
	return all
}

// Peek reads the path, where the model and the method are, and checks that the
// body is a JSON object.
func (Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	name, method, err := target(r.URL.Path)
	if err != nil {
		return llm.Peek{}, err
	}
	p := llm.Peek{Model: name}
	switch method {
	case generate:
	case stream:
		p.Stream, p.IncludeUsage = true, true // every answer of this dialect has it
		if !asksSSE(r.URL.RawQuery) {
			p.Form = formArray
		}
	case count:
		p.Counts = true
	default:
		return llm.Peek{}, &llm.Error{
			Kind: llm.NotFound, Param: "model",
			Message: "Keytray knows no method " + method + " of a model: it serves " + generate + ", " + stream + " and " + count,
		}
	}
	var bad error
	if p.Outline, bad = llm.Scan(body, func(_, _ []byte, _ int) bool { return true }); bad != nil {
		return llm.Peek{}, field.Unreadable(body)
	}
	return p, nil
}

// target is the model and the method of a path such as
// /v1beta/models/ollama/qwen3:8b:generateContent, or without models/.
func target(path string) (model, method string, err *llm.Error) {
	rest := strings.TrimPrefix(path, "/v1beta")
	rest = strings.TrimPrefix(rest, "/v1alpha")
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "/v1"), "/")
	rest = strings.TrimPrefix(rest, "models/")
	i := strings.LastIndexByte(rest, ':')
	if i <= 0 {
		return "", "", llm.Invalid("model", "the path names no model and method: it ends in models/MODEL:%s", generate)
	}
	return rest[:i], rest[i+1:], nil
}

// asksSSE tells whether the query says alt=sse, or $alt=sse.
func asksSSE(query string) bool {
	q, _ := url.ParseQuery(query) // what cannot be read says nothing
	return strings.EqualFold(q.Get("alt"), "sse") || strings.EqualFold(q.Get("$alt"), "sse")
}

// ContentType of an answer.
func (Dialect) ContentType(p llm.Peek) string {
	if p.Stream && p.Form != formArray {
		return "text/event-stream"
	}
	return "application/json"
}
