package messages

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// maxMessage bounds what is kept of a provider's own words, in bytes.
const maxMessage = 500

// DecodeError reads a refusal: Anthropic's shape, another JSON shape, HTML,
// plain text or nothing (J9). status is 0 for an error event inside a stream.
// The provider's name is the caller's to set, and keys its to mask.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := &llm.Error{Status: status, Outbound: name, RetryAfter: retryAfter(h, time.Now())}
	if len(body) > 0 {
		e.Raw = bytes.Clone(body)
	}
	kind := ""
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		kind, e.Message, e.Code, e.Param = readError(trimmed)
	} else {
		e.Message = plainText(trimmed)
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
	e.Message = bound(e.Message)
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

var (
	hiddenTags = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)\s*>`)
	titleTag   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	anyTag     = regexp.MustCompile(`(?s)<[^>]*>`)
)

// plainText is a web page's title, or its text without tags.
func plainText(body []byte) string {
	s := string(body[:min(len(body), 64<<10)])
	if strings.HasPrefix(s, "<") {
		if t := titleTag.FindStringSubmatch(s); t != nil && strings.TrimSpace(t[1]) != "" {
			s = t[1]
		} else {
			s = anyTag.ReplaceAllString(hiddenTags.ReplaceAllString(s, " "), " ")
		}
		s = html.UnescapeString(s)
	}
	return strings.Join(strings.Fields(s), " ")
}

func bound(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= maxMessage {
		return s
	}
	end := maxMessage
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// retryAfter is how long the provider asks to wait: Retry-After in
// milliseconds, seconds or as a date, else when the limit that is used up is
// renewed.
func retryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return wait(ms / 1000)
	}
	if v := h.Get("Retry-After"); v != "" {
		if s, err := strconv.ParseFloat(v, 64); err == nil {
			return wait(s)
		}
		if at, err := http.ParseTime(v); err == nil {
			return wait(at.Sub(now).Seconds())
		}
	}
	var longest time.Duration
	for _, limit := range []string{"Requests", "Tokens", "Input-Tokens", "Output-Tokens"} {
		if h.Get("Anthropic-Ratelimit-"+limit+"-Remaining") != "0" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, h.Get("Anthropic-Ratelimit-"+limit+"-Reset")); err == nil {
			longest = max(longest, wait(at.Sub(now).Seconds()))
		}
	}
	return longest
}

// wait is that many seconds, within reason.
func wait(seconds float64) time.Duration {
	const most = 24 * 60 * 60
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(min(seconds, most) * float64(time.Second))
}
