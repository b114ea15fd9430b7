package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	oai "github.com/openai/openai-go/v3/shared"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// upstreams are a model of each dialect, and what 12 tokens in and 7 out cost
// there in pico-USD.
var upstreams = []struct {
	dialect         proxytest.Dialect
	provider, model string
	cost            int64
}{
	{proxytest.Chat, "openai", "gpt-5", 85e6},                          // 1.25 and 10 USD a million
	{proxytest.Messages, "anthropic", "claude-haiku-5-5", 4_700_000},   // 0.1 and 0.5
	{proxytest.Gemini, "google", "gemini-3-flash-preview", 27_000_000}, // 0.5 and 3
	{proxytest.Ollama, "ollama", "text:latest", 0},
}

// sdk is OpenAI's own client, pointed at Keytray.
func (h *house) sdk(o ...option.RequestOption) openai.Client {
	h.t.Helper()
	addr, err := h.Addr()
	if err != nil {
		h.t.Fatal(err)
	}
	all := []option.RequestOption{option.WithBaseURL("http://" + addr + "/v1"), option.WithAPIKey(h.token), option.WithMaxRetries(0)}
	return openai.NewClient(append(all, o...)...)
}

// eachUpstream runs a test against a provider of each dialect that plays the
// scripts in order.
func eachUpstream(t *testing.T, scripts []proxytest.Script, test func(t *testing.T, c caseOf)) {
	t.Helper()
	for _, u := range upstreams {
		t.Run(string(u.dialect), func(t *testing.T) {
			p := proxytest.New(scripts...)
			p.Models = []string{"text"}
			h, prefix := lab(t, u.dialect, p)
			test(t, caseOf{h, p, h.sdk(), u.dialect, prefix + u.model, u.provider, u.model, u.cost})
		})
	}
}

type caseOf struct {
	*house
	provider *proxytest.Provider
	client   openai.Client
	dialect  proxytest.Dialect
	asked    string
	maker    string
	model    string
	cost     int64
}

func (c caseOf) params(content string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    c.asked,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(content)},
	}
}

// sent is the body of the last question that the provider got.
func (c caseOf) sent() string {
	c.t.Helper()
	all := c.provider.Requests()
	for i := len(all) - 1; i >= 0; i-- {
		if !strings.HasSuffix(all[i].Path, "/api/tags") && !strings.HasSuffix(all[i].Path, "/api/show") {
			return string(all[i].Body)
		}
	}
	c.t.Fatal("the provider was not asked")
	return ""
}

// wantGood checks the row of a good answer of 12 tokens in and 7 out.
func (c caseOf) wantGood(row Row, streamed bool) {
	c.t.Helper()
	if row.Status != ledger.StatusOK || row.HTTPStatus != 200 || row.Error != "" || row.Streamed != streamed ||
		row.Provider != c.maker || row.Model != c.model || row.Asked != c.asked || row.Inbound != "chat" || row.Tool != "env" {
		c.t.Errorf("row %+v", row)
	}
	if row.Usage.Input != 12 || row.Usage.Output != 7 || row.FirstByte < 0 {
		c.t.Errorf("usage %+v, first byte after %v", row.Usage, row.FirstByte)
	}
	if row.CostPico == nil || *row.CostPico != c.cost || row.CostKind != ledger.CostExact {
		c.t.Errorf("cost %s %s, want %d", picoText(row.CostPico), row.CostKind, c.cost)
	}
}

func picoText(p *int64) string {
	if p == nil {
		return "unknown"
	}
	b, _ := json.Marshal(*p) // a number
	return string(b)
}

