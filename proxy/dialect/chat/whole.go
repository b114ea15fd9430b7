package chat

import (
	"io"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// whole gathers the events and writes one chat.completion. If they end in an
// error, nothing is written.
func (a *answer) whole(w io.Writer, events llm.Events) error {
	var last llm.Event
	for e, err := range events {
		if err != nil {
			return err
		}
		a.take(e)
		if e.Kind == llm.Stop {
			last = e
		}
	}
	_, err := w.Write(a.completion(last))
	return err
}

func (a *answer) take(e llm.Event) {
	switch e.Kind {
	case llm.Start:
		a.begin(e)
	case llm.BlockStart:
		switch e.Block {
		case llm.Text:
			a.hasText, a.blockAt = true, len(a.content)
		case llm.Thinking:
			a.thoughtAt = len(a.reasoning)
		case llm.Image:
			a.openImage(e.Name)
		case llm.ToolCall:
			a.newCall(e)
		case llm.Refusal:
			a.refused = true
		}
	case llm.Delta:
		a.takeDelta(e)
	case llm.BlockStop:
		if e.Block == llm.Image {
			a.images = a.picture(comma(a.images))
		}
		if e.Opaque != "" {
			a.details = a.detail(comma(a.details), e)
		}
	case llm.Stop, llm.Ping:
	}
}

func (a *answer) takeDelta(e llm.Event) {
	if e.Cite != nil {
		a.cites = a.annotate(comma(a.cites), e.Cite)
	}
	switch e.Block {
	case llm.Text:
		a.content = append(a.content, e.Text...)
	case llm.Thinking:
		a.reasoning = append(a.reasoning, e.Text...)
	case llm.Refusal:
		a.refusal = append(a.refusal, e.Text...)
	case llm.Image:
		a.image = append(a.image, e.Text...)
	case llm.ToolCall:
		if n := a.call(e.Index); n >= 0 {
			a.calls[n].args = append(a.calls[n].args, e.Text...)
		}
	}
}

func comma(dst []byte) []byte {
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return dst
}

func (a *answer) completion(stop llm.Event) []byte {
	b := make([]byte, 0, 1024+2*len(a.content)+len(a.reasoning)+len(a.details)+len(a.images))
	b = sse.AppendString(append(b, `{"id":`...), a.id)
	b = append(b, `,"object":"chat.completion","created":`...)
	b = appendInt(b, a.created.Unix())
	b = sse.AppendString(append(b, `,"model":`...), a.r.Model)
	b = append(b, `,"choices":[{"index":0,"message":`...)
	b = a.message(b)
	reason, native := a.finish(stop.Why)
	b = append(append(b, `,"logprobs":null,"finish_reason":"`...), reason...)
	b = append(b, '"')
	if native != "" {
		b = sse.AppendString(append(b, `,"native_finish_reason":`...), native)
	}
	b = append(b, `}]`...)
	if stop.Usage != nil && stop.Usage.Known {
		b = appendUsage(append(b, `,"usage":`...), stop.Usage)
	}
	if stop.Tier != "" {
		b = sse.AppendString(append(b, `,"service_tier":`...), stop.Tier)
	}
	return append(b, '}')
}

func (a *answer) message(b []byte) []byte {
	b = append(b, `{"role":"assistant","content":`...)
	if a.hasText || len(a.calls) == 0 && !a.refused {
		b = sse.AppendString(b, string(a.content))
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"refusal":`...)
	if a.refused {
		b = sse.AppendString(b, string(a.refusal))
	} else {
		b = append(b, "null"...)
	}
	b = append(append(append(b, `,"annotations":[`...), a.cites...), ']')
	if len(a.reasoning) > 0 {
		b = sse.AppendString(append(b, `,"reasoning_content":`...), string(a.reasoning))
	}
	if len(a.details) > 0 {
		b = append(append(append(b, `,"reasoning_details":[`...), a.details...), ']')
	}
	if len(a.images) > 0 {
		b = append(append(append(b, `,"images":[`...), a.images...), ']')
	}
	switch {
	case len(a.calls) == 0:
	case a.legacy:
		b = append(b, `,"function_call":`...)
		b = appendFunction(b, a.calls[0])
	default:
		b = append(b, `,"tool_calls":[`...)
		for i, c := range a.calls {
			if i > 0 {
				b = append(b, ',')
			}
			b = sse.AppendString(append(b, `{"id":`...), c.id)
			if c.custom {
				b = sse.AppendString(append(b, `,"type":"custom","custom":{"name":`...), c.name)
				b = append(sse.AppendString(append(b, `,"input":`...), llm.InputText(string(c.args))), "}}"...)
				continue
			}
			b = append(b, `,"type":"function","function":`...)
			b = append(appendFunction(b, c), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendFunction(b []byte, c call) []byte {
	args := string(c.args)
	if args == "" {
		args = "{}" // B7
	}
	b = sse.AppendString(append(b, `{"name":`...), c.name)
	return append(sse.AppendString(append(b, `,"arguments":`...), args), '}')
}
