package proxytest

import (
	"net/http"
	"strings"
)

// Dialect is a wire API that a Provider speaks.
type Dialect string

// The dialects, and the paths (after any prefix, such as an aggregator's /openai) that ask for them.
const (
	Chat     Dialect = "chat"     // OpenAI: /chat/completions, /models
	Messages Dialect = "messages" // Anthropic: /messages, /messages/count_tokens, /models with anthropic-version
	Gemini   Dialect = "gemini"   // Google: /models/M:generateContent, :streamGenerateContent, /v1beta/models
	Ollama   Dialect = "ollama"   // native: /api/chat, /api/tags, /api/show, /api/version
)

// Dialects lists them all.
func Dialects() []Dialect { return []Dialect{Chat, Messages, Gemini, Ollama} }

// Path returns the path that asks the model for an answer in the dialect. Only Gemini's tells whether it
// is to be streamed, and it includes the query.
func (d Dialect) Path(model string, stream bool) string {
	switch d {
	case Messages:
		return "/v1/messages"
	case Gemini:
		if stream {
			return "/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
		}
		return "/v1beta/models/" + model + ":generateContent"
	case Ollama:
		return "/api/chat"
	default:
		return "/v1/chat/completions"
	}
}

// call is what a request wants.
type call int

const (
	callUnknown call = iota
	callAnswer
	callModels
	callModel
	callCount
	callShow
	callVersion
)

// route reads the dialect, the wish and, where the path has it, the model and whether to stream.
func route(r *http.Request) (d Dialect, c call, model string, stream bool) {
	path := r.URL.Path
	listing := func() Dialect {
		switch {
		case strings.Contains(path, "/v1beta/") || r.Header.Get("X-Goog-Api-Key") != "":
			return Gemini
		case r.Header.Get("Anthropic-Version") != "":
			return Messages
		default:
			return Chat
		}
	}
	_, name, inModels := strings.Cut(path, "/models/")
	bare, method, acts := strings.Cut(name, ":")
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		return Chat, callAnswer, "", false
	case strings.HasSuffix(path, "/messages/count_tokens"):
		return Messages, callCount, "", false
	case strings.HasSuffix(path, "/messages"):
		return Messages, callAnswer, "", false
	case strings.HasSuffix(path, "/api/chat"):
		return Ollama, callAnswer, "", false
	case strings.HasSuffix(path, "/api/tags"):
		return Ollama, callModels, "", false
	case strings.HasSuffix(path, "/api/show"):
		return Ollama, callShow, "", false
	case strings.HasSuffix(path, "/api/version"):
		return Ollama, callVersion, "", false
	case inModels && acts && method == "generateContent":
		return Gemini, callAnswer, bare, false
	case inModels && acts && method == "streamGenerateContent":
		return Gemini, callAnswer, bare, true
	case inModels && acts && method == "countTokens":
		return Gemini, callCount, bare, false
	case inModels:
		return listing(), callModel, name, false
	case strings.HasSuffix(path, "/models"):
		return listing(), callModels, "", false
	case strings.Contains(path, "/api/"):
		return Ollama, callUnknown, "", false
	default:
		return listing(), callUnknown, "", false
	}
}

// keyOf returns the provider key of a request, as its dialect sends it.
func keyOf(d Dialect, r *http.Request) string {
	switch d {
	case Messages:
		if key := r.Header.Get("X-Api-Key"); key != "" {
			return key
		}
	case Gemini:
		if key := r.Header.Get("X-Goog-Api-Key"); key != "" {
			return key
		}
		if key := r.URL.Query().Get("key"); key != "" {
			return key
		}
	case Chat, Ollama:
	}
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return key
}
