// Package ollama speaks Ollama's own API: POST /api/chat and /api/generate, to
// clients and to an Ollama server, whole or as NDJSON.
//
// The wire's types follow github.com/ollama/ollama/api v0.17 and are checked
// against it by test; JSON that a client or a model wrote (schemas, arguments)
// stays as it was written, which the types of that package would not keep.
package ollama

import (
	"strings"

	"keytray/proxy/llm"
)

// Dialect is Ollama's, inbound and outbound. The zero value is ready, and its
// methods may be called from many goroutines at once.
type Dialect struct{}

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

const name = "ollama"

// Generate is the Form of a call of /api/generate: one prompt, no messages.
const Generate = "generate"

// Name is "ollama".
func (Dialect) Name() string { return name }

// Patterns are the endpoints.
func (Dialect) Patterns() []llm.Pattern {
	return []llm.Pattern{{Method: "POST", Path: "/api/chat"}, {Method: "POST", Path: "/api/generate"}}
}

// form is the form that a path serves.
func form(path string) string {
	if strings.HasSuffix(path, "/api/generate") {
		return Generate
	}
	return ""
}

// ContentType of an answer.
func (Dialect) ContentType(p llm.Peek) string {
	if p.Stream {
		return "application/x-ndjson"
	}
	return "application/json"
}

// URL is the endpoint of the call's form; the model is named in the body.
func (Dialect) URL(c *llm.Call, base string) string {
	if c.Form == Generate {
		return base + "/api/generate"
	}
	return base + "/api/chat"
}

// Framing of streams is NDJSON.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.NDJSON }

// Copies says whether the client's own bytes can be sent.
func (d Dialect) Copies(_ *llm.Call, r *llm.Request) bool { return r.Inbound.Name() == d.Name() }

// Patch replaces the model's name in a body of the same dialect.
func (Dialect) Patch(c *llm.Call, r *llm.Request) ([][]byte, error) {
	if r.ModelAt[1] == 0 {
		return nil, llm.Invalid("model", "the request names no model")
	}
	return [][]byte{r.Raw[:r.ModelAt[0]], quote(c.Model.Name), r.Raw[r.ModelAt[1]:]}, nil
}
