package turns

import (
	"slices"
	"strings"

	"keytray/proxy/llm"
)

// Stops are the stop sequences that are taken, each once. White ones are
// refused.
func Stops(c *llm.Call, asked []string) []string {
	var kept []string
	for _, s := range asked {
		switch {
		case s == "" || slices.Contains(kept, s):
		case strings.TrimSpace(s) == "":
			c.Lose("stop: a sequence of white space alone")
		default:
			kept = append(kept, s)
		}
	}
	return kept
}

// LoseLimits names the limits that neither provider knows.
func LoseLimits(c *llm.Call, l *llm.Limits) {
	if l.Seed != nil {
		c.Lose("seed")
	}
	if f := l.FrequencyPenalty; f != nil && *f != 0 {
		c.Lose("frequency_penalty")
	}
	if f := l.PresencePenalty; f != nil && *f != 0 {
		c.Lose("presence_penalty")
	}
}
