package openai

import (
	"bytes"
	"hash/fnv"
	"strconv"

	"keytray/proxy/llm"
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

// NameTools finds names that the provider takes for the tools that the client
// runs, and refuses two of the same name unless they are the same tool (C15).
func (r *Request) NameTools() error {
	seen := map[string]int{}
	for i := range r.Prompt.Tools {
		t := &r.Prompt.Tools[i]
		if t.Kind == llm.Hosted {
			continue
		}
		if first, ok := seen[t.Name]; ok && !sameTool(&r.Prompt.Tools[first], t) {
			return llm.Invalid("tools["+strconv.Itoa(i)+"]", "tools: two different tools have the name %q", t.Name)
		}
		seen[t.Name] = i
		r.Rename(t.Name)
	}
	return nil
}

// Rename is the provider's name for a client's tool, which the call keeps so
// that the client gets its own name back.
func (r *Request) Rename(client string) string {
	safe := safeName(client)
	if safe != client {
		if r.Call.Tools == nil {
			r.Call.Tools = map[string]string{}
		}
		r.Call.Tools[safe] = client
	}
	return safe
}

func sameTool(a, b *llm.Tool) bool {
	return a.Kind == b.Kind && a.Description == b.Description && bytes.Equal(a.Schema, b.Schema)
}

// NoTools leaves the tools out for a model that takes none, unless one must be
// called.
func (r *Request) NoTools() error {
	if mode := r.Prompt.Choice.Mode; mode == llm.ChooseAny || mode == llm.ChooseNamed {
		return llm.Invalid("tool_choice", "%s takes no tools, and a call is required: choose another model", r.Call.Model.Name)
	}
	r.Call.Lose("tools: this model takes none")
	return nil
}

// Choice writes a tool_choice that names no tool.
func (r *Request) Choice() {
	switch r.Prompt.Choice.Mode {
	case llm.ChooseAuto:
		r.Str("tool_choice", "auto")
	case llm.ChooseNone:
		r.Str("tool_choice", "none")
	case llm.ChooseAny:
		r.Str("tool_choice", "required")
	case llm.ChooseUnset, llm.ChooseNamed:
	}
}

// Parallel writes whether several tools may be called at once (C7).
func (r *Request) Parallel() {
	switch parallel := r.Prompt.Choice.Parallel; {
	case parallel == nil:
	case r.Flags.Has(llm.FlagNoParallelControl):
		r.Call.Lose("parallel_tool_calls")
	default:
		r.Bool("parallel_tool_calls", *parallel)
	}
}
