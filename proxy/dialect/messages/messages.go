// Package messages speaks Anthropic's Messages API: to clients, and to
// providers, as of anthropic-version 2023-06-01 and without beta headers. What
// clients of version 2026-10-21 may not send is refused to them. The facts of
// the wire are those of the official SDK's types (anthropic-sdk-go v1.84) and
// of recorded requests and answers.
//
// Start with [Dialect].
package messages

import "keytray/proxy/llm"

// name of the dialect, and the origin of its opaque data.
const name = "messages"

// Dialect is Anthropic's Messages API. Its zero value works, and its methods
// may be called from many goroutines at once.
type Dialect struct{}

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

// Name is "messages".
func (Dialect) Name() string { return name }

// URL is the endpoint below a base such as https://api.anthropic.com/v1.
func (Dialect) URL(c *llm.Call, base string) string {
	if u := hostURL(c, base); u != "" {
		return u
	}
	if c.Counts {
		return base + "/messages" + countPath
	}
	return base + "/messages"
}

// Framing is SSE.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }

// Copies says whether the client's own bytes can be sent.
func (d Dialect) Copies(c *llm.Call, r *llm.Request) bool {
	return r.Inbound.Name() == d.Name() && hostCopies(c, r)
}
