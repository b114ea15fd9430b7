package ollama_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
)

// post sends a prompt to a real server. What the server refuses is an *llm.Error.
func post(ctx context.Context, base string, c *llm.Call, p *llm.Prompt) (io.ReadCloser, error) {
	body, err := out.EncodeRequest(c, p)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, out.URL(c, base), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return nil, out.DecodeError(resp.StatusCode, resp.Header, b)
}

// TestRealServer drives a real Ollama. B7, B13, H2, H5, H6, H7, H11.
func TestRealServer(t *testing.T) {
	server := proxytest.StartOllama(t)
	tool := func(name string) llm.Tool {
		return llm.Tool{Name: name, Schema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"},"zone":{"type":"string"}}}`)}
	}
	hi := []llm.Message{user("hi there, what now?")}
	plain, thinker := llm.Flags{llm.FlagNoReasoning, llm.FlagTools, llm.FlagNoVision}, llm.Flags{llm.FlagReasoning, llm.FlagNoTools, llm.FlagNoVision}
	served := 0
	for _, c := range []struct {
		name   string
		model  string
		flags  llm.Flags
		p      llm.Prompt
		text   string
		think  string
		calls  string
		why    string
		refuse llm.ErrorKind
	}{
		{name: "text", model: proxytest.TinyModel, flags: plain, p: llm.Prompt{Messages: hi}, text: proxytest.TinyText, why: "end"},
		{
			name: "every option", model: proxytest.TinyModel, flags: plain, text: proxytest.TinyText, why: "end",
			p: llm.Prompt{Messages: hi, Limits: llm.Limits{
				MaxTokens: ptr(100), Temperature: ptr(0.0), TopP: ptr(0.5), TopK: ptr(3), Seed: ptr(int64(7)), Stop: []string{"zebra"}, FrequencyPenalty: ptr(0.1), PresencePenalty: ptr(0.1),
			}},
		},
		{
			name: "a call", model: proxytest.TinyModel, flags: plain, calls: proxytest.TinyTool + proxytest.TinyToolArguments, why: "tool_calls",
			p: llm.Prompt{Messages: hi, Tools: []llm.Tool{tool(proxytest.TinyTool)}},
		},
		{
			name: "H5 two calls", model: proxytest.TinyModel, flags: plain, why: "tool_calls",
			calls: proxytest.TinyTool + proxytest.TinyToolArguments + " " + proxytest.TinySecondTool + proxytest.TinySecondToolArguments,
			p:     llm.Prompt{System: []llm.Block{{Text: proxytest.TinySystemBoth}}, Messages: hi, Tools: []llm.Tool{tool(proxytest.TinyTool), tool(proxytest.TinySecondTool)}},
		},
		{
			name: "A18 a schema that Ollama's types cannot read", model: proxytest.TinyModel, flags: plain, calls: proxytest.TinyTool + proxytest.TinyToolArguments, why: "tool_calls",
			p: llm.Prompt{Messages: hi, Tools: []llm.Tool{{Name: proxytest.TinyTool, Schema: json.RawMessage(`{"type":["object","null"],"anyOf":[{"properties":{"city":true}}]}`)}}},
		},
		{
			name: "H6 a tool's result", model: proxytest.TinyModel, flags: plain, text: proxytest.TinyText, why: "end",
			p: llm.Prompt{Tools: []llm.Tool{tool(proxytest.TinyTool)}, Messages: []llm.Message{
				hi[0], turn(llm.Assistant, llm.Block{Kind: llm.ToolCall, ID: "call_1", Name: proxytest.TinyTool, Text: `{"city":`}),
				turn(llm.User, llm.Block{Kind: llm.ToolResult, ID: "call_1", Content: []llm.Block{{Text: "18 degrees"}, image(png, "")}}),
			}},
		},
		{name: "thinking", model: proxytest.TinyThinkModel, flags: thinker, p: llm.Prompt{Messages: hi, Reasoning: llm.Reasoning{Effort: "high"}}, text: proxytest.TinyConclusion, think: proxytest.TinyThought, why: "end"},
		{name: "thinking, of a model that nothing is known of", model: proxytest.TinyThinkModel, p: llm.Prompt{Messages: hi, Reasoning: llm.Reasoning{Budget: ptr(2000)}}, text: proxytest.TinyConclusion, think: proxytest.TinyThought, why: "end"},
		{name: "thinking off", model: proxytest.TinyThinkModel, flags: thinker, p: llm.Prompt{Messages: hi, Reasoning: llm.Reasoning{Effort: "none"}}, text: proxytest.TinyText, why: "end"},
		{name: "H11 thinking, of a model that cannot", model: proxytest.TinyModel, flags: plain, p: llm.Prompt{Messages: hi, Reasoning: llm.Reasoning{Effort: "high"}}, text: proxytest.TinyText, why: "end"},
		{name: "H11 the same, when nothing is known of it", model: proxytest.TinyModel, p: llm.Prompt{Messages: hi, Reasoning: llm.Reasoning{Effort: "high"}}, text: proxytest.TinyText, why: "end"},
		{name: "no thinking, of a model that cannot", model: proxytest.TinyModel, p: llm.Prompt{Messages: hi, Reasoning: llm.Reasoning{Effort: "none"}}, text: proxytest.TinyText, why: "end"},
		{name: "tools, for a model without", model: proxytest.TinyThinkModel, flags: thinker, p: llm.Prompt{Messages: hi, Tools: []llm.Tool{tool(proxytest.TinyTool)}}, text: proxytest.TinyConclusion, think: proxytest.TinyThought, why: "end"},
		{
			name: "H7 length", model: proxytest.TinyModel, flags: plain, text: strings.TrimSpace(proxytest.TinyLoop + proxytest.TinyLoop), why: "max_tokens",
			p: llm.Prompt{System: []llm.Block{{Text: proxytest.TinySystemLoop}}, Messages: hi, Limits: llm.Limits{MaxTokens: ptr(6)}},
		},
		{name: "a model that is not there", model: "nobody", p: llm.Prompt{Messages: hi}, refuse: llm.NotFound},
		{name: "tools, when nothing is known of the model", model: proxytest.TinyThinkModel, p: llm.Prompt{Messages: hi, Tools: []llm.Tool{tool(proxytest.TinyTool)}}, refuse: llm.BadRequest},
	} {
		var whole said
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %v", c.name, stream), func(t *testing.T) {
				call := &llm.Call{Model: llm.Model{Name: c.model, Flags: c.flags}, Stream: stream}
				served++
				body, err := post(t.Context(), server.URL, call, &c.p)
				if c.refuse != "" {
					if e := llm.AsError(err); err == nil || e.Kind != c.refuse {
						t.Fatalf("%+v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				defer body.Close()
				var seen bytes.Buffer
				got := read(t, call, io.TeeReader(body, &seen))
				if got.err != nil {
					t.Fatal(got.err)
				}
				var calls []string
				for _, k := range got.Calls {
					calls = append(calls, k.Name+string(k.Arguments))
				}
				if got.Text != c.text || got.Thinking != c.think || strings.Join(calls, " ") != c.calls || got.Why != c.why || got.usage.Input == 0 || got.usage.Output == 0 {
					t.Errorf("%+v, usage %+v", got, got.usage)
				}
				sum, _ := weigh(t, call, seen.String())
				if !sum.Done || !sum.Good || string(sum.Why) != c.why || !reflect.DeepEqual(sum.Usage, *got.usage) || sum.Text == 0 {
					t.Errorf("tally %+v, decoded %+v", sum, got.usage)
				}
				if stream && !reflect.DeepEqual(got.Summary, whole.Summary) {
					t.Errorf("streamed %+v\nwhole    %+v", got.Summary, whole.Summary)
				}
				whole = got
			})
		}
	}

	t.Run("JSON held to a schema", func(t *testing.T) {
		schema := json.RawMessage(`{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}`)
		call := &llm.Call{Model: llm.Model{Name: proxytest.TinyModel}, Stream: true}
		served++
		body, err := post(t.Context(), server.URL, call, &llm.Prompt{Messages: hi, Format: llm.Format{Kind: llm.FormatSchema, Schema: schema}, Limits: llm.Limits{MaxTokens: ptr(40)}})
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		got := read(t, call, body)
		if got.err != nil || !strings.HasPrefix(strings.TrimLeft(got.Text, " \n"), "{") {
			t.Errorf("%q, %v", got.Text, got.err)
		}
	})

	t.Run("cancelled", func(t *testing.T) {
		if err := server.AwaitServed(t.Context(), "/api/chat", served); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		call := &llm.Call{Model: llm.Model{Name: proxytest.TinyModel}, Stream: true}
		body, err := post(ctx, server.URL, call, &llm.Prompt{System: []llm.Block{{Text: proxytest.TinySystemLoop}}, Messages: hi})
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		deltas := 0
		var end error
		for e, err := range out.DecodeResponse(call, body) {
			if end = err; err == nil && e.Kind == llm.Delta {
				if deltas++; deltas == 50 {
					cancel()
				}
			}
		}
		if e := llm.AsError(end); deltas < 50 || end == nil || e.Kind != llm.Cut {
			t.Errorf("after %d pieces: %v", deltas, end)
		}
		if err := server.AwaitServed(t.Context(), "/api/chat", served+1); err != nil {
			t.Error(err) // the server noticed
		}
	})
}
