package responses

import (
	"strings"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// conversation writes the instructions and every turn as items.
func (e *encoder) conversation() error {
	for i := range e.Prompt.System {
		e.cacheOff(&e.Prompt.System[i])
	}
	said := e.Instructions()
	if said != "" && len(e.Prompt.Messages) > 0 {
		e.Str("instructions", said)
	}
	e.Key("input")
	e.Buf = append(e.Buf, '[')
	if len(e.Prompt.Messages) == 0 { // there must be some input
		e.words(e.developer(), said)
	}
	for i := range e.Prompt.Messages {
		m := &e.Prompt.Messages[i]
		if m.Name != "" {
			e.Call.Lose("messages: name")
		}
		var err error
		switch m.Role {
		case llm.Assistant:
			if i == len(e.Prompt.Messages)-1 && e.Flags.Has(llm.FlagNoPrefill) && !openai.Has(m.Blocks, llm.ToolCall) { // A21
				e.Call.Lose("messages: this model takes no assistant message at the end")
				continue
			}
			err = e.assistant(e.Prompt.Messages[i:])
		case llm.System: // stays in its place, so that the cached prefix does (C11)
			e.words(e.developer(), openai.Joined(m.Blocks))
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
	e.Buf = append(e.Buf, ']')
	return nil
}

func (e *encoder) developer() string {
	if e.Flags.Has(llm.FlagSystemRole) {
		return "system"
	}
	return "developer"
}

// cacheOff names a cache mark: the provider finds what to cache by itself.
func (e *encoder) cacheOff(b *llm.Block) {
	if b.Cache != "" {
		e.Call.Lose("cache_control")
	}
}

// item begins an item.
func (e *encoder) item(kind string) {
	if e.wrote {
		e.Buf = append(e.Buf, ',')
	}
	e.wrote = true
	e.Buf = append(append(append(e.Buf, `{"type":"`...), kind...), '"')
}

// words writes a message that is one text.
func (e *encoder) words(role, s string) {
	e.item("message")
	e.Str("role", role)
	e.Str("content", s)
	e.Buf = append(e.Buf, '}')
}

// assistant writes what a model made in the first turn, each thing as an item
// of its own.
func (e *encoder) assistant(turns []llm.Message) error {
	m := &turns[0]
	for i := 0; i < len(m.Blocks); i++ {
		b := &m.Blocks[i]
		if b.Opaque != "" && b.Kind != llm.Thinking && b.Kind != llm.Redacted { // this API has no place for it
			e.Call.Lose("reasoning of earlier turns")
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
			e.thought(b, leads(turns, i))
		case llm.ToolCall:
			e.call(b)
		default:
			e.Call.Lose("messages: images and files of assistant turns")
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
		e.words("assistant", openai.Joined(blocks))
		return
	}
	e.item("message")
	e.Str("role", "assistant")
	e.Key("content")
	for i := range blocks {
		e.Buf = append(e.Buf, "[,"[min(i, 1)])
		if blocks[i].Kind == llm.Refusal {
			e.Buf = sse.AppendString(append(e.Buf, `{"type":"refusal","refusal":`...), blocks[i].Text)
			e.Buf = append(e.Buf, '}')
		} else {
			e.Buf = sse.AppendString(append(e.Buf, `{"type":"output_text","text":`...), blocks[i].Text)
			e.Buf = append(e.Buf, `,"annotations":[]}`...)
		}
	}
	e.Buf = append(e.Buf, "]}"...)
}

// leads tells whether the model said or called something after the thought in a
// block of the first turn.
func leads(turns []llm.Message, at int) bool {
	for k := range turns {
		if turns[k].Role != llm.Assistant {
			break
		}
		for i := range turns[k].Blocks {
			if b := &turns[k].Blocks[i]; k == 0 && i <= at {
				continue
			} else if b.Kind == llm.ToolCall || (b.Kind == llm.Text || b.Kind == llm.Refusal) && b.Text != "" {
				return true
			}
		}
	}
	return false
}

// thought sends reasoning back to the provider that made it (F10). Its text
// alone goes only to who asks for it. OpenAI refuses a thought that led to
// nothing, and any for a model that does not think.
func (e *encoder) thought(b *llm.Block, led bool) {
	if !led || e.Flags.Has(llm.FlagNoReasoning) {
		e.Call.Lose("reasoning of earlier turns")
		return
	}
	own := b.Opaque != "" && e.Call.Owns(name, b.Origin, b.Opaque)
	plain := b.Kind == llm.Thinking && b.Text != "" && e.Flags.Has(llm.FlagReasoningHistory)
	if !own && !plain {
		if b.Text != "" || b.Opaque != "" {
			e.Call.Lose("reasoning of earlier turns")
		}
		return
	}
	e.item("reasoning")
	e.Key("summary")
	e.Buf = append(e.Buf, '[')
	if own && b.Text != "" {
		e.Buf = sse.AppendString(append(e.Buf, `{"type":"summary_text","text":`...), b.Text)
		e.Buf = append(e.Buf, '}')
	}
	e.Buf = append(e.Buf, ']')
	if own {
		e.Str("encrypted_content", b.Opaque)
	} else {
		e.Buf = sse.AppendString(append(e.Buf, `,"content":[{"type":"reasoning_text","text":`...), b.Text)
		e.Buf = append(e.Buf, "}]"...)
	}
	e.Buf = append(e.Buf, '}')
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
	e.Str("call_id", openai.Short(b.ID, maxID))
	e.Str("name", e.Rename(b.Name))
	e.Str(field, value)
	e.Buf = append(e.Buf, '}')
}

// maxID is how long the id of a call may be.
const maxID = 64

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
	if len(m.Blocks) == results+1 {
		if b := &m.Blocks[len(m.Blocks)-1]; b.Kind == llm.Text {
			e.cacheOff(b)
			e.words("user", b.Text)
			return nil
		}
	}
	e.item("message")
	e.Str("role", "user")
	e.Key("content")
	first := true
	for i := range m.Blocks {
		b := &m.Blocks[i]
		if b.Kind == llm.ToolResult {
			continue
		}
		if first {
			e.Buf, first = append(e.Buf, '['), false
		} else {
			e.Buf = append(e.Buf, ',')
		}
		if err := e.part(b); err != nil {
			return err
		}
	}
	e.Buf = append(e.Buf, "]}"...)
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
	e.Str("call_id", openai.Short(b.ID, maxID))
	e.Key("output")
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
		e.Buf = append(sse.AppendString(e.Buf, text), '}')
		return nil
	}
	sep := byte('[')
	if b.Failed {
		e.Buf = append(e.Buf, `[{"type":"input_text","text":"Error:"}`...)
		sep = ','
	}
	for i := range b.Content {
		part := b.Content[i]
		switch {
		case part.Kind == llm.Text && part.Text == "":
			continue
		case part.Kind == llm.Image && e.Flags.Has(llm.FlagNoVision): // C3
			part = llm.Block{Text: "[image left out: this model sees none]"}
			e.Call.Lose("messages: images in tool results: this model sees none")
		}
		e.Buf = append(e.Buf, sep)
		sep = ','
		if err := e.part(&part); err != nil {
			return err
		}
	}
	e.Buf = append(e.Buf, "]}"...)
	return nil
}
