package chat

import (
	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// chunk is what a chat.completion.chunk or a chat.completion says, as slices
// of the frame; nil is absent or null.
type chunk struct {
	id, model, tier []byte
	usage, xUsage   []byte // usage, x_groq.usage
	err             []byte
	choice          []byte // the one with index 0
	choices         int
	first           choice // that one, read
	listed          bool   // there is a list of choices, if an empty one
}

// choice is one choice's fields. delta is a whole answer's message.
type choice struct {
	delta, text, finish, stop, usage []byte
}

// delta is a piece of the message, or all of it.
type delta struct {
	content, reasoning, reasoningContent, details []byte
	refusal, calls, function, annotations, images []byte
	audio                                         []byte
}

// readChunk scans a frame. It checks the structure that it looks at, and not
// what it skips.
func readChunk(frame []byte) (chunk, error) {
	var c chunk
	var inner error
	err := llm.Fields(frame, func(key, v []byte, _ int) bool {
		if field.Null(v) {
			return true
		}
		switch string(key) {
		case "id":
			c.id = v
		case "model":
			c.model = v
		case "service_tier":
			c.tier = v
		case "usage":
			c.usage = v
		case "x_groq":
			c.xUsage = field.Of(v, "usage")
			if e := field.Of(v, "error"); !field.Null(e) {
				c.err = v
			}
		case "error":
			c.err = v
		case "choices":
			c.listed = true
			inner = c.readChoices(v)
		}
		return inner == nil
	})
	if err == nil {
		err = inner
	}
	return c, err
}

func (c *chunk) readChoices(v []byte) error {
	return llm.Elements(v, func(v []byte, _ int) bool {
		c.choices++
		var ch choice
		index := true
		err := llm.Fields(v, func(key, v []byte, _ int) bool {
			if field.Null(v) {
				return true
			}
			switch string(key) {
			case "index":
				index = string(v) == "0"
			case "delta", "message":
				ch.delta = v
			case "text": // of legacy completions
				ch.text = v
			case "finish_reason":
				ch.finish = v
			case "stop_reason":
				ch.stop = v
			case "usage":
				ch.usage = v
			}
			return true
		})
		if err == nil && index && c.choice == nil {
			c.choice, c.first = v, ch
		}
		return true
	})
}

func (d *delta) field(key, v []byte, _ int) bool {
	if field.Null(v) {
		return true
	}
	switch string(key) {
	case "content":
		d.content = v
	case "reasoning":
		d.reasoning = v
	case "reasoning_content":
		d.reasoningContent = v
	case "reasoning_details":
		d.details = v
	case "refusal":
		d.refusal = v
	case "tool_calls":
		d.calls = v
	case "function_call":
		d.function = v
	case "annotations":
		d.annotations = v
	case "images":
		d.images = v
	case "audio":
		d.audio = v
	}
	return true
}

// whyOf reads a finish_reason. broken tells a reason that is no end at all:
// the provider could not go on.
func whyOf(finish []byte) (why llm.Why, broken bool) {
	switch s := field.Unquote(finish); s {
	case "":
		return "", false
	case "stop", "eos", "end_turn", "stop_sequence", "COMPLETE":
		return llm.EndTurn, false
	case "length", "max_tokens", "model_length":
		return llm.MaxTokens, false
	case "tool_calls", "function_call", "tool_use":
		return llm.CallTools, false
	case "content_filter", "sensitive", "safety":
		return llm.ContentFilter, false
	case "error", "network_error", "insufficient_system_resource", "abort":
		return llm.Why(s), true
	default:
		return llm.Why(s), false
	}
}
