package proxytest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"keytray/proxy/proxytest"
)

// TestFast: the fast handler says what the provider would, and finds the wish for a stream wherever it is
// in the body.
func TestFast(t *testing.T) {
	padding := `"pad":"` + strings.Repeat("x", 200_000) + `"`
	for _, d := range proxytest.Dialects() {
		fast := proxytest.NewFast(d, 200)
		paced := proxytest.NewFast(d, 3)
		paced.Every = time.Microsecond
		for _, h := range []*proxytest.Fast{fast, paced} {
			server := proxytest.Start(t, h)
			for _, stream := range []bool{false, true} {
				streamed := map[bool]string{false: `"stream":false`, true: `"stream": true`}[stream]
				for _, text := range []string{"{" + streamed + "," + padding + "}", "{" + padding + "," + streamed + "}"} {
					response, err := http.Post(server.URL+d.Path("m", stream), "application/json", strings.NewReader(text))
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(response.Body)
					if err != nil {
						t.Fatal(err)
					}
					response.Body.Close()
					want := h.Whole()
					if stream {
						want = h.Stream()
					}
					if string(got) != string(want) {
						t.Errorf("%s, stream %v: %.200s", d, stream, got)
					}
				}
			}
		}
		var r reading
		for _, f := range frames(d, string(fast.Stream())) {
			r.add(d, f)
		}
		if len(r.text) != 1000 || !r.ended || r.out != 200 {
			t.Errorf("%s: %d bytes of text, ended %v, %d tokens", d, len(r.text), r.ended, r.out)
		}
	}
}

// TestFastPiecemeal: the wish for a stream is found if it arrives byte by byte.
func TestFastPiecemeal(t *testing.T) {
	fast := proxytest.NewFast(proxytest.Chat, 2)
	for text, want := range map[string][]byte{
		`{"model":"m","stream":true}`: fast.Stream(), `{"model":"m","stream": true}`: fast.Stream(),
		`{"model":"m","stream": false}`: fast.Whole(), `{"model":"m"}`: fast.Whole(),
	} {
		request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", iotest.OneByteReader(strings.NewReader(text)))
		answer := httptest.NewRecorder()
		fast.ServeHTTP(answer, request)
		if answer.Body.String() != string(want) {
			t.Errorf("%s: %s", text, answer.Body)
		}
	}
}

// nowhere is a ResponseWriter that drops what it gets.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkFast(b *testing.B) {
	h := proxytest.NewFast(proxytest.Chat, 200)
	for name, text := range map[string]string{
		"whole":  body(proxytest.Chat, "m", false),
		"stream": body(proxytest.Chat, "m", true),
		"1MB":    `{"model":"m","messages":[{"role":"user","content":"` + strings.Repeat("word ", 200_000) + `"}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			request := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil)
			for b.Loop() {
				request.Body = io.NopCloser(strings.NewReader(text))
				h.ServeHTTP(nowhere{http.Header{}}, request)
			}
		})
	}
}
