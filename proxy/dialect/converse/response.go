package converse

import (
	"encoding/json"
	"errors"
	"io"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads an answer into events. Parts that no event can hold are
// not shown, and are named with c.Lose. A citation comes at the end of its
// block, which is the span it stands for.
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
	stopped bool // messageStop was seen
	usage   llm.Usage
	tier    string
	why     llm.Why

	open  []*openBlock // by when they began
	next  int          // the next block's index
	calls int          // of the client's own tools
	ids   []string     // of those calls
}

// openBlock is a block that has begun.
type openBlock struct {
	wire   int // the provider's index
	index  int // ours
	kind   llm.BlockKind
	size   int    // bytes of text or arguments so far
	opaque []byte // a signature; redacted reasoning as bytes
	cites  []llm.Citation
	isCall bool // toolUse, that of a format's tool too
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
		done, err := d.frame(f.Data)
		if err != nil || done || d.gone {
			return err
		}
	}
	if d.stopped { // all was said but for the usage
		d.finish()
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
		return garbage(err)
	}
	return &llm.Error{Kind: llm.Cut, Message: "the answer stopped before its end; what came so far is incomplete", Cause: err}
}

func (d *decoder) emit(e llm.Event) {
	if !d.gone && !d.yield(e, nil) {
		d.gone = true
	}
}

// frame handles one event; done means that the answer is complete.
func (d *decoder) frame(data []byte) (done bool, err error) {
	if data == nil {
		return false, nil
	}
	f := cutFrame(data)
	if !f.ok {
		return false, garbage(errors.New("an event is no JSON object"))
	}
	switch f.kind {
	case messageStart:
		d.start()
	case blockStart:
		var s struct {
			ToolUse *toolUse `json:"toolUse"`
			Image   *struct {
				Format string `json:"format"`
			} `json:"image"`
		}
		if err := json.Unmarshal(f.value, &s); err != nil {
			return false, garbage(err)
		}
		switch {
		case s.ToolUse != nil:
			d.beginCall(f.index, s.ToolUse)
		case s.Image != nil:
			d.begin(f.index, llm.Image, "image/"+s.Image.Format)
		case len(f.value) > len("{}"):
			d.call.Lose("answer: a part of type " + clip(firstKey(f.value)))
		}
	case blockDelta:
		return false, d.delta(f.index, f.value)
	case blockStop:
		if b := d.find(f.index); b != nil {
			d.end(b)
		}
	case messageStop:
		d.stopped = true
		if reason, ok := field.Text(f.value); ok {
			d.why = whyOf(reason)
		}
	case meta:
		var m metadata
		if err := json.Unmarshal(data, &m); err != nil {
			return false, garbage(err)
		}
		m.Usage.apply(&d.usage)
		d.tier = tierOf(m.Tier, m.Performance)
		if d.stopped {
			d.finish()
			return true, nil
		}
	case failure:
		return false, Dialect{}.DecodeError(0, nil, data)
	default:
		d.call.Lose("answer: an event with " + clip(firstKey(data)))
	}
	return false, nil
}

// start yields Start, once.
func (d *decoder) start() {
	if !d.started {
		d.started = true
		d.emit(llm.Event{Kind: llm.Start})
	}
}

// known is the usage; nil if none was reported.
func (d *decoder) known() *llm.Usage {
	if !d.usage.Known {
		return nil
	}
	u := d.usage
	return &u
}

// finish closes what is open and yields Stop.
func (d *decoder) finish() {
	d.start()
	for len(d.open) > 0 {
		d.end(d.open[0])
	}
	if d.why == "" || d.why == llm.CallTools && d.calls == 0 && d.call.FormatTool != "" {
		d.why = llm.EndTurn // a call of the format's tool is the answer itself
	}
	d.emit(llm.Event{Kind: llm.Stop, Why: d.why, Usage: d.known(), Tier: d.tier})
}

// whole reads an answer that is not streamed. An answer may have no message,
// where a guardrail or filter kept it back (G12).
func (d *decoder) whole(body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return garbage(err)
	}
	if a.StopReason == "" {
		if a.Output == nil && hasError(body) {
			return Dialect{}.DecodeError(0, nil, body)
		}
		return garbage(errors.New("it does not say why it ended"))
	}
	d.why = whyOf(a.StopReason)
	a.Usage.apply(&d.usage)
	d.tier = tierOf(a.Tier, a.Performance)
	d.start()
	if a.Output != nil && a.Output.Message != nil {
		for i := range a.Output.Message.Content {
			d.block(i, &a.Output.Message.Content[i])
		}
	}
	d.finish()
	return nil
}

// firstKey is the first field's name of a JSON object.
func firstKey(data []byte) string {
	first := ""
	_ = llm.Fields(data, func(k, _ []byte, _ int) bool { // what cannot be read has none
		first = string(k)
		return false
	})
	return first
}

// clip bounds a name that a provider made up.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		s = s[:most]
	}
	return s
}
