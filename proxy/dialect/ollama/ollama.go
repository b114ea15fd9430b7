// Package ollama speaks Ollama's own API: POST /api/chat, whole or as NDJSON.
//
// Only the outbound side is built: Keytray calling an Ollama server. The wire's
// types follow github.com/ollama/ollama/api v0.17 and are checked against it by
// test; JSON that a client or a model wrote (schemas, arguments) stays as it
// was written, which the types of that package would not keep.
package ollama

import "keytray/proxy/llm"

// Dialect is Ollama's. The zero value is ready.
type Dialect struct{}

var _ llm.Outbound = Dialect{}

const name = "ollama"

// Name is "ollama".
func (Dialect) Name() string { return name }

// URL is the chat endpoint; the model is named in the body.
func (Dialect) URL(_ *llm.Call, base string) string { return base + "/api/chat" }

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
