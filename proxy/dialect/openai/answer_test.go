package openai

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func TestWhole(t *testing.T) {
	for _, c := range []struct {
		body    io.Reader
		kind    llm.ErrorKind
		message string
	}{
		{strings.NewReader(" {\"a\":1} "), "", ""},
		{strings.NewReader(" "), llm.Garbage, "the provider answered with an empty body"},
		{strings.NewReader("[1]"), llm.Garbage, "the answer is not a JSON object"},
		{strings.NewReader("<html><title>Bad gateway</title>"), llm.Garbage, "the answer is not JSON: Bad gateway"},
		{strings.NewReader(`{"content":"secr`), llm.Cut, "the answer stopped in the middle"},
		{strings.NewReader(`{"content":"secret" x}`), llm.Garbage, "the answer is not JSON"},
		{iotest.ErrReader(io.ErrUnexpectedEOF), llm.Cut, "the answer stopped in the middle: unexpected EOF"},
		{iotest.ErrReader(sse.ErrFrameTooLarge), llm.Garbage, "the answer cannot be read: " + sse.ErrFrameTooLarge.Error()},
	} {
		var got error
		times := 0
		a := Answer{Dialect: "d", Yield: func(_ llm.Event, err error) bool { got = err; times++; return true }}
		b, ok := a.Whole(c.body)
		if c.kind == "" {
			if !ok || got != nil || string(b) != ` {"a":1} ` {
				t.Errorf("%s %v", b, got)
			}
			continue
		}
		e := llm.AsError(got)
		if ok || e == nil || e.Kind != c.kind || e.Message != c.message || e.Outbound != "d" {
			t.Errorf("%v: %+v, want %s", ok, e, c.message)
		}
		a.Emit(llm.Event{})
		if a.Cut(); times != 1 {
			t.Errorf("%s: something came after the failure", c.message)
		}
	}
}

// A consumer that wants no more gets no more.
func TestOver(t *testing.T) {
	times := 0
	a := Answer{Yield: func(llm.Event, error) bool { times++; return false }}
	a.Emit(llm.Event{})
	a.Emit(llm.Event{})
	a.Broke(errors.New("x"))
	if times != 1 || !a.Over {
		t.Errorf("%d events", times)
	}
}

func TestByteAt(t *testing.T) {
	for char, want := range map[int]int{-1: -1, 0: 0, 1: 1, 2: 3, 3: 6, 4: 7, 5: -1} {
		if got := ByteAt([]byte("aé€b"), char); got != want {
			t.Errorf("%d: %d, want %d", char, got, want)
		}
	}
}
