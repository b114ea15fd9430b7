package converse

import (
	"strconv"

	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// think settles max_tokens and how much the model thinks, which each family
// of models is told in its own words; see appendMore.
func (e *encoder) think() *llm.Error {
	e.limitTokens()
	r, flags := e.p.Reasoning, e.c.Model.Flags
	if r.Effort == "" && r.Budget == nil {
		return nil
	}
	if r.Show == "none" {
		e.c.Lose("reasoning summary: thoughts are shown all the same")
	}
	if isClaude(flags) {
		limit := &e.maxTokens
		if e.maxTokens == 0 {
			limit = nil
		}
		e.thinking = e.Think(r, flags.Has(llm.FlagThinkingAdaptive), e.choice.forced(), limit)
		if n := e.thinking.MaxTokens; n > 0 {
			e.maxTokens = n
		}
		return nil
	}
	field, off := turns.Asked(r)
	words := flags.Has(llm.FlagNovaFields) || flags.Has(llm.FlagEffortField) || flags.Has(llm.FlagReasoningConfig)
	switch {
	case flags.Has(llm.FlagNoReasoning):
		if !off {
			e.c.Lose(field + ": this model does not think")
		}
	case off && flags.Has(llm.FlagNoThinkingOff):
		e.c.Lose(field + ": this model thinks always; it was given the least")
		if words {
			e.thinking.Effort = "low"
		}
	case off: // thinking is not asked for
	case words:
		e.thinking.Effort = e.threeEfforts()
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

// thinkLikeNova enables reasoning, which knows no effort of the model's own
// choice, and no limit of tokens beside a high one.
func (e *encoder) thinkLikeNova() {
	e.thinking.Mode = "enabled"
	switch {
	case e.thinking.Effort == "":
		e.thinking.Effort = "medium"
	case e.thinking.Effort == "high" && e.maxTokens > 0:
		e.c.Lose("max_tokens: not taken beside a high effort")
		e.maxTokens = 0
	}
}

// threeEfforts is low, medium or high.
func (e *encoder) threeEfforts() string {
	switch effort := e.p.Reasoning.Effort; effort {
	case "":
		return turns.NearestEffort(e.c, *e.p.Reasoning.Budget)
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

// appendMore writes additionalModelRequestFields: what Converse has no field
// of its own for, in the words of the model's family.
func (e *encoder) appendMore(b []byte) []byte {
	flags := e.c.Model.Flags
	f := fields{b: b, open: `,"additionalModelRequestFields":{`}
	topK := ""
	if k := e.p.Limits.TopK; k != nil {
		switch {
		case flags.Has(llm.FlagNoSampling):
			e.c.Lose("top_k: this model takes none")
		case e.thinking.On():
			e.c.Lose("top_k: not taken beside thinking")
		case !isClaude(flags) && !flags.Has(llm.FlagTopK) && !flags.Has(llm.FlagNovaFields):
			e.c.Lose("top_k")
		default:
			topK = strconv.Itoa(*k)
		}
	}
	if flags.Has(llm.FlagNovaFields) {
		if topK != "" {
			f.raw("inferenceConfig", `{"topK":`+topK+`}`)
		}
		if e.thinking.Mode == "enabled" {
			f.raw("reasoningConfig", `{"type":"enabled","maxReasoningEffort":"`+e.thinking.Effort+`"}`)
		}
		return f.done()
	}
	switch e.thinking.Mode {
	case "adaptive":
		f.raw("thinking", `{"type":"adaptive","display":"summarized"}`)
	case "enabled":
		f.raw("thinking", `{"type":"enabled","budget_tokens":`+strconv.Itoa(e.thinking.Budget)+`}`)
	case "disabled":
		f.raw("thinking", `{"type":"disabled"}`)
	}
	switch {
	case e.thinking.Effort == "":
	case flags.Has(llm.FlagEffortField):
		f.text("reasoning_effort", e.thinking.Effort)
	case flags.Has(llm.FlagReasoningConfig):
		f.text("reasoning_config", e.thinking.Effort)
	default:
		f.raw("output_config", `{"effort":"`+e.thinking.Effort+`"}`)
	}
	if topK != "" {
		f.raw("top_k", topK)
	}
	return f.done()
}
