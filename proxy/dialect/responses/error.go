package responses

import (
	"net/http"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// EncodeError gives an error OpenAI's shape. A provider's error says whose it
// is, and keeps its status.
func (Dialect) EncodeError(e *llm.Error) (status int, contentType string, body []byte) {
	return openai.EncodeError(name, e)
}

// DecodeError reads a refusal.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	return openai.DecodeError(name, status, h, body)
}
