package upstream

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

// canary is the provider key of these tests; hint is what may be seen of it.
const (
	canary = "sk-canary-0123456789abcdef"
	hint   = "••••cdef"
)

// book is a Recorder that keeps what it is told.
type book struct {
	mu    sync.Mutex
	begun []*llm.Attempt
	ended []llm.Attempt
	// onBegin and onFinish, if set, run first.
	onBegin, onFinish func(*llm.Attempt)
	refuse            error // what Begin answers
}

func (b *book) Begin(a *llm.Attempt) error {
	if b.onBegin != nil {
		b.onBegin(a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = append(b.begun, a)
	return b.refuse
}

func (b *book) Finish(a *llm.Attempt) {
	if b.onFinish != nil {
		b.onFinish(a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = append(b.ended, *a)
}

// rows are the attempts that have ended; each must have been begun before.
func (b *book) rows(t *testing.T) []llm.Attempt {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.begun) < len(b.ended) {
		t.Errorf("%d attempts begun, %d ended", len(b.begun), len(b.ended))
	}
	return append([]llm.Attempt(nil), b.ended...)
}

// only is the one row there is.
func (b *book) only(t *testing.T) llm.Attempt {
	t.Helper()
	rows := b.rows(t)
	if len(rows) != 1 {
		t.Fatalf("%d rows have ended, want 1", len(rows))
	}
	return rows[0]
}

// lab is a leaf with a provider of its own.
type lab struct {
	*Leaf
	provider *proxytest.Provider
	book     *book
}

func start(t *testing.T, scripts ...proxytest.Script) *lab {
	t.Helper()
	return serve(t, proxytest.New(scripts...))
}

func serve(t *testing.T, p *proxytest.Provider) *lab {
	t.Helper()
	l := leaf(t, proxytest.Start(t, p).URL)
	l.provider = p
	return l
}

// leaf is one that calls the server at url.
func leaf(t *testing.T, url string) *lab {
	t.Helper()
	n := NewNetwork()
	t.Cleanup(n.Close)
	n.Allow([]string{strings.TrimPrefix(url, "http://")})
	b := &book{}
	return &lab{book: b, Leaf: &Leaf{
		Model:    llm.Model{Provider: "lab", Name: "m1"},
		Outbound: chat.Dialect{},
		Base:     url + "/v1",
		Network:  n,
		Record:   b,
		Sign: func(_ context.Context, r *http.Request) (Signature, error) {
			r.Header.Set("Authorization", "Bearer "+canary)
			return Signature{Label: "work", Hide: func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte(canary), []byte(hint))
			}}, nil
		},
	}}
}

// other is an inbound dialect that is not the provider's, so that all is translated.
type other struct{ chat.Dialect }

func (other) Name() string { return "other" }

func request(t testing.TB, stream bool) *llm.Request {
	t.Helper()
	body := `{"model":"asked","messages":[{"role":"user","content":"hi"}]}`
	if stream {
		body = `{"stream":true,` + body[1:]
	}
	return requestOf(t, body)
}

func requestOf(t testing.TB, body string) *llm.Request {
	t.Helper()
	peek, err := chat.Dialect{}.Peek(nil, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return &llm.Request{ID: "kt-1", Tool: "test", Inbound: chat.Dialect{}, Raw: []byte(body), Peek: peek}
}

// good calls the leaf and expects an answer.
func (l *lab) good(t *testing.T, r *llm.Request) *llm.Response {
	t.Helper()
	resp, err := l.Do(t.Context(), r)
	if err != nil {
		t.Fatal(err, "; cause:", errors.Unwrap(err))
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// bad calls the leaf and expects a refusal.
func (l *lab) bad(t *testing.T, ctx context.Context, r *llm.Request) *llm.Error {
	t.Helper()
	resp, err := l.Do(ctx, r)
	if err == nil {
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		t.Fatalf("an answer came: %s", body)
	}
	e, ok := err.(*llm.Error)
	if !ok {
		t.Fatalf("%T is no *llm.Error: %v", err, err)
	}
	return e
}

// direct is the body that the provider gives without Keytray.
func direct(t *testing.T, s proxytest.Script, r *llm.Request) string {
	t.Helper()
	l := start(t, s)
	pieces, err := l.Outbound.Patch(&llm.Call{Model: l.Model, Stream: r.Stream}, r)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(l.Base+"/chat/completions", "application/json", newPieces(pieces))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// withoutUsage takes the frame away that only Keytray asked for.
func withoutUsage(stream string) string {
	var out []string
	end := "\n\n"
	if strings.Contains(stream, "\r") {
		end = "\r\n\r\n"
	}
	for _, f := range strings.SplitAfter(stream, end) {
		if !strings.Contains(f, `"choices":[],`) && !strings.Contains(f, `"choices": [],`) {
			out = append(out, f)
		}
	}
	return strings.Join(out, "")
}

// readers are the ways in which a body is read.
var readers = map[string]func(io.Reader) ([]byte, error){
	"Read": func(r io.Reader) ([]byte, error) { return io.ReadAll(struct{ io.Reader }{r}) },
	"WriteTo": func(r io.Reader) ([]byte, error) {
		var b bytes.Buffer
		_, err := r.(io.WriterTo).WriteTo(&b)
		return b.Bytes(), err
	},
}
