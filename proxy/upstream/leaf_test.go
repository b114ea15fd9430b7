package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

func TestOneRowForEachAttempt(t *testing.T) {
	type want struct {
		outcome llm.Outcome
		kind    llm.ErrorKind
		status  int
	}
	for name, c := range map[string]struct {
		script proxytest.Script
		stream bool
		want   want
	}{
		"whole":                     {proxytest.Script{}, false, want{llm.OK, "", 200}},
		"stream":                    {proxytest.Script{}, true, want{llm.OK, "", 200}},
		"without [DONE]":            {proxytest.Script{Fault: proxytest.FaultNoDone}, true, want{llm.OK, "", 200}},
		"more after the end":        {proxytest.Script{Fault: proxytest.FaultTrailing}, true, want{llm.OK, "", 200}},
		"refused 401":               {proxytest.Script{Fail: &proxytest.Fail{Status: 401}}, false, want{llm.Failed, llm.Unauthorized, 401}},
		"refused 429":               {proxytest.Script{Fail: &proxytest.Fail{Status: 429}}, true, want{llm.Failed, llm.RateLimited, 429}},
		"refused 400":               {proxytest.Script{Fail: &proxytest.Fail{Status: 400}}, true, want{llm.Failed, llm.BadRequest, 400}},
		"web page":                  {proxytest.Script{Fault: proxytest.FaultHTML}, false, want{llm.Failed, llm.ServerError, 502}},
		"empty body":                {proxytest.Script{Fault: proxytest.FaultEmpty}, false, want{llm.Failed, llm.Garbage, 200}},
		"empty body of a stream":    {proxytest.Script{Fault: proxytest.FaultEmpty}, true, want{llm.Failed, llm.Garbage, 200}},
		"empty stream":              {proxytest.Script{Fault: proxytest.FaultFin}, true, want{llm.Failed, llm.Garbage, 200}},
		"no JSON":                   {proxytest.Script{Fault: proxytest.FaultGarbage}, false, want{llm.Failed, llm.Garbage, 200}},
		"no JSON in the 1st frame":  {proxytest.Script{Fault: proxytest.FaultGarbage}, true, want{llm.Failed, llm.Garbage, 200}},
		"an error with 200":         {proxytest.Script{Fault: proxytest.FaultInside, Fail: &proxytest.Fail{}}, false, want{llm.Failed, llm.ServerError, 200}},
		"an error in the 1st frame": {proxytest.Script{Fault: proxytest.FaultInside, Fail: &proxytest.Fail{}}, true, want{llm.Failed, llm.ServerError, 200}},
		"a redirect":                {proxytest.Script{Fault: proxytest.FaultRedirect}, false, want{llm.Failed, llm.Garbage, 302}},
		"half of a whole answer":    {proxytest.Script{Fault: proxytest.FaultCut}, false, want{llm.Broken, llm.Cut, 200}},
		"cut before the 1st frame":  {proxytest.Script{Fault: proxytest.FaultCut}, true, want{llm.Broken, llm.Cut, 200}},
		"cut in mid-stream":         {proxytest.Script{Fault: proxytest.FaultCut, After: 3}, true, want{llm.Broken, llm.Cut, 200}},
		"an early clean end":        {proxytest.Script{Fault: proxytest.FaultFin, After: 3}, true, want{llm.Broken, llm.Cut, 200}},
		"an error in mid-stream":    {proxytest.Script{Fault: proxytest.FaultError, After: 3, Fail: &proxytest.Fail{}}, true, want{llm.Failed, llm.ServerError, 200}},
		"an error, then [DONE]":     {errorThenDone, true, want{llm.Failed, llm.ServerError, 200}},
		"[DONE] alone":              {raw("data: [DONE]\n\n"), true, want{llm.Failed, llm.Garbage, 200}},
		"comments alone":            {raw(": hello\n\n: hello\n\n"), true, want{llm.Failed, llm.Garbage, 200}},
		"brotli":                    {proxytest.Script{Header: http.Header{"Content-Encoding": {"br"}}}, false, want{llm.Failed, llm.Garbage, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, c.script)
			r := request(t, c.stream)
			l.book.onBegin = func(a *llm.Attempt) {
				if n := len(l.provider.Requests()); n != 0 {
					t.Errorf("%d requests went out before Begin", n)
				}
				if a.Request != r || a.Number != 1 || a.Provider != "lab" || a.Model != "m1" || a.Key != "work" || a.Streamed != c.stream || a.Start.IsZero() || a.SentBytes == 0 {
					t.Errorf("begun %+v", a)
				}
			}
			var read error
			resp, err := l.Do(t.Context(), r)
			if err == nil {
				_, read = readers["Read"](resp.Body)
				if resp.Target != "lab/m1" || resp.Attempts != 1 || resp.Outbound.Name() != "chat" {
					t.Errorf("response %+v", resp)
				}
				for range 2 {
					if err := resp.Body.Close(); err != nil {
						t.Error(err)
					}
				}
			}
			row := l.book.only(t)
			if row.Outcome != c.want.outcome || row.Status != c.want.status {
				t.Errorf("row %s %d, want %s %d", row.Outcome, row.Status, c.want.outcome, c.want.status)
			}
			if row.FirstByte.Before(row.Start) || row.End.Before(row.FirstByte) {
				t.Errorf("started %v, first byte %v, end %v", row.Start, row.FirstByte, row.End)
			}
			if (row.Err == nil) != (c.want.kind == "") || row.Err != nil && row.Err.Kind != c.want.kind {
				t.Errorf("row says %v", row.Err)
			}
			if row.Outcome == llm.OK && (row.Tally.Usage.Input != 12 || row.Tally.Usage.Output != 7) {
				t.Errorf("usage %+v", row.Tally.Usage)
			}
			if c.want.kind != "" && err != nil && err.(*llm.Error) != row.Err {
				t.Errorf("the client is told %v, the row %v", err, row.Err)
			}
			if row.Outcome == llm.Broken && err == nil && read == nil {
				t.Error("a cut answer ended cleanly")
			}
		})
	}
}

