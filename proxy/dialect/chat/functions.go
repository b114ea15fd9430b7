package chat

import (
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

func (e *encoder) tools() error {
	p, ch := e.Prompt, &e.Prompt.Choice
	if len(p.Tools) == 0 {
		return nil
	}
	if e.Flags.Has(llm.FlagNoTools) {
		if ch.Mode == llm.ChooseAny || ch.Mode == llm.ChooseNamed {
			return llm.Invalid("tool_choice", "%s takes no tools, and a call is required: choose another model", e.Call.Model.Name)
		}
		e.Call.Lose("tools: this model takes none")
		return nil
	}
	e.Key("tools")
	seen := map[string]bool{}
	for i := range p.Tools {
		t := &p.Tools[i]
		if seen[t.Name] {
			continue
		}
		e.Buf = append(e.Buf, "[,"[min(i, 1)])
		seen[t.Name] = true
		e.tool(t)
	}
	e.Buf = append(e.Buf, ']')
	switch ch.Mode {
	case llm.ChooseAuto:
		e.Str("tool_choice", "auto")
	case llm.ChooseNone:
		e.Str("tool_choice", "none")
	case llm.ChooseAny:
		e.Str("tool_choice", "required")
	case llm.ChooseNamed:
		if !seen[ch.Name] { // A26
			e.Call.Lose("tool_choice: no tool is called " + ch.Name)
			break
		}
		e.Key("tool_choice")
		if e.isCustom(ch.Name) {
			e.Buf = append(e.Buf, `{"type":"custom","custom":{"name":`...)
		} else {
			e.Buf = append(e.Buf, `{"type":"function","function":{"name":`...)
		}
		e.Buf = append(sse.AppendString(e.Buf, e.Rename(ch.Name)), "}}"...)
	case llm.ChooseUnset:
	}
	if ch.Parallel != nil { // C7
		if e.Flags.Has(llm.FlagNoParallelControl) {
			e.Call.Lose("parallel_tool_calls")
		} else {
			e.Bool("parallel_tool_calls", *ch.Parallel)
		}
	}
	return nil
}

func (e *encoder) tool(t *llm.Tool) {
	if t.Kind == llm.Custom && e.Flags.Has(llm.FlagCustomTools) {
		e.custom(t)
		return
	}
	e.Buf = append(e.Buf, `{"type":"function","function":{"name":`...)
	e.Buf = sse.AppendString(e.Buf, e.Rename(t.Name))
	if t.Description != "" {
		e.Str("description", t.Description)
	}
	e.Key("parameters")
	if len(t.Schema) > 0 {
		e.Buf = append(e.Buf, t.Schema...)
	} else {
		e.Buf = append(e.Buf, `{"type":"object","properties":{}}`...)
	}
	if t.Strict != nil {
		e.Bool("strict", *t.Strict)
	}
	e.Buf = append(e.Buf, '}')
	e.cache(t.Cache)
	e.Buf = append(e.Buf, '}')
}

// cache writes a cache mark where the provider takes them (C12).
func (e *encoder) cache(mark string) {
	switch {
	case mark == "":
	case !e.Flags.Has(llm.FlagCacheControl):
		e.Call.Lose("cache_control")
	case mark == "1h":
		e.Buf = append(e.Buf, `,"cache_control":{"type":"ephemeral","ttl":"1h"}`...)
	default:
		e.Buf = append(e.Buf, `,"cache_control":{"type":"ephemeral"}`...)
	}
}
