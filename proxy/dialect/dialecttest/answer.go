package dialecttest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/iotest"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// answer reads a provider's answer in every way that it may arrive.
func answer(t *testing.T, c conversation, out llm.Outbound, name string, stream bool) {
	body := c.read(t, name)
	want := c.want(t, out.Name())
	events := c.events(t, out, name, stream)
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
}

// events are those of an answer that comes frame by frame.
func (c conversation) events(t *testing.T, out llm.Outbound, name string, stream bool) []llm.Event {
	t.Helper()
	return Collect(t, out.DecodeResponse(c.call(t, out, stream), &stepReader{frames: frames(out, stream, c.read(t, name))}))
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
	got, verdicts := Weigh(t, out, c.call(t, out, stream), body)
	last := 0
	for _, v := range verdicts {
		if v == llm.Last {
			last++
		}
	}
	if stream && last != 1 {
		t.Errorf("Tally called %d frames the last one", last)
	}
	if !got.Good || !got.Done || got.Err != nil || got.Why == "" {
		t.Errorf("Tally: good %v, done %v, error %v, why %q", got.Good, got.Done, got.Err, got.Why)
	}
	if u := usageOf(&got.Usage); !maps.Equal(u, want.Usage) || !got.Usage.Known {
		t.Errorf("Tally: usage %v, want %v", u, want.Usage)
	}
}

// Weigh tallies a body as metering does: a whole answer, or the frames of a
// stream. The verdicts are those of its frames.
func Weigh(t testing.TB, out llm.Outbound, c *llm.Call, body []byte) (sum llm.Tally, verdicts []llm.Verdict) {
	t.Helper()
	if !c.Stream {
		return sum, []llm.Verdict{out.Tally(c, &sum, body)}
	}
	framing := sse.Events
	if out.Framing(&llm.Call{}) == llm.NDJSON {
		framing = sse.Lines
	}
	for f, err := range sse.Frames(bytes.NewReader(body), framing) {
		if err != nil {
			t.Fatal(err)
		}
		verdicts = append(verdicts, out.Tally(c, &sum, f.Data))
	}
	return sum, verdicts
}

// cut ends the stream after each of its frames, and in the middle of it.
func cut(t *testing.T, c conversation, out llm.Outbound) {
	body := c.read(t, c.stream(out, "answer"))
	want := c.want(t, out.Name())
	all := frames(out, true, body)
	for k := range all {
		whole := bytes.Join(all[:k], nil)
		for _, b := range [][]byte{whole, append(slices.Clone(whole), all[k][:len(all[k])/2]...)} {
			events, err := Gather(t, out.DecodeResponse(c.call(t, out, true), bytes.NewReader(b)))
			switch {
			case err == nil:
				got := Summarize(events)
				got.Usage, got.Opaque = want.Usage, want.Opaque
				compare(t, "a stream that was cut and still called complete", got, want.Summary)
			case err.Kind != llm.Cut && err.Kind != llm.Garbage:
				t.Errorf("cut after %d bytes: %v, want kind cut", len(b), err)
			}
		}
	}
}

// refused is D.error.json: a refusal as it came.
type refused struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"`
	Body   json.RawMessage   `json:"body"`
}

// refusal decodes a provider's refusal.
func refusal(t *testing.T, c conversation, out llm.Outbound) {
	c.compareError(t, c.refusal(t, out), c.want(t, out.Name()))
}

func (c conversation) refusal(t *testing.T, out llm.Outbound) *llm.Error {
	t.Helper()
	var r refused
	if err := json.Unmarshal(c.read(t, out.Name()+".error.json"), &r); err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Content-Type": {"application/json"}}
	for k, v := range r.Header {
		h.Set(k, v)
	}
	return out.DecodeError(r.Status, h, r.Body)
}

// broken reads a stream that does not end as it should: what came before the
// end is there, and the error says why.
func broken(t *testing.T, c conversation, out llm.Outbound, name string) {
	want := c.want(t, out.Name())
	events, err := c.brokenEvents(t, out, name)
	got := Summarize(events)
	got.Opaque, want.Opaque = nil, nil // a block that was cut has none
	compare(t, "events", got, want.Summary)
	c.compareError(t, err, want)
	sum, _ := Weigh(t, out, c.call(t, out, true), c.read(t, name))
	failed := sum.Err != nil
	if cut := want.Error.Kind == llm.Cut; sum.Done && !failed || failed == cut {
		t.Errorf("Tally: done %v, error %v", sum.Done, sum.Err)
	}
}

func (c conversation) brokenEvents(t *testing.T, out llm.Outbound, name string) ([]llm.Event, *llm.Error) {
	t.Helper()
	events, err := Gather(t, out.DecodeResponse(c.call(t, out, true), &stepReader{frames: frames(out, true, c.read(t, name))}))
	if err == nil {
		t.Fatalf("a stream without its end was called complete: %d events", len(events))
	}
	return events, err
}

// compareError compares an error with that of the want files.
func (c conversation) compareError(t *testing.T, e *llm.Error, want expect) {
	t.Helper()
	if want.Error == nil {
		t.Fatalf("the want files of %s tell no error; got %+v", c.name, e)
	}
	got := failure{
		Status: e.HTTPStatus(), Kind: e.Kind, Message: e.Message, Code: e.Code, Param: e.Param,
		RetryAfter: int(e.RetryAfter.Seconds()),
	}
	if want.Error.Status == 0 {
		got.Status = 0 // of a stream, which has begun with a 200
	}
	if want.Error.Kind == llm.Cut {
		got.Message = "" // nobody's words but our own
	}
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want.Error)
	if diff := diffJSON(g, w); diff != "" {
		t.Errorf("error\n%s", diff)
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
