package ollama

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeError gives an error Ollama's shape, {"error":"…"}, which has no place
// for the field at fault but the message.
func (Dialect) EncodeError(e *llm.Error) (status int, contentType string, body []byte) {
	return e.StatusIn(name), "application/json; charset=utf-8", appendError(nil, e)
}

func appendError(b []byte, e *llm.Error) []byte {
	s := e.Error()
	if e.Param != "" && !strings.Contains(s, e.Param) {
		s = e.Param + ": " + s
	}
	return append(sse.AppendString(append(b, `{"error":`...), s), '}')
}

// DecodeError reads {"error":"…"} (api.StatusError), or whatever else came.
// Status 0 is an error in the middle of a stream, which names no status.
func (Dialect) DecodeError(status int, h http.Header, body []byte) *llm.Error {
	e := &llm.Error{Status: status, Kind: llm.KindOf(status), Outbound: name, Raw: body, RetryAfter: refusal.RetryAfter(h, refusal.Clock(h))}
	if status == 0 {
		e.Kind = llm.ServerError
	}
	var wire struct {
		Error     json.RawMessage `json:"error"`
		SigninURL string          `json:"signin_url"` // api.AuthorizationError
	}
	_ = json.Unmarshal(body, &wire) // what is no JSON is text
	e.Message = refusal.Line(told(wire.Error, body))
	switch m := strings.ToLower(e.Message); {
	case m == "":
		e.Message = strings.TrimSpace("Ollama refused without a reason: " + strconv.Itoa(status) + " " + http.StatusText(status))
	case wire.SigninURL != "":
		e.Kind = llm.Unauthorized
		e.Message += "; sign in to Ollama's cloud with `ollama signin`"
	case strings.Contains(m, "model") && strings.Contains(m, "not found"):
		e.Kind, e.Code, e.Param = llm.NotFound, "model_not_found", "model"
		e.Message += "; get it with `ollama pull`"
	case strings.Contains(m, "does not support"), strings.Contains(m, "is not supported for this model"):
		e.Kind = llm.BadRequest
	case strings.Contains(m, "context length"):
		e.Kind, e.Code = llm.BadRequest, "context_length_exceeded"
	case strings.Contains(m, "server busy"):
		e.Kind = llm.Overloaded
	}
	return e
}

// inStream is the refusal that a frame holds. The frame's memory is the
// reader's, so it is copied.
func inStream(frame []byte) *llm.Error { return Dialect{}.DecodeError(0, nil, bytes.Clone(frame)) }

// refuses tells whether an error field says anything.
func refuses(raw []byte) bool {
	return len(raw) > 0 && string(raw) != "null" && string(raw) != `""`
}

// told finds the message: a string, an object with one (behind some proxies),
// a page's title, or the body's own text.
func told(raw json.RawMessage, body []byte) string {
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
	if b := bytes.TrimSpace(body); !bytes.HasPrefix(b, []byte("<")) {
		return string(b)
	}
	if s := refusal.Title(body); s != "" {
		return s
	}
	return "a web page came instead of an answer"
}
