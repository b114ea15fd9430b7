// Package turns is what the dialects share whose conversations are turns of
// blocks: Anthropic's Messages, and Bedrock's Converse, which was made after
// it. Each of them knows its own wire; what both providers ask of a
// conversation, and how their answers grow block by block, stands here.
//
// On the way out, [NewNames] fits the names of tools, [Arrange] sorts a prompt
// into a [Conversation], and its methods settle what depends on its turns. On
// the way in, an [Answer] turns blocks into events.
package turns

import (
	"strings"

	"keytray/proxy/llm"
)

// Rules are what a provider asks of a conversation, beyond turns that
// alternate.
type Rules struct {
	Dialect  string   // whose opaque data may go back; see [llm.Call.Owns]
	Provider string   // its name, for errors
	Deaf     string   // what to say of a sound, which neither takes
	IDs      Alphabet // of calls
	// Unsigned is set where thinking that nobody signed is wanted back too.
	Unsigned bool
	// Media makes an image or a document fit to be sent, or refuses it: what
	// is one of the two in words. It has data or a URL.
	Media func(b *llm.Block, what string) *llm.Error
}

// A Conversation is a prompt as the provider wants it: the user's turn comes
// first, and the results of all calls stand at the start of the user's turn
// that follows them.
type Conversation struct {
	System []llm.Block // all instructions
	Turns  []Turn      // roles alternate
	c      *llm.Call
}

// A Turn is one message.
type Turn struct {
	Role   llm.Role
	Blocks []llm.Block
	Calls  []*Call // among its blocks
}

// A Call is one of a tool, with its result, wherever that was found.
type Call struct {
	ID, Name string // the provider's
	result   *llm.Block
}

// Arrange sorts a prompt's messages into turns, and all instructions into the
// system prompt. Tools must have their names already.
func Arrange(c *llm.Call, p *llm.Prompt, names *Names, rules Rules) (*Conversation, *llm.Error) {
	a := arranger{
		Conversation: &Conversation{c: c}, rules: rules, names: names,
		pending: map[string]*Call{}, ids: map[string]bool{},
	}
	for i := range p.System {
		a.Instruct(p.System[i])
	}
	for i := range p.Messages {
		if err := a.message(&p.Messages[i]); err != nil {
			return nil, err
		}
	}
	a.placeResults()
	a.settle()
	return a.Conversation, nil
}

// Instruct adds to the system prompt, if b is text that is not blank.
func (v *Conversation) Instruct(b llm.Block) {
	if b.Kind == llm.Text && strings.TrimSpace(b.Text) != "" {
		v.System = append(v.System, b)
	}
}

type arranger struct {
	*Conversation
	rules   Rules
	names   *Names
	pending map[string]*Call // by the client's id: the last call that had it
	ids     map[string]bool  // ids in use toward the provider
}

func (a *arranger) message(m *llm.Message) *llm.Error {
	if m.Name != "" {
		a.c.Lose("messages[].name")
	}
	if m.Role == llm.System {
		if len(a.Turns) > 0 {
			a.c.Lose("messages: a system message in mid-conversation went to the front")
		}
		for i := range m.Blocks {
			a.Instruct(m.Blocks[i])
		}
		return nil
	}
	if m.Role != llm.User && m.Role != llm.Assistant {
		return llm.Invalid("messages", "a message of role %q cannot be sent to %s", m.Role, a.rules.Provider)
	}
	if n := len(a.Turns); n == 0 || a.Turns[n-1].Role != m.Role {
		a.Turns = append(a.Turns, Turn{Role: m.Role})
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
	t := &a.Turns[len(a.Turns)-1]
	t.Blocks = append(t.Blocks, b)
}

// text adds text that is not blank, which is refused (A10).
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
		b, err := a.media(b)
		if err != nil {
			return err
		}
		a.add(b)
	case llm.ToolResult:
		return a.result(b)
	case llm.Audio:
		return a.deaf()
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
		return a.deaf()
	default:
		return llm.Invalid("messages", "a tool result stands in a message of the assistant")
	}
	return nil
}

func (a *arranger) deaf() *llm.Error { return llm.Invalid("messages", "%s", a.rules.Deaf) }

// thought adds reasoning that may go back: what this provider signed, or what
// nobody signs, to a model that wants it.
func (a *arranger) thought(b llm.Block) {
	switch {
	case b.Opaque != "" && a.c.Owns(a.rules.Dialect, b.Origin, b.Opaque):
		a.add(b)
	case a.rules.Unsigned && b.Kind == llm.Thinking && b.Opaque == "" && b.Text != "":
		a.add(b)
	case b.Text != "" || b.Opaque != "":
		a.c.Lose("messages: earlier reasoning")
	}
}

// IsThought tells reasoning from what was said.
func IsThought(b llm.Block) bool { return b.Kind == llm.Thinking || b.Kind == llm.Redacted }

func (a *arranger) call(b llm.Block) {
	if b.Opaque != "" && !a.c.Owns(a.rules.Dialect, b.Origin, b.Opaque) {
		a.c.Lose("messages: earlier reasoning")
	}
	c := &Call{ID: a.rules.IDs.Free(b.ID, a.ids), Name: a.names.To(b.Name)}
	a.pending[b.ID] = c
	b.ID, b.Name = c.ID, c.Name
	a.add(b)
	t := &a.Turns[len(a.Turns)-1]
	t.Calls = append(t.Calls, c)
}

// Called are the names of the tools that were called, each once.
func (v *Conversation) Called() []string {
	var names []string
	seen := map[string]bool{}
	for i := range v.Turns {
		for _, c := range v.Turns[i].Calls {
			if !seen[c.Name] {
				seen[c.Name] = true
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// Size guesses how many bytes the conversation takes on the wire.
func (v *Conversation) Size() int {
	n := 0
	count := func(blocks []llm.Block) {
		for i := range blocks {
			n += len(blocks[i].Text) + len(blocks[i].Media.Data) + len(blocks[i].Opaque) + 128
			for k := range blocks[i].Content {
				n += len(blocks[i].Content[k].Text) + len(blocks[i].Content[k].Media.Data) + 128
			}
		}
	}
	count(v.System)
	for i := range v.Turns {
		count(v.Turns[i].Blocks)
	}
	return n
}
