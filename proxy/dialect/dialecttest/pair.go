package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// request follows a client's body to the provider's.
func request(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound) {
	want := c.want(t, out.Name(), out.Name()+".via."+in.Name())
	r := c.request(t, in)
	p, err := in.DecodeRequest(r)
	if err != nil {
		wantRefused(t, err, want)
		return
	}
	unheld := slices.Sorted(slices.Values(p.Lost))
	if w := c.want(t, in.Name()).Unheld; strings.Join(unheld, "\n") != strings.Join(w, "\n") {
		t.Errorf("the prompt does not hold %q, want %q", unheld, w)
	}
	call := c.call(t, out, r.Stream)
	got, err := out.EncodeRequest(call, p)
	if err != nil {
		wantRefused(t, err, want)
		return
	}
	if want.Refused != "" {
		t.Fatalf("sent, want a refusal that names %s\n%s", want.Refused, got)
	}
	c.compareRequest(t, out, in, got)
	lost := slices.Sorted(slices.Values(call.Lost))
	if strings.Join(lost, "\n") != strings.Join(want.Lost, "\n") {
		t.Errorf("lost %q, want %q", lost, want.Lost)
		c.update(t, out.Name()+".via."+in.Name()+".want.json", map[string]any{"lost": lost})
	}
	for range 3 { // A17
		again, err := out.EncodeRequest(c.call(t, out, r.Stream), p)
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("the same prompt gave other bytes: %v\n%s\n%s", err, got, again)
		}
	}
}

// wantRefused checks a refusal before anything is sent.
func wantRefused(t *testing.T, err error, want expect) {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) || want.Refused == "" || e.Param != want.Refused || e.HTTPStatus() != http.StatusBadRequest {
		t.Fatalf("refused with %v, want %q", err, want.Refused)
	}
}

// compareRequest compares what the provider would receive.
func (c conversation) compareRequest(t *testing.T, out llm.Outbound, in llm.Inbound, got []byte) {
	t.Helper()
	name := out.Name() + ".received.json"
	if !c.has(name) {
		name = out.Name() + ".request.json"
	}
	want, via := c.read(t, name), out.Name()+".via."+in.Name()+".received.json"
	if c.has(via) {
		want = mergeText(t, want, c.read(t, via))
	}
	if diff := diffJSON(got, want); diff != "" {
		t.Errorf("request to the provider is not %s\n%s", name, diff)
		c.updateRequest(t, c.read(t, name), got, via)
	}
}

// back follows a provider's answer to the client, and reads it there.
func back(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound, name string, stream bool) {
	reader, ok := in.(llm.Outbound)
	if !ok {
		t.Skip(in.Name() + " cannot read what it writes")
	}
	events := c.events(t, out, name, stream)
	want := c.want(t, out.Name(), in.Name(), out.Name()+".via."+in.Name())
	for _, streamed := range []bool{false, true} {
		r := c.request(t, in)
		r.Stream, r.IncludeUsage = streamed, true
		var sent bytes.Buffer
		if err := in.EncodeResponse(&sent, r, watched(t, events, &sent, streamed)); err != nil {
			t.Fatalf("EncodeResponse(stream %v): %v", streamed, err)
		}
		again := Collect(t, reader.DecodeResponse(c.call(t, reader, streamed), &sent))
		got := Summarize(again)
		got.Opaque, want.Opaque = nil, nil // each dialect wraps these in its own way
		if !compare(t, "read again by the client's dialect", got, want.Summary) {
			c.updateSummary(t, got, out.Name()+".via."+in.Name()+".want.json", out.Name(), in.Name())
		}
	}
}

// refusalBack follows a provider's refusal to the client.
func refusalBack(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound) {
	reader, ok := in.(llm.Outbound)
	if !ok {
		t.Skip(in.Name() + " cannot read what it writes")
	}
	status, kind, body := in.EncodeError(c.refusal(t, out))
	if !strings.HasPrefix(kind, "application/json") || !json.Valid(body) {
		t.Errorf("the error is %s: %s", kind, body)
	}
	e := reader.DecodeError(status, http.Header{"Content-Type": {kind}}, body)
	want := c.want(t, out.Name(), out.Name()+".via."+in.Name())
	want.Error.RetryAfter = int(e.RetryAfter.Seconds()) // a header, which is passed on
	want.Error.Code = e.Code                            // each dialect has its own words
	if e.Param == "" {
		want.Error.Param = "" // not every dialect can name the field
	}
	c.compareError(t, e, want)
}

