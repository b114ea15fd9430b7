package messages

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// rawBlock is a content block's fields as they came; which of them count depends
// on its type.
type rawBlock struct {
	param, kind               string
	text, thinking, signature []byte
	data                      []byte // redacted_thinking
	id, name, input           []byte
	useID, content, failed    []byte
	source, title, context    []byte
	citations, tool           []byte
	cache                     []byte
}

func (d *reader) part(param string, v []byte) (p rawBlock, err *llm.Error) {
	p.param = param
	err = field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "type":
			p.kind, err = field.String(param+".type", v)
		case "text":
			p.text = v
		case "thinking":
			p.thinking = v
		case "signature":
			p.signature = v
		case "data":
			p.data = v
		case "id":
			p.id = v
		case "name", "tool_name":
			p.name = v
		case "input":
			p.input = v
		case "tool_use_id":
			p.useID = v
		case "content":
			p.content = v
		case "is_error":
			p.failed = v
		case "source":
			p.source = v
		case "title":
			p.title = v
		case "context":
			p.context = v
		case "citations":
			p.citations = v
		case "tool":
			p.tool = v
		case "cache_control":
			p.cache = v
		case "caller", "server_name", "retrieved_at", "toolset_name", "encrypted_content", "mcp_server_name":
			// Of answers that are pushed back as they came.
		default:
			if field.Truthy(v) {
				d.p.Lose("messages[].content[]." + key)
			}
		}
		return err
	})
	if err == nil && p.kind == "" {
		err = llm.Invalid(param+".type", "%s.type is missing", param)
	}
	return p, err
}

func (p *rawBlock) block(kind llm.BlockKind) (llm.Block, *llm.Error) {
	mark, err := cacheMark(p.param+".cache_control", p.cache)
	return llm.Block{Kind: kind, Cache: mark}, err
}

// instructions reads system text, a string or text blocks (C1).
func (d *reader) instructions(param string, v []byte) ([]llm.Block, *llm.Error) {
	var blocks []llm.Block
	if s, ok := field.Text(v); ok {
		if s != "" {
			blocks = []llm.Block{{Kind: llm.Text, Text: s}}
		}
		return blocks, nil
	}
	err := field.DottedArray(param, v, func(param string, v []byte) *llm.Error {
		p, err := d.part(param, v)
		if err != nil {
			return err
		}
		switch p.kind {
		case "text":
			b, err := p.textBlock(p.text)
			blocks = append(blocks, b)
			return err
		case "tool_addition", "tool_removal":
			return d.toolChange(&p)
		}
		return llm.Invalid(param+".type", "%s.type: instructions are text blocks, not %q", param, p.kind)
	})
	return blocks, err
}

func (p *rawBlock) textBlock(v []byte) (llm.Block, *llm.Error) {
	b, err := p.block(llm.Text)
	if err != nil {
		return b, err
	}
	if field.Null(v) {
		return b, llm.Invalid(p.param+".text", "%s.text is missing", p.param)
	}
	b.Text, err = field.String(p.param+".text", v)
	return b, err
}

func (d *reader) readMessages(v []byte) *llm.Error {
	if field.Null(v) || v[0] != '[' {
		return llm.Invalid("messages", "messages must be an array, not %s", field.Kind(v))
	}
	return field.DottedArray("messages", v, d.message)
}

