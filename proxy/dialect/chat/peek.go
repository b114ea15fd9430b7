package chat

import (
	"net/http"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Peek finds the model and how the answer is wanted.
func (Dialect) Peek(r *http.Request, body []byte) (llm.Peek, error) {
	return field.Peek(llm.Peek{Form: form(r)}, body, func(p *llm.Peek, key string, v []byte) *llm.Error {
		if key != "stream_options" || field.Null(v) {
			return nil
		}
		return field.Object(key, v, func(key string, v []byte) (err *llm.Error) {
			if key == "include_usage" {
				p.IncludeUsage, err = field.Bool("stream_options.include_usage", v)
			}
			return err
		})
	})
}
