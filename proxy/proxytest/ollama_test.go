package proxytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/proxytest"
)

// answer is what the pieces of an Ollama answer add up to.
type answer struct {
	text, thinking string
	calls          []api.ToolCall
	pieces         int
	last           api.ChatResponse
}

func chat(ctx context.Context, client *api.Client, request *api.ChatRequest) (answer, error) {
	var a answer
	err := client.Chat(ctx, request, func(r api.ChatResponse) error {
		a.pieces++
		a.text += r.Message.Content
		a.thinking += r.Message.Thinking
		a.calls = append(a.calls, r.Message.ToolCalls...)
		a.last = r
		return nil
	})
	return a, err
}

func tools(t *testing.T, names ...string) api.Tools {
	var all api.Tools
	for _, name := range names {
		var tool api.Tool
		err := json.Unmarshal([]byte(`{"type":"function","function":{"name":"`+name+`","description":"d",
			"parameters":{"type":"object","properties":{"city":{"type":"string"},"zone":{"type":"string"}}}}}`), &tool)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tool)
	}
	return all
}

// TestRealOllama checks with Ollama's own client that the tiny models do in the real server what their
// constants promise, so that a test of Keytray that fails against it fails for Keytray's reasons.
func TestRealOllama(t *testing.T) {
	server := proxytest.StartOllama(t)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := api.NewClient(base, &http.Client{})
	whole, yes, no := new(bool), &api.ThinkValue{Value: true}, &api.ThinkValue{Value: false}
	say := func(role, content string) api.Message { return api.Message{Role: role, Content: content} }
	user := say("user", "hi there, what now?")

	t.Run("lists", func(t *testing.T) {
		list, err := client.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, m := range list.Models {
			names = append(names, m.Name)
		}
		if len(names) != 2 || !strings.Contains(strings.Join(names, " "), proxytest.TinyThinkModel+":latest") {
			t.Errorf("models %v", names)
		}
		version, err := client.Version(t.Context())
		if err != nil || version == "0.0.0" {
			t.Errorf("version %q, %v", version, err)
		}
		show, err := client.Show(t.Context(), &api.ShowRequest{Model: proxytest.TinyModel})
		if err != nil {
			t.Fatal(err)
		}
		if len(show.Capabilities) != 2 || show.Capabilities[1] != "tools" {
			t.Errorf("capabilities of %s: %v", proxytest.TinyModel, show.Capabilities)
		}
		show, err = client.Show(t.Context(), &api.ShowRequest{Model: proxytest.TinyThinkModel})
		if err != nil {
			t.Fatal(err)
		}
		if len(show.Capabilities) != 2 || show.Capabilities[1] != "thinking" {
			t.Errorf("capabilities of %s: %v", proxytest.TinyThinkModel, show.Capabilities)
		}
	})

	weather := []string{proxytest.TinyTool + proxytest.TinyToolArguments}
	both := append(weather[:1:1], proxytest.TinySecondTool+proxytest.TinySecondToolArguments)
	for _, c := range []struct {
		name           string
		request        api.ChatRequest
		text, thinking string
		calls          []string
		reason         string
	}{
		{
			name:    "text",
			request: api.ChatRequest{Model: proxytest.TinyModel, Messages: []api.Message{user}},
			text:    proxytest.TinyText, reason: "stop",
		},
		{
			name: "text at a high temperature",
			request: api.ChatRequest{
				Model: proxytest.TinyModel, Messages: []api.Message{user},
				Options: map[string]any{"temperature": 5.0, "top_k": 0, "seed": 7},
			},
			text: proxytest.TinyText, reason: "stop",
		},
		{
			name: "tool",
			request: api.ChatRequest{
				Model: proxytest.TinyModel, Messages: []api.Message{user},
				Tools: tools(t, proxytest.TinyTool),
			},
			calls: weather, reason: "stop",
		},
		{
			name: "two tools",
			request: api.ChatRequest{
				Model: proxytest.TinyModel, Messages: []api.Message{say("system", proxytest.TinySystemBoth), user},
				Tools: tools(t, proxytest.TinyTool, proxytest.TinySecondTool),
			},
			calls: both, reason: "stop",
		},
		{
			name: "tool result",
			request: api.ChatRequest{
				Model:    proxytest.TinyModel,
				Messages: []api.Message{user, {Role: "assistant"}, {Role: "tool", Content: "18 degrees", ToolName: proxytest.TinyTool}},
				Tools:    tools(t, proxytest.TinyTool),
			},
			text: proxytest.TinyText, reason: "stop",
		},
		{
			name:    "thinking",
			request: api.ChatRequest{Model: proxytest.TinyThinkModel, Messages: []api.Message{user}, Think: yes},
			text:    proxytest.TinyConclusion, thinking: proxytest.TinyThought, reason: "stop",
		},
		{
			name:    "thinking by default",
			request: api.ChatRequest{Model: proxytest.TinyThinkModel, Messages: []api.Message{user}},
			text:    proxytest.TinyConclusion, thinking: proxytest.TinyThought, reason: "stop",
		},
		{
			name:    "thinking off",
			request: api.ChatRequest{Model: proxytest.TinyThinkModel, Messages: []api.Message{user}, Think: no},
			text:    proxytest.TinyText, reason: "stop",
		},
		{
			name: "length",
			request: api.ChatRequest{
				Model: proxytest.TinyModel, Messages: []api.Message{say("system", proxytest.TinySystemLoop), user},
				Options: map[string]any{"num_predict": 6},
			},
			text: strings.TrimSpace(proxytest.TinyLoop + proxytest.TinyLoop), reason: "length",
		},
	} {
		for _, streamed := range []bool{false, true} {
			name, request := c.name, c.request
			if streamed {
				name += " streamed"
			} else {
				request.Stream = whole
			}
			t.Run(name, func(t *testing.T) {
				got, err := chat(t.Context(), client, &request)
				if err != nil {
					t.Fatal(err)
				}
				if got.text != c.text || got.thinking != c.thinking {
					t.Errorf("text %q, thinking %q; want %q, %q", got.text, got.thinking, c.text, c.thinking)
				}
				var calls []string
				for i, call := range got.calls {
					calls = append(calls, call.Function.Name+call.Function.Arguments.String())
					if call.Function.Index != i {
						t.Errorf("call %d has the index %d", i, call.Function.Index)
					}
				}
				if strings.Join(calls, " ") != strings.Join(c.calls, " ") {
					t.Errorf("calls %v, want %v", calls, c.calls)
				}
				if got.last.DoneReason != c.reason || got.last.EvalCount == 0 || got.last.PromptEvalCount == 0 {
					t.Errorf("ended %q after %d tokens for %d", got.last.DoneReason, got.last.EvalCount, got.last.PromptEvalCount)
				}
				if streamed == (got.pieces == 1) {
					t.Errorf("%d pieces", got.pieces)
				}
			})
		}
	}

	t.Run("endless, cancelled", func(t *testing.T) {
		if err := server.AwaitServed(t.Context(), "/api/chat", 18); err != nil { // all the above
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		pieces, ended := 0, false
		err := client.Chat(ctx, &api.ChatRequest{
			Model: proxytest.TinyModel, Messages: []api.Message{say("system", proxytest.TinySystemLoop), user},
		}, func(r api.ChatResponse) error {
			if pieces++; pieces == 100 {
				cancel()
			}
			ended = ended || r.Done
			return nil
		})
		// This client reports a cancelled stream as nil; only the missing end tells.
		if err != nil && !errors.Is(err, context.Canceled) || ended || pieces < 100 {
			t.Errorf("after %d pieces, ended %v: %v", pieces, ended, err)
		}
		if err := server.AwaitServed(t.Context(), "/api/chat", 19); err != nil {
			t.Error(err)
		}
	})
}
