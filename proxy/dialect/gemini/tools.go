package gemini

import (
	"bytes"
	"encoding/json"

	"keytray/proxy/llm"
)

// tools declares all functions in one Tool object, which is how Google wants
// them (E11), with the mode in which they may be called.
func (e *encoder) tools() ([]json.RawMessage, *toolConfig, error) {
	choice := e.p.Choice
	if len(e.p.Tools) == 0 {
		e.lose(choice.Mode == llm.ChooseAny || choice.Mode == llm.ChooseNamed, "tool_choice: there are no tools")
		return nil, nil, nil
	}
	if e.c.Model.Flags.Has(llm.FlagNoTools) {
		if choice.Mode == llm.ChooseNone {
			e.c.Lose("tools: this model calls none")
			return nil, nil, nil
		}
		return nil, nil, llm.Invalid("tools", "model %s cannot call tools: leave them out or choose another model", e.c.Model.Name)
	}
	var all []functionDeclaration
	at := map[string]int{}
	for _, t := range e.p.Tools {
		if t.Kind == llm.Hosted {
			continue
		}
		d, err := e.declare(t)
		if err != nil {
			return nil, nil, err
		}
		if i, double := at[d.Name]; double { // C15
			if all[i].Description == d.Description && bytes.Equal(all[i].ParametersJSONSchema, d.ParametersJSONSchema) {
				continue
			}
			return nil, nil, llm.Invalid("tools", "two different tools are called %q", t.Name)
		}
		at[d.Name] = len(all)
		all = append(all, d)
	}
	if choice.Parallel != nil && !*choice.Parallel {
		e.c.Lose("parallel_tool_calls: Google cannot be held to one call")
	}
	hosted, err := e.hosted(len(all) > 0)
	if err != nil || len(all) == 0 {
		e.lose(err == nil && choice.Mode != llm.ChooseUnset && choice.Mode != llm.ChooseAuto, "tool_choice: there are no functions")
		return hosted, nil, err
	}
	b, err := plainJSON(functions{all})
	if err != nil {
		return nil, nil, err
	}
	return append(hosted, b), e.choose(at), nil
}

func (e *encoder) declare(t llm.Tool) (functionDeclaration, error) {
	if t.Kind == llm.Custom && len(t.Schema) == 0 {
		t.Schema = json.RawMessage(llm.CustomSchema)
	}
	schema, lost, err := cleanSchema(t.Schema)
	if err != nil {
		return functionDeclaration{}, llm.Invalid("tools", "the parameters of tool %q are not a JSON object: %v", t.Name, err)
	}
	for _, l := range lost {
		e.c.Lose("tools: " + l)
	}
	e.lose(t.Strict != nil && *t.Strict, "tools: strict")
	e.lose(t.Cache != "", "cache_control")
	return functionDeclaration{Name: e.names.to(t.Name), Description: t.Description, ParametersJSONSchema: schema}, nil
}

func (e *encoder) choose(declared map[string]int) *toolConfig {
	var f functionCallingConfig
	switch c := e.p.Choice; c.Mode {
	case llm.ChooseUnset:
		return nil
	case llm.ChooseAuto:
		f.Mode = "AUTO"
	case llm.ChooseNone:
		f.Mode = "NONE"
	case llm.ChooseAny:
		f.Mode = "ANY"
	case llm.ChooseNamed:
		name := e.names.to(c.Name)
		if _, ok := declared[name]; !ok { // A26
			e.c.Lose("tool_choice: there is no tool called " + c.Name)
			return nil
		}
		f.Mode, f.AllowedFunctionNames = "ANY", []string{name}
	}
	return &toolConfig{f}
}

// arguments of an earlier call as an object, whatever the client kept (A13).
func (e *encoder) arguments(text string) json.RawMessage {
	if text == "" {
		return json.RawMessage("{}")
	}
	if b := []byte(text); isObject(b) {
		return b
	}
	e.c.Lose("messages: the arguments of an earlier tool call are not a JSON object")
	return json.RawMessage("{}")
}

func isObject(b []byte) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && b[0] == '{' && json.Valid(b)
}
