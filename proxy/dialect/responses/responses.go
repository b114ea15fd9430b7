// Package responses speaks OpenAI's Responses API: to clients such as Codex
// and the OpenAI SDKs, and to the providers that serve it. [Dialect] is both
// sides of it.
//
// Wire facts are from OpenAI's API reference, the types of openai-go and
// recorded answers of OpenAI, Azure, OpenRouter, DeepSeek, Bedrock and Ollama.
//
// What the API keeps between calls is not kept here: a translated request must
// hold its whole conversation. [Expand], [Resolve] and [Items] are what a store
// needs to make one whole.
package responses

import (
	"net/http"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Dialect is the responses dialect, inbound and outbound. The zero value is
// ready, and its methods may be called from many goroutines at once.
type Dialect struct{}

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

// name is also the Origin of opaque data that this dialect's providers made.
const name = "responses"

const (
	path      = "/responses"
	countPath = "/responses/input_tokens"
)

// Name is "responses".
func (Dialect) Name() string { return name }

// Patterns are the endpoints, without the version prefix.
func (Dialect) Patterns() []llm.Pattern {
	return []llm.Pattern{{Method: "POST", Path: path}, {Method: "POST", Path: countPath}}
}

// countsOnly tells a call that asks for the prompt's size alone.
func countsOnly(r *http.Request) bool {
	return r != nil && r.URL != nil && strings.HasSuffix(strings.TrimRight(r.URL.Path, "/"), countPath)
}

// ContentType of an answer.
func (Dialect) ContentType(p llm.Peek) string {
	if p.Stream && !p.Counts {
		return "text/event-stream"
	}
	return "application/json"
}

// URL is where the call goes.
func (Dialect) URL(c *llm.Call, base string) string {
	if c.Counts {
		return base + countPath
	}
	return base + path
}

// Framing of streams is SSE.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }

// Copies says whether the client's own bytes can be sent: all tools in them
// must be of kinds that the model's provider takes. The others are sent as
// functions, or left out and reported.
func (d Dialect) Copies(c *llm.Call, r *llm.Request) bool {
	if r.Inbound.Name() != d.Name() {
		return false
	}
	custom, hosted := c.Model.Flags.Has(llm.FlagNoCustomTools), c.Model.Flags.Has(llm.FlagNoHostedTools)
	if !custom && !hosted {
		return true
	}
	copies := true
	kinds := func(v []byte, _ int) bool {
		switch kind := field.Unquote(field.Of(v, "type")); {
		case kind == "custom", kind == "namespace", kind == "custom_tool_call", wireTypes[kind] != wireFunction:
			copies = copies && !custom
		case kind == "image_generation", strings.HasPrefix(kind, "web_search") && kind != "web_search_call":
			copies = copies && !hosted
		}
		return copies
	}
	_ = llm.Fields(r.Raw, func(key, v []byte, _ int) bool { // the body was read before
		switch field.Name(key) {
		case "tools", "input":
			_ = llm.Elements(v, kinds) // a text has none
		}
		return copies
	})
	return copies
}
