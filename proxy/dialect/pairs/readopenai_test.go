package pairs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/respjson"
	"github.com/openai/openai-go/v3/responses"
)

func openAI(a answer) openai.Client {
	return openai.NewClient(option.WithBaseURL("http://keytray.invalid/v1/"), option.WithAPIKey("k"),
		option.WithMaxRetries(0), option.WithHTTPClient(a.client()))
}

func (s *said) failOpenAI(err error) {
	s.fail(err)
	var e *openai.Error
	if errors.As(err, &e) {
		s.status, s.message = e.StatusCode, e.Message
	}
}

// readChat reads with openai-go. The reasoning is an extension that it keeps
// but has no field for.
func readChat(ctx context.Context, a answer) (s said) {
	c := openAI(a)
	p := openai.ChatCompletionNewParams{Model: "m", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hi")}}
	finish := ""
	if !a.stream {
		whole, err := c.Chat.Completions.New(ctx, p)
		if err != nil {
			s.failOpenAI(err)
			return s
		}
		s.openAIUsage(whole.Usage)
		if len(whole.Choices) == 0 {
			s.fail(errors.New("no choices"))
			return s
		}
		m := whole.Choices[0].Message
		s.text, s.thinking = m.Content+m.Refusal, extra(m.JSON.ExtraFields, "reasoning_content")
		for _, call := range m.ToolCalls {
			if call.Type == "custom" {
				s.call(call.Custom.Name, text(map[string]string{"input": call.Custom.Input}))
				continue
			}
			s.call(call.Function.Name, call.Function.Arguments)
		}
		s.end = ends(whole.Choices[0].FinishReason, len(s.calls))
		return s
	}
	stream := c.Chat.Completions.NewStreaming(ctx, p)
	defer stream.Close()
	type call struct{ id, name, arguments string }
	var calls []*call
	open := map[int64]*call{}
	for stream.Next() {
		chunk := stream.Current()
		if chunk.JSON.Usage.Valid() {
			s.openAIUsage(chunk.Usage)
		}
		for _, choice := range chunk.Choices {
			if choice.Index != 0 {
				continue
			}
			d := choice.Delta
			s.text += d.Content + d.Refusal
			s.thinking += extra(d.JSON.ExtraFields, "reasoning_content")
			for _, t := range d.ToolCalls {
				now := open[t.Index]
				if now == nil || t.ID != "" && now.id != "" && t.ID != now.id {
					now = &call{}
					open[t.Index] = now
					calls = append(calls, now)
				}
				if now.name == "" {
					now.id, now.name = t.ID, t.Function.Name
				}
				now.arguments += t.Function.Arguments
			}
			if choice.FinishReason != "" {
				finish = choice.FinishReason
			}
		}
	}
	if err := stream.Err(); err != nil {
		s.failOpenAI(err)
	}
	for _, call := range calls {
		s.call(call.name, call.arguments)
	}
	s.end = ends(finish, len(s.calls))
	return s
}

// openAIUsage takes the total for true: some providers leave reasoning out of
// the completion's tokens.
func (s *said) openAIUsage(u openai.CompletionUsage) {
	s.input, s.output = u.PromptTokens, max(u.CompletionTokens, u.TotalTokens-u.PromptTokens)
}

func extra(fields map[string]respjson.Field, name string) (s string) {
	if f, ok := fields[name]; ok {
		_ = json.Unmarshal([]byte(f.Raw()), &s) // null is none
	}
	return s
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// readResponses reads with openai-go. A stream's pieces must add up to the
// response that ends it.
func readResponses(ctx context.Context, a answer) (s said) {
	c := openAI(a)
	p := responses.ResponseNewParams{Model: "m", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("hi")}}
	if !a.stream {
		whole, err := c.Responses.New(ctx, p)
		if err != nil {
			s.failOpenAI(err)
			return s
		}
		s.response(whole)
		return s
	}
	stream := c.Responses.NewStreaming(ctx, p)
	defer stream.Close()
	pieces, arguments := "", map[string]string{}
	var last *responses.Response
	for stream.Next() {
		switch e := stream.Current(); e.Type {
		case "response.output_text.delta", "response.refusal.delta":
			pieces += e.Delta
		case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
			arguments[e.ItemID] += e.Delta
		case "response.completed", "response.incomplete", "response.failed":
			last = &e.Response
		case "error":
			s.fail(errors.New(e.Message))
		}
	}
	switch err := stream.Err(); {
	case err != nil:
		s.failOpenAI(err)
		return s
	case s.failed:
		return s
	case last == nil:
		s.fail(errors.New("the stream has no last response"))
		return s
	}
	s.response(last)
	if pieces != s.text {
		s.fail(fmt.Errorf("the pieces say %.200q, the whole response %.200q", pieces, s.text))
	}
	for _, item := range last.Output {
		if got, ok := arguments[item.ID]; ok && item.Type == "function_call" && got != item.Arguments.OfString {
			s.fail(fmt.Errorf("the pieces of a call say %.200q, the whole response %.200q", got, item.Arguments.OfString))
		}
	}
	return s
}

func (s *said) response(r *responses.Response) {
	if r.Status == "failed" {
		s.fail(errors.New(r.Error.Message))
		return
	}
	refused := false
	for _, item := range r.Output {
		switch item.Type {
		case "message":
			for _, part := range item.Content {
				s.text += part.Text + part.Refusal
				refused = refused || part.Type == "refusal"
			}
		case "reasoning":
			for _, part := range item.Summary {
				s.thinking += part.Text
			}
			for _, part := range item.Content {
				s.thinking += part.Text
			}
		case "function_call":
			s.call(item.Name, item.Arguments.OfString)
		case "custom_tool_call":
			s.call(item.Name, text(map[string]string{"input": item.AsCustomToolCall().Input}))
		}
	}
	s.end = ends(string(r.Status), len(s.calls))
	if refused {
		s.end = "filter"
	}
	if r.Status == "incomplete" {
		s.end = ends(string(r.IncompleteDetails.Reason), 0)
	}
	s.input, s.output = r.Usage.InputTokens, r.Usage.OutputTokens
}
