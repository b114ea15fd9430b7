package proxytest_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"keytray/proxy/proxytest"
)

// TestOpenAIClient: the official client understands the test provider.
func TestOpenAIClient(t *testing.T) {
	server := proxytest.Start(t, proxytest.NewByModel())
	client := openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey("sk-test"), option.WithMaxRetries(0))
	ask := func(model string) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{
			Model:         model,
			Messages:      []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")},
			StreamOptions: openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)},
		}
	}
	for _, model := range []string{"text", "tools", "ping", "crlf", "tight", "bytes", "runes", "cache", "no-args"} {
		whole, err := client.Chat.Completions.New(t.Context(), ask(model))
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		stream := client.Chat.Completions.NewStreaming(t.Context(), ask(model))
		var sum openai.ChatCompletionAccumulator
		for stream.Next() {
			if !sum.AddChunk(stream.Current()) {
				t.Errorf("%s: chunk does not fit: %s", model, stream.Current().RawJSON())
			}
		}
		if err := stream.Err(); err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		a, b := whole.Choices[0], sum.Choices[0]
		if a.Message.Content != b.Message.Content || a.FinishReason != b.FinishReason ||
			whole.Usage.TotalTokens != sum.Usage.TotalTokens || len(a.Message.ToolCalls) != len(b.Message.ToolCalls) {
			t.Errorf("%s: whole %s\nstreamed %+v", model, whole.RawJSON(), sum.ChatCompletion)
		}
		for i, call := range a.Message.ToolCalls {
			if other := b.Message.ToolCalls[i]; call.ID != other.ID || call.Function.Name != other.Function.Name ||
				call.Function.Arguments != other.Function.Arguments {
				t.Errorf("%s: call %d: %+v and %+v", model, i, call, other)
			}
		}
	}
	_, err := client.Chat.Completions.New(t.Context(), ask("error-429"))
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != 429 || refused.Code != "rate_limit_exceeded" {
		t.Errorf("error-429: %v", err)
	}
}

// TestOllamaClient: Ollama's own client understands the test provider.
func TestOllamaClient(t *testing.T) {
	server := proxytest.Start(t, proxytest.NewByModel())
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient(base, &http.Client{})
	whole := new(bool)
	for _, model := range []string{"text", "think", "mixed", "tools", "bytes", "no-args"} {
		one, err := chat(t.Context(), client, &api.ChatRequest{Model: model, Stream: whole})
		if err != nil {
			t.Errorf("%s: %v", model, err)
		}
		many, err := chat(t.Context(), client, &api.ChatRequest{Model: model})
		if err != nil {
			t.Errorf("%s: %v", model, err)
		}
		if one.text != many.text || one.thinking != many.thinking || len(one.calls) != len(many.calls) ||
			one.last.DoneReason != many.last.DoneReason || one.last.EvalCount != many.last.EvalCount || one.last.EvalCount == 0 {
			t.Errorf("%s: whole %+v\nstreamed %+v", model, one, many)
		}
		for i, call := range one.calls {
			if call.Function.Arguments.String() != many.calls[i].Function.Arguments.String() || call.Function.Index != i {
				t.Errorf("%s: call %d: %v and %v", model, i, call, many.calls[i])
			}
		}
	}
	if _, err := client.List(t.Context()); err != nil {
		t.Error(err)
	}
	if show, err := client.Show(t.Context(), &api.ShowRequest{Model: "text"}); err != nil || len(show.Capabilities) == 0 {
		t.Errorf("show: %v", err)
	}
	_, err = chat(t.Context(), client, &api.ChatRequest{Model: "error-404"})
	var refused api.StatusError
	if !errors.As(err, &refused) || refused.StatusCode != 404 {
		t.Errorf("error-404: %v", err)
	}
}
