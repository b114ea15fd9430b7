package proxytest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"keytray/proxy/proxytest"
)

func TestAnswers(t *testing.T) {
	full := proxytest.Script{
		Parts: proxytest.Parts(
			proxytest.Thinking("Let me", " see."), proxytest.Text("Grü", "ße", "."),
			proxytest.Call("", "get_weather", `{"ci`, `ty":"Paris"}`), proxytest.Call("", "get_time", `{"zone":"UTC"}`),
		),
		Usage:     &proxytest.Usage{Input: 20, Output: 30, Reasoning: 10},
		ChatUsage: proxytest.UsageAlways,
	}
	stops := map[proxytest.Dialect]string{
		proxytest.Chat: "tool_calls", proxytest.Messages: "tool_use", proxytest.Gemini: "STOP", proxytest.Ollama: "stop",
	}
	for _, d := range proxytest.Dialects() {
		for _, streamed := range []bool{false, true} {
			name := string(d) + " whole"
			if streamed {
				name = string(d) + " streamed"
			}
			t.Run(name, func(t *testing.T) {
				provider := proxytest.New(full)
				response := post(t.Context(), t, proxytest.Start(t, provider).URL, d, "m", streamed)
				text := read(t, response)
				var got reading
				if streamed {
					for _, f := range frames(d, text) {
						got.add(d, f)
					}
				} else {
					if !json.Valid([]byte(text)) {
						t.Fatalf("no JSON: %s", text)
					}
					got.add(d, text)
					got.ended = true
				}
				if got.text != "Grüße." || got.thinking != "Let me see." || got.stop != stops[d] || !got.ended {
					t.Errorf("got %+v", got)
				}
				if calls := strings.Join(got.calls, " "); calls != `get_weather{"city":"Paris"} get_time{"zone":"UTC"}` {
					t.Errorf("calls %s", calls)
				}
				if got.in != 20 || got.out != 30 {
					t.Errorf("usage %d in, %d out", got.in, got.out)
				}
				seen := provider.Last()
				if seen.Dialect != d || seen.Model != "m" || seen.Stream != streamed || seen.Key != "sk-test" ||
					string(seen.Body) != body(d, "m", streamed) {
					t.Errorf("saw %+v", seen)
				}
				if _, yes := seen.Cancelled(); yes {
					t.Error("an answer that was read to its end counts as cancelled")
				}
			})
		}
	}
}

// TestUsage: each dialect counts cached tokens in its own way, and these are the numbers of B2.
func TestUsage(t *testing.T) {
	script := proxytest.Script{Usage: &proxytest.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 30, Reasoning: 10}}
	for _, c := range []struct {
		dialect proxytest.Dialect
		want    map[string]int64
	}{
		{proxytest.Chat, map[string]int64{
			"usage.prompt_tokens": 156, "usage.prompt_tokens_details.cached_tokens": 100,
			"usage.completion_tokens": 30, "usage.completion_tokens_details.reasoning_tokens": 10, "usage.total_tokens": 186,
		}},
		{proxytest.Messages, map[string]int64{
			"usage.input_tokens": 6, "usage.cache_read_input_tokens": 100, "usage.cache_creation_input_tokens": 50,
			"usage.cache_creation.ephemeral_5m_input_tokens": 50, "usage.output_tokens": 30,
		}},
		{proxytest.Gemini, map[string]int64{
			"usageMetadata.promptTokenCount": 156, "usageMetadata.cachedContentTokenCount": 100,
			"usageMetadata.candidatesTokenCount": 20, "usageMetadata.thoughtsTokenCount": 10, "usageMetadata.totalTokenCount": 186,
		}},
		{proxytest.Ollama, map[string]int64{"prompt_eval_count": 156, "eval_count": 30}},
	} {
		server := proxytest.Start(t, proxytest.New(script))
		text := read(t, post(t.Context(), t, server.URL, c.dialect, "m", false))
		for path, want := range c.want {
			if got := gjson.Get(text, path); !got.Exists() || got.Int() != want {
				t.Errorf("%s: %s is %s, want %d", c.dialect, path, got.Raw, want)
			}
		}
	}
}

