package responses

import (
	"net/http"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Peek finds the model and how the answer is wanted.
func (Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	return field.Peek(llm.Peek{Counts: countsOnly(r), IncludeUsage: true}, body, nil)
}
