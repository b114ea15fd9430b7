package app

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// wantRefused checks that an answer is an error in OpenAI's shape.
func (r reply) wantRefused(t *testing.T, status int, mention ...string) {
	t.Helper()
	var body struct {
		Error *struct {
			Message, Type string
			Param, Code   *string
		}
	}
	if err := json.Unmarshal([]byte(r.body), &body); err != nil || body.Error == nil || body.Error.Message == "" || body.Error.Type == "" {
		t.Errorf("%d: no error of OpenAI's in %q", r.status, r.body)
		return
	}
	if r.status != status || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		t.Errorf("status %d (%s), want %d: %s", r.status, r.header.Get("Content-Type"), status, r.body)
	}
	for _, m := range mention {
		if !strings.Contains(body.Error.Message, m) {
			t.Errorf("the message does not mention %q: %s", m, body.Error.Message)
		}
	}
}

// packed compresses n MiB of blanks and then a text. What unpacks it reads one
// member after the other, so the blanks are compressed once.
func packed(t *testing.T, with string, n int, text string) string {
	t.Helper()
	member := func(b []byte) string {
		var out bytes.Buffer
		var w io.WriteCloser = gzip.NewWriter(&out)
		if with == "zstd" {
			z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
			if err != nil {
				t.Fatal(err)
			}
			w = z
		}
		_, err := w.Write(b)
		if err := errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	return strings.Repeat(member(bytes.Repeat([]byte{' '}, 1<<20)), n) + member([]byte(text))
}

// Requests that are no good are refused with what to do about it, before
// anything is sent or written down.
func TestBadRequests(t *testing.T) {
	p := proxytest.New()
	h, _ := lab(t, proxytest.Messages, p)
	good := chatBody("anthropic/claude-haiku-5-5", "")
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		mention    []string
	}{
		{name: "no JSON", body: "model=x&messages=y", status: 400, mention: []string{"not JSON"}},
		{name: "empty", status: 400, mention: []string{"empty"}},
		{name: "an array", body: "[" + good + "]", status: 400, mention: []string{"JSON object"}},
		{name: "cut JSON", body: good[:len(good)-2], status: 400, mention: []string{"cut off"}},
		{name: "no model", body: `{"messages":[]}`, status: 400, mention: []string{"model is missing"}},
		{name: "a model that is a number", body: `{"model":5,"messages":[]}`, status: 400, mention: []string{"must be a string"}},
		{name: "messages that are none", body: `{"model":"anthropic/claude-haiku-5-5","messages":"hi"}`, status: 400, mention: []string{"messages"}},
		{name: "a role that is none", body: `{"model":"anthropic/claude-haiku-5-5","messages":[{"role":"king","content":"hi"}]}`, status: 400, mention: []string{"king"}},
		{name: "says gzip and is not", body: good, header: []string{"Content-Encoding", "gzip"}, status: 400, mention: []string{"gzip"}},
		{name: "says zstd and is not", body: good, header: []string{"Content-Encoding", "zstd"}, status: 400},
		{name: "packed in an unknown way", body: good, header: []string{"Content-Encoding", "br"}, status: 415, mention: []string{"br"}},
		{name: "half a gzip", body: packed(t, "gzip", 0, good)[:60], header: []string{"Content-Encoding", "gzip"}, status: 400},
		{name: "gzip bomb", body: packed(t, "gzip", 129, good), header: []string{"Content-Encoding", "gzip"}, status: 413, mention: []string{"128 MiB"}}, // K12
		{name: "zstd bomb", body: packed(t, "zstd", 129, good), header: []string{"Content-Encoding", "zstd"}, status: 413, mention: []string{"128 MiB"}}, // K12
		{name: "an unknown model", body: chatBody("anthropic/claude-sonet-5.5", ""), status: 200},                                                        // the provider's to judge
		{name: "an unknown bare name", body: chatBody("claude-hiku-5-5", ""), status: 404, mention: []string{"claude-hiku-5-5", "did you mean", "claude-haiku-5-5"}},
		{name: "a name like no other", body: chatBody("zzzzzzzz", ""), status: 404, mention: []string{"zzzzzzzz", "keytray models"}},
		{name: "a bare name without a key", body: chatBody("gpt-5", ""), status: 404, mention: []string{"keytray keys add openai"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, rows := len(p.Requests()), len(h.rows())
			r := h.do("POST", "/v1/chat/completions", c.body, c.header...)
			if c.status == 200 {
				if r.status != 200 {
					t.Errorf("%d %s", r.status, r.body)
				}
				return
			}
			r.wantRefused(t, c.status, c.mention...)
			if n := len(p.Requests()) - before; n != 0 {
				t.Errorf("the provider was asked %d times", n)
			}
			// What is refused for its content was about to be asked: it has a row.
			for _, row := range h.rows()[rows:] {
				if row.Status != ledger.StatusError || row.CostPico == nil || *row.CostPico != 0 {
					t.Errorf("row %+v", row)
				}
			}
		})
	}
	t.Run("a provider without a key", func(t *testing.T) {
		rows := len(h.rows())
		r := h.chat("openai/gpt-5", "")
		r.wantRefused(t, 401, "keytray keys add openai")
		for _, row := range h.rows()[rows:] {
			if row.Status != ledger.StatusError || row.CostPico == nil || *row.CostPico != 0 {
				t.Errorf("row %+v", row)
			}
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		r := h.do("POST", "/v1/completion", good)
		r.wantRefused(t, 404, "/v1/chat/completions")
		r = h.do("GET", "/v1/chat/completions", "")
		r.wantRefused(t, 405, "POST")
	})
	for _, with := range []string{"gzip", "zstd"} { // J3
		t.Run("packed with "+with, func(t *testing.T) {
			r := h.do("POST", "/v1/chat/completions", packed(t, with, 0, good), "Content-Encoding", with)
			if sent := string(p.Last().Body); r.status != 200 || !strings.Contains(sent, "hello there") {
				t.Errorf("%d %s, sent %s", r.status, r.body, sent)
			}
		})
	}
}

// half sends a request by hand: a stated length, and less than that.
func (h *house) half(length int, body string) reply {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(h.t.Context(), "tcp", addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", addr, h.token, length, body)
	if err := errors.Join(err, conn.(*net.TCPConn).CloseWrite()); err != nil {
		h.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// A body that ends early, and one that is too large to be read at all.
func TestBadLengths(t *testing.T) {
	p := proxytest.New()
	h, _ := lab(t, proxytest.Chat, p)
	good := chatBody("openai/gpt-5", "")
	h.half(len(good)+100, good).wantRefused(t, 400, "ended before its stated length")
	h.half(200<<20, "").wantRefused(t, 413, "128 MiB")
	if n, rows := len(p.Requests()), len(h.rows()); n != 0 || rows != 0 {
		t.Errorf("%d requests went out, %d rows", n, rows)
	}
}

// K6: addresses inside a request are the provider's to fetch, or are refused.
func TestURLsInsideAreNotFetched(t *testing.T) {
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	touched := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := trap.Accept()
			if err != nil {
				return
			}
			touched <- conn.RemoteAddr().String()
			conn.Close()
		}
	}()
	_, port, err := net.SplitHostPort(trap.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	eachUpstream(t, nil, func(t *testing.T, c caseOf) {
		for _, url := range []string{
			"http://127.0.0.1:" + port + "/a.png", "http://localhost:" + port + "/a.png", "http://0.0.0.0:" + port + "/a.png",
			"http://[::ffff:127.0.0.1]:" + port + "/a.png", "http://2130706433:" + port + "/a.png", "http://169.254.169.254/latest/meta-data/",
		} {
			r := c.do("POST", "/v1/chat/completions", fmt.Sprintf(
				`{"model":%q,"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":%q}}]}]}`, c.asked, url))
			if r.status != 200 {
				r.wantRefused(t, 400, "image")
			} else if sent := c.sent(); !strings.Contains(sent, url) {
				t.Errorf("%s became %s", url, sent)
			}
		}
		// The one address that is not of this computer would have been refused
		// at the way out: it is no configured provider's.
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://169.254.169.254/latest/meta-data/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := c.network.RoundTrip(req); err == nil {
			resp.Body.Close()
			t.Error("169.254.169.254 may be called")
		}
	})
	if err := trap.Close(); err != nil {
		t.Fatal(err)
	}
	<-done
	close(touched)
	for from := range touched {
		t.Errorf("the address was fetched from %s", from)
	}
}
