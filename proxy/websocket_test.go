package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"keytray/proxy/llm"
)

// talk is a client's side of a WebSocket.
type talk struct {
	*websocket.Conn
	t *testing.T
}

func dial(t *testing.T, h http.Handler, header http.Header, protocols ...string) (*talk, *http.Response) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	if header == nil {
		header = http.Header{}
	}
	if header["Authorization"] == nil {
		header.Set("Authorization", "Bearer kt-tool")
	}
	c, resp, err := websocket.Dial(t.Context(), server.URL+"/v1/responses", &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
	if err != nil {
		return nil, resp
	}
	t.Cleanup(func() { c.CloseNow() })
	return &talk{c, t}, resp
}

func (c *talk) say(format string, args ...any) {
	c.t.Helper()
	if err := c.Write(c.t.Context(), websocket.MessageText, fmt.Appendf(nil, format, args...)); err != nil {
		c.t.Fatal(err)
	}
}

// hear reads messages up to one of the given type.
func (c *talk) hear(kind string) map[string]any {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	var heard []string
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			c.t.Fatalf("waiting for %s: %v; heard %s", kind, err, heard)
		}
		heard = append(heard, string(b))
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			c.t.Fatalf("%v in %s", err, b)
		}
		if m["type"] == kind {
			m["before"] = len(heard) - 1
			return m
		}
	}
}

func id(m map[string]any) string { return m["response"].(map[string]any)["id"].(string) }

func TestWebSocket(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab"}
	m.answersWith(saidItem)
	h := keeper(m, false)
	c, _ := dial(t, h, http.Header{"Openai-Beta": {"responses_websockets=2026-02-06, other=1"}, "X-Session-Id": {"s"}})
	c.say(`{"type":"response.create","model":"m","store":false,"input":"one","event_id":"e","background":false}`)
	done := c.hear("response.completed")
	if done["before"] != 2 {
		t.Errorf("%v events came before the last, want 2", done["before"])
	}
	r := m.last(t)
	if got := string(r.Raw); got != `{"stream":true,"model":"m","store":false,"input":"one"}` || !r.Stream || r.Tool != "tool" {
		t.Errorf("the call was %s of %s", got, r.Tool)
	}
	for k, want := range map[string]string{"Openai-Beta": "other=1", "Upgrade": "", "Connection": "", "Sec-Websocket-Key": "", "X-Session-Id": "s"} {
		if got := r.Header.Get(k); got != want {
			t.Errorf("%s is %q, want %q", k, got, want)
		}
	}
	// The socket's own memory: with store set to false, and nothing kept elsewhere.
	c.say(`{"type":"response.create","model":"m","store":false,"previous_response_id":%q,"input":[{"type":"function_call_output","call_id":"c","output":"x"}]}`, id(done))
	c.hear("response.completed")
	if got, want := m.input(t), "["+userItem+","+saidItem+`,{"type":"function_call_output","call_id":"c","output":"x"}]`; got != want {
		t.Errorf("the second call's input is %s, want %s", got, want)
	}
	if n, _ := h.Kept(); n != 0 {
		t.Errorf("%d answers are kept beside the socket", n)
	}
	// Another socket knows nothing of them.
	other, _ := dial(t, h, nil)
	other.say(`{"type":"response.create","model":"m","store":false,"previous_response_id":%q,"input":"x"}`, id(done))
	e := other.hear("error")
	if e["status"] != 400.0 || e["error"].(map[string]any)["code"] != "previous_response_not_found" {
		t.Errorf("another socket was told %v", e)
	}
	other.say(`{"type":"response.create","model":"m","input":"and on"}`) // it goes on
	other.hear("response.completed")
}

// A call that is to be prepared only is answered here, and can be continued.
func TestWebSocketWarmUp(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab"}
	m.answersWith(saidItem)
	c, _ := dial(t, keeper(m, false), nil)
	c.say(`{"type":"response.create","model":"m","generate":false,"input":"one"}`)
	done := c.hear("response.completed")
	if done["before"] != 1 || m.calls() != 0 {
		t.Errorf("%v events came before, %d calls were made", done["before"], m.calls())
	}
	c.say(`{"type":"response.create","model":"m","previous_response_id":%q,"input":"two"}`, id(done))
	c.hear("response.completed")
	if got, want := m.input(t), `[`+userItem+`,{"type":"message","role":"user","content":"two"}]`; got != want {
		t.Errorf("input %s, want %s", got, want)
	}
	c.say(`{"type":"response.create","model":"m","generate":false,"previous_response_id":"resp_unknown"}`)
	c.hear("error")
}

