package ollama

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/ollama/ollama/api"

	"keytray/proxy/llm"
)

// tools lists the functions. Ollama cannot be made to call one.
func tools(c *llm.Call, p *llm.Prompt) ([]tool, error) {
	p, err := c.ClientTools(p)
	if err != nil {
		return nil, err
	}
	forced := p.Choice.Mode == llm.ChooseAny || p.Choice.Mode == llm.ChooseNamed
	switch {
	case p.Choice.Mode == llm.ChooseNone || len(p.Tools) == 0:
		return nil, nil // a model that is shown no tools calls none
	case c.Model.Flags.Has(llm.FlagNoTools) && forced:
		return nil, llm.Invalid("tool_choice", "%s calls no tools: choose another model, or leave tool_choice out", c.Model.Name)
	case c.Model.Flags.Has(llm.FlagNoTools):
		c.Lose("tools: this model takes none") // Ollama refuses them
		return nil, nil
	case forced:
		c.Lose("tool_choice: Ollama cannot force a call")
	}
	if par := p.Choice.Parallel; par != nil && !*par {
		c.Lose("parallel_tool_calls: Ollama cannot be held to one call")
	}
	offered := p.Tools
	if p.Choice.Mode == llm.ChooseNamed {
		// The nearest to a call of this one is that no other can be called.
		i := slices.IndexFunc(offered, func(t llm.Tool) bool { return t.Name == p.Choice.Name })
		if i >= 0 {
			offered = offered[i : i+1]
		}
	}
	out := make([]tool, 0, len(offered))
	seen := map[string]int{}
	for i, t := range offered {
		if first, ok := seen[t.Name]; ok { // C15
			if !sameTool(&offered[first], &t) {
				return nil, llm.Invalid("tools", "tools: two different tools have the name %q", t.Name)
			}
			continue
		}
		seen[t.Name] = i
		w := tool{Type: "function"}
		w.Function.Name, w.Function.Description = t.Name, t.Description
		if w.Function.Parameters, err = parameters(c, &t); err != nil {
			return nil, err
		}
		if t.Strict != nil && *t.Strict {
			c.Lose("tools: strict")
		}
		if t.Cache != "" {
			c.Lose("cache_control")
		}
		out = append(out, w)
	}
	return out, nil
}

func sameTool(a, b *llm.Tool) bool {
	return a.Kind == b.Kind && a.Description == b.Description && bytes.Equal(a.Schema, b.Schema)
}

// parameters is a tool's schema, byte for byte if Ollama's types can read it
// (api.ToolFunctionParameters): any other gets the whole request refused. A18.
func parameters(c *llm.Call, t *llm.Tool) (json.RawMessage, error) {
	if len(t.Schema) == 0 || string(t.Schema) == "null" {
		return json.RawMessage(`{"type":"object","properties":{}}`), nil
	}
	var fits api.ToolFunctionParameters
	readable := json.Unmarshal(t.Schema, &fits) == nil
	if readable && fits.Properties != nil {
		return t.Schema, nil
	}
	var root map[string]any
	if err := json.Unmarshal(t.Schema, &root); err != nil || root == nil {
		return nil, llm.Invalid("tools", "the parameters of the tool %s are no JSON Schema object", t.Name)
	}
	merged := simplify(root)
	b, err := marshal(root)
	if err == nil {
		err = json.Unmarshal(b, &fits)
	}
	if err != nil {
		return nil, llm.Invalid("tools", "Ollama cannot read the parameters of the tool %s: %v", t.Name, err)
	}
	if merged || !readable {
		c.Lose("tools: the parameters of " + t.Name + " were simplified")
	}
	return b, nil
}

// simplify makes a tool's schema one that Ollama reads: an object with
// properties, taken from the alternatives too if it is made of some: merged.
func simplify(root map[string]any) (merged bool) {
	properties, _ := root["properties"].(map[string]any)
	if properties == nil {
		properties = map[string]any{}
	}
	for _, k := range []string{"allOf", "anyOf", "oneOf"} {
		branches, _ := root[k].([]any)
		for _, b := range branches {
			branch, _ := b.(map[string]any)
			more, _ := branch["properties"].(map[string]any)
			for name, p := range more {
				if _, ok := properties[name]; !ok {
					properties[name], merged = p, true
				}
			}
		}
	}
	for name, p := range properties {
		properties[name] = property(p)
	}
	root["type"], root["properties"] = "object", properties
	if !stringsOnly(root["required"]) {
		delete(root, "required")
	}
	return merged
}

// property drops what does not fit api.ToolProperty.
func property(v any) map[string]any {
	m, ok := v.(map[string]any)
	if !ok {
		return map[string]any{} // true: anything
	}
	if _, one := m["type"].(string); !one && !stringsOnly(m["type"]) {
		delete(m, "type")
	}
	if _, ok := m["description"].(string); !ok {
		delete(m, "description")
	}
	if _, ok := m["enum"].([]any); !ok {
		delete(m, "enum")
	}
	if any, ok := m["anyOf"].([]any); ok {
		for i := range any {
			any[i] = property(any[i])
		}
	} else {
		delete(m, "anyOf")
	}
	if inner, ok := m["properties"].(map[string]any); ok {
		for name, p := range inner {
			inner[name] = property(p)
		}
	} else {
		delete(m, "properties")
	}
	return m
}

func stringsOnly(v any) bool {
	list, ok := v.([]any)
	return ok && !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(string); return !ok })
}
