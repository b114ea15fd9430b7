package converse

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

// DecodeError reads a refusal: AWS's header x-amzn-ErrorType and the message
// of its body, an exception of a stream, or whatever else stands in between.
// status is 0 for an exception inside a stream.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := &llm.Error{Status: status, Outbound: name, RetryAfter: retryAfter(h)}
	if len(body) > 0 {
		e.Raw = bytes.Clone(body)
	}
	var kind string
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		kind, e.Message = readError(trimmed)
	} else {
		e.Message = strings.Join(strings.Fields(string(trimmed)), " ")
		if strings.HasPrefix(e.Message, "<") {
			e.Message = "a web page came in place of an answer; check base_url and region of this provider"
		}
	}
	if said := exception(h.Get("X-Amzn-Errortype")); said != "" {
		kind = said
	}
	e.Code = kind
	e.Kind = errorKind(kind, status)
	if e.Message == "" {
		e.Message = "the provider refused without a reason"
		if status != 0 {
			e.Message += " " + strings.TrimSpace("(HTTP "+strconv.Itoa(status)+" "+http.StatusText(status)) + ")"
		}
	}
	e.Message = refusal.Bound(e.Message)
	return e
}

// readError finds what a JSON error says, in the shapes of AWS's services and
// of unwrapped exceptions.
func readError(body []byte) (kind, message string) {
	var w struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // and Message
		Error   struct {
			Type    string `json:"type"`
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &w) != nil {
		return "", string(body)
	}
	for _, s := range []string{w.Error.Code, w.Error.Type, w.Type, w.Code} {
		if kind == "" {
			kind = exception(s)
		}
	}
	if message = w.Message; message == "" {
		message = w.Error.Message
	}
	return kind, message
}

// exception is the bare name of an error: AWS puts a namespace before it or an
// address behind it.
func exception(s string) string {
	s = s[strings.LastIndexByte(s, '#')+1:]
	s, _, _ = strings.Cut(s, ":")
	return strings.TrimSpace(s)
}

// errorKind goes by the exception's name first, by the status second.
func errorKind(kind string, status int) llm.ErrorKind {
	switch strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(kind, "Exception"), "Error")) {
	case "validation", "badrequest":
		return llm.BadRequest
	case "unrecognizedclient", "invalidsignature", "expiredtoken", "missingauthenticationtoken",
		"incompletesignature", "invalidclienttokenid", "signaturedoesnotmatch":
		return llm.Unauthorized
	case "accessdenied":
		return llm.Forbidden
	case "resourcenotfound":
		return llm.NotFound
	case "throttling", "toomanyrequests", "servicequotaexceeded":
		return llm.RateLimited
	case "modelnotready", "serviceunavailable":
		return llm.Overloaded
	case "modeltimeout":
		return llm.Timeout
	case "internalserver", "internalfailure", "model", "modelstream":
		return llm.ServerError
	}
	if status == 0 {
		return llm.ServerError
	}
	return llm.KindOf(status)
}

// retryAfter is how long the provider asks to wait, an hour at most.
func retryAfter(h http.Header) time.Duration {
	return min(refusal.RetryAfter(h, refusal.Clock(h)), time.Hour)
}
