package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads chunks or a whole completion. An answer is complete
// when its finish_reason was seen, or "[DONE]"; frames after "[DONE]" are not
// read. Only the first choice becomes events, and c.Lost says so.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := reader{c: c, yield: yield}
		if c.Stream {
			d.stream(body)
		} else {
			d.whole(body)
		}
	}
}

// reader turns one answer into events.
type reader struct {
	c     *llm.Call
	yield func(llm.Event, error) bool
	over  bool // the consumer wants no more, or an error was yielded

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

func (d *reader) emit(e llm.Event) {
	if !d.over && !d.yield(e, nil) {
		d.over = true
	}
}

func (d *reader) fail(err *llm.Error) {
	if !d.over {
		d.over = true
		d.yield(llm.Event{}, err)
	}
}

func (d *reader) garbage(format string, args ...any) {
	d.fail(&llm.Error{Kind: llm.Garbage, Outbound: name, Message: fmt.Sprintf(format, args...)})
}

func (d *reader) stream(body io.Reader) {
	for f, err := range sse.Frames(body, sse.Events) {
		if err != nil {
			d.broke(err)
			return
		}
		if isDone(f.Data) {
			if !d.started {
				break
			}
			d.finish()
			return
		}
		c, err := readChunk(f.Data)
		if err != nil {
			d.garbage("a frame of the answer cannot be read: %v", err)
			return
		}
		d.chunk(&c, f.Data)
		if d.over {
			return
		}
	}
	if d.why == "" {
		d.fail(&llm.Error{Kind: llm.Cut, Outbound: name, Message: "the answer stopped in the middle"})
		return
	}
	d.finish()
}

func (d *reader) broke(err error) {
	if errors.Is(err, sse.ErrFrameTooLarge) {
		d.garbage("the answer cannot be read: %v", err)
		return
	}
	d.fail(&llm.Error{Kind: llm.Cut, Outbound: name, Message: "the answer stopped in the middle: " + err.Error(), Cause: err})
}

func (d *reader) whole(body io.Reader) {
	d.strict = true
	b, err := io.ReadAll(io.LimitReader(body, sse.MaxFrame+1))
	switch {
	case err != nil:
		d.broke(err)
		return
	case len(b) > sse.MaxFrame:
		d.broke(sse.ErrFrameTooLarge)
		return
	}
	if e := badBody(b); e != nil {
		d.fail(e)
		return
	}
	c, err := readChunk(b)
	if err != nil {
		d.garbage("the answer cannot be read: %v", err)
		return
	}
	d.chunk(&c, b)
	if d.over {
		return
	}
	if c.choice == nil {
		d.garbage("the answer has no choices")
		return
	}
	d.finish()
}

// badBody says what is wrong with a whole body that is no JSON object.
func badBody(b []byte) *llm.Error {
	if json.Valid(b) {
		if b = bytes.TrimSpace(b); b[0] == '{' {
			return nil
		}
		return &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "the answer is not a JSON object"}
	}
	var v json.RawMessage
	b = bytes.TrimSpace(b)
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&v); len(b) > 0 && b[0] == '{' && err == io.ErrUnexpectedEOF {
		return &llm.Error{Kind: llm.Cut, Outbound: name, Message: "the answer stopped in the middle"}
	}
	if len(b) == 0 {
		return &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "the provider answered with an empty body"}
	}
	e := &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "the answer is not JSON"}
	if b[0] != '{' { // else it is an answer, whose content is nobody's business
		e.Message += ": " + summary(b)
	}
	return e
}

// chunk takes one frame in.
func (d *reader) chunk(c *chunk, frame []byte) {
	if u, ok := readUsage(c.usage); ok {
		d.usage = u
	} else if u, ok := readUsage(c.first.usage); ok { // Moonshot's place for it
		d.usage = u
	} else if u, ok := readUsage(c.xUsage); ok && !d.usage.Known {
		d.usage = u
	}
	if c.tier != nil {
		if string(c.tier) != `"`+d.tier+`"` {
			d.tier = field.Unquote(c.tier)
		}
	}
	if e := frameError(c, frame); e != nil {
		d.fail(e)
		return
	}
	if c.choices > 1 || c.choices == 1 && c.choice == nil {
		d.c.Lose("n: only the first answer is translated")
	}
	if c.choice == nil {
		return
	}
	if !d.started {
		d.started = true
		d.emit(llm.Event{Kind: llm.Start, ID: field.Unquote(c.id), Name: field.Unquote(c.model)})
	}
	if c.first.delta != nil {
		var dl delta
		if err := llm.Fields(c.first.delta, dl.field); err != nil {
			d.garbage("a piece of the answer cannot be read: %v", err)
			return
		}
		d.delta(&dl)
	}
	if c.first.finish == nil || d.over {
		return
	}
	why, broken := whyOf(c.first.finish)
	switch {
	case broken:
		d.fail(broke(why))
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
	if len(d.cites) > 0 && !d.over {
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
	d.emit(e)
}
