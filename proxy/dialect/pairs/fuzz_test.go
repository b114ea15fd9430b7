package pairs_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

// seeds gives the conversations' files of the given endings to a fuzz test,
// with the dialect that each is in.
func seeds(f *testing.F, add func(dialect, file string, body []byte), endings ...string) {
	f.Helper()
	for _, ending := range endings {
		files, err := filepath.Glob("../testdata/*/*" + ending)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			body, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			dialect, _, _ := strings.Cut(filepath.Base(file), ".")
			add(dialect, file, body)
		}
	}
}

// Whatever a provider of any dialect answers, the events are in order or end
// in an error, and every client's dialect writes them down.
func FuzzAnswers(f *testing.F) {
	seeds(f, func(dialect, file string, body []byte) {
		f.Add(dialect, !strings.HasSuffix(file, ".json"), body)
	}, ".answer.json", ".answer.sse", ".answer.ndjson", ".error.sse", ".error.ndjson", ".cut.sse", ".cut.ndjson")
	f.Fuzz(func(t *testing.T, dialect string, stream bool, body []byte) {
		out := outbound(dialect)
		if out == nil {
			return
		}
		events, end := decode(recording{answer: answer{stream: stream, body: body}}, out)
		if err := dialecttest.Bracketed(events, end == nil); err != nil {
			t.Fatal(err)
		}
		for _, in := range inbounds {
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
			if (err == nil) != (end == nil) {
				t.Fatalf("%s: EncodeResponse: %v, want %v", in.Name(), err, end)
			}
			if !stream && end == nil && !json.Valid(sent.Bytes()) {
				t.Fatalf("%s wrote %s", in.Name(), sent.Bytes())
			}
		}
	})
}

// Whatever a client of any dialect asks, it is refused, or every provider's
// dialect refuses it or writes JSON.
func FuzzRequests(f *testing.F) {
	seeds(f, func(dialect, _ string, body []byte) { f.Add(dialect, body) }, ".request.json")
	f.Fuzz(func(t *testing.T, dialect string, body []byte) {
		for _, in := range inbounds {
			if in.Name() != dialect {
				continue
			}
			path := smallest[dialect].path
			peek, err := in.Peek(httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body)), body)
			if err != nil {
				return
			}
			_, route, _ := strings.Cut(path[1:], "/")
			p, err := in.DecodeRequest(&llm.Request{ID: "r", Inbound: in, Path: "/" + route, Raw: body, Peek: peek})
			if err != nil {
				return
			}
			for _, out := range outbounds {
				c := &llm.Call{Model: llm.Model{Provider: "test", Name: "m"}, Stream: peek.Stream}
				b, err := out.EncodeRequest(c, p)
				if err != nil && llm.AsError(err).Kind == llm.Internal || err == nil && !json.Valid(b) {
					t.Fatalf("%s: %v, %s", out.Name(), err, b)
				}
			}
		}
	})
}

// Whatever a provider of any dialect refuses with, every client is told so in
// JSON, with a status that is an error's.
func FuzzErrors(f *testing.F) {
	seeds(f, func(dialect, _ string, body []byte) {
		var r struct {
			Status int
			Body   json.RawMessage
		}
		if err := json.Unmarshal(body, &r); err != nil {
			f.Fatal(err)
		}
		f.Add(dialect, r.Status, []byte(r.Body))
	}, ".error.json")
	for _, out := range outbounds {
		f.Add(out.Name(), 502, []byte("<html><title>Bad gateway</title></html>"))
		f.Add(out.Name(), 500, []byte(nil))
	}
	f.Fuzz(func(t *testing.T, dialect string, status int, body []byte) {
		out := outbound(dialect)
		if out == nil || status < 300 || status > 599 {
			return
		}
		e := out.DecodeError(status, http.Header{}, body)
		if e == nil || e.Kind == "" || e.Message == "" {
			t.Fatalf("%d %q became %+v", status, body, e)
		}
		for _, in := range inbounds {
			told, kind, b := in.EncodeError(e)
			if told < 400 || told > 599 || !json.Valid(b) || !strings.HasPrefix(kind, "application/json") {
				t.Fatalf("%s: %d %s %s", in.Name(), told, kind, b)
			}
		}
	})
}
