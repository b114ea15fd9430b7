package llm

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"
)

// TakenEffort is the nearest effort that the model takes of those in OpenAI's
// words. What is not the one asked for is noted.
func (c *Call) TakenEffort(asked string) string {
	sent, flags := asked, c.Model.Flags
	three := flags.Has(FlagThreeEfforts)
	for _, lack := range [...]struct{ effort, flag, next string }{
		{"none", FlagNoThinkingOff, "minimal"},
		{"minimal", FlagNoMinimal, "low"},
		{"max", FlagNoMaxEffort, "xhigh"},
		{"xhigh", FlagNoXHigh, "high"},
	} {
		if sent == lack.effort && (three || flags.Has(lack.flag)) {
			sent = lack.next
		}
	}
	if sent != asked {
		c.Lose("reasoning_effort: " + asked + " went as " + sent)
	}
	return sent
}

// maxUser is how long a user's id may be where [FlagShortUser] is set.
const maxUser = 64

// TakenUser is a user's id that the provider takes: the hash of one that is too
// long, so that users stay apart. That is noted.
func (c *Call) TakenUser(id string) string {
	if !c.Model.Flags.Has(FlagShortUser) || utf8.RuneCountInString(id) <= maxUser {
		return id
	}
	c.Lose("user: longer than 64 characters; its hash was sent")
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}
