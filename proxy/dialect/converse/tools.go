package converse

import (
	"slices"
	"strings"

	"keytray/proxy/dialect/schemas"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// toolNames is what a tool may be called (G9).
var toolNames = turns.Alphabet{Marks: "_-", Most: 64, Else: "tool"}

// noCallText holds back a model that must be told of tools, because earlier
// turns used them, and must not call any: Bedrock knows no such choice.
const noCallText = "Do not call any tool now: answer with text alone."

// tool is one as it is sent.
type tool struct {
	llm.Tool // Name is the provider's
	schema   []byte
}

// nameTools settles the tools, before any call in the messages names one.
func (e *encoder) nameTools() *llm.Error {
	tools, err := e.ownTools()
	if err != nil {
		return err
	}
	if len(tools) > 0 && e.c.Model.Flags.Has(llm.FlagNoTools) {
		return llm.Invalid("tools", "model %s cannot call tools: leave them out or choose another model", e.c.Model.Name)
	}
	e.names = turns.NewNames(e.c, toolNames, tools)
	for _, t := range tools {
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
		e.tools = append(e.tools, out)
	}
	return nil
}

// ownTools are the tools that the client runs. Bedrock runs none, so a hosted
// one is left out, unless the answer would then be another one.
func (e *encoder) ownTools() ([]llm.Tool, *llm.Error) {
	own := make([]llm.Tool, 0, len(e.p.Tools))
	for _, t := range e.p.Tools {
		if t.Kind != llm.Hosted {
			own = append(own, t)
			continue
		}
		if e.p.Choice.Mode == llm.ChooseNamed && e.p.Choice.Name == t.Name {
			return nil, llm.Invalid("tool_choice", "tool_choice names %s, which Bedrock does not run: choose another provider", t.Name)
		}
		e.c.Lose("tools: " + t.Name)
	}
	if len(own) == 0 && len(e.p.Tools) > 0 {
		return nil, llm.Invalid("tools", "Bedrock runs no %s of its own: choose another provider, or leave the tool out", e.p.Tools[0].Name)
	}
	return own, nil
}

// choice is toolChoice; the zero value is left out.
type choice struct {
	kind string // auto, any, tool
	name string // of kind tool; the provider's
}

func (c choice) forced() bool { return c.kind == "any" || c.kind == "tool" }

// choose settles toolChoice, unless the format has done so (G10).
func (e *encoder) choose() *llm.Error {
	if e.c.Model.Flags.Has(llm.FlagNoTools) && len(e.Called()) > 0 {
		return llm.Invalid("messages", "model %s cannot call tools, and earlier turns did: start anew or choose another model", e.c.Model.Name)
	}
	if e.choice.kind != "" {
		return nil
	}
	p := e.p.Choice
	if len(e.tools) == 0 {
		if p.Mode == llm.ChooseAny || p.Mode == llm.ChooseNamed {
			e.c.Lose("tool_choice: there are no tools")
		}
		e.recall()
		return nil
	}
	if p.Parallel != nil && !*p.Parallel && p.Mode != llm.ChooseNone {
		e.c.Lose("parallel_tool_calls")
	}
	switch p.Mode {
	case llm.ChooseAuto:
		e.choice.kind = "auto"
	case llm.ChooseNone:
		// Without tools the model can call none; but those of earlier turns
		// must be there.
		e.tools = nil
		e.recall()
	case llm.ChooseAny:
		e.choice.kind = "any"
	case llm.ChooseNamed:
		known := func(t llm.Tool) bool { return t.Name == p.Name }
		if !slices.ContainsFunc(e.p.Tools, known) {
			return llm.Invalid("tool_choice", "tool_choice names %q, which is not among the tools", p.Name)
		}
		e.choice = choice{kind: "tool", name: e.names.To(p.Name)}
	}
	if e.choice.forced() && e.c.Model.Flags.Has(llm.FlagNoForcedTool) {
		return llm.Invalid("tool_choice", "model %s cannot be made to call a tool: leave tool_choice out or choose another model", e.c.Model.Name)
	}
	return nil
}

// recall declares the tools that earlier turns called and this request no
// longer offers: their blocks are refused without (G6).
func (e *encoder) recall() {
	used := e.Called()
	for _, name := range used {
		t := tool{Tool: llm.Tool{Name: name}, schema: []byte(schemas.Empty)}
		for _, known := range e.p.Tools {
			if schema, _, err := schemas.Object(known.Schema); err == nil && known.Kind != llm.Hosted && e.names.To(known.Name) == name {
				t.Tool, t.schema = known, schema
				t.Name = name
			}
		}
		e.tools = append(e.tools, t)
	}
	if len(used) > 0 {
		e.Instruct(llm.Block{Kind: llm.Text, Text: noCallText})
		e.c.Lose("tool_choice: the model is only told to call no tool; Bedrock cannot forbid it after earlier calls")
	}
}

func (e *encoder) appendTools(b []byte) []byte {
	if len(e.tools) == 0 {
		return b
	}
	b = append(b, `,"toolConfig":{"tools":[`...)
	for i := range e.tools {
		t := &e.tools[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = sse.AppendString(append(b, `{"toolSpec":{"name":`...), t.Name)
		if strings.TrimSpace(t.Description) != "" { // G9
			b = sse.AppendString(append(b, `,"description":`...), t.Description)
		}
		b = append(append(append(b, `,"inputSchema":{"json":`...), t.schema...), '}')
		if t.Strict != nil && *t.Strict {
			if e.c.Model.Flags.Has(llm.FlagJSONSchema) && !open(t.schema) {
				b = append(b, `,"strict":true`...)
			} else {
				e.c.Lose("tools: strict")
			}
		}
		b = e.appendPoint(append(b, `}}`...), t.Cache)
	}
	b = append(b, ']')
	switch e.choice.kind {
	case "auto", "any":
		b = append(append(append(b, `,"toolChoice":{"`...), e.choice.kind...), `":{}}`...)
	case "tool":
		b = append(sse.AppendString(append(b, `,"toolChoice":{"tool":{"name":`...), e.choice.name), `}}`...)
	}
	return append(b, '}')
}
