package messages_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/dialect/gemini"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// outbounds are all dialects that a client's request may be translated to.
var outbounds = []llm.Outbound{messages.Dialect{}, chat.Dialect{}, gemini.Dialect{}, ollama.Dialect{}}

// request is a client's, as the handler would make it.
func request(t *testing.T, body string) *llm.Request {
	t.Helper()
	peek, err := messages.Dialect{}.Peek(httptest.NewRequest("POST", "/v1/messages", nil), []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return &llm.Request{ID: "req-1", Inbound: messages.Dialect{}, Raw: []byte(body), Peek: peek}
}

func value(t *testing.T, body []byte) (v map[string]any) {
	t.Helper()
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

func folders(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("../testdata/*/messages.request.json")
	if err != nil || len(all) == 0 {
		t.Fatal("no conversations: ", err)
	}
	for i := range all {
		all[i] = filepath.Dir(all[i])
	}
	return all
}

// What a client asks in this dialect comes out of it unchanged, with nothing
// lost on the way in or out.
func TestRequestsComeOutAsTheyWere(t *testing.T) {
	for _, dir := range folders(t) {
		body, err := os.ReadFile(filepath.Join(dir, "messages.request.json"))
		if err != nil {
			t.Fatal(err)
		}
		var want struct{ Flags llm.Flags }
		if b, err := os.ReadFile(filepath.Join(dir, "messages.want.json")); err == nil {
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "messages.received.json")); err == nil {
			continue // it is meant to change
		}
		r := request(t, string(body))
		p, err := r.Prompt()
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		c := &llm.Call{Model: llm.Model{Provider: "test", Name: r.Model, Flags: want.Flags}, Stream: r.Stream}
		got, err := messages.Dialect{}.EncodeRequest(c, p)
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		if !reflect.DeepEqual(value(t, got), value(t, body)) || len(c.Lost) > 0 {
			t.Errorf("%s: lost %q, sent\n%s", dir, c.Lost, got)
		}
	}
}

// Every dialect's answer says the same to this dialect's clients: streamed and
// whole (B13), in streams that the strictest of them take.
func TestAnswersOfAllDialects(t *testing.T) {
	n := 0
	for _, dir := range folders(t) {
		ask, err := os.ReadFile(filepath.Join(dir, "messages.request.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range outbounds {
			body, err := os.ReadFile(filepath.Join(dir, out.Name()+".answer.json"))
			if err != nil {
				continue
			}
			n++
			name := dir + " by " + out.Name()
			c := &llm.Call{Model: llm.Model{Provider: "test"}}
			events := dialecttest.Collect(t, out.DecodeResponse(c, bytes.NewReader(body)))
			want := dialecttest.Summarize(events)
			if len(want.Images) > 0 {
				continue // package pairs has what becomes of a picture
			}
			for _, stream := range []bool{false, true} {
				r := request(t, string(ask))
				r.Stream = stream
				var sent bytes.Buffer
				if err := (messages.Dialect{}).EncodeResponse(&sent, r, replay(events)); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if stream {
					legal(t, name, sent.String())
				}
				back := &llm.Call{Model: llm.Model{Provider: "test"}, Stream: stream}
				got := dialecttest.Summarize(dialecttest.Collect(t, messages.Dialect{}.DecodeResponse(back, &sent)))
				if got, want := plainly(t, got), plainly(t, want); got != want {
					t.Errorf("%s, stream %v:\n%s\nwant\n%s", name, stream, got, want)
				}
			}
		}
	}
	t.Logf("%d answers", n)
}

// plainly is a summary without what this dialect has no words for.
func plainly(t *testing.T, s dialecttest.Summary) string {
	t.Helper()
	s.Opaque, s.Images = nil, nil
	u := map[string]int64{}
	for k, n := range s.Usage {
		switch k {
		case "audio_input", "image_input":
			k = "input"
		case "audio_cache_read", "image_cache_read":
			k = "cache_read"
		case "audio_output", "image_output":
			k = "output"
		}
		u[k] += n
	}
	s.Usage = u
	if s.Why == string(llm.ContentFilter) {
		s.Why = string(llm.Refused)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func replay(events []llm.Event) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}
