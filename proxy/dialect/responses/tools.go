package responses

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// Schemas of the tools whose form is OpenAI's own, for models that know
// functions alone. Their calls are turned back into that form.
const (
	localShellSchema = `{"type":"object","properties":{"command":{"type":"array","items":{"type":"string"},"description":"the program and its arguments"},"working_directory":{"type":"string"},"timeout_ms":{"type":"integer"},"env":{"type":"object","additionalProperties":{"type":"string"}}},"required":["command"]}`
	shellSchema      = `{"type":"object","properties":{"commands":{"type":"array","items":{"type":"string"},"description":"shell commands, each run on its own"},"timeout_ms":{"type":"integer"},"max_output_length":{"type":"integer"}},"required":["commands"]}`
	patchSchema      = `{"type":"object","properties":{"type":{"type":"string","enum":["create_file","update_file","delete_file"]},"path":{"type":"string"},"diff":{"type":"string","description":"a V4A diff: the new file's lines, or the changed ones with their context; not for delete_file"}},"required":["type","path"]}`
)

// tools reads a list of tools.
func (d *decoder) tools(param string, v []byte) *llm.Error {
	return field.Array(param, v, func(param string, v []byte) *llm.Error { return d.tool(param, v, "") })
}

func (d *decoder) tool(param string, v []byte, space string) *llm.Error {
	if v[0] != '{' {
		return llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	}
	kind, err := field.String(param+".type", field.Of(v, "type"))
	if err != nil {
		return err
	}
	own := func(schema, says string) *llm.Error {
		d.Prompt.Tools = append(d.Prompt.Tools, llm.Tool{
			Name: d.box.flat(boxed{wireTypes[kind], "", kind}), Description: says, Schema: json.RawMessage(schema),
		})
		return nil
	}
	switch {
	case kind == "function" || kind == "" || kind == "custom":
		return d.named(param, v, kind, space)
	case kind == "namespace":
		return d.namespace(param, v)
	case kind == "local_shell":
		return own(localShellSchema, "Runs one command on the user's computer and returns its output.")
	case kind == "shell" && !hostedShell(v):
		return own(shellSchema, "Runs shell commands on the user's computer and returns their output.")
	case kind == "apply_patch":
		return own(patchSchema, "Creates, changes or deletes one file.")
	case kind == "tool_search":
		if field.Unquote(field.Of(v, "execution")) != "client" {
			d.Prompt.Lose("tools: tool_search: all tools are sent at once")
			return nil
		}
		return d.search(param, v)
	case strings.HasPrefix(kind, "web_search"):
		d.hosted(llm.WebSearch, v)
	case kind == "code_interpreter":
		d.hosted(llm.RunCode, v)
	default:
		d.hosted(kind, v)
	}
	return nil
}

func (d *decoder) hosted(what string, v []byte) {
	d.Prompt.Tools = append(d.Prompt.Tools, llm.Tool{Kind: llm.Hosted, Name: what, Raw: v, Origin: name})
}

// hostedShell tells a shell in a container of the provider's.
func hostedShell(v []byte) bool {
	return strings.HasPrefix(field.Unquote(field.Of(field.Of(v, "environment"), "type")), "container")
}

// namespace takes the tools of a namespace out of it.
func (d *decoder) namespace(param string, v []byte) *llm.Error {
	space, err := field.String(param+".name", field.Of(v, "name"))
	if err == nil && space == "" {
		err = llm.Invalid(param+".name", "%s.name is missing", param)
	}
	if err != nil {
		return err
	}
	if field.Truthy(field.Of(v, "description")) && field.Of(v, "description") != nil {
		d.Prompt.Lose("tools: descriptions of namespaces")
	}
	return field.Array(param+".tools", field.Of(v, "tools"), func(param string, v []byte) *llm.Error {
		switch kind := field.Unquote(field.Of(v, "type")); kind {
		case "function", "custom", "":
			return d.tool(param, v, space)
		default:
			return llm.Invalid(param+".type", "%s.type must be function or custom in a namespace, not %q", param, kind)
		}
	})
}

