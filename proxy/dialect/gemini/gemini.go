// Package gemini speaks Google's generateContent: to clients, to the Gemini
// API and to Vertex AI. [Dialect] is both sides of it.
//
// Sources: the reference at ai.google.dev/api/generate-content, the types of
// google.golang.org/genai, and recorded answers of both services.
package gemini

import (
	"net/url"
	"strings"

	"keytray/proxy/llm"
)

// Dialect is the gemini dialect, inbound and outbound. The zero value is
// ready, and its methods may be called from many goroutines at once.
type Dialect struct{}

var (
	_ llm.Inbound  = Dialect{}
	_ llm.Outbound = Dialect{}
)

// name is also the dialect in the Origin of what its providers signed.
const name = "gemini"

// Name is "gemini".
func (Dialect) Name() string { return name }

// Framing is SSE, unless the client's own bytes ask for an array.
func (Dialect) Framing(c *llm.Call) llm.Framing {
	if c.Form == formArray {
		return llm.JSONArray
	}
	return llm.SSE
}

// Copies says whether the client's own bytes can be sent.
func (d Dialect) Copies(_ *llm.Call, r *llm.Request) bool { return r.Inbound.Name() == d.Name() }

// URL is base, the model's resource name and the method. base ends in the
// version (https://generativelanguage.googleapis.com/v1beta), at Vertex in
// the publisher (…/locations/L/publishers/google). A model's name may be bare
// or a resource name already ("models/M", "tunedModels/M"; "endpoints/E" at
// Vertex).
func (Dialect) URL(c *llm.Call, base string) string {
	method := generate
	switch {
	case c.Counts:
		method = count
	case c.Stream && c.Form == formArray:
		method = stream
	case c.Stream:
		method = stream + "?alt=sse"
	}
	return base + "/" + resource(c) + ":" + method
}

// resource is a model's name as a path.
func resource(c *llm.Call) string {
	segments := strings.Split(resourceName(c), "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

// resourceName is a model's name with the collection that it is in.
func resourceName(c *llm.Call) string {
	collection, _, found := strings.Cut(c.Model.Name, "/")
	if !found || !isCollection(collection) {
		return "models/" + c.Model.Name
	}
	return c.Model.Name
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
