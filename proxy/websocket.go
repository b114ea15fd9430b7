package proxy

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"keytray/proxy/llm"
)

// The responses dialect over a WebSocket, as OpenAI's guide "WebSocket mode"
// and Codex have it: each message {"type": "response.create", ...} is a call
// like POST /responses, one after the other, and each event of the answer is
// one message. The socket remembers its own answers, so that the next call may
// send new items and previous_response_id alone, with store set to false too.

// What one socket remembers.
const (
	socketBytes   = 64 << 20
	socketAnswers = 1000
	socketQueue   = 16 // calls that wait for the one before
)

// sockets are the open ones, so that Close can end them.
type sockets struct {
	mu     sync.Mutex
	closed bool
	all    map[context.Context]context.CancelFunc
}

// open takes a socket on, unless all are closed.
func (s *sockets) open(parent context.Context) (context.Context, context.CancelFunc, bool) {
	ctx, cancel := context.WithCancel(parent)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ctx, cancel, false
	}
	if s.all == nil {
		s.all = map[context.Context]context.CancelFunc{}
	}
	s.all[ctx] = cancel
	return ctx, func() {
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, ctx)
	}, true
}

// Close ends all WebSockets, which no http.Server knows of once they are open.
// Answers under way on them are cut, and have their rows when ServeHTTP returns.
func (h *Handler) Close() {
	s := &h.sockets
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, cancel := range s.all {
		cancel()
	}
}

// socketOf upgrades a call to a WebSocket and serves it.
func (h *Handler) socketOf(in llm.Inbound) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		if !strings.EqualFold(hr.Header.Get("Upgrade"), "websocket") {
			w.Header().Set("Allow", "POST")
			h.fail(w, in, &llm.Error{
				Kind: llm.BadRequest, Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
				Message: "GET /v1/responses is for WebSockets; send a request with POST",
			})
			return
		}
		ctx, leave, ok := h.sockets.open(hr.Context())
		defer leave()
		if !ok {
			h.fail(w, in, &llm.Error{Kind: llm.Overloaded, Message: "Keytray is stopping"})
			return
		}
		conn, err := websocket.Accept(w, hr, &websocket.AcceptOptions{
			Subprotocols:       spoken(hr.Header),
			InsecureSkipVerify: true, // guard has looked at the Origin
		})
		if err != nil {
			h.Log.Debug("no WebSocket could be opened", "err", err)
			return // it has answered
		}
		conn.SetReadLimit(h.MaxBody)
		s := &socket{h: h, conn: conn, handshake: hr, memory: newShelf(socketBytes, socketAnswers, 24*time.Hour)}
		s.serve(ctx)
	})
}

// spoken are the subprotocols that a client asks for and this is: the name
// that OpenAI-Beta has for it, of any date.
func spoken(h http.Header) []string {
	var all []string
	for _, line := range h["Sec-Websocket-Protocol"] {
		for p := range strings.SplitSeq(line, ",") {
			if p = strings.TrimSpace(p); strings.HasPrefix(p, "responses_websockets") {
				all = append(all, p)
			}
		}
	}
	return all
}

// socket is one open WebSocket.
type socket struct {
	h         *Handler
	conn      *websocket.Conn
	handshake *http.Request
	memory    *shelf

	mu     sync.Mutex
	cancel context.CancelFunc // stops the answer under way; nil: there is none
}

// serve reads messages until the client or Close ends the socket.
func (s *socket) serve(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	calls := make(chan []byte, socketQueue)
	var worker sync.WaitGroup
	worker.Go(func() {
		for m := range calls {
			if ctx.Err() == nil {
				s.call(ctx, m)
			}
		}
	})
	err := s.read(ctx, calls)
	stop() // the client is gone: so is the answer under way
	close(calls)
	worker.Wait()
	status := websocket.StatusGoingAway
	if websocket.CloseStatus(err) == websocket.StatusNormalClosure {
		status = websocket.StatusNormalClosure
	}
	_ = s.conn.Close(status, "") // it may be closed already
	_ = s.conn.CloseNow()
}

// read takes messages in until it fails.
func (s *socket) read(ctx context.Context, calls chan<- []byte) error {
	for {
		_, m, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		kind := ""
		if llm.Fields(m, func(key, v []byte, _ int) bool {
			if string(key) == "type" {
				kind = unquoted(v)
			}
			return true
		}) != nil {
			s.refuse(ctx, "", "a message must be a JSON object")
			continue
		}
		switch kind {
		case "response.create":
			select {
			case calls <- m:
			default:
				s.refuse(ctx, "", "too many calls wait for their turn on this WebSocket: wait for an answer's end, or open another")
			}
		case "response.cancel":
			s.mu.Lock()
			if s.cancel != nil {
				s.cancel()
			}
			s.mu.Unlock()
		case "response.processed": // Codex tells that it is done with an answer
		default:
			s.refuse(ctx, "type", "type: Keytray knows response.create and response.cancel, not "+clipped(kind))
		}
	}
}

// refuse sends an error event for a message that is no call.
func (s *socket) refuse(ctx context.Context, param, message string) {
	_, _, body := s.errorBody(&llm.Error{Kind: llm.BadRequest, Param: param, Message: message})
	s.send(ctx, errorEvent(http.StatusBadRequest, nil, body))
}

