package messages_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// legal reads a stream as the strictest clients do: each event has its name
// and its fields, blocks come one at a time in rising order, and there is one
// of message_start, message_delta and message_stop (D6, D7, D14).
func legal(t *testing.T, what, stream string) {
	t.Helper()
	s := strict{t: t, what: what, open: -1}
	frames := strings.Split(stream, "\n\n")
	if frames[len(frames)-1] != "" {
		t.Errorf("%s: the stream does not end with a blank line", what)
	}
	for _, f := range frames[:len(frames)-1] {
		lines := strings.Split(f, "\n")
		if len(lines) != 2 || !strings.HasPrefix(lines[0], "event: ") || !strings.HasPrefix(lines[1], "data: ") {
			t.Fatalf("%s: a frame of other lines than event and data: %q", what, f)
		}
		var e streamEvent
		if err := json.Unmarshal([]byte(lines[1][6:]), &e); err != nil {
			t.Fatalf("%s: %v: %s", what, err, f)
		}
		if e.Type != lines[0][7:] {
			s.fail("event %q has type %q", lines[0], e.Type)
		}
		s.event(&e)
	}
	if !s.stopped {
		s.fail("no message_stop")
	}
}

type streamEvent struct {
	Type    string
	Index   *int
	Message *struct {
		ID, Type, Role, Model string
		Content               []any
		StopReason            any `json:"stop_reason"`
		Usage                 map[string]any
	}
	Block *struct {
		Type, ID, Name, Data string
		Text, Thinking       *string
		Signature            *string
		Input                json.RawMessage
	} `json:"content_block"`
	Delta *struct {
		Type                      string
		Text, Thinking, Signature *string
		Partial                   *string `json:"partial_json"`
		Citation                  map[string]any
		StopReason                *string `json:"stop_reason"`
	}
	Usage map[string]any
}

type strict struct {
	t                       *testing.T
	what                    string
	started, ended, stopped bool
	open, next              int
	kind, args              string
	signed                  bool
	ids                     []string
}

func (s *strict) fail(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf(s.what+": "+format, args...)
}

func (s *strict) event(e *streamEvent) {
	s.t.Helper()
	if s.stopped || s.ended && e.Type != "message_stop" && e.Type != "ping" {
		s.fail("%s after the end", e.Type)
	}
	if !s.started && e.Type != "message_start" {
		s.fail("%s before message_start", e.Type)
	}
	switch e.Type {
	case "ping":
	case "message_start":
		m := e.Message
		if s.started || m == nil || m.ID == "" || m.Type != "message" || m.Role != "assistant" || m.Model == "" || m.Content == nil || len(m.Content) > 0 || m.StopReason != nil {
			s.fail("message_start %+v", m)
			return
		}
		for _, k := range []string{"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"} {
			if _, ok := m.Usage[k].(float64); !ok {
				s.fail("message_start without usage.%s", k)
			}
		}
		if m.Usage["output_tokens"] != 0.0 { // clients add message_delta's to it
			s.fail("message_start counts output")
		}
		s.started = true
	case "content_block_start":
		s.blockStart(e)
	case "content_block_delta":
		s.delta(e)
	case "content_block_stop":
		if e.Index == nil || *e.Index != s.open {
			s.fail("content_block_stop of %v while %d is open", e.Index, s.open)
		}
		if s.kind == "tool_use" && !json.Valid([]byte(s.args)) {
			s.fail("the input of a call is not JSON: %s", s.args)
		}
		s.open = -1
	case "message_delta":
		s.ended = true
		if s.open >= 0 {
			s.fail("message_delta while block %d is open", s.open)
		}
		reasons := []string{"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "compaction", "model_context_window_exceeded"}
		if e.Delta == nil || e.Delta.StopReason == nil || !slices.Contains(reasons, *e.Delta.StopReason) {
			s.fail("message_delta %+v", e.Delta)
		} else if (*e.Delta.StopReason == "tool_use") != (len(s.ids) > 0) && *e.Delta.StopReason != "max_tokens" {
			s.fail("stop_reason %s after %d calls", *e.Delta.StopReason, len(s.ids))
		}
		if _, ok := e.Usage["output_tokens"].(float64); !ok {
			s.fail("message_delta without usage.output_tokens")
		}
	case "message_stop":
		if !s.ended {
			s.fail("message_stop without message_delta")
		}
		s.stopped = true
	default:
		s.fail("an event called %q", e.Type)
	}
}

func (s *strict) blockStart(e *streamEvent) {
	s.t.Helper()
	if s.open >= 0 || e.Index == nil || *e.Index != s.next || e.Block == nil {
		s.fail("content_block_start %v while %d is open and %d is next", e.Index, s.open, s.next)
		return
	}
	b := e.Block
	ok := false
	switch b.Type {
	case "text":
		ok = b.Text != nil && *b.Text == ""
	case "thinking":
		ok = b.Thinking != nil && *b.Thinking == "" && b.Signature == nil // D13
	case "redacted_thinking":
		ok = b.Data != ""
	case "tool_use":
		ok = b.ID != "" && !slices.Contains(s.ids, b.ID) && b.Name != "" && string(b.Input) == "{}"
		s.ids = append(s.ids, b.ID)
	}
	if !ok {
		s.fail("content_block %+v", *b)
	}
	s.open, s.kind, s.args, s.signed = s.next, b.Type, "", false
	s.next++
}

func (s *strict) delta(e *streamEvent) {
	s.t.Helper()
	if e.Index == nil || *e.Index != s.open || e.Delta == nil || s.open < 0 {
		s.fail("content_block_delta of %v while %d is open", e.Index, s.open)
		return
	}
	d := e.Delta
	ok := false
	switch d.Type {
	case "text_delta":
		ok = s.kind == "text" && d.Text != nil && *d.Text != ""
	case "thinking_delta":
		ok = s.kind == "thinking" && !s.signed && d.Thinking != nil
	case "signature_delta":
		ok = s.kind == "thinking" && !s.signed && d.Signature != nil && *d.Signature != ""
		s.signed = true
	case "input_json_delta":
		ok = s.kind == "tool_use" && d.Partial != nil
		if ok {
			s.args += *d.Partial
		}
	case "citations_delta":
		ok = s.kind == "text" && d.Citation["type"] != nil && d.Citation["cited_text"] != nil && d.Citation["encrypted_index"] != ""
	}
	if !ok {
		s.fail("delta %+v in a block of type %s", *d, s.kind)
	}
}
