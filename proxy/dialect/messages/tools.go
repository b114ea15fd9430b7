package messages

import (
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/schemas"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// toolNames is what a tool may be called.
var toolNames = turns.Alphabet{Marks: "_-", Most: 128, Else: "tool"}

// maxStrict is how many strict tools a request may have.
const maxStrict = 20

// tool is one as it is sent.
type tool struct {
	llm.Tool        // Name is the provider's
	schema   []byte // an object schema
	strict   bool
	raw      []byte // the definition of one of Anthropic's own tools, in place of all else
}

// nameTools settles the tools, before any call in the messages names one.
func (e *encoder) nameTools() *llm.Error {
	e.names = turns.NewNames(e.c, toolNames, e.p.Tools)
	if len(e.p.Tools) > 0 && e.c.Model.Flags.Has(llm.FlagNoTools) {
		return llm.Invalid("tools", "model %s cannot call tools: leave them out or choose another model", e.c.Model.Name)
	}
	for _, t := range e.p.Tools {
		if t.Kind == llm.Hosted {
			if err := e.hosted(&t); err != nil {
				return err
			}
			continue
		}
		if first, err := e.names.First(&t); err != nil {
			return err
		} else if !first {
			continue
		}
		schema, merged, err := schemas.Object(t.Schema)
		if err != nil {
			return llm.Invalid("tools", "the parameters of tool %q: %v", t.Name, err)
		}
		if merged {
			e.c.Lose("tools: alternatives at the root of a tool's parameters were merged")
		}
		out := tool{Tool: t, schema: schema}
		out.Name = e.names.To(t.Name)
		if t.Strict != nil && *t.Strict {
			out.strict = e.strict(schema)
		}
		if t.Origin == name && t.Raw != nil { // it knows this one by its type
			out.raw = without(t.Raw, "cache_control")
		}
		e.tools = append(e.tools, out)
	}
	if len(e.tools) == 0 && len(e.p.Tools) > 0 && e.p.Choice.Mode != llm.ChooseNone {
		return llm.Invalid("tools", "none of the tools can be had here: choose a model whose provider has them, or send tools of your own")
	}
	return nil
}

// hosted offers a tool that the provider runs, as the client defined it or as
// Anthropic has one of the kind; else it is dropped and told.
func (e *encoder) hosted(t *llm.Tool) *llm.Error {
	out := tool{Tool: *t}
	switch {
	case t.Origin == name && t.Raw != nil && t.Name != "mcp_toolset": // which would need its servers
		out.raw = without(t.Raw, "cache_control")
	case t.Name == llm.WebSearch:
		out.raw = e.search(t)
	case t.Name == llm.WebFetch:
		out.raw = []byte(`{"type":"web_fetch_20250910","name":"web_fetch"}`)
	case t.Name == llm.RunCode:
		out.raw = []byte(`{"type":"code_execution_20250825","name":"code_execution"}`)
	case e.p.Choice.Mode == llm.ChooseNamed && e.p.Choice.Name == t.Name:
		return llm.Invalid("tool_choice", "tool_choice asks for %s, which cannot be had here: choose a model whose provider has it", t.Name)
	default:
		e.c.Lose("tools: " + t.Name)
		return nil
	}
	out.Name = field.Unquote(field.Of(out.raw, "name"))
	if slices.ContainsFunc(e.tools, func(o tool) bool { return o.Kind == llm.Hosted && o.Name == out.Name }) {
		return nil
	}
	if !e.names.Claim(t.Name, out.Name) { // C15
		return llm.Invalid("tools", "two different tools are called %q", out.Name)
	}
	e.tools = append(e.tools, out)
	return nil
}

// search is a web search with the limits that OpenAI's definition can say.
func (e *encoder) search(t *llm.Tool) []byte {
	raw := []byte(`{"type":"web_search_20250305","name":"web_search"`)
	_ = llm.Fields(t.Raw, func(key, v []byte, _ int) bool { // one without a definition has no limits
		switch domains := field.Of(v, "allowed_domains"); {
		case string(key) == "type", string(key) == "name", !field.Truthy(v):
		case string(key) == "filters" && field.Truthy(domains):
			raw = append(append(raw, `,"allowed_domains":`...), domains...)
		case string(key) == "user_location" && field.Unquote(field.Of(v, "type")) == "approximate" && field.Of(v, "approximate") == nil:
			raw = append(append(raw, `,"user_location":`...), v...)
		default:
			e.c.Lose("tools: web_search: " + string(key))
		}
		return true
	})
	return append(raw, '}')
}

// strict tells whether Anthropic can hold the model to the schema as it is.
func (e *encoder) strict(schema []byte) bool {
	n := 0
	for i := range e.tools {
		if e.tools[i].strict {
			n++
		}
	}
	if n < maxStrict && e.c.Model.Flags.Has(llm.FlagJSONSchema) {
		if g, err := schemas.NewGrammar(schema); err == nil && !g.Changed {
			return true
		}
	}
	e.c.Lose("tools: strict")
	return false
}

// choice is tool_choice; the zero value is left out.
type choice struct {
	kind   string // auto, any, tool, none
	name   string // of kind tool; the provider's
	single bool   // disable_parallel_tool_use
}

func (c choice) forced() bool { return c.kind == "any" || c.kind == "tool" }

// choose settles tool_choice, unless the format has done so.
func (e *encoder) choose() *llm.Error {
	if e.choice.kind != "" {
		return nil
	}
	p := e.p.Choice
	if len(e.p.Tools) == 0 {
		if p.Mode == llm.ChooseAny || p.Mode == llm.ChooseNamed { // A26
			e.c.Lose("tool_choice: there are no tools")
		}
		e.recall()
		return nil
	}
	switch p.Mode {
	case llm.ChooseAuto:
		e.choice.kind = "auto"
	case llm.ChooseNone:
		e.choice.kind = "none"
		return nil
	case llm.ChooseAny:
		e.choice.kind = "any"
	case llm.ChooseNamed:
		known := func(t llm.Tool) bool { return t.Name == p.Name }
		if !slices.ContainsFunc(e.p.Tools, known) {
			return llm.Invalid("tool_choice", "tool_choice names %q, which is not among the tools", p.Name)
		}
		e.choice.kind, e.choice.name = "tool", e.names.To(p.Name)
	}
	e.single()
	return nil
}

// single carries the wish for one call at a time (A14).
func (e *encoder) single() {
	if p := e.p.Choice.Parallel; p == nil || *p {
		return
	}
	if e.c.Model.Flags.Has(llm.FlagNoParallelControl) {
		e.c.Lose("parallel_tool_calls")
		return
	}
	if e.choice.kind == "" {
		e.choice.kind = "auto"
	}
	e.choice.single = true
}

// recall declares the tools that earlier turns called and this request no
// longer offers: their blocks are refused without.
func (e *encoder) recall() {
	used := e.Called()
	for _, name := range used {
		e.tools = append(e.tools, tool{Tool: llm.Tool{Name: name}, schema: []byte(schemas.Empty)})
	}
	if len(used) > 0 && e.choice.kind == "" {
		e.choice.kind = "none"
	}
}

func (e *encoder) appendTools(b []byte) []byte {
	for i := range e.tools {
		t := &e.tools[i]
		if i == 0 {
			b = append(b, `,"tools":[`...)
		} else {
			b = append(b, ',')
		}
		if t.raw != nil {
			b = e.appendMark(append(b, t.raw[:len(t.raw)-1]...), t.Cache)
			continue
		}
		b = sse.AppendString(append(b, `{"name":`...), t.Name)
		if t.Description != "" {
			b = sse.AppendString(append(b, `,"description":`...), t.Description)
		}
		b = append(append(b, `,"input_schema":`...), t.schema...)
		if t.strict {
			b = append(b, `,"strict":true`...)
		}
		b = e.appendMark(b, t.Cache)
	}
	if len(e.tools) > 0 {
		b = append(b, ']')
	}
	if e.choice.kind == "" {
		return b
	}
	b = append(append(append(b, `,"tool_choice":{"type":"`...), e.choice.kind...), '"')
	if e.choice.kind == "tool" {
		b = sse.AppendString(append(b, `,"name":`...), e.choice.name)
	}
	if e.choice.single {
		b = append(b, `,"disable_parallel_tool_use":true`...)
	}
	return append(b, '}')
}
