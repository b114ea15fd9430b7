package turns

import (
	"encoding/json"
	"slices"
	"strings"

	"keytray/proxy/llm"
)

const noResultText = "There is no result: the call was not finished."

// result puts a result with its call. One without becomes plain text.
func (a *arranger) result(b llm.Block) *llm.Error {
	content := make([]llm.Block, 0, len(b.Content))
	for _, part := range b.Content {
		switch part.Kind {
		case llm.Text, llm.Refusal:
			if strings.TrimSpace(part.Text) == "" {
				continue
			}
			part.Kind = llm.Text
		case llm.Image, llm.Document:
			if part.Kind == llm.Image && a.c.Model.Flags.Has(llm.FlagNoVision) {
				a.c.Lose("messages: images in tool results; this model sees none")
				part = llm.Block{Kind: llm.Text, Text: "[an image that this model cannot see]"}
				break
			}
			var err *llm.Error
			if part, err = a.media(part); err != nil {
				return err
			}
		case llm.Audio:
			return a.deaf()
		default:
			return llm.Invalid("messages", "a tool result holds a part that is neither text nor image nor document")
		}
		content = append(content, part)
	}
	b.Content = content
	c := a.pending[b.ID]
	if c == nil || c.result != nil {
		a.c.Lose("messages: a tool result without its call went as text")
		what := b.Name
		if what == "" {
			what = b.ID
		}
		a.add(llm.Block{Kind: llm.Text, Text: "Result of the tool " + what + ":"})
		for _, part := range content {
			a.add(part)
		}
		return nil
	}
	if n := len(a.Turns); n < 2 || !slices.Contains(a.Turns[n-2].Calls, c) {
		a.c.Lose("messages: a tool result was moved to the turn after its call")
	}
	b.ID = c.ID
	c.result = &b
	return nil
}

// placeResults gives each turn of calls its results, first in the next turn
// and in the order of the calls (A3, A4, G1). Turns alternate already.
func (a *arranger) placeResults() {
	for i := 0; i < len(a.Turns); i++ {
		calls := a.Turns[i].Calls
		if len(calls) == 0 {
			continue
		}
		if i+1 == len(a.Turns) {
			a.Turns = append(a.Turns, Turn{Role: llm.User})
		}
		next := &a.Turns[i+1]
		blocks := make([]llm.Block, 0, len(calls)+len(next.Blocks))
		for _, c := range calls {
			if c.result == nil {
				a.c.Lose("messages: a tool call without a result was given an error for one")
				c.result = &llm.Block{
					Kind: llm.ToolResult, ID: c.ID, Failed: true,
					Content: []llm.Block{{Kind: llm.Text, Text: noResultText}},
				}
			}
			blocks = append(blocks, *c.result)
		}
		next.Blocks = append(blocks, next.Blocks...)
	}
}

// settle drops what is empty and joins the neighbours that this leaves.
func (a *arranger) settle() {
	kept := a.Turns[:0]
	for _, t := range a.Turns {
		if t.Role == llm.Assistant { // Claude refuses a turn that ends in thinking
			for n := len(t.Blocks); n > 0 && IsThought(t.Blocks[n-1]); n-- {
				t.Blocks = t.Blocks[:n-1]
				a.c.Lose("messages: earlier reasoning")
			}
		}
		if len(t.Blocks) == 0 {
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].Role == t.Role {
			kept[n-1].Blocks = append(kept[n-1].Blocks, t.Blocks...)
			kept[n-1].Calls = append(kept[n-1].Calls, t.Calls...)
			continue
		}
		kept = append(kept, t)
	}
	a.Turns = kept
}

// Arguments are an earlier call's: an object, whatever was there before (A13).
func Arguments(c *llm.Call, text string) string {
	s := strings.TrimSpace(text)
	if s == "" {
		return "{}"
	}
	if s[0] != '{' || !json.Valid([]byte(s)) {
		c.Lose("messages: the arguments of an earlier tool call are not a JSON object")
		return "{}"
	}
	return s
}
