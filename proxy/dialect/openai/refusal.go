package openai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

// DecodeError reads a refusal for the dialect of that name: OpenAI's shape, the
// many like it, HTML, plain text, or nothing at all. The kind goes by the
// provider's code, then by the status.
func DecodeError(dialect string, status int, h http.Header, body []byte) *llm.Error {
	e := Refusal(body)
	if e == nil {
		e = &llm.Error{Message: refusal.Plain(body)}
	}
	if e.Message == "" {
		e.Message = "status " + strconv.Itoa(status)
		if s := http.StatusText(status); s != "" {
			e.Message += " (" + s + ")"
		}
	}
	e.Status, e.Outbound, e.Header = status, dialect, h
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

// InAnswer completes the refusal in a frame or a body whose status was 200;
// nil is one that says nothing. The frame's memory is the reader's, so it is
// copied.
func InAnswer(dialect string, e *llm.Error, frame []byte) *llm.Error {
	if e == nil {
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
	e.Outbound, e.Raw = dialect, bytes.Clone(frame)
	return e
}

// Refusal finds an error's parts in a JSON body; nil if it has none. Kind is
// set only where a code or type is clear, Status only where the body has one.
func Refusal(body []byte) *llm.Error {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	if list, ok := v.([]any); ok && len(list) > 0 { // Google
		v = list[0]
	}
	if s, ok := v.(string); ok {
		return &llm.Error{Message: refusal.Line(s)}
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	in, ok := o["error"].(map[string]any)
	if !ok {
		in = o
	}
	e := &llm.Error{Message: refusal.Line(messageOf(in)), Param: str(in["param"])}
	e.Code = cmp.Or(str(in["code"]), str(in["type"]), str(in["status"]))
	for _, k := range []string{"status_code", "code", "status"} {
		if n, err := strconv.Atoi(str(in[k])); err == nil && n >= 400 && n < 600 && e.Status == 0 {
			e.Status = n
			if e.Code == str(in[k]) {
				e.Code = cmp.Or(str(in["status"]), str(in["type"]))
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
			s = cmp.Or(str(meta["provider_name"]), "provider") + ": " + cmp.Or(upstream(raw), s)
		}
	}
	return s
}

// upstream is the message inside another provider's body, or the text itself.
func upstream(raw string) string {
	if e := Refusal([]byte(raw)); e != nil {
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
		s := cmp.Or(str(v["msg"]), str(v["message"]))
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
