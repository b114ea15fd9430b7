package upstream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// eventStreamType is the Content-Type of AWS's binary streams.
const eventStreamType = "application/vnd.amazon.eventstream"

var errEventStream = errors.New("the answer's event stream is damaged")

func isEventStream(h http.Header) bool {
	kind, _, _ := strings.Cut(strings.ToLower(h.Get("Content-Type")), ";")
	return strings.TrimSpace(kind) == eventStreamType
}

// eventReader reads AWS's binary event stream, a message at a time; checksums
// are verified. Exceptions become an error event that the dialects know.
//
// InvokeModel wraps what a model sends once more, in base64: of such a chunk
// the inner JSON comes out, so that a model's own dialect sees its own events.
type eventReader struct {
	src   io.Reader
	buf   []byte // the message that was read; used again
	inner []byte // used again
	err   error
}

// next is the name of the next event and its JSON, which hold until the one
// after is read; nil: it has nothing to say. At the end, or where the stream is
// damaged, err is set.
func (u *eventReader) next() (kind string, data []byte) {
	m, buf, err := readMessage(u.src, u.buf)
	u.buf = buf
	switch err {
	case nil:
	case errChecksum, errLengths, errHeaders:
		u.err = fmt.Errorf("%w: %w", errEventStream, err)
		return "", nil
	default: // the end, or the connection broke
		u.err = err
		return "", nil
	}
	switch m.header(":message-type") {
	case "event":
		return u.event(m.header(":event-type"), m.payload)
	case "exception":
		return "error", exception(m.header(":exception-type"), said(m.payload))
	case "error":
		return "error", exception(m.header(":error-code"), m.header(":error-message"))
	}
	u.err = fmt.Errorf("%w: a message of no known type", errEventStream)
	return "", nil
}

// event is what an event says.
func (u *eventReader) event(kind string, data []byte) (string, []byte) {
	switch kind {
	case "initial-response":
		return "", nil
	case "chunk":
		inner, ok := u.unchunk(data)
		if !ok {
			u.err = fmt.Errorf("%w: a chunk without its bytes", errEventStream)
			return "", nil
		}
		return stringField(inner, "type"), inner
	}
	return kind, data
}

// unwrapper turns an event stream into SSE: the event's name and its JSON. Each
// message leaves before the next is read.
type unwrapper struct {
	eventReader
	out  []byte // used again
	left []byte // of out, not delivered yet
}

func newUnwrapper(src io.Reader) *unwrapper { return &unwrapper{eventReader: eventReader{src: src}} }

func (u *unwrapper) Read(p []byte) (int, error) {
	for len(u.left) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		kind, data := u.next()
		if data == nil {
			continue
		}
		if bytes.ContainsAny(data, "\r\n") { // white space of its JSON
			data = bytes.Map(func(r rune) rune {
				if r == '\n' || r == '\r' {
					return ' '
				}
				return r
			}, data)
		}
		u.out = sse.Append(u.out[:0], oneLine(kind), data)
		u.left = u.out
	}
	n := copy(p, u.left)
	u.left = u.left[n:]
	return n, nil
}

// unchunk is what a chunk of InvokeModel holds, until the next one is read.
func (u *eventReader) unchunk(data []byte) ([]byte, bool) {
	var packed []byte
	err := llm.Fields(data, func(k, v []byte, _ int) bool {
		if string(k) == "bytes" && len(v) > 2 && v[0] == '"' {
			packed = v[1 : len(v)-1]
		}
		return true
	})
	if err != nil || packed == nil {
		return nil, false
	}
	u.inner, err = base64.StdEncoding.AppendDecode(u.inner[:0], packed)
	return u.inner, err == nil
}

// stringField is a field of a JSON object, if it is a plain string.
func stringField(data []byte, name string) string {
	s := ""
	_ = llm.Fields(data, func(k, v []byte, _ int) bool { // what cannot be read has none
		if string(k) == name && len(v) > 2 && v[0] == '"' && bytes.IndexByte(v, '\\') < 0 {
			s = string(v[1 : len(v)-1])
			return false
		}
		return true
	})
	return s
}

// said is the message of an exception; a payload that is no JSON object is its
// own message.
func said(payload []byte) string {
	message := ""
	err := llm.Fields(payload, func(k, v []byte, _ int) bool {
		if strings.EqualFold(string(k), "message") {
			_ = json.Unmarshal(v, &message) // what is no text is not said
		}
		return true
	})
	if err != nil {
		return string(payload)
	}
	return message
}

// exception is an error event. Its type is in Anthropic's words, whose
// dialect it may be read in, and its code in AWS's.
func exception(code, message string) []byte {
	kind := "api_error"
	switch strings.ToLower(strings.TrimSuffix(code, "Exception")) {
	case "validation":
		kind = "invalid_request_error"
	case "throttling":
		kind = "rate_limit_error"
	case "serviceunavailable":
		kind = "overloaded_error"
	case "modeltimeout":
		kind = "timeout_error"
	case "accessdenied":
		kind = "permission_error"
	}
	if message == "" {
		message = "the answer was broken off without a reason"
	}
	b := append([]byte(`{"type":"error","error":{"type":"`), kind...)
	b = sse.AppendString(append(b, `","message":`...), message)
	return append(sse.AppendString(append(b, `,"code":`...), code), `}}`...)
}

// oneLine keeps a name from ending its line.
func oneLine(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
}
