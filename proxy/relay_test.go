package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

const streamed = `{"model":"m","messages":[],"stream":true}`

// plain is a ResponseWriter that notes each write and flush.
type plain struct {
	header http.Header
	status int
	log    []string
	broken bool
}

func (p *plain) Header() http.Header { return p.header }

func (p *plain) WriteHeader(status int) { p.status = status }

func (p *plain) Write(b []byte) (int, error) {
	if p.broken {
		return 0, errors.New("broken pipe")
	}
	p.log = append(p.log, string(b))
	return len(b), nil
}

func (p *plain) FlushError() error { p.log = append(p.log, "flush"); return nil }

// post sends a good call to the handler, and tells whether it aborted.
func post(h *Handler, w http.ResponseWriter, body string) (aborted bool) {
	r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body))
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer kt-good")
	defer func() {
		if p := recover(); p == http.ErrAbortHandler {
			aborted = true
		} else if p != nil {
			panic(p)
		}
	}()
	h.ServeHTTP(w, r)
	return false
}

func gives(resp *llm.Response) *desk {
	return &desk{do: func(context.Context, *llm.Request) (*llm.Response, error) { return resp, nil }}
}

func TestHeadersOfAnAnswer(t *testing.T) {
	resp := whole(`{"a":1}`)
	resp.Target, resp.Attempts = "lab/mé\r\nX-Evil: 1", 3
	resp.Call.Lost = []string{"logit_bias", "temperature: \"none\"\r\nSet-Cookie: a=1", strings.Repeat("é", 3000)}
	for k, v := range map[string]string{
		"Retry-After": "7", "Retry-After-Ms": "70", "X-Request-Id": "req", "Request-Id": "req2", "X-Should-Retry": "false",
		"X-Ratelimit-Remaining-Requests": "9", "Anthropic-Ratelimit-Tokens-Limit": "5", "Openai-Processing-Ms": "4",
		"Set-Cookie": "a=1", "Access-Control-Allow-Origin": "*", "Connection": "close", "Transfer-Encoding": "chunked", "Content-Encoding": "gzip",
		"Server": "x", "Date": "x", "Content-Length": "99", "Strict-Transport-Security": "x", "Alt-Svc": "x", "Keytray-Target": "fake", "Cf-Ray": "x",
	} {
		resp.Header.Set(k, v)
	}
	h, _ := door(gives(resp))
	w := call(h, "POST", "/v1/chat/completions", hello)
	want := http.Header{
		"Retry-After": {"7"}, "Retry-After-Ms": {"70"}, "X-Request-Id": {"req"}, "Request-Id": {"req2"}, "X-Should-Retry": {"false"},
		"X-Ratelimit-Remaining-Requests": {"9"}, "Anthropic-Ratelimit-Tokens-Limit": {"5"}, "Openai-Processing-Ms": {"4"},
		"Content-Type": {"application/json"}, "Content-Length": {"7"}, "Keytray-Attempts": {"3"}, "Keytray-Target": {"lab/m???X-Evil: 1"},
	}
	got := w.Header()
	lost := got.Get("Keytray-Lost")
	if !strings.HasPrefix(lost, `logit_bias; temperature: "none"??Set-Cookie: a=1; ???`) || len(lost) > 2000 || strings.ContainsFunc(lost, func(r rune) bool { return r < ' ' || r > '~' }) {
		t.Errorf("Keytray-Lost %q", lost)
	}
	got.Del("Keytray-Lost")
	got.Del("Keytray-Request-Id")
	for k := range got {
		if !slices.Equal(got[k], want[k]) {
			t.Errorf("%s: %q, want %q", k, got[k], want[k])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%v", got)
	}
	if resp.Body.(*body).closed == 0 {
		t.Error("the body was not closed")
	}
}

// Bytes go through as they come, each read flushed.
func TestCopyStream(t *testing.T) {
	src := &steps{pieces: []string{"data: one\n\ndata: two\n\n", "data: three\n\n"}, err: io.EOF}
	resp := answer(src, true)
	resp.Header.Set("Content-Type", "text/event-stream; charset=utf-8")
	h, _ := door(gives(resp))
	w := &plain{header: http.Header{}}
	if post(h, w, streamed) {
		t.Error("aborted")
	}
	if want := []string{src.pieces[0], "flush", src.pieces[1], "flush"}; !slices.Equal(w.log, want) {
		t.Errorf("%q, want %q", w.log, want)
	}
	if w.status != 200 || w.header.Get("Content-Type") != "text/event-stream; charset=utf-8" || w.header["Content-Length"] != nil {
		t.Errorf("%d %v", w.status, w.header)
	}
	resp = answer(strings.NewReader("data: x\n\n"), true)
	resp.Header = nil
	h, _ = door(gives(resp))
	rec := call(h, "POST", "/v1/chat/completions", streamed)
	if rec.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("content type %q where the provider gave none", rec.Header().Get("Content-Type"))
	}
}

