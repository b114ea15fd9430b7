package messages

import (
	"strings"

	"keytray/proxy/dialect/schemas"
	"keytray/proxy/llm"
)

// holdFormat settles how the answer gets the shape that was asked for: by the
// model's own means, or else by a tool that it must call, whose input
// DecodeResponse turns back into text (A22).
func (e *encoder) holdFormat() *llm.Error {
	f := &e.p.Format
	switch f.Kind {
	case llm.FormatText:
		return nil
	case llm.FormatJSON:
		e.AskForJSON()
		return nil
	}
	if e.c.Model.Flags.Has(llm.FlagJSONSchema) {
		if g, err := schemas.NewGrammar(f.Schema); err == nil {
			e.schema = g.Out
			if len(g.Lost) > 0 {
				e.c.Lose("response_format: " + strings.Join(g.Lost, ", ") + " are only told to the model")
			}
			return nil
		}
	}
	return e.formatTool()
}

// formatTool adds the tool. Beside the client's own tools, some tool must be
// called; if the client already says which, its choice goes first.
func (e *encoder) formatTool() *llm.Error {
	f, p := &e.p.Format, e.p.Choice
	schema, merged, err := schemas.Object(f.Schema)
	if err != nil {
		return llm.Invalid("response_format", "the schema of response_format: %v", err)
	}
	if e.c.Model.Flags.Has(llm.FlagNoTools) {
		return llm.Invalid("response_format", "model %s cannot be held to a schema: choose another model", e.c.Model.Name)
	}
	own := len(e.p.Tools) > 0
	if own && (p.Mode == llm.ChooseAny || p.Mode == llm.ChooseNamed) {
		e.c.Lose("response_format: not held while a tool must be called")
		return nil
	}
	if merged {
		e.c.Lose("response_format: alternatives at the root of the schema were merged")
	}
	if !own {
		e.recall()
	}
	t := tool{Tool: e.names.FormatTool(f), schema: schema}
	e.tools = append(e.tools, t)
	if own && p.Mode != llm.ChooseNone {
		e.choice.kind = "any"
		e.single()
		return nil
	}
	e.choice = choice{kind: "tool", name: t.Name, single: !e.c.Model.Flags.Has(llm.FlagNoParallelControl)}
	return nil
}
