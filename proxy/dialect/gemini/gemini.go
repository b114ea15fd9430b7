// Package gemini speaks Google's generateContent to the Gemini API and to
// Vertex AI.
//
// Sources: the reference at ai.google.dev/api/generate-content, the types of
// google.golang.org/genai, and recorded answers of both services.
package gemini

import (
	"net/url"
	"strings"

	"keytray/proxy/llm"
)

// Dialect is the gemini dialect, outbound. The zero value is ready.
type Dialect struct{}

var _ llm.Outbound = Dialect{}

// Name is "gemini".
func (Dialect) Name() string { return "gemini" }

// Framing is SSE: URL always asks for it.
func (Dialect) Framing(*llm.Call) llm.Framing { return llm.SSE }

// Copies says whether the client's own bytes can be sent.
func (d Dialect) Copies(_ *llm.Call, r *llm.Request) bool { return r.Inbound.Name() == d.Name() }

// URL is base, the model's resource name and the method. base ends in the
// version (https://generativelanguage.googleapis.com/v1beta), at Vertex in
// the publisher (…/locations/L/publishers/google). A model's name may be bare
// or a resource name already ("models/M", "tunedModels/M"; "endpoints/E" at
// Vertex).
func (Dialect) URL(c *llm.Call, base string) string {
	name := c.Model.Name
	collection, _, found := strings.Cut(name, "/")
	if !found || !isCollection(collection) {
		name = "models/" + name
	}
	segments := strings.Split(name, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	method := ":generateContent"
	if c.Stream {
		method = ":streamGenerateContent?alt=sse"
	}
	return base + "/" + strings.Join(segments, "/") + method
}

func isCollection(s string) bool {
	return s == "models" || s == "tunedModels" || s == "endpoints"
}

// escape is url.PathEscape, and keeps a name from climbing up the path or
// from looking like a method.
func escape(s string) string {
	switch s {
	case ".", "..":
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
}

// Patch leaves the body as it is: the model and whether the answer is
// streamed are in the URL, and every answer reports its usage.
func (Dialect) Patch(_ *llm.Call, r *llm.Request) ([][]byte, error) {
	return [][]byte{r.Raw}, nil
}
