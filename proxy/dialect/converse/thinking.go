package converse

import (
	"strconv"

	"keytray/proxy/llm"
)

// minBudget is the least that thinking may be given, minAnswer what must be
// left for the answer, and defaultAnswer what is, in tokens.
const (
	minBudget     = 1024
	minAnswer     = 256
	defaultAnswer = 8192
)

// think settles max_tokens and how much the model thinks, which each family
// of models is told in its own words; see appendMore.
func (e *encoder) think() *llm.Error {
	e.limitTokens()
	r, flags := e.p.Reasoning, e.c.Model.Flags
	if r.Show == "none" && (r.Effort != "" || r.Budget != nil) {
		e.c.Lose("reasoning summary: thoughts are shown all the same")
	}
	if r.Effort == "" && r.Budget == nil {
		return nil
	}
	field := "reasoning_effort"
	if r.Effort == "" {
		field = "thinking budget"
	}
	off := r.Effort == "none" || r.Effort == "" && *r.Budget == 0
	claude := flags.Has(llm.FlagThinkingAdaptive) || flags.Has(llm.FlagThinkingBudget)
	words := flags.Has(llm.FlagNovaFields) || flags.Has(llm.FlagEffortField) || flags.Has(llm.FlagReasoningConfig)
	switch {
	case flags.Has(llm.FlagNoReasoning):
		if !off {
			e.c.Lose(field + ": this model does not think")
		}
	case off && flags.Has(llm.FlagNoThinkingOff):
		e.c.Lose(field + ": this model thinks always; it was given the least")
		if flags.Has(llm.FlagThinkingAdaptive) || words {
			e.effort = "low"
		}
	case off && claude:
		e.thinking = "disabled"
	case off: // thinking is not asked for
	case claude:
		e.thinkLikeClaude(field)
	case words:
		e.effort = e.threeEfforts()
		if flags.Has(llm.FlagNovaFields) {
			e.thinkLikeNova()
		}
	default:
		e.c.Lose(field + ": how this model is asked to think is not known")
	}
	return nil
}

// limitTokens is what the client asked for, within what the model can.
func (e *encoder) limitTokens() {
	n, limit := e.p.Limits.MaxTokens, e.c.Model.MaxOutput
	if n == nil {
		return
	}
	e.maxTokens = *n
	if limit > 0 && *n > limit {
		e.c.Lose("max_tokens: this model writes " + strconv.Itoa(limit) + " at most")
		e.maxTokens = limit
	}
}

// thinkLikeClaude asks for adaptive thinking with an effort, or for a budget
// of tokens inside max_tokens.
func (e *encoder) thinkLikeClaude(field string) {
	adaptive := e.c.Model.Flags.Has(llm.FlagThinkingAdaptive)
	if adaptive {
		e.effort = e.claudeEffort()
	}
	why := ""
	switch {
	case e.choice.forced():
		why = "while a tool must be called"
	case e.prefilled():
		why = "when the answer is begun by the client"
	case !adaptive && e.unsignedCall():
		why = "in the middle of tool calls whose own thinking is not at hand"
	}
	switch {
	case why != "":
		e.c.Lose(field + ": no thinking " + why)
		if adaptive && !e.c.Model.Flags.Has(llm.FlagNoThinkingOff) {
			e.thinking = "disabled"
		}
	case adaptive:
		e.thinking = "adaptive"
	default:
		e.setBudget(field)
	}
}

// thinkLikeNova enables reasoning, which knows no effort of the model's own
// choice, and no limit of tokens beside a high one.
func (e *encoder) thinkLikeNova() {
	e.thinking = "enabled"
	switch {
	case e.effort == "":
		e.effort = "medium"
	case e.effort == "high" && e.maxTokens > 0:
		e.c.Lose("max_tokens: not taken beside a high effort")
		e.maxTokens = 0
	}
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

// claudeEffort is the effort for an adaptive model; "" lets the model decide.
func (e *encoder) claudeEffort() string {
	switch effort := e.p.Reasoning.Effort; effort {
	case "":
		return e.effortFor(*e.p.Reasoning.Budget)
	case "minimal":
		e.c.Lose("reasoning_effort: minimal went as low")
		return "low"
	case "xhigh":
		if e.c.Model.Flags.Has(llm.FlagNoXHigh) {
			e.c.Lose("reasoning_effort: xhigh went as high")
			return "high"
		}
		return effort
	case "low", "medium", "high", "max":
		return effort
	default:
		e.c.Lose("reasoning_effort: " + effort + " is unknown; the model decides")
		return ""
	}
}

// threeEfforts is low, medium or high.
func (e *encoder) threeEfforts() string {
	switch effort := e.p.Reasoning.Effort; effort {
	case "":
		return e.effortFor(*e.p.Reasoning.Budget)
	case "low", "medium", "high":
		return effort
	case "minimal":
		e.c.Lose("reasoning_effort: minimal went as low")
		return "low"
	case "xhigh", "max":
		e.c.Lose("reasoning_effort: " + effort + " went as high")
		return "high"
	default:
		e.c.Lose("reasoning_effort: " + effort + " is unknown; the model decides")
		return ""
	}
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
func (e *encoder) setBudget(field string) {
	r := e.p.Reasoning
	budget, exact := budgetFor(r.Effort), false
	if r.Budget != nil && *r.Budget > 0 {
		budget, exact = *r.Budget, true
	}
	if e.maxTokens == 0 {
		e.maxTokens = max(budget, minBudget) + defaultAnswer
		if limit := e.c.Model.MaxOutput; limit > 0 {
			e.maxTokens = min(e.maxTokens, limit)
		}
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

// appendMore writes additionalModelRequestFields: what Converse has no field
// of its own for, in the words of the model's family.
func (e *encoder) appendMore(b []byte) []byte {
	flags := e.c.Model.Flags
	f := fields{b: b, open: `,"additionalModelRequestFields":{`}
	topK := ""
	if k := e.p.Limits.TopK; k != nil {
		switch claude := flags.Has(llm.FlagThinkingAdaptive) || flags.Has(llm.FlagThinkingBudget); {
		case flags.Has(llm.FlagNoSampling):
			e.c.Lose("top_k: this model takes none")
		case e.thinks():
			e.c.Lose("top_k: not taken beside thinking")
		case !claude && !flags.Has(llm.FlagTopK) && !flags.Has(llm.FlagNovaFields):
			e.c.Lose("top_k")
		default:
			topK = strconv.Itoa(*k)
		}
	}
	if flags.Has(llm.FlagNovaFields) {
		if topK != "" {
			f.raw("inferenceConfig", `{"topK":`+topK+`}`)
		}
		if e.thinking == "enabled" {
			f.raw("reasoningConfig", `{"type":"enabled","maxReasoningEffort":"`+e.effort+`"}`)
		}
		return f.done()
	}
	switch e.thinking {
	case "adaptive":
		f.raw("thinking", `{"type":"adaptive","display":"summarized"}`)
	case "enabled":
		f.raw("thinking", `{"type":"enabled","budget_tokens":`+strconv.Itoa(e.budget)+`}`)
	case "disabled":
		f.raw("thinking", `{"type":"disabled"}`)
	}
	switch {
	case e.effort == "":
	case flags.Has(llm.FlagEffortField):
		f.text("reasoning_effort", e.effort)
	case flags.Has(llm.FlagReasoningConfig):
		f.text("reasoning_config", e.effort)
	default:
		f.raw("output_config", `{"effort":"`+e.effort+`"}`)
	}
	if topK != "" {
		f.raw("top_k", topK)
	}
	return f.done()
}
