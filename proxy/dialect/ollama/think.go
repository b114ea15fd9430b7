package ollama

import (
	"strings"

	"keytray/proxy/llm"
)

// think asks for thought: nil says nothing, else a bool or one of three
// levels (api.ThinkValue). The server refuses levels for all but the family
// of gpt-oss, whose models have FlagThinkingLevel, and refuses thought at all
// for a model that cannot think. So only a model that is known to think is
// asked to: one that nothing is known of thinks anyway if it can. H11.
func think(c *llm.Call, r *llm.Reasoning) any {
	effort := strings.ToLower(r.Effort)
	if effort == "" && r.Budget == nil {
		return nil
	}
	has := c.Model.Flags.Has
	off := effort == "none" || effort == "" && *r.Budget == 0
	switch {
	case has(llm.FlagNoReasoning):
		if !off {
			c.Lose("reasoning_effort: this model does not think")
		}
		return nil
	case off && has(llm.FlagNoThinkingOff):
		c.Lose("reasoning_effort: this model thinks always; it was given the least")
		if has(llm.FlagThinkingLevel) {
			return "low"
		}
		return nil
	case off:
		return false // taken by every model
	case has(llm.FlagThinkingLevel):
		return level(c, effort, r.Budget)
	}
	if effort != "" {
		c.Lose("reasoning_effort: " + effort + ": thinking is merely on or off in this model")
	} else if *r.Budget > 0 {
		c.Lose("thinking budget: thinking is merely on or off in this model")
	}
	if has(llm.FlagReasoning) {
		return true
	}
	return nil
}

// level is the nearest of Ollama's three.
func level(c *llm.Call, effort string, budget *int) any {
	switch effort {
	case "low", "medium", "high":
		return effort
	case "minimal":
		c.Lose("reasoning_effort: minimal went as low")
		return "low"
	case "xhigh", "max":
		c.Lose("reasoning_effort: " + effort + " went as high")
		return "high"
	case "":
		if *budget < 0 {
			return true
		}
		c.Lose("thinking budget: this model takes levels; the nearest was sent")
		switch {
		case *budget <= 2048:
			return "low"
		case *budget <= 8192:
			return "medium"
		default:
			return "high"
		}
	default:
		c.Lose("reasoning_effort: " + effort + " is unknown; the model decides")
		return true
	}
}
