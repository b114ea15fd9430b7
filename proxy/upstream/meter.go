package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// meter is the body of an answer: the provider's bytes go through as they
// are, and their frames are tallied in passing.
type meter struct {
	leaf    *Leaf
	call    llm.Call
	attempt llm.Attempt
	hide    func([]byte) []byte
	source  io.Closer // the provider's body
	ctx     context.Context

	closing atomic.Bool // Close was called, perhaps during a Read
	mu      sync.Mutex  // guards what follows, and the attempt, once Do has returned

	tap      sse.Tap
	body     []byte     // of a whole answer, what is left to deliver
	masked   *llm.Error // an error whose frame held the key and was left out
	finished bool
	ended    bool // the provider's stream was read to its end
	stopped  bool // finished before the answer's end, by its reader
}

// begin starts a stream: it reads up to the first good frame.
func (m *meter) begin(ctx context.Context, in io.Reader) error {
	m.tap = sse.Tap{Src: in, See: m.see, Release: m.commit}
	switch m.leaf.Outbound.Framing(&m.call) {
	case llm.NDJSON:
		m.tap.Framing = sse.Lines
	case llm.JSONArray:
		m.tap.Framing = sse.Array
	}
	t := &m.attempt.Tally
	for !t.Good && t.Err == nil && !t.Done {
		if err := m.tap.More(); err == io.EOF {
			return &llm.Error{Kind: llm.Garbage, Message: "the provider answered with an empty stream"}
		} else if err != nil {
			return m.broken(err)
		}
	}
	m.attempt.FirstByte = time.Now()
	if t.Err != nil {
		return t.Err
	}
	if !t.Good {
		return &llm.Error{Kind: llm.Garbage, Message: "the provider ended the answer without having said anything; try again"}
	}
	if !llm.Claim(ctx) {
		return llm.Lost()
	}
	m.tap.End = m.end
	return nil
}

// whole reads an answer that is not streamed. What must be translated is
// decoded here, so that nonsense is found before anything is committed.
func (m *meter) whole(ctx context.Context, in io.Reader, size int64, out *llm.Response, translated bool) error {
	body, err := readAll(in, size, maxAnswer)
	if err != nil {
		return m.broken(err)
	}
	t := &m.attempt.Tally
	m.leaf.Outbound.Tally(&m.call, t, body)
	if t.Err != nil {
		return t.Err
	}
	if !t.Good && endless(body) {
		return m.broken(io.ErrUnexpectedEOF)
	}
	if !t.Good {
		return &llm.Error{
			Kind: llm.Garbage, Status: 502,
			Message: "the provider answered " + describe(body),
		}
	}
	if translated {
		for e, err := range m.outbound().DecodeResponse(&m.call, bytes.NewReader(body)) {
			if err != nil {
				return err
			}
			out.Decoded = append(out.Decoded, e)
		}
	}
	if !llm.Claim(ctx) {
		return llm.Lost()
	}
	m.body = body
	m.finish(nil)
	return nil
}

// see tallies one frame of a stream.
func (m *meter) see(f sse.Frame) sse.Verdict {
	if f.Data == nil || m.finished {
		return sse.Pass
	}
	t := &m.attempt.Tally
	refused := t.Err != nil
	verdict := m.leaf.Outbound.Tally(&m.call, t, f.Data)
	if t.Err != nil && !refused {
		m.hideKey(t.Err)
		if !m.mask(f.Data) {
			m.masked = t.Err
			return sse.Drop
		}
	}
	switch verdict {
	case llm.Drop:
		return sse.Drop
	case llm.Last:
		return sse.Hold
	default:
		return sse.Pass
	}
}

// mask takes the key out of an error frame, whose length must stay: spaces
// after its JSON make up for it. It is false if that cannot be done.
func (m *meter) mask(frame []byte) bool {
	if m.hide == nil {
		return true
	}
	clean := m.hide(bytes.Clone(frame))
	if bytes.Equal(clean, frame) {
		return true
	}
	if len(clean) > len(frame) || bytes.IndexByte(frame, '\n') >= 0 { // of several lines, frame is a copy
		return false
	}
	for i := copy(frame, clean); i < len(frame); i++ {
		frame[i] = ' '
	}
	return true
}

// commit finishes the row while the last frame is held back.
func (m *meter) commit() error {
	if e := m.attempt.Tally.Err; e != nil {
		m.finish(e) // some providers close their stream in order after an error
	} else {
		m.finish(nil)
	}
	return nil
}

// end is told how the provider's stream ended.
func (m *meter) end(err error) error {
	m.ended = true
	switch t := &m.attempt.Tally; {
	case m.masked != nil:
		m.finish(m.masked)
		return m.masked // its frame was left out
	case m.stopped:
		return io.ErrClosedPipe
	case m.finished:
		return io.EOF
	case t.Err != nil:
		m.finish(t.Err)
		return io.EOF // the provider's own error frame has been passed on
	case err == io.EOF && t.Done:
		m.finish(nil)
		return io.EOF
	}
	e := m.broken(err)
	m.finish(e)
	return e
}

