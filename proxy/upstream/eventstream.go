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

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream/eventstreamapi"

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

// unwrapper turns AWS's binary event stream into SSE: the event's name and its
// JSON. One message is read at a time, and leaves before the next is read;
// checksums are verified. Exceptions become an error event that the dialects
// know.
//
// InvokeModel wraps what a model sends once more, in base64: of such a chunk
// the inner JSON comes out, so that a model's own dialect sees its own events.
type unwrapper struct {
	wire    counter
	decoder *eventstream.Decoder
	payload []byte // used again
	out     []byte // used again
	left    []byte // of out, not delivered yet
	err     error
}

func newUnwrapper(src io.Reader) *unwrapper {
	return &unwrapper{wire: counter{src: src}, decoder: eventstream.NewDecoder()}
}

// counter tells the end of a stream between two messages from one inside.
type counter struct {
	src io.Reader
	n   int // bytes of the message that is being read
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.n += n
	if err != nil {
		c.err = err
	}
	return n, err
}

func (u *unwrapper) Read(p []byte) (int, error) {
	for len(u.left) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.next()
	}
	n := copy(p, u.left)
	u.left = u.left[n:]
	return n, nil
}

// next reads one message.
func (u *unwrapper) next() {
	u.wire.n = 0
	m, err := u.decoder.Decode(&u.wire, u.payload[:0])
	switch {
	case err == nil:
	case u.wire.err != nil && u.wire.err != io.EOF:
		u.err = u.wire.err // the connection broke
	case u.wire.err == io.EOF && u.wire.n == 0:
		u.err = io.EOF
	case u.wire.err == io.EOF:
		u.err = io.ErrUnexpectedEOF // cut inside a message
	default:
		u.err = fmt.Errorf("%w: %w", errEventStream, err)
	}
	if u.err != nil {
		return
	}
	u.payload = m.Payload
	u.out = u.out[:0]
	switch headerOf(&m, eventstreamapi.MessageTypeHeader) {
	case eventstreamapi.EventMessageType:
		u.event(headerOf(&m, eventstreamapi.EventTypeHeader), m.Payload)
	case eventstreamapi.ExceptionMessageType:
		u.exception(headerOf(&m, eventstreamapi.ExceptionTypeHeader), said(m.Payload))
	case eventstreamapi.ErrorMessageType:
		u.exception(headerOf(&m, eventstreamapi.ErrorCodeHeader), headerOf(&m, eventstreamapi.ErrorMessageHeader))
	default:
		u.err = fmt.Errorf("%w: a message of no known type", errEventStream)
	}
	u.left = u.out
}

func headerOf(m *eventstream.Message, name string) string {
	if s, ok := m.Headers.Get(name).(eventstream.StringValue); ok {
		return string(s)
	}
	return ""
}

// event writes an event's frame.
func (u *unwrapper) event(kind string, data []byte) {
	switch kind {
	case "initial-response":
		return
	case "chunk":
		inner, ok := unchunk(data)
		if !ok {
			u.err = fmt.Errorf("%w: a chunk without its bytes", errEventStream)
			return
		}
		kind, data = stringField(inner, "type"), inner
	}
	if bytes.ContainsAny(data, "\r\n") { // white space of its JSON
		data = bytes.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, data)
	}
	u.out = sse.Append(u.out, oneLine(kind), data)
}

// unchunk is what a chunk of InvokeModel holds.
func unchunk(data []byte) ([]byte, bool) {
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
	inner := make([]byte, base64.StdEncoding.DecodedLen(len(packed)))
	n, err := base64.StdEncoding.Decode(inner, packed)
	return inner[:n], err == nil
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

// exception writes an error frame. Its type is in Anthropic's words, whose
// dialect it may be read in, and its code in AWS's.
func (u *unwrapper) exception(code, message string) {
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
	b = append(sse.AppendString(append(b, `,"code":`...), code), `}}`...)
	u.out = sse.Append(u.out, "error", b)
}

// oneLine keeps a name from ending its line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, s)
}
