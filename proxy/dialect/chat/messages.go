package chat

import (
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// turns is what later messages need to know of earlier ones.
type turns struct {
	names   map[string]string // call id -> function
	open    []string          // ids of calls without a result yet, oldest first
	results []llm.Block       // of tool messages in a row
	count   int               // calls so far
}

// message is one message's fields as they came.
type message struct {
	param                                string
	role, name, id                       string
	content, refusal, calls, function    []byte
	reasoning, reasoningContent, details []byte
	cache                                []byte
}

func (d *decoder) readMessages(v []byte) *llm.Error {
	if v[0] != '[' {
		return llm.Invalid("messages", "messages must be an array, not %s", field.Kind(v))
	}
	return field.Array("messages", v, d.message)
}

func (d *decoder) message(param string, v []byte) *llm.Error {
	m := message{param: param}
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		if field.Null(v) {
			return nil
		}
		switch key {
		case "role":
			m.role, err = field.String(param+".role", v)
		case "name":
			m.name, err = field.String(param+".name", v)
		case "tool_call_id":
			m.id, err = field.String(param+".tool_call_id", v)
		case "content":
			m.content = v
		case "refusal":
			m.refusal = v
		case "tool_calls":
			m.calls = v
		case "function_call":
			m.function = v
		case "reasoning":
			m.reasoning = v
		case "reasoning_content":
			m.reasoningContent = v
		case "reasoning_details":
			m.details = v
		case "cache_control":
			m.cache = v
		case "annotations", "parsed", "id", "index", "images", "logprobs", "finish_reason", "object", "created", "provider_metadata", "executed_tools":
			// An answer pushed back as it came: what a request has no use for.
		default:
			if field.Truthy(v) {
				d.Prompt.Lose("messages[]." + key)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	switch m.role {
	case "tool", "function":
		return d.result(m)
	case "system", "developer":
		return d.system(m)
	case "user":
		return d.user(m)
	case "assistant":
		return d.assistant(m)
	case "":
		return llm.Invalid(param+".role", "%s.role is missing", param)
	}
	return llm.Invalid(param+".role", "%s.role must be system, developer, user, assistant or tool, not %q", param, m.role)
}

// endTools puts the tool results that came in a row into one user turn.
func (d *decoder) endTools() {
	if len(d.results) > 0 {
		d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: llm.User, Blocks: d.results})
		d.results = nil
	}
}

func (d *decoder) add(m message, role llm.Role, blocks []llm.Block) *llm.Error {
	if m.cache != nil && len(blocks) > 0 {
		mark, err := cacheMark(m.param+".cache_control", m.cache)
		if err != nil {
			return err
		}
		blocks[len(blocks)-1].Cache = mark
	}
	d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: role, Name: m.name, Blocks: blocks})
	return nil
}

// system keeps leading instructions apart and later ones in their place.
func (d *decoder) system(m message) *llm.Error {
	d.endTools()
	blocks, err := parts(m.param+".content", m.content, openai.TextOnly)
	if err != nil {
		return err
	}
	if len(d.Prompt.Messages) > 0 {
		return d.add(m, llm.System, blocks)
	}
	if err := d.add(m, llm.System, blocks); err != nil {
		return err
	}
	d.Prompt.Messages = nil
	d.Prompt.System = append(d.Prompt.System, blocks...)
	return nil
}

func (d *decoder) user(m message) *llm.Error {
	d.endTools()
	if m.content == nil {
		return llm.Invalid(m.param+".content", "%s.content is missing", m.param)
	}
	blocks, err := parts(m.param+".content", m.content, openai.AnyPart)
	if err != nil {
		return err
	}
	return d.add(m, llm.User, blocks)
}