// gather reads a stream to its end.
func (c caseOf) gather(p openai.ChatCompletionNewParams) (openai.ChatCompletionAccumulator, string, error) {
	c.t.Helper()
	stream := c.client.Chat.Completions.NewStreaming(c.t.Context(), p)
	defer stream.Close()
	var sum openai.ChatCompletionAccumulator
	var reasoning strings.Builder
	for stream.Next() {
		chunk := stream.Current()
		if !sum.AddChunk(chunk) {
			c.t.Errorf("chunk does not fit: %s", chunk.RawJSON())
		}
		for _, choice := range chunk.Choices {
			if f, ok := choice.Delta.JSON.ExtraFields["reasoning_content"]; ok {
				var s string
				if err := json.Unmarshal([]byte(f.Raw()), &s); err != nil {
					c.t.Errorf("reasoning_content %s: %v", f.Raw(), err)
				}
				reasoning.WriteString(s)
			}
		}
	}
	return sum, reasoning.String(), stream.Err()
}

func withUsage(p openai.ChatCompletionNewParams) openai.ChatCompletionNewParams {
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	return p
}

// B13: the same answer, whole and streamed, and the same row.
func TestSDKChat(t *testing.T) {
	const want = "Hello from the test provider."
	eachUpstream(t, nil, func(t *testing.T, c caseOf) {
		whole, err := c.client.Chat.Completions.New(t.Context(), c.params("hi"))
		if err != nil {
			t.Fatal(err)
		}
		if len(whole.Choices) != 1 || whole.Choices[0].Message.Content != want || whole.Choices[0].FinishReason != "stop" {
			t.Errorf("whole %s", whole.RawJSON())
		}
		if u := whole.Usage; u.PromptTokens != 12 || u.CompletionTokens != 7 || u.TotalTokens != 19 {
			t.Errorf("usage %s", whole.RawJSON())
		}
		c.wantGood(c.last(), false)
		sum, _, err := c.gather(withUsage(c.params("hi")))
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.Choices) != 1 || sum.Choices[0].Message.Content != want || sum.Choices[0].FinishReason != "stop" {
			t.Errorf("streamed %+v", sum.ChatCompletion)
		}
		if u := sum.Usage; u.PromptTokens != 12 || u.CompletionTokens != 7 || u.TotalTokens != 19 {
			t.Errorf("usage %+v", u)
		}
		c.wantGood(c.last(), true)
		if sum, _, err = c.gather(c.params("hi")); err != nil || sum.Usage.TotalTokens != 0 { // I20
			t.Errorf("usage that was not asked for: %+v, %v", sum.Usage, err)
		}
		c.wantGood(c.last(), true)
		if n := len(c.rows()); n != 3 {
			t.Errorf("%d rows", n)
		}
	})
}

func function(name string, properties map[string]any) openai.ChatCompletionToolUnionParam {
	return openai.ChatCompletionFunctionTool(oai.FunctionDefinitionParam{
		Name: name, Description: openai.String("d"),
		Parameters: oai.FunctionParameters{"type": "object", "properties": properties},
	})
}

