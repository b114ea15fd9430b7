package messages

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// streamReply writes events, each one's before the next is taken. Clients
// want one block at a time: start, deltas, stop (D6, D7, D14). Of calls that
// grow side by side, the later waits for the earlier.
type streamReply struct {
	*reply
	w    io.Writer
	buf  []byte // reused for each event
	head []byte // of the open block's deltas

	begun bool
	open  int // the open block's index of ours; -1 is none
	next  int // the next block's index on the wire
	wrote bool
	args  []byte // of the open block, if it is a call
	queue []*waitingCall
}

// waitingCall is a call that has begun while another one is open.
type waitingCall struct {
	start   llm.Event
	args    []byte
	stopped bool
}

func (a *reply) stream(w io.Writer, events llm.Events) error {
	s := streamReply{reply: a, w: w, open: -1}
	for e, err := range events {
		s.buf = s.buf[:0]
		if err != nil {
			s.fail(llm.AsError(err))
			if _, werr := w.Write(s.buf); werr != nil {
				return werr
			}
			return err
		}
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

func (s *streamReply) event(e llm.Event) {
	switch e.Kind {
	case llm.Start:
		s.start(e)
	case llm.BlockStart:
		s.blockStart(e)
	case llm.Delta:
		s.delta(e)
	case llm.BlockStop:
		s.blockStop(e)
	case llm.Stop:
		s.stop(e)
	case llm.Ping: // B9
		s.buf = append(s.buf, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
	}
}

// frame begins an event, up to its own fields; end closes it.
func (s *streamReply) frame(kind string) {
	s.buf = append(append(s.buf, "event: "...), kind...)
	s.buf = append(append(s.buf, "\ndata: {\"type\":\""...), kind...)
	s.buf = append(s.buf, '"')
}

func (s *streamReply) end() { s.buf = append(s.buf, "}\n\n"...) }

// start writes message_start. What the answer costs is not known yet: some
// clients add its output to that of message_delta.
func (s *streamReply) start(e llm.Event) {
	if s.begun {
		return
	}
	s.begun = true
	s.begin(e)
	s.frame("message_start")
	s.buf = s.appendHead(append(s.buf, `,"message":`...))
	s.buf = append(s.buf, `],"stop_reason":null,"stop_sequence":null,"usage":{`...)
	s.buf = append(appendUsage(s.buf, e.Usage), `,"output_tokens":0`...)
	if tier := tierWord(e.Tier); tier != "" {
		s.buf = sse.AppendString(append(s.buf, `,"service_tier":`...), tier)
	}
	s.buf = append(s.buf, "}}"...)
	s.end()
}

func (s *streamReply) blockStart(e llm.Event) {
	switch e.Block {
	case llm.Refusal, llm.Redacted, llm.Vector: // told at the end, or whole when they stop
		return
	case llm.ToolCall:
		s.calls++
		if s.open < 0 && len(s.queue) == 0 {
			break
		}
		if !whole(s.args) || len(s.queue) > 0 {
			s.queue = append(s.queue, &waitingCall{start: e})
			return
		}

		s.close()
	}
	s.opens(e)
}

// whole tells arguments that nothing can follow.
func whole(args []byte) bool {
	args = bytes.TrimSpace(args)
	return len(args) > 1 && args[0] == '{' && args[len(args)-1] == '}' && json.Valid(args)
}

// opens writes content_block_start.
func (s *streamReply) opens(e llm.Event) {
	s.open, s.wrote, s.args = e.Index, false, s.args[:0]
	s.frame("content_block_start")
	s.index()
	delta := `text_delta","text":`
	switch e.Block {
	case llm.Thinking:
		s.buf = append(s.buf, `,"content_block":{"type":"thinking","thinking":""}`...)
		delta = `thinking_delta","thinking":`
	case llm.ToolCall:
		s.buf = sse.AppendString(append(s.buf, `,"content_block":{"type":"tool_use","id":`...), e.ID)
		s.buf = sse.AppendString(append(s.buf, `,"name":`...), e.Name)
		s.buf = append(s.buf, `,"input":{}}`...)
		delta = `input_json_delta","partial_json":`
	default:
		s.buf = append(s.buf, `,"content_block":{"type":"text","text":""}`...)
	}
	s.end()
	s.head = append(s.head[:0], "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	s.head = strconv.AppendInt(s.head, int64(s.next), 10)
	s.head = append(append(s.head, `,"delta":{"type":"`...), delta...)
	if e.Block == llm.Image {
		s.piece(picture(e.Name))
	}
}

func (s *streamReply) index() {
	s.buf = strconv.AppendInt(append(s.buf, `,"index":`...), int64(s.next), 10)
}

// piece writes a delta of the open block.
func (s *streamReply) piece(text string) {
	s.wrote = true
	s.buf = sse.AppendString(append(s.buf, s.head...), text)
	s.buf = append(s.buf, "}}\n\n"...)
}

func (s *streamReply) delta(e llm.Event) {
	if e.Cite != nil && e.Index == s.open {
		s.frame("content_block_delta")
		s.index()
		s.buf = append(appendCitation(append(s.buf, `,"delta":{"type":"citations_delta","citation":`...), e.Cite), '}')
		s.end()
	}
	if e.Text == "" {
		return
	}
	switch e.Block {
	case llm.Text, llm.Thinking:
		s.piece(e.Text)
	case llm.Refusal:
		s.refusal = append(s.refusal, e.Text...)
	case llm.ToolCall:
		if e.Index == s.open {
			s.args = append(s.args, e.Text...)
			s.piece(e.Text)
		} else if c := s.waits(e.Index); c != nil {
			c.args = append(c.args, e.Text...)
			if whole(s.args) { // the one before will not grow any more
				s.close()
				s.advance()
			}
		}
	}
}

func (s *streamReply) waits(index int) *waitingCall {
	for _, c := range s.queue {
		if c.start.Index == index {
			return c
		}
	}
	return nil
}

func (s *streamReply) blockStop(e llm.Event) {
	switch e.Block {
	case llm.Refusal, llm.Vector:
		return
	case llm.Redacted:
		s.redacted(e)
		return
	case llm.Thinking: // D13: a signature only where there is one
		if e.Opaque != "" {
			s.frame("content_block_delta")
			s.index()
			s.buf = append(s.buf, `,"delta":{"type":"signature_delta","signature":`...)
			s.buf = append(sse.AppendString(s.buf, signed(e.Opaque, e.Origin)), '}')
			s.end()
		}
	case llm.ToolCall:
		if e.Index != s.open {
			if c := s.waits(e.Index); c != nil {
				c.stopped = true
			}
			return
		}
		if !s.wrote {
			s.piece("{}") // B7
		}
	}
	s.close()
	s.advance()
}

func (s *streamReply) close() {
	s.frame("content_block_stop")
	s.index()
	s.end()
	s.open = -1
	s.next++
}

// advance writes the calls that waited, up to one that is still growing.
func (s *streamReply) advance() {
	for s.open < 0 && len(s.queue) > 0 {
		c := s.queue[0]
		s.queue = slices.Delete(s.queue, 0, 1)
		s.opens(c.start)
		if len(c.args) > 0 {
			s.args = append(s.args, c.args...)
			s.piece(string(c.args))
		}
		if c.stopped {
			if !s.wrote {
				s.piece("{}")
			}
			s.close()
		}
	}
}

func (s *streamReply) redacted(e llm.Event) {
	if e.Opaque == "" {
		return
	}
	s.frame("content_block_start")
	s.index()
	s.buf = append(s.buf, `,"content_block":{"type":"redacted_thinking","data":`...)
	s.buf = append(sse.AppendString(s.buf, signed(e.Opaque, e.Origin)), '}')
	s.end()
	s.close()
}

// stop writes message_delta, whose counts are those of the whole answer, and
// message_stop.
func (s *streamReply) stop(e llm.Event) {
	s.frame("message_delta")
	s.buf = append(s.appendWhy(append(s.buf, `,"delta":{`...), e.Why), `},"usage":{`...)
	s.buf = append(appendSpent(appendUsage(s.buf, e.Usage), e.Usage), '}')
	s.end()
	s.frame("message_stop")
	s.end()
}

// fail ends the stream with an error.
func (s *streamReply) fail(e *llm.Error) {
	s.buf = append(s.buf, "event: error\ndata: "...)
	s.buf = append(appendError(s.buf, e, s.r.ID), "\n\n"...)
}
