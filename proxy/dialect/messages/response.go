package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads an answer into events. Blocks of Anthropic's own tools
// (web search and the like) are not shown, and are named with c.Lose; what
// they found comes as citations of the text. A citation comes at the end of
// its block, which is the span it stands for.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := decoder{call: c, yield: yield}
		err := d.read(body)
		if err != nil && !d.gone {
			yield(llm.Event{}, err)
		}
	}
}

// decoder is one answer on its way in.
type decoder struct {
	call  *llm.Call
	yield func(llm.Event, error) bool
	gone  bool // the reader of the events wants no more

	started bool
	model   string
	usage   llm.Usage
	tier    string
	why     llm.Why
	refusal string // the provider's explanation

	open  []*openBlock // by when they began
	next  int          // the next block's index
	calls int          // of the client's own tools
}

// openBlock is a block that has begun.
type openBlock struct {
	wire   int // the provider's index
	index  int // ours
	kind   llm.BlockKind
	hidden bool   // a server tool's
	size   int    // bytes of text or arguments so far
	input  string // a call's arguments, if they came with its start
	opaque []byte
	cites  []llm.Citation
}

func garbage(err error) *llm.Error {
	return &llm.Error{Kind: llm.Garbage, Message: "the provider's answer cannot be read: " + err.Error(), Cause: err}
}

// read reads the answer to its end. The error is an [*llm.Error].
func (d *decoder) read(body io.Reader) error {
	if !d.call.Stream {
		data, err := io.ReadAll(body)
		if err != nil {
			return cut(err)
		}
		return d.whole(data)
	}
	for f, err := range sse.Frames(body, sse.Events) {
		if err != nil {
			return cut(err)
		}
		done, err := d.frame(f)
		if err != nil || done || d.gone {
			return err
		}
	}
	return cut(io.ErrUnexpectedEOF)
}

// cut is the error for an answer that ended too early.
func cut(err error) error {
	var known *llm.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, sse.ErrFrameTooLarge):
		return garbage(err)
	}
	return &llm.Error{Kind: llm.Cut, Message: "the answer stopped before its end; what came so far is incomplete", Cause: err}
}

func (d *decoder) emit(e llm.Event) {
	if !d.gone && !d.yield(e, nil) {
		d.gone = true
	}
}

// frame handles one frame; done means that the answer is complete.
func (d *decoder) frame(f sse.Frame) (done bool, err error) {
	kind := kindOf(f.Data)
	if string(kind) == "content_block_delta" {
		return false, d.delta(f.Data)
	}
	if kind == nil {
		switch {
		case string(f.Data) == "[DONE]": // of gateways that speak chat too
			return false, nil
		case hasError(f.Data):
			return false, Dialect{}.DecodeError(0, nil, f.Data)
		}
	}
	switch string(kind) {
	case "ping":
		d.emit(llm.Event{Kind: llm.Ping})
		return false, nil
	case "error":
		return false, Dialect{}.DecodeError(0, nil, f.Data)
	}
	var e event
	if err := json.Unmarshal(f.Data, &e); err != nil {
		return false, garbage(err)
	}
	switch e.Type {
	case "message_start":
		d.start(e.Message)
	case "content_block_start":
		if e.Block == nil {
			return false, garbage(errors.New("a block begins that is not there"))
		}
		d.begin(e.Index, e.Block)
	case "content_block_stop":
		if b := d.find(e.Index); b != nil {
			d.end(b)
		}
	case "message_delta":
		d.count(e.Usage)
		if e.Delta != nil {
			d.stopFor(e.Delta.StopReason, e.Delta.StopDetails)
		}
	case "message_stop":
		d.finish()
		return true, nil
	case "":
		return false, garbage(errors.New("a frame without a type"))
	default:
		d.call.Lose("answer: an event called " + clip(e.Type))
	}
	return false, nil
}

// start yields Start, once.
func (d *decoder) start(m *message) {
	if d.started {
		return
	}
	d.started = true
	e := llm.Event{Kind: llm.Start}
	if m != nil {
		d.model = m.Model
		d.count(m.Usage)
		d.stopFor(m.StopReason, m.StopDetails)
		e.ID, e.Name, e.Usage = m.ID, m.Model, d.known()
	}
	d.emit(e)
}

func (d *decoder) count(u *usage) {
	u.apply(&d.usage, d.model)
	d.tier = u.tierOf(d.tier)
}

// known is the usage so far; nil if none was reported.
func (d *decoder) known() *llm.Usage {
	if !d.usage.Known {
		return nil
	}
	u := d.usage
	return &u
}

func (d *decoder) stopFor(reason string, details *stopDetails) {
	if reason != "" {
		d.why = whyOf(reason)
	}
	if details != nil && details.Explanation != "" {
		d.refusal = details.Explanation
	}
}

// finish closes what is open and yields Stop.
func (d *decoder) finish() {
	d.start(nil)
	for len(d.open) > 0 {
		d.end(d.open[0])
	}
	if d.refusal != "" {
		at := llm.Event{Block: llm.Refusal, Index: d.next}
		for _, kind := range []llm.EventKind{llm.BlockStart, llm.Delta, llm.BlockStop} {
			at.Kind, at.Text = kind, ""
			if kind == llm.Delta {
				at.Text = d.refusal
			}
			d.emit(at)
		}
	}
	switch {
	case d.why == "", d.why == llm.CallTools && d.calls == 0 && d.call.FormatTool != "":
		d.why = llm.EndTurn // a call of the format's tool is the answer itself
	}
	d.emit(llm.Event{Kind: llm.Stop, Why: d.why, Usage: d.known(), Tier: d.tier})
}

// whole reads an answer that is not streamed.
func (d *decoder) whole(body []byte) error {
	if kind := kindOf(body); string(kind) == "error" || kind == nil && hasError(body) {
		return Dialect{}.DecodeError(0, nil, body)
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return garbage(err)
	}
	if m.Content == nil {
		return garbage(errors.New("it has no content"))
	}
	d.start(&m)
	for i := range m.Content {
		d.begin(i, &m.Content[i])
		if b := d.find(i); b != nil {
			d.end(b)
		}
	}
	d.finish()
	return nil
}

// clip bounds a name that a provider made up.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most]
	}
	return string(bytes.ToValidUTF8([]byte(s), nil))
}
