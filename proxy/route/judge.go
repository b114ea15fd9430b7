package route

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"keytray/proxy/llm"
)

// Judge asks all choices at once, has a model judge their answers, and gives
// the best one as it is. Where answers call tools, the first such one is given.
type Judge struct {
	Choices []Choice
	By      llm.Target
	// Verdict is told how each answer was judged; nil is not.
	Verdict func(r *llm.Request, v Verdict)
}

// Verdict is a judge's word on several answers to one request.
type Verdict struct {
	Task   string    // the kind of request; see Look
	Names  []string  // provider/model of each answer
	Scores []float64 // 0 to 1, in the order of Names
	Best   int       // index of the best
	Why    string    // in the judge's words, on one line; may quote content
}

const judgeAsk = `Several models answered the message above. Their answers follow. Judge them by whether they are right, complete, clear, and in the form that was asked for; length alone is no merit. Give each a score from 0 (useless) to 10 (could not be better).

Answer with one JSON object and nothing else: {"scores": [first, second, ...], "best": NUMBER, "why": "one short sentence"}

`

// Do answers r; see llm.Target.
func (s Judge) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	parts, err := gather(ctx, r, s.Choices)
	if err != nil {
		return nil, canceled(err)
	}
	if parts, err = good(parts); err != nil {
		return nil, err
	}
	for _, p := range parts {
		if p.calls {
			return p.answer(ctx, r, "judge: it calls tools, which are not judged"), nil
		}
	}
	if len(parts) == 1 {
		return parts[0].answer(ctx, r, fmt.Sprintf("judge: the only one of %d that answered", len(s.Choices))), nil
	}
	v, err := judge(ctx, r, s.By, parts)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return parts[0].answer(ctx, r, "judge: the judge failed, so this is the first one's answer"), nil
	}
	if s.Verdict != nil {
		s.Verdict(r, v)
	}
	return parts[v.Best].answer(ctx, r, v.scores()), nil
}

// scores says how the answers were judged, without content.
func (v Verdict) scores() string {
	var all []string
	for i, name := range v.Names {
		all = append(all, fmt.Sprintf("%s %.1f", name, 10*v.Scores[i]))
	}
	return "judge: " + strings.Join(all, ", ")
}

// judge has the answers judged.
func judge(ctx context.Context, r *llm.Request, by llm.Target, parts []part) (Verdict, error) {
	p, err := r.Prompt()
	if err != nil {
		return Verdict{}, err
	}
	ctx = llm.WithNote(ctx, llm.Note{Part: llm.PartJudge})
	said := part{Choice: Choice{Target: by}}
	said.ask(ctx, r.Derive(followUp(p, judgeAsk+quoted(parts), false), false))
	if said.err != nil {
		return Verdict{}, said.err
	}
	v := Verdict{Task: LookAt(p).Task()}
	for _, part := range parts {
		v.Names = append(v.Names, part.Name())
	}
	return v, v.read(said.text)
}

// read takes the verdict from what the judge wrote, whatever stands around it.
func (v *Verdict) read(text string) error {
	var said struct {
		Scores []float64
		Best   int
		Why    string
	}
	start, end := strings.IndexByte(text, '{'), strings.LastIndexByte(text, '}')
	if start < 0 || end < start || json.Unmarshal([]byte(text[start:end+1]), &said) != nil || len(said.Scores) != len(v.Names) {
		return &llm.Error{Kind: llm.Garbage, Message: "the judge gave no verdict that can be read; choose a larger model under by"}
	}
	v.Scores = make([]float64, len(said.Scores))
	for i, n := range said.Scores {
		v.Scores[i] = min(1, max(0, n/10))
		if v.Scores[i] > v.Scores[v.Best] {
			v.Best = i
		}
	}
	// Its word on the best counts where its scores are level.
	if b := said.Best - 1; b >= 0 && b < len(v.Scores) && v.Scores[b] == v.Scores[v.Best] {
		v.Best = b
	}
	v.Why = strings.Join(strings.Fields(said.Why), " ")
	return nil
}
