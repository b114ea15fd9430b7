package responses

import (
	"io"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads the events of an answer, or a whole response. An answer
// is complete when its response.completed or response.incomplete was seen;
// what follows is not read.
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
	items   []*item
	next    int           // the next block's index
	open    bool          // a block that is no call is open
	kind    llm.BlockKind // of the open block
	index   int           // of the open block
	owner   *item         // whose the open block is
	part    int           // of its owner
	content []byte        // of the open text block, for citations

	calls    bool // some call was made
	refused  bool
	searches int64
}

func (d *reader) stream(body io.Reader) {
	for f, err := range sse.Frames(body, sse.Events) {
		if err != nil {
			d.Broke(err)
			return
		}
		if openai.Done(f.Data) {
			break
		}
		ev, err := readFrame(f.Data)
		if err != nil {
			d.Garbage("a frame of the answer cannot be read: %v", err)
			return
		}
		if d.event(&ev, f.Data); d.Over {
			return
		}
	}
	d.Cut()
}

// event takes one event in.
func (d *reader) event(f *frame, raw []byte) {
	if e := errorOf(f, raw); e != nil {
		d.Fail(e)
		return
	}
	switch f.kind {
	case "response.created", "response.queued", "response.in_progress":
		if d.started {
			d.Emit(llm.Event{Kind: llm.Ping})
			return
		}
		o := readOutcome(f.response)
		d.start(&o)
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done":
		d.end(f, raw)
	case "response.output_item.added":
		d.added(f)
	case "response.output_item.done":
		d.finished(d.find(f), f.item)
	case textDelta, refusalDelta:
		d.said(f, f.delta, true)
	case "response.output_text.done":
		d.said(f, f.text, false)
	case "response.refusal.done":
		d.said(f, f.refusal, false)
	case "response.content_part.done":
		d.partDone(f)
	case summaryDelta, thoughtDelta:
		d.thought(f, f.delta, true)
	case "response.reasoning_summary_text.done", "response.reasoning_text.done":
		d.thought(f, f.text, false)
	case argsDelta:
		d.arguments(f, f.delta, true)
	case "response.function_call_arguments.done":
		d.arguments(f, f.args, false)
	case inputDelta:
		d.input(f, f.delta, true)
	case "response.custom_tool_call_input.done":
		d.input(f, f.input, false)
	case "response.output_text.annotation.added":
		d.annotation(f.annotation, d.find(f))
	default: // the provider works on something that has no place in the answer
		if d.started {
			d.Emit(llm.Event{Kind: llm.Ping})
		}
	}
}

func (d *reader) start(o *outcome) {
	if !d.started {
		d.started = true
		d.Emit(llm.Event{Kind: llm.Start, ID: o.id, Name: o.model})
	}
}

// end takes a terminal event in.
func (d *reader) end(f *frame, raw []byte) {
	o := readOutcome(f.response)
	if o.status == "" || f.kind == "response.failed" {
		o.status = f.kind[len("response."):]
	}
	if _, broken := o.why(); broken {
		d.Fail(o.failure(raw))
		return
	}
	d.start(&o)
	if len(d.items) == 0 {
		d.list(o.output)
	}
	d.stop(&o)
}

// list takes in the items of a response object, each whole.
func (d *reader) list(output []byte) {
	if output == nil {
		return
	}
	err := llm.Elements(output, func(v []byte, _ int) bool {
		if len(d.items) > maxIndex {
			d.Garbage("the answer has too many items")
			return false
		}
		it := &item{at: len(d.items)}
		d.items = append(d.items, it)
		d.finished(it, v)
		return !d.Over
	})
	if err != nil {
		d.Garbage("the items of the answer cannot be read: %v", err)
	}
}

// stop closes what is open and ends the answer.
func (d *reader) stop(o *outcome) {
	d.close("")
	d.endCalls()
	why, _ := o.why()
	switch {
	case why == llm.EndTurn && d.calls:
		why = llm.CallTools
	case why == llm.EndTurn && d.refused:
		why = llm.Refused
	}
	e := llm.Event{Kind: llm.Stop, Why: why, Tier: o.tier}
	if u, ok := openai.Usage(o.usage); ok {
		u.Searches = max(u.Searches, d.searches)
		if n, ok := searches(o.toolUsage); ok {
			u.Searches = n
		}
		e.Usage = &u
	}
	d.Emit(e)
	d.Over = true
}

func (d *reader) whole(body io.Reader) {
	b, ok := d.Whole(body)
	if !ok {
		return
	}
	o := readOutcome(b)
	if e := notResponse(&o, b); e != nil {
		d.Fail(e)
		return
	}
	d.start(&o)
	if d.list(o.output); !d.Over {
		d.stop(&o)
	}
}

// notResponse is the error that a whole body holds in place of an answer.
func notResponse(o *outcome, b []byte) *llm.Error {
	if _, broken := o.why(); broken || o.err != nil && field.Truthy(o.err) && o.output == nil {
		return o.failure(b)
	}
	if o.output == nil {
		return &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "the answer has no output"}
	}
	return nil
}
