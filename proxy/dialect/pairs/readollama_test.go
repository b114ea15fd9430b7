package pairs_test

import (
	"context"
	"errors"
	"net/url"

	"github.com/ollama/ollama/api"
)

// readOllama reads with Ollama's own api package.
func readOllama(ctx context.Context, a answer) (s said) {
	c := api.NewClient(&url.URL{Scheme: "http", Host: "keytray.invalid"}, a.client())
	done, finish := false, ""
	err := c.Chat(ctx, &api.ChatRequest{Model: "m", Stream: &a.stream, Messages: []api.Message{{Role: "user", Content: "hi"}}}, func(r api.ChatResponse) error {
		s.text += r.Message.Content
		s.thinking += r.Message.Thinking
		for _, t := range r.Message.ToolCalls {
			s.call(t.Function.Name, t.Function.Arguments.String())
		}
		if r.Done {
			done, finish = true, r.DoneReason
			s.input, s.output = int64(r.PromptEvalCount), int64(r.EvalCount)
		}
		return nil
	})
	var refused api.StatusError
	switch {
	case errors.As(err, &refused):
		s.fail(err)
		s.status, s.message = refused.StatusCode, refused.ErrorMessage
	case err != nil:
		s.fail(err)
	case !done:
		s.fail(errors.New("the answer is not done"))
	}
	s.end = ends(finish, len(s.calls))
	return s
}
