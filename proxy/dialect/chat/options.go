package chat

import (
	"bytes"
	"cmp"
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
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
					d.Prompt.Lose("tools[]." + key)
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
		d.Prompt.Tools[len(d.Prompt.Tools)-1].Cache, err = cacheMark(param+".cache_control", cache)
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
				d.Prompt.Lose("tools[].function." + key)
			}
		}
		return err
	})
	if err == nil && t.Name == "" {
		err = llm.Invalid(param+".name", "%s.name is missing", param)
	}
	d.Prompt.Tools = append(d.Prompt.Tools, t)
	return err
}

func (d *decoder) toolChoice(v []byte) *llm.Error {
	if known, err := d.Choice(v); known {
		return err
	}
	c := &d.Prompt.Choice
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
		return d.Allow("tool_choice.allowed_tools.tools", allowed, func(v []byte) string {
			return cmp.Or(
				field.Unquote(field.Of(field.Of(v, "function"), "name")),
				field.Unquote(field.Of(field.Of(v, "custom"), "name")),
				field.Unquote(field.Of(v, "name")),
			)
		})
	case "none", "auto", "required", "any":
		c.Mode, _ = openai.ChoiceMode(kind)
	default:
		return llm.Invalid("tool_choice.type", "tool_choice.type: only functions and custom tools can be chosen, not %q", kind)
	}
	return nil
}

// functionChoice reads the form that tool_choice replaced.
func (d *decoder) functionChoice(v []byte) *llm.Error {
	if v[0] == '{' {
		d.Prompt.Choice.Mode, d.Prompt.Choice.Name = llm.ChooseNamed, field.Unquote(field.Of(v, "name"))
		return nil
	}
	mode, ok := openai.ChoiceMode(field.Unquote(v))
	if !ok {
		return llm.Invalid("function_call", "function_call must be none, auto or an object")
	}
	d.Prompt.Choice.Mode = mode
	return nil
}

func (d *decoder) format(v []byte) *llm.Error {
	f := &d.Prompt.Format
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
				d.Prompt.Lose(param + "." + key)
			}
		}
		return err
	})
	if err == nil && (len(f.Schema) == 0 || f.Schema[0] != '{') {
		err = llm.Invalid(param+".schema", "%s.schema must be a JSON Schema", param)
	}
	return err
}