// A3, E8, E9, H5, H6: a tool loop with two calls at once, whose results go
// back as the dialect wants them.
func TestSDKToolLoop(t *testing.T) {
	scripts := []proxytest.Script{
		{Parts: proxytest.Parts(
			proxytest.Call("", "get_weather", `{"ci`, `ty":"Pa`, `ris"}`),
			proxytest.Call("", "get_weather", `{"city":"Rome"}`),
			proxytest.Call("", "get_time"),
		)},
		{Parts: proxytest.Parts(proxytest.Text("Paris 18, ", "Rome 25."))},
	}
	// What each dialect makes of the results, in order.
	marks := map[proxytest.Dialect][]string{
		proxytest.Chat:     {`"tool_calls"`, `18 degrees","tool_call_id":"call_test0"`, `25 degrees","tool_call_id":"call_test1"`, `noon","tool_call_id":"call_test2"`},
		proxytest.Messages: {`"tool_use"`, `"tool_use"`, `"tool_use"`, `"role":"user"`, `"tool_result"`, `18 degrees`, `"tool_result"`, `25 degrees`, `"tool_result"`, `noon`},
		proxytest.Gemini:   {`"functionCall"`, `"functionCall"`, `"functionCall"`, `"functionResponse"`, `get_weather`, `18 degrees`, `"functionResponse"`, `25 degrees`, `"functionResponse"`, `get_time`, `noon`},
		proxytest.Ollama:   {`"tool_calls"`, `"arguments":{`, `"role":"tool"`, `18 degrees`, `"role":"tool"`, `25 degrees`, `"role":"tool"`, `noon`},
	}
	for _, streamed := range []bool{false, true} {
		eachUpstream(t, scripts, func(t *testing.T, c caseOf) {
			p := c.params("weather and time")
			city := map[string]any{"city": map[string]any{"type": "string"}}
			p.Tools = []openai.ChatCompletionToolUnionParam{function("get_weather", city), function("get_time", map[string]any{})}
			ask := func() openai.ChatCompletionChoice {
				t.Helper()
				if streamed {
					sum, _, err := c.gather(withUsage(p))
					if err != nil || len(sum.Choices) != 1 {
						t.Fatalf("%d choices, %s", len(sum.Choices), told(err))
					}
					return sum.Choices[0]
				}
				whole, err := c.client.Chat.Completions.New(t.Context(), p)
				if err != nil || len(whole.Choices) != 1 {
					t.Fatal(told(err))
				}
				return whole.Choices[0]
			}
			first := ask()
			c.wantGood(c.last(), streamed)
			calls := first.Message.ToolCalls
			if first.FinishReason != "tool_calls" || len(calls) != 3 {
				t.Fatalf("first answer %+v", first)
			}
			wanted := []string{`get_weather{"city":"Paris"}`, `get_weather{"city":"Rome"}`, `get_time{}`} // B7
			ids := map[string]bool{}
			for i, call := range calls {
				if got := call.Function.Name + call.Function.Arguments; got != wanted[i] && (c.dialect != proxytest.Chat || got != "get_time") {
					t.Errorf("call %d is %s, want %s", i, got, wanted[i])
				}
				if call.ID == "" || ids[call.ID] {
					t.Errorf("id %q of call %d", call.ID, i)
				}
				ids[call.ID] = true
			}
			p.Messages = append(p.Messages, first.Message.ToParam())
			for i, result := range []string{"18 degrees", "25 degrees", "noon"} {
				p.Messages = append(p.Messages, openai.ToolMessage(result, calls[i].ID))
			}
			if second := ask(); second.FinishReason != "stop" || second.Message.Content != "Paris 18, Rome 25." {
				t.Errorf("second answer %+v", second)
			}
			c.wantGood(c.last(), streamed)
			sent := c.sent()
			for rest, i := sent, 0; i < len(marks[c.dialect]); i++ {
				mark := marks[c.dialect][i]
				_, after, found := strings.Cut(rest, mark)
				if !found {
					t.Fatalf("mark %d, %s, is not in its place in %s", i, mark, sent)
				}
				rest = after
			}
		})
	}
}

func TestSDKImages(t *testing.T) {
	const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
	marks := map[proxytest.Dialect]string{
		proxytest.Chat:     `"url":"data:image/png;base64,` + pixel,
		proxytest.Messages: `"data":"` + pixel,
		proxytest.Gemini:   `"data":"` + pixel,
		proxytest.Ollama:   `"images":["` + pixel,
	}
	eachUpstream(t, nil, func(t *testing.T, c caseOf) {
		p := c.params("")
		p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
			openai.TextContentPart("what is it?"),
			openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + pixel}),
		})}
		whole, err := c.client.Chat.Completions.New(t.Context(), p)
		if err != nil || !strings.HasPrefix(whole.Choices[0].Message.Content, "Hello") {
			t.Fatal(told(err))
		}
		if sent := c.sent(); !strings.Contains(sent, marks[c.dialect]) || !strings.Contains(sent, "what is it?") {
			t.Errorf("sent %s", sent)
		}
		c.wantGood(c.last(), false)
	})
}

