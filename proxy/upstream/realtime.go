package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"keytray/proxy/llm"
)

// Talk relays a conversation over a WebSocket: the provider is called, then
// accept takes the client's socket, and messages go both ways until either
// side closes or ctx or p.Stop ends; the other side is closed within a second.
// The error says why the client's socket was not accepted; it is nil after.
//
// Each response that the provider finishes is a row of its own, so that what
// has been spent is seen while a long session goes on. A session that asked
// for none leaves one row, which cost nothing.
func (p *Pass) Talk(ctx context.Context, r *llm.Request, protocols []string, accept func(protocol string) (*websocket.Conn, error)) error {
	t := &talk{pass: p, request: r, call: llm.Call{Model: p.Model, Stream: true}}
	var there *websocket.Conn
	err := t.begin()
	if err == nil {
		there, err = t.dial(ctx, protocols)
	}
	if err != nil {
		e := llm.AsError(err)
		t.finish(e)
		return e
	}
	here, err := accept(there.Subprotocol())
	if err != nil {
		t.finish(&llm.Error{Kind: llm.Canceled, Message: "the client's WebSocket could not be opened", Cause: err})
		there.CloseNow()
		return &llm.Error{Kind: llm.BadRequest, Message: "this is no WebSocket: " + err.Error(), Cause: err}
	}
	t.relay(ctx, here, there)
	return nil
}

const (
	// maxMessage bounds one message of a WebSocket; sound comes in small ones.
	maxMessage = 64 << 20
	// goodbye is how long the other side may take to close.
	goodbye = 500 * time.Millisecond
)

// talk is one session.
type talk struct {
	pass    *Pass
	request *llm.Request
	call    llm.Call

	mu      sync.Mutex // guards what follows
	attempt *llm.Attempt
	rows    int   // finished
	asked   bool  // a response is under way
	spent   error // the budget is used up
	label   string
	hide    func([]byte) []byte
	status  int
}

func (t *talk) dial(ctx context.Context, protocols []string) (*websocket.Conn, error) {
	p := t.pass
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the base URL of " + p.Model.Provider + " cannot be used", Cause: err}
	}
	signed := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: http.Header{}}
	for k, v := range p.Header {
		signed.Header[k] = v
	}
	passHeaders(signed.Header, t.request.Header, false)
	if p.Sign != nil {
		s, err := p.Sign(ctx, signed)
		if err != nil {
			return nil, err
		}
		t.label, t.hide = s.Label, s.Hide
		t.attempt.Key = s.Label
	}
	client := &http.Client{Transport: p.Network, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	conn, resp, err := websocket.Dial(ctx, signed.URL.String(), &websocket.DialOptions{HTTPClient: client, HTTPHeader: signed.Header, Subprotocols: protocols})
	if resp != nil {
		t.status = resp.StatusCode
		t.attempt.Status, t.attempt.FirstByte = resp.StatusCode, time.Now()
	}
	if err == nil {
		conn.SetReadLimit(maxMessage)
		return conn, nil
	}
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, Explain(ctx, p.Model.Provider, p.Base, errors.Unwrap(err))
	}
	b := &passage{pass: p, ctx: ctx, hide: t.hide}
	return nil, llm.AsError(b.refusal(resp))
}

// begin opens a row, if none is open. The caller holds mu or is alone. Its error
// is that of a budget that is used up.
func (t *talk) begin() error {
	if t.attempt != nil {
		return nil
	}
	p := t.pass
	t.attempt = &llm.Attempt{
		Request: t.request, Number: t.request.NextAttempt(), Provider: p.Model.Provider, Model: p.Model.Name,
		Streamed: true, Start: time.Now(), Unmetered: true, Key: t.label, Status: t.status,
	}
	return p.Record.Begin(t.attempt)
}

// finish closes the row that is open.
func (t *talk) finish(err *llm.Error) {
	a := t.attempt
	if a == nil {
		return
	}
	t.attempt, t.asked = nil, false
	t.rows++
	a.End, a.Outcome = time.Now(), llm.OK
	if err != nil {
		if t.hide != nil {
			err.Message, err.Raw = string(t.hide([]byte(err.Message))), t.hide(err.Raw)
		}
		switch a.Err = err; err.Kind {
		case llm.Canceled:
			a.Outcome = llm.Aborted
		case llm.Cut:
			a.Outcome = llm.Broken
		default:
			a.Outcome = llm.Failed
		}
	}
	t.pass.Record.Finish(a)
}

