package route

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"keytray/proxy/llm"
)

// Split tries targets against one another: each gets its share of the
// conversations, by weight, and keeps them. A sample of the answers is judged in
// the background, after the client has had them.
type Split struct {
	Choices []Choice
	Weights []int
	Sample  float64    // the part of the calls that is judged, 0 to 1
	By      llm.Target // the judge
	// Judged takes a score from 0 to 1 for a choice's answer to a task.
	Judged func(c Choice, task string, score float64)
	// May tells whether another answer may be judged: there is a budget.
	May func(r *llm.Request) bool
	// Later runs f in the background; false: it does not, as the program ends.
	Later func(f func(context.Context)) bool
}

// Do answers r; see llm.Target.
func (s Split) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	at := pick(r.Conversation(), s.Weights)
	c := s.Choices[at]
	ctx = llm.WithNote(ctx, llm.Note{Reason: fmt.Sprintf("split: share %d of %d", s.Weights[at], sum(s.Weights))})
	resp, err := c.Do(ctx, r)
	if err != nil {
		if !goesOn(ctx, err) {
			return nil, err
		}
		var rest Fallback
		for i := 1; i < len(s.Choices); i++ {
			rest = append(rest, s.Choices[(at+i)%len(s.Choices)].Target)
		}
		if len(rest) == 0 {
			return nil, err
		}
		return rest.Do(ctx, r) // not judged: it did not answer by its own share
	}
	if s.Sample > 0 && rand.Float64() < s.Sample && s.May(r) {
		watch(resp, func(events llm.Events) { s.judge(c, r, events) })
	}
	return resp, nil
}

func sum(weights []int) (n int) {
	for _, w := range weights {
		n += w
	}
	return n
}

const scoreAsk = `A model answered the message above as follows. Score its answer from 0 (useless) to 10 (could not be better) by whether it is right, complete, clear, and in the form that was asked for; length alone is no merit.

Answer with one JSON object and nothing else: {"scores": [NUMBER], "why": "one short sentence"}

`

// judgeTime bounds a judge's answer.
const judgeTime = 2 * time.Minute

// judge has one answer judged in the background.
func (s Split) judge(c Choice, r *llm.Request, events llm.Events) {
	p, err := r.Prompt()
	if err != nil {
		return
	}
	said := part{Choice: c}
	said.take(events)
	if said.err != nil || said.calls || said.text == "" {
		return
	}
	s.Later(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(llm.WithNote(ctx, llm.Note{Part: llm.PartJudge, Reason: "split: a sample of " + c.Name()}), judgeTime)
		defer cancel()
		by := part{Choice: Choice{Target: s.By}}
		by.ask(ctx, r.Derive(followUp(p, scoreAsk+quoted([]part{said}), false), false))
		v := Verdict{Names: []string{c.Name()}}
		if by.err == nil && v.read(by.text) == nil {
			s.Judged(c, LookAt(p).Task(), v.Scores[0])
		}
	})
}
