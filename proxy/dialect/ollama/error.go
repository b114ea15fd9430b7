package ollama

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// maxMessage bounds what is quoted of an error.
const maxMessage = 500

// DecodeError reads {"error":"…"} (api.StatusError), or whatever else came.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := &llm.Error{Status: status, Kind: llm.KindOf(status), Outbound: "ollama", Raw: body}
	if status == 0 {
		e.Kind = llm.ServerError // an error in the middle of a stream
	}
	var wire struct {
		Error json.RawMessage `json:"error"`
	}
	_ = json.Unmarshal(body, &wire) // what is no JSON is text
	e.Message = text(wire.Error, body)
	if e.Message == "" {
		e.Message = strings.TrimSpace("the provider refused without a reason: " + strconv.Itoa(status) + " " + http.StatusText(status))
	}
	if len(e.Message) > maxMessage {
		e.Message = strings.ToValidUTF8(e.Message[:maxMessage], "") + "…"
	}
	switch m := strings.ToLower(e.Message); {
	case strings.Contains(m, "not found") && strings.Contains(m, "model"):
		e.Kind, e.Code = llm.NotFound, "model_not_found"
		e.Message += "; get it with `ollama pull`"
	case strings.Contains(m, "does not support"):
		e.Kind = llm.BadRequest
	case strings.Contains(m, "server busy"):
		e.Kind = llm.Overloaded
	}
	if s, err := strconv.Atoi(h.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(s) * time.Second
	}
	return e
}

// text finds the message: a string, an object with one (behind some proxies),
// a page's title, or the body's own text.
func text(raw json.RawMessage, body []byte) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && s != "" {
		return s
	}
	var o struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(raw, &o) == nil && o.Message != "" {
		return o.Message
	}
	s = strings.TrimSpace(string(body))
	if strings.HasPrefix(s, "<") {
		low := strings.ToLower(s)
		if i, j := strings.Index(low, "<title>"), strings.Index(low, "</title>"); i >= 0 && j > i {
			return strings.TrimSpace(s[i+len("<title>") : j])
		}
		return "a web page came instead of an answer"
	}
	return strings.ToValidUTF8(s, "")
}
