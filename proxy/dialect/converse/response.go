package converse

import (
	"encoding/json"
	"errors"
	"io"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// DecodeResponse reads an answer into events. Parts that no event can hold are
// not shown, and are named with c.Lose. A citation comes at the end of its
// block, which is the span it stands for.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := decoder{Answer: turns.Answer{Call: c, Dialect: name, Yield: yield}}
		d.Read(body, d.whole, d.frame, d.complete)
	}
}

// decoder is one answer on its way in.
type decoder struct {
	turns.Answer
	stopped bool     // messageStop was seen
	ids     []string // of calls of the client's own tools
}

// complete ends an answer of which all was said but for the usage.
func (d *decoder) complete() bool {
	if d.stopped {
		d.Stop()
	}
	return d.stopped
}

// frame handles one event; done means that the answer is complete.
func (d *decoder) frame(data []byte) (done bool, err error) {
	if data == nil {
		return false, nil
	}
	f := cutFrame(data)
	if !f.ok {
		return false, turns.Garbage(errors.New("an event is no JSON object"))
	}
	switch f.kind {
	case messageStart:
		d.Start(llm.Event{})
	case blockStart:
		var s struct {
			ToolUse *toolUse `json:"toolUse"`
			Image   *struct {
				Format string `json:"format"`
			} `json:"image"`
		}
		if err := json.Unmarshal(f.value, &s); err != nil {
			return false, turns.Garbage(err)
		}
		switch {
		case s.ToolUse != nil:
			d.beginCall(f.index, s.ToolUse)
		case s.Image != nil:
			d.beginImage(f.index, s.Image.Format)
		case len(f.value) > len("{}"):
			d.Call.Lose("answer: a part of type " + turns.Clip(firstKey(f.value)))
		}
	case blockDelta:
		return false, d.delta(f.index, f.value)
	case blockStop:
		if b := d.Find(f.index); b != nil {
			d.End(b)
		}
	case messageStop:
		d.stopped = true
		if reason, ok := field.Text(f.value); ok {
			d.Why = whyOf(reason)
		}
	case meta:
		var m metadata
		if err := json.Unmarshal(data, &m); err != nil {
			return false, turns.Garbage(err)
		}
		m.Usage.apply(&d.Usage)
		d.Tier = tierOf(m.Tier, m.Performance)
		if d.stopped {
			d.Stop()
			return true, nil
		}
	case failure:
		return false, Dialect{}.DecodeError(0, nil, data)
	default:
		d.Call.Lose("answer: an event with " + turns.Clip(firstKey(data)))
	}
	return false, nil
}

// whole reads an answer that is not streamed. An answer may have no message,
// where a guardrail or filter kept it back (G12).
func (d *decoder) whole(body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return turns.Garbage(err)
	}
	if a.StopReason == "" {
		if a.Output == nil && hasError(body) {
			return Dialect{}.DecodeError(0, nil, body)
		}
		return turns.Garbage(errors.New("it does not say why it ended"))
	}
	d.Why = whyOf(a.StopReason)
	a.Usage.apply(&d.Usage)
	d.Tier = tierOf(a.Tier, a.Performance)
	d.Start(llm.Event{})
	if a.Output != nil && a.Output.Message != nil {
		for i := range a.Output.Message.Content {
			d.block(i, &a.Output.Message.Content[i])
		}
	}
	d.Stop()
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
