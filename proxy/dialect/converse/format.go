package converse

import (
	"bytes"
	"encoding/json"

	"keytray/proxy/dialect/schemas"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// holdFormat settles how the answer gets the shape that was asked for: by
// outputConfig where the model has it, or else by a tool that it must call,
// whose input DecodeResponse turns back into text.
func (e *encoder) holdFormat() *llm.Error {
	f := &e.p.Format
	switch f.Kind {
	case llm.FormatText:
		return nil
	case llm.FormatJSON:
		e.AskForJSON()
		return nil
	}
	schema, merged, err := schemas.Object(f.Schema)
	if err != nil {
		return llm.Invalid("response_format", "the schema of response_format: %v", err)
	}
	if merged {
		e.c.Lose("response_format: alternatives at the root of the schema were merged")
	}
	if e.c.Model.Flags.Has(llm.FlagJSONSchema) && !open(schema) {
		e.schema = schema
		return nil
	}
	return e.formatTool(schema)
}

// open tells a schema with an object that is not closed by
// additionalProperties: false, which no grammar of Bedrock's holds.
func open(schema []byte) bool {
	var v any
	if json.Unmarshal(schema, &v) != nil {
		return true
	}
	return openIn(v)
}

func openIn(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		_, props := v["properties"].(map[string]any)
		if more, closed := v["additionalProperties"].(bool); (props || v["type"] == "object") && (!closed || more) {
			return true
		}
		for _, x := range v {
			if openIn(x) {
				return true
			}
		}
	case []any:
		for _, x := range v {
			if openIn(x) {
				return true
			}
		}
	}
	return false
}

// formatTool adds the tool. Beside the client's own tools, some tool must be
// called; if the client already says which, its choice goes first.
func (e *encoder) formatTool(schema []byte) *llm.Error {
	p, flags := e.p.Choice, e.c.Model.Flags
	if flags.Has(llm.FlagNoTools) || flags.Has(llm.FlagNoForcedTool) {
		return llm.Invalid("response_format", "model %s cannot be held to a schema: choose another model", e.c.Model.Name)
	}
	own := len(e.tools) > 0
	if own && (p.Mode == llm.ChooseAny || p.Mode == llm.ChooseNamed) {
		e.c.Lose("response_format: not held while a tool must be called")
		return nil
	}
	if own && p.Mode == llm.ChooseNone {
		e.tools, own = nil, false
	}
	if !own {
		e.recallSilently()
	}
	t := tool{Tool: e.names.FormatTool(&e.p.Format), schema: schema}
	e.tools = append(e.tools, t)
	e.choice = choice{kind: "tool", name: t.Name}
	if own {
		e.choice = choice{kind: "any"}
	}
	return nil
}

// recallSilently is recall for a request whose one tool is forced: no other
// can be called.
func (e *encoder) recallSilently() {
	was, lost := len(e.System), len(e.c.Lost)
	e.recall()
	e.System, e.c.Lost = e.System[:was], e.c.Lost[:lost]
}

// appendFormat writes outputConfig, in which the schema is text.
func (e *encoder) appendFormat(b []byte) []byte {
	if e.schema == nil {
		return b
	}
	b = append(b, `,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{`...)
	if name := toolNames.Safe(e.p.Format.Name); name != "" {
		b = append(sse.AppendString(append(b, `"name":`...), name[:min(len(name), toolNames.Most)]), ',')
	}
	var line bytes.Buffer
	if json.Compact(&line, e.schema) != nil { // it is valid JSON
		line.Write(e.schema)
	}
	return append(sse.AppendString(append(b, `"schema":`...), line.String()), `}}}}`...)
}
