package chat

import (
	"bytes"
	"encoding/json"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// tools reads the list of tools. Only what the client runs itself can be
// called by any provider: another tool is refused before anything is spent.
func (d *decoder) tools(v []byte) *llm.Error {
	return field.Array("tools", v, func(param string, v []byte) *llm.Error {
		var kind string
		var fn, custom, cache []byte
		whole := v
		err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
			switch key {
			case "type":
				kind, err = field.String(param+".type", v)
			case "function":
				fn = v
			case "custom":
				custom = v
			case "cache_control":
				cache = v
			default:
				if !field.Null(v) {
					d.lose("tools[]." + key)
				}
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case kind == "custom" && field.Null(custom):
			return llm.Invalid(param+".custom", "%s.custom is missing", param)
		case kind == "custom":
			err = d.customTool(param+".custom", whole, custom)
		case kind != "" && kind != "function":
			return llm.Invalid(param+".type", "%s.type: only function and custom tools can be translated to another provider, not %q", param, kind)
		case fn == nil:
			return llm.Invalid(param+".function", "%s.function is missing", param)
		default:
			err = d.function(param+".function", fn)
		}
		if err != nil || cache == nil {
			return err
		}
		d.p.Tools[len(d.p.Tools)-1].Cache, err = cacheMark(param+".cache_control", cache)
		return err
	})
}

func (d *decoder) function(param string, v []byte) *llm.Error {
	var t llm.Tool
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "name":
			t.Name, err = field.String(param+".name", v)
		case "description":
			t.Description, err = field.String(param+".description", v)
		case "parameters":
			if field.Null(v) {
				break
			}
			if v[0] != '{' {
				return llm.Invalid(param+".parameters", "%s.parameters must be a JSON Schema, not %s", param, field.Kind(v))
			}
			t.Schema = json.RawMessage(v)
		case "strict":
			t.Strict, err = field.OptionalBool(param+".strict", v)
		default:
			if !field.Null(v) {
				d.lose("tools[].function." + key)
			}
		}
		return err
	})
	if err == nil && t.Name == "" {
		err = llm.Invalid(param+".name", "%s.name is missing", param)
	}
	d.p.Tools = append(d.p.Tools, t)
	return err
}

func choiceMode(s string) (mode llm.ChoiceMode, ok bool) {
	switch s {
	case "none":
		return llm.ChooseNone, true
	case "auto":
		return llm.ChooseAuto, true
	case "required", "any":
		return llm.ChooseAny, true
	}
	return llm.ChooseUnset, false
}

func (d *decoder) toolChoice(v []byte) *llm.Error {
	c := &d.p.Choice
	if v[0] == '"' {
		mode, ok := choiceMode(field.Unquote(v))
		if !ok {
			return llm.Invalid("tool_choice", "tool_choice must be none, auto, required or an object, not %q", field.Unquote(v))
		}
		c.Mode = mode
		return nil
	}
	if v[0] != '{' {
		return llm.Invalid("tool_choice", "tool_choice must be a string or an object, not %s", field.Kind(v))
	}
	switch kind := field.Unquote(field.Of(v, "type")); kind {
	case "function", "": // Cursor and others leave the type out
		c.Mode, c.Name = llm.ChooseNamed, field.Unquote(field.Of(field.Of(v, "function"), "name"))
		if c.Name == "" {
			return llm.Invalid("tool_choice.function.name", "tool_choice.function.name is missing")
		}
	case "custom":
		c.Mode, c.Name = llm.ChooseNamed, field.Unquote(field.Of(field.Of(v, "custom"), "name"))
		if c.Name == "" {
			return llm.Invalid("tool_choice.custom.name", "tool_choice.custom.name is missing")
		}
	case "allowed_tools":
		allowed := field.Of(v, "allowed_tools")
		if allowed == nil {
			allowed = v // the flat form of the Responses API
		}
		c.Mode, _ = choiceMode(field.Unquote(field.Of(allowed, "mode")))
		d.restricted = true
		return field.Array("tool_choice.allowed_tools.tools", field.Of(allowed, "tools"), func(param string, v []byte) *llm.Error {
			name := field.Unquote(field.Of(field.Of(v, "function"), "name"))
			if name == "" {
				name = field.Unquote(field.Of(field.Of(v, "custom"), "name"))
			}
			if name == "" {
				name = field.Unquote(field.Of(v, "name"))
			}
			if name == "" {
				return llm.Invalid(param, "%s must name a tool", param)
			}
			d.allowed = append(d.allowed, name)
			return nil
		})
	case "none", "auto", "required", "any":
		c.Mode, _ = choiceMode(kind)
	default:
		return llm.Invalid("tool_choice.type", "tool_choice.type: only functions and custom tools can be chosen, not %q", kind)
	}
	return nil
}

// functionChoice reads the form that tool_choice replaced.
func (d *decoder) functionChoice(v []byte) *llm.Error {
	if v[0] == '{' {
		d.p.Choice.Mode, d.p.Choice.Name = llm.ChooseNamed, field.Unquote(field.Of(v, "name"))
		return nil
	}
	mode, ok := choiceMode(field.Unquote(v))
	if !ok {
		return llm.Invalid("function_call", "function_call must be none, auto or an object")
	}
	d.p.Choice.Mode = mode
	return nil
}

// settleChoice compares the choice with the tools that there are.
func (d *decoder) settleChoice() *llm.Error {
	p := d.p
	if d.restricted {
		p.Tools = slices.DeleteFunc(p.Tools, func(t llm.Tool) bool { return !slices.Contains(d.allowed, t.Name) })
		d.lose("tool_choice.allowed_tools: the other tools are left out")
	}
	if len(p.Tools) == 0 && (p.Choice.Mode == llm.ChooseAny || p.Choice.Mode == llm.ChooseNamed) {
		p.Choice = llm.Choice{} // A26
		d.lose("tool_choice: there are no tools")
	}
	named := func(t llm.Tool) bool { return t.Name == p.Choice.Name }
	if p.Choice.Mode == llm.ChooseNamed && !slices.ContainsFunc(p.Tools, named) {
		return llm.Invalid("tool_choice", "tool_choice names %q, which is not among the tools", p.Choice.Name)
	}
	return nil
}

func (d *decoder) format(v []byte) *llm.Error {
	f := &d.p.Format
	if v[0] != '{' {
		return llm.Invalid("response_format", "response_format must be an object, not %s", field.Kind(v))
	}
	switch kind := field.Unquote(field.Of(v, "type")); kind {
	case "text", "":
		return nil
	case "json_object":
		f.Kind = llm.FormatJSON
		return nil
	case "json_schema":
		f.Kind = llm.FormatSchema
	default:
		return llm.Invalid("response_format.type", "response_format.type must be text, json_object or json_schema, not %q", kind)
	}
	const param = "response_format.json_schema"
	err := field.Object(param, field.Of(v, "json_schema"), func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "name":
			f.Name, err = field.String(param+".name", v)
		case "schema":
			if !field.Null(v) {
				f.Schema = json.RawMessage(bytes.TrimSpace(v))
			}
		case "strict":
			f.Strict, err = field.OptionalBool(param+".strict", v)
		default:
			if !field.Null(v) {
				d.lose(param + "." + key)
			}
		}
		return err
	})
	if err == nil && (len(f.Schema) == 0 || f.Schema[0] != '{') {
		err = llm.Invalid(param+".schema", "%s.schema must be a JSON Schema", param)
	}
	return err
}
