package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"

	"keytray/proxy/proxytest"
)

// complete asks for a legacy completion, streamed or whole.
func complete(t *testing.T, client openai.Client, p openai.CompletionNewParams, streamed bool) (text, finish string, usage openai.CompletionUsage) {
	t.Helper()
	if !streamed {
		got, err := client.Completions.New(t.Context(), p)
		if err != nil || len(got.Choices) != 1 || got.Object != "text_completion" {
			t.Fatalf("%+v %s", got, told(err))
		}
		return got.Choices[0].Text, string(got.Choices[0].FinishReason), got.Usage
	}
	p.StreamOptions = openai.ChatCompletionStreamOptionsParam{IncludeUsage: openai.Bool(true)}
	stream := client.Completions.NewStreaming(t.Context(), p)
	defer stream.Close()
	for stream.Next() {
		c := stream.Current()
		for _, choice := range c.Choices {
			text += choice.Text
			if choice.FinishReason != "" {
				finish = string(choice.FinishReason)
			}
		}
		if c.Usage.TotalTokens > 0 {
			usage = c.Usage
		}
	}
	if stream.Err() != nil {
		t.Fatal(told(stream.Err()))
	}
	return text, finish, usage
}

// The official client's legacy completions are answered by chat models of all
// dialects.
func TestLegacyCompletions(t *testing.T) {
	script := proxytest.Script{Parts: proxytest.Parts(proxytest.Text("upon ", "a time"))}
	eachUpstream(t, []proxytest.Script{script}, func(t *testing.T, c caseOf) {
		for _, streamed := range []bool{false, true} {
			p := openai.CompletionNewParams{Model: openai.CompletionNewParamsModel(c.asked), Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("Once ")}, Echo: openai.Bool(true)}
			text, finish, usage := complete(t, c.client, p, streamed)
			if text != "Once upon a time" || finish != "stop" || usage.TotalTokens != 19 {
				t.Errorf("%q %s %+v", text, finish, usage)
			}
			c.wantGood(c.last(), streamed)
			if sent := c.sent(); !strings.Contains(sent, `"Once "`) || strings.Contains(sent, `"prompt"`) {
				t.Errorf("sent %s", sent)
			}
		}
		_, err := c.client.Completions.New(t.Context(), openai.CompletionNewParams{Model: openai.CompletionNewParamsModel(c.asked), Prompt: openai.CompletionNewParamsPromptUnion{OfArrayOfTokens: []int64{1, 2}}})
		if err == nil || !strings.Contains(told(err), "send text") || !strings.Contains(told(err), `"param":"prompt"`) {
			t.Error(told(err))
		}
	})
}

// A provider that serves them gets the client's own bytes.
func TestLegacyCompletionsAsTheyAre(t *testing.T) {
	frames := `data: {"id":"c","object":"text_completion","choices":[{"text":"hi","index":0,"logprobs":{"tokens":["hi"]},"finish_reason":"stop"}],"model":"m"}` + "\n\n"
	usage := `data: {"id":"c","object":"text_completion","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}` + "\n\n"
	var path, body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		path, body = r.URL.Path, string(b)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, frames+usage+"data: [DONE]\n\n")
	}))
	defer server.Close()
	h := open(t, "providers:\n  together: {base_url: "+server.URL+"/v1}\n", "TOGETHER_API_KEY="+canary)
	got := h.do("POST", "/v1/completions", `{"model":"together/m","prompt":[1,2],"logprobs":1,"stream":true}`)
	if got.status != 200 || got.body != frames+"data: [DONE]\n\n" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if path != "/v1/completions" || body != `{"model":"m","stream_options":{"include_usage":true},"prompt":[1,2],"logprobs":1,"stream":true}` {
		t.Errorf("%s got %s", path, body)
	}
	if row := h.last(); row.Usage.Input != 5 || row.Usage.Output != 3 || row.Inbound != "chat" {
		t.Errorf("row %+v", row)
	}
}

func TestLegacyCompletionsOfRealOllama(t *testing.T) {
	server := proxytest.StartOllama(t)
	h := open(t, "", "OLLAMA_HOST="+strings.TrimPrefix(server.URL, "http://"))
	for _, streamed := range []bool{false, true} {
		p := openai.CompletionNewParams{Model: "tiny", Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("hi there, what now?")}}
		text, finish, usage := complete(t, h.sdk(), p, streamed)
		if text != proxytest.TinyText || finish != "stop" || usage.CompletionTokens == 0 {
			t.Errorf("%q %s %+v", text, finish, usage)
		}
	}
}
