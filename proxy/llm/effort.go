package llm

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"
)

// TakenEffort is the nearest effort that the model takes of those in OpenAI's
// words. What is not the one asked for is noted.
func (c *Call) TakenEffort(asked string) string {
	sent := asked
	switch {
	case c.Model.Flags.Has(FlagThreeEfforts):
		switch asked {
		case "none", "minimal":
			sent = "low"
		case "xhigh", "max":
			sent = "high"
		}
	case asked == "max" && c.Model.Flags.Has(FlagNoMaxEffort):
		sent = "xhigh"
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