func raw(pieces ...string) proxytest.Script {
	r := &proxytest.Raw{Header: http.Header{"Content-Type": {"text/event-stream"}}}
	for _, p := range pieces {
		r.Pieces = append(r.Pieces, []byte(p))
	}
	return proxytest.Script{Raw: r}
}

var errorThenDone = raw(
	`data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}`+"\n\n",
	`data: {"error":{"message":"The server had an error","type":"server_error","code":null}}`+"\n\n",
	"data: [DONE]\n\n",
)

// J9: what a provider's refusal becomes.
func TestRefusals(t *testing.T) {
	l := start(t, proxytest.Script{Fail: &proxytest.Fail{Status: 429, RetryAfter: 7}})
	e := l.bad(t, t.Context(), request(t, false))
	if e.Status != 429 || e.RetryAfter != 7*time.Second || e.Provider != "lab" || e.Header.Get("X-Request-Id") != "req_test" || e.Outbound != "chat" || len(e.Raw) == 0 {
		t.Errorf("%+v", e)
	}
	l = start(t, proxytest.Script{Fault: proxytest.FaultHTML})
	if e := l.bad(t, t.Context(), request(t, false)); e.HTTPStatus() != 502 || strings.Contains(e.Message, "<") {
		t.Errorf("%d %s", e.HTTPStatus(), e.Message)
	}
	l = start(t, proxytest.Script{Fault: proxytest.FaultRedirect})
	if e := l.bad(t, t.Context(), request(t, false)); e.HTTPStatus() != 502 || e.Raw != nil || !strings.Contains(e.Message, "base_url of lab") {
		t.Errorf("%d %s", e.HTTPStatus(), e.Message)
	}
	if n := len(l.provider.Requests()); n != 1 {
		t.Errorf("%d requests after a redirect", n)
	}
}

// Promise 1: a provider that repeats the key does not get it into an error.
func TestTheKeyIsMasked(t *testing.T) {
	echo := &proxytest.Fail{Status: 401, EchoKey: true}
	for name, c := range map[string]struct {
		script proxytest.Script
		stream bool
	}{
		"status":      {proxytest.Script{Fail: echo}, false},
		"whole":       {proxytest.Script{Fault: proxytest.FaultInside, Fail: echo}, false},
		"first frame": {proxytest.Script{Fault: proxytest.FaultInside, Fail: echo}, true},
		"code":        {proxytest.Script{Raw: &proxytest.Raw{Status: 401, Pieces: [][]byte{[]byte(`{"error":{"message":"no","code":"` + canary + `"}}`)}}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := start(t, c.script)
			e := l.bad(t, t.Context(), request(t, c.stream))
			if l.provider.Last().Key != canary {
				t.Fatalf("the provider got the key %q", l.provider.Last().Key)
			}
			if e.Raw == nil {
				t.Error("the provider's own error is lost")
			}
			for _, s := range []string{e.Message, e.Code, string(e.Raw), e.Error(), l.book.only(t).Err.Message} {
				if strings.Contains(s, canary) {
					t.Errorf("the key is in %s", s)
				}
			}
			if !strings.Contains(e.Message+e.Code, hint) {
				t.Errorf("the masked key is not in %q %q", e.Message, e.Code)
			}
		})
	}
}

