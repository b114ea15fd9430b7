package proxytest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/tidwall/gjson"

	"keytray/proxy/proxytest"
)

// taken is an answer as far as it came.
type taken struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
}

func take(t *testing.T, script proxytest.Script, d proxytest.Dialect, stream bool) taken {
	t.Helper()
	server := proxytest.Start(t, proxytest.New(script))
	response := post(t.Context(), t, server.URL, d, "m", stream)
	b, err := io.ReadAll(response.Body)
	return taken{response.StatusCode, response.Header, string(b), err}
}

// TestRefusals: each dialect's own error shape, with the status and the time to wait.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		dialect    proxytest.Dialect
		status     int
		path, want string
	}{
		{proxytest.Chat, 401, "error.code", "invalid_api_key"},
		{proxytest.Chat, 404, "error.code", "model_not_found"},
		{proxytest.Chat, 429, "error.type", "rate_limit_error"},
		{proxytest.Chat, 500, "error.type", "server_error"},
		{proxytest.Messages, 401, "error.type", "authentication_error"},
		{proxytest.Messages, 403, "error.type", "permission_error"},
		{proxytest.Messages, 404, "error.type", "not_found_error"},
		{proxytest.Messages, 429, "error.type", "rate_limit_error"},
		{proxytest.Messages, 500, "error.type", "api_error"},
		{proxytest.Messages, 529, "error.type", "overloaded_error"},
		{proxytest.Gemini, 403, "error.status", "PERMISSION_DENIED"},
		{proxytest.Gemini, 404, "error.status", "NOT_FOUND"},
		{proxytest.Gemini, 429, "error.status", "RESOURCE_EXHAUSTED"},
		{proxytest.Gemini, 429, "error.details.0.retryDelay", "7s"},
		{proxytest.Gemini, 503, "error.status", "UNAVAILABLE"},
		{proxytest.Ollama, 404, "error", "The model does not exist or you do not have access to it."},
		{proxytest.Ollama, 503, "error", "Overloaded"},
	} {
		for _, stream := range []bool{false, true} {
			got := take(t, proxytest.Script{Fail: &proxytest.Fail{Status: c.status, RetryAfter: 7}}, c.dialect, stream)
			if got.status != c.status || gjson.Get(got.body, c.path).String() != c.want {
				t.Errorf("%s %d: %d %s", c.dialect, c.status, got.status, got.body)
			}
			if wait := got.header.Get("Retry-After"); (wait == "7") == (c.dialect == proxytest.Gemini) {
				t.Errorf("%s: Retry-After %q", c.dialect, wait)
			}
		}
	}
	got := take(t, proxytest.Script{Fail: &proxytest.Fail{Status: 401, EchoKey: true}}, proxytest.Chat, false)
	if !strings.Contains(got.body, "sk-test") {
		t.Errorf("the key is not repeated: %s", got.body)
	}
}

