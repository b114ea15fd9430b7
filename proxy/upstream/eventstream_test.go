package upstream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream/eventstreamapi"

	"keytray/proxy/dialect/converse"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// wrap is one message of an event stream.
func wrap(t testing.TB, kind, name, payload string) []byte {
	t.Helper()
	about := map[string]string{
		eventstreamapi.EventMessageType:     eventstreamapi.EventTypeHeader,
		eventstreamapi.ExceptionMessageType: eventstreamapi.ExceptionTypeHeader,
		eventstreamapi.ErrorMessageType:     eventstreamapi.ErrorCodeHeader,
	}[kind]
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(about, eventstream.StringValue(name))
	m.Headers.Set(eventstreamapi.MessageTypeHeader, eventstream.StringValue(kind))
	if kind == eventstreamapi.ErrorMessageType {
		m.Headers.Set(eventstreamapi.ErrorMessageHeader, eventstream.StringValue("it "+payload))
	}
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func eventOf(t testing.TB, name, payload string) []byte {
	return wrap(t, eventstreamapi.EventMessageType, name, payload)
}

func chunkOf(t testing.TB, inner string) []byte {
	return eventOf(t, "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(inner))+`","p":"abcdef"}`)
}

// answerOf is a whole ConverseStream.
func answerOf(t testing.TB) [][]byte {
	return [][]byte{
		eventOf(t, "messageStart", `{"role":"assistant"}`),
		eventOf(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hi"}}`),
		eventOf(t, "contentBlockStop", `{"contentBlockIndex":0}`),
		eventOf(t, "messageStop", `{"stopReason":"end_turn"}`),
		eventOf(t, "metadata", `{"usage":{"inputTokens":3,"outputTokens":2},"metrics":{}}`),
	}
}

