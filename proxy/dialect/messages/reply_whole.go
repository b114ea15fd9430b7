package messages

import (
	"bytes"
	"encoding/json"
	"io"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// replyBlock is a block of a whole answer.
type replyBlock struct {
	kind           llm.BlockKind
	index          int
	id, name       string
	text           []byte // or a call's arguments
	opaque, origin string
	cites          []byte // comma-separated
}

// whole gathers the events and writes one message. If they end in an error,
// nothing is written.
func (a *reply) whole(w io.Writer, events llm.Events) error {
	var blocks []*replyBlock
	var usage *llm.Usage
	var last llm.Event
	for e, err := range events {
		if err != nil {
			return err
		}
		switch e.Kind {
		case llm.Start:
			a.begin(e)
		case llm.BlockStart:
			blocks = append(blocks, &replyBlock{kind: e.Block, index: e.Index, id: e.ID, name: e.Name})
			if e.Block == llm.ToolCall {
				a.calls++
			}
		case llm.Delta, llm.BlockStop:
			a.grow(blocks, e)
		case llm.Stop:
			last = e
		case llm.Ping:
		}
		if e.Usage != nil {
			usage = e.Usage
		}
	}
	b, err := a.appendBlocks(a.appendHead(nil), blocks, last.Why)
	if err != nil {
		return err
	}
	b = a.appendWhy(append(b, `],`...), last.Why)
	b = appendSpent(appendUsage(append(b, `,"usage":{`...), usage), usage)
	if tier := tierWord(last.Tier); tier != "" {
		b = sse.AppendString(append(b, `,"service_tier":`...), tier)
	}
	_, werr := w.Write(append(b, "}}"...))
	return werr
}

func (a *reply) grow(blocks []*replyBlock, e llm.Event) {
	if e.Block == llm.Refusal {
		a.refusal = append(a.refusal, e.Text...)
		return
	}
	for i := len(blocks) - 1; i >= 0; i-- {
		b := blocks[i]
		if b.index != e.Index {
			continue
		}
		b.text = append(b.text, e.Text...)
		if e.Cite != nil {
			if len(b.cites) > 0 {
				b.cites = append(b.cites, ',')
			}
			b.cites = appendCitation(b.cites, e.Cite)
		}
		if e.Opaque != "" {
			b.opaque, b.origin = e.Opaque, e.Origin
		}
		return
	}
}

func (a *reply) appendBlocks(b []byte, blocks []*replyBlock, why llm.Why) ([]byte, error) {
	first := true
	for _, r := range blocks {
		if r.kind == llm.Refusal || r.kind == llm.Vector || r.kind == llm.Redacted && r.opaque == "" {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var err error
		if b, err = r.append(b, why); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (r *replyBlock) append(b []byte, why llm.Why) ([]byte, error) {
	switch r.kind {
	case llm.Thinking:
		b = sse.AppendString(append(b, `{"type":"thinking","thinking":`...), string(r.text))
		sign := signed(r.opaque, r.origin)
		if sign == "" {
			// Clients want a signature here, and an empty one is refused when
			// it comes back (D13). This one is taken out on its way.
			sign = llm.Seal("", "")
		}
		b = sse.AppendString(append(b, `,"signature":`...), sign)
	case llm.Redacted:
		b = sse.AppendString(append(b, `{"type":"redacted_thinking","data":`...), signed(r.opaque, r.origin))
	case llm.ToolCall:
		input, err := r.input(why)
		if err != nil {
			return nil, err
		}
		b = sse.AppendString(append(b, `{"type":"tool_use","id":`...), r.id)
		b = sse.AppendString(append(b, `,"name":`...), r.name)
		b = append(append(b, `,"input":`...), input...)
	case llm.Image:
		b = sse.AppendString(append(b, `{"type":"text","text":`...), picture(r.name))
	default:
		b = sse.AppendString(append(b, `{"type":"text","text":`...), string(r.text))
		if len(r.cites) > 0 {
			b = append(append(append(b, `,"citations":[`...), r.cites...), ']')
		}
	}
	return append(b, '}'), nil
}

// input is a call's arguments. A call that was cut off by a limit has none;
// one that is broken for no reason must not be run.
func (r *replyBlock) input(why llm.Why) ([]byte, error) {
	args := bytes.TrimSpace(r.text)
	switch {
	case len(args) == 0, string(args) == "null": // B7
		return []byte("{}"), nil
	case json.Valid(args):
		return args, nil
	case why == llm.MaxTokens:
		return []byte("{}"), nil
	}
	return nil, &llm.Error{Kind: llm.Garbage, Message: "the model called the tool " + r.name + " with arguments that are not JSON; ask again"}
}
