package route

import (
	"cmp"
	"context"
	"slices"
	"time"

	"keytray/proxy/llm"
)

// Choice is a target that a strategy weighs against others.
type Choice struct {
	llm.Target
	Provider, Model string // "" of a target that is a strategy itself
}

// Name is provider/model; "" of a target that is a strategy itself.
func (c Choice) Name() string {
	if c.Provider == "" {
		return ""
	}
	return c.Provider + "/" + c.Model
}

// Cheapest asks the choice whose answer to this request would cost least, and
// the next dearer one when it fails. A choice of unknown price is asked last.
type Cheapest struct {
	Choices []Choice
	// Cost is what r would cost there; ok is false if no price is known.
	Cost func(r *llm.Request, c Choice) (cost llm.Pico, ok bool)
}

// Do answers r; see llm.Target.
func (s Cheapest) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	type priced struct {
		Choice
		cost  llm.Pico
		known bool
	}
	all := make([]priced, len(s.Choices))
	for i, c := range s.Choices {
		all[i].Choice = c
		all[i].cost, all[i].known = s.Cost(r, c)
	}
	slices.SortStableFunc(all, func(a, b priced) int {
		switch {
		case a.known != b.known && a.known:
			return -1
		case a.known != b.known:
			return 1
		}
		return cmp.Compare(a.cost, b.cost)
	})
	order := make([]llm.Target, len(all))
	for i, c := range all {
		order[i] = c.Choice
	}
	return inOrder(ctx, r, order, func(at int, as string) llm.Note {
		c, why := all[at], "cheapest of "+number(len(all))
		switch {
		case !c.known:
			why = "no price known"
		case at > 0:
			why = "next cheapest"
		}
		return llm.Note{Reason: why + as, Instead: dearer(s.Choices[0], c.Choice)}
	})
}

// dearer names a choice that would have been asked, if another was.
func dearer(c, asked Choice) string {
	if c.Name() == asked.Name() {
		return ""
	}
	return c.Name()
}

// Fastest asks the choice that answered fastest of late, by the time to its
// first good frame and its tokens a second, and the next slower one when it
// fails. One that was not measured of late is tried first, so that it will be.
type Fastest struct {
	Choices []Choice
	Speed   func(c Choice) (first time.Duration, perSecond float64) // 0 is not known
}

// usualAnswer is how long an answer is, in tokens, when times are compared.
const usualAnswer = 400

// Do answers r; see llm.Target.
func (s Fastest) Do(ctx context.Context, r *llm.Request) (*llm.Response, error) {
	type timed struct {
		Choice
		took time.Duration
	}
	all := make([]timed, len(s.Choices))
	for i, c := range s.Choices {
		first, speed := s.Speed(c)
		all[i] = timed{c, first}
		if first > 0 && speed > 0 {
			all[i].took += time.Duration(usualAnswer / speed * float64(time.Second))
		}
	}
	slices.SortStableFunc(all, func(a, b timed) int { return cmp.Compare(a.took, b.took) })
	order := make([]llm.Target, len(all))
	for i, c := range all {
		order[i] = c.Choice
	}
	return inOrder(ctx, r, order, func(at int, as string) llm.Note {
		why := "fastest: not measured yet"
		if took := all[at].took; took > 0 {
			why = "fastest: " + took.Round(10*time.Millisecond).String() + " for a usual answer"
		}
		return llm.Note{Reason: why + as}
	})
}

// Rest is the target's own.
func (c Choice) Rest() time.Duration { return rest(c.Target) }
