package app

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"keytray/proxy/llm"
)

// cloud is a host that writes down what it is asked.
type cloud struct {
	*httptest.Server
	mu    sync.Mutex
	calls []asked
	serve func(w http.ResponseWriter, r *http.Request, body string)
}

// asked is one call that a cloud got.
type asked struct {
	path, query, body string
	header            http.Header
	host              string
}

func startCloud(t *testing.T, serve func(w http.ResponseWriter, r *http.Request, body string)) *cloud {
	t.Helper()
	c := &cloud{serve: serve}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.calls = append(c.calls, asked{r.URL.EscapedPath(), r.URL.RawQuery, string(b), r.Header, r.Host})
		c.mu.Unlock()
		c.serve(w, r, string(b))
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *cloud) all() []asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls)
}

func (c *cloud) last(t *testing.T) asked {
	t.Helper()
	all := c.all()
	if len(all) == 0 {
		t.Fatal("it was not called")
	}
	return all[len(all)-1]
}

// The parts of an AWS key, each a canary.
const (
	awsAccess  = "AKIACANARY0000000001"
	awsSecret  = "canary/secret+5d41402abc4b2a76b9719d91"
	awsSession = "canarySession5d41402abc4b2a76b9719d911017c592=="
)

// signature computes what Authorization must be, after AWS's description of
// Signature Version 4 and without AWS's code; "" if the call is not signed so.
func signature(a asked, secret, region, service string) string {
	auth := a.header.Get("Authorization")
	field := func(name string) string {
		_, rest, _ := strings.Cut(auth, name+"=")
		v, _, _ := strings.Cut(rest, ",")
		return v
	}
	date := a.header.Get("X-Amz-Date")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 ") || len(date) != 16 {
		return ""
	}
	canonical := "POST\n" + strings.ReplaceAll(a.path, "%", "%25") + "\n" + a.query + "\n"
	signed := strings.Split(field("SignedHeaders"), ";")
	for _, name := range signed {
		value := a.header.Get(name)
		switch name {
		case "host":
			value = a.host
		case "content-length":
			value = fmt.Sprint(len(a.body))
		}
		canonical += name + ":" + strings.TrimSpace(value) + "\n"
	}
	sum := func(s string) string { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
	canonical += "\n" + strings.Join(signed, ";") + "\n" + sum(a.body)
	scope := date[:8] + "/" + region + "/" + service + "/aws4_request"
	toSign := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sum(canonical)
	key := []byte("AWS4" + secret)
	for _, part := range []string{date[:8], region, service, "aws4_request", toSign} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	return "AWS4-HMAC-SHA256 Credential=" + awsAccess + "/" + scope + ", SignedHeaders=" + strings.Join(signed, ";") + ", Signature=" + hex.EncodeToString(key)
}

// signedBy checks that a call's signature is right and covers what matters.
func signedBy(t *testing.T, a asked, region string) {
	t.Helper()
	if want := signature(a, awsSecret, region, "bedrock"); a.header.Get("Authorization") != want || want == "" {
		t.Errorf("signed  %s\nwant it %s", a.header.Get("Authorization"), want)
	}
	for _, name := range []string{"host", "x-amz-date", "content-length"} {
		if !strings.Contains(a.header.Get("Authorization"), name) {
			t.Errorf("%s is not signed", name)
		}
	}
}

// message is one of an AWS event stream.
func message(t *testing.T, kind, name, payload string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":message-type", eventstream.StringValue(kind))
	m.Headers.Set(":"+kind+"-type", eventstream.StringValue(name))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// converseStream answers with a short ConverseStream.
func converseStream(t *testing.T, w http.ResponseWriter) {
	t.Helper()
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	for _, m := range [][2]string{
		{"messageStart", `{"role":"assistant","p":"abc"}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello"}}`},
		{"contentBlockStop", `{"contentBlockIndex":0}`},
		{"messageStop", `{"stopReason":"end_turn"}`},
		{"metadata", `{"usage":{"inputTokens":1000,"outputTokens":100,"totalTokens":1100},"metrics":{"latencyMs":1}}`},
	} {
		_, _ = w.Write(message(t, "event", m[0], m[1])) // the client may be gone
	}
}

// client is a dialect that no client speaks here yet, but for its name.
type client struct {
	llm.Inbound
	name string
}

func (c client) Name() string { return c.name }

// send makes a call of a client that speaks a dialect, as the handler would.
func (h *house) send(dialect, model, body string, stream bool, header http.Header) (*llm.Response, error) {
	h.t.Helper()
	at := strings.Index(body, `"`+model+`"`)
	r := &llm.Request{
		ID: "kt-test", Tool: "t", Inbound: client{name: dialect}, Raw: []byte(body), Header: header,
		Peek: llm.Peek{Model: model, Stream: stream, ModelAt: [2]int{at, at + len(model) + 2}},
	}
	target, err := h.table.Load().Target(r)
	if err != nil {
		return nil, err
	}
	return target.Do(h.t.Context(), r)
}

// hides checks that no part of a key is in what a client or a log can see.
func (h *house) hides(what string, parts ...string) {
	h.t.Helper()
	seen := what + h.log.String() + fmt.Sprintf("%+v", h.rows())
	for _, part := range parts {
		if strings.Contains(seen, part) {
			h.t.Errorf("a part of the key can be seen in\n%s", seen)
		}
	}
}

func hostname(at string) string {
	u, err := url.Parse(at)
	if err != nil {
		return at
	}
	return u.Host
}
