package proxytest

import (
	"fmt"
	"net/http"
)

// status returns the HTTP status of the error in the dialect.
func (f Fail) status(d Dialect) int {
	switch {
	case f.Status != 0:
		return f.Status
	case d == Messages:
		return 529
	default:
		return http.StatusServiceUnavailable
	}
}

// to returns the error as the sender of the request gets it.
func (f Fail) to(seen *Seen) Fail {
	if f.EchoKey {
		f.Message = "Incorrect API key provided: " + seen.Key + ". You can find your API key in your account."
	}
	return f
}

// ErrorBody returns the error as the dialect writes it: the body of a refusal, the data of a frame in the
// middle of a stream, and the last line of an Ollama answer.
func ErrorBody(d Dialect, f Fail) []byte {
	status := f.status(d)
	message := f.Message
	if message == "" {
		message = failureMessage(status)
	}
	switch d {
	case Messages:
		return encode(object{
			"type", "error",
			"error",
			object{"type", messagesErrorType(status), "message", message},
			"request_id", "req_011CTestProvider",
		})
	case Gemini:
		e := object{"code", status, "message", message, "status", geminiStatus(status)}
		var details []any
		if f.Reason != "" {
			details = append(details, object{
				"@type", "type.googleapis.com/google.rpc.ErrorInfo", "reason", f.Reason, "domain", "googleapis.com",
			})
		}
		if f.RetryAfter > 0 {
			details = append(details, object{
				"@type", "type.googleapis.com/google.rpc.RetryInfo", "retryDelay", fmt.Sprintf("%ds", f.RetryAfter),
			})
		}
		if details != nil {
			e = append(e, "details", details)
		}
		return encode(object{"error", e})
	case Ollama:
		return encode(object{"error", message})
	default:
		kind, code := chatErrorType(status)
		return encode(object{"error", object{"message", message, "type", kind, "param", nil, "code", code}})
	}
}

func failureMessage(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "The API key is not valid."
	case http.StatusForbidden:
		return "Your key may not use this model."
	case http.StatusNotFound:
		return "The model does not exist or you do not have access to it."
	case http.StatusTooManyRequests:
		return "Rate limit reached. Try again later."
	case http.StatusInternalServerError:
		return "The server had an error while processing your request."
	case http.StatusServiceUnavailable, 529:
		return "Overloaded"
	default:
		return "The request failed: " + http.StatusText(status) + "."
	}
}

// chatErrorType returns OpenAI's type and code for a status.
func chatErrorType(status int) (kind string, code any) {
	switch status {
	case http.StatusUnauthorized:
		return "invalid_request_error", "invalid_api_key"
	case http.StatusNotFound:
		return "invalid_request_error", "model_not_found"
	case http.StatusTooManyRequests:
		return "rate_limit_error", "rate_limit_exceeded"
	}
	if status >= 500 {
		return "server_error", nil
	}
	return "invalid_request_error", nil
}

// messagesErrorType returns Anthropic's type for a status.
func messagesErrorType(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case 529:
		return "overloaded_error"
	}
	if status >= 500 {
		return "api_error"
	}
	return "invalid_request_error"
}

// geminiStatus returns the name of Google's RPC code for a status.
func geminiStatus(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "NOT_FOUND"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusInternalServerError:
		return "INTERNAL"
	case http.StatusServiceUnavailable, 529:
		return "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	}
	if status >= 500 {
		return "UNKNOWN"
	}
	return "INVALID_ARGUMENT"
}
