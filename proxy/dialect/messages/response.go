package messages

import (
	"encoding/json"
	"errors"
	"io"

	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

// DecodeResponse reads an answer into events. Blocks of Anthropic's own tools
// (web search and the like) are not shown, and are named with c.Lose; what
// they found comes as citations of the text. A citation comes at the end of
// its block, which is the span it stands for.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := decoder{Answer: turns.Answer{Call: c, Dialect: name, Yield: yield}}
		d.Read(body, d.whole, d.frame, nil)
	}
}

// decoder is one answer on its way in.
type decoder struct {
	turns.Answer
	model   string
	refusal string // the provider's explanation
}

// frame handles one frame; done means that the answer is complete.
func (d *decoder) frame(data []byte) (done bool, err error) {
	kind := kindOf(data)
	if string(kind) == "content_block_delta" {
		return false, d.delta(data)
	}
	if kind == nil {
		switch {
		case string(data) == "[DONE]": // of gateways that speak chat too
			return false, nil
		case hasError(data):
			return false, Dialect{}.DecodeError(0, nil, data)
		}
	}
	switch string(kind) {
	case "ping":
		d.Emit(llm.Event{Kind: llm.Ping})
		return false, nil
	case "error":
		return false, Dialect{}.DecodeError(0, nil, data)
	}
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return false, turns.Garbage(err)
	}
	switch e.Type {
	case "message_start":
		d.start(e.Message)
	case "content_block_start":
		if e.Block == nil {
			return false, turns.Garbage(errors.New("a block begins that is not there"))
		}
		d.begin(e.Index, e.Block)
	case "content_block_stop":
		if b := d.Find(e.Index); b != nil {
			d.End(b)
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
		return false, turns.Garbage(errors.New("a frame without a type"))
	default:
		d.Call.Lose("answer: an event called " + turns.Clip(e.Type))
	}
	return false, nil
}

// start yields Start, once.
func (d *decoder) start(m *message) {
	if d.Started {
		return
	}
	var e llm.Event
	if m != nil {
		d.model = m.Model
		d.count(m.Usage)
		d.stopFor(m.StopReason, m.StopDetails)
		e.ID, e.Name, e.Usage = m.ID, m.Model, d.Known()
	}
	d.Start(e)
}

func (d *decoder) count(u *usage) {
	u.apply(&d.Usage, d.model)
	d.Tier = u.tierOf(d.Tier)
}

func (d *decoder) stopFor(reason string, details *stopDetails) {
	if reason != "" {
		d.Why = whyOf(reason)
	}
	if details != nil && details.Explanation != "" {
		d.refusal = details.Explanation
	}
}

// finish closes what is open, adds why the model refused, and yields Stop.
func (d *decoder) finish() {
	d.Close()
	if d.refusal != "" {
		d.Add(d.Begin(&turns.Block{Kind: llm.Refusal}, "", ""), d.refusal)
	}
	d.Stop()
}

// whole reads an answer that is not streamed.
func (d *decoder) whole(body []byte) error {
	if kind := kindOf(body); string(kind) == "error" || kind == nil && hasError(body) {
		return Dialect{}.DecodeError(0, nil, body)
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return turns.Garbage(err)
	}
	if m.Content == nil {
		return turns.Garbage(errors.New("it has no content"))
	}
	d.start(&m)
	for i := range m.Content {
		d.begin(i, &m.Content[i])
		if b := d.Find(i); b != nil {
			d.End(b)
		}
	}
	d.finish()
	return nil
}
