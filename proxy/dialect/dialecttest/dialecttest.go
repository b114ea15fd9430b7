// Package dialecttest is the contract that every dialect passes: the
// conversations of ../testdata, each in every dialect's form, go through the
// dialect and come out the same.
//
// A dialect's test is one call of [Run]. A conversation is a folder with
//
//	D.request.json   what a client of dialect D sends
//	D.received.json  what a provider of dialect D must receive, if that differs
//	D.via.I.received.json  what differs more when I's client asks: a merge patch
//	D.answer.json    the provider's whole answer
//	D.answer.sse     the same answer streamed (.ndjson where lines are frames)
//	want.json        what the answer says, in neutral terms: a [Summary]
//	D.want.json      what differs from want.json when D answers: a merge patch
//	D.via.I.want.json  what differs more when I's client asks D's provider
//
// The want files may also say which Flags and MaxOutput the model has, and
// which fields are Lost on the way out. A dialect without files in a
// conversation skips it.
package dialecttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Model is the name of the model in every conversation.
const Model = "test-model"

// Run tests out against every conversation that has its files. Requests come
// from clients of in, and answers go back to them; if in is an llm.Outbound
// too, what it wrote is read again and compared.
//
// It must be called from a package folder beside testdata.
func Run(t *testing.T, out llm.Outbound, in llm.Inbound) {
	for _, c := range conversations(t) {
		t.Run(c.name, func(t *testing.T) {
			if c.has(in.Name() + ".request.json") {
				if c.has(out.Name()+".received.json") || c.has(out.Name()+".request.json") {
					t.Run("request", func(t *testing.T) { request(t, c, out, in) })
				}
			}
			if c.has(out.Name() + ".answer.json") {
				t.Run("whole", func(t *testing.T) { answer(t, c, out, in, false) })
			}
			if c.has(c.stream(out)) {
				t.Run("stream", func(t *testing.T) {
					answer(t, c, out, in, true)
					t.Run("cut", func(t *testing.T) { cut(t, c, out) })
				})
			}
		})
	}
}

// request follows a client's body to the provider's.
func request(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound) {
	want := c.want(t, out.Name(), out.Name()+".via."+in.Name())
	r := c.request(t, in)
	p, err := in.DecodeRequest(r)
	if err != nil {
		t.Fatalf("DecodeRequest: %v", err)
	}
	call := c.call(t, out, r.Stream)
	got, err := out.EncodeRequest(call, p)
	if err != nil {
		t.Fatalf("EncodeRequest: %v", err)
	}
	name := out.Name() + ".received.json"
	if !c.has(name) {
		name = out.Name() + ".request.json"
	}
	body := c.read(t, name)
	if via := out.Name() + ".via." + in.Name() + ".received.json"; c.has(via) {
		body = mergeText(t, body, c.read(t, via))
	}
	if diff := diffJSON(got, body); diff != "" {
		t.Errorf("request to the provider is not %s\n%s", name, diff)
	}
	lost := slices.Clone(call.Lost)
	slices.Sort(lost)
	if strings.Join(lost, "\n") != strings.Join(want.Lost, "\n") {
		t.Errorf("lost %q, want %q", lost, want.Lost)
	}
	for range 3 { // A17
		again, err := out.EncodeRequest(c.call(t, out, r.Stream), p)
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("the same prompt gave other bytes: %v\n%s\n%s", err, got, again)
		}
	}
}