// A22, E16: a schema reaches the provider where it holds its models to it.
func TestSDKSchema(t *testing.T) {
	const answer = `{"city":"Paris","degrees":18}`
	scripts := []proxytest.Script{{Parts: proxytest.Parts(proxytest.Text(`{"city":`, `"Paris",`, `"degrees":18}`))}}
	marks := map[proxytest.Dialect]string{
		proxytest.Chat: `"response_format"`, proxytest.Messages: `"output_config"`,
		proxytest.Gemini: `"responseJsonSchema"`, proxytest.Ollama: `"format":{`,
	}
	eachUpstream(t, scripts, func(t *testing.T, c caseOf) {
		p := withUsage(c.params("weather as JSON"))
		p.ResponseFormat = openai.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &oai.ResponseFormatJSONSchemaParam{
			JSONSchema: oai.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: "weather", Strict: openai.Bool(true),
				Schema: map[string]any{
					"type": "object", "additionalProperties": false, "required": []string{"city", "degrees"},
					"properties": map[string]any{"city": map[string]any{"type": "string"}, "degrees": map[string]any{"type": "integer"}},
				},
			},
		}}
		sum, _, err := c.gather(p)
		if err != nil || sum.Choices[0].Message.Content != answer {
			t.Errorf("streamed %+v, %v", sum.ChatCompletion, err)
		}
		p.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
		whole, err := c.client.Chat.Completions.New(t.Context(), p)
		if err != nil || whole.Choices[0].Message.Content != answer {
			t.Errorf("whole %+v, %v", whole, err)
		}
		if sent := c.sent(); !strings.Contains(sent, marks[c.dialect]) || !strings.Contains(sent, `"degrees"`) {
			t.Errorf("sent %s", sent)
		}
		if lost := c.last().Lost; len(lost) != 0 {
			t.Errorf("lost %v", lost)
		}
	})
}

// B12, E13, E14, H2: effort goes in, reasoning comes out, whole and streamed.
func TestSDKReasoning(t *testing.T) {
	scripts := []proxytest.Script{{
		Parts: proxytest.Parts(proxytest.Thinking("Two plus", " two is", " four."), proxytest.Text("Four", ".")),
		Usage: &proxytest.Usage{Input: 12, Output: 30, Reasoning: 20},
	}}
	marks := map[proxytest.Dialect]string{
		proxytest.Chat: `"reasoning_effort":"high"`, proxytest.Messages: `"effort":"high"`,
		proxytest.Gemini: `"thinkingLevel":"high"`, proxytest.Ollama: `"think":`,
	}
	const thought = "Two plus two is four."
	eachUpstream(t, scripts, func(t *testing.T, c caseOf) {
		p := withUsage(c.params("2+2?"))
		p.ReasoningEffort = oai.ReasoningEffortHigh
		sum, reasoning, err := c.gather(p)
		if err != nil || sum.Choices[0].Message.Content != "Four." || reasoning != thought {
			t.Errorf("streamed %+v, reasoning %q, %v", sum.ChatCompletion, reasoning, err)
		}
		p.StreamOptions = openai.ChatCompletionStreamOptionsParam{}
		whole, err := c.client.Chat.Completions.New(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		raw := whole.Choices[0].Message.JSON.ExtraFields["reasoning_content"].Raw()
		if whole.Choices[0].Message.Content != "Four." || raw != `"`+thought+`"` {
			t.Errorf("whole %s", whole.RawJSON())
		}
		if sent := c.sent(); !strings.Contains(strings.ToLower(sent), strings.ToLower(marks[c.dialect])) {
			t.Errorf("sent %s", sent)
		}
		for _, row := range c.rows() {
			if row.Usage.Input != 12 || row.Usage.Output != 30 {
				t.Errorf("usage %+v", row.Usage)
			}
			if stated := c.dialect == proxytest.Chat || c.dialect == proxytest.Gemini; stated && row.Usage.Reasoning != 20 {
				t.Errorf("%d reasoning tokens", row.Usage.Reasoning)
			}
		}
		if u := whole.Usage; u.CompletionTokens != 30 || sum.Usage.CompletionTokens != 30 {
			t.Errorf("usage %+v and %+v", u, sum.Usage)
		}
	})
}
