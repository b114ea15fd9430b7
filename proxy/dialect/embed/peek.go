package embed

import (
	"encoding/json"
	"net/http"
	"strings"

	"keytray/proxy/llm"
)

// Peek finds the model, which Gemini's form names in its path.
func (d Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	var p llm.Peek
	var bad *llm.Error
	err := llm.Fields(body, func(key, v []byte, at int) bool {
		if string(key) != "model" || d.Form == Gemini {
			return true
		}
		switch {
		case p.ModelAt[1] > 0:
			bad = llm.Invalid("model", "model is given twice")
		case v[0] != '"':
			bad = llm.Invalid("model", "model must be a string")
		default:
			p.Model, p.ModelAt = unquote(v), [2]int{at, at + len(v)}
		}
		return bad == nil
	})
	if err != nil {
		return llm.Peek{}, unreadable(body)
	}
	if bad != nil {
		return llm.Peek{}, bad
	}
	switch {
	case d.Form == Gemini:
		path := r.URL.Path[strings.Index(r.URL.Path, "/models/")+len("/models/"):]
		var call string
		p.Model, call, _ = strings.Cut(path, ":embedContent")
		if p.Form = formOne; strings.HasSuffix(path, ":batchEmbedContents") {
			p.Model, p.Form = strings.TrimSuffix(path, ":batchEmbedContents"), ""
		} else if call != "" {
			return llm.Peek{}, llm.Invalid("model", "the path ends in no method of Gemini's")
		}
	case d.Form == Ollama && strings.HasSuffix(r.URL.Path, "/embeddings"):
		p.Form = formLegacy
	}
	if p.Model == "" {
		return llm.Peek{}, llm.Invalid("model", "model is missing: name the model that makes the embeddings")
	}
	return p, nil
}

// unreadable says what is wrong with a body that is no JSON object.
func unreadable(body []byte) *llm.Error {
	var v map[string]json.RawMessage
	if err := json.Unmarshal(body, &v); err != nil && len(body) > 0 {
		return llm.Invalid("", "the request body is no JSON object: %v", err)
	}
	return llm.Invalid("", "the request body is empty: send a JSON object")
}

// unquote reads a JSON string; "" if it is none.
func unquote(v []byte) string {
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
