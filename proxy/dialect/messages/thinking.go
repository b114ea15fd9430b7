package messages

import (
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// minBudget is the least that thinking may be given, and minAnswer what must
// be left for the answer, in tokens.
const (
	minBudget = 1024
	minAnswer = 256
)

// think settles thinking and effort. Models take one of two forms: adaptive
// with an effort, or a budget of tokens inside max_tokens. An unknown model is
// taken for a new one, which is adaptive.
func (e *encoder) think() *llm.Error {
	r, flags := e.p.Reasoning, e.c.Model.Flags
	if r.Effort == "" && r.Budget == nil {
		return nil
	}
	field := "reasoning_effort"
	if r.Effort == "" {
		field = "thinking budget"
	}
	off := r.Effort == "none" || r.Effort == "" && *r.Budget == 0
	adaptive := flags.Has(llm.FlagThinkingAdaptive) || !flags.Has(llm.FlagThinkingBudget)
	always := flags.Has(llm.FlagNoThinkingOff)
	switch {
	case flags.Has(llm.FlagNoReasoning):
		if !off {
			e.c.Lose(field + ": this model does not think")
		}
		return nil
	case off && always:
		e.c.Lose(field + ": this model thinks always; it was given the least")
		if adaptive {
			e.effort = "low"
		}
		return nil
	case off:
		e.thinking = "disabled"
		return nil
	}
	if adaptive {
		e.effort = e.effortOf(r)
	}
	if why := e.mustNotThink(adaptive); why != "" {
		e.c.Lose(field + ": no thinking " + why)
		if adaptive && !always {
			e.thinking = "disabled" // it is on by default in newer models
		}
		return nil
	}
	if adaptive {
		e.thinking = "adaptive"
		return nil
	}
	e.setBudget(r, field)
	return nil
}

// mustNotThink says why Anthropic would refuse thinking, or "".
func (e *encoder) mustNotThink(adaptive bool) string {
	switch {
	case e.choice.forced():
		return "while a tool must be called"
	case e.prefilled():
		return "when the answer is begun by the client"
	case !adaptive && e.unsignedCall():
		return "in the middle of tool calls whose own thinking is not at hand"
	}
	return ""
}

// unsignedCall tells that the last assistant turn called tools without a
// thinking block before: with a budget, that one must start with thinking.
func (e *encoder) unsignedCall() bool {
	for i := len(e.turns) - 1; i >= 0; i-- {
		if t := &e.turns[i]; t.role == llm.Assistant {
			return len(t.calls) > 0 && !thought(t.blocks[0])
		}
	}
	return false
}

// effortOf is the effort for an adaptive model; "" lets the model decide.
func (e *encoder) effortOf(r llm.Reasoning) string {
	switch r.Effort {
	case "":
		return e.effortFor(*r.Budget)
	case "minimal":
		e.c.Lose("reasoning_effort: minimal went as low")
		return "low"
	case "xhigh":
		if e.c.Model.Flags.Has(llm.FlagNoXHigh) {
			e.c.Lose("reasoning_effort: xhigh went as high")
			return "high"
		}
		return r.Effort
	case "low", "medium", "high", "max":
		return r.Effort
	}
	e.c.Lose("reasoning_effort: " + r.Effort + " is unknown; the model decides")
	return ""
}

// effortFor is the effort that comes nearest to a budget.
func (e *encoder) effortFor(budget int) string {
	if budget < 0 {
		return ""
	}
	e.c.Lose("thinking budget: this model takes an effort; the nearest was sent")
	switch {
	case budget <= budgetFor("low"):
		return "low"
	case budget <= budgetFor("medium"):
		return "medium"
	default:
		return "high"
	}
}

// budgetFor is the budget of an effort.
func budgetFor(effort string) int {
	switch effort {
	case "minimal":
		return minBudget
	case "low":
		return 4096
	case "high":
		return 16_384
	case "xhigh":
		return 32_768
	case "max":
		return 65_536
	default:
		return 8192
	}
}

// setBudget gives thinking its share of max_tokens: what the client asked
// for, but at most four fifths.
func (e *encoder) setBudget(r llm.Reasoning, field string) {
	budget, exact := budgetFor(r.Effort), false
	if r.Budget != nil && *r.Budget > 0 {
		budget, exact = *r.Budget, true
	}
	if e.madeUp {
		e.maxTokens = max(budget, minBudget) + defaultMaxTokens
	}
	if e.maxTokens < minBudget+minAnswer {
		e.c.Lose(field + ": no thinking, max_tokens leaves no room for it")
		return
	}
	fits := min(max(budget, minBudget), max(e.maxTokens/5*4, minBudget))
	if exact && fits != budget {
		e.c.Lose("thinking budget: " + strconv.Itoa(fits) + " tokens, as max_tokens allows")
	}
	e.thinking, e.budget = "enabled", fits
}

// appendThinking writes thinking and output_config. Newer models show their
// thinking only when asked to.
func (e *encoder) appendThinking(b []byte) []byte {
	switch e.thinking {
	case "adaptive":
		b = append(b, `,"thinking":{"type":"adaptive","display":"`...)
		if e.p.Reasoning.Show == "none" {
			b = append(b, `omitted"}`...)
		} else {
			b = append(b, `summarized"}`...)
		}
	case "enabled":
		b = append(b, `,"thinking":{"type":"enabled","budget_tokens":`...)
		b = append(strconv.AppendInt(b, int64(e.budget), 10), '}')
	case "disabled":
		b = append(b, `,"thinking":{"type":"disabled"}`...)
	}
	if e.effort == "" && e.schema == nil {
		return b
	}
	b = append(b, `,"output_config":{`...)
	if e.effort != "" {
		b = sse.AppendString(append(b, `"effort":`...), e.effort)
	}
	if e.schema != nil {
		if e.effort != "" {
			b = append(b, ',')
		}
		b = append(append(b, `"format":{"type":"json_schema","schema":`...), e.schema...)
		b = append(b, '}')
	}
	return append(b, '}')
}
