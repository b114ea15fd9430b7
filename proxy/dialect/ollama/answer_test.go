package ollama_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ollama/ollama/api"

	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// writes encodes events as the answer to a call of /api/chat or /api/generate.
func writes(t testing.TB, form string, stream bool, events ...llm.Event) (string, error) {
	t.Helper()
	var b bytes.Buffer
	err := out.EncodeResponse(&b, asked(form, stream), func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
		if len(events) == 0 || events[len(events)-1].Kind != llm.Stop {
			yield(llm.Event{}, errBroken)
		}
	})
	return b.String(), err
}

var errBroken = &llm.Error{Kind: llm.Cut, Provider: "lab", Message: "the answer stopped"}

func asked(form string, stream bool) *llm.Request {
	return &llm.Request{ID: "r1", Inbound: out, Start: time.Now().Add(-time.Second), Peek: llm.Peek{Model: "lab/m", Stream: stream, Form: form}}
}

// An answer in events.
func block(kind llm.BlockKind, index int, id, name string, texts ...string) []llm.Event {
	all := []llm.Event{{Kind: llm.BlockStart, Block: kind, Index: index, ID: id, Name: name}}
	for _, s := range texts {
		all = append(all, llm.Event{Kind: llm.Delta, Block: kind, Index: index, Text: s})
	}
	return append(all, llm.Event{Kind: llm.BlockStop, Block: kind, Index: index})
}

func saying(why llm.Why, blocks ...[]llm.Event) []llm.Event {
	all := []llm.Event{{Kind: llm.Start, Name: "m-2026"}}
	for _, b := range blocks {
		all = append(all, b...)
	}
	return append(all, llm.Event{Kind: llm.Stop, Why: why, Usage: &llm.Usage{Input: 3, CacheRead: 2, Output: 7, Reasoning: 4, Known: true}})
}

// reads is what Ollama's own client makes of an answer.
type reads struct {
	chat  []api.ChatResponse
	gen   []api.GenerateResponse
	text  string
	think string
	calls []api.ToolCall
	last  api.ChatResponse
}

type answers string

// RoundTrip answers whatever is asked.
func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Status: "200 OK", Body: io.NopCloser(strings.NewReader(string(a))), Request: r}, nil
}

func readByClient(t *testing.T, form, body string) (r reads, err error) {
	t.Helper()
	c := api.NewClient(&url.URL{Scheme: "http", Host: "keytray.invalid"}, &http.Client{Transport: answers(body)})
	if form == ollama.Generate {
		err = c.Generate(t.Context(), &api.GenerateRequest{Model: "m", Prompt: "q"}, func(g api.GenerateResponse) error {
			r.gen = append(r.gen, g)
			r.text, r.think, r.calls = r.text+g.Response, r.think+g.Thinking, append(r.calls, g.ToolCalls...)
			r.last = api.ChatResponse{Model: g.Model, Done: g.Done, DoneReason: g.DoneReason, Metrics: g.Metrics, CreatedAt: g.CreatedAt}
			return nil
		})
		return r, err
	}
	err = c.Chat(t.Context(), &api.ChatRequest{Model: "m"}, func(g api.ChatResponse) error {
		r.chat = append(r.chat, g)
		r.text, r.think, r.calls = r.text+g.Message.Content, r.think+g.Message.Thinking, append(r.calls, g.Message.ToolCalls...)
		r.last = g
		if g.Message.Role != "assistant" {
			t.Errorf("role %q", g.Message.Role)
		}
		return nil
	})
	return r, err
}

