package upstream

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

// Promise 2: the bytes are the provider's, however they arrive (J2).
func TestBytesAreTheProviders(t *testing.T) {
	words := proxytest.Parts(proxytest.Text("héllo ", "日本 ", "🎉", " and\nso \"on\""))
	for name, s := range map[string]proxytest.Script{
		"as it is":    {Parts: words},
		"at once":     {Parts: words, Regroup: proxytest.AtOnce},
		"byte wise":   {Parts: words, Regroup: proxytest.ByBytes(1)},
		"in runes":    {Parts: words, Regroup: proxytest.InRunes},
		"pings, CRLF": {Parts: words, Ping: 1, CRLF: true},
		"tight":       {Parts: words, Tight: true},
		"text/plain":  {Parts: words, Fault: proxytest.FaultType},
		"every usage": {Parts: words, ChatUsage: proxytest.UsageEvery},
		"no usage":    {Parts: words, NoUsage: true},
		"large":       {Parts: words, Fault: proxytest.FaultLarge, Size: 300 << 10},
	} {
		for reader, read := range readers {
			for _, stream := range []bool{false, true} {
				r := request(t, stream)
				want := direct(t, s, r)
				if stream {
					want = withoutUsage(want) // I20: only Keytray asked for it
				}
				l := start(t, s)
				resp := l.good(t, r)
				got, err := read(resp.Body)
				if err != nil || string(got) != want || resp.Stream != stream {
					t.Errorf("%s, %s, stream %v: %v\n got %q\nwant %q", name, reader, stream, err, got, want)
				}
				if row := l.book.only(t); row.Outcome != llm.OK || row.Tally.Usage.Known != (name != "no usage") {
					t.Errorf("%s, stream %v: row %+v", name, stream, row)
				}
			}
		}
	}
}

// A client that asked for the usage gets its frame.
func TestUsageThatTheClientAskedForStays(t *testing.T) {
	r := requestOf(t, `{"model":"asked","messages":[],"stream":true,"stream_options":{"include_usage":true}}`)
	l := start(t)
	got, err := readers["Read"](l.good(t, r).Body)
	if want := direct(t, proxytest.Script{}, r); err != nil || string(got) != want || !strings.Contains(want, `"choices":[]`) {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
}

// The row is committed before the client sees the end; nothing else waits for it.
func TestTheLastFrameWaitsForTheRow(t *testing.T) {
	for reader := range readers {
		t.Run(reader, func(t *testing.T) {
			l := start(t)
			finishing, commit := make(chan struct{}), make(chan struct{})
			l.book.onFinish = func(*llm.Attempt) { close(finishing); <-commit }
			r := request(t, true)
			want := withoutUsage(direct(t, proxytest.Script{}, r))
			resp := l.good(t, r)
			out := &watched{}
			done := make(chan error, 1)
			go func() {
				var err error
				if reader == "WriteTo" {
					_, err = resp.Body.(io.WriterTo).WriteTo(out)
				} else {
					_, err = io.Copy(out, struct{ io.Reader }{resp.Body})
				}
				done <- err
			}()
			<-finishing
			if got := out.String(); got+"data: [DONE]\n\n" != want {
				t.Errorf("before the commit the client has %q of %q", got, want)
			}
			close(commit)
			if err := <-done; err != nil || out.String() != want {
				t.Errorf("%v, %q", err, out.String())
			}
		})
	}
}

// watched is a buffer that may be looked at while it fills.
type watched struct {
	mu  sync.Mutex
	out strings.Builder
}

func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(b)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.String()
}

// A whole answer is committed before any of it is delivered, and so is a
// stream whose end comes with its beginning before that end is.
func TestAWholeAnswerWaitsForTheRow(t *testing.T) {
	l := start(t)
	finishing, commit := make(chan struct{}), make(chan struct{})
	l.book.onFinish = func(*llm.Attempt) { close(finishing); <-commit }
	did := make(chan error, 1)
	r := request(t, false)
	go func() {
		resp, err := l.Do(context.WithoutCancel(t.Context()), r)
		if err == nil {
			err = resp.Body.Close()
		}
		did <- err
	}()
	<-finishing
	select {
	case err := <-did:
		t.Fatalf("delivered before the row was committed (%v)", err)
	default:
	}
	close(commit)
	if err := <-did; err != nil {
		t.Fatal(err)
	}
}

// J10: each frame comes out before the provider sends the next.
func TestNoFrameWaitsForTheNext(t *testing.T) {
	step := make(chan struct{})
	l := start(t, proxytest.Script{Parts: proxytest.Parts(proxytest.Text("one ", "two ", "three ")), Step: step})
	answered := make(chan *llm.Response, 1)
	r := request(t, true)
	go func() {
		resp, err := l.Do(context.WithoutCancel(t.Context()), r)
		if err != nil {
			t.Error(err)
		}
		answered <- resp
	}()
	step <- struct{}{} // the first frame alone begins the answer
	resp := <-answered
	if resp == nil {
		t.FailNow()
	}
	defer resp.Body.Close()
	buf, got := make([]byte, 4<<10), ""
	for _, word := range []string{`"role"`, "one ", "two ", "three "} {
		for !strings.Contains(got, word) {
			n, err := resp.Body.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got += string(buf[:n])
		}
		if word != "three " {
			step <- struct{}{}
		}
	}
	if len(l.book.rows(t)) != 0 {
		t.Error("the row ended before the answer")
	}
	close(step)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	if row := l.book.only(t); row.Outcome != llm.OK || row.FirstByte.After(row.End) {
		t.Errorf("row %+v", row)
	}
}