// A byte copy that is cut off never ends cleanly.
func TestACutCopyAborts(t *testing.T) {
	cut := &llm.Error{Kind: llm.Cut, Message: "cut"}
	for name, stream := range map[string]bool{"stream": true, "whole": false} {
		resp := answer(&steps{pieces: []string{"data: one\n\n"}, err: cut}, stream)
		h, _ := door(gives(resp))
		body := hello
		if stream {
			body = streamed
		}
		if !post(h, &plain{header: http.Header{}}, body) {
			t.Errorf("%s: ended cleanly", name)
		}
	}
	resp := answer(&steps{pieces: []string{"data: one\n\n"}, err: cut}, true)
	h, _ := door(gives(resp))
	server := httptest.NewServer(h)
	defer server.Close()
	req, err := http.NewRequest("POST", server.URL+"/v1/chat/completions", strings.NewReader(streamed))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer kt-good")
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	if string(b) != "data: one\n\n" || err == nil || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the client got %q, %v", b, err)
	}
}

// A client that is gone is nobody's error.
func TestAClientThatIsGone(t *testing.T) {
	for _, name := range []string{"chat", "far"} {
		src := &steps{pieces: []string{"data: one\n\n", "data: two\n\n"}, err: io.EOF}
		resp := answer(src, true)
		resp.Outbound, resp.Copied = wire{name: name, decode: eventPerRead}, name == "chat"
		h, log := door(gives(resp))
		if post(h, &plain{header: http.Header{}, broken: true}, streamed) {
			t.Errorf("%s: aborted", name)
		}
		if b := resp.Body; name == "chat" && b.(*body).failed != nil || log.Len() > 0 {
			t.Errorf("%s: %s", name, log)
		}
	}
}

// eventPerRead makes a frame's worth of text of each line read.
func eventPerRead(in io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		say := func(e llm.Event) bool { return yield(e, nil) }
		if !say(llm.Event{Kind: llm.Start}) || !say(llm.Event{Kind: llm.BlockStart, Block: llm.Text}) {
			return
		}
		buf := make([]byte, 1<<10)
		for {
			n, err := in.Read(buf)
			for _, word := range strings.Fields(string(buf[:n])) {
				if !say(llm.Event{Kind: llm.Delta, Block: llm.Text, Text: word}) {
					return
				}
			}
			switch {
			case err == io.EOF:
				_ = say(llm.Event{Kind: llm.BlockStop, Block: llm.Text}) && say(llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: &llm.Usage{}})
				return
			case err != nil:
				yield(llm.Event{}, err)
				return
			}
		}
	}
}

// A translated stream is flushed before each read of the provider's, and never
// between what came with one read.
func TestTranslatedStreamFlushes(t *testing.T) {
	w := &plain{header: http.Header{}}
	src := &steps{pieces: []string{"one two three", "four", "five six"}, err: io.EOF}
	src.before = func(piece int) {
		if piece == 0 {
			return // nothing but the beginning can have been said
		}
		got := strings.Join(w.log, "")
		last := strings.Fields(src.pieces[piece-1])
		if !strings.HasSuffix(got, "flush") || !strings.Contains(got, last[len(last)-1]) {
			t.Errorf("before read %d the client has %q", piece, got)
		}
	}
	resp := answer(src, true)
	resp.Outbound, resp.Copied = wire{name: "far", decode: eventPerRead}, false
	h, _ := door(gives(resp))
	if post(h, w, streamed) {
		t.Error("aborted")
	}
	flushes := 0
	for i, s := range w.log {
		if s == "flush" {
			flushes++
			if i == 0 || w.log[i-1] == "flush" {
				t.Error("an empty flush")
			}
		}
	}
	if flushes != 5 || len(w.log) != 10 { // the beginning, three reads, the end
		t.Errorf("%d flushes in %q", flushes, w.log)
	}
	if w.header.Get("Content-Type") != "text/event-stream" || !strings.HasSuffix(w.log[8], "data: [DONE]\n\n") {
		t.Errorf("%v %q", w.header, w.log[8])
	}
}

// A translated stream that breaks says so in the dialect, and the row hears of it.
func TestATranslatedStreamThatBreaks(t *testing.T) {
	src := &steps{pieces: []string{"one"}, err: &llm.Error{Kind: llm.Garbage, Provider: "lab", Message: "odd frame"}}
	resp := answer(src, true)
	resp.Outbound, resp.Copied = wire{name: "far", decode: eventPerRead}, false
	b := resp.Body.(*body)
	h, log := door(gives(resp))
	w := call(h, "POST", "/v1/chat/completions", streamed)
	if s := w.Body.String(); !strings.Contains(s, "one") || !strings.Contains(s, `data: {"error":{"message":"lab: odd frame"`) || strings.Contains(s, "[DONE]") {
		t.Errorf("%s", s)
	}
	if b.failed == nil || b.closed == 0 || !strings.Contains(log.String(), "cut off") {
		t.Errorf("failed %v, closed %d, log %s", b.failed, b.closed, log)
	}
}

