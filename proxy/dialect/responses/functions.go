package responses

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func (e *encoder) tools() error {
	p := e.Prompt
	if len(p.Tools) == 0 {
		return nil
	}
	if e.Flags.Has(llm.FlagNoTools) {
		return e.NoTools()
	}
	e.Key("tools")
	sep := byte('[')
	seen := map[string]llm.ToolKind{}
	for i := range p.Tools {
		t := &p.Tools[i]
		if _, ok := seen[t.Name]; ok && t.Kind != llm.Hosted {
			continue
		}
		at := len(e.Buf)
		e.Buf = append(e.Buf, sep)
		has, err := e.tool(t)
		if err != nil {
			return err
		}
		if !has {
			e.Buf = e.Buf[:at]
			continue
		}
		sep = ','
		seen[t.Name] = t.Kind
	}
	if len(seen) == 0 {
		return llm.Invalid("tools", "none of the tools exists at this provider (%s): ask a provider that runs them", p.Tools[0].Name)
	}
	e.Buf = append(e.Buf, ']')
	return e.choice(seen)
}

func (e *encoder) choice(seen map[string]llm.ToolKind) error {
	ch := &e.Prompt.Choice
	kind, ok := seen[ch.Name]
	switch {
	case ch.Mode != llm.ChooseNamed:
		e.Choice()
	case !ok && e.isHosted(ch.Name):
		return llm.Invalid("tool_choice", "tool_choice asks for %s, which this provider does not run: ask one that does", ch.Name)
	case !ok: // A26
		e.Call.Lose("tool_choice: no tool is called " + ch.Name)
	case kind == llm.Hosted:
		e.Key("tool_choice")
		e.Buf = append(sse.AppendString(append(e.Buf, `{"type":`...), e.hostedType(ch.Name)), '}')
	default:
		what := `{"type":"function","name":`
		if e.custom[ch.Name] {
			what = `{"type":"custom","name":`
		}
		e.Key("tool_choice")
		e.Buf = append(sse.AppendString(append(e.Buf, what...), e.Rename(ch.Name)), '}')
	}
	e.Parallel()
	return nil
}

func (e *encoder) isHosted(tool string) bool {
	for i := range e.Prompt.Tools {
		if t := &e.Prompt.Tools[i]; t.Kind == llm.Hosted && t.Name == tool {
			return true
		}
	}
	return false
}

// hostedType is the type of a hosted tool in a choice.
func (e *encoder) hostedType(tool string) string {
	for i := range e.Prompt.Tools {
		if t := &e.Prompt.Tools[i]; t.Kind == llm.Hosted && t.Name == tool && t.Origin == name {
			return field.Unquote(field.Of(t.Raw, "type"))
		}
	}
	if tool == llm.RunCode {
		return "code_interpreter"
	}
	return tool
}

// tool writes one tool; false if the provider has no such.
func (e *encoder) tool(t *llm.Tool) (bool, error) {
	switch {
	case t.Kind == llm.Hosted:
		return e.hosted(t), nil
	case e.custom[t.Name]:
		e.customTool(t)
		return true, nil
	}
	// Here a function is strict unless it says otherwise, which changes its
	// schema; in other dialects it is not.
	e.Buf = append(e.Buf, `{"type":"function",`...)
	if err := e.Function(t, true); err != nil {
		return false, err
	}
	e.Buf = append(e.Buf, '}')
	if t.Cache != "" {
		e.Call.Lose("cache_control")
	}
	return true, nil
}

// customTool writes a tool whose input is free text, with the grammar that the
// client gave it. Its description says the grammar again only where it is the
// client's own text.
func (e *encoder) customTool(t *llm.Tool) {
	raw := []byte(t.Raw)
	if in := field.Of(raw, "custom"); rawObject(in) != nil { // chat's form
		raw = in
	}
	says, format := t.Description, field.Of(raw, "format")
	if t.Raw != nil {
		says = field.Unquote(field.Of(raw, "description"))
	}
	e.Buf = sse.AppendString(append(e.Buf, `{"type":"custom","name":`...), e.Rename(t.Name))
	if says != "" {
		e.Str("description", says)
	}
	switch deep := field.Of(format, "grammar"); {
	case rawObject(deep) != nil: // chat's form
		e.Key("format")
		e.Buf = append(e.Buf, `{"type":"grammar"`...)
		e.Str("syntax", field.Unquote(field.Of(deep, "syntax")))
		e.Str("definition", field.Unquote(field.Of(deep, "definition")))
		e.Buf = append(e.Buf, '}')
	case rawObject(format) != nil:
		e.Key("format")
		e.Buf = append(e.Buf, format...)
	}
	e.Buf = append(e.Buf, '}')
}

// hosted writes a tool that the provider runs. A definition of this dialect
// goes as it is; of others, what has a place here.
func (e *encoder) hosted(t *llm.Tool) bool {
	switch {
	case e.Flags.Has(llm.FlagNoHostedTools):
		e.Call.Lose("tools: " + t.Name)
		return false
	case t.Origin == name && rawObject(t.Raw) != nil:
		e.Buf = append(e.Buf, t.Raw...)
	case t.Name == llm.WebSearch:
		e.search(t.Raw)
	case t.Name == llm.RunCode:
		e.Buf = append(e.Buf, `{"type":"code_interpreter","container":{"type":"auto"}}`...)
	default:
		e.Call.Lose("tools: " + t.Name)
		return false
	}
	return true
}

// search writes a web search with the limits that Anthropic's and chat's
// definitions can say.
func (e *encoder) search(raw []byte) {
	e.Buf = append(e.Buf, `{"type":"web_search"`...)
	_ = llm.Fields(raw, func(key, v []byte, _ int) bool { // one without a definition has no limits
		switch k := string(key); k {
		case "allowed_domains":
			if field.Truthy(v) {
				e.Key("filters")
				e.Buf = append(append(append(e.Buf, `{"allowed_domains":`...), v...), '}')
			}
		case "search_context_size":
			e.Key(k)
			e.Buf = append(e.Buf, v...)
		case "user_location":
			if in := field.Of(v, "approximate"); rawObject(in) != nil {
				e.Key(k)
				e.Buf = append(append(e.Buf, `{"type":"approximate"`...), inner(in)...)
				e.Buf = append(e.Buf, '}')
			} else if rawObject(v) != nil {
				e.Key(k)
				e.Buf = append(e.Buf, v...)
			}
		case "type", "name":
		default:
			if field.Truthy(v) {
				e.Call.Lose("tools: web_search: " + k)
			}
		}
		return true
	})
	e.Buf = append(e.Buf, '}')
}

// inner is the inside of an object, with a comma before it if there is some.
func inner(v []byte) []byte {
	v = bytes.TrimSpace(v[1 : len(v)-1])
	if len(v) == 0 {
		return nil
	}
	return append([]byte{','}, v...)
}
