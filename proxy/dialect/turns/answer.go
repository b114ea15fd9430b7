package turns

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// An Answer turns a provider's blocks into events. Call, Dialect and Yield
// must be set. Blocks of calls may overlap, others never do.
type Answer struct {
	Call    *llm.Call
	Dialect string // whose opaque data the answer's are
	Yield   func(llm.Event, error) bool

	Started bool
	Usage   llm.Usage
	Tier    string
	Why     llm.Why

	gone  bool     // the reader of the events wants no more
	open  []*Block // by when they began
	next  int      // the next block's index
	calls int      // of the client's own tools
}

// A Block is a part of an answer that has begun.
type Block struct {
	Wire   int // the provider's index
	Kind   llm.BlockKind
	Hidden bool   // it has no events
	Input  string // a call's arguments, if no pieces of them come
	Opaque []byte

	index int // ours
	size  int // bytes of text or arguments so far
	cites []llm.Citation
}

// Read reads a whole answer, or the frames of a stream until one completes the
// answer. A stream that ends without such a frame was cut, unless complete,
// which may be nil, knows better. What goes wrong is an [*llm.Error], and ends
// the events.
func (a *Answer) Read(body io.Reader, whole func([]byte) error, frame func([]byte) (done bool, err error), complete func() bool) {
	if err := a.read(body, whole, frame, complete); err != nil && !a.gone {
		a.Yield(llm.Event{}, err)
	}
}

func (a *Answer) read(body io.Reader, whole func([]byte) error, frame func([]byte) (bool, error), complete func() bool) error {
	if !a.Call.Stream {
		data, err := io.ReadAll(body)
		if err != nil {
			return cut(err)
		}
		return whole(data)
	}
	for f, err := range sse.Frames(body, sse.Events) {
		if err != nil {
			return cut(err)
		}
		done, err := frame(f.Data)
		if err != nil || done || a.gone {
			return err
		}
	}
	if complete != nil && complete() {
		return nil
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
		return Garbage(err)
	}
	return &llm.Error{Kind: llm.Cut, Message: "the answer stopped before its end; what came so far is incomplete", Cause: err}
}

// Garbage is the error for an answer that cannot be read.
func Garbage(err error) *llm.Error {
	return &llm.Error{Kind: llm.Garbage, Message: "the provider's answer cannot be read: " + err.Error(), Cause: err}
}

// Emit yields an event.
func (a *Answer) Emit(e llm.Event) {
	if !a.gone && !a.Yield(e, nil) {
		a.gone = true
	}
}

// Start yields Start with what e says, once. Whatever else is yielded first
// brings a bare one.
func (a *Answer) Start(e llm.Event) {
	if !a.Started {
		a.Started = true
		e.Kind = llm.Start
		a.Emit(e)
	}
}

// Known is the usage so far; nil if none was reported.
func (a *Answer) Known() *llm.Usage {
	if !a.Usage.Known {
		return nil
	}
	u := a.Usage
	return &u
}

// Find is the open block with the provider's index, or nil.
func (a *Answer) Find(wire int) *Block {
	for _, b := range a.open {
		if b.Wire == wire {
			return b
		}
	}
	return nil
}

// Begin opens a block, which it returns: id and name are those of its event.
// What is still open is closed first, unless both are calls.
func (a *Answer) Begin(b *Block, id, name string) *Block {
	a.Start(llm.Event{})
	for _, o := range slices.Clone(a.open) {
		if o.Wire == b.Wire || o.Kind != llm.ToolCall || b.Kind != llm.ToolCall {
			a.End(o)
		}
	}
	a.open = append(a.open, b)
	if b.Hidden {
		return b
	}
	if b.Kind == llm.ToolCall {
		a.calls++
	}
	b.index = a.next
	a.next++
	a.Emit(llm.Event{Kind: llm.BlockStart, Block: b.Kind, Index: b.index, ID: id, Name: name})
	return b
}

// Add yields a piece of a block's text or arguments.
func (a *Answer) Add(b *Block, s string) {
	if s == "" || b.Hidden {
		return
	}
	b.size += len(s)
	a.Emit(llm.Event{Kind: llm.Delta, Block: b.Kind, Index: b.index, Text: s})
}

// Cite keeps a citation until the block's text, which it stands for, is whole.
func (b *Block) Cite(c llm.Citation) { b.cites = append(b.cites, c) }

// End closes a block.
func (a *Answer) End(b *Block) {
	a.open = slices.DeleteFunc(a.open, func(o *Block) bool { return o == b })
	if b.Hidden {
		return
	}
	if b.size == 0 { // a call without arguments, or with all of them at its start (B7)
		a.Add(b, b.Input)
	}
	for i := range b.cites {
		b.cites[i].End = b.size
		a.Emit(llm.Event{Kind: llm.Delta, Block: b.Kind, Index: b.index, Cite: &b.cites[i]})
	}
	stop := llm.Event{Kind: llm.BlockStop, Block: b.Kind, Index: b.index}
	if len(b.Opaque) > 0 {
		stop.Opaque, stop.Origin = string(b.Opaque), a.Call.Origin(a.Dialect)
		a.Call.Mark(stop.Opaque)
	}
	a.Emit(stop)
}

// Close closes all blocks.
func (a *Answer) Close() {
	a.Start(llm.Event{})
	for len(a.open) > 0 {
		a.End(a.open[0])
	}
}

// Stop closes what is open and ends the answer.
func (a *Answer) Stop() {
	a.Close()
	if a.Why == "" || a.Why == llm.CallTools && a.calls == 0 && a.Call.FormatTool != "" {
		a.Why = llm.EndTurn // a call of the format's tool is the answer itself
	}
	a.Emit(llm.Event{Kind: llm.Stop, Why: a.Why, Usage: a.Known(), Tier: a.Tier})
}

// Compact is a call's input as one line of JSON.
func Compact(input json.RawMessage) string {
	var b bytes.Buffer
	if len(input) == 0 || string(input) == "null" || json.Compact(&b, input) != nil {
		return "{}"
	}
	return b.String()
}

// Clip bounds a name that a provider made up.
func Clip(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most]
	}
	return string(bytes.ToValidUTF8([]byte(s), nil))
}
