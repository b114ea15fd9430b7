package pairs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

// said is what a client's own library makes of an answer.
type said struct {
	text     string // refusals in words included
	thinking string
	calls    []string // name and arguments, as JSON with sorted keys
	end      string   // stop, tools, length or filter
	input    int64    // the whole prompt
	output   int64    // reasoning included
	failed   bool     // the library returned an error
	message  string   // the error's
	status   int      // and its HTTP status, where the library tells it
}

// An answer is what a client receives.
type answer struct {
	status int
	stream bool
	kind   string // Content-Type
	body   []byte
}

// read has one dialect's official library read an answer.
type read func(ctx context.Context, a answer) said

// readers are the official libraries, by dialect.
var readers = map[string]read{
	"chat":      readChat,
	"responses": readResponses,
	"messages":  readMessages,
	"gemini":    readGemini,
	"ollama":    readOllama,
}

// client is an HTTP client that gets this answer to whatever it asks.
func (a answer) client() *http.Client { return &http.Client{Transport: a} }

// RoundTrip answers.
func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body) // from memory
		_ = r.Body.Close()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(a.body)),
		Header: http.Header{"Content-Type": {a.kind}}, Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

func (s *said) fail(err error) { s.failed, s.message = true, err.Error() }

func (s *said) call(name, arguments string) {
	s.calls = append(s.calls, name+canonical(arguments))
}

// canonical is JSON with its keys sorted. No arguments are an empty object (B7).
func canonical(arguments string) string {
	if strings.TrimSpace(arguments) == "" {
		return "{}"
	}
	var v any
	d := json.NewDecoder(strings.NewReader(arguments))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return " not JSON: " + arguments
	}
	if v == nil {
		return "{}"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// differs says what two readers of the same answer do not agree on, each with
// the name of it before a colon. An answer in a dialect that knows no filter
// simply ends.
func differs(got, want said, client string) (all []string) {
	note := func(what string, got, want any) {
		all = append(all, fmt.Sprintf("%s: %.300q, want %.300q", what, fmt.Sprint(got), fmt.Sprint(want)))
	}
	if got.failed != want.failed {
		return []string{fmt.Sprintf("failed: %v (%s), want %v (%s)", got.failed, got.message, want.failed, want.message)}
	}
	if got.failed {
		return nil
	}
	if got.text != want.text {
		note("text", got.text, want.text)
	}
	if got.thinking != want.thinking {
		note("thinking", got.thinking, want.thinking)
	}
	if g, w := strings.Join(got.calls, "\n"), strings.Join(want.calls, "\n"); g != w {
		note("calls", g, w)
	}
	if got.end != want.end && !(client == "ollama" && want.end == "filter" && got.end == "stop") {
		note("end", got.end, want.end)
	}
	if got.input != want.input || got.output != want.output {
		note("usage", fmt.Sprint(got.input, " ", got.output), fmt.Sprint(want.input, " ", want.output))
	}
	return all
}

// ends sorts the reasons of all dialects into four.
func ends(reason string, calls int) string {
	switch strings.ToLower(reason) {
	case "length", "max_tokens", "max_output_tokens", "model_context_window_exceeded":
		return "length"
	case "content_filter", "refusal", "safety", "recitation", "blocklist", "prohibited_content", "spii", "image_safety", "guardrail_intervened", "content_filtered", "model_armor":
		return "filter"
	case "tool_calls", "function_call", "tool_use":
		return "tools"
	case "stop", "end_turn", "stop_sequence", "pause_turn", "completed", "complete", "pause", "end", "unexpected_tool_call", "load":
		if calls > 0 {
			return "tools"
		}
		return "stop"
	default:
		return reason
	}
}

// decoded is what our own decoder makes of an answer: of dialects that have no
// library here, and for what no library reads.
func decoded(events []llm.Event, err error) said {
	var s said
	if err != nil {
		s.fail(err)
		var e *llm.Error
		if errors.As(err, &e) {
			s.status = e.Status
		}
	}
	sum := dialecttest.Summarize(events)
	s.text, s.thinking = sum.Text+sum.Refusal, sum.Thinking
	for _, c := range sum.Calls {
		s.call(c.Name, string(c.Arguments))
	}
	s.end = ends(sum.Why, len(s.calls))
	for _, e := range events {
		if e.Kind == llm.Stop && e.Usage != nil {
			s.input, s.output = e.Usage.Prompt(), e.Usage.Completion()
		}
	}
	return s
}