func (d *reader) message(param string, v []byte) *llm.Error {
	var role string
	var content []byte
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "role":
			role, err = field.String(param+".role", v)
		case "content":
			content = v
		case "output_config": // of a system message: from here on
			err = d.outputConfig(v)
		case "id", "type", "model", "stop_reason", "stop_sequence", "stop_details", "usage", "container", "context_management", "diagnostics":
			// Of an answer that is pushed back as it came.
		default:
			if field.Truthy(v) {
				d.p.Lose("messages[]." + key)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if field.Null(content) && role != "" {
		return llm.Invalid(param+".content", "%s.content is missing: send a string or an array of blocks", param)
	}
	switch role {
	case "user":
		return d.user(param+".content", content)
	case "assistant":
		return d.assistant(param+".content", content)
	case "system":
		return d.system(param+".content", content)
	case "":
		return llm.Invalid(param+".role", "%s.role is missing", param)
	}
	return llm.Invalid(param+".role", "%s.role must be user, assistant or system, not %q", param, role)
}

// system keeps instructions in their place, so that what comes before them
// stays in the cache (C11). Leading ones are the system prompt's.
func (d *reader) system(param string, v []byte) *llm.Error {
	blocks, err := d.instructions(param, v)
	if err != nil {
		return err
	}
	if len(d.p.Messages) == 0 {
		d.p.System = append(d.p.System, blocks...)
	} else if len(blocks) > 0 {
		d.add(llm.System, blocks)
	}
	return nil
}

func (d *reader) add(role llm.Role, blocks []llm.Block) {
	d.p.Messages = append(d.p.Messages, llm.Message{Role: role, Blocks: blocks})
}

// plain is content that is one string.
func plain(v []byte) ([]llm.Block, bool) {
	s, ok := field.Text(v)
	return []llm.Block{{Kind: llm.Text, Text: s}}, ok
}

func (d *reader) user(param string, v []byte) *llm.Error {
	if blocks, ok := plain(v); ok {
		d.add(llm.User, blocks)
		return nil
	}
	var blocks []llm.Block
	err := field.DottedArray(param, v, func(param string, v []byte) *llm.Error {
		p, err := d.part(param, v)
		if err != nil {
			return err
		}
		switch p.kind {
		case "text":
			if d.strict && field.Truthy(p.citations) {
				return llm.Invalid(param+".citations", "%s.citations: a user's text has none under anthropic-version %s and later", param, strictVersion)
			}
		case "tool_result":
			b, err := d.result(&p)
			blocks = append(blocks, b)
			return err
		case "tool_addition", "tool_removal":
			return d.toolChange(&p)
		}
		more, err := d.shown(&p)
		blocks = append(blocks, more...)
		return err
	})
	if err == nil {
		d.add(llm.User, blocks)
	}
	return err
}

// shown reads what both a user and a tool may show a model.
func (d *reader) shown(p *rawBlock) ([]llm.Block, *llm.Error) {
	switch p.kind {
	case "text":
		b, err := p.textBlock(p.text)
		return []llm.Block{b}, err
	case "image":
		return d.image(p)
	case "document":
		return d.document(p)
	case "search_result":
		return d.searchResult(p)
	case "tool_reference":
		b, err := p.block(llm.Text)
		b.Text = "The tool " + field.Unquote(p.name) + " can be called."
		return []llm.Block{b}, err
	case "container_upload":
		return nil, llm.Invalid(p.param, "%s: a container_upload is a file kept at Anthropic, which another provider cannot read: send its data, or ask one of Anthropic's models", p.param)
	}
	return nil, llm.Invalid(p.param+".type", "%s.type: a block of type %q cannot be translated for this model: leave it out, or ask one of Anthropic's models", p.param, p.kind)
}

// result reads a tool_result; its content may be a string, blocks or nothing
// at all (C2).
func (d *reader) result(p *rawBlock) (llm.Block, *llm.Error) {
	b, err := p.block(llm.ToolResult)
	if err != nil {
		return b, err
	}
	if b.ID, err = field.String(p.param+".tool_use_id", p.useID); err != nil {
		return b, err
	}
	if b.ID == "" {
		return b, llm.Invalid(p.param+".tool_use_id", "%s.tool_use_id is missing", p.param)
	}
	if b.Failed, err = field.Bool(p.param+".is_error", p.failed); err != nil {
		return b, err
	}
	b.Name = d.names[b.ID]
	b.Content, err = d.resultContent(p.param+".content", p.content)
	return b, err
}

func (d *reader) resultContent(param string, v []byte) ([]llm.Block, *llm.Error) {
	if blocks, ok := plain(v); ok {
		if blocks[0].Text == "" {
			return nil, nil
		}
		return blocks, nil
	}
	var blocks []llm.Block
	err := field.DottedArray(param, v, func(param string, v []byte) *llm.Error {
		p, err := d.part(param, v)
		if err != nil {
			return err
		}
		more, err := d.shown(&p)
		blocks = append(blocks, more...)
		return err
	})
	return blocks, err
}

// thought reads thinking and redacted_thinking; opaque is what signs it.
func (p *rawBlock) thought() (llm.Block, *llm.Error) {
	b := llm.Block{Kind: llm.Thinking}
	sign, param := p.signature, p.param+".signature"
	if p.kind == "redacted_thinking" {
		b.Kind, sign, param = llm.Redacted, p.data, p.param+".data"
	}
	var err *llm.Error
	if b.Text, err = field.String(p.param+".thinking", p.thinking); err != nil {
		return b, err
	}
	if b.Opaque, err = field.String(param, sign); err != nil || b.Opaque == "" {
		return b, err
	}
	b.Origin = name
	if llm.IsSealed(b.Opaque) {
		var ok bool
		if b.Origin, b.Opaque, ok = llm.Unseal(b.Opaque); !ok {
			return b, llm.Invalid(param, "%s was changed on its way: send it back as it came", param)
		}
	}
	return b, nil
}

// called reads a tool_use, or a call that the provider itself answered.
func (d *reader) called(p *rawBlock) (llm.Block, *llm.Error) {
	b, err := p.block(llm.ToolCall)
	if err != nil {
		return b, err
	}
	if b.ID, err = field.String(p.param+".id", p.id); err != nil {
		return b, err
	}
	if b.Name, err = field.String(p.param+".name", p.name); err != nil {
		return b, err
	}
	switch {
	case b.ID == "":
		return b, llm.Invalid(p.param+".id", "%s.id is missing", p.param)
	case b.Name == "":
		return b, llm.Invalid(p.param+".name", "%s.name is missing", p.param)
	}
	b.Text = turns.Compact(p.input)
	d.names[b.ID] = b.Name
	return b, nil
}
