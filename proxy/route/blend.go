package route

import (
	"context"
	"fmt"
	"strconv"

	"keytray/proxy/llm"
)

// Blend asks all choices at once, and has one model write the answer from
// theirs. That answer is streamed; the others are waited for. An answer that
// calls tools cannot be blended: the first such one is the answer.
type Blend struct {
	Choices []Choice
	By      llm.Target // writes the answer
}

const blendAsk = `Several models answered the message above. Their answers follow. Write the best answer of your own to that message: keep what is right and useful in them, leave out what is wrong or repeated, and settle contradictions by your own judgement. Do not mention the other answers or that there were any. Keep to the language and to the form that were asked for.

`

// Do answers r; see llm.Target.
func (s Blend) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	parts, err := gather(ctx, r, s.Choices)
	if err != nil {
		return nil, canceled(err)
	}
	if parts, err = good(parts); err != nil {
		return nil, err
	}
	for _, p := range parts {
		if p.calls {
			return p.answer(ctx, r, "blend: it calls tools, which cannot be blended"), nil
		}
	}
	if len(parts) == 1 {
		return parts[0].answer(ctx, r, fmt.Sprintf("blend: the only one of %d that answered", len(s.Choices))), nil
	}
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	by := llm.WithNote(ctx, llm.Note{Reason: fmt.Sprintf("blend of %d answers", len(parts))})
	resp, err := s.By.Do(by, r.Derive(followUp(p, blendAsk+quoted(parts), true), r.Stream))
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return parts[0].answer(ctx, r, "blend: the model that should have written the answer failed, so this is the first one's"), nil
	}
	return resp, nil
}

func canceled(err error) error {
	return &llm.Error{Kind: llm.Canceled, Message: "the client stopped the answer", Cause: err}
}

func number(n int) string { return strconv.Itoa(n) }
