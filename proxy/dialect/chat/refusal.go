package chat

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// DecodeError reads a refusal: OpenAI's shape, the many like it, HTML, plain
// text, or nothing at all. The kind goes by the provider's code, then by the
// status.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := refusal(body)
	if e == nil {
		e = &llm.Error{Message: summary(body)}
	}
	if e.Message == "" {
		e.Message = "status " + strconv.Itoa(status)
		if s := http.StatusText(status); s != "" {
			e.Message += " (" + s + ")"
		}
	}
	e.Status, e.Outbound, e.Header = status, name, h
	if len(body) > 0 {
		e.Raw = body
	}
	if e.Kind == "" {
		e.Kind = llm.KindOf(status)
	}
	if wait := retryAfter(h, e.Kind); wait > 0 {
		e.RetryAfter = wait
	}
	return e
}

// frameError is the refusal in a frame or a body whose status was 200.
func frameError(c *chunk, frame []byte) *llm.Error {
	if c.err == nil && (c.listed || c.usage != nil) {
		return nil
	}
	if c.err != nil && !field.Truthy(c.err) {
		return nil
	}
	e := refusal(frame)
	if e == nil {
		if c.err == nil {
			return nil // a frame of some provider's own, which says nothing here
		}
		e = &llm.Error{}
	}
	if e.Message == "" {
		e.Message = "the provider reported an error without a message"
	}
	if e.Kind == "" {
		e.Kind = llm.ServerError
		if e.Status >= 400 {
			e.Kind = llm.KindOf(e.Status)
		}
	}
	e.Outbound, e.Raw = name, append([]byte(nil), frame...)
	return e
}

// refusal finds an error's parts in a JSON body; nil if it has none. Kind is
// set only where a code or type is clear, Status only where the body has one.
func refusal(body []byte) *llm.Error {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	if list, ok := v.([]any); ok && len(list) > 0 { // Google
		v = list[0]
	}
	if s, ok := v.(string); ok {
		return &llm.Error{Message: shorten(s)}
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	in, ok := o["error"].(map[string]any)
	if !ok {
		in = o
	}
	e := &llm.Error{Message: shorten(messageOf(in)), Param: str(in["param"])}
	e.Code = first(str(in["code"]), str(in["type"]), str(in["status"]))
	for _, k := range []string{"status_code", "code", "status"} {
		if n, err := strconv.Atoi(str(in[k])); err == nil && n >= 400 && n < 600 && e.Status == 0 {
			e.Status = n
			if e.Code == str(in[k]) {
				e.Code = first(str(in["status"]), str(in["type"]))
			}
		}
	}
	for _, k := range []string{"code", "type", "status", "reason"} {
		if e.Kind == "" {
			e.Kind = kindOfCode(str(in[k]), e.Message)
		}
	}
	e.RetryAfter = retryDelay(in)
	if e.Message == "" && e.Code == "" {
		return nil
	}
	if e.Message == "" {
		e.Message = e.Code
	}
	return e
}

// messageOf looks where providers put their text.
func messageOf(o map[string]any) string {
	s := ""
	for _, k := range []string{"message", "error", "detail", "error_message", "msg", "title", "errors"} {
		if s == "" {
			s = said(o[k])
		}
	}
	if meta, ok := o["metadata"].(map[string]any); ok { // OpenRouter: what its provider said
		if raw := said(meta["raw"]); raw != "" {
			s = first(str(meta["provider_name"]), "provider") + ": " + first(upstream(raw), s)
		}
	}
	return s
}

// upstream is the message inside another provider's body, or the text itself.
func upstream(raw string) string {
	if e := refusal([]byte(raw)); e != nil {
		return e.Message
	}
	return raw
}

// said is the text of a message: a string, or FastAPI's list of complaints.
func said(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		var all []string
		for _, x := range v {
			if s := said(x); s != "" {
				all = append(all, s)
			}
		}
		return strings.Join(all, "; ")
	case map[string]any:
		s := first(str(v["msg"]), str(v["message"]))
		if at, ok := v["loc"].([]any); ok {
			var path []string
			for _, p := range at {
				path = append(path, str(p))
			}
			s = strings.Join(path, ".") + ": " + s
		}
		return s
	}
	return ""
}

func str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// kindOfCode knows the codes and types that say more than a status does.
func kindOfCode(code, message string) llm.ErrorKind {
	switch strings.ToLower(code) {
	case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance",
		"insufficient_credits", "payment_required", "exceeded_current_quota_error", "credits_exhausted":
		return llm.NoCredit
	case "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "too_many_requests",
		"resource_exhausted", "tokens", "requests", "rate_limited":
		return llm.RateLimited
	case "invalid_api_key", "authentication_error", "invalid_authentication_error", "unauthenticated",
		"incorrect_api_key", "account_deactivated":
		return llm.Unauthorized
	case "permission_error", "permission_denied", "unsupported_country_region_territory":
		return llm.Forbidden
	case "model_not_found", "not_found_error", "deploymentnotfound", "resource_not_found_error":
		return llm.NotFound
	case "overloaded_error", "engine_overloaded", "engine_overloaded_error", "server_overloaded", "unavailable",
		"service_unavailable", "model_overloaded":
		return llm.Overloaded
	case "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked",
		"data_inspection_failed":
		return llm.Filtered
	case "context_length_exceeded", "string_above_max_length":
		return llm.BadRequest
	case "timeout", "deadline_exceeded":
		return llm.Timeout
	}
	if lower := strings.ToLower(message); strings.Contains(lower, "insufficient balance") || strings.Contains(lower, "credit balance is too low") {
		return llm.NoCredit
	}
	return ""
}

// retryDelay is Google's hint: details[{"@type": ...RetryInfo, "retryDelay": "34s"}].
func retryDelay(o map[string]any) time.Duration {
	details, _ := o["details"].([]any)
	for _, d := range details {
		if m, ok := d.(map[string]any); ok {
			if wait, err := time.ParseDuration(str(m["retryDelay"])); err == nil && wait > 0 {
				return wait
			}
		}
	}
	return 0
}