// TestClientReads has Ollama's own client read answers in both forms, whole
// and streamed. H2, H3, H5, H14, B13
func TestClientReads(t *testing.T) {
	events := saying(llm.CallTools,
		block(llm.Thinking, 0, "", "", "let ", "me ", "think"), block(llm.Text, 1, "", "", "I \"look\"\n", " é🎹"),
		block(llm.ToolCall, 2, "call_a", "weather", "{\n  \"city\":", " \"Os\\nlo\"\n}"), block(llm.ToolCall, 3, "call_b", "now"), block(llm.ToolCall, 4, "call_c", "weather", `{"z":1,"a":[2]}`))
	for _, form := range []string{"", ollama.Generate} {
		for _, stream := range []bool{false, true} {
			body, err := writes(t, form, stream, events...)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(body, "\n") != map[bool]int{false: 0, true: 9}[stream] {
				t.Errorf("form %q, stream %v: lines\n%s", form, stream, body)
			}
			r, err := readByClient(t, form, body)
			if err != nil || r.text != "I \"look\"\n é🎹" || r.think != "let me think" || len(r.calls) != 3 {
				t.Fatalf("form %q, stream %v: %+v, %v\n%s", form, stream, r, err, body)
			}
			for i, want := range []string{`call_a weather {"city":"Os\nlo"}`, `call_b now {}`, `call_c weather {"z":1,"a":[2]}`} {
				c := r.calls[i]
				if c.Function.Index != i || c.ID+" "+c.Function.Name+" "+c.Function.Arguments.String() != want {
					t.Errorf("call %d: %+v, want %s", i, c, want)
				}
			}
			l := r.last
			if l.Model != "lab/m" || !l.Done || l.DoneReason != "stop" || l.PromptEvalCount != 5 || l.EvalCount != 7 || time.Since(l.CreatedAt) > time.Minute ||
				l.TotalDuration < time.Second || l.PromptEvalDuration < time.Second || l.EvalDuration < 1 || l.TotalDuration < l.PromptEvalDuration {
				t.Errorf("form %q, stream %v: %+v", form, stream, l)
			}
			for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
				if stream && strings.Contains(line, `"done":true`) != (line == body[strings.LastIndexByte(strings.TrimSpace(body), '\n')+1:len(body)-1]) {
					t.Errorf("done in another line than the last: %s", line)
				}
			}
		}
	}
}

func TestDoneReasons(t *testing.T) {
	for _, c := range []struct {
		why  llm.Why
		text string
		want string
	}{
		{llm.EndTurn, "a", "stop"},
		{llm.MaxTokens, "a", "length"},
		{llm.StopSequence, "a", "stop"},
		{llm.PauseTurn, "", "stop"},
		{"", "", "stop"},
		{llm.Refused, "I cannot", "stop"},
		{llm.Refused, "", "refusal"},
		{llm.ContentFilter, "a", "content_filter"},
		{"odd", "a", "odd"},
	} {
		body, err := writes(t, "", true, saying(c.why, block(llm.Refusal, 0, "", "", c.text))...)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := readByClient(t, "", body); err != nil || r.last.DoneReason != c.want || r.text != c.text {
			t.Errorf("%q: %+v, %v", c.why, r, err)
		}
	}
	for _, why := range []llm.Why{"load", "unload"} {
		for form, want := range map[string]string{"": `"message":{"role":"assistant","content":""}`, ollama.Generate: `"response":""`} {
			body, err := writes(t, form, false, llm.Event{Kind: llm.Start}, llm.Event{Kind: llm.Stop, Why: why})
			head, tail, _ := strings.Cut(body, `","message"`)
			if form != "" {
				head, tail, _ = strings.Cut(body, `","response"`)
			}
			if err != nil || !strings.HasPrefix(head, `{"model":"lab/m","created_at":"`) || !strings.Contains(body, want) || !strings.HasSuffix(tail, `,"done":true,"done_reason":"`+string(why)+`"}`) || strings.Contains(body, "duration") {
				t.Errorf("%s, %v", body, err)
			}
		}
	}
}

// TestBrokenArguments has a model that calls a tool with arguments that are no
// object. H3
func TestBrokenArguments(t *testing.T) {
	for _, args := range []string{`{"city":`, `["Oslo"]`, `"Oslo"`, `Oslo`} {
		call := block(llm.ToolCall, 0, "c", "weather", args)
		for _, stream := range []bool{false, true} {
			body, err := writes(t, "", stream, saying(llm.CallTools, call)...)
			var e *llm.Error
			if !errors.As(err, &e) || e.Kind != llm.Garbage || !strings.Contains(e.Message, "weather") || strings.Contains(body, "done\":true") || !stream && body != "" {
				t.Errorf("%s, stream %v: %v\n%s", args, stream, err, body)
			}
			// What was cut off by a limit is told as such.
			body, err = writes(t, "", stream, saying(llm.MaxTokens, call)...)
			if r, rerr := readByClient(t, "", body); err != nil || rerr != nil || r.last.DoneReason != "length" || len(r.calls) != 0 {
				t.Errorf("%s, stream %v: %v, %v\n%s", args, stream, err, rerr, body)
			}
		}
	}
}