// K7: what a provider may know of the client.
func TestHeadersThatGoOn(t *testing.T) {
	for name, translated := range map[string]bool{"same dialect": false, "translated": true} {
		t.Run(name, func(t *testing.T) {
			l := start(t)
			l.Header = http.Header{"X-Fixed": {"1"}}
			r := request(t, false)
			r.Header = http.Header{
				"Authorization": {"Bearer kt-local"}, "X-Api-Key": {"kt-local"}, "X-Goog-Api-Key": {"kt-local"}, "Cookie": {"a=kt-local"},
				"X-Forwarded-For": {"10.0.0.7"}, "Forwarded": {"for=10.0.0.7"}, "Via": {"x"}, "Origin": {"http://localhost"}, "Referer": {"http://localhost/"},
				"Connection": {"close"}, "Accept-Encoding": {"br"}, "X-Stainless-Os": {"Linux"}, "Proxy-Authorization": {"kt-local"}, "Host": {"evil"},
				"User-Agent": {"tool/1"}, "Idempotency-Key": {"id-1"}, "Openai-Beta": {"b"}, "Http-Referer": {"https://app"}, "X-Title": {"App"},
				"Content-Encoding": {"gzip"}, "Transfer-Encoding": {"chunked"},
			}
			if translated {
				r.Inbound = other{}
			}
			l.good(t, r)
			seen := l.provider.Last()
			want := map[string]string{
				"Authorization": "Bearer " + canary, "X-Fixed": "1", "Content-Type": "application/json", "Accept": "application/json",
				"User-Agent": "Keytray", "Content-Length": seen.Header.Get("Content-Length"),
			}
			if !translated {
				want["User-Agent"], want["Idempotency-Key"], want["Openai-Beta"], want["Http-Referer"], want["X-Title"] = "tool/1", "id-1", "b", "https://app", "App"
			}
			for k, v := range seen.Header {
				if w, ok := want[k]; !ok || !slices.Equal(v, []string{w}) {
					t.Errorf("the provider saw %s: %q, want %q", k, v, w)
				}
				delete(want, k)
			}
			if len(want) > 0 {
				t.Errorf("the provider did not see %v", want)
			}
			if "http://"+seen.Host+"/v1" != l.Base {
				t.Errorf("host %s", seen.Host)
			}
			if len(l.Header) != 1 {
				t.Errorf("the leaf's header became %v", l.Header)
			}
		})
	}
}

func TestWithoutAKeyNothingIsDialled(t *testing.T) {
	l := start(t)
	missing := &llm.Error{Kind: llm.Unauthorized, Code: "no_key", Message: "there is no key for lab"}
	l.Sign = func(context.Context, *http.Request) (Signature, error) { return Signature{}, missing }
	e := l.bad(t, t.Context(), request(t, false))
	row := l.book.only(t)
	if e != missing || row.Err != missing || row.Outcome != llm.Failed || row.Status != 0 || !row.FirstByte.IsZero() || row.End.IsZero() {
		t.Errorf("error %v, row %+v", e, row)
	}
	if e.Provider != "" {
		t.Errorf("the lack is blamed on %s", e.Provider)
	}
	if l.Network.Dials() != 0 || len(l.provider.Requests()) != 0 {
		t.Errorf("%d dials, %d requests", l.Network.Dials(), len(l.provider.Requests()))
	}
}

func TestACallThatIsCancelledWhileItsKeyIsRead(t *testing.T) {
	l := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	l.Sign = func(ctx context.Context, _ *http.Request) (Signature, error) {
		cancel()
		return Signature{}, ctx.Err()
	}
	if e := l.bad(t, ctx, request(t, false)); e.Kind != llm.Canceled || l.book.only(t).Outcome != llm.Aborted {
		t.Errorf("%v, row %+v", e.Kind, l.book.only(t))
	}
}

// What cannot be put into the provider's dialect has a row and no call.
func TestARequestThatCannotBeTranslated(t *testing.T) {
	l := start(t)
	r := requestOf(t, `{"model":"asked","messages":"none"}`)
	r.Inbound = other{}
	e := l.bad(t, t.Context(), r)
	if e.Kind != llm.BadRequest || e.Param != "messages" || e.Provider != "" || l.Network.Dials() != 0 {
		t.Errorf("%+v", e)
	}
	if row := l.book.only(t); row.Outcome != llm.Failed || row.Err.Kind != llm.BadRequest {
		t.Errorf("row %+v", row)
	}
}

// Two targets may hold one request: each has its own attempt.
func TestAttemptsAreCounted(t *testing.T) {
	l := start(t, proxytest.Script{Fail: &proxytest.Fail{}}, proxytest.Script{})
	r := request(t, false)
	l.bad(t, t.Context(), r)
	resp := l.good(t, r)
	rows := l.book.rows(t)
	if len(rows) != 2 || rows[0].Number != 1 || rows[1].Number != 2 || resp.Attempts != 2 {
		t.Errorf("attempts %d, rows %+v", resp.Attempts, rows)
	}
}

