package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// scenario is one kind of load.
type scenario struct {
	name     string
	goal     float64 // CPU per request relative to the reverse proxy
	path     string  // at the provider and the proxy
	at       string  // at Keytray
	model    string  // at Keytray
	stream   bool
	prompt   int // bytes of prompt
	workers  int
	requests int // a round
}

// The endpoints of dialects; Gemini's names the model.
const (
	chat      = "/v1/chat/completions"
	messages  = "/v1/messages"
	responses = "/v1/responses"
	gemini    = "/v1beta/models/lab/m:streamGenerateContent?alt=sse"
	ollama    = "/api/chat"
)

func scenarios(scale float64) []scenario {
	n := func(k int) int { return max(8, int(float64(k)*scale)) }
	return []scenario{
		{"whole", 2.5, chat, chat, "lab/m", false, 200, 8, n(4000)},
		{"stream of 200", 1.0, chat, chat, "lab/m", true, 200, 8, n(400)},
		{"100 paced streams", 1.5, "/paced" + chat, chat, "paced/m", true, 200, 100, 100},
		{"1 MB prompt", 2, chat, chat, "lab/m", false, 1 << 20, 8, n(400)},
		{"messages whole", 2.5, "/a" + messages, messages, "other/m", false, 200, 8, n(2000)},
		{"messages stream", 1.0, "/a" + messages, messages, "other/m", true, 200, 8, n(400)},
		{"messages 1 MB prompt", 2, "/a" + messages, messages, "other/m", false, 1 << 20, 8, n(400)},
		{"translated whole", 3, "/a" + messages, chat, "other/m", false, 200, 8, n(2000)},
		{"translated stream", 1.5, "/a" + messages, chat, "other/m", true, 200, 8, n(400)},
		{"translated stream to messages", 1.5, chat, messages, "lab/m", true, 200, 8, n(400)},
		{"responses whole", 2.5, "/r" + responses, responses, "resp/m", false, 200, 8, n(2000)},
		{"responses stream", 1.0, "/r" + responses, responses, "resp/m", true, 200, 8, n(200)},
		{"translated whole to responses", 3, chat, responses, "lab/m", false, 200, 8, n(2000)},
		{"translated stream to responses", 1.5, chat, responses, "lab/m", true, 200, 8, n(200)},
		{"translated stream to gemini", 1.5, chat, gemini, "lab/m", true, 200, 8, n(200)},
		{"translated stream to ollama", 1.5, chat, ollama, "lab/m", true, 200, 8, n(200)},
		{"nested route whole", 2.7, chat, chat, "nested", false, 200, 8, n(2000)},
		{"cached whole", 2, chat, chat, "cached", false, 200, 8, n(2000)},
	}
}

// body is the request at an endpoint; the provider answers any model.
func (s scenario) body(at, model string) []byte {
	prompt := strings.Repeat("all work and no play ", s.prompt/21+1)
	if at == gemini {
		return fmt.Appendf(nil, `{"contents":[{"role":"user","parts":[{"text":%q}]}],"generationConfig":{"maxOutputTokens":999}}`, prompt)
	}
	var b bytes.Buffer
	switch fmt.Fprintf(&b, `{"model":%q,`, model); at {
	case responses, "/r" + responses:
		fmt.Fprintf(&b, `"max_output_tokens":999,"store":false,"input":%q`, prompt)
	case ollama:
		fmt.Fprintf(&b, `"options":{"num_predict":999},"messages":[{"role":"user","content":%q}]`, prompt)
	default:
		fmt.Fprintf(&b, `"max_tokens":999,"messages":[{"role":"user","content":%q}]`, prompt)
	}
	if s.stream {
		b.WriteString(`,"stream":true`)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// timing is what one request took.
type timing struct{ first, whole time.Duration }

// round sends a round's requests and returns each one's timing.
func (s scenario) round(url string, body []byte, client *http.Client) ([]timing, time.Duration, error) {
	out := make([]timing, s.requests)
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, s.workers)
	begin := time.Now()
	for w := range s.workers {
		wg.Go(func() {
			buf := make([]byte, 64<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= s.requests {
					return
				}
				t, err := one(client, url, body, buf)
				if err != nil {
					errs[w] = err
					return
				}
				out[i] = t
			}
		})
	}
	wg.Wait()
	return out, time.Since(begin), errors.Join(errs...)
}

func one(client *http.Client, url string, body, buf []byte) (timing, error) {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return timing{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	start := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return timing{}, err
	}
	defer resp.Body.Close()
	var t timing
	for {
		n, err := resp.Body.Read(buf)
		if n > 0 && t.first == 0 {
			t.first = time.Since(start)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return t, err
		}
	}
	t.whole = time.Since(start)
	if resp.StatusCode != http.StatusOK {
		return t, fmt.Errorf("%s: %s", url, resp.Status)
	}
	return t, nil
}

// at is the q-quantile.
func at(ts []timing, q float64, of func(timing) time.Duration) time.Duration {
	all := make([]time.Duration, len(ts))
	for i, t := range ts {
		all[i] = of(t)
	}
	slices.Sort(all)
	return all[min(len(all)-1, int(q*float64(len(all))))]
}
