package responses

import (
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// readInput reads the input: one text of the user's, or a list of items.
func (d *decoder) readInput(v []byte) *llm.Error {
	switch {
	case field.Null(v):
		return nil
	case v[0] == '"': // F7
		if s := field.Unquote(v); s != "" {
			d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: s}}})
		}
		return nil
	case v[0] != '[':
		return llm.Invalid("input", "input must be a text or an array of items, not %s", field.Kind(v))
	}
	if err := field.Array("input", v, d.item); err != nil {
		return err
	}
	d.endTurn()
	return nil
}

// endTurn closes the turn that is being gathered.
func (d *decoder) endTurn() {
	if len(d.turn.Blocks) > 0 {
		d.Prompt.Messages = append(d.Prompt.Messages, d.turn)
	}
	d.turn = llm.Message{}
}

// add puts a block into a turn: what a model made in a row is one turn, as are
// the results of its calls.
func (d *decoder) add(role llm.Role, b llm.Block) {
	if d.turn.Role != role {
		d.endTurn()
		d.turn.Role = role
	}
	d.turn.Blocks = append(d.turn.Blocks, b)
}

// says tells that the turn being gathered holds a text and no call yet: what
// the model says next is another message.
func (d *decoder) says() bool {
	said := false
	for i := range d.turn.Blocks {
		switch d.turn.Blocks[i].Kind {
		case llm.ToolCall:
			return false
		case llm.Text, llm.Refusal:
			said = true
		}
	}
	return said && d.turn.Role == llm.Assistant
}

// item reads one item. One that another provider cannot be told of is named in
// the losses if it is only a record, and refused if leaving it out would
// change what the model knows (F8).
func (d *decoder) item(param string, v []byte) *llm.Error {
	if v[0] == '"' {
		d.endTurn()
		d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: field.Unquote(v)}}})
		return nil
	}
	if v[0] != '{' {
		return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	}
	kind, err := field.String(param+".type", field.Of(v, "type"))
	if err != nil {
		return err
	}
	switch kind {
	case "message", "": // F7
		return d.message(param, v)
	case "reasoning":
		return d.thought(param, v)
	case "function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call", "tool_search_call":
		return d.call(param, kind, v)
	case "function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output", "apply_patch_call_output":
		return d.result(param, kind, v)
	case "tool_search_output":
		return d.found(param, v)
	case "additional_tools":
		_, err := d.more(param+".tools", field.Of(v, "tools"))
		return err
	case "agent_message":
		return d.agent(param, v)
	case "configuration_update":
		if c := field.Of(v, "reasoning"); !field.Null(c) {
			if err := d.reasoning(param+".reasoning", c); err != nil {
				return err
			}
		}
		if c := field.Of(v, "text"); !field.Null(c) {
			return d.textConfig(param+".text", c)
		}
		return nil
	case "image_generation_call":
		if data := field.Unquote(field.Of(v, "result")); data != "" {
			d.add(llm.Assistant, llm.Block{Kind: llm.Image, Media: llm.Media{Type: imageType(field.Unquote(field.Of(v, "output_format"))), Data: data}})
			return nil
		}
		d.Prompt.Lose("input: " + kind)
		return nil
	case "item_reference":
		return llm.Invalid(param, "%s refers to an item of an earlier answer, which only who keeps the answer can read: set store to false in the tool, so that it sends the items themselves, or have Keytray keep answers in memory: keep_responses: true in config.yaml", param)
	case "compaction", "compaction_trigger", "context_compaction":
		return llm.Invalid(param, "%s is a conversation that only its own provider can shorten and read: start a new conversation, or ask that provider again", param)
	case "computer_call", "computer_call_output", "mcp_approval_request", "mcp_approval_response", "program", "program_output":
		return llm.Invalid(param+".type", "%s.type: an item of type %q cannot be translated to another provider", param, kind)
	case "web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "mcp_list_tools":
		d.Prompt.Lose("input: " + kind) // what came of it stands in the answer's text
		return nil
	default:
		return llm.Invalid(param+".type", "%s.type: an item of type %q is not known here and cannot be translated to another provider", param, kind)
	}
}

func imageType(format string) string {
	if format == "" {
		format = "png"
	}
	return "image/" + format
}

