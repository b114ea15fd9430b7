package messages

import (
	"net/http"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// statusOverloaded is Anthropic's own.
const statusOverloaded = 529

// EncodeError gives an error Anthropic's shape. A provider's error says whose
// it is, and keeps its status.
func (Dialect) EncodeError(e *llm.Error) (status int, contentType string, body []byte) {
	status = e.StatusIn(name)
	if e.Kind == llm.Overloaded && e.Status == 0 {
		status = statusOverloaded
	}
	id := e.Header.Get("Request-Id")
	return status, "application/json", appendError(nil, e, id)
}

func appendError(b []byte, e *llm.Error, id string) []byte {
	message := e.Error()
	if e.Param != "" && !strings.Contains(message, e.Param) {
		message = e.Param + ": " + message
	}
	b = append(append(append(b, `{"type":"error","error":{"type":"`...), errorType(e)...), `","message":`...)
	b = append(sse.AppendString(b, message), `},"request_id":`...)
	if id == "" {
		return append(b, "null}"...)
	}
	return append(sse.AppendString(b, id), '}')
}

// errorType is Anthropic's type for a kind of error.
func errorType(e *llm.Error) string {
	switch e.Kind {
	case llm.BadRequest, llm.Filtered:
		return "invalid_request_error"
	case llm.Unauthorized:
		return "authentication_error"
	case llm.Forbidden:
		return "permission_error"
	case llm.NotFound:
		return "not_found_error"
	case llm.TooLarge:
		return "request_too_large"
	case llm.RateLimited:
		return "rate_limit_error"
	case llm.NoCredit, llm.OverBudget:
		return "billing_error"
	case llm.Overloaded:
		return "overloaded_error"
	case llm.Timeout:
		return "timeout_error"
	}
	if e.Status == http.StatusNotFound {
		return "not_found_error"
	}
	return "api_error"
}
