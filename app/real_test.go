package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	oai "github.com/openai/openai-go/v3/shared"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// TestRealOllamaBehindKeytray asks the real Ollama server through the front
// door, with OpenAI's own client. It is found by OLLAMA_HOST, as Ollama's own
// clients find it, and needs neither a key nor a token.
func TestRealOllamaBehindKeytray(t *testing.T) {
	server := proxytest.StartOllama(t)
	h := open(t, "", "OLLAMA_HOST="+strings.TrimPrefix(server.URL, "http://"))
	c := caseOf{house: h, client: h.sdk()}
	served := 0 // answers that Ollama has given
	ask := func(t *testing.T, p openai.ChatCompletionNewParams, streamed bool) (openai.ChatCompletionChoice, string, openai.CompletionUsage) {
		t.Helper()
		served++
		if streamed {
			sum, reasoning, err := c.gather(withUsage(p))
			if err != nil || len(sum.Choices) != 1 {
				t.Fatalf("%d choices, %s", len(sum.Choices), told(err))
			}
			return sum.Choices[0], reasoning, sum.Usage
		}
		whole, err := c.client.Chat.Completions.New(t.Context(), p)
		if err != nil || len(whole.Choices) != 1 {
			t.Fatal(told(err))
		}
		reasoning := ""
		if raw := whole.Choices[0].Message.JSON.ExtraFields["reasoning_content"].Raw(); raw != "" {
			if err := json.Unmarshal([]byte(raw), &reasoning); err != nil {
				t.Error(err)
			}
		}
		return whole.Choices[0], reasoning, whole.Usage
	}
	question := func(model string, before ...openai.ChatCompletionMessageParamUnion) openai.ChatCompletionNewParams {
		return openai.ChatCompletionNewParams{Model: model, Messages: append(before, openai.UserMessage("hi there, what now?"))}
	}
	both := func(t *testing.T, name string, test func(t *testing.T, streamed bool)) {
		t.Run(name, func(t *testing.T) { test(t, false) })
		t.Run(name+" streamed", func(t *testing.T) { test(t, true) })
	}
	// A local answer's row: free, and counted by Ollama.
	wantFree := func(t *testing.T, model string, u openai.CompletionUsage) {
		t.Helper()
		row := h.last()
		if row.Status != ledger.StatusOK || row.Provider != "ollama" || row.Model != model || row.Key != "" ||
			row.CostPico == nil || *row.CostPico != 0 || row.CostKind != ledger.CostExact {
			t.Errorf("row %+v", row)
		}
		if row.Usage.Input == 0 || row.Usage.Output == 0 || u.PromptTokens != row.Usage.Input || u.CompletionTokens != row.Usage.Output {
			t.Errorf("usage %+v, the client saw %+v", row.Usage, u)
		}
	}

	t.Run("models", func(t *testing.T) {
		for _, token := range []string{h.token, ""} {
			r := h.do("GET", "/v1/models", "", "Authorization", "Bearer "+token)
			for _, m := range []string{proxytest.TinyModel, proxytest.TinyThinkModel} {
				if r.status != 200 || !strings.Contains(r.body, `"id":"ollama/`+m+`:latest"`) {
					t.Errorf("token %q: %d %s", token, r.status, r.body)
				}
			}
		}
	})
	for _, name := range []string{"tiny", "tiny:latest", "ollama/tiny", "ollama/tiny:latest"} {
		both(t, "text from "+name, func(t *testing.T, streamed bool) {
			p := question(name)
			p.Temperature = openai.Float(0) // A25
			got, reasoning, usage := ask(t, p, streamed)
			if got.Message.Content != proxytest.TinyText || got.FinishReason != "stop" || reasoning != "" || len(got.Message.ToolCalls) != 0 {
				t.Errorf("%+v", got)
			}
			row := h.last()
			if row.Asked != name {
				t.Errorf("asked %s", row.Asked)
			}
			wantFree(t, row.Model, usage)
		})
	}
	both(t, "length", func(t *testing.T, streamed bool) { // H7
		p := question("tiny", openai.SystemMessage(proxytest.TinySystemLoop))
		p.MaxCompletionTokens = openai.Int(6)
		got, _, usage := ask(t, p, streamed)
		if got.FinishReason != "length" || strings.TrimSpace(got.Message.Content) != strings.TrimSpace(proxytest.TinyLoop+proxytest.TinyLoop) || usage.CompletionTokens != 6 {
			t.Errorf("%+v %+v", got, usage)
		}
	})
	both(t, "tools", func(t *testing.T, streamed bool) { // H5, H6
		p := question("tiny", openai.SystemMessage(proxytest.TinySystemBoth))
		text := map[string]any{"type": "string"}
		p.Tools = []openai.ChatCompletionToolUnionParam{
			function(proxytest.TinyTool, map[string]any{"city": text}), function(proxytest.TinySecondTool, map[string]any{"zone": text}),
		}
		got, _, usage := ask(t, p, streamed)
		calls := got.Message.ToolCalls
		if got.FinishReason != "tool_calls" || len(calls) != 2 ||
			calls[0].Function.Name+calls[0].Function.Arguments != proxytest.TinyTool+proxytest.TinyToolArguments ||
			calls[1].Function.Name+calls[1].Function.Arguments != proxytest.TinySecondTool+proxytest.TinySecondToolArguments ||
			calls[0].ID == "" || calls[0].ID == calls[1].ID {
			t.Fatalf("%+v", got)
		}
		wantFree(t, "tiny:latest", usage)
		p.Messages = append(p.Messages, got.Message.ToParam(), openai.ToolMessage("18 degrees", calls[0].ID), openai.ToolMessage("noon", calls[1].ID))
		if got, _, _ = ask(t, p, streamed); got.Message.Content != proxytest.TinyText || got.FinishReason != "stop" {
			t.Errorf("after the results %+v", got)
		}
	})
	both(t, "thinking", func(t *testing.T, streamed bool) {
		p := question("tiny-think")
		p.ReasoningEffort = oai.ReasoningEffortMedium
		got, reasoning, usage := ask(t, p, streamed)
		if got.Message.Content != proxytest.TinyConclusion || reasoning != proxytest.TinyThought || got.FinishReason != "stop" {
			t.Errorf("%+v, reasoning %q", got, reasoning)
		}
		wantFree(t, "tiny-think:latest", usage)
		p.ReasoningEffort = oai.ReasoningEffortNone
		if got, reasoning, _ = ask(t, p, streamed); got.Message.Content != proxytest.TinyText || reasoning != "" {
			t.Errorf("thinking off: %+v, reasoning %q", got, reasoning)
		}
	})
	both(t, "effort to a model that cannot think", func(t *testing.T, streamed bool) { // H11
		p := question("tiny")
		p.ReasoningEffort = oai.ReasoningEffortHigh
		if got, _, _ := ask(t, p, streamed); got.Message.Content != proxytest.TinyText {
			t.Errorf("%+v", got)
		}
		if lost := strings.Join(h.last().Lost, " "); !strings.Contains(lost, "reasoning_effort") {
			t.Errorf("lost %q", lost)
		}
	})
	t.Run("a model that is not there", func(t *testing.T) {
		var refused *openai.Error
		_, err := c.client.Chat.Completions.New(t.Context(), question("tiny-thin"))
		if !errors.As(err, &refused) || refused.StatusCode != 404 || !strings.Contains(refused.Message, "tiny") {
			t.Error(told(err))
		}
		_, err = c.client.Chat.Completions.New(t.Context(), question("ollama/absent"))
		served++
		if !errors.As(err, &refused) || refused.StatusCode != 404 || !strings.Contains(refused.Message, "absent") {
			t.Error(told(err))
		}
	})
	t.Run("without a token", func(t *testing.T) {
		for _, token := range []string{""} {
			r := h.do("POST", "/v1/chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"hi"}]}`, "Authorization", token)
			served++
			if r.status != 200 || !strings.Contains(r.body, proxytest.TinyText) {
				t.Errorf("%d %s", r.status, r.body)
			}
			if row := h.last(); row.Tool != "unknown" {
				t.Errorf("tool %q", row.Tool)
			}
		}
	})
	t.Run("offline", func(t *testing.T) {
		if err := h.Use("offline"); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := ask(t, question("tiny"), true); got.Message.Content != proxytest.TinyText {
			t.Errorf("%+v", got)
		}
		if s := h.Status(); s.State != Offline {
			t.Errorf("state %s", s.State)
		}
	})
	t.Run("the switch on ollama", func(t *testing.T) {
		if err := h.Use("ollama"); err != nil {
			t.Fatal(err)
		}
		r := h.chat("openai/gpt-5", "")
		served++
		if r.status != 200 || !strings.HasPrefix(r.header.Get("Keytray-Target"), "ollama/tiny") {
			t.Errorf("%d %s %s", r.status, r.header.Get("Keytray-Target"), r.body)
		}
		if err := h.Use("auto"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("an endless answer, stopped", func(t *testing.T) { // J6
		if err := server.AwaitServed(t.Context(), "/api/chat", served); err != nil { // all the above
			t.Fatal(err)
		}
		stream := c.client.Chat.Completions.NewStreaming(t.Context(), question("tiny", openai.SystemMessage(proxytest.TinySystemLoop)))
		for pieces := 0; pieces < 50 && stream.Next(); pieces++ {
		}
		if err := errors.Join(stream.Err(), stream.Close()); err != nil {
			t.Fatal(err)
		}
		if err := server.AwaitServed(t.Context(), "/api/chat", served+1); err != nil {
			t.Error(err)
		}
		row := h.awaitRow(served + 1)
		if row.Status != ledger.StatusAborted || row.Usage.Output == 0 || row.CostPico == nil || *row.CostPico != 0 {
			t.Errorf("row %+v", row)
		}
		// Another chat is not asked for: Ollama itself sometimes never answers one after that.
		if r := h.do("GET", "/api/ps", ""); r.status != 200 || !strings.Contains(r.body, "tiny") {
			t.Errorf("after a cancel: %d %s", r.status, r.body)
		}
	})
}

// Of all of Ollama's models, gpt-oss alone takes levels of thinking; the
// server refuses them for others. What a model takes is learned from the server.
func TestOllamaLevels(t *testing.T) {
	for family, want := range map[string]string{"gptoss": `"think":"medium"`, "gpt-oss": `"think":"medium"`, "qwen3": `"think":true`} {
		t.Run(family, func(t *testing.T) {
			p := proxytest.New()
			p.Models = []string{"text"}
			mux := http.NewServeMux()
			mux.Handle("/", p)
			mux.HandleFunc("/api/show", func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(`{"details":{"family":"` + family + `"},"capabilities":["completion","tools","thinking"]}`))
			})
			h := open(t, "", "OLLAMA_HOST="+proxytest.Start(t, mux).URL)
			if r := h.chat("ollama/text", `"reasoning_effort":"medium"`); r.status != 200 {
				t.Fatalf("%d %s", r.status, r.body)
			}
			if sent := string(p.Last().Body); !strings.Contains(sent, want) {
				t.Errorf("sent %s, want %s", sent, want)
			}
		})
	}
}
