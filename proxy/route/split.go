package route

import (
	"cmp"
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
	// Judged takes a score from 0 to 1 for the answer of a model to a task.
	Judged func(model, task string, score float64)
	// May tells whether one more answer may be judged now: there is a budget.
	// spent is called once if so, with who judged and what was used for it.
	May func(r *llm.Request) (spent func(judge string, u llm.Usage), ok bool)
	// Later runs f in the background; false: it does not, as the program ends.
	Later func(f func(context.Context)) bool
}

// Do answers r; see llm.Target. Who answers for another, that failed or is left
// alone for now, is not judged.
func (s Split) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	own := pick(r.Conversation(), s.Weights)
	asked := own
	all := make([]llm.Target, len(s.Choices))
	for i, c := range s.Choices {
		all[i] = c
	}
	resp, err := inTurn(ctx, r, all, own, func(at int, as string) llm.Note {
		asked = at
		return llm.Note{Reason: fmt.Sprintf("split: share %d of %d%s", s.Weights[at], sum(s.Weights), as)}
	})
	if err == nil && asked == own && s.Sample > 0 && rand.Float64() < s.Sample {
		watch(resp, func(events llm.Events) { s.judge(cmp.Or(s.Choices[own].Name(), resp.Target), r, events) })
	}
	return resp, err
}

const scoreAsk = `A model answered the message above as follows. Score its answer from 0 (useless) to 10 (could not be better) by whether it is right, complete, clear, and in the form that was asked for; length alone is no merit.

Answer with one JSON object and nothing else: {"scores": [NUMBER], "why": "one short sentence"}

`

// judgeTime bounds a judge's answer.
const judgeTime = 2 * time.Minute

// judge has one answer judged in the background.
func (s Split) judge(name string, r *llm.Request, events llm.Events) {
	p, err := r.Prompt()
	if err != nil || name == "" {
		return
	}
	var said part
	said.take(events)
	if said.err != nil || said.calls || said.text == "" {
		return
	}
	spent, ok := s.May(r)
	if !ok {
		return
	}
	begun := s.Later(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(llm.WithNote(ctx, llm.Note{Part: llm.PartJudge, Reason: "split: a sample of " + name}), judgeTime)
		defer cancel()
		by := part{Choice: Choice{Target: s.By}}
		defer func() { spent(by.Name(), by.usage) }()
		by.ask(ctx, r.Derive(followUp(p, scoreAsk+quoted([]part{said}), false), false))
		v := Verdict{Names: []string{name}}
		if by.err == nil && v.read(by.text) == nil {
			s.Judged(name, LookAt(p).Task(), v.Scores[0])
		}
	})
	if !begun {
		spent("", llm.Usage{})
	}
}
