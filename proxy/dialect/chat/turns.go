package chat

import (
	"encoding/json"
	"slices"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// messages writes the system message and every turn.
func (e *encoder) messages() error {
	e.Key("messages")
	e.system()
	for i := 0; i < len(e.Prompt.Messages); i++ {
		m, more := calling(e.Prompt.Messages[i:])
		i += more
		last := i == len(e.Prompt.Messages)-1
		if m.Role != llm.User {
			e.flush()
		}
		var err error
		switch m.Role {
		case llm.Assistant:
			if last && e.Flags.Has(llm.FlagNoPrefill) && !openai.Has(m.Blocks, llm.ToolCall) { // A21
				e.Call.Lose("messages: this model takes no assistant message at the end")
				continue
			}
			err = e.assistant(m, last)
		case llm.System:
			e.open(e.later(), m.Name)
			e.content(openai.Joined(m.Blocks), m.Blocks)
			e.Buf = append(e.Buf, '}')
		default:
			err = e.user(m)
		}
		if err != nil {
			return err
		}
	}
	e.flush()
	if !e.wrote {
		e.Buf = append(e.Buf, '[')
	}
	e.Buf = append(e.Buf, ']')
	return nil
}

// calling is the first message, with all that the model said and called before
// the results come: they must follow the message that holds the calls.
func calling(all []llm.Message) (m *llm.Message, more int) {
	m = &all[0]
	for m.Role == llm.Assistant && openai.Has(m.Blocks, llm.ToolCall) && more+1 < len(all) && all[more+1].Role == llm.Assistant {
		more++
		m = &llm.Message{Role: m.Role, Name: m.Name, Blocks: slices.Concat(m.Blocks, all[more].Blocks)}
	}
	return m, more
}

func (e *encoder) system() {
	s := e.Instructions()
	if s == "" {
		return
	}
	marked := false
	for i := range e.Prompt.System {
		marked = marked || e.Prompt.System[i].Cache != ""
	}
	e.open("system", "")
	if marked && e.Flags.Has(llm.FlagCacheControl) && e.Prompt.Format.Kind == llm.FormatText {
		e.content("", e.Prompt.System)
	} else {
		if marked {
			e.Call.Lose("cache_control")
		}
		e.Str("content", s)
	}
	e.Buf = append(e.Buf, '}')
}

// open begins a message.
func (e *encoder) open(role, user string) {
	sep := byte('[')
	if e.wrote {
		sep = ','
	}
	e.wrote, e.role = true, role
	e.Buf = append(append(append(e.Buf, sep), `{"role":"`...), role...)
	e.Buf = append(e.Buf, '"')
	switch {
	case user == "":
	case e.mistral():
		e.Call.Lose("messages: name")
	default:
		e.Str("name", user)
	}
}

// content writes text: one string, or parts if some carry a cache mark that
// the provider takes.
func (e *encoder) content(s string, blocks []llm.Block) {
	marked := false
	for i := range blocks {
		marked = marked || blocks[i].Cache != ""
	}
	if !marked || !e.Flags.Has(llm.FlagCacheControl) {
		if marked {
			e.Call.Lose("cache_control")
		}
		e.Str("content", s)
		return
	}
	e.Key("content")
	sep := byte('[')
	for i := range blocks {
		if blocks[i].Kind == llm.Text {
			e.Buf = append(e.Buf, sep)
			e.text(&blocks[i])
			sep = ','
		}
	}
	if sep == '[' {
		e.Buf = append(e.Buf, sep)
	}
	e.Buf = append(e.Buf, ']')
}

func (e *encoder) text(b *llm.Block) {
	e.Buf = sse.AppendString(append(e.Buf, `{"type":"text","text":`...), b.Text)
	e.cache(b.Cache)
	e.Buf = append(e.Buf, '}')
}

// assistant writes a turn of the model; the last one is to be continued.
func (e *encoder) assistant(m *llm.Message, last bool) error {
	if e.mistral() {
		m = spoken(m)
	}
	e.open("assistant", m.Name)
	calls := openai.Has(m.Blocks, llm.ToolCall)
	if s := openai.Joined(m.Blocks); s != "" || !calls && !openai.Has(m.Blocks, llm.Refusal) {
		e.content(s, m.Blocks)
	} else {
		e.Buf = append(e.Buf, `,"content":null`...)
	}
	e.thought(m.Blocks)
	n := 0
	for i := range m.Blocks {
		b := &m.Blocks[i]
		switch b.Kind {
		case llm.Text, llm.Thinking, llm.Redacted:
		case llm.Refusal:
			e.Str("refusal", b.Text)
		case llm.ToolCall:
			if n++; n == 1 {
				e.Key("tool_calls")
				e.Buf = append(e.Buf, '[')
			} else {
				e.Buf = append(e.Buf, ',')
			}
			e.call(b)
		default:
			e.Call.Lose("messages: images and files of assistant turns")
		}
	}
	if n > 0 {
		e.Buf = append(e.Buf, ']')
	}
	if last && n == 0 && e.mistral() {
		e.Bool("prefix", true)
	}
	e.Buf = append(e.Buf, '}')
	return nil
}

func (e *encoder) call(b *llm.Block) {
	e.Buf = sse.AppendString(append(e.Buf, `{"id":`...), e.id(b.ID))
	if e.isCustom(b.Name) {
		e.Buf = append(e.Buf, `,"type":"custom","custom":{"name":`...)
		e.Buf = sse.AppendString(e.Buf, e.Rename(b.Name))
		e.Str("input", llm.InputText(b.Text))
	} else {
		e.Buf = append(e.Buf, `,"type":"function","function":{"name":`...)
		e.Buf = sse.AppendString(e.Buf, e.Rename(b.Name))
		args := b.Text
		if args == "" {
			args = "{}"
		}
		e.Str("arguments", args)
	}
	e.Buf = append(e.Buf, '}')
	if e.Call.Owns(name, b.Origin, b.Opaque) && len(b.Opaque) > 2 && b.Opaque[0] == '{' && json.Valid([]byte(b.Opaque)) {
		e.Buf = append(append(e.Buf, ','), b.Opaque[1:len(b.Opaque)-1]...)
	}
	e.Buf = append(e.Buf, '}')
}

// thought sends reasoning back to the dialect whose providers made it. Other
// dialects' providers made data that nobody here can read; their text goes
// only to who asks for it.
func (e *encoder) thought(blocks []llm.Block) {
	history := e.Flags.Has(llm.FlagReasoningHistory)
	var said, details []byte
	for i := range blocks {
		b := &blocks[i]
		if b.Kind != llm.Thinking && b.Kind != llm.Redacted {
			continue
		}
		// Text alone, of no named provider, may be anybody's.
		own := b.Origin == e.Call.Origin(name) || b.Opaque != "" && e.Call.Owns(name, b.Origin, b.Opaque)
		if e.mistral() || !own && (!history || b.Kind == llm.Redacted) {
			e.Call.Lose("reasoning of earlier turns")
			continue
		} else if own && b.Opaque != "" {
			details = unwrapDetail(comma(details), b.Text, b.Opaque)
		}
		said = append(said, b.Text...)
	}
	if len(said) > 0 {
		e.Str("reasoning_content", string(said))
	}
	if len(details) > 0 {
		e.Key("reasoning_details")
		e.Buf = append(append(append(e.Buf, '['), details...), ']')
	}
}

// maxID is how long OpenAI takes the id of a tool call.
const maxID = 40

// id is the provider's form of a tool call's id, in calls and results alike.
func (e *encoder) id(client string) string {
	if e.mistral() {
		return openai.NineID(client)
	}
	return openai.Short(client, maxID)
}
