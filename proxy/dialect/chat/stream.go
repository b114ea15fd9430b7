package chat

import (
	"io"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// streamer writes chunks, each event's before the next event is taken.
type streamer struct {
	*answer
	w    io.Writer
	buf  []byte // reused for each frame
	head []byte // of each chunk, up to its delta
	tail []byte // of each chunk with a delta
}

func (a *answer) stream(w io.Writer, events llm.Events) error {
	s := streamer{answer: a, w: w}
	for e, err := range events {
		if err != nil {
			s.buf = append(s.buf[:0], "data: "...)
			s.buf = append(openai.AppendError(s.buf, llm.AsError(err)), "\n\n"...)
			if _, werr := w.Write(s.buf); werr != nil {
				return werr
			}
			return err
		}
		s.buf = s.buf[:0]
		s.event(e)
		if len(s.buf) == 0 {
			continue
		}
		if _, err := w.Write(s.buf); err != nil {
			return err
		}
	}
	return nil
}

// event adds an event's frames to the buffer.
func (s *streamer) event(e llm.Event) {
	switch e.Kind {
	case llm.Start:
		s.start(e)
	case llm.BlockStart:
		s.open(e)
	case llm.Delta:
		s.delta(e)
	case llm.BlockStop:
		s.close(e)
	case llm.Stop:
		s.stop(e)
	case llm.Ping: // B9
		s.buf = append(s.buf, ": ping\n\n"...)
	}
}

func (s *streamer) start(e llm.Event) {
	s.begin(e)
	h := append(s.head[:0], `data: {"id":`...)
	h = sse.AppendString(h, s.id)
	h = append(h, `,"object":"chat.completion.chunk","created":`...)
	h = appendInt(h, s.created.Unix())
	h = append(h, `,"model":`...)
	h = sse.AppendString(h, s.r.Model)
	s.head = append(h, `,"choices":[`...)
	s.tail = append(s.tail[:0], `},"logprobs":null,"finish_reason":null}]`...)
	if s.r.IncludeUsage {
		s.tail = append(s.tail, `,"usage":null`...)
	}
	s.tail = append(s.tail, "}\n\n"...)
	s.chunk()
	s.buf = append(s.buf, `"role":"assistant","content":""`...)
	s.end()
}

// chunk begins a frame with a delta; end closes it.
func (s *streamer) chunk() {
	s.buf = append(append(s.buf, s.head...), `{"index":0,"delta":{`...)
}

func (s *streamer) end() { s.buf = append(s.buf, s.tail...) }

func (s *streamer) open(e llm.Event) {
	switch e.Block {
	case llm.Text:
		s.blockAt = len(s.content)
	case llm.Thinking:
		s.thoughtAt = s.thought
	case llm.Image:
		s.openImage(e.Name)
	case llm.ToolCall:
		s.newCall(e)
		n := len(s.calls) - 1
		if s.legacy && n > 0 {
			return // there is only one function_call
		}
		s.chunk()
		if s.legacy {
			s.buf = append(s.buf, `"function_call":{"name":`...)
			s.buf = sse.AppendString(s.buf, e.Name)
			s.buf = append(s.buf, `,"arguments":""}`...)
		} else {
			s.buf = append(s.buf, `"tool_calls":[{"index":`...)
			s.buf = appendInt(s.buf, int64(n))
			s.buf = append(s.buf, `,"id":`...)
			s.buf = sse.AppendString(s.buf, e.ID)
			what, field := `,"type":"function","function":{"name":`, `,"arguments":""}}]`
			if s.calls[n].custom {
				what, field = `,"type":"custom","custom":{"name":`, `,"input":""}}]`
			}
			s.buf = append(s.buf, what...)
			s.buf = sse.AppendString(s.buf, e.Name)
			s.buf = append(s.buf, field...)
		}
		s.end()
	}
}

func (s *streamer) delta(e llm.Event) {
	if e.Cite != nil {
		s.chunk()
		s.buf = append(s.annotate(append(s.buf, `"annotations":[`...), e.Cite), ']')
		s.end()
	}
	if e.Text == "" {
		return
	}
	switch e.Block {
	case llm.Text:
		s.content = append(s.content, e.Text...)
		s.piece(`"content":`, e.Text)
	case llm.Thinking:
		s.thought += len(e.Text)
		s.piece(`"reasoning_content":`, e.Text)
	case llm.Refusal:
		s.refused = true
		s.piece(`"refusal":`, e.Text)
	case llm.Image:
		s.image = append(s.image, e.Text...)
	case llm.ToolCall:
		s.arguments(e.Index, e.Text)
	}
}

func (s *streamer) piece(key, text string) {
	s.chunk()
	s.buf = sse.AppendString(append(s.buf, key...), text)
	s.end()
}

func (s *streamer) arguments(block int, text string) {
	n := s.call(block)
	if n < 0 || s.legacy && n > 0 {
		return
	}
	c := &s.calls[n]
	c.started = true
	if c.custom {
		s.input(n, c.text.Add(text))
		return
	}
	s.chunk()
	if s.legacy {
		s.buf = sse.AppendString(append(s.buf, `"function_call":{"arguments":`...), text)
		s.buf = append(s.buf, '}')
	} else {
		s.buf = appendInt(append(s.buf, `"tool_calls":[{"index":`...), int64(n))
		s.buf = sse.AppendString(append(s.buf, `,"function":{"arguments":`...), text)
		s.buf = append(s.buf, `}}]`...)
	}
	s.end()
}

// input writes a piece of the free text of a call.
func (s *streamer) input(n int, text string) {
	if text == "" {
		return
	}
	s.chunk()
	s.buf = appendInt(append(s.buf, `"tool_calls":[{"index":`...), int64(n))
	s.buf = sse.AppendString(append(s.buf, `,"custom":{"input":`...), text)
	s.buf = append(s.buf, `}}]`...)
	s.end()
}

func (s *streamer) close(e llm.Event) {
	switch e.Block {
	case llm.ToolCall:
		switch n := s.call(e.Index); {
		case n < 0:
		case s.calls[n].custom:
			s.input(n, s.calls[n].text.Rest())
		case !s.calls[n].started:
			s.arguments(e.Index, "{}") // B7
		}
	case llm.Image:
		s.chunk()
		s.buf = append(s.picture(append(s.buf, `"images":[`...)), ']')
		s.end()
	}
	if e.Opaque != "" {
		s.chunk()
		s.buf = append(s.detail(append(s.buf, `"reasoning_details":[`...), e), ']')
		s.end()
	}
}

func (s *streamer) stop(e llm.Event) {
	reason, native := s.finish(e.Why)
	s.buf = append(append(s.buf, s.head...), `{"index":0,"delta":{},"logprobs":null,"finish_reason":"`...)
	s.buf = append(append(s.buf, reason...), '"')
	if native != "" {
		s.buf = sse.AppendString(append(s.buf, `,"native_finish_reason":`...), native)
	}
	s.buf = append(s.buf, `}]`...)
	s.tierField(e.Tier)
	if s.r.IncludeUsage {
		s.buf = append(s.buf, `,"usage":null`...)
	}
	s.buf = append(s.buf, "}\n\n"...)
	if s.r.IncludeUsage && e.Usage != nil && e.Usage.Known {
		s.buf = append(append(s.buf, s.head...), ']')
		s.tierField(e.Tier)
		s.buf = appendUsage(append(s.buf, `,"usage":`...), e.Usage)
		s.buf = append(s.buf, "}\n\n"...)
	}
	s.buf = append(s.buf, "data: [DONE]\n\n"...)
}

func (s *streamer) tierField(tier string) {
	if tier != "" {
		s.buf = sse.AppendString(append(s.buf, `,"service_tier":`...), tier)
	}
}
