package route

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"keytray/proxy/llm"
)

// Smart takes a cheap first look at the request and asks the smallest choice
// that is good enough for it; when that one fails, the next larger one, and after
// the largest the next smaller one. If none is good enough, the best one is asked.
type Smart struct {
	Choices []Choice
	Bar     float64 // the quality wanted of an everyday request, 0 to 1
	// Size orders the choices, the smallest first; its unit does not matter.
	Size func(Choice) float64
	// Quality is how good a choice is at a task, 0 to 1.
	Quality func(c Choice, task string) float64
	// Fits tells whether a choice can take such a request at all.
	Fits func(Choice, Look) bool
}

// harder is how much more quality a task wants than an everyday one.
var harder = map[string]float64{"chat": -0.1, "vision": 0, "long": 0.05, "code": 0.05, "agent": 0.1, "reasoning": 0.15}

// shortPrompt is up to how many tokens a prompt is short.
const shortPrompt = 300

// Do answers r; see llm.Target.
func (s Smart) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	p, err := r.Prompt()
	if err != nil {
		return nil, err
	}
	look := LookAt(p)
	task := look.Task()
	need := s.Bar + harder[task]
	if task == "chat" && look.Tokens <= shortPrompt {
		need -= 0.1
	}
	need = min(1, max(0, need))
	type weighed struct {
		Choice
		size, quality float64
	}
	var all []weighed
	for _, c := range s.Choices {
		if s.Fits(c, look) {
			all = append(all, weighed{c, s.Size(c), s.Quality(c, task)})
		}
	}
	if len(all) == 0 {
		return nil, &llm.Error{Kind: llm.BadRequest, Code: "nobody_fits", Param: "model", Message: fmt.Sprintf("no model of this smart route can take a request like this (%s, about %d tokens): add one that can to the route", task, look.Tokens)}
	}
	slices.SortStableFunc(all, func(a, b weighed) int { return cmp.Compare(a.size, b.size) })
	first := slices.IndexFunc(all, func(c weighed) bool { return c.quality >= need })
	if first < 0 { // the best one, and the smallest of the best
		first = 0
		for i, c := range all {
			if c.quality > all[first].quality {
				first = i
			}
		}
	}
	largest := all[len(all)-1].Choice
	smaller := all[:first]
	slices.Reverse(smaller)
	all = append(slices.Clone(all[first:]), smaller...)
	order := make([]llm.Target, len(all))
	for i, c := range all {
		order[i] = c.Choice
	}
	return inOrder(ctx, r, order, func(at int, as string) llm.Note {
		c := all[at]
		why := fmt.Sprintf("smart: %s of about %d tokens needs %.2f, this has %.2f", task, look.Tokens, need, c.quality)
		return llm.Note{Reason: why + as, Instead: dearer(largest, c.Choice)}
	})
}
