package pairs_test

import (
	"context"
	"encoding/json"
	"errors"

	"google.golang.org/genai"
)

// readGemini reads with Google's genai.
func readGemini(ctx context.Context, a answer) (s said) {
	c, err := genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: "k", Backend: genai.BackendGeminiAPI, HTTPClient: a.client(),
		HTTPOptions: genai.HTTPOptions{BaseURL: "http://keytray.invalid"},
	})
	if err != nil {
		s.fail(err)
		return s
	}
	finish := ""
	take := func(r *genai.GenerateContentResponse, err error) bool {
		if err != nil {
			s.fail(err)
			var e genai.APIError
			if errors.As(err, &e) {
				s.status, s.message = e.Code, e.Message
			}
			return false
		}
		s.google(r, &finish)
		return true
	}
	if a.stream {
		for r, err := range c.Models.GenerateContentStream(ctx, "m", genai.Text("hi"), nil) {
			if !take(r, err) {
				return s
			}
		}
	} else if !take(c.Models.GenerateContent(ctx, "m", genai.Text("hi"), nil)) {
		return s
	}
	if finish == "" {
		s.fail(errors.New("the answer has no finish reason"))
	}
	s.end = ends(finish, len(s.calls))
	return s
}

func (s *said) google(r *genai.GenerateContentResponse, finish *string) {
	if f := r.PromptFeedback; f != nil && f.BlockReason != "" {
		*finish = "SAFETY"
	}
	if u := r.UsageMetadata; u != nil {
		s.input = int64(u.PromptTokenCount) + int64(u.ToolUsePromptTokenCount)
		s.output = int64(u.CandidatesTokenCount) + int64(u.ThoughtsTokenCount)
	}
	if len(r.Candidates) == 0 {
		return
	}
	first := r.Candidates[0]
	if first.FinishReason != "" {
		*finish = string(first.FinishReason)
	}
	if first.Content == nil {
		return
	}
	for _, p := range first.Content.Parts {
		switch {
		case p.Thought:
			s.thinking += p.Text
		case p.FunctionCall != nil:
			b, err := json.Marshal(p.FunctionCall.Args)
			if err != nil {
				s.fail(err)
			}
			s.call(p.FunctionCall.Name, string(b))
		default:
			s.text += p.Text
		}
	}
}
