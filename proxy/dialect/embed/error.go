package embed

import (
	"net/http"
	"strconv"
	"strings"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeError gives an error the form's shape.
func (d Dialect) EncodeError(e *llm.Error) (status int, contentType string, body []byte) {
	status = e.StatusIn("embed")
	var b []byte
	switch d.Form {
	case Gemini:
		b = strconv.AppendInt([]byte(`{"error":{"code":`), int64(status), 10)
		b = sse.AppendString(append(b, `,"message":`...), e.Error())
		b = append(sse.AppendString(append(b, `,"status":`...), googleStatus(e.Kind)), "}}"...)
	case Ollama:
		b = append(sse.AppendString([]byte(`{"error":`), e.Error()), '}')
	case Cohere:
		b = append(sse.AppendString([]byte(`{"message":`), e.Error()), '}')
	default:
		b = openai.AppendError(nil, e)
	}
	return status, "application/json", b
}

// googleStatus is Google's word for a kind of error.
func googleStatus(k llm.ErrorKind) string {
	switch k {
	case llm.BadRequest, llm.TooLarge, llm.Filtered:
		return "INVALID_ARGUMENT"
	case llm.Unauthorized:
		return "UNAUTHENTICATED"
	case llm.Forbidden:
		return "PERMISSION_DENIED"
	case llm.NotFound:
		return "NOT_FOUND"
	case llm.RateLimited, llm.NoCredit:
		return "RESOURCE_EXHAUSTED"
	case llm.Timeout:
		return "DEADLINE_EXCEEDED"
	case llm.Canceled:
		return "CANCELLED"
	case llm.Internal:
		return "INTERNAL"
	}
	return "UNAVAILABLE"
}

// DecodeError reads a refusal.
func (d Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	return d.refusal(status, h, body)
}

func (d Dialect) refusal(status int, h http.Header, body []byte) *llm.Error {
	if d.Refusals == nil {
		text := strings.TrimSpace(string(body[:min(len(body), 500)]))
		return &llm.Error{Status: status, Kind: llm.KindOf(status), Message: text, Outbound: d.Name(), Raw: body, Header: h}
	}
	e := d.Refusals.DecodeError(status, h, body)
	e.Outbound = d.Name()
	return e
}
