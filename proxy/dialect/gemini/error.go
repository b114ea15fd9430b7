package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

// status is google.rpc.Status as Google's HTTP front end writes it.
type status struct {
	Code    json.RawMessage   `json:"code"` // a number; other servers say words
	Message string            `json:"message"`
	Status  string            `json:"status"` // google.rpc.Code
	Type    string            `json:"type"`   // of OpenAI's shape
	Details []json.RawMessage `json:"details"`
}

// detail is any of google.rpc's error details that matter.
type detail struct {
	Type            string `json:"@type"`
	Reason          string `json:"reason"`     // ErrorInfo
	RetryDelay      string `json:"retryDelay"` // RetryInfo: "34.5s"
	FieldViolations []struct {
		Field       string `json:"field"`
		Description string `json:"description"`
	} `json:"fieldViolations"` // BadRequest
}

// DecodeError reads Google's error object or the array around one that
// streams answer with, and makes the best of any other body. A status of 0 is
// an error inside a stream: its own code counts.
func (Dialect) DecodeError(code int, h http.Header, body []byte) *llm.Error {
	e := &llm.Error{Status: code, Outbound: "gemini", Raw: body, Header: h}
	s := readStatus(body)
	if n, err := strconv.Atoi(string(s.Code)); err == nil && e.Status == 0 && n >= 400 && n < 600 {
		e.Status = n
	}
	e.Code = s.Status
	if e.Code == "" {
		e.Code = s.Type
	}
	e.Message = s.Message
	e.RetryAfter = refusal.RetryAfter(h, refusal.Clock(h))
	for _, raw := range s.Details {
		var d detail
		if json.Unmarshal(raw, &d) != nil {
			continue
		}
		if d.Reason != "" {
			e.Code = d.Reason
		}
		if wait, err := time.ParseDuration(d.RetryDelay); err == nil && wait > 0 && e.RetryAfter == 0 {
			e.RetryAfter = wait
		}
		if len(d.FieldViolations) > 0 && e.Param == "" {
			e.Param = d.FieldViolations[0].Field
		}
	}
	e.Kind = kind(e, s)
	e.Message = refusal.Line(e.Message)
	if b := bytes.TrimSpace(body); e.Message == "" && len(b) > 0 && b[0] != '{' && b[0] != '[' {
		e.Message = refusal.Plain(b)
	}
	if e.Message == "" {
		e.Message = "an error without a message"
		if e.Status != 0 {
			e.Message = fmt.Sprintf("HTTP %d %s, without a message", e.Status, http.StatusText(e.Status))
		}
	}
	return e
}

func readStatus(body []byte) status {
	b := bytes.TrimSpace(body)
	if len(b) > 0 && b[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(b, &list) == nil && len(list) > 0 {
			b = list[len(list)-1] // chunks may stand before it
		}
	}
	var top struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	var s status
	if json.Unmarshal(b, &top) != nil {
		return s
	}
	if json.Unmarshal(top.Error, &s) != nil || s.Message == "" {
		_ = json.Unmarshal(top.Error, &s.Message) // {"error":"words"}
	}
	if s.Message == "" {
		s.Message = top.Message
	}
	if s.Message == "" {
		_ = json.Unmarshal(top.Detail, &s.Message)
	}
	return s
}

// kind goes by reason, then by google.rpc code, then by HTTP status.
func kind(e *llm.Error, s status) llm.ErrorKind {
	switch e.Code {
	case "API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED", "CREDENTIALS_MISSING":
		return llm.Unauthorized // a 400 for keys that are wrong
	case "BILLING_DISABLED":
		return llm.NoCredit
	}
	message := strings.ToLower(s.Message)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(message, w) {
				return true
			}
		}
		return false
	}
	switch s.Status {
	case "UNAUTHENTICATED":
		return llm.Unauthorized
	case "PERMISSION_DENIED":
		return llm.Forbidden
	case "NOT_FOUND":
		return llm.NotFound
	case "RESOURCE_EXHAUSTED":
		if has("prepayment", "credits are depleted", "spend cap", "spending cap", "limit: 0") {
			return llm.NoCredit
		}
		return llm.RateLimited
	case "FAILED_PRECONDITION":
		if has("billing") {
			return llm.NoCredit
		}
		if has("location is not supported") {
			return llm.Forbidden
		}
		return llm.BadRequest
	case "INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED":
		switch {
		case has("api key not valid", "api key expired"):
			return llm.Unauthorized
		case has("request payload size exceeds"):
			return llm.TooLarge
		}
		return llm.BadRequest
	case "DEADLINE_EXCEEDED":
		return llm.Timeout
	case "UNAVAILABLE":
		return llm.Overloaded
	case "INTERNAL", "UNKNOWN", "ABORTED", "DATA_LOSS":
		return llm.ServerError
	case "CANCELLED":
		return llm.ServerError // Google's doing: a client that went away reads no answer
	}
	if e.Status == 0 {
		return llm.ServerError
	}
	return llm.KindOf(e.Status)
}
