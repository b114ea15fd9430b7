// Package upstream makes one HTTP call to one provider, and meters it.
//
// A [Leaf] is the llm.Target at the end of every route. It patches or
// translates the request, has it signed, sends it over the one [Network] of
// the process, waits for the first good frame, and hands the answer over with
// a meter around its body, so that the attempt's row is finished before the
// client can see the end of the answer.
package upstream

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// Sign puts a key into the header of a request to its own provider. It runs
// just before the request is sent; r is complete but for that, and GetBody
// gives its body. Its error is shown to the client.
type Sign func(ctx context.Context, r *http.Request) (Signature, error)

type attemptKey struct{}

// AttemptOf is the attempt that a [Sign] function signs for, by the context that
// it was given; nil where there is none.
func AttemptOf(ctx context.Context) *llm.Attempt {
	a, _ := ctx.Value(attemptKey{}).(*llm.Attempt)
	return a
}

// Signature is what may be known of the key that signed.
type Signature struct {
	Label string // "default", "work"
	// Hide masks the key wherever it stands in b: some providers repeat it in
	// their refusals. May be nil.
	Hide func(b []byte) []byte
}

// Recorder writes attempts down. Its methods may be called at once from many
// goroutines; an attempt itself is used by one at a time.
type Recorder interface {
	// Begin is called before the provider is, and does not wait. Its error,
	// which is an *llm.Error, keeps the provider from being called.
	Begin(a *llm.Attempt) error
	// Finish returns once the attempt is committed, or kept to be committed
	// by a ledger that cannot write now: the answer is good all the same, and
	// is not withheld from who paid for it. It is called once for each
	// attempt begun, even when the client is gone.
	Finish(a *llm.Attempt)
}

// Leaf calls one model of one provider. It is immutable and safe for
// concurrent use.
type Leaf struct {
	Model    llm.Model
	Outbound llm.Outbound
	Base     string      // base URL without a trailing slash
	Header   http.Header // the provider's fixed headers
	Query    string      // of every call, beside the dialect's own; may be empty
	Listed   string      // the model's name in the price list, if Model.Name is the user's own name for it
	Sign     Sign        // nil: the provider takes no key
	Network  *Network
	Record   Recorder
	Memory   Memory // nil: what a client's dialect cannot carry is lost
	// Foreign and Made are those of [llm.Call]; both may be nil. Known tells
	// whether Foreign can be true of anything yet, so that bodies need not be
	// searched while it cannot; nil: it can.
	Foreign func(opaque string) bool
	Made    func(opaque string)
	Known   func() bool
}

// Do calls the provider. See llm.Target.
func (l *Leaf) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	if r.Counts && (r.Derived || !l.Outbound.Copies(&llm.Call{Model: l.Model}, r)) {
		return l.counted(r)
	}
	m := &meter{
		leaf: l,
		ctx:  ctx,
		call: llm.Call{Model: l.Model, Stream: r.Stream, Foreign: l.Foreign, Made: l.Made},
		attempt: llm.Attempt{
			Request:  r,
			Number:   r.NextAttempt(),
			Provider: l.Model.Provider,
			Model:    l.listed(),
			Streamed: r.Stream,
			Start:    time.Now(),
			Note:     llm.NoteOf(ctx),
		},
	}
	if l.Known != nil && !l.Known() {
		m.call.Foreign = nil
	}
	e := &llm.Error{Kind: llm.Internal, Message: "Keytray failed on this call"} // should anything panic
	answered := false
	defer func() {
		if !answered {
			m.finish(e)
			m.hangUp()
			m.tap.Free()
		}
	}()
	resp, err := m.do(ctx)
	if err == nil {
		answered = true
		return resp, nil
	}
	e = llm.AsError(err)
	m.hideKey(e)
	if e.Provider == "" && m.attempt.Status != 0 && e.Kind != llm.Canceled {
		e.Provider = l.Model.Provider // it has answered: what is wrong is in its answer
	}
	return nil, e
}

// Copies tells whether r would be sent in the client's own bytes, and to which
// provider.
func (l *Leaf) Copies(r *llm.Request) (provider string, ok bool) {
	return l.Model.Provider, l.Outbound.Copies(&llm.Call{Model: l.Model, Stream: r.Stream}, r)
}

