package dialecttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"keytray/proxy/llm"
)

// Summary is what an answer says, in neutral terms.
type Summary struct {
	Text     string           `json:"text,omitempty"`     // of all text blocks, joined
	Thinking string           `json:"thinking,omitempty"` // of all thinking blocks, joined
	Refusal  string           `json:"refusal,omitempty"`
	Calls    []Call           `json:"calls,omitempty"`
	Images   []string         `json:"images,omitempty"` // "image/png;base64,..."
	Cites    []string         `json:"cites,omitempty"`  // URLs
	Opaque   []string         `json:"opaque,omitempty"` // signatures and the like, in order
	Why      string           `json:"why,omitempty"`
	Usage    map[string]int64 `json:"usage,omitempty"` // buckets that are not zero
}

// Call is a tool call of an answer; its arguments are compared as JSON.
type Call struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// Collect takes all events of an answer that must be complete, and checks
// their order: Start, blocks that open, grow and close, Stop.
func Collect(t testing.TB, events llm.Events) []llm.Event {
	t.Helper()
	all, err := Gather(t, events)
	if err != nil {
		t.Fatalf("after %d events: %v", len(all), err)
	}
	return all
}

// Gather takes all events and the error that ended them, if one did, and checks
// their order as far as they go.
func Gather(t testing.TB, events llm.Events) ([]llm.Event, *llm.Error) {
	t.Helper()
	var all []llm.Event
	var end *llm.Error
	for e, err := range events {
		if end != nil {
			t.Fatalf("%+v came after error %v", e, end)
		}
		if err != nil {
			if !errors.As(err, &end) {
				t.Fatalf("%v is no *llm.Error", err)
			}
			continue
		}
		all = append(all, e)
	}
	if err := Bracketed(all, end == nil); err != nil {
		t.Errorf("events out of order: %v", err)
	}
	return all, end
}

// Bracketed checks the order of an answer's events. If the answer is not
// complete, it may end anywhere.
func Bracketed(events []llm.Event, complete bool) error {
	open := map[int]llm.BlockKind{}
	ids := map[string]bool{}
	next, stopped, started := 0, false, false
	for i, e := range events {
		if e.Kind == llm.Ping {
			continue
		}
		switch {
		case stopped:
			return fmt.Errorf("event %d: %+v after Stop", i, e)
		case started == (e.Kind == llm.Start):
			return fmt.Errorf("event %d: %+v, started %v", i, e, started)
		}
		started = true
		switch e.Kind {
		case llm.BlockStart:
			if e.Index < next {
				return fmt.Errorf("event %d: block %d starts after block %d", i, e.Index, next-1)
			}
			for at, kind := range open {
				if kind != llm.ToolCall || e.Block != llm.ToolCall {
					return fmt.Errorf("event %d: block %d starts inside block %d", i, e.Index, at)
				}
			}
			if e.Block == llm.ToolCall {
				if e.ID == "" || e.Name == "" || ids[e.ID] {
					return fmt.Errorf("event %d: tool call with id %q and name %q", i, e.ID, e.Name)
				}
				ids[e.ID] = true
			}
			open[e.Index], next = e.Block, e.Index+1
		case llm.Delta, llm.BlockStop:
			kind, ok := open[e.Index]
			if !ok || kind != e.Block {
				return fmt.Errorf("event %d: %+v, but block %d is not open as such", i, e, e.Index)
			}
			if e.Kind == llm.BlockStop {
				delete(open, e.Index)
			}
		case llm.Stop:
			if len(open) > 0 {
				return fmt.Errorf("event %d: Stop with %d open blocks", i, len(open))
			}
			stopped = true
		}
	}
	if complete && !stopped {
		return fmt.Errorf("no Stop after %d events", len(events))
	}
	return nil
}

// Summarize says what events say.
func Summarize(events []llm.Event) Summary {
	var s Summary
	calls, images := map[int]int{}, map[int]int{}
	for _, e := range events {
		switch e.Kind {
		case llm.BlockStart:
			switch e.Block {
			case llm.ToolCall:
				calls[e.Index] = len(s.Calls)
				s.Calls = append(s.Calls, Call{Name: e.Name})
			case llm.Image:
				images[e.Index] = len(s.Images)
				s.Images = append(s.Images, e.Name+";base64,")
			}
		case llm.Delta:
			if e.Cite != nil {
				s.Cites = append(s.Cites, e.Cite.URL)
			}
			switch e.Block {
			case llm.Text:
				s.Text += e.Text
			case llm.Thinking:
				s.Thinking += e.Text
			case llm.Refusal:
				s.Refusal += e.Text
			case llm.ToolCall:
				c := &s.Calls[calls[e.Index]]
				c.Arguments = append(c.Arguments, e.Text...)
			case llm.Image:
				s.Images[images[e.Index]] += e.Text
			}
		case llm.BlockStop:
			if e.Opaque != "" {
				s.Opaque = append(s.Opaque, e.Opaque)
			}
		case llm.Stop:
			s.Why = string(e.Why)
			if e.Usage != nil {
				s.Usage = usageOf(e.Usage)
			}
		}
	}
	for i, c := range s.Calls {
		if !json.Valid(c.Arguments) { // what is not JSON is shown as a string
			s.Calls[i].Arguments, _ = json.Marshal("not JSON: " + string(c.Arguments))
		}
	}
	return s
}

func usageOf(u *llm.Usage) map[string]int64 {
	m := map[string]int64{
		"input": u.Input, "cache_read": u.CacheRead, "cache_write_5m": u.CacheWrite5m, "cache_write_1h": u.CacheWrite1h,
		"output": u.Output, "reasoning": u.Reasoning, "searches": u.Searches,
		"audio_input": u.AudioInput, "audio_cache_read": u.AudioCacheRead, "audio_output": u.AudioOutput,
		"image_input": u.ImageInput, "image_cache_read": u.ImageCacheRead, "image_output": u.ImageOutput,
		"images": u.Images, "characters": u.Characters, "audio_ms": u.AudioMS,
	}
	for k, n := range m {
		if n == 0 {
			delete(m, k)
		}
	}
	return m
}
