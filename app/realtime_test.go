package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"keytray/store/ledger"
)

// talking is a provider's side of a session: what the test does with it.
type talking struct {
	got  chan *http.Request
	conn chan *websocket.Conn
}

func (p *talking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("model") == "none" {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(404)
		_, _ = w.Write([]byte(`{"error":{"message":"no such model for ` + r.Header.Get("Authorization") + `","code":"model_not_found"}}`))
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"realtime"}, InsecureSkipVerify: true})
	if err != nil {
		return
	}
	p.got <- r
	p.conn <- c
	<-r.Context().Done()
}

// session is a client's socket and the provider's, with Keytray between them.
type session struct {
	*house
	here, there *websocket.Conn
	asked       *http.Request
}

func realtimeHouse(t *testing.T) (*house, *talking) {
	t.Helper()
	p := &talking{got: make(chan *http.Request, 1), conn: make(chan *websocket.Conn, 1)}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	return open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n", "OPENAI_API_KEY="+canary), p
}

func (h *house) dial(query string, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	return websocket.Dial(h.t.Context(), "ws://"+addr+"/v1/realtime?"+query, o)
}

func (h *house) session(p *talking) *session {
	h.t.Helper()
	here, _, err := h.dial("model=openai/gpt-realtime", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + h.token}}, Subprotocols: []string{"realtime"}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { here.CloseNow() })
	s := &session{house: h, here: here, asked: <-p.got, there: <-p.conn}
	h.t.Cleanup(func() { s.there.CloseNow() })
	return s
}