// search is a search for tools that the client runs itself.
func (d *decoder) search(param string, v []byte) *llm.Error {
	t := llm.Tool{Name: d.box.flat(boxed{wireSearch, "", "tool_search"})}
	var err *llm.Error
	if t.Description, err = field.String(param+".description", field.Of(v, "description")); err != nil {
		return err
	}
	if t.Schema = rawObject(field.Of(v, "parameters")); t.Schema == nil {
		t.Schema = json.RawMessage(`{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}`)
	}
	if t.Description == "" {
		t.Description = "Searches for more tools, which can be called afterwards."
	}
	d.Prompt.Tools = append(d.Prompt.Tools, t)
	return nil
}

func rawObject(v []byte) json.RawMessage {
	if len(v) == 0 || v[0] != '{' {
		return nil
	}
	return json.RawMessage(v)
}

// named reads a function or a custom tool.
func (d *decoder) named(param string, v []byte, kind, space string) *llm.Error {
	raw := v
	for _, deep := range []string{"function", "custom"} { // F18: chat's form
		if in := field.Of(v, deep); rawObject(in) != nil && field.Of(v, "name") == nil {
			v, param = in, param+"."+deep
		}
	}
	var t llm.Tool
	var grammar []byte
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch {
		case field.Null(v):
		case key == "name":
			t.Name, err = field.String(param+".name", v)
		case key == "description":
			t.Description, err = field.String(param+".description", v)
		case key == "parameters":
			if t.Schema = rawObject(v); t.Schema == nil {
				err = llm.Invalid(param+".parameters", "%s.parameters must be a JSON Schema, not %s", param, field.Kind(v))
			}
		case key == "strict":
			t.Strict, err = field.OptionalBool(param+".strict", v)
		case key == "format" && kind == "custom":
			grammar = v
		case key == "type", key == "defer_loading", key == "output_schema": // a deferred tool is sent at once
		case field.Truthy(v):
			d.Prompt.Lose("tools[]." + key)
		}
		return err
	})
	if err == nil && t.Name == "" {
		err = llm.Invalid(param+".name", "%s.name is missing", param)
	}
	if err != nil {
		return err
	}
	if kind != "custom" {
		t.Name = d.box.flat(boxed{wireFunction, space, t.Name})
	} else {
		t.Name = d.box.flat(boxed{wireCustom, space, t.Name})
		t.Kind, t.Schema, t.Raw, t.Origin = llm.Custom, json.RawMessage(llm.CustomSchema), raw, name
		t.Description = withGrammar(t.Description, grammar)
	}
	d.Prompt.Tools = append(d.Prompt.Tools, t)
	return nil
}

// withGrammar tells a model that takes no grammar which one its input must
// follow.
func withGrammar(says string, format []byte) string {
	if field.Unquote(field.Of(format, "type")) != "grammar" {
		return says
	}
	if deep := field.Of(format, "grammar"); rawObject(deep) != nil {
		format = deep
	}
	if says != "" {
		says += "\n\n"
	}
	return says + "The input must follow this " + field.Unquote(field.Of(format, "syntax")) + " grammar:\n" + field.Unquote(field.Of(format, "definition"))
}

func (d *decoder) toolChoice(v []byte) *llm.Error {
	if known, err := d.Choice(v); known {
		return err
	}
	c := &d.Prompt.Choice
	kind := field.Unquote(field.Of(v, "type"))
	if mode, ok := openai.ChoiceMode(kind); ok {
		c.Mode = mode
		return nil
	}
	if kind != "allowed_tools" {
		c.Mode = llm.ChooseNamed
		if c.Name = d.choice(v); c.Name == "" {
			return llm.Invalid("tool_choice.name", "tool_choice.name is missing")
		}
		return nil
	}
	if in := field.Of(v, "allowed_tools"); rawObject(in) != nil { // chat's form
		v = in
	}
	return d.Allow("tool_choice.tools", v, d.choice)
}

// choice is the name in the prompt of a tool that is chosen.
func (d *decoder) choice(v []byte) string {
	kind, space := field.Unquote(field.Of(v, "type")), field.Unquote(field.Of(v, "namespace"))
	wire, own := wireTypes[kind]
	switch {
	case own:
		return d.box.flat(boxed{wire, "", kind})
	case kind == "function", kind == "", kind == "custom":
		tool := boxed{wireFunction, space, toolName(v)}
		if kind == "custom" {
			tool.wire = wireCustom
		}
		if tool.name == "" {
			return ""
		}
		return d.box.flat(tool)
	case strings.HasPrefix(kind, "web_search"):
		return llm.WebSearch
	case kind == "code_interpreter":
		return llm.RunCode
	default:
		return kind
	}
}
