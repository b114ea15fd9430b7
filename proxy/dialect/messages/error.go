package messages

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

// DecodeError reads a refusal: Anthropic's shape, another JSON shape, HTML,
// plain text or nothing (J9). status is 0 for an error event inside a stream.
// The provider's name is the caller's to set, and keys its to mask.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := &llm.Error{Status: status, Outbound: name, RetryAfter: retryAfter(h, refusal.Clock(h))}
	if len(body) > 0 {
		e.Raw = bytes.Clone(body)
	}
	kind := ""
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		kind, e.Message, e.Code, e.Param = readError(trimmed)
	} else {
		e.Message = refusal.Plain(trimmed)
	}
	if e.Code == "" {
		e.Code = kind
	}
	e.Kind = errorKind(kind, status, e.Message)
	if e.Message == "" {
		e.Message = "the provider refused without a reason"
		if status != 0 {
			e.Message += " " + strings.TrimSpace("(HTTP "+strconv.Itoa(status)+" "+http.StatusText(status)) + ")"
		}
	}
	e.Message = refusal.Bound(e.Message)
	return e
}

// readError finds what a JSON error says, in the shapes of Anthropic, OpenAI,
// AWS and of frameworks.
func readError(body []byte) (kind, message, code, param string) {
	var w struct {
		Error   json.RawMessage `json:"error"`
		Message json.RawMessage `json:"message"`
		Detail  json.RawMessage `json:"detail"`
		Type    json.RawMessage `json:"type"`
	}
	if json.Unmarshal(body, &w) != nil {
		return "", string(body), "", ""
	}
	var in struct {
		Type    json.RawMessage `json:"type"`
		Message json.RawMessage `json:"message"`
		Code    json.RawMessage `json:"code"`
		Param   json.RawMessage `json:"param"`
	}
	if json.Unmarshal(w.Error, &in) == nil && len(w.Error) > 0 {
		kind, message, param = field.Unquote(in.Type), field.Unquote(in.Message), field.Unquote(in.Param)
		if code = field.Unquote(in.Code); code == "" && len(in.Code) > 0 && in.Code[0] != '{' && string(in.Code) != "null" {
			code = string(in.Code)
		}
	} else {
		message = field.Unquote(w.Error)
	}
	for _, other := range []json.RawMessage{w.Message, w.Detail} {
		if message == "" {
			message = field.Unquote(other)
		}
	}
	if message == "" {
		message = string(body)
	}
	if kind == "" && field.Unquote(w.Type) != "error" {
		kind = field.Unquote(w.Type)
	}
	return kind, message, code, param
}

// errorKind goes by the type first, by the status second. An empty account is
// told in words alone.
func errorKind(kind string, status int, message string) llm.ErrorKind {
	low := strings.ToLower(message)
	if strings.Contains(low, "credit balance") || strings.Contains(low, "specified api usage limits") {
		return llm.NoCredit
	}
	switch kind {
	case "invalid_request_error":
		return llm.BadRequest
	case "authentication_error":
		return llm.Unauthorized
	case "billing_error":
		return llm.NoCredit
	case "permission_error":
		return llm.Forbidden
	case "not_found_error":
		return llm.NotFound
	case "request_too_large":
		return llm.TooLarge
	case "rate_limit_error":
		return llm.RateLimited
	case "timeout_error":
		return llm.Timeout
	case "overloaded_error":
		return llm.Overloaded
	case "api_error":
		if status < 500 && status != 0 {
			return llm.KindOf(status)
		}
		return llm.ServerError
	}
	if status == 0 {
		return llm.ServerError
	}
	return llm.KindOf(status)
}

// longestWait is a day: what is further off is no time to wait for.
const longestWait = 24 * time.Hour

// retryAfter is how long the provider asks to wait: as HTTP says, else until
// the limit that is used up is renewed.
func retryAfter(h http.Header, now time.Time) time.Duration {
	wait := refusal.RetryAfter(h, now)
	if wait > 0 {
		return min(wait, longestWait)
	}
	for _, limit := range []string{"Requests", "Tokens", "Input-Tokens", "Output-Tokens"} {
		if h.Get("Anthropic-Ratelimit-"+limit+"-Remaining") != "0" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, h.Get("Anthropic-Ratelimit-"+limit+"-Reset")); err == nil {
			wait = max(wait, at.Sub(now))
		}
	}
	return min(wait, longestWait)
}