func (d *decoder) assistant(m message) *llm.Error {
	d.endTools()
	blocks, signed, err := d.thought(m)
	if err != nil {
		return err
	}
	parts, err := parts(m.param+".content", m.content, openai.AssistantPart)
	if err != nil {
		return err
	}
	blocks = append(blocks, parts...)
	refusal, err := field.String(m.param+".refusal", m.refusal)
	if err != nil {
		return err
	}
	if refusal != "" {
		blocks = append(blocks, llm.Block{Kind: llm.Refusal, Text: refusal})
	}
	err = field.Array(m.param+".tool_calls", m.calls, func(param string, v []byte) *llm.Error {
		b, err := d.call(param, v)
		if data, ok := signed[b.ID]; ok && b.Opaque == "" {
			b.Opaque, b.Origin = data.Opaque, data.Origin
		}
		blocks = append(blocks, b)
		return err
	})
	if err != nil {
		return err
	}
	if m.function != nil {
		b := llm.Block{Kind: llm.ToolCall, Name: field.Unquote(field.Of(m.function, "name")), Text: arguments(field.Of(m.function, "arguments"))}
		if b.Name == "" {
			return llm.Invalid(m.param+".function_call.name", "%s.function_call.name is missing", m.param)
		}
		b.ID = d.opened("", b.Name)
		blocks = append(blocks, b)
	}
	return d.add(m, llm.Assistant, blocks)
}

// call reads one of an assistant's tool calls.
func (d *decoder) call(param string, v []byte) (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.ToolCall}
	var fn, custom []byte
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "id":
			b.ID, err = field.String(param+".id", v)
		case "type":
			if kind := field.Unquote(v); kind != "function" && kind != "custom" && !field.Null(v) {
				err = llm.Invalid(param+".type", "%s.type: only calls of functions and custom tools can be translated to another provider, not %q", param, kind)
			}
		case "function":
			fn = v
		case "custom":
			custom = v
		case "extra_content": // Gemini's own chat endpoint signs calls here
			if sig := field.Unquote(field.Of(field.Of(v, "google"), "thought_signature")); sig != "" {
				b.Opaque, b.Origin = sig, "gemini"
			}
		}
		return err
	})
	if err != nil {
		return b, err
	}
	if fn == nil && !field.Null(custom) {
		if b.Name, err = field.String(param+".custom.name", field.Of(custom, "name")); err == nil && b.Name == "" {
			err = llm.Invalid(param+".custom.name", "%s.custom.name is missing", param)
		}
		b.Text = string(appendInput(nil, field.Unquote(field.Of(custom, "input"))))
		b.ID = d.opened(b.ID, b.Name)
		return b, err
	}
	if fn == nil {
		return b, llm.Invalid(param+".function", "%s.function is missing", param)
	}
	if b.Name, err = field.String(param+".function.name", field.Of(fn, "name")); err != nil {
		return b, err
	}
	if b.Name == "" {
		return b, llm.Invalid(param+".function.name", "%s.function.name is missing", param)
	}
	b.Text = arguments(field.Of(fn, "arguments"))
	b.ID = d.opened(b.ID, b.Name)
	return b, nil
}

// arguments are JSON text in a string; some clients send the object itself.
func arguments(v []byte) string {
	if len(v) > 0 && v[0] == '{' {
		return string(v)
	}
	return field.Unquote(v)
}

// opened notes a call that waits for its result. A call without an id gets
// one: some providers give none, and their clients send none back.
func (d *decoder) opened(id, name string) string {
	d.turns.count++
	if id == "" {
		id = "call_" + strconv.Itoa(d.turns.count)
	}
	d.names[id] = name
	d.open = append(d.open, id)
	return id
}

// result reads a tool message, or one of the function role it replaced.
func (d *decoder) result(m message) *llm.Error {
	blocks, err := parts(m.param+".content", m.content, openai.AnyPart)
	if err != nil {
		return err
	}
	b := llm.Block{Kind: llm.ToolResult, ID: m.id, Content: blocks}
	for i, id := range d.open {
		if id == m.id || m.id == "" && (m.role == "tool" || d.names[id] == m.name) {
			b.ID = id
			d.open = append(d.open[:i:i], d.open[i+1:]...)
			break
		}
	}
	if b.ID == "" {
		return llm.Invalid(m.param+".tool_call_id", "%s.tool_call_id is missing", m.param)
	}
	if b.Name = d.names[b.ID]; b.Name == "" {
		b.Name = m.name
	}
	if m.cache != nil {
		if b.Cache, err = cacheMark(m.param+".cache_control", m.cache); err != nil {
			return err
		}
	}
	d.results = append(d.results, b)
	return nil
}
