package turns

import (
	"slices"
	"strings"

	"keytray/proxy/llm"
)

const beginText = "Begin."

// SettleEnds settles both ends: the user begins (A2), and the assistant's
// start of an answer ends the conversation only where a model goes on from
// there (A21). That is not so where held says that the answer's form is
// settled, by a format or a tool that must be called.
func (v *Conversation) SettleEnds(held bool) {
	if n := len(v.Turns); n > 0 && v.Turns[n-1].Role == llm.Assistant {
		switch {
		case v.c.Model.Flags.Has(llm.FlagNoPrefill):
			v.c.Lose("messages: the last one, of the assistant; this model does not continue one")
			v.Turns = v.Turns[:n-1]
		case held:
			v.c.Lose("messages: the last one, of the assistant; it cannot be continued with this format or tool choice")
			v.Turns = v.Turns[:n-1]
		default:
			last := &v.Turns[n-1].Blocks[len(v.Turns[n-1].Blocks)-1]
			last.Text = strings.TrimRight(last.Text, " \t\r\n") // or it is refused
		}
	}
	if len(v.Turns) == 0 || v.Turns[0].Role != llm.User {
		begin := Turn{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: beginText}}}
		v.Turns = slices.Insert(v.Turns, 0, begin)
	}
}

// prefilled tells that the model shall go on from the assistant's own words.
func (v *Conversation) prefilled() bool { return v.Turns[len(v.Turns)-1].Role == llm.Assistant }

// unsignedCall tells that the last assistant turn called tools without a
// thinking block before: with a budget, that one must start with thinking.
func (v *Conversation) unsignedCall() bool {
	for i := len(v.Turns) - 1; i >= 0; i-- {
		if t := &v.Turns[i]; t.Role == llm.Assistant {
			return len(t.Calls) > 0 && !IsThought(t.Blocks[0])
		}
	}
	return false
}
