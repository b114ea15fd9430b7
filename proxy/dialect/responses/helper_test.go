package responses

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func prompt(t *testing.T, body string) *llm.Prompt {
	t.Helper()
	p, err := Dialect{}.DecodeRequest(&llm.Request{Raw: []byte(body)})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return p
}

// sent is what a provider of this dialect gets of a prompt.
func sent(t *testing.T, p *llm.Prompt, c *llm.Call) map[string]any {
	t.Helper()
	b, err := Dialect{}.EncodeRequest(c, p)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return v
}

func text1(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// answered is a provider's stream of such frames as events.
func answered(t *testing.T, c *llm.Call, frames ...string) []llm.Event {
	t.Helper()
	c.Stream = true
	body := "data: " + strings.Join(frames, "\n\ndata: ") + "\n\n"
	return dialecttest.Collect(t, Dialect{}.DecodeResponse(c, strings.NewReader(body)))
}

func replay(events []llm.Event) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// one is a stream's event as the client reads it.
type one struct {
	Type     string
	Sequence int    `json:"sequence_number"`
	Output   int    `json:"output_index"`
	Content  int    `json:"content_index"`
	ItemID   string `json:"item_id"`
	Delta    string
	Item     map[string]any
	Part     map[string]any
	Response map[string]any
	raw      string
}

// written is what a client of such a request gets, streamed.
func written(t *testing.T, request string, events llm.Events) []one {
	t.Helper()
	var out bytes.Buffer
	r := &llm.Request{ID: "kt-7", Raw: []byte(request), Start: time.Unix(1700000000, 0), Peek: llm.Peek{Model: "asked", Stream: true}}
	_ = Dialect{}.EncodeResponse(&out, r, events) // the events tell
	var all []one
	for f, err := range sse.Frames(&out, sse.Events) {
		if err != nil {
			t.Fatal(err)
		}
		o := one{raw: string(f.Data)}
		if err := json.Unmarshal(f.Data, &o); err != nil {
			t.Fatalf("%v\n%s", err, f.Data)
		}
		if o.Type != string(f.Event) || o.Sequence != len(all) {
			t.Errorf("event %q at %d: %s", f.Event, len(all), f.Data)
		}
		all = append(all, o)
	}
	return all
}

func types(all []one) string {
	var s []string
	for _, o := range all {
		s = append(s, strings.TrimPrefix(o.Type, "response."))
	}
	return strings.Join(s, " ")
}

// wholly is the same as one body.
func wholly(t *testing.T, request string, events llm.Events) map[string]any {
	t.Helper()
	var out bytes.Buffer
	r := &llm.Request{ID: "kt-7", Raw: []byte(request), Start: time.Unix(1700000000, 0), Peek: llm.Peek{Model: "asked"}}
	if err := (Dialect{}).EncodeResponse(&out, r, events); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	return v
}

// words are the events of a text answer.
func words(pieces ...string) []llm.Event {
	all := []llm.Event{{Kind: llm.Start, ID: "x"}, {Kind: llm.BlockStart, Block: llm.Text}}
	for _, p := range pieces {
		all = append(all, llm.Event{Kind: llm.Delta, Block: llm.Text, Text: p})
	}
	return append(all, llm.Event{Kind: llm.BlockStop, Block: llm.Text},
		llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: &llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 5, Reasoning: 2, Known: true}, Tier: "flex"})
}

// call are the events of one tool call.
func call(index int, id, name string, pieces ...string) []llm.Event {
	all := []llm.Event{{Kind: llm.BlockStart, Block: llm.ToolCall, Index: index, ID: id, Name: name}}
	for _, p := range pieces {
		all = append(all, llm.Event{Kind: llm.Delta, Block: llm.ToolCall, Index: index, Text: p})
	}
	return append(all, llm.Event{Kind: llm.BlockStop, Block: llm.ToolCall, Index: index})
}

func script(why llm.Why, parts ...[]llm.Event) llm.Events {
	all := []llm.Event{{Kind: llm.Start}}
	for _, p := range parts {
		all = append(all, p...)
	}
	return replay(append(all, llm.Event{Kind: llm.Stop, Why: why, Usage: &llm.Usage{Input: 1, Output: 1, Known: true}}))
}

func newRequest(t *testing.T, path string) *http.Request {
	t.Helper()
	return httptest.NewRequest("POST", path, nil)
}
