package pairs_test

import (
	"context"
	"errors"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

// readMessages reads with anthropic-sdk-go.
func readMessages(ctx context.Context, a answer) (s said) {
	c := anthropic.NewClient(option.WithBaseURL("http://keytray.invalid/"), option.WithAPIKey("k"),
		option.WithMaxRetries(0), option.WithHTTPClient(a.client()))
	p := anthropic.MessageNewParams{
		Model: "m", MaxTokens: 9,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock("hi"))},
	}
	if !a.stream {
		whole, err := c.Messages.New(ctx, p)
		if err != nil {
			s.failAnthropic(err)
			return s
		}
		s.anthropic(whole)
		return s
	}
	stream := c.Messages.NewStreaming(ctx, p)
	defer stream.Close()
	var sum anthropic.Message
	ended := false
	for stream.Next() {
		e := stream.Current()
		ended = ended || e.Type == "message_stop"
		if err := sum.Accumulate(e); err != nil {
			s.fail(err)
			return s
		}
	}
	if err := stream.Err(); err != nil {
		s.failAnthropic(err)
		return s
	}
	if !ended {
		s.fail(errors.New("the stream has no message_stop"))
		return s
	}
	s.anthropic(&sum)
	return s
}

func (s *said) failAnthropic(err error) {
	s.fail(err)
	var e *anthropic.Error
	if errors.As(err, &e) {
		s.status = e.StatusCode
		s.message = e.RawJSON()
	}
}

func (s *said) anthropic(m *anthropic.Message) {
	for _, b := range m.Content {
		switch b.Type {
		case "text":
			s.text += b.Text
		case "thinking":
			s.thinking += b.Thinking
		case "tool_use":
			s.call(b.Name, string(b.Input))
		}
	}
	s.end = ends(string(m.StopReason), len(s.calls))
	u := m.Usage
	s.input, s.output = u.InputTokens+u.CacheReadInputTokens+u.CacheCreationInputTokens, u.OutputTokens
}