func TestUnwrap(t *testing.T) {
	in := bytes.Join([][]byte{
		eventOf(t, "initial-response", `{}`),
		eventOf(t, "messageStart", "{\"role\":\n\"assistant\"}"),
		chunkOf(t, `{"type":"ping"}`),
		wrap(t, eventstreamapi.ExceptionMessageType, "throttlingException", `{"message":"slow \"down\""}`),
		wrap(t, eventstreamapi.ErrorMessageType, "InternalServerException", "broke"),
	}, nil)
	want := "event: messageStart\ndata: {\"role\": \"assistant\"}\n\n" +
		"event: ping\ndata: {\"type\":\"ping\"}\n\n" +
		`event: error` + "\n" + `data: {"type":"error","error":{"type":"rate_limit_error","message":"slow \"down\"","code":"throttlingException"}}` + "\n\n" +
		`event: error` + "\n" + `data: {"type":"error","error":{"type":"api_error","message":"it broke","code":"InternalServerException"}}` + "\n\n"
	for _, src := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in)), iotest.DataErrReader(bytes.NewReader(in))} {
		got, err := io.ReadAll(newUnwrapper(src))
		if err != nil || string(got) != want {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

func TestUnwrapDamaged(t *testing.T) {
	whole := bytes.Join(answerOf(t), nil)
	ends := map[int]bool{0: true}
	at := 0
	for _, m := range answerOf(t) {
		at += len(m)
		ends[at] = true
	}
	for n := range whole {
		_, err := io.ReadAll(newUnwrapper(bytes.NewReader(whole[:n])))
		if want := map[bool]error{true: nil, false: io.ErrUnexpectedEOF}[ends[n]]; err != want {
			t.Fatalf("cut after %d bytes: %v, want %v", n, err, want)
		}
		bad := bytes.Clone(whole)
		bad[n] ^= 0x20
		if _, err := io.ReadAll(newUnwrapper(bytes.NewReader(bad))); !errors.Is(err, errEventStream) && err != io.ErrUnexpectedEOF {
			t.Fatalf("byte %d was changed: %v", n, err)
		}
	}
	broke := errors.New("reset")
	if _, err := io.ReadAll(newUnwrapper(io.MultiReader(bytes.NewReader(whole[:50]), iotest.ErrReader(broke)))); err != broke {
		t.Errorf("a connection that broke: %v", err)
	}
}

// TestUnwrapOneByOne: each message leaves before the next is read.
func TestUnwrapOneByOne(t *testing.T) {
	var given int
	left := answerOf(t)
	u := newUnwrapper(readerFunc(func(p []byte) (int, error) {
		if len(left) == 0 {
			return 0, io.EOF
		}
		n := copy(p, left[0])
		if left[0] = left[0][n:]; len(left[0]) == 0 {
			left, given = left[1:], given+1
		}
		return n, nil
	}))
	p := make([]byte, 4096)
	for i := range 5 {
		n, err := u.Read(p)
		if err != nil || given != i+1 || bytes.Count(p[:n], []byte("\n\n")) != 1 {
			t.Fatalf("read %d: %v, after %d messages: %s", i, err, given, p[:n])
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestUnwrapRecorded reads real streams of both of Bedrock's kinds.
func TestUnwrapRecorded(t *testing.T) {
	for dir, out := range map[string]llm.Outbound{"bedrock-converse": converse.Dialect{}, "anthropic-messages": messages.Dialect{}} {
		files, _ := filepath.Glob("../../../shared/recorded/" + dir + "/*.eventstream")
		if len(files) == 0 {
			t.Skip("no recorded streams here")
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			c := &llm.Call{Stream: true}
			var last llm.Event
			text := 0
			for e, err := range out.DecodeResponse(c, newUnwrapper(bytes.NewReader(b))) {
				if err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				if last = e; e.Kind == llm.Delta {
					text += len(e.Text)
				}
			}
			if last.Kind != llm.Stop || last.Usage == nil || last.Usage.Output == 0 || text == 0 {
				t.Errorf("%s: %d bytes of text, %+v", f, text, last)
			}
			var tally llm.Tally
			for frame, err := range sse.Frames(newUnwrapper(bytes.NewReader(b)), sse.Events) {
				if err != nil {
					t.Fatal(err)
				}
				out.Tally(c, &tally, frame.Data)
			}
			if !tally.Done || tally.Usage.Output != last.Usage.Output {
				t.Errorf("%s: %+v", f, tally)
			}
		}
	}
}

// bedrock is a leaf of a server that answers with an event stream.
func bedrock(t *testing.T, out llm.Outbound, body []byte) *lab {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", eventStreamType)
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	l := leaf(t, s.URL)
	l.Outbound = out
	return l
}

func TestEventStreamThroughLeaf(t *testing.T) {
	l := bedrock(t, converse.Dialect{}, bytes.Join(answerOf(t), nil))
	resp, err := l.Do(t.Context(), request(t, true))
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for e, err := range resp.Events() {
		if err != nil {
			t.Fatal(err)
		}
		text += e.Text
	}
	resp.Body.Close()
	if row := l.book.only(t); text != "Hi" || row.Outcome != llm.OK || row.Tally.Usage.Input != 3 {
		t.Errorf("%q, row %+v", text, row)
	}
}

func TestEventStreamFailures(t *testing.T) {
	good := answerOf(t)
	for name, c := range map[string]struct {
		body    []byte
		kind    llm.ErrorKind
		outcome llm.Outcome
	}{
		"cut in a message": {bytes.Join(good, nil)[:300], llm.Cut, llm.Broken},
		"cut between":      {bytes.Join(good[:3], nil), llm.Cut, llm.Broken},
		"damaged":          {append(bytes.Join(good[:2], nil), bytes.Repeat([]byte{7}, 64)...), llm.Garbage, llm.Failed},
		"exception first":  {wrap(t, eventstreamapi.ExceptionMessageType, "throttlingException", `{"message":"slow"}`), llm.RateLimited, llm.Failed},
		"exception later":  {append(bytes.Join(good[:2], nil), wrap(t, eventstreamapi.ExceptionMessageType, "modelStreamErrorException", `{"message":"no"}`)...), llm.ServerError, llm.Failed},
	} {
		l := bedrock(t, converse.Dialect{}, c.body)
		resp, err := l.Do(t.Context(), request(t, true))
		if err == nil {
			for _, e := range resp.Events() {
				err = e
			}
			resp.Body.Close()
		}
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != c.kind {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
		if row := l.book.only(t); row.Outcome != c.outcome {
			t.Errorf("%s: the row ended %s", name, row.Outcome)
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	f.Add(bytes.Join(answerOf(f), nil), "x", "{}")
	f.Add(chunkOf(f, `{"type":"message_stop"}`), "chunk", `{"bytes":"e30="}`)
	f.Add(wrap(f, eventstreamapi.ExceptionMessageType, "a", "b"), "", "")
	f.Fuzz(func(t *testing.T, raw []byte, name, payload string) {
		_, err := io.ReadAll(newUnwrapper(bytes.NewReader(raw)))
		if err != nil && !errors.Is(err, errEventStream) && err != io.ErrUnexpectedEOF {
			t.Errorf("%v", err)
		}
		if len(name) > 1000 || name == "chunk" || name == "initial-response" || !json.Valid([]byte(payload)) {
			return
		}
		got, err := io.ReadAll(newUnwrapper(bytes.NewReader(eventOf(t, name, payload))))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for frame, err := range sse.Frames(bytes.NewReader(got), sse.Events) {
			if n++; err != nil || !json.Valid(frame.Data) {
				t.Errorf("%v: %s", err, frame.Data)
			}
		}
		if n != 1 {
			t.Errorf("%d frames of one event: %q", n, got)
		}
	})
}

func BenchmarkUnwrap500(b *testing.B) {
	one := eventOf(b, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":" word and"},"p":"abcdefghijklmnop"}`)
	body := bytes.Repeat(one, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := io.Copy(io.Discard, newUnwrapper(bytes.NewReader(body))); err != nil {
			b.Fatal(err)
		}
	}
}
