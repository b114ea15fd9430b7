package responses

import (
	"encoding/json"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// part is the current part of a message, as far as it has come (F13).
func (o *entry) part(b []byte) []byte {
	if o.block == llm.Refusal {
		return append(sse.AppendString(append(b, `{"type":"refusal","refusal":`...), string(o.text)), '}')
	}
	b = append(append(append(b, `{"type":"output_text","annotations":[`...), o.cites...), `],"logprobs":[],"text":`...)
	return append(sse.AppendString(b, string(o.text)), '}')
}

// endPart closes a part of a message.
func (a *answer) endPart(o *entry) {
	kind, key := "response.output_text.done", `,"text":`
	if o.block == llm.Refusal {
		kind, key = "response.refusal.done", `,"refusal":`
	}
	if a.about(kind, o, "content_index") {
		a.buf = sse.AppendString(append(a.buf, key...), string(o.text))
		if o.block == llm.Text {
			a.buf = append(a.buf, `,"logprobs":[]`...)
		}
		a.close()
	}
	if a.about("response.content_part.done", o, "content_index") {
		a.buf = o.part(append(a.buf, `,"part":`...))
		a.close()
	}
	if o.nparts > 0 {
		o.parts = append(o.parts, ',')
	}
	o.parts = o.part(o.parts)
	o.nparts++
	o.text, o.cites, o.ncites = o.text[:0], o.cites[:0], 0
}

func (a *answer) endThought(o *entry) {
	if !o.shown {
		return
	}
	if a.about("response.reasoning_summary_text.done", o, "summary_index") {
		a.buf = sse.AppendString(append(a.buf, `,"text":`...), string(o.text))
		a.close()
	}
	if a.about("response.reasoning_summary_part.done", o, "summary_index") {
		a.buf = sse.AppendString(append(a.buf, `,"part":{"type":"summary_text","text":`...), string(o.text))
		a.buf = append(a.buf, '}')
		a.close()
	}
}

// endCall closes a call. One without arguments has "{}" (F16). A call in a
// form of its own is told of now, when it is whole.
func (a *answer) endCall(o *entry) {
	switch o.tool.wire {
	case wireFunction:
		if len(o.text) == 0 {
			o.text = append(o.text, "{}"...)
		}
		if a.about("response.function_call_arguments.done", o, "") {
			a.buf = sse.AppendString(append(a.buf, `,"name":`...), o.tool.name)
			a.buf = sse.AppendString(append(a.buf, `,"arguments":`...), string(o.text))
			a.close()
		}
	case wireCustom:
		if s := o.input.Rest(); s != "" {
			a.piece(o, s)
		}
		if a.about("response.custom_tool_call_input.done", o, "") {
			a.buf = sse.AppendString(append(a.buf, `,"input":`...), string(o.text))
			a.close()
		}
	case wireLocalShell:
		a.announce(o, "lsh_")
	case wireShell:
		a.announce(o, "sh_")
	case wirePatch:
		a.announce(o, "apc_")
	case wireSearch:
		a.announce(o, "tsc_")
	}
}

// item writes an item as it is now.
func (o *entry) item(b []byte) []byte {
	b = sse.AppendString(append(b, `{"id":`...), o.id)
	switch o.block {
	case llm.Thinking, llm.Redacted:
		return o.reasoning(b)
	case llm.ToolCall:
		return o.call(b)
	case llm.Image:
		return o.picture(b)
	}
	b = append(append(append(b, `,"type":"message","status":"`...), o.status...), `","content":[`...)
	return append(append(b, o.parts...), `],"role":"assistant"}`...)
}

func (o *entry) reasoning(b []byte) []byte {
	b = append(b, `,"type":"reasoning","summary":[`...)
	if o.shown && o.status != "in_progress" {
		b = append(sse.AppendString(append(b, `{"type":"summary_text","text":`...), string(o.text)), '}')
	}
	b = append(b, ']')
	if o.secret != "" && o.status != "in_progress" {
		b = sse.AppendString(append(b, `,"encrypted_content":`...), o.secret)
	}
	return append(b, '}')
}

func (o *entry) picture(b []byte) []byte {
	b = append(append(append(b, `,"type":"image_generation_call","status":"`...), o.status...), '"')
	if o.status == "in_progress" {
		return append(b, '}')
	}
	format := strings.TrimPrefix(o.mime, "image/")
	if format == "" {
		format = "png"
	}
	b = sse.AppendString(append(b, `,"output_format":`...), format)
	return append(sse.AppendString(append(b, `,"result":`...), string(o.text)), '}')
}

// wireNames are the types of calls, and the field that holds what is called.
var wireNames = map[wireKind][2]string{
	wireFunction:   {"function_call", "arguments"},
	wireCustom:     {"custom_tool_call", "input"},
	wireLocalShell: {"local_shell_call", "action"},
	wireShell:      {"shell_call", "action"},
	wirePatch:      {"apply_patch_call", "operation"},
	wireSearch:     {"tool_search_call", "arguments"},
}

func (o *entry) call(b []byte) []byte {
	names := wireNames[o.tool.wire]
	b = append(append(append(b, `,"type":"`...), names[0]...), `","status":"`...)
	b = append(append(b, o.status...), '"')
	b = sse.AppendString(append(b, `,"call_id":`...), o.callID)
	switch o.tool.wire {
	case wireFunction, wireCustom:
		b = sse.AppendString(append(b, `,"name":`...), o.tool.name)
		if o.tool.space != "" {
			b = sse.AppendString(append(b, `,"namespace":`...), o.tool.space)
		}
		b = append(append(append(b, `,"`...), names[1]...), `":`...)
		return append(sse.AppendString(b, string(o.text)), '}')
	case wireSearch:
		b = append(b, `,"execution":"client"`...)
	}
	b = append(append(append(b, `,"`...), names[1]...), `":`...)
	return append(o.action(b), '}')
}

// action is the arguments of a function that stands for a tool of OpenAI's, in
// that tool's own form.
func (o *entry) action(b []byte) []byte {
	args := oneLine(o.text)
	if o.tool.wire != wireLocalShell {
		return append(b, args...)
	}
	b = append(b, `{"type":"exec"`...)
	env := false
	_ = llm.Fields(args, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "type":
			return true
		case "env":
			env = true
		case "command": // some models write one string
			if v[0] == '"' {
				v = append(sse.AppendString([]byte(`["sh","-c",`), field.Unquote(v)), ']')
			}
		}
		b = append(append(append(b, `,"`...), key...), `":`...)
		b = append(b, v...)
		return true
	})
	if !env {
		b = append(b, `,"env":{}`...)
	}
	return append(b, '}')
}

// oneLine is a JSON object without line breaks; what a model broke is empty.
func oneLine(v []byte) []byte {
	if !json.Valid(v) || len(v) == 0 || v[0] != '{' {
		return []byte("{}")
	}
	return compact(v)
}
