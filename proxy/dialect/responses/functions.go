package responses

import (
	"bytes"
	"hash/fnv"
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// maxName is how long a function's name may be, and safeName which letters
// it may have.
const maxName = 64

func safeName(s string) string {
	out := []byte(s)
	same := len(s) <= maxName && s != ""
	for i, c := range out {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
		if !ok {
			out[i], same = '_', false
		}
	}
	if same {
		return s
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	tail := "_" + strconv.FormatUint(uint64(h.Sum32()), 36)
	return string(out[:min(len(out), maxName-len(tail))]) + tail
}

// nameTools finds names that the provider takes, and refuses two tools of the
// same name unless they are the same tool (C15).
func (e *encoder) nameTools() error {
	seen := map[string]int{}
	e.custom, e.texts = map[string]bool{}, map[string]bool{}
	for i := range e.p.Tools {
		t := &e.p.Tools[i]
		if t.Kind == llm.Hosted {
			continue
		}
		if first, ok := seen[t.Name]; ok && !sameTool(&e.p.Tools[first], t) {
			return llm.Invalid("tools["+strconv.Itoa(i)+"]", "tools: two different tools have the name %q", t.Name)
		}
		seen[t.Name] = i
		e.rename(t.Name)
		e.custom[t.Name] = t.Kind == llm.Custom && !e.flags.Has(llm.FlagNoCustomTools)
	}
	return nil
}

// rename is the provider's name for a client's tool.
func (e *encoder) rename(client string) string {
	safe := safeName(client)
	if safe != client {
		if e.c.Tools == nil {
			e.c.Tools = map[string]string{}
		}
		e.c.Tools[safe] = client
	}
	return safe
}

func sameTool(a, b *llm.Tool) bool {
	return a.Kind == b.Kind && a.Description == b.Description && bytes.Equal(a.Schema, b.Schema)
}

func (e *encoder) tools() error {
	p, ch := e.p, &e.p.Choice
	if len(p.Tools) == 0 {
		return nil
	}
	if e.flags.Has(llm.FlagNoTools) {
		if ch.Mode == llm.ChooseAny || ch.Mode == llm.ChooseNamed {
			return llm.Invalid("tool_choice", "%s takes no tools, and a call is required: choose another model", e.c.Model.Name)
		}
		e.c.Lose("tools: this model takes none")
		return nil
	}
	e.key("tools")
	sep := byte('[')
	seen := map[string]llm.ToolKind{}
	for i := range p.Tools {
		t := &p.Tools[i]
		if _, ok := seen[t.Name]; ok && t.Kind != llm.Hosted {
			continue
		}
		at := len(e.buf)
		e.buf = append(e.buf, sep)
		if !e.tool(t) {
			e.buf = e.buf[:at]
			continue
		}
		sep = ','
		seen[t.Name] = t.Kind
	}
	if len(seen) == 0 {
		return llm.Invalid("tools", "none of the tools exists at this provider (%s): ask a provider that runs them", p.Tools[0].Name)
	}
	e.buf = append(e.buf, ']')
	return e.choice(seen)
}

func (e *encoder) choice(seen map[string]llm.ToolKind) error {
	ch := &e.p.Choice
	switch ch.Mode {
	case llm.ChooseAuto:
		e.str("tool_choice", "auto")
	case llm.ChooseNone:
		e.str("tool_choice", "none")
	case llm.ChooseAny:
		e.str("tool_choice", "required")
	case llm.ChooseNamed:
		kind, ok := seen[ch.Name]
		switch {
		case !ok && e.isHosted(ch.Name):
			return llm.Invalid("tool_choice", "tool_choice asks for %s, which this provider does not run: ask one that does", ch.Name)
		case !ok: // A26
			e.c.Lose("tool_choice: no tool is called " + ch.Name)
		case kind == llm.Hosted:
			e.key("tool_choice")
			e.buf = append(sse.AppendString(append(e.buf, `{"type":`...), e.hostedType(ch.Name)), '}')
		default:
			what := `{"type":"function","name":`
			if e.custom[ch.Name] {
				what = `{"type":"custom","name":`
			}
			e.key("tool_choice")
			e.buf = append(sse.AppendString(append(e.buf, what...), e.rename(ch.Name)), '}')
		}
	case llm.ChooseUnset:
	}
	if ch.Parallel != nil { // C7
		if e.flags.Has(llm.FlagNoParallelControl) {
			e.c.Lose("parallel_tool_calls")
		} else {
			e.bool("parallel_tool_calls", *ch.Parallel)
		}
	}
	return nil
}

func (e *encoder) isHosted(tool string) bool {
	for i := range e.p.Tools {
		if t := &e.p.Tools[i]; t.Kind == llm.Hosted && t.Name == tool {
			return true
		}
	}
	return false
}

// hostedType is the type of a hosted tool in a choice.
func (e *encoder) hostedType(tool string) string {
	for i := range e.p.Tools {
		if t := &e.p.Tools[i]; t.Kind == llm.Hosted && t.Name == tool && t.Origin == name {
			return field.Unquote(field.Of(t.Raw, "type"))
		}
	}
	if tool == llm.RunCode {
		return "code_interpreter"
	}
	return tool
}

// tool writes one tool; false if the provider has no such.
func (e *encoder) tool(t *llm.Tool) bool {
	switch {
	case t.Kind == llm.Hosted:
		return e.hosted(t)
	case e.custom[t.Name]:
		e.customTool(t)
		return true
	}
	e.buf = sse.AppendString(append(e.buf, `{"type":"function","name":`...), e.rename(t.Name))
	if t.Description != "" {
		e.str("description", t.Description)
	}
	e.key("parameters")
	if len(t.Schema) > 0 {
		e.buf = append(e.buf, t.Schema...)
	} else {
		e.buf = append(e.buf, `{"type":"object","properties":{}}`...)
	}
	// Here a function is strict unless it says otherwise, which changes its
	// schema; in other dialects it is not.
	e.bool("strict", t.Strict != nil && *t.Strict)
	e.buf = append(e.buf, '}')
	if t.Cache != "" {
		e.c.Lose("cache_control")
	}
	return true
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
	e.buf = sse.AppendString(append(e.buf, `{"type":"custom","name":`...), e.rename(t.Name))
	if says != "" {
		e.str("description", says)
	}
	switch deep := field.Of(format, "grammar"); {
	case rawObject(deep) != nil: // chat's form
		e.key("format")
		e.buf = append(e.buf, `{"type":"grammar"`...)
		e.str("syntax", field.Unquote(field.Of(deep, "syntax")))
		e.str("definition", field.Unquote(field.Of(deep, "definition")))
		e.buf = append(e.buf, '}')
	case rawObject(format) != nil:
		e.key("format")
		e.buf = append(e.buf, format...)
	}
	e.buf = append(e.buf, '}')
}

// hosted writes a tool that the provider runs. A definition of this dialect
// goes as it is; of others, what has a place here.
func (e *encoder) hosted(t *llm.Tool) bool {
	switch {
	case e.flags.Has(llm.FlagNoHostedTools):
		e.c.Lose("tools: " + t.Name)
		return false
	case t.Origin == name && rawObject(t.Raw) != nil:
		e.buf = append(e.buf, t.Raw...)
	case t.Name == llm.WebSearch:
		e.search(t.Raw)
	case t.Name == llm.RunCode:
		e.buf = append(e.buf, `{"type":"code_interpreter","container":{"type":"auto"}}`...)
	default:
		e.c.Lose("tools: " + t.Name)
		return false
	}
	return true
}

// search writes a web search with the limits that Anthropic's and chat's
// definitions can say.
func (e *encoder) search(raw []byte) {
	e.buf = append(e.buf, `{"type":"web_search"`...)
	_ = llm.Fields(raw, func(key, v []byte, _ int) bool { // one without a definition has no limits
		switch k := string(key); k {
		case "allowed_domains":
			if field.Truthy(v) {
				e.key("filters")
				e.buf = append(append(append(e.buf, `{"allowed_domains":`...), v...), '}')
			}
		case "search_context_size":
			e.key(k)
			e.buf = append(e.buf, v...)
		case "user_location":
			if in := field.Of(v, "approximate"); rawObject(in) != nil {
				e.key(k)
				e.buf = append(append(e.buf, `{"type":"approximate"`...), inner(in)...)
				e.buf = append(e.buf, '}')
			} else if rawObject(v) != nil {
				e.key(k)
				e.buf = append(e.buf, v...)
			}
		case "type", "name":
		default:
			if field.Truthy(v) {
				e.c.Lose("tools: web_search: " + k)
			}
		}
		return true
	})
	e.buf = append(e.buf, '}')
}

// inner is the inside of an object, with a comma before it if there is some.
func inner(v []byte) []byte {
	v = bytes.TrimSpace(v[1 : len(v)-1])
	if len(v) == 0 {
		return nil
	}
	return append([]byte{','}, v...)
}