// answer follows a provider's answer to the client, and back.
func answer(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound, stream bool) {
	name := out.Name() + ".answer.json"
	if stream {
		name = c.stream(out)
	}
	body := c.read(t, name)
	want := c.want(t, out.Name())

	events := Collect(t, out.DecodeResponse(c.call(t, out, stream), &stepReader{frames: frames(out, stream, body)}))
	compare(t, "events", Summarize(events), want.Summary)
	slow := Collect(t, out.DecodeResponse(c.call(t, out, stream), iotest.OneByteReader(bytes.NewReader(body)))) // J2
	compare(t, "events read byte by byte", Summarize(slow), want.Summary)
	for _, e := range events {
		if e.Opaque != "" && e.Origin != out.Name()+":test" {
			t.Errorf("opaque data of %q has origin %q", out.Name(), e.Origin)
		}
	}
	if stream {
		unbuffered(t, c, out, body)
	}
	tally(t, c, out, stream, body)

	back, ok := in.(llm.Outbound)
	if !ok {
		return
	}
	want = c.want(t, out.Name(), in.Name(), out.Name()+".via."+in.Name())
	for _, streamed := range []bool{false, true} {
		r := c.request(t, in)
		r.Stream, r.IncludeUsage = streamed, true
		var sent bytes.Buffer
		if err := in.EncodeResponse(&sent, r, watched(t, events, &sent, streamed)); err != nil {
			t.Fatalf("EncodeResponse(stream %v): %v", streamed, err)
		}
		again := Collect(t, back.DecodeResponse(c.call(t, back, streamed), &sent))
		got := Summarize(again)
		got.Opaque, want.Opaque = nil, nil // each dialect wraps these in its own way
		compare(t, "read again by the client's dialect", got, want.Summary)
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

// unbuffered checks that text is yielded before later frames are read.
func unbuffered(t *testing.T, c conversation, out llm.Outbound, body []byte) {
	src := &stepReader{frames: frames(out, true, body)}
	var at []int
	for e, err := range out.DecodeResponse(c.call(t, out, true), src) {
		if err == nil && e.Kind == llm.Delta && e.Text != "" {
			at = append(at, src.next)
		}
	}
	if len(at) > 1 && at[0] == at[len(at)-1] {
		t.Errorf("%d deltas came together after %d frames", len(at), at[0])
	}
}

// tally reads the frames as metering does.
func tally(t *testing.T, c conversation, out llm.Outbound, stream bool, body []byte) {
	want := c.want(t, out.Name())
	call := c.call(t, out, stream)
	var got llm.Tally
	last := 0
	if !stream {
		out.Tally(call, &got, body)
	} else {
		framing := sse.Events
		if out.Framing(&llm.Call{}) == llm.NDJSON {
			framing = sse.Lines
		}
		for f, err := range sse.Frames(bytes.NewReader(body), framing) {
			if err != nil {
				t.Fatal(err)
			}
			if out.Tally(call, &got, f.Data) == llm.Last {
				last++
			}
		}
		if last != 1 {
			t.Errorf("Tally called %d frames the last one", last)
		}
	}
	if !got.Good || !got.Done || got.Err != nil || got.Why == "" {
		t.Errorf("Tally: good %v, done %v, error %v, why %q", got.Good, got.Done, got.Err, got.Why)
	}
	if u := usageOf(&got.Usage); !maps.Equal(u, want.Usage) || !got.Usage.Known {
		t.Errorf("Tally: usage %v, want %v", u, want.Usage)
	}
}

// cut ends the stream after each of its frames, and in the middle of it.
func cut(t *testing.T, c conversation, out llm.Outbound) {
	body := c.read(t, c.stream(out))
	want := c.want(t, out.Name())
	all := frames(out, true, body)
	for k := range all {
		whole := bytes.Join(all[:k], nil)
		for _, b := range [][]byte{whole, append(slices.Clone(whole), all[k][:len(all[k])/2]...)} {
			events, err := gather(t, out.DecodeResponse(c.call(t, out, true), bytes.NewReader(b)))
			var e *llm.Error
			switch {
			case err == nil:
				got := Summarize(events)
				got.Usage, got.Opaque = want.Usage, want.Opaque
				compare(t, "a stream that was cut and still called complete", got, want.Summary)
			case !errors.As(err, &e) || e.Kind != llm.Cut && e.Kind != llm.Garbage:
				t.Errorf("cut after %d bytes: %v, want kind cut", len(b), err)
			}
		}
	}
}

// path is where in's client sends it. A dialect that asks for a stream in its
// path does so where chat.request.json does.
func (c conversation) path(t *testing.T, in llm.Inbound) string {
	if in.Name() != "gemini" {
		return in.Patterns()[0].Path
	}
	var asked struct{ Stream bool }
	if c.has("chat.request.json") {
		if err := json.Unmarshal(c.read(t, "chat.request.json"), &asked); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Stream {
		return "/v1beta/models/" + Model + ":streamGenerateContent?alt=sse"
	}
	return "/v1beta/models/" + Model + ":generateContent"
}

func (c conversation) request(t *testing.T, in llm.Inbound) *llm.Request {
	t.Helper()
	body := c.read(t, in.Name()+".request.json")
	peek, err := in.Peek(httptest.NewRequest("POST", c.path(t, in), nil), body)
	if err != nil {
		t.Fatalf("Peek: %v", err)
	}
	return &llm.Request{ID: "req-1", Inbound: in, Raw: body, Peek: peek}
}

func (c conversation) call(t *testing.T, out llm.Outbound, stream bool) *llm.Call {
	t.Helper()
	w := c.want(t, out.Name())
	return &llm.Call{Model: llm.Model{Provider: "test", Name: Model, MaxOutput: w.MaxOutput, Flags: w.Flags}, Stream: stream}
}

func compare(t *testing.T, what string, got, want Summary) {
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
	}
}

// stepReader hands out one frame for each Read.
type stepReader struct {
	frames [][]byte
	next   int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if r.next == len(r.frames) {
		return 0, io.EOF
	}
	n := copy(p, r.frames[r.next])
	if r.frames[r.next] = r.frames[r.next][n:]; len(r.frames[r.next]) == 0 {
		r.next++
	}
	return n, nil
}