func TestWebSocketErrors(t *testing.T) {
	m := &maker{desk: &desk{}, provider: "lab"}
	m.do = func(context.Context, *llm.Request) (*llm.Response, error) {
		return nil, &llm.Error{Kind: llm.RateLimited, Message: "slow down", RetryAfter: 7 * time.Second}
	}
	c, _ := dial(t, keeper(m, false), nil)
	c.say(`{"type":"response.create","model":"m","input":"one"}`)
	e := c.hear("error")
	if e["status"] != 429.0 || !strings.Contains(fmt.Sprint(e["error"]), "slow down") || fmt.Sprint(e["headers"]) != "map[retry-after:7]" {
		t.Errorf("a refusal came as %v", e)
	}
	m.do = func(context.Context, *llm.Request) (*llm.Response, error) {
		resp := answer(&steps{err: fmt.Errorf("reset"), pieces: []string{"data: {\"type\":\"response.created\"}\n\n"}}, true)
		return resp, nil
	}
	c.say(`{"type":"response.create","model":"m","input":"one"}`)
	if e := c.hear("error"); e["before"] != 1 || e["status"] != 502.0 {
		t.Errorf("a cut answer ended with %v", e)
	}
	for _, bad := range []string{`{`, `[]`, `{"type":"response.unheard"}`, `{"type":"response.create","input":"x"}`} {
		c.say("%s", bad)
		if e := c.hear("error"); e["status"] != 400.0 {
			t.Errorf("%s: %v", bad, e)
		}
	}
}

// J6: response.cancel, a client that goes, and Close stop the provider.
func TestWebSocketStops(t *testing.T) {
	for _, how := range []string{"cancel", "close", "gone", "Close"} {
		m := &maker{desk: &desk{}, provider: "lab"}
		stopped := make(chan struct{})
		m.do = func(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
			return answer(&steps{err: context.Canceled, pieces: []string{"data: {\"type\":\"response.created\"}\n\n"}, before: func(n int) {
				if n == 1 {
					<-ctx.Done()
					close(stopped)
				}
			}}, true), nil
		}
		h := keeper(m, false)
		served := make(chan struct{})
		c, _ := dial(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(served)
			h.ServeHTTP(w, r)
		}), nil)
		c.say(`{"type":"response.create","model":"m","input":"one"}`)
		c.hear("response.created")
		switch how {
		case "cancel":
			c.say(`{"type":"response.cancel"}`)
			if e := c.hear("error"); e["error"].(map[string]any)["code"] != "response_cancelled" {
				t.Errorf("cancelled: %v", e)
			}
			m.answersWith(saidItem)
			c.say(`{"type":"response.create","model":"m","input":"one"}`) // the socket lives on
			c.hear("response.completed")
			c.CloseNow()
		case "close":
			go c.Conn.Close(websocket.StatusNormalClosure, "")
		case "gone":
			c.CloseNow()
		case "Close":
			h.Close()
			if _, resp := dial(t, h, nil); resp.StatusCode != 503 {
				t.Errorf("after Close: %d", resp.StatusCode)
			}
		}
		for _, ch := range []chan struct{}{stopped, served} {
			select {
			case <-ch:
			case <-time.After(10 * time.Second):
				t.Fatalf("%s: the provider goes on, or the socket", how)
			}
		}
	}
}

// K1, K3: the guard stands before the WebSocket too.
func TestWebSocketGuard(t *testing.T) {
	h := keeper(&maker{desk: &desk{}, provider: "lab"}, false)
	for want, header := range map[int]http.Header{
		401: {"Authorization": {"Bearer sk-wrong"}},
		403: {"Origin": {"https://evil.com"}},
	} {
		c, resp := dial(t, h, header)
		if c != nil || resp.StatusCode != want {
			t.Errorf("%v: %d", header, resp.StatusCode)
		}
	}
	if w := call(h, "GET", "/v1/responses", ""); w.Code != 405 {
		t.Errorf("without an upgrade: %d", w.Code)
	}
	c, _ := dial(t, h, nil, "openai-insecure-api-key.sk-secret", "responses_websockets.2026-02-06")
	if got := c.Subprotocol(); got != "responses_websockets.2026-02-06" {
		t.Errorf("subprotocol %q", got)
	}
}
