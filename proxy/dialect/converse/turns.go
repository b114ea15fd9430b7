package converse

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"keytray/proxy/llm"
)

// A turn is one message as Bedrock wants it: roles alternate, the user's comes
// first, and the results of all calls stand at the start of the user's turn
// that follows them (G1).
type turn struct {
	role   llm.Role
	blocks []llm.Block
	calls  []*call
}

// call is one tool call and its result, wherever that was found.
type call struct {
	id, name string
	result   *llm.Block
}

// Texts that stand in for what a client left out.
const (
	beginText    = "Begin."
	noResultText = "There is no result: the call was not finished."
	noOutputText = "(no output)"
)

// maxID is the longest id of a call.
const maxID = 64

// arrange sorts the prompt's messages into turns, and all instructions, of a
// developer too (G3), into the system prompt.
func (e *encoder) arrange() *llm.Error {
	for i := range e.p.System {
		e.instruct(e.p.System[i])
	}
	e.documents = map[string]bool{}
	a := arranger{encoder: e, pending: map[string]*call{}, ids: map[string]bool{}}
	for i := range e.p.Messages {
		if err := a.message(&e.p.Messages[i]); err != nil {
			return err
		}
	}
	a.placeResults()
	a.settle()
	return nil
}

func (e *encoder) instruct(b llm.Block) {
	if b.Kind == llm.Text && strings.TrimSpace(b.Text) != "" {
		e.system = append(e.system, b)
	}
}

type arranger struct {
	*encoder
	pending map[string]*call // by the client's id: the last call that had it
	ids     map[string]bool  // ids in use toward Bedrock
}

