package upstream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// Pass is the target of calls that are no conversation: the client's own bytes
// go to one provider, and its bytes come back, both streamed. It is immutable
// and safe for concurrent use, and may be used for several requests.
type Pass struct {
	Model   llm.Model // its Name is "" where the call names none
	URL     string    // where the call goes, query included
	Base    string    // the provider's base URL, for messages
	Header  http.Header
	Sign    Sign // nil: the provider takes no key
	Network *Network
	Record  Recorder

	// Body is the part of the client's body that is in memory, as the
	// provider gets it; what follows is r.Rest.
	Body [][]byte
	// Wide lets all of the client's headers through that are not about its
	// way to Keytray; else only the few that are known to be harmless.
	Wide bool
	// Verbatim hands refusals over as answers, with their own status.
	Verbatim bool
	// NoRow leaves no row: the call uses no model.
	NoRow bool
	// Unmetered is [llm.Attempt]'s.
	Unmetered bool
	// Asked is the usage of a good answer that tells none.
	Asked llm.Usage
	// Reason is its row's, for people; it may be "".
	Reason string
	// Watch reads what answers say of themselves; nil: nothing is looked at,
	// but for refusals.
	Watch Watch
	// Learn is given each whole JSON answer before it goes on. It may be nil.
	Learn func(body []byte)
	// Through is given a good answer that is no JSON, as it passes; if it ends
	// well, Close is called before the client sees the end. It may be nil.
	Through interface {
		io.Writer
		Close()
	}
	// Stop ends a Talk; nil: nothing but its ends does.
	Stop <-chan struct{}
}

// Watch is the part of an llm.Outbound that looks on.
type Watch interface {
	DecodeError(status int, h http.Header, body []byte) *llm.Error
	Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict
	Framing(c *llm.Call) llm.Framing
}

// Do makes the call; see llm.Target. What follows the part of a body that is in
// memory can be sent once only: a second Do of such a request is refused.
func (p *Pass) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	b := &passage{
		pass: p, ctx: ctx,
		call: llm.Call{Model: p.Model, Stream: r.Stream, Form: r.Form},
		attempt: llm.Attempt{
			Request: r, Number: r.NextAttempt(), Provider: p.Model.Provider, Model: p.Model.Name,
			Streamed: r.Stream, Start: time.Now(), Unmetered: p.Unmetered,
			Note: llm.NoteOf(ctx),
		},
	}
	if p.Reason != "" {
		b.attempt.Note.Reason = p.Reason
	}
	e := &llm.Error{Kind: llm.Internal, Message: "Keytray failed on this call"} // should anything panic
	answered := false
	defer func() {
		if !answered {
			b.finish(e)
			b.hangUp()
		}
	}()
	resp, err := b.do(r)
	if err == nil {
		answered = true
		return resp, nil
	}
	e = llm.AsError(err)
	if b.hide != nil {
		e.Message, e.Raw = string(b.hide([]byte(e.Message))), b.hide(e.Raw)
	}
	if e.Provider == "" && b.attempt.Status != 0 && e.Kind != llm.Canceled {
		e.Provider = p.Model.Provider
	}
	return nil, e
}

func (b *passage) do(r *llm.Request) (*llm.Response, error) {
	p := b.pass
	req, sent, err := b.request(r)
	if !p.NoRow {
		b.begun = true
		if not := p.Record.Begin(&b.attempt); err == nil {
			err = not
		}
	}
	if err != nil {
		return nil, err
	}
	resp, err := p.Network.RoundTrip(req)
	if err != nil {
		return nil, b.unanswered(sent, err)
	}
	b.source = resp.Body
	b.attempt.Status, b.attempt.FirstByte = resp.StatusCode, time.Now()
	good := resp.StatusCode >= 200 && resp.StatusCode <= 299
	if !good && !p.Verbatim {
		err := b.refusal(resp)
		b.hangUp()
		sent.drain(b.ctx)
		return nil, err
	}
	out := &llm.Response{
		Call: &b.call, Copied: true, Status: resp.StatusCode, Header: resp.Header, Body: b,
		Target: strings.TrimSuffix(p.Model.Provider+"/"+p.Model.Name, "/"), Attempts: r.Attempts(),
		Why: b.attempt.Note.Reason,
	}
	return out, b.answer(resp, out, good)
}

// unanswered says why there is no answer: it may be the client that went away
// in the middle of its body.
func (b *passage) unanswered(sent *upload, err error) error {
	if failed := sent.failed(); failed != nil {
		if e, ok := failed.(*llm.Error); ok {
			return e // what the client sends is wrong
		}
		return &llm.Error{Kind: llm.Canceled, Message: "the client stopped sending its body", Cause: failed}
	}
	if errors.Is(err, errSent) {
		return &llm.Error{Kind: llm.BadRequest, Message: errSent.Error(), Cause: err}
	}
	return Explain(b.ctx, b.pass.Model.Provider, b.pass.Base, err)
}

// request builds the signed HTTP request.
func (b *passage) request(r *llm.Request) (*http.Request, *upload, error) {
	p := b.pass
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, nil, &llm.Error{Kind: llm.Internal, Message: "the base URL of " + p.Model.Provider + " cannot be used", Cause: err}
	}
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	h := make(http.Header, 12)
	for k, v := range p.Header {
		h[k] = v
	}
	if p.Wide {
		passWide(h, r.Header)
		if len(p.Body) > 0 {
			delete(h, "Content-Encoding") // it was unpacked
		}
	} else {
		passHeaders(h, r.Header, false)
		for _, k := range [...]string{"Content-Type", "Accept"} {
			if v := r.Header[k]; v != nil {
				h[k] = v
			}
		}
	}
	req := &http.Request{
		Method: method, URL: u, Host: u.Host, Header: h,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	sent := newUpload(p.Body, r.Rest)
	b.sent = sent
	if r.Rest != nil || len(p.Body) > 0 {
		req.ContentLength = sent.size
		b.attempt.SentBytes = max(0, sent.size)
		req.GetBody = sent.body
		if req.Body, err = sent.body(); err != nil {
			return nil, sent, &llm.Error{Kind: llm.BadRequest, Message: err.Error()}
		}
	}
	if p.Sign != nil {
		s, err := p.Sign(b.ctx, req)
		if err != nil && b.ctx.Err() != nil {
			return nil, sent, Explain(b.ctx, p.Model.Provider, p.Base, err)
		}
		if err != nil {
			return nil, sent, err
		}
		b.attempt.Key, b.hide = s.Label, s.Hide
	}
	return req.WithContext(b.ctx), sent, nil
}

// refusal reads a non-2xx answer.
func (b *passage) refusal(resp *http.Response) error {
	in, err := plain(resp)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(io.LimitReader(in, maxErrorBody))
	if err != nil && b.ctx.Err() != nil {
		return Explain(b.ctx, b.pass.Model.Provider, b.pass.Base, err)
	}
	if b.hide != nil {
		body = b.hide(body)
	}
	e := b.pass.Watch.DecodeError(resp.StatusCode, resp.Header, body)
	e.Header = resp.Header
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		e.Status, e.Kind, e.Raw = http.StatusBadGateway, llm.Garbage, nil
		e.Message = "the provider redirects to another address, which Keytray does not follow with a key; check base_url of " + b.pass.Model.Provider
	}
	return e
}
