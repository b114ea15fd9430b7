package chat

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"keytray/proxy/llm"
)

// The official client reads what Keytray writes, streamed and whole alike.
func TestOfficialClient(t *testing.T) {
	fail := &llm.Error{Kind: llm.RateLimited, Message: "slow down", Provider: "groq", Status: 429}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		var d Dialect
		if hr.URL.Path == "/fail/chat/completions" {
			status, kind, body := d.EncodeError(fail)
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write(body) // the client's error shows it
			return
		}
		stream := hr.Header.Get("Accept") == "text/event-stream" || hr.URL.Query().Get("s") != ""
		w.Header().Set("Content-Type", d.ContentType(llm.Peek{Stream: stream}))
		r := &llm.Request{ID: "1", Raw: []byte(`{}`), Start: time.Unix(1700000000, 0), Peek: llm.Peek{Model: "m", Stream: stream, IncludeUsage: true}}
		events := replay(script)
		if hr.URL.Path == "/broken/chat/completions" {
			events = func(yield func(llm.Event, error) bool) {
				yield(script[0], nil)
				yield(llm.Event{}, fail)
			}
		}
		_ = d.EncodeResponse(w, r, events) // the client's error shows it
	}))
	defer server.Close()
	client := func(path string) openai.Client {
		return openai.NewClient(option.WithBaseURL(server.URL+path), option.WithAPIKey("local"), option.WithMaxRetries(0))
	}
	ctx := context.Background()
	params := openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("x")}}
	check := func(what string, c openai.ChatCompletion) {
		t.Helper()
		if len(c.Choices) != 1 {
			t.Fatalf("%s: %+v", what, c)
		}
		ch := c.Choices[0]
		if ch.Message.Content != "a\n" || ch.FinishReason != "tool_calls" || len(ch.Message.ToolCalls) != 2 || c.Model != "m" {
			t.Fatalf("%s: %+v", what, ch)
		}
		one, two := ch.Message.ToolCalls[0], ch.Message.ToolCalls[1]
		if one.ID != "c1" || one.Function.Name != "f" || one.Function.Arguments != "{}" || two.ID != "c2" || two.Function.Arguments != `{"x":1}` {
			t.Errorf("%s: %+v", what, ch.Message.ToolCalls)
		}
		if c.Usage.PromptTokens != 156 || c.Usage.PromptTokensDetails.CachedTokens != 100 || c.Usage.CompletionTokensDetails.ReasoningTokens != 2 {
			t.Errorf("%s: %+v", what, c.Usage)
		}
	}
	whole := client("/")
	answer, err := whole.Chat.Completions.New(ctx, params)
	if err != nil {
		t.Fatal(err)
	}
	check("whole", *answer)

	stream := whole.Chat.Completions.NewStreaming(ctx, params, option.WithQuery("s", "1"))
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		if !acc.AddChunk(stream.Current()) {
			t.Errorf("the client refuses chunk %s", stream.Current().RawJSON())
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	check("streamed", acc.ChatCompletion)

	broken := client("/broken/")
	stream = broken.Chat.Completions.NewStreaming(ctx, params, option.WithQuery("s", "1"))
	for stream.Next() {
	}
	if stream.Err() == nil {
		t.Error("B10: the client took a broken stream for a whole one")
	}
	failing := client("/fail/")
	_, err = failing.Chat.Completions.New(ctx, params)
	if e, ok := err.(*openai.Error); !ok || e.StatusCode != 429 || e.Message != "groq: slow down" || e.Code != "rate_limit_exceeded" {
		t.Errorf("%v", err)
	}
}
