package openai

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

const cut = "the answer stopped in the middle"

// Answer hands on the events of an answer, and what is wrong with it.
type Answer struct {
	Call    *llm.Call
	Dialect string
	Yield   func(llm.Event, error) bool
	Over    bool // the consumer wants no more, or an error was yielded
}

// Emit hands on an event.
func (a *Answer) Emit(e llm.Event) {
	if !a.Over && !a.Yield(e, nil) {
		a.Over = true
	}
}

// Fail ends the answer with an error.
func (a *Answer) Fail(err *llm.Error) {
	if !a.Over {
		a.Over = true
		a.Yield(llm.Event{}, err)
	}
}

// Garbage fails with an answer that cannot be read.
func (a *Answer) Garbage(format string, args ...any) {
	a.Fail(&llm.Error{Kind: llm.Garbage, Outbound: a.Dialect, Message: fmt.Sprintf(format, args...)})
}

// Cut fails with an answer that ended before its end was said.
func (a *Answer) Cut() {
	a.Fail(&llm.Error{Kind: llm.Cut, Outbound: a.Dialect, Message: cut})
}

// Broke fails with what reading the answer failed with.
func (a *Answer) Broke(err error) {
	if errors.Is(err, sse.ErrFrameTooLarge) {
		a.Garbage("the answer cannot be read: %v", err)
		return
	}
	a.Fail(&llm.Error{Kind: llm.Cut, Outbound: a.Dialect, Message: cut + ": " + err.Error(), Cause: err})
}

// Whole reads the body of an answer that is no stream: a JSON object. ok is
// false after a failure.
func (a *Answer) Whole(body io.Reader) (b []byte, ok bool) {
	b, err := io.ReadAll(io.LimitReader(body, sse.MaxFrame+1))
	switch {
	case err != nil:
		a.Broke(err)
	case len(b) > sse.MaxFrame:
		a.Broke(sse.ErrFrameTooLarge)
	default:
		if e := BadBody(a.Dialect, b); e != nil {
			a.Fail(e)
		}
	}
	return b, !a.Over
}

// BadBody says what is wrong with an answer that is no JSON object; nil is one.
func BadBody(dialect string, b []byte) *llm.Error {
	e := &llm.Error{Kind: llm.Garbage, Outbound: dialect}
	valid := json.Valid(b)
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		e.Message = "the provider answered with an empty body"
	case valid && b[0] == '{':
		return nil
	case valid:
		e.Message = "the answer is not a JSON object"
	case b[0] != '{':
		e.Message = "the answer is not JSON: " + refusal.Plain(b)
	default: // what it holds is nobody's business
		e.Message = "the answer is not JSON"
		var v json.RawMessage
		if json.NewDecoder(bytes.NewReader(b)).Decode(&v) == io.ErrUnexpectedEOF {
			e.Kind, e.Message = llm.Cut, cut
		}
	}
	return e
}