// An error inside a stream is the provider's own frame, without the key in it,
// and the row says so however the stream ends.
func TestAnErrorInMidStream(t *testing.T) {
	fail := &proxytest.Fail{Status: 500, Message: "it broke"}
	for name, s := range map[string]proxytest.Script{
		"then the end":  {Fault: proxytest.FaultError, After: 3, Fail: fail},
		"then [DONE]":   errorThenDone,
		"with the key":  {Fault: proxytest.FaultError, After: 3, Fail: &proxytest.Fail{Status: 500, EchoKey: true}},
		"translated":    {Fault: proxytest.FaultError, After: 3, Fail: &proxytest.Fail{Status: 500, EchoKey: true}},
		"in many lines": raw("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hel\"}}]}\n\n", "data: {\"error\":{\"message\":\ndata: \"no "+canary+"\"}}\n\n"),
	} {
		t.Run(name, func(t *testing.T) {
			step := make(chan struct{}, 1)
			s.Step = step
			l := start(t, s)
			r := request(t, true)
			var got string
			var err error
			if name == "translated" {
				r.Inbound = other{}
			}
			step <- struct{}{} // the first frame alone begins the answer
			resp := l.good(t, r)
			close(step)
			if name == "translated" {
				var out strings.Builder
				err = other{}.EncodeResponse(&out, r, resp.Events())
				got = out.String()
				_ = resp.Body.Close()
			} else {
				var b []byte
				b, err = readers["Read"](resp.Body)
				got = string(b)
			}
			if left := name == "in many lines"; !left && !strings.Contains(got, `{"error":`) || left && strings.Contains(got, "error") {
				t.Errorf("got %q", got)
			}
			if clean := name != "translated" && name != "in many lines"; clean != (err == nil) {
				t.Errorf("ended with %v", err)
			}
			row := l.book.only(t)
			if row.Outcome != llm.Failed || row.Err.Kind != llm.ServerError {
				t.Errorf("row %+v, %v", row.Outcome, row.Err)
			}
			if strings.Contains(got+row.Err.Message+string(row.Err.Raw), canary) {
				t.Errorf("the key is in %q, %q or %q", got, row.Err.Message, row.Err.Raw)
			}
		})
	}
}

// A cut answer never ends cleanly, whoever reads it.
func TestACutStream(t *testing.T) {
	for _, fault := range []proxytest.Fault{proxytest.FaultCut, proxytest.FaultFin} {
		for reader, read := range readers {
			l := start(t, proxytest.Script{Fault: fault, After: 3, Regroup: proxytest.AtOnce})
			got, err := read(l.good(t, request(t, true)).Body)
			if e := (*llm.Error)(nil); !errors.As(err, &e) || e.Kind != llm.Cut || !strings.Contains(string(got), "Hello") {
				t.Errorf("%s, %s: %q, %v", fault, reader, got, err)
			}
			row := l.book.only(t)
			if row.Outcome != llm.Broken || row.Tally.Text == 0 || row.Tally.Done {
				t.Errorf("%s, %s: row %+v", fault, reader, row)
			}
		}
	}
}

// What its reader cannot understand is not the client's doing.
func TestFailSaysWhyTheRowEnded(t *testing.T) {
	l := start(t, proxytest.Script{Fault: proxytest.FaultGarbage, After: 2})
	r := request(t, true)
	r.Inbound = other{}
	resp := l.good(t, r)
	err := other{}.EncodeResponse(io.Discard, r, resp.Events())
	if err == nil {
		t.Fatal("garbage was translated")
	}
	resp.Body.(interface{ Fail(error) }).Fail(err)
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if row := l.book.only(t); row.Outcome != llm.Failed || row.Err.Kind != llm.Garbage {
		t.Errorf("row %s, %v", row.Outcome, row.Err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("an answer that failed ended cleanly")
	}
}

// What was asked for and what comes may differ; what comes decides.
func TestStreamOrWholeIsTheProvidersChoice(t *testing.T) {
	whole := direct(t, proxytest.Script{}, request(t, false))
	streamed := direct(t, proxytest.Script{}, request(t, true))
	l := start(t, proxytest.Script{Raw: &proxytest.Raw{Header: map[string][]string{"Content-Type": {"application/json"}}, Pieces: [][]byte{[]byte(whole)}}})
	if resp := l.good(t, request(t, true)); resp.Stream || resp.Call.Stream || l.book.only(t).Outcome != llm.OK {
		t.Errorf("a whole answer to a stream: %+v", resp)
	}
	l = start(t, raw(streamed))
	resp := l.good(t, request(t, false))
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || !resp.Stream || !resp.Call.Stream || l.book.only(t).Outcome != llm.OK {
		t.Errorf("a stream to a whole request: %+v %v", resp, err)
	}
}

// A whole answer that must be translated is decoded before it counts as good.
func TestTranslatedWholeIsDecodedFirst(t *testing.T) {
	l := start(t)
	r := request(t, false)
	r.Inbound = other{}
	resp := l.good(t, r)
	if len(resp.Decoded) == 0 || resp.Decoded[0].Kind != llm.Start {
		t.Errorf("decoded %+v", resp.Decoded)
	}
	var out strings.Builder
	if err := (chat.Dialect{}).EncodeResponse(&out, r, resp.Events()); err != nil || !strings.Contains(out.String(), "Hello from the test provider.") {
		t.Errorf("%v %s", err, out.String())
	}
}