// relay moves messages until either side is done.
func (t *talk) relay(ctx context.Context, here, there *websocket.Conn) {
	here.SetReadLimit(maxMessage)
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ends := make(chan end, 2)
	var busy sync.WaitGroup
	busy.Go(func() { t.pump(ctx, here, there, t.mayGo, true, ends) })
	busy.Go(func() { t.pump(ctx, there, here, t.see, false, ends) })
	first := end{false, websocket.CloseError{Code: websocket.StatusGoingAway, Reason: "Keytray is closing"}}
	select {
	case first = <-ends:
	case <-t.pass.Stop:
	}
	t.over(first.fromClient, first.err)
	code, reason := closing(first.err)
	if t.hide != nil {
		reason = string(t.hide([]byte(reason)))
	}
	late := time.AfterFunc(goodbye, stop) // which closes what is open still
	defer late.Stop()
	for _, c := range [...]*websocket.Conn{here, there} {
		busy.Go(func() { _ = c.Close(code, reason) }) // it may be gone
	}
	busy.Wait()
}

// end is why messages go one way no more.
type end struct {
	fromClient bool
	err        error
}

// pump copies messages one way; each is looked at before it goes on. It tells
// the first thing that goes wrong, and reads on, so that a close is answered.
func (t *talk) pump(ctx context.Context, from, to *websocket.Conn, look func(websocket.MessageType, []byte) error, fromClient bool, ends chan<- end) {
	told := false
	for {
		kind, message, err := from.Read(ctx)
		gone, by := err != nil, fromClient
		if err == nil && !told {
			if err = look(kind, message); err == nil {
				err = to.Write(ctx, kind, message)
				by = !fromClient // who takes no more has left
			}
		}
		if err != nil && !told {
			told = true
			ends <- end{by, err}
		}
		if gone {
			return
		}
	}
}

// mayGo stops what would leave this computer while Keytray is offline, and what
// would be asked for when a budget is used up.
func (t *talk) mayGo(websocket.MessageType, []byte) error {
	n := t.pass.Network
	if u, err := url.Parse(t.pass.URL); n.Offline() && (err != nil || !LoopbackHost(u.Hostname())) {
		return websocket.CloseError{Code: websocket.StatusPolicyViolation, Reason: "Keytray is offline"}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.spent != nil {
		return websocket.CloseError{Code: websocket.StatusPolicyViolation, Reason: "a budget in Keytray is used up"}
	}
	return nil
}

// see takes in what an event of the provider's says of the cost: the row of a
// response is finished before the client learns that it is done.
func (t *talk) see(kind websocket.MessageType, message []byte) error {
	if kind != websocket.MessageText {
		return nil
	}
	var now llm.Tally
	verdict := t.pass.Watch.Tally(&t.call, &now, message)
	if !now.Good {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if verdict == llm.Last && now.Model != "" { // of another model beside the session's
		t.beside(&now)
		return nil
	}
	if err := t.begin(); err != nil {
		t.spent = err // what has begun is paid for; no more is asked
	}
	t.asked = true
	if t.attempt.FirstByte.IsZero() {
		t.attempt.FirstByte = time.Now()
	}
	if verdict == llm.Last {
		t.attempt.Tally = now
		t.finish(now.Err)
	}
	return nil
}

// beside writes down what another model of the session used.
func (t *talk) beside(now *llm.Tally) {
	a := &llm.Attempt{
		Request: t.request, Number: t.request.NextAttempt(), Provider: t.pass.Model.Provider, Model: now.Model,
		Streamed: true, Start: time.Now(), Unmetered: true, Key: t.label, Status: t.status, Tally: *now,
	}
	if err := t.pass.Record.Begin(a); err != nil {
		t.spent = err
	}
	a.End, a.Outcome = time.Now(), llm.OK
	t.pass.Record.Finish(a)
}

// over finishes the row that the session's end leaves open.
func (t *talk) over(byClient bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.attempt == nil:
	case !t.asked: // nothing was asked for, so nothing is billed
		t.attempt.Tally = llm.Tally{Good: true, Done: true, Usage: llm.Usage{Known: true}}
		t.finish(nil)
	case byClient:
		t.finish(&llm.Error{Kind: llm.Canceled, Message: "the client left in the middle of a response", Cause: err})
	default:
		t.finish(&llm.Error{Kind: llm.Cut, Provider: t.pass.Model.Provider, Message: "the session ended in the middle of a response", Cause: err})
	}
}

// closing is how one side's end is told to the other.
func closing(err error) (websocket.StatusCode, string) {
	var e websocket.CloseError
	if !errors.As(err, &e) {
		return websocket.StatusInternalError, "the other side is gone"
	}
	switch e.Code {
	case websocket.StatusNoStatusRcvd, websocket.StatusAbnormalClosure, websocket.StatusTLSHandshake:
		return websocket.StatusNormalClosure, e.Reason
	}
	return e.Code, strings.ToValidUTF8(e.Reason, "")
}