func (s *session) say(c *websocket.Conn, text string) {
	s.t.Helper()
	if err := c.Write(s.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *session) hears(c *websocket.Conn, want string) {
	s.t.Helper()
	kind, got, err := c.Read(s.t.Context())
	if err != nil || string(got) != want || kind != websocket.MessageText {
		s.t.Fatalf("%v %q, want %q", err, got, want)
	}
}

const doneEvent = `{"type":"response.done","event_id":"e","response":{"id":"r","status":"completed","usage":{"total_tokens":160,"input_tokens":100,"output_tokens":60,"input_token_details":{"text_tokens":30,"audio_tokens":70,"cached_tokens":40,"cached_tokens_details":{"text_tokens":10,"audio_tokens":30}},"output_token_details":{"text_tokens":20,"audio_tokens":40}}}}`

func TestRealtime(t *testing.T) {
	h, p := realtimeHouse(t)
	s := h.session(p)
	if a := s.asked; a.Header.Get("Authorization") != "Bearer "+canary || a.URL.Query().Get("model") != "gpt-realtime" || s.here.Subprotocol() != "realtime" {
		t.Errorf("%v %v %q", a.URL, a.Header, s.here.Subprotocol())
	}
	s.say(s.here, `{"type":"response.create"}`)
	s.hears(s.there, `{"type":"response.create"}`)
	if err := s.there.Write(t.Context(), websocket.MessageBinary, []byte{0, 1, 255}); err != nil {
		t.Fatal(err)
	}
	if kind, b, err := s.here.Read(t.Context()); err != nil || kind != websocket.MessageBinary || string(b) != "\x00\x01\xff" {
		t.Fatalf("%v %v %q", err, kind, b)
	}
	for i := range 2 {
		s.say(s.there, `{"type":"response.created","response":{}}`)
		s.hears(s.here, `{"type":"response.created","response":{}}`)
		s.say(s.there, doneEvent)
		s.hears(s.here, doneEvent)
		if rows := h.rows(); len(rows) != i+1 { // finished before the client knew
			t.Fatalf("%d rows after %d responses", len(rows), i+1)
		}
	}
	row := h.last()
	u := row.Usage
	if row.Inbound != "realtime" || row.Model != "gpt-realtime" || row.Tool != "env" || u.Input != 20 || u.CacheRead != 10 || u.AudioInput != 40 || u.AudioCacheRead != 30 || u.Output != 20 || u.AudioOutput != 40 {
		t.Errorf("row %+v", row)
	}
	// 4, 0.4, 32, 0.4, 16 and 64 USD a million.
	wantCost(t, row, 20*4_000_000+10*400_000+40*32_000_000+30*400_000+20*16_000_000+40*64_000_000, ledger.CostExact)

	s.say(s.there, `{"type":"session.updated","session":{"audio":{"input":{"transcription":{"model":"gpt-4o-transcribe"}}}}}`)
	s.hears(s.here, `{"type":"session.updated","session":{"audio":{"input":{"transcription":{"model":"gpt-4o-transcribe"}}}}}`)
	s.say(s.there, `{"type":"conversation.item.input_audio_transcription.completed","transcript":"hi","usage":{"type":"tokens","total_tokens":12,"input_tokens":10,"input_token_details":{"text_tokens":0,"audio_tokens":10},"output_tokens":2}}`)
	if _, _, err := s.here.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	row = h.last()
	if row.Model != "gpt-4o-transcribe" {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 10*6_000_000+2*10_000_000, ledger.CostExact)

	if err := s.here.Close(4001, "enough"); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, _, err := s.there.Read(t.Context()); websocket.CloseStatus(err) != 4001 {
		t.Errorf("the provider's side ended with %v", err)
	}
	if rows := h.rows(); len(rows) != 3 {
		t.Errorf("%d rows", len(rows))
	}
}

func TestRealtimeEnds(t *testing.T) {
	begin := `{"type":"response.created"}`
	for name, c := range map[string]struct {
		end    func(s *session)
		status ledger.Status
		kind   ledger.CostKind
		busy   bool // a response is under way
		code   websocket.StatusCode
		other  func(s *session) *websocket.Conn
	}{
		"the provider goes":               {func(s *session) { s.there.Close(websocket.StatusGoingAway, "bye") }, ledger.StatusOK, ledger.CostExact, false, websocket.StatusGoingAway, func(s *session) *websocket.Conn { return s.here }},
		"the provider goes in a response": {func(s *session) { s.there.CloseNow() }, ledger.StatusCut, ledger.CostUnpriced, true, websocket.StatusInternalError, func(s *session) *websocket.Conn { return s.here }},
		"the client goes in a response":   {func(s *session) { s.here.CloseNow() }, ledger.StatusAborted, ledger.CostUnpriced, true, websocket.StatusInternalError, func(s *session) *websocket.Conn { return s.there }},
	} {
		t.Run(name, func(t *testing.T) {
			h, p := realtimeHouse(t)
			s := h.session(p)
			if c.busy {
				s.say(s.there, begin)
				s.hears(s.here, begin)
			}
			go c.end(s)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, _, err := c.other(s).Read(ctx); websocket.CloseStatus(err) != c.code {
				t.Errorf("the other side ended with %v", err)
			}
			row := h.awaitRow(1)
			if row.Status != c.status {
				t.Errorf("row %+v", row)
			}
			wantCost(t, row, 0, c.kind)
		})
	}
}

// A browser can set no header: its token is a subprotocol, and goes no further.
func TestRealtimeTokenInSubprotocol(t *testing.T) {
	h, p := realtimeHouse(t)
	c, _, err := h.dial("model=gpt-realtime", &websocket.DialOptions{Subprotocols: []string{"realtime", "openai-insecure-api-key.kt-test", "openai-beta.realtime-v1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	asked := <-p.got
	if got := strings.Join(asked.Header["Sec-Websocket-Protocol"], ","); strings.Contains(got, "kt-test") || !strings.Contains(got, "realtime") || !strings.Contains(got, "openai-beta") {
		t.Errorf("subprotocols %q", got)
	}
	if asked.Header.Get("Authorization") != "Bearer "+canary {
		t.Errorf("Authorization %q", asked.Header.Get("Authorization"))
	}
	(<-p.conn).CloseNow()
	if _, resp, err := h.dial("model=gpt-realtime", &websocket.DialOptions{Subprotocols: []string{"openai-insecure-api-key.wrong"}}); err == nil || resp.StatusCode != 401 {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestRealtimeRefusals(t *testing.T) {
	h, _ := realtimeHouse(t)
	token := http.Header{"Authorization": {"Bearer kt-test"}}
	for name, c := range map[string]struct {
		query  string
		header http.Header
		status int
	}{
		"no token":     {"model=gpt-realtime", nil, 401},
		"foreign page": {"model=gpt-realtime", http.Header{"Authorization": {"Bearer kt-test"}, "Origin": {"https://evil.com"}}, 403}, // K1
		"no model":     {"", token, 400},
		"no such":      {"model=openai/none", token, 404},
	} {
		_, resp, err := h.dial(c.query, &websocket.DialOptions{HTTPHeader: c.header})
		if err == nil || resp == nil || resp.StatusCode != c.status {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b := make([]byte, 1000)
		n, _ := resp.Body.Read(b)
		var e struct{ Error struct{ Message string } }
		if json.Unmarshal(b[:n], &e) != nil || e.Error.Message == "" || strings.Contains(string(b[:n]), canary) {
			t.Errorf("%s: %s", name, b[:n])
		}
	}
	row := h.last() // of the one that the provider refused
	if row.Status != ledger.StatusError || row.HTTPStatus != 404 || strings.Contains(row.Error, canary) {
		t.Errorf("row %+v", row)
	}
	wantCost(t, row, 0, ledger.CostExact)
	if r := h.do("GET", "/v1/realtime?model=gpt-realtime", ""); r.status != 426 {
		t.Errorf("%d %s", r.status, r.body)
	}
	h = open(t, "active: offline\n", "OPENAI_API_KEY="+canary)
	if _, resp, err := h.dial("model=gpt-realtime", &websocket.DialOptions{HTTPHeader: token}); err == nil || resp.StatusCode != 403 {
		t.Errorf("offline: %v", err)
	}
}

// Keytray's own end ends a session.
func TestRealtimeWhenKeytrayCloses(t *testing.T) {
	h, p := realtimeHouse(t)
	s := h.session(p)
	closed := make(chan error, 1)
	go func() { closed <- h.App.Close() }()
	if _, _, err := s.here.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the client's side ended with %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
