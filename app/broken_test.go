package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// streaming is a stream that the test reads line by line while the provider
// waits at its step.
type streaming struct {
	t  *testing.T
	in *bufio.Reader
}

func (c caseOf) stream(ctx context.Context) streaming {
	c.t.Helper()
	addr, err := c.Addr()
	if err != nil {
		c.t.Fatal(err)
	}
	body := chatBody(c.asked, `"stream":true,"stream_options":{"include_usage":true}`)
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 {
		b, _ := io.ReadAll(resp.Body)
		c.t.Fatalf("%d %s", resp.StatusCode, b)
	}
	return streaming{c.t, bufio.NewReader(resp.Body)}
}

// until reads up to a line that holds the text.
func (s streaming) until(text string) {
	s.t.Helper()
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.t.Fatalf("before %q came: %v", text, err)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

// B10: an answer that breaks off in the middle, after the client has seen a
// part of it, never looks complete; the row keeps what was used.
func TestBrokenOff(t *testing.T) {
	var words []string
	for i := range 20 {
		words = append(words, fmt.Sprintf("word%d ", i))
	}
	for _, x := range []struct {
		fault  proxytest.Fault
		status ledger.Status
	}{
		{proxytest.FaultCut, ledger.StatusCut},
		{proxytest.FaultFin, ledger.StatusCut},
		{proxytest.FaultError, ledger.StatusError},
		{proxytest.FaultGarbage, ledger.StatusError},
	} {
		t.Run(string(x.fault), func(t *testing.T) {
			for _, u := range upstreams {
				t.Run(string(u.dialect), func(t *testing.T) {
					c := oneUpstream(t, u.dialect, 5, proxytest.Script{
						Parts: proxytest.Parts(proxytest.Text(words...)),
						Fault: x.fault, After: 8, Fail: &proxytest.Fail{EchoKey: true},
					})
					s := c.stream(t.Context())
					s.until("word0 ")
					close(c.step)
					b, err := io.ReadAll(s.in)
					rest := string(b)
					mustNotHold(t, "the stream", rest)
					row := c.awaitRow(1)
					same := u.dialect == proxytest.Chat
					switch {
					case same && x.fault == proxytest.FaultGarbage: // the provider's own bytes
						if err != nil || !strings.HasSuffix(rest, "data: [DONE]\n\n") || row.Status != ledger.StatusOK {
							t.Errorf("%v, %s, row %+v", err, rest, row)
						}
						return
					case strings.Contains(rest, "[DONE]"), strings.Contains(rest, `"finish_reason":"`):
						t.Errorf("it looks complete: %s", rest)
					case same && x.fault != proxytest.FaultError:
						if err != io.ErrUnexpectedEOF {
							t.Errorf("the connection was not cut: %v, %s", err, rest)
						}
					default:
						last := strings.TrimSpace(rest[strings.LastIndex(rest, "data: ")+len("data: "):])
						var said struct {
							Error struct{ Message, Type string }
						}
						if jerr := json.Unmarshal([]byte(last), &said); err != nil || jerr != nil || said.Error.Message == "" || said.Error.Type == "" {
							t.Errorf("%v %v: %s", err, jerr, rest)
						}
					}
					if row.Status != x.status || row.Error == "" || row.Usage.Output == 0 || row.HTTPStatus != 200 {
						t.Errorf("row %+v", row)
					}
					mustNotHold(t, "the row", row.Error)
					if x.fault != proxytest.FaultGarbage { // after which all was still counted
						c.wantCost(row, false)
					}
				})
			}
		})
	}
}

// oneUpstream starts a Keytray with a provider of one dialect that waits for
// the test to let each frame go, after the first few.
func oneUpstream(t *testing.T, d proxytest.Dialect, few int, s proxytest.Script) stepped {
	t.Helper()
	step := make(chan struct{}, 100)
	for range few {
		step <- struct{}{}
	}
	s.Step = step
	p := proxytest.New(s)
	p.Models = []string{"text"}
	h, prefix := lab(t, d, p)
	for _, u := range upstreams {
		if u.dialect == d {
			return stepped{caseOf{h, p, h.sdk(), d, prefix + u.model, u.provider, u.model, u.cost}, step}
		}
	}
	t.Fatalf("no model of %s", d)
	return stepped{}
}

type stepped struct {
	caseOf
	step chan struct{}
}

// A whole answer that breaks off is refused, and yet not free.
func TestBrokenOffWhole(t *testing.T) {
	for _, f := range []proxytest.Fault{proxytest.FaultCut, proxytest.FaultFin} {
		t.Run(string(f), func(t *testing.T) {
			eachUpstream(t, []proxytest.Script{{Fault: f}}, func(t *testing.T, c caseOf) {
				r := c.chat(c.asked, "")
				r.wantRefused(t, 502, "stopped")
				if code := r.field(t, "error", "code"); code != "cut" {
					t.Errorf("code %v", code)
				}
				row := c.last()
				if row.Status != ledger.StatusCut {
					t.Errorf("row %+v", row)
				}
				c.wantCost(row, false)
			})
		})
	}
	eachUpstream(t, []proxytest.Script{{Fault: proxytest.FaultGarbage}}, func(t *testing.T, c caseOf) {
		c.chat(c.asked, "").wantRefused(t, 502)
		if row := c.last(); row.Status != ledger.StatusError || !strings.HasPrefix(row.Error, "bad_answer") {
			t.Errorf("row %+v", row)
		}
	})
}

// A client that gives up on a silent provider stops it, before the answer and
// in its middle.
func TestSilentProviders(t *testing.T) {
	for name, s := range map[string]proxytest.Script{
		"before the answer": {Fault: proxytest.FaultHang},
		"half a whole one":  {Fault: proxytest.FaultStall},
	} {
		t.Run(name, func(t *testing.T) {
			eachUpstream(t, []proxytest.Script{s}, func(t *testing.T, c caseOf) {
				ctx, cancel := context.WithCancel(t.Context())
				gone := make(chan error, 1)
				go func() {
					_, err := c.client.Chat.Completions.New(ctx, c.params("hi"))
					gone <- err
				}()
				var seen *proxytest.Seen
				for n := 1; seen == nil || strings.HasPrefix(seen.Path, "/api/") && seen.Path != "/api/chat"; n++ { // what Ollama has and can do comes first
					var err error
					if seen, err = c.provider.Await(t.Context(), n); err != nil {
						t.Fatal(err)
					}
				}
				cancel()
				if err := <-gone; err == nil {
					t.Error("an answer came")
				}
				if _, err := seen.AwaitCancel(t.Context()); err != nil {
					t.Error(err)
				}
				row := c.awaitRow(1)
				if row.Status != ledger.StatusAborted || row.Usage.Input == 0 {
					t.Errorf("row %+v", row)
				}
				c.wantCost(row, false)
			})
		})
	}
}

// J10: each frame reaches the client before the provider sends the next one,
// and the last word before the provider ends.
func TestNoFrameWaits(t *testing.T) {
	const n = 12
	var words []string
	for i := range n {
		words = append(words, fmt.Sprintf("word%d ", i))
	}
	// What comes before the first word.
	before := map[proxytest.Dialect]int{proxytest.Chat: 1, proxytest.Messages: 3}
	for _, u := range upstreams {
		t.Run(string(u.dialect), func(t *testing.T) {
			c := oneUpstream(t, u.dialect, before[u.dialect]+1, proxytest.Script{Parts: proxytest.Parts(proxytest.Text(words...))})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // a frame that waits, waits for ever
			defer cancel()
			s := c.stream(ctx)
			for i := range n {
				if i > 0 {
					c.step <- struct{}{}
				}
				s.until(fmt.Sprintf("word%d ", i))
			}
			close(c.step)
			s.until("[DONE]")
			row := c.last() // committed before the end was seen
			if row.Status != ledger.StatusOK {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// B9: while a provider only pings, its translated stream shows signs of life,
// and nothing else.
func TestPingsKeepAStreamAlive(t *testing.T) {
	c := oneUpstream(t, proxytest.Messages, 1, proxytest.Script{Parts: proxytest.Parts(proxytest.Text("one ", "two ")), Ping: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := c.stream(ctx)
	s.until(`"role":"assistant"`)
	// A ping follows each frame; after the block's start comes Anthropic's own.
	for _, frame := range []string{"ping", "block", "ping", "ping", "ping"} {
		c.step <- struct{}{}
		if frame != "ping" {
			continue
		}
		if line := s.line(); line != ": ping" {
			t.Errorf("instead of a ping came %q", line)
		}
	}
	c.step <- struct{}{}
	s.until("one ")
	close(c.step)
	s.until("[DONE]")
}

// line is the next line that is not empty.
func (s streaming) line() string {
	s.t.Helper()
	for {
		line, err := s.in.ReadString('\n')
		if err != nil {
			s.t.Fatal(err)
		}
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
}
