package gemini

import (
	"net/http"
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeError is Google's error object. A provider's error says whose it is,
// and keeps its status.
func (Dialect) EncodeError(e *llm.Error) (status int, contentType string, body []byte) {
	return e.StatusIn(name), "application/json", appendError(nil, e)
}

func appendError(b []byte, e *llm.Error) []byte {
	code := e.StatusIn(name)
	b = strconv.AppendInt(append(b, `{"error":{"code":`...), int64(code), 10)
	b = sse.AppendString(append(b, `,"message":`...), e.Error())
	b = sse.AppendString(append(b, `,"status":`...), rpcCode(e.Kind, code))
	first := true
	detail := func(kind string) {
		if first {
			b = append(b, `,"details":[`...)
		} else {
			b = append(b, ',')
		}
		first = false
		b = append(append(append(b, `{"@type":"type.googleapis.com/google.rpc.`...), kind...), '"')
	}
	if e.Code != "" {
		detail("ErrorInfo")
		b = sse.AppendString(append(b, `,"reason":`...), e.Code)
		if e.Provider != "" {
			b = sse.AppendString(append(b, `,"domain":`...), e.Provider)
		}
		b = append(b, '}')
	}
	if e.Param != "" {
		detail("BadRequest")
		b = sse.AppendString(append(b, `,"fieldViolations":[{"field":`...), e.Param)
		b = append(sse.AppendString(append(b, `,"description":`...), e.Message), "}]}"...)
	}
	if e.RetryAfter > 0 {
		detail("RetryInfo")
		wait := strconv.FormatFloat(e.RetryAfter.Seconds(), 'f', -1, 64) + "s"
		b = append(sse.AppendString(append(b, `,"retryDelay":`...), wait), '}')
	}
	if !first {
		b = append(b, ']')
	}
	return append(b, "}}"...)
}

// rpcCode is the google.rpc.Code of a failure.
func rpcCode(kind llm.ErrorKind, status int) string {
	switch kind {
	case llm.Unauthorized:
		return "UNAUTHENTICATED"
	case llm.Forbidden:
		return "PERMISSION_DENIED"
	case llm.NotFound:
		return "NOT_FOUND"
	case llm.RateLimited:
		return "RESOURCE_EXHAUSTED"
	case llm.NoCredit, llm.OverBudget:
		return "FAILED_PRECONDITION"
	case llm.Overloaded, llm.Unreachable, llm.Cut:
		return "UNAVAILABLE"
	case llm.Timeout:
		return "DEADLINE_EXCEEDED"
	case llm.Canceled:
		return "CANCELLED"
	case llm.BadRequest, llm.TooLarge, llm.Filtered:
		if status == http.StatusMethodNotAllowed {
			return "UNIMPLEMENTED"
		}
		return "INVALID_ARGUMENT"
	}
	return "INTERNAL"
}
