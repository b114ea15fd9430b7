package proxytest

import (
	"encoding/base64"
	"encoding/json"
)

// The shapes of OpenAI's chat.completion and chat.completion.chunk objects.

func (a *answer) chatHead(kind string) object {
	return object{
		"id", a.id("chatcmpl-test"), "object", kind, "created", createdUnix, "model", a.model,
		"service_tier", "default", "system_fingerprint", "fp_test",
	}
}

func (a *answer) chatUsage() object {
	u := a.usage
	o := object{
		"prompt_tokens", u.prompt(), "completion_tokens", u.Output, "total_tokens", u.prompt() + u.Output,
		"prompt_tokens_details",
		object{"cached_tokens", u.CacheRead, "audio_tokens", 0},
		"completion_tokens_details",
		object{
			"reasoning_tokens", u.Reasoning, "audio_tokens", 0,
			"accepted_prediction_tokens", 0, "rejected_prediction_tokens", 0,
		},
	}
	if written := u.CacheWrite5m + u.CacheWrite1h; written > 0 {
		o[7] = append(o[7].(object), "cache_write_tokens", written)
	}
	if u.Cost != "" {
		o = append(o, "cost", json.Number(u.Cost))
	}
	return o
}

func (a *answer) reasoningField() string {
	if a.Reasoning != "" {
		return a.Reasoning
	}
	return "reasoning_content"
}

func dataURL(p Part) string {
	return "data:" + p.Mime + ";base64," + base64.StdEncoding.EncodeToString(p.Data)
}

func chatImages(p Part) []any {
	return []any{object{"type", "image_url", "image_url", object{"url", dataURL(p)}}}
}

func (a *answer) chatWhole() ([]byte, error) {
	var text, thinking, refusal string
	var calls, images []any
	var extra object
	said := false
	for i, p := range a.Parts {
		switch p.Kind {
		case KindText:
			text, said = text+p.all(), true
		case KindThinking:
			thinking += p.all()
		case KindMixed:
			thinking, text, said = thinking+p.Deltas[0], text+p.Deltas[1], true
		case KindRefusal:
			refusal += p.all()
		case KindTool:
			calls = append(calls, object{
				"id", p.callID("call_", i), "type", "function",
				"function",
				object{"name", p.Name, "arguments", p.all()},
			})
		case KindImage:
			images = append(images, chatImages(p)...)
		case KindVerbatim:
			if p.Only == Chat {
				fields, err := p.fields()
				if err != nil {
					return nil, err
				}
				extra = append(extra, fields...)
			}
		default:
			return nil, errNoForm{Chat, p.Kind}
		}
	}
	message := object{"role", "assistant", "content", nil, "refusal", nil, "annotations", []any{}}
	if said {
		message[3] = text
	}
	if refusal != "" {
		message[5] = refusal
	}
	if thinking != "" {
		message = append(message, a.reasoningField(), thinking)
	}
	if calls != nil {
		message = append(message, "tool_calls", calls)
	}
	if images != nil {
		message = append(message, "images", images)
	}
	message = append(message, extra...)
	choices := []any{}
	if a.Fault != FaultNoAnswer {
		for i := range a.Choices {
			choices = append(choices, object{"index", i, "message", message, "logprobs", nil, "finish_reason", a.stop.word(Chat)})
		}
	}
	body := append(a.chatHead("chat.completion"), "choices", choices)
	if !a.NoUsage {
		body = append(body, "usage", a.chatUsage())
	}
	return encode(body), nil
}

func (a *answer) chatFrames() ([]frame, error) {
	deltas, err := a.chatDeltas()
	if err != nil {
		return nil, err
	}
	apart := !a.NoUsage && (a.ChatUsage == UsageAlways || a.ChatUsage == UsageAsked && a.asked.StreamOptions.IncludeUsage)
	var frames []frame
	chunk := func(choices []any, usage any, end bool) {
		o := append(a.chatHead("chat.completion.chunk"), "choices", choices)
		if usage != nil {
			o = append(o, "usage", usage)
		} else if apart {
			o = append(o, "usage", nil)
		}
		frames = append(frames, frame{data: encode(o), end: end})
	}
	each := func(delta object, finish, usage any, end bool) {
		for i := range a.Choices {
			chunk([]any{object{"index", i, "delta", delta, "logprobs", nil, "finish_reason", finish}}, usage, end)
		}
	}
	if a.Fault == FaultNoAnswer {
		chunk([]any{}, nil, false)
	} else {
		for i, d := range deltas {
			var running any
			if a.ChatUsage == UsageEvery && !a.NoUsage {
				part := *a
				part.usage.Output = a.usage.Output * int64(i) / int64(len(deltas))
				part.usage.Reasoning = min(a.usage.Reasoning, part.usage.Output)
				running = part.chatUsage()
			}
			each(d, nil, running, false)
		}
		var usage any
		if !a.NoUsage && (a.ChatUsage == UsageInline || a.ChatUsage == UsageEvery) {
			usage = a.chatUsage()
		}
		each(object{}, a.stop.word(Chat), usage, true)
	}
	if apart {
		chunk([]any{}, a.chatUsage(), true)
	}
	return append(frames, frame{data: []byte("[DONE]"), end: true}), nil
}

// chatDeltas returns the deltas of a stream in order; the first says the role, as OpenAI's does.
func (a *answer) chatDeltas() ([]object, error) {
	deltas := []object{{"role", "assistant", "content", "", "refusal", nil}}
	add := func(field string, pieces []string) {
		for _, d := range pieces {
			deltas = append(deltas, object{field, d})
		}
	}
	call := 0
	for i, p := range a.Parts {
		switch p.Kind {
		case KindText:
			add("content", p.Deltas)
		case KindThinking:
			add(a.reasoningField(), p.Deltas)
		case KindMixed:
			deltas = append(deltas, object{a.reasoningField(), p.Deltas[0], "content", p.Deltas[1]})
		case KindRefusal:
			add("refusal", p.Deltas)
		case KindTool:
			deltas = append(deltas, object{"tool_calls", []any{object{
				"index", call, "id", p.callID("call_", i), "type", "function",
				"function",
				object{"name", p.Name, "arguments", ""},
			}}})
			for _, d := range p.Deltas {
				deltas = append(deltas, object{"tool_calls", []any{object{"index", call, "function", object{"arguments", d}}}})
			}
			call++
		case KindImage:
			deltas = append(deltas, object{"images", chatImages(p)})
		case KindVerbatim:
			if p.Only == Chat {
				fields, err := p.fields()
				if err != nil {
					return nil, err
				}
				deltas = append(deltas, fields)
			}
		default:
			return nil, errNoForm{Chat, p.Kind}
		}
	}
	return deltas, nil
}