func TestCancelWhileTheProviderIsSilent(t *testing.T) {
	for name, fault := range map[string]proxytest.Fault{"no headers": proxytest.FaultHang, "no first frame": proxytest.FaultStall} {
		t.Run(name, func(t *testing.T) {
			l := start(t, proxytest.Script{Fault: fault})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan *llm.Error, 1)
			r := request(t, true)
			go func() {
				_, err := l.Do(ctx, r)
				done <- llm.AsError(err)
			}()
			seen, err := l.provider.Await(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			if e := <-done; e.Kind != llm.Canceled {
				t.Errorf("%v", e)
			}
			limit, stop := context.WithTimeout(t.Context(), 5*time.Second)
			defer stop()
			if _, err := seen.AwaitCancel(limit); err != nil {
				t.Error(err)
			}
			if row := l.book.only(t); row.Outcome != llm.Aborted || row.End.IsZero() {
				t.Errorf("row %+v", row)
			}
		})
	}
}

func TestADeadlineIsATimeout(t *testing.T) {
	l := start(t, proxytest.Script{Fault: proxytest.FaultHang})
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	e := l.bad(t, ctx, request(t, false))
	if e.Kind != llm.Timeout || e.HTTPStatus() != http.StatusGatewayTimeout || !e.Retryable() || l.book.only(t).Outcome != llm.Failed {
		t.Errorf("%+v", e)
	}
}

// panics is a dialect with a fault of its own.
type panics struct{ chat.Dialect }

func (panics) Tally(*llm.Call, *llm.Tally, []byte) llm.Verdict { panic("a fault in a dialect") }

func TestARowEndsEvenIfADialectPanics(t *testing.T) {
	for name, stream := range map[string]bool{"whole": false, "stream": true} {
		t.Run(name, func(t *testing.T) {
			l := start(t)
			l.Outbound = panics{}
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_, _ = l.Do(t.Context(), request(t, stream))
			}()
			if row := l.book.only(t); row.Outcome != llm.Failed || row.Err.Kind != llm.Internal {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// What the connection may not know: whose fault it is, and what to do.
func TestUnreachable(t *testing.T) {
	server := proxytest.Start(t, proxytest.New())
	l := leaf(t, server.URL)
	server.Close()
	e := l.bad(t, t.Context(), request(t, false))
	row := l.book.only(t)
	if e.Kind != llm.Unreachable || e.HTTPStatus() != 502 || e.Provider != "lab" || !strings.Contains(e.Message, strings.TrimPrefix(server.URL, "http://")) || row.Outcome != llm.Failed || row.Status != 0 {
		t.Errorf("%+v, row %+v", e, row)
	}
	var inner *llm.Error
	if !errors.As(error(e), &inner) || e.Unwrap() == nil {
		t.Error("the cause is lost")
	}
}

// A connection that the provider closed while it was idle is not the next
// call's failure; one that breaks once the call was sent is, because sending it
// again could be paid twice.
func TestAStaleConnectionIsReplaced(t *testing.T) {
	var calls, aborts atomic.Int32
	p := proxytest.New()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1); aborts.Load() > 0 {
			panic(http.ErrAbortHandler)
		}
		p.ServeHTTP(w, r)
	}))
	defer server.Close()
	l := leaf(t, server.URL)
	closed := make(chan struct{}, 8)
	dial := l.Network.transport.DialContext
	l.Network.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return &closeTold{c, closed}, err
	}
	l.good(t, request(t, false))
	server.CloseClientConnections()
	<-closed // the pool has noticed
	l.good(t, request(t, false))
	if n := calls.Load(); n != 2 || l.Network.Dials() != 2 {
		t.Errorf("the provider saw %d requests over %d connections, want 2 over 2", n, l.Network.Dials())
	}
	aborts.Store(1)
	if e := l.bad(t, t.Context(), request(t, false)); e.Kind != llm.Unreachable || calls.Load() != 3 {
		t.Errorf("%v after %d requests, want 3", e, calls.Load())
	}
	if rows := l.book.rows(t); len(rows) != 3 || rows[1].Outcome != llm.OK || rows[2].Outcome != llm.Failed {
		t.Errorf("rows %+v", rows)
	}
}

// closeTold tells when a connection is closed.
type closeTold struct {
	net.Conn
	told chan<- struct{}
}

func (c *closeTold) Close() error {
	err := c.Conn.Close()
	c.told <- struct{}{}
	return err
}
