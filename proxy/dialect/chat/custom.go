package chat

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// A custom tool takes free text:
//
//	{"type": "custom", "custom": {"name": ..., "description": ..., "format": ...}}
//
// and is called with {"type": "custom", "custom": {"name": ..., "input": ...}}.
// In a prompt it is a function with one text argument.

// customTool reads one. raw is the tool, and v its inner part.
func (d *decoder) customTool(param string, raw, v []byte) *llm.Error {
	t := llm.Tool{Kind: llm.Custom, Schema: json.RawMessage(llm.CustomSchema), Raw: json.RawMessage(raw), Origin: name}
	err := field.Object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch {
		case field.Null(v):
		case key == "name":
			t.Name, err = field.String(param+".name", v)
		case key == "description":
			said := ""
			said, err = field.String(param+".description", v)
			t.Description = said + t.Description
		case key == "format":
			err = field.Object(param+".format", v, func(string, []byte) *llm.Error { return nil })
			t.Description += grammarOf(v)
		default:
			d.Prompt.Lose("tools[].custom." + key)
		}
		return err
	})
	t.Description = strings.TrimLeft(t.Description, "\n")
	if err == nil && t.Name == "" {
		err = llm.Invalid(param+".name", "%s.name is missing", param)
	}
	d.Prompt.Tools = append(d.Prompt.Tools, t)
	return err
}

// grammarOf tells a model that takes no grammar which one its input must follow.
func grammarOf(format []byte) string {
	if field.Unquote(field.Of(format, "type")) != "grammar" {
		return ""
	}
	g := field.Of(format, "grammar")
	return "\n\nThe input must follow this " + field.Unquote(field.Of(g, "syntax")) + " grammar:\n" + field.Unquote(field.Of(g, "definition"))
}

// customNames are a client's custom tools: their calls go back as such.
func customNames(body []byte) map[string]bool {
	var names map[string]bool
	_ = llm.Fields(body, func(key, v []byte, _ int) bool { // the body was read before
		if field.Name(key) != "tools" {
			return true
		}
		_ = llm.Elements(v, func(v []byte, _ int) bool {
			if field.Unquote(field.Of(v, "type")) == "custom" {
				if names == nil {
					names = map[string]bool{}
				}
				names[field.Unquote(field.Of(field.Of(v, "custom"), "name"))] = true
			}
			return true
		})
		return true
	})
	return names
}

// appendInput is a custom tool's text as a function's arguments.
func appendInput(dst []byte, s string) []byte {
	return append(sse.AppendString(append(dst, `{"input":`...), s), '}')
}

// isCustom tells a tool that this model takes as what it is; any other is a
// function.
func (e *encoder) isCustom(tool string) bool {
	if !e.Flags.Has(llm.FlagCustomTools) {
		return false
	}
	for i := range e.Prompt.Tools {
		if t := &e.Prompt.Tools[i]; t.Name == tool {
			return t.Kind == llm.Custom
		}
	}
	return false
}

// custom writes a tool whose input is free text, with the grammar that the
// client gave it. Its description then need not say the grammar again.
func (e *encoder) custom(t *llm.Tool) {
	raw := []byte(t.Raw)
	if in := field.Of(raw, "custom"); !field.Null(in) {
		raw = in
	}
	says, format := t.Description, field.Of(raw, "format")
	if t.Raw != nil {
		says = field.Unquote(field.Of(raw, "description"))
	}
	e.Buf = append(e.Buf, `{"type":"custom","custom":{"name":`...)
	e.Buf = sse.AppendString(e.Buf, e.Rename(t.Name))
	if says != "" {
		e.Str("description", says)
	}
	switch g := field.Of(format, "grammar"); {
	case field.Null(format):
	case field.Unquote(field.Of(format, "type")) == "grammar" && field.Null(g): // the flat form of the Responses API
		e.Key("format")
		e.Buf = append(e.Buf, `{"type":"grammar","grammar":{"syntax":`...)
		e.Buf = sse.AppendString(e.Buf, field.Unquote(field.Of(format, "syntax")))
		e.Str("definition", field.Unquote(field.Of(format, "definition")))
		e.Buf = append(e.Buf, "}}"...)
	default:
		e.Key("format")
		e.Buf = append(e.Buf, format...)
	}
	e.Buf = append(e.Buf, "}}"...)
	if t.Cache != "" {
		e.Call.Lose("cache_control")
	}
}
