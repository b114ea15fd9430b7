package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// meter is the body of an answer: the provider's bytes go through as they
// are, and their frames are tallied in passing.
type meter struct {
	leaf     *Leaf
	call     llm.Call
	attempt  llm.Attempt
	hide     func([]byte) []byte
	source   io.Closer // the provider's body
	ctx      context.Context
	tap      sse.Tap
	body     []byte // of a whole answer, what is left to deliver
	finished bool
	withheld bool // the provider's error frame held the key and could not be passed on
}

// begin starts a stream: it reads up to the first good frame.
func (m *meter) begin(ctx context.Context, in io.Reader) error {
	m.ctx = ctx
	m.tap = sse.Tap{Src: in, See: m.see, Release: m.commit, End: m.end}
	if m.leaf.Outbound.Framing() == llm.NDJSON {
		m.tap.Framing = sse.Lines
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
	if !t.Good && t.Err == nil {
		return &llm.Error{Kind: llm.Garbage, Message: "the provider ended the answer without having said anything; try again"}
	}
	return refused(t)
}

// refused is the tally's refusal as an error, and nil if there is none.
func refused(t *llm.Tally) error {
	if t.Err == nil {
		return nil
	}
	return t.Err
}

// whole reads an answer that is not streamed. What must be translated is
// decoded here, so that nonsense is found before anything is committed.
func (m *meter) whole(ctx context.Context, in io.Reader, size int64, out *llm.Response, translated bool) error {
	m.ctx = ctx
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
		for e, err := range m.leaf.Outbound.DecodeResponse(&m.call, strings.NewReader(string(body))) {
			if err != nil {
				return err
			}
			out.Decoded = append(out.Decoded, e)
		}
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
	verdict := m.leaf.Outbound.Tally(&m.call, &m.attempt.Tally, f.Data)
	if m.attempt.Tally.Err != nil && !m.mask(f.Data) {
		m.withheld = true
		return sse.Drop
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

// mask hides the key in an error's frame, in place, as careless providers
// repeat it there. It tells whether the frame can be passed on.
func (m *meter) mask(frame []byte) bool {
	if m.hide == nil {
		return true
	}
	hidden := m.hide(frame)
	if bytes.Equal(hidden, frame) {
		return true
	}
	if len(hidden) > len(frame) || bytes.IndexByte(frame, '\n') >= 0 { // put together of several lines
		return false
	}
	for i := copy(frame, hidden); i < len(frame); i++ {
		frame[i] = ' '
	}
	return true
}

// commit finishes the row while the last frame is held back.
func (m *meter) commit() error {
	m.finish(nil)
	return nil
}

// end is told how the provider's stream ended.
func (m *meter) end(err error) error {
	if m.finished {
		return io.EOF
	}
	switch t := &m.attempt.Tally; {
	case t.Err != nil:
		m.hideKey(t.Err)
		m.finish(t.Err)
		if m.withheld {
			return t.Err
		}
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
	if m.ctx.Err() != nil {
		return Explain(m.ctx, m.leaf.Model.Provider, m.leaf.Base, err)
	}
	if errors.Is(err, errTooLarge) || errors.Is(err, sse.ErrFrameTooLarge) || errors.Is(err, errUnpack) {
		return &llm.Error{Kind: llm.Garbage, Provider: m.leaf.Model.Provider, Message: err.Error(), Cause: err}
	}
	return &llm.Error{
		Kind: llm.Cut, Provider: m.leaf.Model.Provider, Cause: err,
		Message: "the answer stopped before its end; what came so far is incomplete",
	}
}

// Fail finishes the row of an answer that could not be read any further.
func (m *meter) Fail(err error) {
	if m.finished {
		return
	}
	e := llm.AsError(err)
	m.hideKey(e)
	m.finish(e)
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

// WriteTo delivers them with one Write for each read of the provider's.
func (m *meter) WriteTo(w io.Writer) (int64, error) {
	if m.tap.Src != nil {
		return m.tap.WriteTo(w)
	}
	n, err := w.Write(m.body)
	m.body = m.body[n:]
	return int64(n), err
}

// Close stops the provider if it is still answering, and finishes the row.
func (m *meter) Close() error {
	if !m.finished {
		m.finish(&llm.Error{Kind: llm.Canceled, Message: "the client stopped the answer"})
	}
	m.release()
	return nil
}

func (m *meter) release() {
	if m.source != nil {
		_ = m.source.Close() // nothing is lost: the answer was read, or is not wanted
		m.source = nil
	}
	m.tap.Free()
}

// endless tells a JSON object that was cut off from what is none.
func endless(body []byte) bool {
	var v any
	var syntax *json.SyntaxError
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) &&
		errors.As(json.Unmarshal(body, &v), &syntax) && syntax.Error() == "unexpected end of JSON input"
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