// broken is the error for an answer that stopped in the middle.
func (m *meter) broken(err error) *llm.Error {
	if m.closing.Load() {
		return stopped(err)
	}
	if m.ctx.Err() != nil {
		return Explain(m.ctx, m.leaf.Model.Provider, m.leaf.Base, err)
	}
	if errors.Is(err, errTooLarge) || errors.Is(err, sse.ErrFrameTooLarge) || errors.Is(err, errUnpack) || errors.Is(err, errEventStream) {
		return &llm.Error{Kind: llm.Garbage, Provider: m.leaf.Model.Provider, Message: err.Error(), Cause: err}
	}
	return &llm.Error{
		Kind: llm.Cut, Provider: m.leaf.Model.Provider, Cause: err,
		Message: "the answer stopped before its end; what came so far is incomplete",
	}
}

// finish commits the row, once.
func (m *meter) finish(err error) {
	if m.finished {
		return
	}
	m.finished = true
	a := &m.attempt
	a.End = time.Now()
	a.Lost = m.call.Lost
	a.Outcome = llm.OK
	if err != nil {
		if context.Cause(m.ctx) == llm.ErrLost || errors.Is(err, llm.ErrLost) {
			a.Note.Part = llm.PartLost
		}
		a.Err = llm.AsError(err)
		switch a.Err.Kind {
		case llm.Canceled:
			a.Outcome = llm.Aborted
		case llm.Cut:
			a.Outcome = llm.Broken
		default:
			a.Outcome = llm.Failed
		}
	}
	m.leaf.Record.Finish(a)
}

// Read delivers the provider's bytes.
func (m *meter) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tap.Src != nil {
		return m.tap.Read(p)
	}
	if len(m.body) == 0 {
		return 0, io.EOF
	}
	n := copy(p, m.body)
	m.body = m.body[n:]
	return n, nil
}

// Len is how many bytes of a whole answer are left to deliver.
func (m *meter) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.body)
}

// WriteTo delivers them with one Write for each read of the provider's.
func (m *meter) WriteTo(w io.Writer) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tap.Src != nil {
		return m.tap.WriteTo(w)
	}
	n, err := w.Write(m.body)
	m.body = m.body[n:]
	return int64(n), err
}

// Close stops the provider if it is still answering, and finishes the row. It
// may be called during a Read, which it ends with an error, and again.
func (m *meter) Close() error {
	m.closing.Store(true)
	if !m.mu.TryLock() {
		m.hangUp() // ends the Read that is under way
		m.mu.Lock()
	}
	defer m.mu.Unlock()
	switch e := m.attempt.Tally.Err; {
	case !m.finished && e != nil:
		m.finish(e) // who translates stops reading at the provider's error
	case !m.finished:
		m.stopped = true
		m.finish(stopped(nil))
	case !m.stopped && !m.ended && m.tap.Src != nil:
		m.linger()
	}
	m.hangUp()
	m.tap.Free()
	return nil
}

// linger reads what follows the last frame, mostly nothing: a connection is
// used again only if its answer was read to the end.
func (m *meter) linger() {
	m.ended = true
	limit := time.AfterFunc(lingering, m.hangUp)
	defer limit.Stop()
	_, _ = io.CopyN(io.Discard, m.tap.Src, 4<<10) // else a new connection is made
}

// lingering is how long the end of a stream is waited for after its last frame.
const lingering = 100 * time.Millisecond

// Fail finishes the row of an answer that could not be read any further; see
// llm.Failer. It does nothing if the row is finished.
func (m *meter) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.finished {
		e := llm.AsError(err)
		m.hideKey(e)
		m.stopped = true
		m.finish(e)
	}
}

func stopped(cause error) *llm.Error {
	return &llm.Error{Kind: llm.Canceled, Message: "the client stopped the answer", Cause: cause}
}

// hangUp gives the provider's body up.
func (m *meter) hangUp() {
	if m.source != nil {
		_ = m.source.Close() // nothing is lost: the answer was read, or is not wanted
	}
}

// endless tells a JSON object that was cut off from what is none.
func endless(body []byte) bool {
	var v json.RawMessage
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) &&
		json.NewDecoder(bytes.NewReader(body)).Decode(&v) == io.ErrUnexpectedEOF
}

// describe says what an unreadable body looks like, without quoting it.
func describe(body []byte) string {
	s := strings.TrimSpace(string(body[:min(len(body), 256)]))
	switch {
	case s == "":
		return "with an empty body"
	case strings.HasPrefix(s, "<"):
		return "with a web page instead of JSON; check its base_url"
	default:
		return fmt.Sprintf("with %d bytes that are no answer of its API", len(body))
	}
}
