package gemini

import (
	"encoding/json"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// tool reads one Tool object: functions, tools that Google runs, or both.
func (d *reader) tool(param string, v []byte) *llm.Error {
	return object(param, v, func(key string, v []byte) *llm.Error {
		if key == "functionDeclarations" {
			return list(param+"."+key, v, d.function)
		}
		if v[0] != '{' {
			return llm.Invalid(param+"."+key, "%s.%s must be an object, not %s", param, key, field.Kind(v))
		}
		raw := append(append(sse.AppendString([]byte{'{'}, key), ':'), v...)
		d.p.Tools = append(d.p.Tools, llm.Tool{
			Kind: llm.Hosted, Name: hostedName(key), Origin: name, Raw: append(raw, '}'),
		})
		return nil
	})
}

// hostedName is what a tool of Google's does, in the word that all share if
// there is one.
func hostedName(key string) string {
	switch key {
	case "googleSearch", "googleSearchRetrieval", "enterpriseWebSearch":
		return llm.WebSearch
	case "urlContext":
		return llm.WebFetch
	case "codeExecution":
		return llm.RunCode
	}
	return key // googleMaps, fileSearch, computerUse, retrieval
}

func (d *reader) function(param string, v []byte) *llm.Error {
	var t llm.Tool
	err := object(param, v, func(key string, v []byte) (err *llm.Error) {
		at := param + "." + key
		switch key {
		case "name":
			t.Name, err = field.String(at, v)
		case "description":
			t.Description, err = field.String(at, v)
		case "parameters":
			if t.Schema == nil {
				t.Schema, err = jsonSchema(at, v)
			}
		case "parametersJsonSchema":
			if v[0] != '{' {
				return llm.Invalid(at, "%s must be a JSON Schema, not %s", at, field.Kind(v))
			}
			t.Schema = json.RawMessage(v)
		default: // response, responseJsonSchema: what the function answers; behavior
			if field.Truthy(v) {
				d.p.Lose("tools: functionDeclarations." + key)
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

// toolConfig reads one field of toolConfig.
func (d *reader) toolConfig(key string, v []byte) *llm.Error {
	if key != "functionCallingConfig" {
		if field.Truthy(v) { // retrievalConfig, includeServerSideToolInvocations
			d.p.Lose("toolConfig." + key)
		}
		return nil
	}
	const param = "toolConfig.functionCallingConfig"
	return object(param, v, func(key string, v []byte) (err *llm.Error) {
		switch key {
		case "mode":
			var mode string
			mode, err = enum(param+".mode", "MODE_", v)
			switch mode {
			case "":
			case "AUTO":
				d.p.Choice.Mode = llm.ChooseAuto
			case "VALIDATED": // as AUTO, with calls held to their schema
				d.p.Choice.Mode = llm.ChooseAuto
				d.p.Lose(param + ".mode: VALIDATED went as AUTO")
			case "ANY":
				d.p.Choice.Mode = llm.ChooseAny
			case "NONE":
				d.p.Choice.Mode = llm.ChooseNone
			default:
				return llm.Invalid(param+".mode", "%s.mode must be AUTO, ANY, NONE or VALIDATED, not %q", param, mode)
			}
		case "allowedFunctionNames":
			err = list(param+"."+key, v, func(param string, v []byte) *llm.Error {
				s, err := field.String(param, v)
				d.allowed = append(d.allowed, s)
				return err
			})
		default:
			if field.Truthy(v) {
				d.p.Lose(param + "." + key)
			}
		}
		return err
	})
}

// settleChoice compares the choice with the tools that there are.
func (d *reader) settleChoice() *llm.Error {
	const param = "toolConfig.functionCallingConfig"
	p, c := d.p, &d.p.Choice
	function := func(name string) bool {
		return slices.ContainsFunc(p.Tools, func(t llm.Tool) bool { return t.Kind == llm.Function && t.Name == name })
	}
	for _, s := range d.allowed {
		if !function(s) {
			return llm.Invalid(param+".allowedFunctionNames", "%s allows %q, which is not among the functions", param, s)
		}
	}
	switch {
	case len(d.allowed) == 1 && c.Mode == llm.ChooseAny:
		c.Mode, c.Name = llm.ChooseNamed, d.allowed[0]
	case len(d.allowed) > 0 && c.Mode != llm.ChooseNone:
		all := len(p.Tools)
		p.Tools = slices.DeleteFunc(p.Tools, func(t llm.Tool) bool {
			return t.Kind == llm.Function && !slices.Contains(d.allowed, t.Name)
		})
		if len(p.Tools) < all {
			d.p.Lose(param + ".allowedFunctionNames: the other functions are left out")
		}
	}
	if c.Mode == llm.ChooseAny && !slices.ContainsFunc(p.Tools, func(t llm.Tool) bool { return t.Kind == llm.Function }) {
		*c = llm.Choice{} // A26: the mode is about functions alone
		d.p.Lose(param + ": there are no functions")
	}
	return nil
}
