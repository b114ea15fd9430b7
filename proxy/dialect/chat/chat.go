// Package chat speaks OpenAI Chat Completions: to clients, and to the many
// providers that took it over. [Dialect] is both sides of it.
//
// Wire facts are from OpenAI's API reference and the types of openai-go and
// openai-node; what other providers add or do differently is from their own
// references and from recorded answers. The code asks for shapes and flags,
// never for a provider's name.
package chat

import "keytray/proxy/llm"

// Dialect is the chat dialect, inbound and outbound. The zero value is ready,
// and its methods may be called from many goroutines at once.
type Dialect struct{}

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

// name is also the Origin of opaque data that this dialect's providers made.
const name = "chat"

// Name is "chat".
func (Dialect) Name() string { return name }

// Patterns are the endpoints, without the version prefix.
func (Dialect) Patterns() []llm.Pattern {
	return []llm.Pattern{{Method: "POST", Path: "/chat/completions"}, {Method: "POST", Path: "/completions"}}
}

// ContentType of an answer.
func (Dialect) ContentType(p llm.Peek) string {
	if p.Stream {
		return "text/event-stream"
	}
	return "application/json"
}

// URL is where the call goes.
func (Dialect) URL(c *llm.Call, base string) string {
	if c.Form == completions {
		return base + "/completions"
	}
	return base + "/chat/completions"
}

// Framing of streams is SSE.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }

// Copies says whether the client's own bytes can be sent: legacy completions
// go only to who still serves them.
func (d Dialect) Copies(c *llm.Call, r *llm.Request) bool {
	return r.Inbound.Name() == d.Name() && (r.Form != completions || c.Model.Flags.Has(llm.FlagCompletions))
}