func (a *arranger) message(m *llm.Message) *llm.Error {
	if m.Name != "" {
		a.c.Lose("messages[].name")
	}
	if m.Role == llm.System {
		if len(a.turns) > 0 {
			a.c.Lose("messages: a system message in mid-conversation went to the front")
		}
		for i := range m.Blocks {
			a.instruct(m.Blocks[i])
		}
		return nil
	}
	if m.Role != llm.User && m.Role != llm.Assistant {
		return llm.Invalid("messages", "a message of role %q cannot be sent to Bedrock", m.Role)
	}
	if n := len(a.turns); n == 0 || a.turns[n-1].role != m.Role {
		a.turns = append(a.turns, turn{role: m.Role})
	}
	for i := range m.Blocks {
		var err *llm.Error
		if m.Role == llm.User {
			err = a.user(m.Blocks[i])
		} else {
			err = a.assistant(m.Blocks[i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *arranger) add(b llm.Block) {
	t := &a.turns[len(a.turns)-1]
	t.blocks = append(t.blocks, b)
}

// text adds text that is not blank, which Bedrock refuses.
func (a *arranger) text(s, cache string) {
	if strings.TrimSpace(s) != "" {
		a.add(llm.Block{Kind: llm.Text, Text: s, Cache: cache})
	}
}

func (a *arranger) user(b llm.Block) *llm.Error {
	switch b.Kind {
	case llm.Text, llm.Refusal:
		a.text(b.Text, b.Cache)
	case llm.Image, llm.Document:
		if err := a.media(&b); err != nil {
			return err
		}
		a.add(b)
	case llm.ToolResult:
		return a.result(b)
	case llm.Audio:
		return errAudio()
	case llm.Thinking, llm.Redacted:
		a.c.Lose("messages: reasoning in a user message")
	default:
		return llm.Invalid("messages", "a tool call stands in a message of the user")
	}
	return nil
}

func (a *arranger) assistant(b llm.Block) *llm.Error {
	switch b.Kind {
	case llm.Text, llm.Refusal:
		a.text(b.Text, b.Cache)
	case llm.Thinking, llm.Redacted:
		a.thought(b)
	case llm.ToolCall:
		a.call(b)
	case llm.Image, llm.Document: // taken in user turns only
		a.c.Lose("messages: an image or document in a message of the assistant")
		a.text("[an image or document]", b.Cache)
	case llm.Audio:
		return errAudio()
	default:
		return llm.Invalid("messages", "a tool result stands in a message of the assistant")
	}
	return nil
}

// thought adds reasoning that may go back: what this provider signed, or what
// nobody signs, to a model that wants it.
func (a *arranger) thought(b llm.Block) {
	switch {
	case b.Opaque != "" && a.c.Owns(name, b.Origin, b.Opaque):
		a.add(b)
	case b.Kind == llm.Thinking && b.Opaque == "" && b.Text != "" && a.c.Model.Flags.Has(llm.FlagReasoningHistory):
		a.add(b)
	case b.Text != "" || b.Opaque != "":
		a.c.Lose("messages: earlier reasoning")
	}
}

func errAudio() *llm.Error {
	return llm.Invalid("messages", "audio cannot be sent to Bedrock's Converse: choose another provider for audio, or send a transcript")
}

func (a *arranger) call(b llm.Block) {
	if b.Opaque != "" && !a.c.Owns(name, b.Origin, b.Opaque) {
		a.c.Lose("messages: earlier reasoning")
	}
	id, known := a.newID(b.ID), a.names.to(b.Name)
	c := &call{id: id, name: known}
	a.pending[b.ID] = c
	b.ID, b.Name = id, known
	a.add(b)
	t := &a.turns[len(a.turns)-1]
	t.calls = append(t.calls, c)
}

// newID makes a call's id fit what Bedrock takes and unlike all earlier ones.
// Claude takes fewer characters than others, whose own ids must stay as they
// are (functions.f:0 of Kimi).
func (a *arranger) newID(id string) string {
	flags := a.c.Model.Flags
	if flags.Has(llm.FlagThinkingBudget) || flags.Has(llm.FlagThinkingAdaptive) {
		id = safe(id, "_-")
	} else {
		id = safe(id, "_-.:")
	}
	if id == "" {
		id = "call"
	}
	if len(id) > maxID {
		id = shorten(id, maxID)
	}
	free := id
	for n := 2; a.ids[free]; n++ {
		suffix := "_" + strconv.Itoa(n)
		free = id[:min(len(id), maxID-len(suffix))] + suffix
	}
	a.ids[free] = true
	return free
}

// shorten cuts a name and tells it from others that begin alike.
func shorten(s string, most int) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash's Write returns no error
	return fmt.Sprintf("%s_%08x", s[:most-9], h.Sum32())
}

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
		case llm.Image:
			if a.c.Model.Flags.Has(llm.FlagNoVision) {
				a.c.Lose("messages: images in tool results; this model sees none")
				part = llm.Block{Kind: llm.Text, Text: "[an image that this model cannot see]"}
				break
			}
			if err := a.media(&part); err != nil {
				return err
			}
		case llm.Document:
			if err := a.media(&part); err != nil {
				return err
			}
		case llm.Audio:
			return errAudio()
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
	if n := len(a.turns); n < 2 || !slices.Contains(a.turns[n-2].calls, c) {
		a.c.Lose("messages: a tool result was moved to the turn after its call")
	}
	b.ID = c.id
	c.result = &b
	return nil
}

// placeResults gives each turn of calls its results, first in the next turn
// and in the order of the calls. Turns alternate already.
func (a *arranger) placeResults() {
	for i := 0; i < len(a.turns); i++ {
		calls := a.turns[i].calls
		if len(calls) == 0 {
			continue
		}
		if i+1 == len(a.turns) {
			a.turns = append(a.turns, turn{role: llm.User})
		}
		next := &a.turns[i+1]
		blocks := make([]llm.Block, 0, len(calls)+len(next.blocks))
		for _, c := range calls {
			if c.result == nil {
				a.c.Lose("messages: a tool call without a result was given an error for one")
				c.result = &llm.Block{
					Kind: llm.ToolResult, ID: c.id, Failed: true,
					Content: []llm.Block{{Kind: llm.Text, Text: noResultText}},
				}
			}
			blocks = append(blocks, *c.result)
		}
		next.blocks = append(blocks, next.blocks...)
	}
}

// settle drops what is empty and joins the neighbours that this leaves. A
// document does not stand without text beside it.
func (a *arranger) settle() {
	kept := a.turns[:0]
	for _, t := range a.turns {
		if t.role == llm.Assistant {
			for n := len(t.blocks); n > 0 && thought(t.blocks[n-1]); n-- { // Claude refuses a turn that ends in thinking
				t.blocks = t.blocks[:n-1]
				a.c.Lose("messages: earlier reasoning")
			}
		}
		if len(t.blocks) == 0 {
			continue
		}
		if n := len(kept); n > 0 && kept[n-1].role == t.role {
			kept[n-1].blocks = append(kept[n-1].blocks, t.blocks...)
			kept[n-1].calls = append(kept[n-1].calls, t.calls...)
			continue
		}
		kept = append(kept, t)
	}
	a.turns = kept
	is := func(kind llm.BlockKind) func(llm.Block) bool { return func(b llm.Block) bool { return b.Kind == kind } }
	for i := range a.turns {
		t := &a.turns[i]
		if at := slices.IndexFunc(t.blocks, is(llm.Document)); at >= 0 && !slices.ContainsFunc(t.blocks, is(llm.Text)) {
			t.blocks = slices.Insert(t.blocks, at, llm.Block{Kind: llm.Text, Text: documentText})
		}
	}
}

func thought(b llm.Block) bool { return b.Kind == llm.Thinking || b.Kind == llm.Redacted }

// endTurns settles both ends of the conversation: the user begins it, and the
// assistant's start of an answer ends it only where a model goes on from there.
func (e *encoder) endTurns() *llm.Error {
	if n := len(e.turns); n > 0 && e.turns[n-1].role == llm.Assistant {
		switch {
		case e.c.Model.Flags.Has(llm.FlagNoPrefill):
			e.c.Lose("messages: the last one, of the assistant; this model does not continue one")
			e.turns = e.turns[:n-1]
		case e.schema != nil || e.choice.forced():
			e.c.Lose("messages: the last one, of the assistant; it cannot be continued with this format or tool choice")
			e.turns = e.turns[:n-1]
		default:
			last := &e.turns[n-1].blocks[len(e.turns[n-1].blocks)-1]
			last.Text = strings.TrimRight(last.Text, " \t\r\n") // or it is refused
		}
	}
	if len(e.turns) == 0 || e.turns[0].role != llm.User {
		begin := turn{role: llm.User, blocks: []llm.Block{{Kind: llm.Text, Text: beginText}}}
		e.turns = append([]turn{begin}, e.turns...)
	}
	return nil
}

// prefilled tells that the model shall go on from the assistant's own words.
func (e *encoder) prefilled() bool { return e.turns[len(e.turns)-1].role == llm.Assistant }
