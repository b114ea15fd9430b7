package proxytest

import "encoding/json"

// The shapes of Anthropic's message object and of its stream's events.

// messagesUsage is the usage of a whole answer; a stream's first event has it with the output so far.
func (a *answer) messagesUsage(output int64) object {
	u := a.usage
	return object{
		"input_tokens", u.Input,
		"cache_creation_input_tokens", u.CacheWrite5m + u.CacheWrite1h,
		"cache_read_input_tokens", u.CacheRead,
		"cache_creation",
		object{"ephemeral_5m_input_tokens", u.CacheWrite5m, "ephemeral_1h_input_tokens", u.CacheWrite1h},
		"output_tokens", output, "service_tier", "standard",
	}
}

// messagesLastUsage is the usage that a stream ends with: cumulative, and without the details.
func (a *answer) messagesLastUsage() object {
	u := a.usage
	return append(object{
		"input_tokens", u.Input,
		"cache_creation_input_tokens", u.CacheWrite5m + u.CacheWrite1h,
		"cache_read_input_tokens", u.CacheRead,
		"output_tokens", u.Output,
	}, a.messagesSearches()...)
}

func (a *answer) messagesSearches() object {
	if a.usage.Searches == 0 {
		return nil
	}
	return object{"server_tool_use", object{"web_search_requests", a.usage.Searches, "web_fetch_requests", 0}}
}

// messagesStop returns stop_reason and stop_sequence.
func (a *answer) messagesStop() object {
	var sequence any
	if a.stop == StopSequence {
		sequence = "END"
	}
	return object{"stop_reason", a.stop.word(Messages), "stop_sequence", sequence}
}

// messagesBlock is a content block: how it is whole, how it starts in a stream, and its deltas there.
type messagesBlock struct {
	whole, start object
	verbatim     json.RawMessage // instead of whole and start
	deltas       []object
}

func (b messagesBlock) wholeJSON() any {
	if b.verbatim != nil {
		return b.verbatim
	}
	return b.whole
}

func (b messagesBlock) startJSON() any {
	if b.verbatim != nil {
		return b.verbatim
	}
	return b.start
}

func (a *answer) messagesBlocks() ([]messagesBlock, error) {
	var blocks []messagesBlock
	for i, p := range a.Parts {
		var b messagesBlock
		add := func(kind, field string, pieces []string) {
			for _, d := range pieces {
				b.deltas = append(b.deltas, object{"type", kind, field, d})
			}
		}
		switch p.Kind {
		case KindText, KindRefusal:
			b.whole = object{"type", "text", "text", p.all()}
			b.start = object{"type", "text", "text", ""}
			add("text_delta", "text", p.Deltas)
		case KindThinking:
			b.whole = object{"type", "thinking", "thinking", p.all(), "signature", p.Signature}
			b.start = object{"type", "thinking", "thinking", "", "signature", ""}
			add("thinking_delta", "thinking", p.Deltas)
			if p.Signature != "" {
				add("signature_delta", "signature", []string{p.Signature})
			}
		case KindMixed:
			both := *a
			both.Parts = Parts(Thinking(p.Deltas[0]), Text(p.Deltas[1]))
			two, err := both.messagesBlocks()
			if err != nil {
				return nil, err
			}
			blocks = append(blocks, two...)
			continue
		case KindRedacted:
			b.whole = object{"type", "redacted_thinking", "data", string(p.Data)}
			b.start = b.whole
		case KindTool:
			id := p.callID("toolu_", i)
			b.whole = object{"type", "tool_use", "id", id, "name", p.Name, "input", p.arguments()}
			b.start = object{"type", "tool_use", "id", id, "name", p.Name, "input", object{}}
			// The first fragment is empty, as Anthropic's is; a call without arguments has no other.
			add("input_json_delta", "partial_json", append([]string{""}, p.Deltas...))
		case KindVerbatim:
			if p.Only != Messages {
				continue
			}
			b.verbatim = p.Data
		default:
			return nil, errNoForm{Messages, p.Kind}
		}
		blocks = append(blocks, b)
	}
	return blocks, nil
}

func (a *answer) messagesHead() object {
	return object{"id", a.id("msg_test"), "type", "message", "role", "assistant", "model", a.model}
}

func (a *answer) messagesWhole() ([]byte, error) {
	blocks, err := a.messagesBlocks()
	if err != nil {
		return nil, err
	}
	content := []any{}
	for _, b := range blocks {
		content = append(content, b.wholeJSON())
	}
	body := append(append(a.messagesHead(), "content", content), a.messagesStop()...)
	if !a.NoUsage {
		usage := append(a.messagesUsage(a.usage.Output), a.messagesSearches()...)
		if a.usage.Reasoning > 0 {
			usage = append(usage, "output_tokens_details", object{"thinking_tokens", a.usage.Reasoning})
		}
		body = append(body, "usage", usage)
	}
	return encode(body), nil
}

func (a *answer) messagesFrames() ([]frame, error) {
	blocks, err := a.messagesBlocks()
	if err != nil {
		return nil, err
	}
	var frames []frame
	add := func(kind string, end bool, rest ...any) {
		frames = append(frames, frame{event: kind, data: encode(append(object{"type", kind}, rest...)), end: end})
	}
	message := append(a.messagesHead(), "content", []any{}, "stop_reason", nil, "stop_sequence", nil)
	if !a.NoUsage {
		message = append(message, "usage", a.messagesUsage(min(1, a.usage.Output)))
	}
	add("message_start", false, "message", message)
	for i, b := range blocks {
		add("content_block_start", false, "index", i, "content_block", b.startJSON())
		if i == 0 {
			frames = append(frames, a.ping())
		}
		for _, d := range b.deltas {
			add("content_block_delta", false, "index", i, "delta", d)
		}
		add("content_block_stop", false, "index", i)
	}
	rest := []any{"delta", a.messagesStop()}
	if !a.NoUsage {
		rest = append(rest, "usage", a.messagesLastUsage())
	}
	add("message_delta", true, rest...)
	add("message_stop", true)
	return frames, nil
}
