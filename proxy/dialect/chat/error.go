package chat

import (
	"net/http"

	"keytray/proxy/dialect/field"
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

// frameError is the refusal in a frame or a body whose status was 200.
func frameError(c *chunk, frame []byte) *llm.Error {
	if c.err == nil && (c.listed || c.usage != nil) {
		return nil
	}
	if c.err != nil && !field.Truthy(c.err) {
		return nil
	}
	e := openai.Refusal(frame)
	if e == nil && c.err == nil {
		return nil // a frame of some provider's own, which says nothing here
	}
	return openai.InAnswer(name, e, frame)
}
