package proxy

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// sink is a client that takes everything.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) WriteHeader(int)             {}
func (s sink) Write(b []byte) (int, error) { return len(b), nil }
func (s sink) FlushError() error           { return nil }

// BenchmarkFrontDoor is a call through guard, handle and relay, without a
// socket and without a provider.
func BenchmarkFrontDoor(b *testing.B) {
	frames := strings.Repeat(`data: {"choices":[{"index":0,"delta":{"content":" word"}}]}`+"\n\n", 200)
	large := strings.Replace(hello, "hi", strings.Repeat("word and word, ", 70_000), 1)
	for _, c := range []struct {
		name, body string
		answer     func() *llm.Response
	}{
		{"whole", hello, func() *llm.Response { return whole(`{"answer":1}`) }},
		{"prompt1MB", large, func() *llm.Response { return whole(`{"answer":1}`) }},
		{"stream200", streamed, func() *llm.Response { return answer(strings.NewReader(frames), true) }},
		{"translated200", streamed, func() *llm.Response {
			resp := answer(strings.NewReader(strings.Repeat("word ", 200)), true)
			resp.Outbound, resp.Copied = wire{name: "far", decode: eventPerRead}, false
			return resp
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var target echoes = func(context.Context, *llm.Request) (*llm.Response, error) { return c.answer(), nil }
			h, _ := door(&desk{}, func(o *Options) { o.Table = func() Table { return target } })
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(c.body))
				r.Host = "localhost:5397"
				r.Header.Set("Authorization", "Bearer kt-good")
				h.ServeHTTP(sink{http.Header{}}, r)
			}
		})
	}
}

// echoes is a Table of one Target, itself.
type echoes func(context.Context, *llm.Request) (*llm.Response, error)

func (e echoes) Target(*llm.Request) (llm.Target, error) { return e, nil }
func (e echoes) Models(string, bool) []Model             { return nil }
func (e echoes) May(string, string) bool                 { return true }
func (e echoes) Ollama(*http.Request, bool) (*http.Response, error) {
	return nil, errors.New("no Ollama here")
}

func (e echoes) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) { return e(ctx, r) }