func (d *decoder) message(param string, v []byte) *llm.Error {
	var role, user string
	var content []byte
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch {
		case field.Null(v):
		case key == "role":
			role, err = field.String(param+".role", v)
		case key == "content":
			content = v
		case key == "name":
			user, err = field.String(param+".name", v)
		case key == "type", key == "id", key == "status", key == "phase":
			// An answer's item pushed back as it came: what a request has no use for.
		case field.Truthy(v):
			d.Prompt.Lose("input[]." + key)
		}
		return err
	})
	if err != nil {
		return err
	}
	kinds := openai.AnyPart
	switch role {
	case "assistant":
		kinds = openai.AssistantPart
	case "system", "developer":
		kinds = openai.TextOnly
	case "user":
		if content == nil {
			return llm.Invalid(param+".content", "%s.content is missing", param)
		}
	case "":
		return llm.Invalid(param+".role", "%s.role is missing", param)
	default:
		return llm.Invalid(param+".role", "%s.role must be system, developer, user or assistant, not %q", param, role)
	}
	blocks, err := parts(param+".content", content, kinds)
	if err != nil {
		return err
	}
	switch kinds {
	case openai.AssistantPart:
		if d.says() {
			d.endTurn()
		}
		for _, b := range blocks {
			d.add(llm.Assistant, b)
		}
	case openai.TextOnly: // leading instructions are kept apart, later ones stay in their place
		d.endTurn()
		if len(d.Prompt.Messages) == 0 {
			d.Prompt.System = append(d.Prompt.System, blocks...)
		} else if len(blocks) > 0 {
			d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: llm.System, Name: user, Blocks: blocks})
		}
	default:
		d.endTurn()
		d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: llm.User, Name: user, Blocks: blocks})
	}
	return nil
}

// agent reads what one agent of a client says to another: the model of the
// other is told it as a user's message.
func (d *decoder) agent(param string, v []byte) *llm.Error {
	var said []string
	content := field.Of(v, "content")
	if s := field.Unquote(content); s != "" {
		said = append(said, s)
	}
	_ = llm.Elements(content, func(v []byte, _ int) bool { // what is no array was read above
		if s := field.Unquote(field.Of(v, "text")); s != "" {
			said = append(said, s)
		} else if field.Truthy(v) {
			d.Prompt.Lose("input: agent_message: a part that only its provider can read")
		}
		return true
	})
	if len(said) == 0 {
		return llm.Invalid(param+".content", "%s.content: an agent's message without readable text cannot be translated to another provider", param)
	}
	if author := field.Unquote(field.Of(v, "author")); author != "" {
		said[0] = "Message from " + author + ":\n" + said[0]
	}
	d.endTurn()
	d.Prompt.Messages = append(d.Prompt.Messages, llm.Message{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Text, Text: strings.Join(said, "\n")}}})
	return nil
}

// call reads a call of a tool. Calls that have a form of their own become
// those of the functions that stand for their tools.
func (d *decoder) call(param, kind string, v []byte) *llm.Error {
	id := field.Unquote(field.Of(v, "call_id"))
	if id == "" && kind == "tool_search_call" { // run by the provider itself
		d.Prompt.Lose("input: " + kind)
		return nil
	}
	if id == "" {
		id = field.Unquote(field.Of(v, "id"))
	}
	if id == "" {
		return llm.Invalid(param+".call_id", "%s.call_id is missing", param)
	}
	b := llm.Block{Kind: llm.ToolCall, ID: id}
	tool := boxed{space: field.Unquote(field.Of(v, "namespace")), name: field.Unquote(field.Of(v, "name"))}
	switch kind {
	case "function_call":
		b.Text = arguments(field.Of(v, "arguments"))
	case "custom_tool_call":
		tool.wire = wireCustom
		b.Text = wrapInput(field.Unquote(field.Of(v, "input")))
	case "local_shell_call":
		tool = boxed{wireLocalShell, "", "local_shell"}
		b.Text = without(field.Of(v, "action"), "type")
	case "shell_call":
		tool = boxed{wireShell, "", "shell"}
		b.Text = arguments(field.Of(v, "action"))
	case "apply_patch_call":
		tool = boxed{wirePatch, "", "apply_patch"}
		b.Text = arguments(field.Of(v, "operation"))
	case "tool_search_call":
		tool = boxed{wireSearch, "", "tool_search"}
		b.Text = arguments(field.Of(v, "arguments"))
	}
	if tool.name == "" {
		return llm.Invalid(param+".name", "%s.name is missing", param)
	}
	b.Name = d.box.flat(tool)
	d.names[id] = b.Name
	d.add(llm.Assistant, b)
	return nil
}

// arguments are JSON text in a string, or the object itself.
func arguments(v []byte) string {
	if len(v) > 0 && v[0] == '{' {
		return string(v)
	}
	return field.Unquote(v)
}

// wrapInput is a custom tool's input as a function's arguments.
func wrapInput(s string) string {
	return string(append(sse.AppendString([]byte(`{"input":`), s), '}'))
}

// without is an object's text but for one field, and those that are null.
func without(v []byte, key string) string {
	out := []byte{'{'}
	_ = llm.Fields(v, func(k, v []byte, _ int) bool { // what is no object has no fields
		if string(k) != key && !field.Null(v) {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(append(out, '"'), k...), '"', ':')
			out = append(out, v...)
		}
		return true
	})
	return string(append(out, '}'))
}
