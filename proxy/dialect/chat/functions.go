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
		return e.NoTools()
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
		if err := e.tool(t); err != nil {
			return err
		}
	}
	e.Buf = append(e.Buf, ']')
	switch {
	case ch.Mode != llm.ChooseNamed:
		e.Choice()
	case !seen[ch.Name]: // A26
		e.Call.Lose("tool_choice: no tool is called " + ch.Name)
	default:
		what := `{"type":"function","function":{"name":`
		if e.isCustom(ch.Name) {
			what = `{"type":"custom","custom":{"name":`
		}
		e.Key("tool_choice")
		e.Buf = append(sse.AppendString(append(e.Buf, what...), e.Rename(ch.Name)), "}}"...)
	}
	e.Parallel()
	return nil
}

func (e *encoder) tool(t *llm.Tool) error {
	if t.Kind == llm.Custom && e.Flags.Has(llm.FlagCustomTools) {
		e.custom(t)
		return nil
	}
	e.Buf = append(e.Buf, `{"type":"function","function":{`...)
	if err := e.Function(t, false); err != nil {
		return err
	}
	e.Buf = append(e.Buf, '}')
	e.cache(t.Cache)
	e.Buf = append(e.Buf, '}')
	return nil
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
