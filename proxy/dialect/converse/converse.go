// Package converse speaks Amazon Bedrock's Converse and ConverseStream toward
// providers. The facts of the wire are those of the API reference of the
// Bedrock runtime, version 2023-09-30, and of recorded answers.
//
// A stream's frames are those of the event stream after its binary frames were
// unwrapped: the name of the event, and its JSON. Start with [Dialect].
package converse

import (
	"net/url"
	"strings"

	"keytray/proxy/llm"
)

// name of the dialect, and the origin of its opaque data.
const name = "converse"

// Dialect is the converse dialect, outbound. Its zero value works, and its
// methods may be called from many goroutines at once.
type Dialect struct{}

var _ llm.Outbound = Dialect{}

// Name is "converse".
func (Dialect) Name() string { return name }

// Copies is false: no client speaks this dialect to Keytray.
func (Dialect) Copies(*llm.Call, *llm.Request) bool { return false }

// Patch is never called, since nothing is copied.
func (Dialect) Patch(*llm.Call, *llm.Request) ([][]byte, error) {
	return nil, &llm.Error{Kind: llm.Internal, Message: "a request for Bedrock's Converse is always translated"}
}

// URL is the endpoint below a base such as
// https://bedrock-runtime.us-east-1.amazonaws.com. The model is an id, an
// inference profile's id, or the ARN of either.
func (Dialect) URL(c *llm.Call, base string) string {
	method := "/converse"
	if c.Stream {
		method = "/converse-stream"
	}
	return base + "/model/" + escape(c.Model.Name) + method
}

// escape keeps a model's name one segment of the path, as AWS signs it.
func escape(s string) string {
	switch s {
	case ".", "..":
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
}

// Framing is SSE, which event streams are unwrapped into.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }
