package openai

import (
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeError gives an error OpenAI's shape, to a client of the dialect of that
// name. A provider's error says whose it is, and keeps its status.
func EncodeError(dialect string, e *llm.Error) (status int, contentType string, body []byte) {
	return e.StatusIn(dialect), "application/json", AppendError(nil, e)
}

// AppendError writes {"error":{...}}.
func AppendError(b []byte, e *llm.Error) []byte {
	kind, code := errorType(e)
	if e.Code != "" {
		code = e.Code
	}
	b = sse.AppendString(append(b, `{"error":{"message":`...), e.Error())
	b = sse.AppendString(append(b, `,"type":`...), kind)
	b = appendNullable(append(b, `,"param":`...), e.Param)
	b = appendNullable(append(b, `,"code":`...), code)
	return append(b, "}}"...)
}

func appendNullable(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return sse.AppendString(b, s)
}

// errorType is OpenAI's type for a kind of error, and the code for one that
// comes without.
func errorType(e *llm.Error) (kind, code string) {
	switch e.Kind {
	case llm.BadRequest:
		return "invalid_request_error", ""
	case llm.Unauthorized:
		return "authentication_error", "invalid_api_key"
	case llm.Forbidden:
		return "permission_error", ""
	case llm.NotFound:
		return "invalid_request_error", "model_not_found"
	case llm.TooLarge:
		return "invalid_request_error", "request_too_large"
	case llm.RateLimited:
		return "rate_limit_error", "rate_limit_exceeded"
	case llm.NoCredit, llm.OverBudget:
		return "insufficient_quota", "insufficient_quota"
	case llm.Filtered:
		return "invalid_request_error", "content_filter"
	case llm.Canceled:
		return "request_canceled", "canceled"
	}
	return "server_error", string(e.Kind)
}
