package pairs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func outbound(name string) llm.Outbound {
	for _, o := range outbounds {
		if o.Name() == name {
			return o
		}
	}
	return nil
}

// What clients send in each dialect: the smallest question.
var smallest = map[string]struct{ path, body string }{
	"chat":      {"/v1/chat/completions", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`},
	"responses": {"/v1/responses", `{"model":"m","input":"hi"}`},
	"messages":  {"/v1/messages", `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`},
	"gemini":    {"/v1beta/models/m:generateContent", `{"contents":[{"role":"user","parts":[{"text":"hi"}]}],"generationConfig":{"thinkingConfig":{"includeThoughts":true}}}`},
	"ollama":    {"/api/chat", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`},
}

// ask is the smallest question of a dialect's client.
func ask(t *testing.T, in llm.Inbound, stream bool) *llm.Request {
	t.Helper()
	q := smallest[in.Name()]
	peek, err := in.Peek(httptest.NewRequest(http.MethodPost, q.path, strings.NewReader(q.body)), []byte(q.body))
	if err != nil {
		t.Fatal(in.Name(), err)
	}
	peek.Stream, peek.IncludeUsage = stream, true
	_, route, _ := strings.Cut(q.path[1:], "/")
	return &llm.Request{ID: "r", Inbound: in, Path: "/" + route, Raw: []byte(q.body), Peek: peek}
}

// A real answer goes to its own dialect's client as it is, and to every other
// dialect's client as a translation in which that dialect's official library
// reads what the first one's reads in the original: whole and streamed (B13).
func TestRecorded(t *testing.T) {
	book := newBook(t)
	for _, r := range recordings(t) {
		out := outbound(r.dialect)
		if r.status > 299 {
			for _, in := range inbounds {
				book.add(t, r.dialect, in.Name(), "refused", r.name, refusal(t, r, out, in))
			}
			continue
		}
		if r.stream {
			book.add(t, r.dialect, r.dialect, "copied", r.name, copied(r, out))
		}
		events, err := decode(r, out)
		want := decoded(events, err)
		if reader := readers[r.dialect]; reader != nil {
			thinking := want.thinking // not every library reads it
			want = reader(t.Context(), r.answer)
			want.thinking = thinking
		} else if err != nil {
			t.Errorf("%s %s: %v", r.dialect, r.name, err)
		}
		for _, in := range inbounds {
			for _, stream := range []bool{false, true} {
				form := "whole"
				if stream {
					form = "stream"
				}
				book.add(t, r.dialect, in.Name(), form, r.name, translated(t, in, stream, events, err, want))
			}
		}
	}
	book.close(t)
}

// decode reads an answer into events, as far as it goes.
func decode(r recording, out llm.Outbound) (events []llm.Event, err error) {
	c := &llm.Call{Model: llm.Model{Provider: "test", Name: "m"}, Stream: r.stream}
	for e, err := range out.DecodeResponse(c, bytes.NewReader(r.body)) {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, dialecttest.Bracketed(events, true)
}

// translated says what in's official library reads differently.
func translated(t *testing.T, in llm.Inbound, stream bool, events []llm.Event, end error, want said) []string {
	r := ask(t, in, stream)
	var sent bytes.Buffer
	err := in.EncodeResponse(&sent, r, func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		if end != nil {
			yield(llm.Event{}, end)
		}
	})
	a := answer{status: http.StatusOK, stream: stream, kind: in.ContentType(r.Peek), body: sent.Bytes()}
	switch {
	case !errors.Is(err, end) || end == nil && err != nil:
		return []string{fmt.Sprintf("encoding: %v, want %v", err, end)}
	case end != nil && !stream:
		a.status, a.kind, a.body = in.EncodeError(llm.AsError(end))
	}
	return differs(readers[in.Name()](t.Context(), a), want, in.Name())
}

// copied says how the byte copy of a stream differs, and whether metering saw
// its end.
func copied(r recording, out llm.Outbound) []string {
	c := &llm.Call{Model: llm.Model{Provider: "test", Name: "m"}, Stream: true}
	var sum llm.Tally
	tap := sse.Tap{Src: bytes.NewReader(r.body), See: func(f sse.Frame) sse.Verdict {
		if f.Data == nil {
			return sse.Pass
		}
		switch out.Tally(c, &sum, f.Data) {
		case llm.Drop:
			return sse.Drop
		case llm.Last:
			return sse.Hold
		default:
			return sse.Pass
		}
	}}
	defer tap.Free()
	if out.Framing(c) == llm.NDJSON {
		tap.Framing = sse.Lines
	}
	got, err := io.ReadAll(&tap)
	switch {
	case err != nil:
		return []string{"copying: " + err.Error()}
	case !bytes.Equal(got, r.body):
		return []string{fmt.Sprintf("copying: %d bytes came out of %d", len(got), len(r.body))}
	case sum.Err == nil && !(sum.Good && sum.Done):
		return []string{fmt.Sprintf("metering: no end in %+v", sum)}
	}
	return nil
}

// refusal says whether in's official library is told what the provider said.
func refusal(t *testing.T, r recording, out llm.Outbound, in llm.Inbound) (all []string) {
	e := out.DecodeError(r.status, http.Header{}, r.body)
	a := answer{}
	a.status, a.kind, a.body = in.EncodeError(e)
	got := readers[in.Name()](t.Context(), a)
	if !got.failed || got.status != r.status {
		all = append(all, fmt.Sprintf("status: %d, want %d (%s)", got.status, r.status, got.message))
	}
	if !strings.Contains(strings.ReplaceAll(got.message, `\"`, `"`), e.Message) || e.Message == "" {
		all = append(all, fmt.Sprintf("message: %q, want %q", got.message, e.Message))
	}
	return all
}
