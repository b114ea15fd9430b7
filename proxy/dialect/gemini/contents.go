package gemini

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/llm"
)

// bypass is the signature for calls that no Gemini made, base64 of
// "skip_thought_signature_validator": the Gemini API takes that text plain or
// encoded, Vertex only encoded (E2). Models that check nothing ignore it.
const (
	bypass      = "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
	bypassPlain = "skip_thought_signature_validator"
)

// turns builds the contents: roles alternate, and the responses to a model's
// calls come first in the user turn after them, all of them and in the order
// of the calls, as Google demands.
type turns struct {
	*encoder
	out     []content
	open    []*call // calls not yet answered, in order
	answers []answer
	rest    []part // of the user turn that is being collected
	ids     map[string]int
	made    int
}

type call struct {
	order  int
	id     string // as sent
	client string // as the client had it
	name   string // the client's
}

type answer struct {
	order int
	parts []part
}

// contents is the conversation; first comes before it, as the user's.
func (e *encoder) contents(first []part) ([]content, error) {
	t := turns{encoder: e, ids: map[string]int{}, rest: first}
	for i, m := range e.p.Messages {
		e.lose(m.Name != "", "messages: name")
		if m.Role == llm.System {
			e.c.Lose("messages: a system message in mid-conversation went as the user's")
		}
		param := fmt.Sprintf("messages[%d]", i)
		for _, b := range m.Blocks {
			e.lose(b.Cache != "", "cache_control")
			var err error
			if m.Role == llm.Assistant {
				err = t.model(b, param)
			} else {
				err = t.user(b, param)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if n := len(t.out); n > 0 && len(t.open)+len(t.answers)+len(t.rest) == 0 && e.c.Model.Flags.Has(llm.FlagNoPrefill) { // A21
		t.out = t.out[:n-1]
		e.c.Lose("messages: the last one, of the assistant, which this model would not continue")
	}
	t.flush(true)
	return t.out, nil
}

// model adds a block of the assistant's.
func (t *turns) model(b llm.Block, param string) error {
	t.flush(false)
	p := part{}
	ours := t.c.Owns("gemini", b.Origin, b.Opaque)
	if ours {
		p.ThoughtSignature = b.Opaque
	}
	switch b.Kind {
	case llm.Text, llm.Refusal:
		if b.Text == "" && p.ThoughtSignature == "" {
			return nil
		}
		p.Text = &b.Text
	case llm.Thinking, llm.Redacted:
		// Thoughts need not go back, signatures must. A thinking block without
		// text is where the decoder put a signature that had no other place.
		if p.ThoughtSignature == "" {
			t.lose(!ours && (b.Text != "" || b.Opaque != ""), "messages: earlier reasoning")
			return nil
		}
		p.Text, p.Thought = &b.Text, b.Text != ""
	case llm.ToolCall:
		p.FunctionCall = t.called(b)
		if p.ThoughtSignature == "" && !t.calling() {
			p.ThoughtSignature = bypass
		}
	case llm.Image, llm.Document, llm.Audio:
		var err error
		if p, err = t.media(b, param); err != nil {
			return err
		}
	case llm.ToolResult:
		return llm.Invalid(param, "a tool result stands in a message of the assistant")
	}
	t.add("model", p)
	return nil
}

// calling tells whether the model turn at the end already has a call: of
// parallel calls only the first is signed.
func (t *turns) calling() bool {
	if len(t.out) == 0 || t.out[len(t.out)-1].Role != "model" {
		return false
	}
	return slices.ContainsFunc(t.out[len(t.out)-1].Parts, func(p part) bool { return p.FunctionCall != nil })
}

// called notes a call that waits for its result. Ids stay distinct even where
// the client's were not (E9).
func (t *turns) called(b llm.Block) *functionCall {
	c := &call{order: t.made, id: b.ID, client: b.ID, name: b.Name}
	t.made++
	if b.ID != "" {
		if t.ids[b.ID]++; t.ids[b.ID] > 1 {
			c.id = fmt.Sprintf("%s_%d", b.ID, t.ids[b.ID])
		}
	}
	t.open = append(t.open, c)
	return &functionCall{ID: c.id, Name: t.names.to(b.Name), Args: t.arguments(b.Text)}
}

// answered finds the call that a result belongs to: by id, else by name, else
// (results that say neither) the oldest, first in, first out (E8, E9).
func (t *turns) answered(b llm.Block) *call {
	i := -1
	if b.ID != "" {
		i = slices.IndexFunc(t.open, func(c *call) bool { return c.client == b.ID })
	}
	if i < 0 && b.Name != "" {
		i = slices.IndexFunc(t.open, func(c *call) bool { return c.name == b.Name })
	}
	if i < 0 && b.ID == "" && b.Name == "" && len(t.open) > 0 {
		i = 0
	}
	if i < 0 {
		return nil
	}
	c := t.open[i]
	t.open = slices.Delete(t.open, i, i+1)
	return c
}

// user adds a block of the user's, or of the system's in mid-conversation.
func (t *turns) user(b llm.Block, param string) error {
	switch b.Kind {
	case llm.Text, llm.Refusal, llm.Thinking:
		if b.Text != "" {
			t.rest = append(t.rest, part{Text: &b.Text})
		}
	case llm.Image, llm.Document, llm.Audio:
		p, err := t.media(b, param)
		if err != nil {
			return err
		}
		t.rest = append(t.rest, p)
	case llm.ToolResult:
		return t.result(b, param)
	case llm.ToolCall:
		return llm.Invalid(param, "a tool call stands in a message of the user")
	case llm.Redacted:
		t.c.Lose("messages: earlier reasoning")
	}
	return nil
}

func (t *turns) result(b llm.Block, param string) error {
	var texts []string
	var media []part
	for _, b := range b.Content {
		switch b.Kind {
		case llm.Image, llm.Document, llm.Audio:
			if b.Kind == llm.Image && t.c.Model.Flags.Has(llm.FlagNoVision) { // C3
				t.c.Lose("messages: images in tool results; this model sees none")
				texts = append(texts, "[an image, left out: this model cannot see it]")
				continue
			}
			p, err := t.media(b, param)
			if err != nil {
				return err
			}
			media = append(media, p)
		default:
			if b.Text != "" {
				texts = append(texts, b.Text)
			}
		}
	}
	said := strings.Join(texts, "\n")
	c := t.answered(b)
	if c == nil {
		t.c.Lose("messages: a tool result without its call went as text")
		said = strings.TrimSpace(fmt.Sprintf("Result of the tool %s: %s", b.Name, said))
		t.rest = append(append(t.rest, part{Text: &said}), media...)
		return nil
	}
	r := &functionResponse{ID: c.id, Name: t.names.to(c.name), Response: response(said, b.Failed)}
	a := answer{order: c.order, parts: []part{{FunctionResponse: r}}}
	if t.c.Model.Flags.Has(llm.FlagToolMedia) { // E21
		r.Parts = media
	} else {
		a.parts = append(a.parts, media...)
	}
	t.answers = append(t.answers, a)
	return nil
}

// response wraps what a tool said: an object goes as it is, all else as text.
func response(said string, failed bool) json.RawMessage {
	key := `{"output":`
	if failed {
		key = `{"error":`
	} else if b := []byte(said); isObject(b) {
		return b
	}
	return append(text([]byte(key), said), '}')
}

// flush closes the user turn that is being collected, if there is one. Calls
// that got no result are told so, or Google would refuse the conversation.
func (t *turns) flush(end bool) {
	if !end && len(t.answers)+len(t.rest) == 0 {
		return
	}
	for _, c := range t.open {
		t.c.Lose("messages: a tool call without a result was given an error for one")
		r := &functionResponse{ID: c.id, Name: t.names.to(c.name), Response: response("no result", true)}
		t.answers = append(t.answers, answer{c.order, []part{{FunctionResponse: r}}})
	}
	t.open = nil
	slices.SortStableFunc(t.answers, func(a, b answer) int { return cmp.Compare(a.order, b.order) })
	for _, a := range t.answers {
		t.add("user", a.parts...)
	}
	t.add("user", t.rest...)
	t.answers, t.rest = nil, nil
	calls := func(p part) bool { return p.FunctionCall != nil }
	if end && (len(t.out) == 0 || t.out[0].Role == "model" && slices.ContainsFunc(t.out[0].Parts, calls)) {
		// Google wants a turn (A2), and calls to follow one of the user's.
		t.out = slices.Insert(t.out, 0, content{Role: "user", Parts: []part{{Text: new(string)}}})
	}
}

// add appends parts to the turn of role, merging neighbours.
func (t *turns) add(role string, parts ...part) {
	if len(parts) == 0 {
		return
	}
	if n := len(t.out); n > 0 && t.out[n-1].Role == role {
		t.out[n-1].Parts = append(t.out[n-1].Parts, parts...)
		return
	}
	t.out = append(t.out, content{Role: role, Parts: parts})
}
