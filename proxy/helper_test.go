package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"keytray/proxy/llm"
)

// desk is a Table and a Target that keeps what it was asked, and answers as do says.
type desk struct {
	mu    sync.Mutex
	asked []*llm.Request
	do    func(ctx context.Context, r *llm.Request) (*llm.Response, error)
	list  []Model
	// only are the names that may be asked for; none is no limit.
	only []string
	// ollama is the user's own; nil is none.
	ollama func(r *http.Request, localOnly bool) (*http.Response, error)
}

func (d *desk) Target(r *llm.Request) (llm.Target, error) {
	if r.Model == "nobody" {
		return nil, &llm.Error{Kind: llm.NotFound, Code: "model_not_found", Param: "model", Message: "nobody serves it"}
	}
	return d, nil
}

func (d *desk) Models(tool string, localOnly bool) []Model {
	if localOnly {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.list), func(m Model) bool { return !d.May(tool, m.ID) })
}

func (d *desk) May(_, model string) bool { return d.only == nil || slices.Contains(d.only, model) }

func (d *desk) Ollama(r *http.Request, localOnly bool) (*http.Response, error) {
	if d.ollama == nil {
		return nil, &llm.Error{Kind: llm.Unreachable, Message: "no Ollama here"}
	}
	return d.ollama(r, localOnly)
}

func (d *desk) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	d.mu.Lock()
	d.asked = append(d.asked, r)
	d.mu.Unlock()
	r.NextAttempt()
	if d.do == nil {
		return whole(`{"answer":1}`), nil
	}
	return d.do(ctx, r)
}

func (d *desk) last(t *testing.T) *llm.Request {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.asked) == 0 {
		t.Fatal("the target was not asked")
	}
	return d.asked[len(d.asked)-1]
}

func (d *desk) calls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.asked)
}

// wire is the outbound side of a response that never was on one.
type wire struct {
	llm.Outbound
	name   string
	decode func(body io.Reader) llm.Events
}

func (w wire) Name() string { return w.name }

func (w wire) DecodeResponse(_ *llm.Call, body io.Reader) llm.Events { return w.decode(body) }

// body is an answer that notes how it was treated.
type body struct {
	io.Reader
	closed int
	failed error
}

func (b *body) Close() error   { b.closed++; return nil }
func (b *body) Fail(err error) { b.failed = err }

func answer(b io.Reader, stream bool) *llm.Response {
	kind := "application/json"
	if stream {
		kind = "text/event-stream"
	}
	return &llm.Response{
		Outbound: wire{name: "chat"}, Call: &llm.Call{Stream: stream}, Copied: true, Status: 200, Stream: stream, Target: "lab/m1", Attempts: 1,
		Header: http.Header{"Content-Type": {kind}}, Body: &body{Reader: b},
	}
}

func whole(s string) *llm.Response { return answer(strings.NewReader(s), false) }

// steps is a reader that gives one piece for each Read, and then an error.
type steps struct {
	pieces []string
	err    error
	before func(piece int)
	n      int
}

func (s *steps) Read(p []byte) (int, error) {
	if s.before != nil {
		s.before(s.n)
	}
	if s.n == len(s.pieces) {
		return 0, s.err
	}
	s.n++
	return copy(p, s.pieces[s.n-1]), nil
}

// door is a front door with the token "kt-good" of the tool "tool".
func door(d *desk, change ...func(*Options)) (*Handler, *bytes.Buffer) {
	log := &bytes.Buffer{}
	o := Options{
		Table:   func() Table { return d },
		Token:   func(token string) (string, bool) { return "tool", token == "kt-good" },
		Without: func() Access { return Refuse },
		Log:     slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	return New(o), log
}

const hello = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`

// call makes a request as a program with a good token does; header holds names and values.
func call(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:5397"
	r.Header.Set("Authorization", "Bearer kt-good")
	for i := 0; i < len(header); i += 2 {
		switch {
		case header[i] == "Host":
			r.Host = header[i+1]
		case header[i+1] == "":
			r.Header.Del(header[i])
		default:
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problem is the error in an answer of OpenAI's shape.
func problem(t *testing.T, w *httptest.ResponseRecorder) (message, code string) {
	t.Helper()
	var e struct {
		Error struct {
			Message *string
			Type    string
			Code    *string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Error.Message == nil || e.Error.Type == "" {
		t.Fatalf("no error of OpenAI's shape: %d %s (%v)", w.Code, w.Body, err)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
	if e.Error.Code != nil {
		code = *e.Error.Code
	}
	return *e.Error.Message, code
}
