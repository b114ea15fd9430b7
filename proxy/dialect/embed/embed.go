// Package embed speaks the APIs that turn text into vectors: OpenAI's
// /embeddings, Gemini's embedContent, Ollama's /api/embed and Cohere's
// /v2/embed. A [Dialect] is one of these forms, both sides of it. Between two
// forms a call goes through [llm.Prompt.Embed] and events whose blocks are
// vectors; between equal ones it is a byte copy.
//
// Wire facts are from the providers' API references, the types of openai-go,
// genai and ollama/api, and recorded answers.
package embed

import (
	"net/http"
	"strings"

	"keytray/proxy/llm"
)

// A Form is whose API for embeddings it is.
type Form string

// The forms.
const (
	OpenAI Form = "openai"
	Gemini Form = "gemini"
	Ollama Form = "ollama"
	Cohere Form = "cohere"
)

// Dialect is one form, inbound and outbound. Its methods may be called from
// many goroutines at once.
type Dialect struct {
	Form Form
	// Refusals reads what a provider refuses with; an outbound needs it.
	Refusals interface {
		DecodeError(status int, h http.Header, body []byte) *llm.Error
	}
}

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

// All are the forms that clients may speak.
func All() []llm.Inbound {
	return []llm.Inbound{Dialect{Form: OpenAI}, Dialect{Form: Gemini}, Dialect{Form: Ollama}, Dialect{Form: Cohere}}
}

// What Peek.Form says of a call. The usual form is the one that takes many
// texts at once.
const (
	formOne    = "one"    // Gemini's embedContent, for one text
	formLegacy = "legacy" // Ollama's /api/embeddings, for one prompt
)

// Name tells the forms apart: "embed-openai".
func (d Dialect) Name() string { return "embed-" + string(d.Form) }

// Patterns are the endpoints.
func (d Dialect) Patterns() []llm.Pattern {
	var paths []string
	switch d.Form {
	case Gemini:
		paths = []string{
			"/v1beta/models/{model:.+}:embedContent", "/v1beta/models/{model:.+}:batchEmbedContents",
			"/models/{model:.+}:embedContent", "/models/{model:.+}:batchEmbedContents",
		}
	case Ollama:
		paths = []string{"/api/embed", "/api/embeddings"}
	case Cohere:
		paths = []string{"/v2/embed"}
	default:
		paths = []string{"/embeddings"}
	}
	all := make([]llm.Pattern, len(paths))
	for i, p := range paths {
		all[i] = llm.Pattern{Method: http.MethodPost, Path: p}
	}
	return all
}

// ContentType of an answer.
func (Dialect) ContentType(llm.Peek) string { return "application/json" }

// Framing is of no meaning: answers come whole.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }

// Copies says whether the client's own bytes can be sent.
func (d Dialect) Copies(_ *llm.Call, r *llm.Request) bool { return r.Inbound.Name() == d.Name() }

// URL is where the call goes.
func (d Dialect) URL(c *llm.Call, base string) string {
	switch {
	case d.Form == Gemini && c.Form == formOne:
		return base + "/models/" + geminiName(c.Model.Name) + ":embedContent"
	case d.Form == Gemini:
		return base + "/models/" + geminiName(c.Model.Name) + ":batchEmbedContents"
	case d.Form == Ollama && c.Form == formLegacy:
		return base + "/api/embeddings"
	case d.Form == Ollama:
		return base + "/api/embed"
	case d.Form == Cohere:
		return base + "/embed"
	}
	return base + "/embeddings"
}

// geminiName is a model's name without the prefix that Google's list gives it.
func geminiName(name string) string { return strings.TrimPrefix(name, "models/") }