// TestChatUsageWhen: who asks for usage in a stream, and who gets it unasked.
func TestChatUsageWhen(t *testing.T) {
	for _, c := range []struct {
		when  proxytest.UsageWhen
		asked bool
		want  string // for each frame: u states usage, n says null, - has no such field
	}{
		{proxytest.UsageAsked, false, "----"},
		{proxytest.UsageAsked, true, "nnnu-"},
		{proxytest.UsageAlways, false, "nnnu-"},
		{proxytest.UsageInline, false, "--u-"},
		{proxytest.UsageEvery, false, "uuu-"},
	} {
		server := proxytest.Start(t, proxytest.New(proxytest.Script{Parts: proxytest.Parts(proxytest.Text("a")), ChatUsage: c.when}))
		options := ""
		if c.asked {
			options = `,"stream_options":{"include_usage":true}`
		}
		response, err := http.Post(server.URL+"/v1/chat/completions", "application/json", strings.NewReader(`{"stream":true`+options+`}`))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		got := ""
		for _, f := range frames(proxytest.Chat, read(t, response)) {
			switch u := gjson.Get(f, "usage"); {
			case u.IsObject():
				got += "u"
			case u.Exists():
				got += "n"
			default:
				got += "-"
			}
		}
		if got != c.want {
			t.Errorf("%q, asked %v: %s, want %s", c.when, c.asked, got, c.want)
		}
	}
}

// TestStep: a stream goes on only when the test says so, and the provider knows when its client has gone.
func TestStep(t *testing.T) {
	for _, d := range proxytest.Dialects() {
		t.Run(string(d), func(t *testing.T) {
			step := make(chan struct{})
			provider := proxytest.New(proxytest.Script{Parts: proxytest.Parts(proxytest.Text("a", "b", "c", "d", "e", "f")), Step: step, HeaderFirst: true})
			server := proxytest.Start(t, provider)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			response := post(ctx, t, server.URL, d, "m", true)
			lines := bufio.NewReader(response.Body)
			for want := 1; want <= 3; want++ {
				step <- struct{}{}
				for {
					line, err := lines.ReadString('\n')
					if err != nil {
						t.Fatal(err)
					}
					if strings.Contains(line, "{") {
						break
					}
				}
			}
			seen := provider.Last()
			if n := seen.Sent(); n < 2 || n > 3 { // the third may be read before it is counted
				t.Errorf("%d writes after 3 steps", n)
			}
			cancel()
			if _, err := seen.AwaitCancel(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestClose: closing the server ends a hanging request, and does not count as the client's doing.
func TestClose(t *testing.T) {
	provider := proxytest.New(proxytest.Script{Fault: proxytest.FaultHang})
	server, err := proxytest.Listen("127.0.0.1:0", provider)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		response, err := try(t.Context(), server.URL, proxytest.Chat, "m", false)
		if err == nil {
			response.Body.Close()
		}
		failed <- err
	}()
	seen, err := provider.Await(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	if err := <-failed; err == nil {
		t.Error("a hanging request was answered")
	}
	<-seen.Done()
	if _, yes := seen.Cancelled(); yes {
		t.Error("the server's own end counts as a cancel")
	}
	if _, err := seen.AwaitCancel(t.Context()); err == nil {
		t.Error("AwaitCancel found a cancel")
	}
}

func TestAwaitGivesUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := proxytest.New().Await(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestScriptsInOrder(t *testing.T) {
	provider := proxytest.New(proxytest.Script{Fail: &proxytest.Fail{Status: 500}}, proxytest.Script{})
	server := proxytest.Start(t, provider)
	for i, want := range []int{500, 200, 200} {
		if got := post(t.Context(), t, server.URL, proxytest.Chat, "m", false).StatusCode; got != want {
			t.Errorf("answer %d: %d, want %d", i+1, got, want)
		}
	}
	if n := len(provider.Requests()); n != 3 {
		t.Errorf("%d requests seen", n)
	}
}

// TestModels: lists of models, in each dialect's shape, for the right key alone.
func TestModels(t *testing.T) {
	provider := proxytest.NewByModel()
	provider.Models, provider.Key = []string{"one", "two"}, "right"
	server := proxytest.Start(t, provider)
	for _, c := range []struct {
		name, path, header, value, found string
		wrong                            int
	}{
		{"chat", "/v1/models", "Authorization", "Bearer right", "data.1.id", 401},
		{"chat under a prefix", "/openai/v1/models", "Authorization", "Bearer right", "data.1.id", 401},
		{"messages", "/v1/models", "X-Api-Key", "right", "data.1.id", 401},
		{"gemini", "/v1beta/models", "X-Goog-Api-Key", "right", "models.1.displayName", 400},
		{"ollama", "/api/tags", "Authorization", "Bearer right", "models.1.name", 401},
	} {
		for _, value := range []string{c.value, "Bearer wrong", ""} {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+c.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set(c.header, value)
			if c.header == "X-Api-Key" {
				request.Header.Set("Anthropic-Version", "2023-06-01")
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text := read(t, response)
			if value != c.value {
				if response.StatusCode != c.wrong || !gjson.Get(text, "error").Exists() {
					t.Errorf("%s with a wrong key: %d %s", c.name, response.StatusCode, text)
				}
				continue
			}
			if got, _, _ := strings.Cut(gjson.Get(text, c.found).String(), ":"); got != "two" {
				t.Errorf("%s: %s", c.name, text)
			}
		}
	}
}
