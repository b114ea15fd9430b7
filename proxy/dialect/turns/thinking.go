package turns

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

// Thinking is how a model is asked to think.
type Thinking struct {
	Mode   string // adaptive, enabled, disabled, or "" for not said
	Effort string // "" for not said
	Budget int    // of enabled: tokens
	// MaxTokens is the limit of the answer that makes room for the budget,
	// where nobody gave one.
	MaxTokens int
}

// On tells that the model thinks because it was asked to.
func (t Thinking) On() bool { return t.Mode == "adaptive" || t.Mode == "enabled" }

// Asked is what the client calls its wish for thought, and whether that is for
// none. One of Effort and Budget must be set.
func Asked(r llm.Reasoning) (field string, off bool) {
	if r.Effort == "" {
		return "thinking budget", *r.Budget == 0
	}
	return "reasoning_effort", r.Effort == "none"
}

// Think settles what Claude is asked for, whose models take one of two forms:
// adaptive with an effort, or a budget of tokens inside maxTokens, which is nil
// where nobody gave a limit. forced tells that a tool must be called. The ends
// of the conversation must be settled.
func (v *Conversation) Think(r llm.Reasoning, adaptive, forced bool, maxTokens *int) (t Thinking) {
	flags := v.c.Model.Flags
	field, off := Asked(r)
	always := flags.Has(llm.FlagNoThinkingOff)
	switch {
	case flags.Has(llm.FlagNoReasoning):
		if !off {
			v.c.Lose(field + ": this model does not think")
		}
		return t
	case off && always:
		v.c.Lose(field + ": this model thinks always; it was given the least")
		if adaptive {
			t.Effort = "low"
		}
		return t
	case off:
		t.Mode = "disabled"
		return t
	}
	if adaptive {
		t.Effort = v.effort(r)
	}
	if why := v.mustNotThink(adaptive, forced); why != "" {
		v.c.Lose(field + ": no thinking " + why)
		if adaptive && !always {
			t.Mode = "disabled" // it is on by default in newer models
		}
		return t
	}
	if adaptive {
		t.Mode = "adaptive"
		return t
	}
	v.setBudget(&t, r, field, maxTokens)
	return t
}

// mustNotThink says why thinking would be refused, or "".
func (v *Conversation) mustNotThink(adaptive, forced bool) string {
	switch {
	case forced:
		return "while a tool must be called"
	case v.prefilled():
		return "when the answer is begun by the client"
	case !adaptive && v.unsignedCall():
		return "in the middle of tool calls whose own thinking is not at hand"
	}
	return ""
}

// effort is that of an adaptive model; "" lets the model decide.
func (v *Conversation) effort(r llm.Reasoning) string {
	switch r.Effort {
	case "":
		return NearestEffort(v.c, *r.Budget)
	case "minimal":
		v.c.Lose("reasoning_effort: minimal went as low")
		return "low"
	case "xhigh":
		if v.c.Model.Flags.Has(llm.FlagNoXHigh) {
			v.c.Lose("reasoning_effort: xhigh went as high")
			return "high"
		}
		return r.Effort
	case "low", "medium", "high", "max":
		return r.Effort
	}
	v.c.Lose("reasoning_effort: " + r.Effort + " is unknown; the model decides")
	return ""
}

// NearestEffort is low, medium or high, whichever comes nearest to a budget;
// "" lets the model decide.
func NearestEffort(c *llm.Call, budget int) string {
	if budget < 0 {
		return ""
	}
	c.Lose("thinking budget: this model takes an effort; the nearest was sent")
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
func (v *Conversation) setBudget(t *Thinking, r llm.Reasoning, field string, maxTokens *int) {
	budget, exact := budgetFor(r.Effort), false
	if r.Budget != nil && *r.Budget > 0 {
		budget, exact = *r.Budget, true
	}
	if maxTokens == nil {
		t.MaxTokens = max(budget, minBudget) + defaultAnswer
		if limit := v.c.Model.MaxOutput; limit > 0 {
			t.MaxTokens = min(t.MaxTokens, limit)
		}
		maxTokens = &t.MaxTokens
	}
	if *maxTokens < minBudget+minAnswer {
		v.c.Lose(field + ": no thinking, max_tokens leaves no room for it")
		return
	}
	fits := min(max(budget, minBudget), max(*maxTokens/5*4, minBudget))
	if exact && fits != budget {
		v.c.Lose("thinking budget: " + strconv.Itoa(fits) + " tokens, as max_tokens allows")
	}
	t.Mode, t.Budget = "enabled", fits
}
