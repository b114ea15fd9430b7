package proxy

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func packed(t *testing.T, how, s string) string {
	t.Helper()
	var b bytes.Buffer
	var z io.WriteCloser
	var err error
	switch how {
	case "gzip", "x-gzip", "GZIP":
		z = gzip.NewWriter(&b)
	case "zstd":
		if z, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1)); err != nil {
			t.Fatal(err)
		}
	default:
		return s
	}
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// J3, K12: bodies, packed or not, up to the limit.
func TestBodies(t *testing.T) {
	const limit = 4096
	fill := func(n int) string { return hello + strings.Repeat(" ", n-len(hello)) }
	bomb := fill(16 << 20)
	for name, c := range map[string]struct {
		encoding, body string
		length         int64 // stated; 0: the body's, -1: none
		status         int
		code           string
	}{
		"plain":                        {"", hello, 0, 200, ""},
		"identity":                     {"identity", hello, 0, 200, ""},
		"of no stated length":          {"", hello, -1, 200, ""},
		"as large as may be":           {"", fill(limit), 0, 200, ""},
		"as large as may be, unstated": {"", fill(limit), -1, 200, ""},
		"larger by one":                {"", fill(limit + 1), 0, 413, "request_too_large"},
		"larger by one, unstated":      {"", fill(limit + 1), -1, 413, "request_too_large"},
		"gzip":                         {"gzip", packed(t, "gzip", hello), 0, 200, ""},
		"x-gzip":                       {"x-gzip", packed(t, "gzip", hello), -1, 200, ""},
		"GZIP":                         {"GZIP", packed(t, "gzip", hello), 0, 200, ""},
		"zstd":                         {"zstd", packed(t, "zstd", hello), 0, 200, ""},
		"gzip, unpacked larger":        {"gzip", packed(t, "gzip", fill(limit+1)), 0, 413, "request_too_large"},
		"gzip bomb":                    {"gzip", packed(t, "gzip", bomb)[:limit], 0, 413, "request_too_large"},
		"zstd bomb":                    {"zstd", packed(t, "zstd", bomb), 0, 413, "request_too_large"},
		"zstd with a huge window":      {"zstd", "\x28\xb5\x2f\xfd\x00\xa0" + strings.Repeat("\x00", 16), 0, 413, "request_too_large"},
		"brotli":                       {"br", hello, 0, 415, ""},
		"two encodings":                {"gzip, gzip", hello, 0, 415, ""},
		"no gzip":                      {"gzip", hello, 0, 400, ""},
		"no zstd":                      {"zstd", hello, 0, 400, ""},
		"gzip, cut":                    {"gzip", packed(t, "gzip", hello)[:20], 0, 400, ""},
		"cut":                          {"", hello, int64(len(hello)) + 5, 400, ""},
		"empty":                        {"", "", 0, 400, ""},
		"no JSON":                      {"", "<html>", 0, 400, ""},
		"half of the JSON":             {"", hello[:20], 0, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			h, _ := door(d, func(o *Options) { o.MaxBody = limit })
			r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(c.body))
			r.Host = "localhost"
			r.Header.Set("Authorization", "Bearer kt-good")
			if c.encoding != "" {
				r.Header.Set("Content-Encoding", c.encoding)
			}
			if c.length != 0 {
				r.ContentLength = c.length
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != c.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if c.status != 200 {
				if _, code := problem(t, w); code != c.code || d.calls() != 0 {
					t.Errorf("code %q, %d calls", code, d.calls())
				}
				return
			}
			if got := strings.TrimRight(string(d.last(t).Raw), " "); got != hello {
				t.Errorf("the target got %q", got)
			}
		})
	}
}

// Over a real connection, too large a body is refused before it is sent.
func TestATooLargeBodyIsRefusedUnread(t *testing.T) {
	d := &desk{}
	h, _ := door(d, func(o *Options) { o.MaxBody = 1 << 20 })
	server := httptest.NewServer(h)
	defer server.Close()
	req, err := http.NewRequest("POST", server.URL+"/v1/chat/completions", io.LimitReader(zeros{}, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = 8 << 20
	req.Header.Set("Authorization", "Bearer kt-good")
	req.Header.Set("Expect", "100-continue")
	resp, err := (&http.Client{Transport: &http.Transport{ExpectContinueTimeout: 1 << 40}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 413 || d.calls() != 0 {
		t.Errorf("%d", resp.StatusCode)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
