package ollama

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads a whole answer or a stream of lines. H2, H5, H13, H14.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := decoder{yield: yield, open: none}
		for data, err := range frames(c, body) {
			if err != nil {
				d.cut(err)
				return
			}
			if !d.frame(data) {
				return
			}
		}
		d.cut(nil)
	}
}

// frames are the lines of a stream, or a whole body as one.
func frames(c *llm.Call, body io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if !c.Stream {
			b, err := io.ReadAll(io.LimitReader(body, sse.MaxFrame+1))
			if len(b) > sse.MaxFrame {
				err = sse.ErrFrameTooLarge
			}
			if err != nil || len(bytes.TrimSpace(b)) > 0 {
				yield(b, err)
			}
			return
		}
		for f, err := range sse.Frames(body, sse.Lines) {
			if (err != nil || len(bytes.TrimSpace(f.Data)) > 0) && !yield(f.Data, err) {
				return
			}
		}
	}
}

// none is the block that is not open.
const none llm.BlockKind = 255

// decoder turns answers into events, one block open at a time.
type decoder struct {
	yield   func(llm.Event, error) bool
	started bool
	open    llm.BlockKind
	index   int             // of the open block, or of the next one
	ids     map[string]bool // of the calls so far
}

// frame decodes one line; false ends the reading.
func (d *decoder) frame(data []byte) bool {
	if model, m, ok := quick(data); ok {
		return (d.started || d.start(field.Unquote(model))) && d.message(&m)
	}
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		e := &llm.Error{Kind: llm.Garbage, Outbound: name, Cause: err, Message: "Ollama's answer holds a line that cannot be read: " + err.Error()}
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && syntax.Offset >= int64(len(data)) {
			e.Kind, e.Message = llm.Cut, stopped
		}
		d.yield(llm.Event{}, e)
		return false
	}
	if refuses(a.Error) {
		d.yield(llm.Event{}, inStream(data))
		return false
	}
	if !d.started && !d.start(a.Model) {
		return false
	}
	if a.Message == nil {
		a.Message = a.generated()
	}
	if a.Message != nil && !d.message(a.Message) {
		return false
	}
	if !a.Done {
		return true
	}
	if d.close() {
		u := counts(a.PromptEvalCount, a.EvalCount)
		d.yield(llm.Event{Kind: llm.Stop, Why: why(a.DoneReason, len(d.ids) > 0), Usage: &u}, nil)
	}
	return false
}

// generated is what a line of the generate form says, or nil.
func (a *answer) generated() *message {
	if a.Response == nil && a.Image == "" {
		return nil
	}
	m := &message{Thinking: a.Thinking, ToolCalls: a.ToolCalls}
	if a.Response != nil {
		m.Content = *a.Response
	}
	if a.Image != "" {
		m.Images = []string{a.Image}
	}
	return m
}

func (d *decoder) start(model string) bool {
	d.started = true
	return d.yield(llm.Event{Kind: llm.Start, Name: model}, nil)
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
	for _, data := range m.Images {
		if !d.whole(llm.Image, "", mime(data), data) {
			return false
		}
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
	if t.Function.Name == "" {
		d.yield(llm.Event{}, &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "Ollama's answer calls a tool without a name"})
		return false
	}
	id := t.ID
	if id == "" || d.ids[id] {
		id = "call_" + rand.Text()[:16]
	}
	if d.ids == nil {
		d.ids = map[string]bool{}
	}
	d.ids[id] = true
	return d.whole(llm.ToolCall, id, t.Function.Name, arguments(t.Function.Arguments))
}

// arguments are an object, as JSON text; servers like Ollama may send that
// text as a string. B7.
func arguments(raw json.RawMessage) string {
	args := string(raw)
	if text := field.Unquote(raw); text != "" {
		args = text
	}
	if args == "" || args == "null" || args == `""` {
		return "{}"
	}
	return args
}

// whole shows a block that comes in one piece.
func (d *decoder) whole(kind llm.BlockKind, id, title, text string) bool {
	if !d.close() || !d.yield(llm.Event{Kind: llm.BlockStart, Block: kind, Index: d.index, ID: id, Name: title}, nil) {
		return false
	}
	d.open = kind
	return d.yield(llm.Event{Kind: llm.Delta, Block: kind, Index: d.index, Text: text}, nil) && d.close()
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

const stopped = "Ollama's answer stopped before its end; what came so far is incomplete"

// cut ends an answer whose last line did not come; err may be nil.
func (d *decoder) cut(err error) {
	e := &llm.Error{Kind: llm.Cut, Outbound: name, Message: stopped, Cause: err}
	switch {
	case errors.As(err, new(*llm.Error)):
		d.yield(llm.Event{}, err) // the reader knows better
		return
	case errors.Is(err, sse.ErrFrameTooLarge):
		e.Kind, e.Message = llm.Garbage, err.Error()
	case err != nil:
		e.Message = "Ollama's answer stopped before its end: " + err.Error()
	}
	d.yield(llm.Event{}, e)
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
