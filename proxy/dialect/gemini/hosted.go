package gemini

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// hosted is the Tool objects of what Google runs itself. Beside functions
// there are none: before Gemini 3 Google refuses the mixture, and since then
// its answers hold parts that only a client of Google's can send back (E11).
func (e *encoder) hosted(functions bool) ([]json.RawMessage, error) {
	var all []json.RawMessage
	forced, dropped := e.p.Choice.Mode == llm.ChooseNamed, ""
	seen := map[string]bool{}
	for _, t := range e.p.Tools {
		if t.Kind != llm.Hosted {
			continue
		}
		b := ownTool(t)
		switch {
		case b == nil:
			e.c.Lose("tools: " + t.Name)
		case functions:
			e.c.Lose("tools: " + t.Name + ": Google takes it only without functions")
		default:
			e.lose(t.Origin != name && options(t), "tools: "+t.Name+": its options")
			if !seen[string(b)] {
				seen[string(b)] = true
				all = append(all, b)
			}
			continue
		}
		if dropped == "" || forced && t.Name == e.p.Choice.Name {
			dropped = t.Name
		}
	}
	if dropped != "" && (forced && dropped == e.p.Choice.Name || !functions && len(all) == 0) {
		return nil, llm.Invalid("tools", "Google runs no tool like %s in this request: leave it out, or choose another model", dropped)
	}
	return all, nil
}

// ownTool is a hosted tool in Google's words, nil if Google has no such.
func ownTool(t llm.Tool) json.RawMessage {
	if t.Origin == name && isObject(t.Raw) {
		return t.Raw
	}
	switch t.Name {
	case llm.WebSearch:
		return json.RawMessage(`{"googleSearch":{}}`)
	case llm.WebFetch:
		return json.RawMessage(`{"urlContext":{}}`)
	case llm.RunCode:
		return json.RawMessage(`{"codeExecution":{}}`)
	}
	return nil
}

// options tells whether a tool of another dialect is told more than its kind.
func options(t llm.Tool) bool {
	more := false
	_ = llm.Fields(t.Raw, func(k, v []byte, _ int) bool { // what cannot be read asks nothing
		switch strings.ToLower(string(k)) {
		case "type", "name", "cache_control":
		default:
			more = more || field.Truthy(v)
		}
		return true
	})
	return more
}
