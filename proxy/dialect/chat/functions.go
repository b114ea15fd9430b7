package chat

import (
	"bytes"
	"hash/fnv"
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// maxName is how long a function's name may be, and safeName which letters
// it may have: OpenAI's rule, which others took over.
const maxName = 64

func safeName(s string) string {
	out := []byte(s)
	same := len(s) <= maxName && s != ""
	for i, c := range out {
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
		if !ok {
			out[i], same = '_', false
		}
	}
	if same {
		return s
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash never fails
	tail := "_" + strconv.FormatUint(uint64(h.Sum32()), 36)
	return string(out[:min(len(out), maxName-len(tail))]) + tail
}

// nameTools finds names that the provider takes, and refuses two tools of the
// same name unless they are the same tool (C15).
func (e *encoder) nameTools() error {
	seen := map[string]int{}
	for i := range e.p.Tools {
		t := &e.p.Tools[i]
		if first, ok := seen[t.Name]; ok && !sameTool(&e.p.Tools[first], t) {
			return llm.Invalid("tools["+strconv.Itoa(i)+"]", "tools: two different tools have the name %q", t.Name)
		}
		seen[t.Name] = i
		e.rename(t.Name)
	}
	return nil
}

// rename is the provider's name for a client's tool.
func (e *encoder) rename(client string) string {
	safe := safeName(client)
	if safe != client {
		if e.c.Tools == nil {
			e.c.Tools = map[string]string{}
		}
		e.c.Tools[safe] = client
	}
	return safe
}

func sameTool(a, b *llm.Tool) bool {
	return a.Kind == b.Kind && a.Description == b.Description && bytes.Equal(a.Schema, b.Schema)
}

func (e *encoder) tools() error {
	p, ch := e.p, &e.p.Choice
	if len(p.Tools) == 0 {
		return nil
	}
	if e.flags.Has(llm.FlagNoTools) {
		if ch.Mode == llm.ChooseAny || ch.Mode == llm.ChooseNamed {
			return llm.Invalid("tool_choice", "%s takes no tools, and a call is required: choose another model", e.c.Model.Name)
		}
		e.c.Lose("tools: this model takes none")
		return nil
	}
	e.key("tools")
	seen := map[string]bool{}
	for i := range p.Tools {
		t := &p.Tools[i]
		if seen[t.Name] {
			continue
		}
		e.buf = append(e.buf, "[,"[min(i, 1)])
		seen[t.Name] = true
		e.tool(t)
	}
	e.buf = append(e.buf, ']')
	switch ch.Mode {
	case llm.ChooseAuto:
		e.str("tool_choice", "auto")
	case llm.ChooseNone:
		e.str("tool_choice", "none")
	case llm.ChooseAny:
		e.str("tool_choice", "required")
	case llm.ChooseNamed:
		if !seen[ch.Name] { // A26
			e.c.Lose("tool_choice: no tool is called " + ch.Name)
			break
		}
		e.key("tool_choice")
		if e.isCustom(ch.Name) {
			e.buf = append(e.buf, `{"type":"custom","custom":{"name":`...)
		} else {
			e.buf = append(e.buf, `{"type":"function","function":{"name":`...)
		}
		e.buf = append(sse.AppendString(e.buf, e.rename(ch.Name)), "}}"...)
	case llm.ChooseUnset:
	}
	if ch.Parallel != nil { // C7
		if e.flags.Has(llm.FlagNoParallelControl) {
			e.c.Lose("parallel_tool_calls")
		} else {
			e.bool("parallel_tool_calls", *ch.Parallel)
		}
	}
	return nil
}

func (e *encoder) tool(t *llm.Tool) {
	if t.Kind == llm.Custom && e.flags.Has(llm.FlagCustomTools) {
		e.custom(t)
		return
	}
	e.buf = append(e.buf, `{"type":"function","function":{"name":`...)
	e.buf = sse.AppendString(e.buf, e.rename(t.Name))
	if t.Description != "" {
		e.str("description", t.Description)
	}
	e.key("parameters")
	if len(t.Schema) > 0 {
		e.buf = append(e.buf, t.Schema...)
	} else {
		e.buf = append(e.buf, `{"type":"object","properties":{}}`...)
	}
	if t.Strict != nil {
		e.bool("strict", *t.Strict)
	}
	e.buf = append(e.buf, '}')
	e.cache(t.Cache)
	e.buf = append(e.buf, '}')
}

// cache writes a cache mark where the provider takes them (C12).
func (e *encoder) cache(mark string) {
	switch {
	case mark == "":
	case !e.flags.Has(llm.FlagCacheControl):
		e.c.Lose("cache_control")
	case mark == "1h":
		e.buf = append(e.buf, `,"cache_control":{"type":"ephemeral","ttl":"1h"}`...)
	default:
		e.buf = append(e.buf, `,"cache_control":{"type":"ephemeral"}`...)
	}
}