func (s *socket) errorBody(e *llm.Error) (int, string, []byte) {
	for _, in := range inbounds {
		if in.Name() == responsesName {
			return in.EncodeError(e)
		}
	}
	return inbounds[0].EncodeError(e)
}

func (s *socket) send(ctx context.Context, m []byte) error {
	return s.conn.Write(ctx, websocket.MessageText, m)
}

// call answers one response.create.
func (s *socket) call(ctx context.Context, message []byte) {
	body, generate := callBody(message)
	if !generate {
		s.warmUp(ctx, body)
		return
	}
	out := &socketAnswer{s: s, ctx: ctx, header: http.Header{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	cut := s.run(context.WithValue(ctx, socketKey{}, s.memory), out, body)
	s.mu.Lock()
	s.cancel = nil
	s.mu.Unlock()
	switch {
	case out.gone:
	case ctx.Err() != nil:
		_, _, b := s.errorBody(&llm.Error{Kind: llm.Canceled, Code: "response_cancelled", Message: "the answer was cancelled"})
		out.message(errorEvent(499, nil, b))
	case out.status >= 400:
		out.message(errorEvent(out.status, out.header, out.body))
	case cut:
		_, _, b := s.errorBody(&llm.Error{Kind: llm.Cut, Message: "the answer stopped before its end; what came so far is incomplete"})
		out.message(errorEvent(http.StatusBadGateway, nil, b))
	}
}

// run has the front door answer the call, as if it had come by itself; cut
// tells that the answer broke off.
func (s *socket) run(ctx context.Context, out *socketAnswer, body []byte) (cut bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				s.h.Log.Error("a call over a WebSocket failed inside Keytray", "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			}
			cut = true
		}
	}()
	r := (&http.Request{
		Method: http.MethodPost, URL: &url.URL{Path: "/responses", RawQuery: s.handshake.URL.RawQuery},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: callHeader(s.handshake.Header), Host: s.handshake.Host, RemoteAddr: s.handshake.RemoteAddr,
		RequestURI: "/v1/responses", Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	s.h.ServeHTTP(out, r)
	return false
}

// callHeader is the handshake's header without what is the WebSocket's alone.
func callHeader(h http.Header) http.Header {
	out := h.Clone()
	for k := range out {
		if strings.HasPrefix(k, "Sec-Websocket-") || k == "Upgrade" || k == "Connection" {
			delete(out, k)
		}
	}
	var beta []string
	for _, line := range out["Openai-Beta"] {
		for v := range strings.SplitSeq(line, ",") {
			if v = strings.TrimSpace(v); v != "" && !strings.HasPrefix(v, "responses_websockets") {
				beta = append(beta, v)
			}
		}
	}
	delete(out, "Openai-Beta")
	if len(beta) > 0 {
		out["Openai-Beta"] = []string{strings.Join(beta, ",")}
	}
	out["Content-Type"] = []string{"application/json"}
	return out
}

// callBody is the body of the call that a message asks for; generate is false
// if no answer is wanted, only that the input be remembered.
func callBody(message []byte) (body []byte, generate bool) {
	generate = true
	body = append(make([]byte, 0, len(message)+16), `{"stream":true`...)
	_ = llm.Fields(message, func(key, v []byte, _ int) bool { // read before
		switch string(key) {
		case "type", "stream", "background", "event_id", "stream_options":
		case "generate":
			generate = string(v) != "false"
		default:
			body = append(append(append(body, `,"`...), key...), '"', ':')
			body = append(body, v...)
		}
		return true
	})
	return append(body, '}'), generate
}

// warmUp remembers a call's input and answers with an id to continue from.
// No provider is called.
func (s *socket) warmUp(ctx context.Context, body []byte) {
	a := readAsked(body)
	model := "null"
	_ = llm.Fields(body, func(key, v []byte, _ int) bool {
		if string(key) == "model" {
			model = string(v)
		}
		return true
	})
	c, refused := s.h.identify(s.handshake)
	if refused != nil {
		status, _, b := s.errorBody(refused)
		_ = s.send(ctx, errorEvent(status, nil, b)) // as read will say
		return
	}
	if a.prev != "" && s.memory.get(c.tool, a.prev) == nil {
		_, _, b := s.errorBody(llm.AsError(gone(a.prev)))
		_ = s.send(ctx, errorEvent(http.StatusBadRequest, nil, b))
		return
	}
	id := "resp_" + strings.ToLower(rand.Text())
	object := func(status string) string {
		return fmt.Sprintf(`{"id":%q,"object":"response","created_at":%d,"status":%q,"model":%s,"output":[],"error":null,"incomplete_details":null,"usage":%s}`,
			id, time.Now().Unix(), status, model, warmUsage(status))
	}
	s.memory.put(&kept{tool: c.tool, id: id, whole: true, prev: a.prev, input: inputItems(a.input)})
	for i, status := range []string{"in_progress", "completed"} {
		kind := [...]string{"response.created", "response.completed"}[i]
		if s.send(ctx, fmt.Appendf(nil, `{"type":%q,"sequence_number":%d,"response":%s}`, kind, i, object(status))) != nil {
			return // the client is gone, as read will say
		}
	}
}

func warmUsage(status string) string {
	if status != "completed" {
		return "null"
	}
	return `{"input_tokens":0,"input_tokens_details":{"cached_tokens":0},"output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":0}`
}
