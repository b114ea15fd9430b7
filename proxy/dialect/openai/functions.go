package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"keytray/proxy/dialect/schemas"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Function writes the inside of a function, from its name on. Its parameters
// become a schema of the form that OpenAI takes; says is whether it must be
// said that they are not strict.
func (r *Request) Function(t *llm.Tool, says bool) error {
	schema, merged, err := schemas.Input(t.Schema)
	if err != nil {
		return llm.Invalid("tools", "the parameters of tool %q: %v", t.Name, err)
	}
	if merged {
		r.Call.Lose("tools: alternatives at the root of a tool's parameters were merged")
	}
	r.Buf = sse.AppendString(append(r.Buf, `"name":`...), r.Rename(t.Name))
	if t.Description != "" {
		r.Str("description", t.Description)
	}
	r.Key("parameters")
	r.Buf = append(r.Buf, schema...)
	if says || t.Strict != nil {
		r.Bool("strict", r.strict("tools", t.Strict, schema))
	}
	return nil
}

// Short is an id or a key, or what stands for it where it is longer than the API
// takes: other providers make long ones.
func Short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return digest(s)[:32]
}

// nine is how long the ids of Mistral's tool calls are.
const nine = 9

// NineID is the id of a tool call as Mistral takes it: nine letters and digits.
func NineID(id string) string {
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
	}
	if len(id) == nine && strings.IndexFunc(id, odd) < 0 {
		return id
	}
	return digest(id)[:nine]
}

// digest is letters and digits that stand for s alone.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
