package responses

import (
	"strings"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// conversation writes the instructions and every turn as items.
func (e *encoder) conversation() error {
	said := e.instructions()
	if said != "" && len(e.p.Messages) > 0 {
		e.str("instructions", said)
	}
	e.key("input")
	e.buf = append(e.buf, '[')
	if len(e.p.Messages) == 0 { // there must be some input
		e.words(e.developer(), said)
	}
	for i := range e.p.Messages {
		m := &e.p.Messages[i]
		var err error
		switch m.Role {
		case llm.Assistant:
			if i == len(e.p.Messages)-1 && e.flags.Has(llm.FlagNoPrefill) && !hasCall(m.Blocks) { // A21
				e.c.Lose("messages: this model takes no assistant message at the end")
				continue
			}
			err = e.assistant(m)
		case llm.System: // stays in its place, so that the cached prefix does (C11)
			e.words(e.developer(), joined(m.Blocks))
			for k := range m.Blocks {
				e.cacheOff(&m.Blocks[k])
			}
		default:
			err = e.user(m)
		}
		if err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

func (e *encoder) developer() string {
	if e.flags.Has(llm.FlagSystemRole) {
		return "system"
	}
	return "developer"
}

func hasCall(blocks []llm.Block) bool {
	for i := range blocks {
		if blocks[i].Kind == llm.ToolCall {
			return true
		}
	}
	return false
}

// cacheOff names a cache mark: the provider finds what to cache by itself.
func (e *encoder) cacheOff(b *llm.Block) {
	if b.Cache != "" {
		e.c.Lose("cache_control")
	}
}

// item begins an item.
func (e *encoder) item(kind string) {
	if e.wrote {
		e.buf = append(e.buf, ',')
	}
	e.wrote = true
	e.buf = append(append(append(e.buf, `{"type":"`...), kind...), '"')
}

// words writes a message that is one text.
func (e *encoder) words(role, s string) {
	e.item("message")
	e.str("role", role)
	e.str("content", s)
	e.buf = append(e.buf, '}')
}

func joined(blocks []llm.Block) string {
	var b strings.Builder
	for i := range blocks {
		if blocks[i].Kind == llm.Text {
			b.WriteString(blocks[i].Text)
		}
	}
	return b.String()
}

// assistant writes what a model made, each thing as an item of its own.
func (e *encoder) assistant(m *llm.Message) error {
	for i := 0; i < len(m.Blocks); i++ {
		b := &m.Blocks[i]
		if b.Opaque != "" && b.Kind != llm.Thinking && b.Kind != llm.Redacted { // this API has no place for it
			e.c.Lose("reasoning of earlier turns")
		}
		switch b.Kind {
		case llm.Text, llm.Refusal:
			last := i
			for last+1 < len(m.Blocks) && (m.Blocks[last+1].Kind == llm.Text || m.Blocks[last+1].Kind == llm.Refusal) {
				last++
			}
			e.said(m.Blocks[i : last+1])
			i = last
		case llm.Thinking, llm.Redacted:
			e.thought(b)
		case llm.ToolCall:
			e.call(b)
		default:
			e.c.Lose("messages: images and files of assistant turns")
		}
	}
	return nil
}

// said writes a message of the model's. Text alone is a string, which needs no
// id of the provider's.
func (e *encoder) said(blocks []llm.Block) {
	refused, empty := false, true
	for i := range blocks {
		refused = refused || blocks[i].Kind == llm.Refusal
		empty = empty && blocks[i].Text == ""
		e.cacheOff(&blocks[i])
	}
	if empty {
		return
	}
	if !refused {
		e.words("assistant", joined(blocks))
		return
	}
	e.item("message")
	e.str("role", "assistant")
	e.key("content")
	for i := range blocks {
		e.buf = append(e.buf, "[,"[min(i, 1)])
		if blocks[i].Kind == llm.Refusal {
			e.buf = sse.AppendString(append(e.buf, `{"type":"refusal","refusal":`...), blocks[i].Text)
			e.buf = append(e.buf, '}')
		} else {
			e.buf = sse.AppendString(append(e.buf, `{"type":"output_text","text":`...), blocks[i].Text)
			e.buf = append(e.buf, `,"annotations":[]}`...)
		}
	}
	e.buf = append(e.buf, "]}"...)
}

// thought sends reasoning back to the provider that made it (F10). Its text
// alone goes only to who asks for it.
func (e *encoder) thought(b *llm.Block) {
	own := b.Opaque != "" && e.c.Owns(name, b.Origin, b.Opaque)
	plain := b.Kind == llm.Thinking && b.Text != "" && e.flags.Has(llm.FlagReasoningHistory)
	if !own && !plain {
		if b.Text != "" || b.Opaque != "" {
			e.c.Lose("reasoning of earlier turns")
		}
		return
	}
	e.item("reasoning")
	e.key("summary")
	e.buf = append(e.buf, '[')
	if own && b.Text != "" {
		e.buf = sse.AppendString(append(e.buf, `{"type":"summary_text","text":`...), b.Text)
		e.buf = append(e.buf, '}')
	}
	e.buf = append(e.buf, ']')
	if own {
		e.str("encrypted_content", b.Opaque)
	} else {
		e.buf = sse.AppendString(append(e.buf, `,"content":[{"type":"reasoning_text","text":`...), b.Text)
		e.buf = append(e.buf, "}]"...)
	}
	e.buf = append(e.buf, '}')
}

func (e *encoder) call(b *llm.Block) {
	kind, field, value := "function_call", "arguments", b.Text
	if e.custom[b.Name] {
		kind, field, value = "custom_tool_call", "input", llm.InputText(b.Text)
		e.texts[b.ID] = true
	} else if value == "" {
		value = "{}"
	}
	e.item(kind)
	e.str("call_id", b.ID)
	e.str("name", e.rename(b.Name))
	e.str(field, value)
	e.buf = append(e.buf, '}')
}

// user writes a turn of the user: its tool results, which answer the calls
// before it, then everything else.
func (e *encoder) user(m *llm.Message) error {
	results := 0
	for i := range m.Blocks {
		if b := &m.Blocks[i]; b.Kind == llm.ToolResult {
			results++
			if err := e.result(b); err != nil {
				return err
			}
		}
	}
	switch rest := len(m.Blocks) - results; {
	case rest == 0 && results > 0:
		return nil
	case rest == 0:
		e.words("user", "")
		return nil
	}
	if m.Name != "" {
		e.c.Lose("messages: name")
	}
	if len(m.Blocks) == results+1 {
		if b := &m.Blocks[len(m.Blocks)-1]; b.Kind == llm.Text {
			e.cacheOff(b)
			e.words("user", b.Text)
			return nil
		}
	}
	e.item("message")
	e.str("role", "user")
	e.key("content")
	first := true
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if b.Kind == llm.ToolResult {
			continue
		}
		if first {
			e.buf, first = append(e.buf, '['), false
		} else {
			e.buf = append(e.buf, ',')
		}
		if err := e.part(b); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, "]}"...)
	return nil
}

// result writes what came of a call: a text, or parts if it has images or
// files (C3, F14).
func (e *encoder) result(b *llm.Block) error {
	kind := "function_call_output"
	if e.texts[b.ID] {
		kind = "custom_tool_call_output"
	}
	e.item(kind)
	e.str("call_id", b.ID)
	e.key("output")
	e.cacheOff(b)
	words := true
	for i := range b.Content {
		words = words && b.Content[i].Kind == llm.Text
		e.cacheOff(&b.Content[i])
	}
	if words { // C2: "" if there is none
		var s []string
		for i := range b.Content {
			if t := b.Content[i].Text; t != "" {
				s = append(s, t)
			}
		}
		text := strings.Join(s, "\n")
		if b.Failed {
			text = "Error: " + text
		}
		e.buf = append(sse.AppendString(e.buf, text), '}')
		return nil
	}
	sep := byte('[')
	if b.Failed {
		e.buf = append(e.buf, `[{"type":"input_text","text":"Error:"}`...)
		sep = ','
	}
	for i := range b.Content {
		part := b.Content[i]
		switch {
		case part.Kind == llm.Text && part.Text == "":
			continue
		case part.Kind == llm.Image && e.flags.Has(llm.FlagNoVision): // C3
			part = llm.Block{Text: "[image left out: this model sees none]"}
			e.c.Lose("messages: images in tool results: this model sees none")
		}
		e.buf = append(e.buf, sep)
		sep = ','
		if err := e.part(&part); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, "]}"...)
	return nil
}
