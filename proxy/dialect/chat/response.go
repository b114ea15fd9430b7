package chat

import (
	"io"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads chunks or a whole completion. An answer is complete
// when its finish_reason was seen, or "[DONE]"; frames after "[DONE]" are not
// read. Only the first choice becomes events, and c.Lost says so.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := reader{Answer: openai.Answer{Call: c, Dialect: name, Yield: yield}}
		if c.Stream {
			d.stream(body)
		} else {
			d.whole(body)
		}
	}
}

// reader turns one answer into events.
type reader struct {
	openai.Answer

	started bool
	next    int           // the next block's index
	open    bool          // a block that is no call is open
	kind    llm.BlockKind // of the open block
	index   int           // of the open block

	opaque  []byte   // the open thinking block's entry, without its text
	signed  bool     // that entry has a signature: the block is done
	hidden  [][]byte // encrypted entries that wait for the calls to end
	cites   []*llm.Citation
	content []byte // of the open text block, for citations
	before  int    // characters in earlier text blocks
	calls   []*toolCall
	refused bool

	why    llm.Why
	usage  llm.Usage
	tier   string
	strict bool // a whole answer
}

func (d *reader) stream(body io.Reader) {
	for f, err := range sse.Frames(body, sse.Events) {
		if err != nil {
			d.Broke(err)
			return
		}
		if openai.Done(f.Data) {
			if !d.started {
				break
			}
			d.finish()
			return
		}
		c, err := readChunk(f.Data)
		if err != nil {
			d.Garbage("a frame of the answer cannot be read: %v", err)
			return
		}
		d.chunk(&c, f.Data)
		if d.Over {
			return
		}
	}
	if d.why == "" {
		d.Cut()
		return
	}
	d.finish()
}

func (d *reader) whole(body io.Reader) {
	d.strict = true
	b, ok := d.Whole(body)
	if !ok {
		return
	}
	c, err := readChunk(b)
	if err != nil {
		d.Garbage("the answer cannot be read: %v", err)
		return
	}
	d.chunk(&c, b)
	if d.Over {
		return
	}
	if c.choice == nil {
		d.Garbage("the answer has no choices")
		return
	}
	d.finish()
}

// chunk takes one frame in.
func (d *reader) chunk(c *chunk, frame []byte) {
	if u, ok := openai.Usage(c.usage); ok {
		d.usage = u
	} else if u, ok := openai.Usage(c.first.usage); ok { // Moonshot's place for it
		d.usage = u
	} else if u, ok := openai.Usage(c.xUsage); ok && !d.usage.Known {
		d.usage = u
	}
	if c.tier != nil {
		if string(c.tier) != `"`+d.tier+`"` {
			d.tier = field.Unquote(c.tier)
		}
	}
	if e := frameError(c, frame); e != nil {
		d.Fail(e)
		return
	}
	if c.choices > 1 || c.choices == 1 && c.choice == nil {
		d.Call.Lose("n: only the first answer is translated")
	}
	if c.choice == nil {
		return
	}
	if !d.started {
		d.started = true
		d.Emit(llm.Event{Kind: llm.Start, ID: field.Unquote(c.id), Name: field.Unquote(c.model)})
	}
	if c.first.delta != nil {
		var dl delta
		if err := llm.Fields(c.first.delta, dl.field); err != nil {
			d.Garbage("a piece of the answer cannot be read: %v", err)
			return
		}
		d.delta(&dl)
	}
	if c.first.finish == nil || d.Over {
		return
	}
	why, broken := whyOf(c.first.finish)
	switch {
	case broken:
		d.Fail(broke(why))
	case why == llm.EndTurn && len(c.first.stop) > 0 && c.first.stop[0] == '"': // vLLM names the sequence
		d.why = llm.StopSequence
	case why != "" && d.why == "":
		d.why = why
	}
}

// broke is the error for a finish_reason that is no end.
func broke(why llm.Why) *llm.Error {
	return &llm.Error{Kind: llm.ServerError, Outbound: name, Code: string(why), Message: "the provider could not finish the answer: " + string(why)}
}

// finish closes what is open and ends the answer.
func (d *reader) finish() {
	d.close()
	d.endCalls()
	d.flushHidden()
	if len(d.cites) > 0 && !d.Over {
		d.begin(llm.Text)
		d.flushCites()
		d.close()
	}
	switch {
	case d.why == "" && len(d.calls) > 0, d.why == llm.EndTurn && len(d.calls) > 0:
		d.why = llm.CallTools
	case d.why == "", d.why == llm.EndTurn:
		d.why = llm.EndTurn
		if d.refused {
			d.why = llm.Refused
		}
	}
	e := llm.Event{Kind: llm.Stop, Why: d.why, Tier: d.tier}
	if d.usage.Known {
		e.Usage = &d.usage
	}
	d.Emit(e)
}