// TestBrokenAnswers ends answers in an error: a stream says so and has no last
// line, a whole answer is not written.
func TestBrokenAnswers(t *testing.T) {
	for _, form := range []string{"", ollama.Generate} {
		body, err := writes(t, form, true, saying("", block(llm.Text, 0, "", "", "Hel"))[:3]...)
		if !errors.Is(err, errBroken) || !strings.HasSuffix(body, "{\"error\":\"lab: the answer stopped\"}\n") || strings.Contains(body, `"done":true`) {
			t.Errorf("%v\n%s", err, body)
		}
		r, err := readByClient(t, form, body)
		if err == nil || err.Error() != "lab: the answer stopped" || r.text != "Hel" {
			t.Errorf("the client has %+v, %v", r, err)
		}
		if body, err := writes(t, form, false, saying("", block(llm.Text, 0, "", "", "Hel"))[:3]...); !errors.Is(err, errBroken) || body != "" {
			t.Errorf("%v\n%s", err, body)
		}
	}
	gone := errors.New("gone")
	err := out.EncodeResponse(broken{gone}, asked("", true), func(yield func(llm.Event, error) bool) {
		for _, e := range saying("", block(llm.Text, 0, "", "", "a", "b")) {
			if !yield(e, nil) {
				return
			}
		}
	})
	if !errors.Is(err, gone) {
		t.Error(err)
	}
}

type broken struct{ err error }

func (b broken) Write([]byte) (int, error) { return 0, b.err }

// TestOtherParts are what Ollama's clients seldom see: a sign of life (B9),
// images and sources.
func TestOtherParts(t *testing.T) {
	cite := llm.Event{Kind: llm.Delta, Block: llm.Text, Index: 1, Cite: &llm.Citation{URL: "https://a.example/", Title: "A", Quote: "q"}}
	text := block(llm.Text, 1, "", "", "Red.")
	text = append(text[:2:2], cite, text[2])
	events := saying(llm.EndTurn, []llm.Event{{Kind: llm.Ping}}, block(llm.Image, 0, "", "image/png", png[:8], png[8:]), text)
	for _, form := range []string{"", ollama.Generate} {
		for _, stream := range []bool{false, true} {
			body, err := writes(t, form, stream, events...)
			if err != nil {
				t.Fatal(err)
			}
			r, err := readByClient(t, form, body)
			images := 0
			for _, m := range r.chat {
				images += len(m.Message.Images)
			}
			for _, g := range r.gen {
				if g.Image == png {
					images++
				}
			}
			if err != nil || r.text != "Red." || images != 1 || !strings.Contains(body, `"citations":[{"url":"https://a.example/","title":"A","quote":"q"}]`) {
				t.Errorf("form %q, stream %v: %d images, %v\n%s", form, stream, images, err, body)
			}
			if n := strings.Count(body, "\n"); stream && n != 4 {
				t.Errorf("%d lines\n%s", n, body)
			}
		}
	}
	// No usage is no count, and a known zero is one.
	for want, u := range map[string]*llm.Usage{"": nil, `"prompt_eval_count":0`: {Known: true}} {
		body, err := writes(t, "", false, llm.Event{Kind: llm.Start}, llm.Event{Kind: llm.Stop, Why: llm.EndTurn, Usage: u})
		if err != nil || !strings.Contains(body, want) || want == "" && strings.Contains(body, "eval_count") {
			t.Errorf("%v %s", err, body)
		}
	}
}

// TestEncodeError checks the shape, and that the field at fault is named.
func TestEncodeError(t *testing.T) {
	for want, e := range map[string]*llm.Error{
		`404 {"error":"nobody serves a model named x"}`: {Kind: llm.NotFound, Param: "model", Message: "nobody serves a model named x"},
		`400 {"error":"options.temperature: too hot"}`:  llm.Invalid("options.temperature", "too hot"),
		`429 {"error":"lab: slow \"down\""}`:            {Kind: llm.RateLimited, Provider: "lab", Message: `slow "down"`},
		`529 {"error":"lab: overloaded"}`:               {Kind: llm.Overloaded, Status: 529, Provider: "lab", Message: "overloaded"},
	} {
		status, kind, body := out.EncodeError(e)
		if got := fmt.Sprintf("%d %s", status, body); got != want || kind != "application/json; charset=utf-8" {
			t.Errorf("%s %s, want %s", kind, got, want)
		}
	}
	var refused api.StatusError
	c := api.NewClient(&url.URL{Scheme: "http", Host: "keytray.invalid"}, &http.Client{Transport: refuses{}})
	err := c.Chat(context.Background(), &api.ChatRequest{Model: "m"}, func(api.ChatResponse) error { return nil })
	if !errors.As(err, &refused) || refused.StatusCode != 429 || refused.ErrorMessage != "lab: slow" {
		t.Errorf("%#v", err)
	}
}

type refuses struct{}

// RoundTrip answers whatever is asked with a refusal of ours.
func (refuses) RoundTrip(r *http.Request) (*http.Response, error) {
	status, _, body := out.EncodeError(&llm.Error{Kind: llm.RateLimited, Provider: "lab", Message: "slow"})
	return &http.Response{StatusCode: status, Status: "429 Too Many Requests", Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}