// do makes the call; on an error the caller finishes the row.
func (m *meter) do(ctx context.Context) (*llm.Response, error) {
	l, r := m.leaf, m.attempt.Request
	translated := r.Derived || !l.Outbound.Copies(&m.call, r)
	if !translated {
		m.call.Form, m.call.Counts = r.Form, r.Counts
	}
	body, err := m.encode(translated)
	if err != nil {
		_ = l.Record.Begin(&m.attempt) // the first error is the one to tell
		return nil, err
	}
	req, err := m.request(ctx, body, translated)
	if not := l.Record.Begin(&m.attempt); err == nil {
		err = not
	}
	if err != nil {
		return nil, err
	}
	resp, err := l.Network.RoundTrip(req)
	if err != nil {
		return nil, Explain(ctx, l.Model.Provider, l.Base, err)
	}
	m.source = resp.Body
	m.attempt.Status = resp.StatusCode
	m.attempt.FirstByte = time.Now()
	in, err := plain(resp)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, m.refusal(ctx, resp, in)
	}
	out := &llm.Response{
		Outbound: l.Outbound,
		Call:     &m.call,
		Copied:   !translated,
		Status:   resp.StatusCode,
		Header:   resp.Header,
		Body:     m,
		Target:   l.Model.Provider + "/" + l.listed(),
		Attempts: r.Attempts(),
		Why:      m.attempt.Note.Reason,
	}
	if translated {
		out.Outbound = m.outbound()
	}
	m.call.Stream = isStream(resp.Header.Get("Content-Type"), m.call.Stream, l.Outbound.Framing(&m.call))
	if m.call.Stream {
		if isEventStream(resp.Header) {
			in = newUnwrapper(in)
		}
		out.Stream = true
		return out, m.begin(ctx, in)
	}
	return out, m.whole(ctx, in, resp.ContentLength, out, translated)
}

// encode is the body to send, in pieces.
func (m *meter) encode(translated bool) ([][]byte, error) {
	r := m.attempt.Request
	if !translated {
		return m.leaf.Outbound.Patch(&m.call, r)
	}
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	if m.leaf.Memory != nil {
		p = m.leaf.Memory.Restore(m.origin(), r, p)
	}
	b, err := m.leaf.Outbound.EncodeRequest(&m.call, p)
	return [][]byte{b}, err
}

// request builds the signed HTTP request.
func (m *meter) request(ctx context.Context, pieces [][]byte, translated bool) (*http.Request, error) {
	l := m.leaf
	raw := withQuery(l.Outbound.URL(&m.call, l.Base), l.Query)
	u, err := url.Parse(raw)
	if err != nil {
		return nil, &llm.Error{Kind: llm.Internal, Message: "the base URL of " + l.Model.Provider + " cannot be used: " + err.Error(), Cause: err}
	}
	var size int64
	for _, p := range pieces {
		size += int64(len(p))
	}
	m.attempt.SentBytes = size
	h := make(http.Header, 8)
	for k, v := range l.Header {
		h[k] = v
	}
	h["Content-Type"] = []string{"application/json"}
	h["Accept"] = []string{"application/json"}
	if m.call.Stream && l.Outbound.Framing(&m.call) == llm.SSE {
		h["Accept"] = []string{"text/event-stream"}
	}
	passHeaders(h, m.attempt.Request.Header, translated)
	req := &http.Request{
		Method:        http.MethodPost,
		URL:           u,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        h,
		Host:          u.Host,
		ContentLength: size,
		GetBody:       func() (io.ReadCloser, error) { return newBody(pieces, size), nil },
	}
	req.Body, _ = req.GetBody()
	if l.Sign != nil {
		s, err := l.Sign(context.WithValue(ctx, attemptKey{}, &m.attempt), req)
		if err != nil && ctx.Err() != nil {
			return nil, Explain(ctx, l.Model.Provider, l.Base, err)
		}
		if err != nil {
			return nil, err
		}
		m.attempt.Key, m.hide = s.Label, s.Hide
	}
	return req.WithContext(ctx), nil
}

func withQuery(at, query string) string {
	switch {
	case query == "":
		return at
	case strings.Contains(at, "?"):
		return at + "&" + query
	default:
		return at + "?" + query
	}
}

// listed is the model's name in rows and prices.
func (l *Leaf) listed() string {
	if l.Listed != "" {
		return l.Listed
	}
	return l.Model.Name
}

// refusal reads a non-2xx answer.
func (m *meter) refusal(ctx context.Context, resp *http.Response, in io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(in, maxErrorBody))
	if err != nil && ctx.Err() != nil {
		return Explain(ctx, m.leaf.Model.Provider, m.leaf.Base, err)
	}
	if m.hide != nil {
		body = m.hide(body)
	}
	e := m.leaf.Outbound.DecodeError(resp.StatusCode, resp.Header, body)
	e.Header = resp.Header
	if e.Status == 0 {
		e.Status = resp.StatusCode
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		// A key is never sent after a redirect, so this one ends here.
		e.Status, e.Kind, e.Raw = http.StatusBadGateway, llm.Garbage, nil
		e.Message = "the provider redirects to another address, which Keytray does not follow with a key; check base_url of " + m.leaf.Model.Provider
	}
	return e
}

// hideKey masks the key in all that an error shows, and takes what it quotes
// out of buffers that will be used again.
func (m *meter) hideKey(e *llm.Error) {
	e.Raw = bytes.Clone(e.Raw)
	if m.hide == nil {
		return
	}
	e.Message = string(m.hide([]byte(e.Message)))
	e.Code = string(m.hide([]byte(e.Code)))
	if e.Raw != nil {
		e.Raw = m.hide(e.Raw)
	}
}

// maxErrorBody bounds what is read of a refusal.
const maxErrorBody = 1 << 20
