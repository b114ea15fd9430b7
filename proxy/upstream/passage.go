package upstream

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// passage is the body of an answer that is passed on as it is. A stream's
// events and a whole JSON answer are looked at; of all else the end is: the row
// is finished before the client sees it.
type passage struct {
	pass    *Pass
	ctx     context.Context
	call    llm.Call
	attempt llm.Attempt
	hide    func([]byte) []byte
	source  io.Closer
	sent    *upload

	closing atomic.Bool
	mu      sync.Mutex // guards what follows, and the attempt, once Do has returned

	begun    bool // the row is
	finished bool
	src      io.Reader // of an answer that streams through; nil: body has it
	left     int64     // bytes of it to come; negative: not known
	tap      tap       // of a stream that is looked at
	body     []byte    // of a whole answer, what is left to deliver
	ended    bool
}

// tap reads a stream whose frames are seen before their bytes come out.
type tap interface {
	io.Reader
	io.WriterTo
	Free()
}

// answer decides how the answer is looked at.
func (b *passage) answer(resp *http.Response, out *llm.Response, good bool) error {
	p := b.pass
	kind := resp.Header.Get("Content-Type")
	json := isJSON(kind)
	if !good {
		return b.verbatim(resp)
	}
	framing := llm.SSE
	if p.Watch != nil {
		framing = p.Watch.Framing(&b.call)
	}
	switch {
	case p.Watch != nil && isStream(kind, framing == llm.JSONArray && json, framing):
		in, err := plain(resp)
		if err != nil {
			return err
		}
		resp.Header.Del("Content-Encoding")
		b.call.Stream, b.attempt.Streamed, out.Stream = true, true, true
		if isEventStream(resp.Header) {
			b.tap = &eventTap{eventReader: eventReader{src: in}, see: b.see, release: b.commit, end: b.end}
			break
		}
		tap := &sse.Tap{Src: in, See: b.see, Release: b.commit, End: b.end}
		switch {
		case framing == llm.NDJSON:
			tap.Framing = sse.Lines
		case framing == llm.JSONArray && json:
			tap.Framing = sse.Array
		}
		b.tap = tap
	case (p.Watch != nil || p.Learn != nil) && json && p.Through == nil:
		return b.whole(resp)
	default:
		b.src, b.left = resp.Body, resp.ContentLength
		out.Stream = true
		b.attempt.Tally.Good = true
		if b.left == 0 || resp.StatusCode == http.StatusNoContent {
			b.left = 0
			b.done(nil)
		}
	}
	return nil
}

// whole reads a JSON answer.
func (b *passage) whole(resp *http.Response) error {
	in, err := plain(resp)
	if err != nil {
		return err
	}
	if b.body, err = readAll(in, resp.ContentLength, maxAnswer); err != nil {
		return b.broken(err)
	}
	resp.Header.Del("Content-Encoding")
	b.call.Stream = false
	t := &b.attempt.Tally
	if b.pass.Watch != nil {
		b.pass.Watch.Tally(&b.call, t, b.body)
		switch {
		case t.Err != nil && b.pass.Verbatim:
			b.finish(t.Err)
			return nil
		case t.Err != nil:
			return t.Err
		case !t.Good && endless(b.body):
			return b.broken(io.ErrUnexpectedEOF)
		case !t.Good && !b.pass.Verbatim:
			return &llm.Error{Kind: llm.Garbage, Status: http.StatusBadGateway, Message: "the provider answered " + describe(b.body)}
		}
	}
	if b.pass.Learn != nil {
		b.pass.Learn(b.body)
	}
	b.finish(nil)
	return nil
}

// verbatim hands a refusal over with its own status.
func (b *passage) verbatim(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	if err != nil {
		return b.broken(err)
	}
	if b.hide != nil {
		body = b.hide(body)
	}
	b.body = body
	e := &llm.Error{Status: resp.StatusCode, Kind: llm.KindOf(resp.StatusCode), Provider: b.pass.Model.Provider, Message: http.StatusText(resp.StatusCode)}
	if b.pass.Watch != nil {
		e = b.pass.Watch.DecodeError(resp.StatusCode, resp.Header, bytes.Clone(body))
	}
	if resp.StatusCode < 400 { // a redirect is for the client to follow, without the key
		b.finish(nil)
	} else {
		b.finish(e)
	}
	b.sent.drain(b.ctx)
	return nil
}

func (b *passage) see(f sse.Frame) sse.Verdict {
	if f.Data == nil || b.finished {
		return sse.Pass
	}
	switch b.pass.Watch.Tally(&b.call, &b.attempt.Tally, f.Data) {
	case llm.Last:
		return sse.Hold
	default:
		return sse.Pass // nothing was asked for that the client does not know
	}
}

