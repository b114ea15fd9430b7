package proxytest

import (
	"encoding/json"
	"slices"
)

// Bill is what an answer came to at some moment: what the provider had stated, and what it had said. A
// provider that stated nothing has only the size of what came and of what it said to go by.
type Bill struct {
	Asked   int64  // bytes of the request's body
	Usage   *Usage // the last that was stated; nil: none
	Text    int64  // bytes of text, thought and arguments as they were sent, escapes included
	Done    bool   // the whole answer was written, with its end
	Refused bool   // an error was written instead of an answer
}

// Bills returns the bill at each moment of the answer: before the first write, and with each write. The last
// is that of all that was written, or was about to be when the client went away. Of a whole answer that was cut
// off, the last bill is that of all that it would have said.
func (s *Seen) Bills() []Bill {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Bill{{Asked: int64(len(s.Body))}}, s.bills...)
}

// writes notes the bill with a write that is about to be made.
func (s *Seen) writes(b Bill) {
	b.Asked = int64(len(s.Body))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bills = append(s.bills, b)
}

// Between returns the bills at the frames of a stream whose writes end elsewhere: who stops in the middle of a
// write may have read up to any of them. They are also known before their frame is written.
func (s *Seen) Between() []Bill {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.between)
}

// passes notes the bills that a stream is about to pass between its writes.
func (s *Seen) passes(between []Bill) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range between {
		b.Asked = int64(len(s.Body))
		s.between = append(s.between, b)
	}
}

// billsOf returns the bill at each piece of an answer made of frames, one for each piece.
func billsOf(d Dialect, frames []frame, cut bool) []Bill {
	var all []Bill
	var b Bill
	for i, f := range frames {
		if !cut || i < len(frames)-1 { // else half a frame, which says nothing
			b.add(d, f.data)
			b.Done = b.Done || f.end
		}
		all = append(all, b)
	}
	return all
}

// said is what the frames and whole answers of all dialects say of text and usage; each has its own fields.
type said struct {
	Choices []struct {
		Delta, Message struct {
			Content, Refusal onWire
			Reasoning        onWire `json:"reasoning_content"`
			Calls            []struct {
				Function struct{ Arguments onWire }
			} `json:"tool_calls"`
		}
	}
	Delta struct {
		Text, Thinking onWire
		Partial        onWire `json:"partial_json"`
	}
	Content    []struct{ Text, Thinking onWire }
	Candidates []struct {
		Content struct{ Parts []struct{ Text onWire } }
	}
	Message json.RawMessage // Ollama's answer, or the head of a stream of Messages
	Usage   *saidUsage
	Google  *struct {
		Prompt   int64 `json:"promptTokenCount"`
		Output   int64 `json:"candidatesTokenCount"`
		Thoughts int64 `json:"thoughtsTokenCount"`
		Cached   int64 `json:"cachedContentTokenCount"`
	} `json:"usageMetadata"`
	PromptCount *int64 `json:"prompt_eval_count"`
	EvalCount   int64  `json:"eval_count"`
}

type saidUsage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Cost       json.Number
	Details    struct {
		Cached int64 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`

	Input   int64 `json:"input_tokens"`
	Output  int64 `json:"output_tokens"`
	Read    int64 `json:"cache_read_input_tokens"`
	Written int64 `json:"cache_creation_input_tokens"`
}

// onWire is the length of a string as it was sent, with its escapes.
type onWire int

// UnmarshalJSON takes the length of a string, and 0 of anything else.
func (n *onWire) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		*n = onWire(len(b) - 2)
	}
	return nil
}

// add takes in what a frame or a whole answer says.
func (b *Bill) add(d Dialect, data []byte) {
	var s said
	if json.Unmarshal(data, &s) != nil {
		return // no JSON: an end mark, or garbage
	}
	var text []onWire
	switch d {
	case Chat:
		for _, c := range s.Choices {
			text = append(text, c.Delta.Content, c.Delta.Refusal, c.Delta.Reasoning, c.Message.Content, c.Message.Refusal, c.Message.Reasoning)
			for _, call := range slices.Concat(c.Delta.Calls, c.Message.Calls) {
				text = append(text, call.Function.Arguments)
			}
		}
		if u := s.Usage; u != nil {
			b.Usage = &Usage{Input: u.Prompt - u.Details.Cached, CacheRead: u.Details.Cached, Output: u.Completion, Cost: u.Cost.String()}
		}
	case Messages:
		text = append(text, s.Delta.Text, s.Delta.Thinking, s.Delta.Partial)
		for _, c := range s.Content {
			text = append(text, c.Text, c.Thinking)
		}
		u := s.Usage
		if u == nil {
			var head struct{ Usage *saidUsage }
			_ = json.Unmarshal(s.Message, &head) // absent in most frames
			u = head.Usage
		}
		if u != nil {
			b.Usage = &Usage{Input: u.Input, CacheRead: u.Read, CacheWrite5m: u.Written, Output: u.Output}
		}
	case Gemini:
		for _, c := range s.Candidates {
			for _, p := range c.Content.Parts {
				text = append(text, p.Text)
			}
		}
		if u := s.Google; u != nil {
			b.Usage = &Usage{Input: u.Prompt - u.Cached, CacheRead: u.Cached, Output: u.Output + u.Thoughts}
		}
	case Ollama:
		var m struct{ Content, Thinking onWire }
		_ = json.Unmarshal(s.Message, &m) // absent in an error
		text = append(text, m.Content, m.Thinking)
		if s.PromptCount != nil {
			b.Usage = &Usage{Input: *s.PromptCount, Output: s.EvalCount}
		}
	}
	for _, t := range text {
		b.Text += int64(t)
	}
}
