package responses

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

func seeds(f *testing.F, pattern string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "*", pattern))
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// Any request is refused with the client's fault, or comes out as JSON.
func FuzzRequest(f *testing.F) {
	seeds(f, "responses.request.json")
	f.Add([]byte(`{"input":[{"type":"reasoning","encrypted_content":"a2V5dHJheTEAZ2VtaW5pAABjYWxsAGMAc2ln"},{"type":"custom_tool_call","call_id":"c","name":"e","input":"x"},{"type":"local_shell_call","call_id":"d","action":{"type":"exec","command":["ls"]}}],"tools":[{"type":"custom","name":"e"},{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]},{"type":"web_search"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Dialect{}.DecodeRequest(&llm.Request{Raw: body})
		if err != nil {
			if e := llm.AsError(err); e.Kind != llm.BadRequest {
				t.Fatalf("%+v", e)
			}
			return
		}
		out, err := Dialect{}.EncodeRequest(&llm.Call{Model: llm.Model{Name: "m"}}, p)
		if err == nil && !json.Valid(out) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}

// Any answer comes to events in order, streamed and whole, and what is written
// of them is read as the same.
func FuzzAnswer(f *testing.F) {
	seeds(f, "responses.answer.sse")
	seeds(f, "responses.answer.json")
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, stream := range []bool{true, false} {
			var events []llm.Event
			var failed error
			c := &llm.Call{Stream: stream}
			for e, err := range (Dialect{}).DecodeResponse(c, bytes.NewReader(body)) {
				if failed = err; err == nil {
					events = append(events, e)
				}
			}
			if err := dialecttest.Bracketed(events, failed == nil); err != nil {
				t.Fatal(err)
			}
			var tally llm.Tally
			Dialect{}.Tally(c, &tally, body)
			for _, out := range []bool{true, false} {
				var b bytes.Buffer
				r := &llm.Request{ID: "r", Raw: []byte(`{"tools":[{"type":"custom","name":"edit"},{"type":"local_shell"}]}`), Peek: llm.Peek{Model: "m", Stream: out}}
				err := Dialect{}.EncodeResponse(&b, r, func(yield func(llm.Event, error) bool) {
					for _, e := range events {
						if !yield(e, nil) {
							return
						}
					}
					if failed != nil {
						yield(llm.Event{}, failed)
					}
				})
				if (err == nil) != (failed == nil) {
					t.Fatalf("%v, after %v", err, failed)
				}
				if failed == nil {
					again := dialecttest.Collect(t, Dialect{}.DecodeResponse(&llm.Call{Stream: out}, &b))
					if got, want := dialecttest.Summarize(again), dialecttest.Summarize(events); got.Text != want.Text || got.Refusal != want.Refusal || len(got.Calls) != len(want.Calls) {
						t.Fatalf("%+v\nbecame %+v", want, got)
					}
				}
			}
		}
	})
}