// brokenBack follows a stream that does not end as it should.
func brokenBack(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound, name string) {
	reader, ok := in.(llm.Outbound)
	if !ok {
		t.Skip(in.Name() + " cannot read what it writes")
	}
	events, end := c.brokenEvents(t, out, name)
	failing := func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		yield(llm.Event{}, end)
	}
	r := c.request(t, in)
	var sent bytes.Buffer
	r.Stream = false
	if err := in.EncodeResponse(&sent, r, failing); !errors.Is(err, end) || sent.Len() > 0 {
		t.Errorf("a whole answer that broke: %v, and %d bytes were written", err, sent.Len())
	}
	r.Stream, r.IncludeUsage = true, true
	if err := in.EncodeResponse(&sent, r, failing); !errors.Is(err, end) {
		t.Errorf("EncodeResponse returned %v, want %v", err, end)
	}
	again, err := Gather(t, reader.DecodeResponse(c.call(t, reader, true), &sent))
	if err == nil {
		t.Fatalf("the client takes it for a whole answer: %d events", len(again))
	}
	want := c.want(t, out.Name(), in.Name(), out.Name()+".via."+in.Name())
	got := Summarize(again)
	got.Opaque, want.Opaque = nil, nil
	compare(t, "read again by the client's dialect", got, want.Summary)
	if want.Error == nil || !strings.Contains(err.Message, want.Error.Message) || err.Kind == llm.Garbage {
		t.Errorf("the client reads %s: %s, want %+v", err.Kind, err.Message, want.Error)
	}
}

// watched yields events and checks that each piece of text has been written
// before the next event is asked for.
func watched(t *testing.T, events []llm.Event, sent *bytes.Buffer, stream bool) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			before := sent.Len()
			if !yield(e, nil) {
				return
			}
			prompt := e.Kind == llm.Delta && e.Text != "" && (e.Block == llm.Text || e.Block == llm.Thinking)
			if stream && prompt && sent.Len() == before {
				t.Errorf("nothing was written for %+v before the next event", e)
			}
		}
	}
}

// request is what in's client sends.
func (c conversation) request(t *testing.T, in llm.Inbound) *llm.Request {
	t.Helper()
	body := c.read(t, in.Name()+".request.json")
	path, version, query := c.path(t, in)
	peek, err := in.Peek(httptest.NewRequest(http.MethodPost, (&url.URL{Path: version + path, RawQuery: query}).String(), bytes.NewReader(body)), body)
	if err != nil {
		t.Fatalf("Peek: %v", err)
	}
	return &llm.Request{ID: "req-1", Inbound: in, Path: path, Query: query, Raw: body, Peek: peek}
}

// path is where in's client sends it.
func (c conversation) path(t *testing.T, in llm.Inbound) (path, version, query string) {
	t.Helper()
	switch in.Name() {
	case "gemini":
		var asked struct{ Stream bool }
		if c.has("chat.request.json") {
			if err := json.Unmarshal(c.read(t, "chat.request.json"), &asked); err != nil {
				t.Fatal(err)
			}
		}
		if asked.Stream {
			return "/models/" + Model + ":streamGenerateContent", "/v1beta", "alt=sse"
		}
		return "/models/" + Model + ":generateContent", "/v1beta", ""
	case "ollama":
		return "/api/chat", "", ""
	default:
		return in.Patterns()[0].Path, "/v1", ""
	}
}

func (c conversation) call(t *testing.T, out llm.Outbound, stream bool) *llm.Call {
	t.Helper()
	w := c.want(t, out.Name())
	return &llm.Call{Model: llm.Model{Provider: "test", Name: Model, MaxOutput: w.MaxOutput, Flags: w.Flags}, Stream: stream}
}

func compare(t *testing.T, what string, got, want Summary) bool {
	t.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := diffJSON(g, w); diff != "" {
		t.Errorf("%s\n%s", what, diff)
		return false
	}
	return true
}
