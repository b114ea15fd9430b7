package proxytest

import "encoding/base64"

// The shapes of Ollama's ChatResponse, whole and as the lines of a stream.

func (a *answer) ollamaChunk(message object) object {
	return object{"model", a.model, "created_at", createdText, "message", message, "done", false}
}

// ollamaLast is the chunk that ends an answer, with the usage.
func (a *answer) ollamaLast(message object) object {
	o := a.ollamaChunk(message)
	o[len(o)-1] = true
	o = append(o, "done_reason", a.stop.word(Ollama), "total_duration", 2892557, "load_duration", 903519)
	if !a.NoUsage {
		o = append(o, "prompt_eval_count", a.usage.prompt(), "prompt_eval_duration", 91076,
			"eval_count", a.usage.Output, "eval_duration", 510794)
	}
	return o
}

// ollamaMessages returns the messages of a stream's lines.
func (a *answer) ollamaMessages() ([]object, error) {
	var messages []object
	add := func(content string, rest ...any) {
		messages = append(messages, append(object{"role", "assistant", "content", content}, rest...))
	}
	call := 0
	for i, p := range a.Parts {
		switch p.Kind {
		case KindText, KindRefusal:
			for _, d := range p.Deltas {
				add(d)
			}
		case KindThinking:
			for _, d := range p.Deltas {
				add("", "thinking", d)
			}
		case KindMixed:
			add(p.Deltas[1], "thinking", p.Deltas[0])
		case KindTool:
			add("", "tool_calls", []any{object{
				"id", p.callID("call_", i),
				"function",
				object{"index", call, "name", p.Name, "arguments", p.arguments()},
			}})
			call++
		case KindImage:
			add("", "images", []any{base64.StdEncoding.EncodeToString(p.Data)})
		case KindVerbatim:
			if p.Only == Ollama {
				fields, err := p.fields()
				if err != nil {
					return nil, err
				}
				add("", fields...)
			}
		default:
			return nil, errNoForm{Ollama, p.Kind}
		}
	}
	return messages, nil
}

func (a *answer) ollamaWhole() ([]byte, error) {
	messages, err := a.ollamaMessages()
	if err != nil {
		return nil, err
	}
	var text, thinking string
	var calls, images []any
	var rest object
	for _, m := range messages {
		text += m[3].(string)
		for i := 4; i < len(m); i += 2 {
			switch m[i] {
			case "thinking":
				thinking += m[i+1].(string)
			case "tool_calls":
				calls = append(calls, m[i+1].([]any)...)
			case "images":
				images = append(images, m[i+1].([]any)...)
			default:
				rest = append(rest, m[i], m[i+1])
			}
		}
	}
	message := object{"role", "assistant", "content", text}
	if thinking != "" {
		message = append(message, "thinking", thinking)
	}
	if images != nil {
		message = append(message, "images", images)
	}
	if calls != nil {
		message = append(message, "tool_calls", calls)
	}
	return encode(a.ollamaLast(append(message, rest...))), nil
}

func (a *answer) ollamaFrames() ([]frame, error) {
	messages, err := a.ollamaMessages()
	if err != nil {
		return nil, err
	}
	var frames []frame
	for _, m := range messages {
		frames = append(frames, frame{data: encode(a.ollamaChunk(m))})
	}
	last := a.ollamaLast(object{"role", "assistant", "content", ""})
	return append(frames, frame{data: encode(last), end: true}), nil
}
