package responses

import (
	"slices"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// result reads what came of a call: a text, or parts such as images (F14).
func (d *decoder) result(param, kind string, v []byte) *llm.Error {
	b := llm.Block{Kind: llm.ToolResult, ID: field.Unquote(field.Of(v, "call_id"))}
	if b.ID == "" { // of local_shell_call_output
		b.ID = field.Unquote(field.Of(v, "id"))
	}
	if b.ID == "" {
		return llm.Invalid(param+".call_id", "%s.call_id is missing", param)
	}
	b.Name = d.names[b.ID]
	out := field.Of(v, "output")
	var err *llm.Error
	switch kind {
	case "shell_call_output":
		b.Content, b.Failed = shellOutput(out)
	default:
		if len(out) > 0 && out[0] == '{' { // some clients send the object itself
			b.Content = []llm.Block{{Kind: llm.Text, Text: string(out)}}
		} else {
			b.Content, err = parts(param+".output", out, openai.AnyPart)
		}
		b.Failed = kind == "apply_patch_call_output" && field.Unquote(field.Of(v, "status")) == "failed"
	}
	d.add(llm.User, b)
	return err
}

// shellOutput is the text of what commands wrote, and how they ended.
func shellOutput(v []byte) (blocks []llm.Block, failed bool) {
	if s := field.Unquote(v); s != "" {
		return []llm.Block{{Kind: llm.Text, Text: s}}, false
	}
	_ = llm.Elements(v, func(v []byte, _ int) bool { // null has none
		var said []string
		for _, key := range []string{"stdout", "stderr"} {
			if s := strings.TrimRight(field.Unquote(field.Of(v, key)), "\n"); s != "" {
				said = append(said, s)
			}
		}
		how := field.Of(v, "outcome")
		switch code := string(field.Of(how, "exit_code")); {
		case field.Unquote(field.Of(how, "type")) == "timeout":
			said = append(said, "(stopped: it took too long)")
		case code != "" && code != "0" && code != "null":
			said = append(said, "(exit code "+code+")")
		}
		blocks = append(blocks, llm.Block{Kind: llm.Text, Text: strings.Join(said, "\n")})
		return true
	})
	return blocks, false
}

// found reads the tools that a client's search found: they can be called from
// now on, and the model is told their names.
func (d *decoder) found(param string, v []byte) *llm.Error {
	names, err := d.more(param+".tools", field.Of(v, "tools"))
	if err != nil {
		return err
	}
	id := field.Unquote(field.Of(v, "call_id"))
	if id == "" { // the provider's own search
		d.Prompt.Lose("input: tool_search_output: its tools are sent at once")
		return nil
	}
	says := "No tools were found."
	if len(names) > 0 {
		says = "Tools that can be called now: " + strings.Join(names, ", ")
	}
	d.add(llm.User, llm.Block{
		Kind: llm.ToolResult, ID: id, Name: d.names[id], Content: []llm.Block{{Kind: llm.Text, Text: says}},
	})
	return nil
}

// more reads tools that come in the middle of the input, and tells their
// names. One that is known already takes its new form.
func (d *decoder) more(param string, v []byte) (names []string, err *llm.Error) {
	known := d.Prompt.Tools
	d.Prompt.Tools = nil
	err = d.tools(param, v)
	found := d.Prompt.Tools
	d.Prompt.Tools = known
	for _, t := range found {
		names = append(names, t.Name)
		i := slices.IndexFunc(d.Prompt.Tools, func(k llm.Tool) bool { return k.Name == t.Name && k.Kind == t.Kind })
		if i >= 0 {
			d.Prompt.Tools[i] = t
		} else {
			d.Prompt.Tools = append(d.Prompt.Tools, t)
		}
	}
	return names, err
}
