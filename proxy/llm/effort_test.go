package llm

import (
	"slices"
	"testing"
)

// The values that OpenAI's models say they take when they refuse one.
func TestTakenEffort(t *testing.T) {
	all := []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	for what, tt := range map[string]struct {
		flags Flags
		want  []string // for each of all
	}{
		"any":     {nil, all},
		"o3":      {Flags{FlagThreeEfforts, FlagNoMaxEffort}, []string{"low", "low", "low", "medium", "high", "high", "high"}},
		"gpt-5":   {Flags{FlagNoThinkingOff, FlagNoXHigh, FlagNoMaxEffort}, []string{"minimal", "minimal", "low", "medium", "high", "high", "high"}},
		"gpt-5.1": {Flags{FlagNoMinimal, FlagNoXHigh, FlagNoMaxEffort}, []string{"none", "low", "low", "medium", "high", "high", "high"}},
		"gpt-5.2": {Flags{FlagNoMinimal, FlagNoMaxEffort}, []string{"none", "low", "low", "medium", "high", "xhigh", "xhigh"}},
		"codex":   {Flags{FlagNoThinkingOff, FlagNoMinimal, FlagNoMaxEffort}, []string{"low", "low", "low", "medium", "high", "xhigh", "xhigh"}},
	} {
		for i, asked := range all {
			c := &Call{Model: Model{Flags: tt.flags}}
			var lost []string
			if asked != tt.want[i] {
				lost = []string{"reasoning_effort: " + asked + " went as " + tt.want[i]}
			}
			if got := c.TakenEffort(asked); got != tt.want[i] || !slices.Equal(c.Lost, lost) {
				t.Errorf("%s: %s went as %s, want %s; lost %q", what, asked, got, tt.want[i], c.Lost)
			}
		}
	}
}
