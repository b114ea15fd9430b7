package proxy

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"keytray/proxy/llm"
)

// errorEvent is a refusal as a message. body is one over HTTP.
func errorEvent(status int, h http.Header, body []byte) []byte {
	detail := []byte(`{"type":"server_error","message":"the call failed"}`)
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // else the above
		if string(key) == "error" {
			detail = v
		}
		return true
	})
	b := fmt.Appendf(nil, `{"type":"error","status":%d,"error":%s`, status, oneLine(detail))
	if wait := h.Get("Retry-After"); wait != "" {
		b = fmt.Appendf(b, `,"headers":{"retry-after":%q}`, wait)
	}
	return append(b, '}')
}

// oneLine is JSON without line breaks between its values.
func oneLine(v []byte) []byte {
	return bytes.Map(func(c rune) rune {
		if c == '\n' || c == '\r' {
			return ' '
		}
		return c
	}, v)
}

// socketAnswer is the http.ResponseWriter of a call over a WebSocket: each event
// of a stream is one message.
type socketAnswer struct {
	s      *socket
	ctx    context.Context
	header http.Header
	status int
	body   []byte // of a refusal
	split  splitter
	gone   bool
}

func (m *socketAnswer) Header() http.Header { return m.header }

func (m *socketAnswer) WriteHeader(status int) {
	if m.status == 0 {
		m.status = status
	}
}

func (m *socketAnswer) Write(p []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	if m.status >= 400 {
		m.body = append(m.body, p...)
		return len(p), nil
	}
	m.split.feed(p, func(data []byte) {
		if len(data) > 0 && data[0] == '{' {
			m.message(data)
		}
	})
	if m.gone {
		return 0, errGone
	}
	return len(p), nil
}

func (m *socketAnswer) message(data []byte) {
	if !m.gone && m.s.send(m.ctx, data) != nil {
		m.gone = true
	}
}

// FlushError is for http.ResponseController: messages are sent at once.
func (m *socketAnswer) FlushError() error {
	if m.gone {
		return errGone
	}
	return nil
}