// TestFaults checks what a client can see of each fault, in every dialect, whole and streamed.
func TestFaults(t *testing.T) {
	words := make([]string, 20)
	for i := range words {
		words[i] = "word "
	}
	script := func(f proxytest.Fault) proxytest.Script {
		return proxytest.Script{Parts: proxytest.Parts(proxytest.Text(words...)), Fault: f, After: 5, Size: 1 << 20}
	}
	broken := func(g taken) bool { return errors.Is(g.err, io.ErrUnexpectedEOF) }
	cleanly := func(g taken) bool { return g.err == nil && g.status == 200 }
	for _, d := range proxytest.Dialects() {
		said := func(g taken, stream bool) reading {
			var r reading
			if !stream {
				r.add(d, g.body)
				return r
			}
			for _, f := range frames(d, g.body) {
				if json.Valid([]byte(f)) || f == "[DONE]" {
					r.add(d, f)
				}
			}
			return r
		}
		some := func(r reading) bool { return r.text != "" && len(r.text) < 100 }
		for _, c := range []struct {
			fault proxytest.Fault
			good  func(g taken, stream bool) bool
		}{
			{proxytest.FaultNone, func(g taken, s bool) bool {
				r := said(g, s)
				return cleanly(g) && len(r.text) == 100 && r.stop != "" && (r.ended || !s)
			}},
			{proxytest.FaultHTML, func(g taken, _ bool) bool { return g.status == 502 && strings.HasPrefix(g.body, "<html>") }},
			{proxytest.FaultEmpty, func(g taken, _ bool) bool { return cleanly(g) && g.body == "" }},
			{proxytest.FaultRedirect, func(g taken, _ bool) bool {
				return g.status == 302 && g.header.Get("Location") == "/elsewhere"
			}},
			{proxytest.FaultInside, func(g taken, s bool) bool {
				first := g.body
				if s {
					first = frames(d, g.body)[0]
				}
				return cleanly(g) && gjson.Get(first, "error").Exists() && said(g, s).text == ""
			}},
			{proxytest.FaultNoAnswer, func(g taken, s bool) bool {
				r := said(g, s)
				return cleanly(g) && r.text == "" && r.in == 12 == (!s || d != proxytest.Chat)
			}},
			{proxytest.FaultError, func(g taken, s bool) bool {
				r, all := said(g, s), []string{g.body}
				if s {
					all = frames(d, g.body)
				}
				return cleanly(g) && some(r) == s && r.stop == "" && gjson.Get(all[len(all)-1], "error").Exists()
			}},
			{proxytest.FaultGarbage, func(g taken, s bool) bool {
				if !s {
					return cleanly(g) && !json.Valid([]byte(g.body))
				}
				r := said(g, s)
				return cleanly(g) && len(r.text) == 100 && r.ended && strings.Contains(g.body, "\xff")
			}},
			{proxytest.FaultCut, func(g taken, s bool) bool {
				r := said(g, s)
				return broken(g) && (some(r) && r.stop == "" || !s)
			}},
			{proxytest.FaultFin, func(g taken, s bool) bool {
				r := said(g, s)
				return cleanly(g) && (some(r) && r.stop == "" && !r.ended || !s && !json.Valid([]byte(g.body)))
			}},
			{proxytest.FaultNoDone, func(g taken, s bool) bool {
				r := said(g, s)
				return cleanly(g) && r.stop != "" && r.ended == (s && d != proxytest.Chat || !s && (d == proxytest.Gemini || d == proxytest.Ollama))
			}},
			{proxytest.FaultTrailing, func(g taken, s bool) bool {
				r := said(g, s)
				more := d != proxytest.Messages && s // there the last frame before the end stops the block
				return cleanly(g) && r.stop != "" && len(r.text) == map[bool]int{false: 100, true: 105}[more]
			}},
			{proxytest.FaultType, func(g taken, s bool) bool {
				return cleanly(g) && strings.HasPrefix(g.header.Get("Content-Type"), "text/plain") && len(said(g, s).text) == 100
			}},
			{proxytest.FaultLarge, func(g taken, s bool) bool { return cleanly(g) && len(said(g, s).text) == 100+1<<20 }},
			{proxytest.FaultGzip, func(g taken, s bool) bool {
				packed := g
				g.body = unpack(t, "gzip", g.body)
				return packed.header.Get("Content-Encoding") == "gzip" && len(said(g, s).text) == 100
			}},
			{proxytest.FaultGzipHidden, func(g taken, s bool) bool {
				packed := g
				g.body = unpack(t, "gzip", g.body)
				return packed.header.Get("Content-Encoding") == "" && len(said(g, s).text) == 100
			}},
			{proxytest.FaultZstd, func(g taken, s bool) bool {
				packed := g
				g.body = unpack(t, "zstd", g.body)
				return packed.header.Get("Content-Encoding") == "zstd" && len(said(g, s).text) == 100
			}},
			{proxytest.FaultBomb, func(g taken, _ bool) bool {
				return len(g.body) < 4<<10 && len(unpack(t, "gzip", g.body)) == 1<<20
			}},
		} {
			for _, stream := range []bool{false, true} {
				if got := take(t, script(c.fault), d, stream); !c.good(got, stream) {
					t.Errorf("%s, stream %v, fault %q: %d %v %v\n%.2000s", d, stream, c.fault, got.status, got.err, got.header, got.body)
				}
			}
		}
	}
}

