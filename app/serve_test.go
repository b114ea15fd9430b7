package app

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// underWay is a streamed call that waits for its provider after one word.
func (h *house) underWay(model string) *bufio.Reader {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), "POST", "http://"+addr+"/v1/chat/completions", strings.NewReader(chatBody(model, `"stream":true`)))
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { resp.Body.Close() })
	in := bufio.NewReader(resp.Body)
	for line := ""; !strings.Contains(line, `"content":"one `); {
		if line, err = in.ReadString('\n'); err != nil {
			h.t.Fatal(err)
		}
	}
	return in
}

// paced is a provider that waits after its first words until step is closed.
func paced() (p *proxytest.Provider, step chan struct{}) {
	step = make(chan struct{}, 100)
	for range 5 {
		step <- struct{}{}
	}
	return proxytest.New(proxytest.Script{Parts: proxytest.Parts(proxytest.Text("one ", "two ", "three ", "four ", "five ")), Step: step}), step
}

// closing closes h in the background, and waits until it takes no more calls.
func (h *house) closing() <-chan error {
	h.t.Helper()
	changed := make(chan error, 1)
	addr, _ := h.Addr()
	go func() { changed <- h.Close() }()
	limit := time.Now().Add(10 * time.Second)
	for time.Now().Before(limit) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return changed
		}
		c.Close()
	}
	h.t.Fatal("it listens on")
	return nil
}

func TestCloseLetsAnswersEnd(t *testing.T) {
	p, step := paced()
	h, id := lab(t, proxytest.Messages, p)
	in := h.underWay(id + "text")
	closed := h.closing()
	close(step)
	var all strings.Builder
	if _, err := in.WriteTo(&all); err != nil || !strings.Contains(all.String(), "[DONE]") {
		t.Errorf("%v; the answer ends with %q", err, all.String())
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if row := reopen(t, h.home, "").last(); row.Status != ledger.StatusOK {
		t.Errorf("row %+v", row)
	}
}

// A call that outlasts the drain is cut, and has its row before the ledger closes.
func TestCloseCutsWhatDoesNotEnd(t *testing.T) {
	for range 10 { // it is a matter of who is first
		p, _ := paced()
		h, id := lab(t, proxytest.Messages, p)
		h.server.drain = 20 * time.Millisecond
		h.underWay(id + "text")
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if row := reopen(t, h.home, "").last(); row.Status != ledger.StatusAborted || row.CostKind == "" {
			t.Fatalf("row %+v", row)
		}
	}
}

// slowBody is a request that does not end before h is closing.
type slowBody struct {
	h    *house
	read chan struct{}
}

func (b *slowBody) Read([]byte) (int, error) {
	close(b.read)
	<-b.h.ctx.Done()
	return 0, io.ErrUnexpectedEOF
}

func TestCloseWaitsForCallsUnderWay(t *testing.T) {
	h := open(t, "")
	body := &slowBody{h, make(chan struct{})}
	req := httptest.NewRequestWithContext(t.Context(), "POST", "http://127.0.0.1/v1/chat/completions", body)
	req.Header.Set("Authorization", "Bearer "+h.token)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.ServeHTTP(httptest.NewRecorder(), req)
	}()
	<-body.read
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, req); w.Code != 503 {
		t.Errorf("a call after that gets %d", w.Code)
	}
	<-ended
}

// A process that was killed leaves a row running; the next start says so.
func TestInterruptedAttemptIsFoundAtTheNextStart(t *testing.T) {
	home := t.TempDir()
	l, err := ledger.Open(t.Context(), filepath.Join(home, "ledger.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	pico := int64(70)
	l.Begin(ledger.Row{RequestID: "kt-1", Time: time.Now(), Provider: "openai", Model: "gpt-5", EstimateInput: 40, EstimatePico: &pico})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	row := reopen(t, home, "").last()
	if row.Status != ledger.StatusInterrupted || row.CostKind != "estimated" || row.CostPico == nil || *row.CostPico != pico || row.Usage.Input != 40 {
		t.Errorf("row %+v", row)
	}
}

// free is an address of this computer that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l := occupied(t)
	l.Close()
	return l.Addr().String()
}

func occupied(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// listening is an App that listens where config.yaml says.
func listening(t *testing.T, on string) *house {
	t.Helper()
	h := open(t, "listen: "+on+"\n")
	h.server.close()
	h.server.closed = false
	h.opt.Listen = ""
	return h
}

func TestStartSaysWhyItCannotListen(t *testing.T) {
	other := occupied(t)
	for _, c := range []struct{ on, says string }{
		{other.Addr().String(), "another program uses " + other.Addr().String() + " already"},
		{"127.0.0.1:0", ""},
	} {
		h := listening(t, free(t))
		h.opt.Listen = c.on
		err := h.Start()
		if c.says == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.on, err)
		}
		if s := h.Status(); s.State != Attention || s.Address != "" || s.Problems[0].About != "listen" {
			t.Errorf("status %+v", s)
		}
		other.Close()
		if err := h.Start(); err != nil { // it may be called again
			t.Error(err)
		}
		if s := h.Status(); s.State != On || s.Address != c.on {
			t.Errorf("status %+v", s)
		}
	}
}

func TestListenFollowsTheSettings(t *testing.T) {
	first, second := free(t), free(t)
	h := listening(t, first)
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	if err := h.SetListen(second); err != nil {
		t.Fatal(err)
	}
	if r := h.chat("demo/echo", ""); r.status != 200 {
		t.Errorf("at the second address: %d", r.status)
	}
	if running, err := readRunning(h.runningFile()); err != nil || running.Address != second {
		t.Errorf("%+v, %v", running, err)
	}
	other := occupied(t)
	err := h.SetListen(other.Addr().String())
	if err == nil || !strings.Contains(err.Error(), "still listening on "+second) {
		t.Errorf("a taken port: %v", err)
	}
	if err := h.tell(t.Context(), "here"); err != nil {
		t.Errorf("after the move failed: %v", err)
	}
	if err := h.SetListen(second); err != nil {
		t.Errorf("back to where it listens: %v", err)
	}
	if s := h.Status(); s.State != On || s.Address != second {
		t.Errorf("status %+v", s)
	}
}

// Keytray's own port is not taken by another program.
func TestListenBeyondLoopbackOnTheSamePort(t *testing.T) {
	on := free(t)
	_, number, _ := net.SplitHostPort(on)
	h := listening(t, on)
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	yaml := "listen_beyond_loopback: true\nlisten: 0.0.0.0:" + number + "\n"
	if err := os.WriteFile(filepath.Join(h.home, "config.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.config.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Addr(); err != nil {
		t.Fatal(err)
	}
	if got := h.Status().BaseURL(); got != "http://127.0.0.1:"+number {
		t.Errorf("tools are pointed at %s", got)
	}
	if running, err := readRunning(h.runningFile()); err != nil || running.Address != "127.0.0.1:"+number {
		t.Errorf("%+v, %v", running, err)
	}
	if r := h.do("GET", "/v1/models", "", "Host", "192.0.2.7:"+number); r.status != 200 {
		t.Errorf("another machine gets %d", r.status)
	}
	if r := h.do("GET", "/v1/models", "", "Host", "evil.example"); r.status != 403 {
		t.Errorf("a name that was pointed here gets %d", r.status)
	}
}

func TestStartAfterClose(t *testing.T) {
	h := open(t, "")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Start(); !errors.Is(err, errStopping) {
		t.Errorf("%v", err)
	}
	if addr, _ := h.Addr(); addr != "" {
		t.Errorf("it listens on %s", addr)
	}
}
