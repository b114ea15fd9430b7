package ollama

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"iter"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads a whole answer or a stream of lines. H2, H5, H13, H14.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := decoder{call: c, yield: yield, open: none}
		for data, err := range frames(c, body) {
			if err != nil {
				d.fail(err)
				return
			}
			if !d.frame(data) {
				return
			}
		}
		d.fail(nil)
	}
}

// frames are the lines of a stream, or a whole body as one.
func frames(c *llm.Call, body io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !c.Stream {
			b, err := io.ReadAll(body)
			yield(b, err)
			return
		}
		for f, err := range sse.Frames(body, sse.Lines) {
			if (err != nil || len(f.Data) > 0) && !yield(f.Data, err) {
				return
			}
		}
	}
}

// none is the block that is not open.
const none llm.BlockKind = 255

// decoder turns answers into events, one block open at a time.
type decoder struct {
	call    *llm.Call
	yield   func(llm.Event, error) bool
	started bool
	open    llm.BlockKind
	index   int // of the open block, or of the next one
	calls   bool
	stopped bool
}

// frame decodes one line; false ends the reading.
func (d *decoder) frame(data []byte) bool {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		d.stopped = true
		return d.yield(llm.Event{}, &llm.Error{Kind: llm.Garbage, Message: "the provider sent a line that is no JSON", Cause: err}) && false
	}
	if a.Error != "" {
		d.stopped = true
		return d.yield(llm.Event{}, Dialect{}.DecodeError(0, nil, data)) && false
	}
	if !d.started {
		d.started = true
		if !d.yield(llm.Event{Kind: llm.Start, Name: a.Model}, nil) {
			return false
		}
	}
	if a.Message != nil && !d.message(a.Message) {
		return false
	}
	if !a.Done {
		return true
	}
	d.stopped = true
	if !d.close() {
		return false
	}
	var t llm.Tally
	a.count(&t)
	return d.yield(llm.Event{Kind: llm.Stop, Why: why(a.DoneReason, d.calls), Usage: &t.Usage}, nil) && false
}

// message shows thinking first, then text, then calls: the order in which
// Ollama's parsers take them from the model.
func (d *decoder) message(m *message) bool {
	if m.Thinking != "" && !d.text(llm.Thinking, m.Thinking) {
		return false
	}
	if m.Content != "" && !d.text(llm.Text, m.Content) {
		return false
	}
	for i := range m.ToolCalls {
		if !d.tool(&m.ToolCalls[i]) {
			return false
		}
	}
	return true
}

func (d *decoder) text(kind llm.BlockKind, s string) bool {
	if d.open != kind {
		if !d.close() || !d.yield(llm.Event{Kind: llm.BlockStart, Block: kind, Index: d.index}, nil) {
			return false
		}
		d.open = kind
	}
	return d.yield(llm.Event{Kind: llm.Delta, Block: kind, Index: d.index, Text: s}, nil)
}

// tool shows a call, which Ollama sends whole. Older servers give no id.
func (d *decoder) tool(t *toolCall) bool {
	d.calls = true
	id, args := t.ID, string(t.Function.Arguments)
	if id == "" {
		id = "call_" + rand.Text()[:16]
	}
	if args == "" || args == "null" {
		args = "{}" // B7
	}
	if !d.close() {
		return false
	}
	d.open = llm.ToolCall
	return d.yield(llm.Event{Kind: llm.BlockStart, Block: llm.ToolCall, Index: d.index, ID: id, Name: t.Function.Name}, nil) &&
		d.yield(llm.Event{Kind: llm.Delta, Block: llm.ToolCall, Index: d.index, Text: args}, nil) &&
		d.close()
}

func (d *decoder) close() bool {
	if d.open == none {
		return true
	}
	kind, index := d.open, d.index
	d.open = none
	d.index++
	return d.yield(llm.Event{Kind: llm.BlockStop, Block: kind, Index: index}, nil)
}

// fail ends an answer that did not stop by itself.
func (d *decoder) fail(err error) {
	if d.stopped {
		return
	}
	if err == nil {
		err = &llm.Error{Kind: llm.Cut, Message: "the answer stopped before its end; what came so far is incomplete"}
	}
	d.yield(llm.Event{}, err)
}

// why is the reason in neutral terms; an unknown one is kept.
func why(reason string, calls bool) llm.Why {
	switch reason {
	case "stop", "":
		if calls {
			return llm.CallTools
		}
		return llm.EndTurn
	case "length":
		return llm.MaxTokens
	default:
		return llm.Why(reason)
	}
}