func unpack(t *testing.T, how, packed string) string {
	t.Helper()
	var r io.Reader
	var err error
	if how == "gzip" {
		r, err = gzip.NewReader(strings.NewReader(packed))
	} else {
		r, err = zstd.NewReader(strings.NewReader(packed))
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSilence: a provider that says nothing, before its headers or in the middle, learns that its client
// has gone.
func TestSilence(t *testing.T) {
	for _, d := range proxytest.Dialects() {
		for _, fault := range []proxytest.Fault{proxytest.FaultHang, proxytest.FaultStall} {
			for _, stream := range []bool{false, true} {
				provider := proxytest.New(proxytest.Script{Fault: fault, After: 2})
				server := proxytest.Start(t, provider)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error)
				started := make(chan bool, 1)
				go func() {
					response, err := try(ctx, server.URL, d, "m", stream)
					started <- err == nil
					if err == nil {
						defer response.Body.Close()
						_, err = io.ReadAll(response.Body)
					}
					ended <- err
				}()
				seen, err := provider.Await(t.Context(), 1)
				if err != nil {
					t.Fatal(err)
				}
				if fault == proxytest.FaultStall && !<-started {
					t.Errorf("%s: no headers before a stall", d)
				}
				cancel()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Errorf("%s %s: ended with %v", d, fault, err)
				}
				if _, err := seen.AwaitCancel(t.Context()); err != nil {
					t.Errorf("%s %s: %v", d, fault, err)
				}
			}
		}
	}
}

// TestUnread: an answer may come before the request's body was read.
func TestUnread(t *testing.T) {
	provider := &proxytest.Provider{Unread: true, Choose: func(*proxytest.Seen) proxytest.Script {
		return proxytest.Script{Fail: &proxytest.Fail{Status: 429}}
	}}
	server := proxytest.Start(t, provider)
	reader, writer := io.Pipe() // nothing is ever written
	defer writer.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/chat/completions", reader)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 429 || provider.Last().Body != nil {
		t.Errorf("%s, read %q", response.Status, provider.Last().Body)
	}
}

// TestRaw: bytes of the test's own, and how they end.
func TestRaw(t *testing.T) {
	pieces := [][]byte{[]byte("data: {\"a\":\"\xe2"), []byte("\x82\xac\"}\n\n")}
	header := http.Header{"Content-Type": {"text/event-stream"}, "X-Test": {"yes"}}
	got := take(t, proxytest.Script{Raw: &proxytest.Raw{Status: 203, Header: header, Pieces: pieces}}, proxytest.Chat, true)
	if got.status != 203 || got.body != "data: {\"a\":\"€\"}\n\n" || got.header.Get("X-Test") != "yes" || got.err != nil {
		t.Errorf("got %+v", got)
	}
	got = take(t, proxytest.Script{Raw: &proxytest.Raw{Header: header, Pieces: pieces, End: proxytest.EndAbort}}, proxytest.Chat, true)
	if got.status != 200 || !errors.Is(got.err, io.ErrUnexpectedEOF) {
		t.Errorf("aborted: %+v", got)
	}
}

// TestNoForm: a part that a dialect cannot carry is refused aloud.
func TestNoForm(t *testing.T) {
	got := take(t, proxytest.Script{Parts: proxytest.Parts(proxytest.Redacted("x"))}, proxytest.Chat, true)
	if got.status != http.StatusNotImplemented || !strings.Contains(got.body, "redacted") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestRegroup(t *testing.T) {
	pieces := [][]byte{[]byte("a€b"), []byte("c"), []byte("🎹")}
	all := bytes.Join(pieces, nil)
	for _, c := range []struct {
		name    string
		regroup func([][]byte) [][]byte
		want    []string
	}{
		{"by two", proxytest.ByBytes(2), []string{"a\xe2", "\x82\xac", "bc", "\xf0\x9f", "\x8e\xb9"}},
		{"in runes", proxytest.InRunes, []string{"a\xe2", "\x82\xacb", "c", "\xf0", "\x9f\x8e\xb9"}},
		{"at once", proxytest.AtOnce, []string{string(all)}},
		{"at offsets", proxytest.AtOffsets(1, 3, 99), []string{"a", "\xe2\x82", "\xacbc🎹"}},
	} {
		var got []string
		for _, p := range c.regroup(pieces) {
			got = append(got, string(p))
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
