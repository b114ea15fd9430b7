package gemini

import (
	"strconv"
	"strings"

	"keytray/proxy/llm"
)

// What an effort is in tokens: Google's own table for its OpenAI endpoint
// (low 1,024, medium 8,192, high 24,576, which is also the most that every
// thinking model takes), and the smallest budget that every one takes.
const (
	budgetMinimal = 512
	budgetLow     = 1024
	budgetMedium  = 8192
	budgetHigh    = 24576
	// The bounds of a model that cannot stop thinking (Gemini 2.5 Pro).
	budgetLeast = 128
	budgetMost  = 32768
)

// thinking is nil when nothing about it was asked.
func (e *encoder) thinking() *thinkingConfig {
	r, flags := e.p.Reasoning, e.c.Model.Flags
	show := r.Show != "" && r.Show != "none"
	if r.Effort == "" && r.Budget == nil {
		if !show || flags.Has(llm.FlagNoReasoning) {
			return nil
		}
		return &thinkingConfig{IncludeThoughts: true}
	}
	off := r.Effort == "none" || r.Budget != nil && *r.Budget == 0
	if flags.Has(llm.FlagNoReasoning) {
		e.lose(!off, "reasoning_effort: this model does not think")
		return nil
	}
	if off && flags.Has(llm.FlagNoThinkingOff) {
		e.c.Lose("reasoning_effort: this model thinks always; it was given the least")
	}
	t := &thinkingConfig{IncludeThoughts: !off && r.Show != "none"}
	if flags.Has(llm.FlagThinkingLevel) && !flags.Has(llm.FlagThinkingBudget) {
		t.ThinkingLevel = strings.ToUpper(e.level(off)) // as Google's own SDKs send it
	} else {
		t.ThinkingBudget = e.budget(off)
	}
	return t
}

// budget is what older models take, and newer ones still understand.
func (e *encoder) budget(off bool) *int {
	b := budgetHigh
	switch r := e.p.Reasoning; {
	case off && e.c.Model.Flags.Has(llm.FlagNoThinkingOff):
		b = budgetLeast
	case off:
		b = 0
	case r.Budget != nil:
		b = e.within(*r.Budget)
	case r.Effort == "minimal":
		b = budgetMinimal
	case r.Effort == "low":
		b = budgetLow
	case r.Effort == "medium":
		b = budgetMedium
	case r.Effort == "high":
	case r.Effort == "xhigh", r.Effort == "max":
		e.c.Lose("reasoning_effort: " + r.Effort + " went as high")
	default:
		b = -1
		e.c.Lose("reasoning_effort: " + r.Effort + " is unknown; the model decides")
	}
	return &b
}

// within is the budget that the model takes: one out of bounds is refused.
func (e *encoder) within(asked int) int {
	if asked < 0 { // as the model likes
		return asked
	}
	least, most := budgetMinimal, budgetHigh
	if e.c.Model.Flags.Has(llm.FlagNoThinkingOff) {
		least, most = budgetLeast, budgetMost
	}
	b := min(max(asked, least), most)
	e.lose(b != asked, "thinking budget: went as "+strconv.Itoa(b)+" tokens")
	return b
}

// level is what models from Gemini 3 on take; "" leaves it to the model.
func (e *encoder) level(off bool) string {
	least := "minimal"
	if e.c.Model.Flags.Has(llm.FlagNoThinkingOff) {
		least = "low"
	}
	r := e.p.Reasoning
	if off {
		return least
	}
	if r.Budget != nil {
		if *r.Budget < 0 {
			return ""
		}
		e.c.Lose("thinking budget: this model takes levels; the nearest was sent")
		switch {
		case *r.Budget <= budgetMinimal:
			return least
		case *r.Budget <= 2*budgetLow:
			return "low"
		case *r.Budget <= 2*budgetMedium:
			return "medium"
		default:
			return "high"
		}
	}
	switch r.Effort {
	case "minimal":
		e.lose(least != "minimal", "reasoning_effort: minimal went as low")
		return least
	case "low", "medium", "high":
		return r.Effort
	case "xhigh", "max":
		e.c.Lose("reasoning_effort: " + r.Effort + " went as high")
		return "high"
	default:
		e.c.Lose("reasoning_effort: " + r.Effort + " is unknown; the model decides")
		return ""
	}
}
