package embed

import (
	"net/http"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Peek finds the model, which Gemini's form names in its path.
func (d Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	var p llm.Peek
	var bad *llm.Error
	err := llm.Fields(body, func(key, v []byte, at int) bool {
		if string(key) == "model" && d.Form != Gemini {
			bad = field.Model(&p, v, at)
		}
		return bad == nil
	})
	if err != nil {
		return llm.Peek{}, field.Unreadable(body)
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
