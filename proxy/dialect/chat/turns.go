package chat

import (
	"encoding/json"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// messages writes the system message and every turn.
func (e *encoder) messages() error {
	e.key("messages")
	e.system()
	for i := range e.p.Messages {
		m := &e.p.Messages[i]
		last := i == len(e.p.Messages)-1
		if m.Role != llm.User {
			e.flush()
		}
		var err error
		switch m.Role {
		case llm.Assistant:
			if last && e.flags.Has(llm.FlagNoPrefill) && !hasKind(m.Blocks, llm.ToolCall) { // A21
				e.c.Lose("messages: this model takes no assistant message at the end")
				continue
			}
			err = e.assistant(m)
		case llm.System: // stays in its place, so that the cached prefix does (C11)
			e.open("system", m.Name)
			e.content(joined(m.Blocks), m.Blocks)
			e.buf = append(e.buf, '}')
		default:
			err = e.user(m)
		}
		if err != nil {
			return err
		}
	}
	e.flush()
	if !e.wrote {
		e.buf = append(e.buf, '[')
	}
	e.buf = append(e.buf, ']')
	return nil
}

func (e *encoder) system() {
	s := e.instructions()
	if s == "" {
		return
	}
	marked := false
	for i := range e.p.System {
		marked = marked || e.p.System[i].Cache != ""
	}
	e.open("system", "")
	if marked && e.flags.Has(llm.FlagCacheControl) && e.p.Format.Kind != llm.FormatSchema {
		e.content("", e.p.System)
	} else {
		if marked {
			e.c.Lose("cache_control")
		}
		e.str("content", s)
	}
	e.buf = append(e.buf, '}')
}

// open begins a message.
func (e *encoder) open(role, user string) {
	sep := byte('[')
	if e.wrote {
		sep = ','
	}
	e.wrote = true
	e.buf = append(append(append(e.buf, sep), `{"role":"`...), role...)
	e.buf = append(e.buf, '"')
	if user != "" {
		e.str("name", user)
	}
}

// content writes text: one string, or parts if some carry a cache mark that
// the provider takes.
func (e *encoder) content(s string, blocks []llm.Block) {
	marked := false
	for i := range blocks {
		marked = marked || blocks[i].Cache != ""
	}
	if !marked || !e.flags.Has(llm.FlagCacheControl) {
		if marked {
			e.c.Lose("cache_control")
		}
		e.str("content", s)
		return
	}
	e.key("content")
	sep := byte('[')
	for i := range blocks {
		if blocks[i].Kind == llm.Text {
			e.buf = append(e.buf, sep)
			e.text(&blocks[i])
			sep = ','
		}
	}
	if sep == '[' {
		e.buf = append(e.buf, sep)
	}
	e.buf = append(e.buf, ']')
}

func (e *encoder) text(b *llm.Block) {
	e.buf = sse.AppendString(append(e.buf, `{"type":"text","text":`...), b.Text)
	e.cache(b.Cache)
	e.buf = append(e.buf, '}')
}

// joined is the text of a message's text blocks.
func joined(blocks []llm.Block) string {
	s, n := "", 0
	for i := range blocks {
		if blocks[i].Kind == llm.Text {
			if n++; n == 1 {
				s = blocks[i].Text
			} else {
				s += blocks[i].Text
			}
		}
	}
	return s
}

func hasKind(blocks []llm.Block, kind llm.BlockKind) bool {
	for i := range blocks {
		if blocks[i].Kind == kind {
			return true
		}
	}
	return false
}

// assistant writes a turn of the model.
func (e *encoder) assistant(m *llm.Message) error {
	e.open("assistant", m.Name)
	calls := hasKind(m.Blocks, llm.ToolCall)
	if s := joined(m.Blocks); s != "" || !calls && !hasKind(m.Blocks, llm.Refusal) {
		e.content(s, m.Blocks)
	} else {
		e.buf = append(e.buf, `,"content":null`...)
	}
	e.thought(m.Blocks)
	n := 0
	for i := range m.Blocks {
		b := &m.Blocks[i]
		switch b.Kind {
		case llm.Text, llm.Thinking, llm.Redacted:
		case llm.Refusal:
			e.str("refusal", b.Text)
		case llm.ToolCall:
			if n++; n == 1 {
				e.key("tool_calls")
				e.buf = append(e.buf, '[')
			} else {
				e.buf = append(e.buf, ',')
			}
			e.call(b)
		default:
			e.c.Lose("messages: images and files of assistant turns")
		}
	}
	if n > 0 {
		e.buf = append(e.buf, ']')
	}
	e.buf = append(e.buf, '}')
	return nil
}

func (e *encoder) call(b *llm.Block) {
	e.buf = sse.AppendString(append(e.buf, `{"id":`...), b.ID)
	if e.isCustom(b.Name) {
		e.buf = append(e.buf, `,"type":"custom","custom":{"name":`...)
		e.buf = sse.AppendString(e.buf, e.rename(b.Name))
		e.str("input", llm.InputText(b.Text))
	} else {
		e.buf = append(e.buf, `,"type":"function","function":{"name":`...)
		e.buf = sse.AppendString(e.buf, e.rename(b.Name))
		args := b.Text
		if args == "" {
			args = "{}"
		}
		e.str("arguments", args)
	}
	e.buf = append(e.buf, '}')
	if e.c.Owns(name, b.Origin, b.Opaque) && len(b.Opaque) > 2 && b.Opaque[0] == '{' && json.Valid([]byte(b.Opaque)) {
		e.buf = append(append(e.buf, ','), b.Opaque[1:len(b.Opaque)-1]...)
	}
	e.buf = append(e.buf, '}')
}

// thought sends reasoning back to the dialect whose providers made it. Other
// dialects' providers made data that nobody here can read; their text goes
// only to who asks for it.
func (e *encoder) thought(blocks []llm.Block) {
	history := e.flags.Has(llm.FlagReasoningHistory)
	var said, details []byte
	for i := range blocks {
		b := &blocks[i]
		if b.Kind != llm.Thinking && b.Kind != llm.Redacted {
			continue
		}
		// Text alone, of no named provider, may be anybody's.
		own := b.Origin == e.c.Origin(name) || b.Opaque != "" && e.c.Owns(name, b.Origin, b.Opaque)
		if !own && (!history || b.Kind == llm.Redacted) {
			e.c.Lose("reasoning of earlier turns")
			continue
		} else if own && b.Opaque != "" {
			details = unwrapDetail(comma(details), b.Text, b.Opaque)
		}
		said = append(said, b.Text...)
	}
	if len(said) > 0 {
		e.str("reasoning_content", string(said))
	}
	if len(details) > 0 {
		e.key("reasoning_details")
		e.buf = append(append(append(e.buf, '['), details...), ']')
	}
}
