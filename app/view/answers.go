package view

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"keytray/app"
)

// MostCompared is how many models are asked side by side at most.
const MostCompared = 4

// AnswerFacts are what is known of an answer beside its words.
type AnswerFacts struct {
	Line string // "$0.0042 · first 340 ms · 71 tokens/s · 1.2 s"
	Said string // what went wrong, or ""
	Tone Tone
}

// NewAnswerFacts says what an answer cost and how fast it was.
func NewAnswerFacts(a app.Answer, err error) AnswerFacts {
	f := AnswerFacts{Tone: Good}
	var parts []string
	if cost := costOf(a.Rows); cost != "" {
		parts = append(parts, cost)
	}
	if a.First > 0 {
		parts = append(parts, "first "+Took(a.First))
	}
	if speed := perSecond(a); speed > 0 {
		parts = append(parts, fmt.Sprintf("%.0f tokens/s", speed))
	}
	if a.Took > 0 {
		parts = append(parts, Took(a.Took))
	}
	if len(a.Rows) > 1 {
		parts = append(parts, Plural(int64(len(a.Rows)), "attempt"))
	}
	switch {
	case errors.Is(err, context.Canceled):
		parts = append(parts, "stopped")
		f.Tone = Plain
	case err != nil:
		f.Said, f.Tone = capitalized(err.Error()), Bad
	}
	f.Line = strings.Join(parts, " · ")
	return f
}

// costOf sums what the attempts of an answer cost; "" if none is known of.
func costOf(rows []app.Row) string {
	if len(rows) == 0 {
		return ""
	}
	if len(rows) == 1 {
		return Cost(rows[0])
	}
	var s app.Sum
	for _, r := range rows {
		s.Calls++
		switch {
		case r.CostPico == nil:
			s.Unpriced++
			continue
		case string(r.CostKind) == "estimated":
			s.Estimated++
		case string(r.CostKind) == "at_least":
			s.AtLeast++
		}
		s.CostPico += *r.CostPico
	}
	return Spent(s)
}

// perSecond is how many tokens came in a second after the first ones; 0 is not
// known, as of an answer that came whole.
func perSecond(a app.Answer) float64 {
	took := a.Took - a.First
	if a.First == 0 || took < 50*time.Millisecond {
		return 0
	}
	for _, r := range a.Rows { // the last attempt is the first row
		if n := TokensOut(r.Usage); n > 0 && string(r.Status) != "error" {
			return float64(n) / took.Seconds()
		}
	}
	return 0
}

// ModelLine is a model in the list to choose from.
type ModelLine struct{ ID, Note string }

// ModelLines are the models and routes that have all words of text in their
// names, without those that are chosen.
func ModelLines(all []app.Model, text string, chosen []string) []ModelLine {
	words := strings.Fields(strings.ToLower(text))
	var out []ModelLine
next:
	for _, m := range all {
		for _, w := range words {
			if !strings.Contains(strings.ToLower(m.ID+" "+m.Title), w) {
				continue next
			}
		}
		for _, c := range chosen {
			if c == m.ID {
				continue next
			}
		}
		out = append(out, ModelLine{m.ID, modelNote(m)})
	}
	return out
}

func modelNote(m app.Model) string {
	switch {
	case m.Route:
		return "a route"
	case m.Local && m.Input == "0" && m.Output == "0":
		return "on this computer, free"
	case m.Input == "" && m.Output == "":
		return "no price known"
	default:
		return "$" + m.Input + " in, $" + m.Output + " out, a million tokens"
	}
}