// commit finishes the row while the last event is held back.
func (b *passage) commit() error {
	if e := b.attempt.Tally.Err; e != nil {
		b.finish(e)
	} else {
		b.finish(nil)
	}
	return nil
}

// end is told how a stream ended.
func (b *passage) end(err error) error {
	b.ended = true
	switch t := &b.attempt.Tally; {
	case b.finished:
		return io.EOF
	case t.Err != nil:
		b.finish(t.Err)
		return io.EOF
	case err == io.EOF && (t.Done || b.pass.Unmetered && t.Good):
		b.finish(nil)
		return io.EOF
	}
	e := b.broken(err)
	b.finish(e)
	return e
}

// done is told how an answer that streams through ended.
func (b *passage) done(err error) {
	b.ended = true
	if err != nil {
		b.finish(b.broken(err))
		return
	}
	if b.finished {
		return
	}
	b.attempt.Tally.Done = true
	if b.pass.Through != nil {
		b.pass.Through.Close()
	}
	b.finish(nil)
}

func (b *passage) broken(err error) *llm.Error {
	switch {
	case b.closing.Load():
		return stopped(err)
	case b.ctx.Err() != nil:
		return Explain(b.ctx, b.pass.Model.Provider, b.pass.Base, err)
	}
	return &llm.Error{
		Kind: llm.Cut, Provider: b.pass.Model.Provider, Cause: err,
		Message: "the answer stopped before its end; what came so far is incomplete",
	}
}

// finish commits the row, once.
func (b *passage) finish(err error) {
	if b.finished {
		return
	}
	b.finished = true
	a := &b.attempt
	a.End, a.Lost, a.Outcome = time.Now(), b.call.Lost, llm.OK
	if err != nil {
		a.Err = llm.AsError(err)
		if b.hide != nil {
			a.Err.Message = string(b.hide([]byte(a.Err.Message)))
		}
		switch a.Err.Kind {
		case llm.Canceled:
			a.Outcome = llm.Aborted
		case llm.Cut:
			a.Outcome = llm.Broken
		default:
			a.Outcome = llm.Failed
		}
	}
	if a.Tally.Good && !a.Tally.Usage.Known && a.Outcome != llm.Failed {
		a.Tally.Usage = b.pass.Asked
	}
	if b.begun {
		b.pass.Record.Finish(a)
	}
}

// Read delivers the provider's bytes.
func (b *passage) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.tap != nil:
		return b.tap.Read(p)
	case b.src != nil:
		return b.through(p)
	case len(b.body) == 0:
		return 0, io.EOF
	}
	n := copy(p, b.body)
	b.body = b.body[n:]
	return n, nil
}

func (b *passage) through(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	n, err := b.src.Read(p)
	if n > 0 && b.pass.Through != nil {
		_, _ = b.pass.Through.Write(p[:n]) // it looks on
	}
	if b.left > 0 {
		if b.left -= int64(n); b.left == 0 { // the client will know that this is all
			b.done(nil)
			return n, nil
		}
	}
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		b.done(nil)
		return n, io.EOF
	}
	b.done(err)
	return n, err
}

// WriteTo delivers a stream with one Write for each read of the provider's.
func (b *passage) WriteTo(w io.Writer) (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tap != nil {
		return b.tap.WriteTo(w)
	}
	if b.src == nil {
		n, err := w.Write(b.body)
		b.body = b.body[n:]
		return int64(n), err
	}
	buf := make([]byte, 32<<10)
	var sum int64
	for {
		n, err := b.through(buf)
		if n > 0 {
			m, err := w.Write(buf[:n])
			sum += int64(m)
			if err != nil {
				return sum, err
			}
		}
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
	}
}

// Len is how many bytes of a whole answer are left; negative for a stream.
func (b *passage) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.tap != nil:
		return -1
	case b.src != nil:
		return int(b.left)
	}
	return len(b.body)
}

// Close stops the provider if it is still answering, and finishes the row. It
// may be called during a Read, which it ends with an error, and again.
func (b *passage) Close() error {
	b.closing.Store(true)
	if !b.mu.TryLock() {
		b.hangUp()
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	if !b.finished {
		b.finish(stopped(nil))
	}
	b.hangUp()
	if b.tap != nil {
		b.tap.Free()
	}
	return nil
}

func (b *passage) hangUp() {
	if b.source != nil {
		_ = b.source.Close() // nothing is lost: the answer was read, or is not wanted
	}
}