// A translated whole answer is written only if all of it could be.
func TestTranslatedWhole(t *testing.T) {
	resp := answer(&steps{pieces: []string{"one two"}, err: io.EOF}, true) // a stream, where a whole answer was asked for
	resp.Outbound, resp.Copied = wire{name: "far", decode: eventPerRead}, false
	h, _ := door(gives(resp))
	w := call(h, "POST", "/v1/chat/completions", hello)
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"onetwo"`) || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Length") == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	resp = answer(&steps{pieces: []string{"one"}, err: &llm.Error{Kind: llm.Cut, Message: "cut"}}, true)
	resp.Outbound, resp.Copied = wire{name: "far", decode: eventPerRead}, false
	b := resp.Body.(*body)
	h, _ = door(gives(resp))
	w = call(h, "POST", "/v1/chat/completions", hello)
	if message, _ := problem(t, w); w.Code != 502 || message != "cut" || b.failed == nil {
		t.Errorf("%d %s, failed %v", w.Code, w.Body, b.failed)
	}
}

// A fault of Keytray's in mid-answer cuts the connection.
func TestPanicInMidAnswer(t *testing.T) {
	src := &steps{pieces: []string{"data: one\n\n", "data: two\n\n"}, err: io.EOF, before: func(piece int) {
		if piece == 1 {
			panic("in the middle")
		}
	}}
	resp := answer(src, true)
	h, log := door(gives(resp))
	w := &plain{header: http.Header{}}
	if !post(h, w, streamed) {
		t.Errorf("ended cleanly after %q", w.log)
	}
	if resp.Body.(*body).closed == 0 || !strings.Contains(log.String(), "failed inside Keytray") {
		t.Errorf("closed %d, log %s", resp.Body.(*body).closed, log)
	}
}

// J9: refusals keep their status, and their bytes where the dialect is the client's.
func TestRefusals(t *testing.T) {
	const raw = ` {"error":{"message":"theirs","type":"x","extra":1}} `
	for name, c := range map[string]struct {
		err    *llm.Error
		status int
		raw    bool
		header map[string]string
	}{
		"their own bytes":    {&llm.Error{Status: 429, Kind: llm.RateLimited, Outbound: "chat", Raw: []byte(raw), Message: "m", Header: http.Header{"Retry-After": {"3"}, "Set-Cookie": {"a"}}}, 429, true, map[string]string{"Retry-After": "3", "Set-Cookie": ""}},
		"another dialect":    {&llm.Error{Status: 529, Kind: llm.Overloaded, Outbound: "messages", Raw: []byte(raw), Message: "m"}, 529, false, nil},
		"a web page":         {&llm.Error{Status: 502, Kind: llm.ServerError, Outbound: "chat", Raw: []byte("<html>"), Message: "m"}, 502, false, nil},
		"an empty body":      {&llm.Error{Status: 503, Kind: llm.ServerError, Outbound: "chat", Raw: []byte{}, Message: "m"}, 503, false, nil},
		"a wait in its body": {&llm.Error{Status: 429, Kind: llm.RateLimited, RetryAfter: 1500 * time.Millisecond, Message: "m"}, 429, false, map[string]string{"Retry-After": "2"}},
		"a 200 with it":      {&llm.Error{Status: 200, Kind: llm.ServerError, Outbound: "chat", Raw: []byte(raw), Message: "m"}, 502, true, nil},
		"a cancelled call":   {&llm.Error{Kind: llm.Canceled, Message: "m"}, 499, false, nil},
		"Keytray's own":      {&llm.Error{Kind: llm.Internal, Message: "m"}, 500, false, nil},
	} {
		d := &desk{do: func(_ context.Context, r *llm.Request) (*llm.Response, error) { r.NextAttempt(); return nil, c.err }}
		h, log := door(d)
		w := call(h, "POST", "/v1/chat/completions", hello)
		if w.Code != c.status || w.Header().Get("Keytray-Attempts") != "2" {
			t.Errorf("%s: %d, %v", name, w.Code, w.Header())
		}
		if c.raw != (w.Body.String() == raw) {
			t.Errorf("%s: %s", name, w.Body)
		}
		if message, _ := problem(t, w); !c.raw && message != "m" {
			t.Errorf("%s: %s", name, w.Body)
		}
		for k, v := range c.header {
			if w.Header().Get(k) != v {
				t.Errorf("%s: %s is %q, want %q", name, k, w.Header().Get(k), v)
			}
		}
		if (log.Len() > 0) != (c.err.Kind == llm.Internal) {
			t.Errorf("%s: log %s", name, log)
		}
	}
}
