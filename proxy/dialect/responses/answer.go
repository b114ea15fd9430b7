package responses

import (
	"io"
	"time"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// ID is the id of the answer that EncodeResponse writes to a request.
func ID(r *llm.Request) string { return "resp_" + r.ID }

// EncodeResponse writes the events of an answer, or one response. The answer's
// model is the one that the client asked for, and its id is [ID]. A call that
// only counts gets the size of its prompt.
func (Dialect) EncodeResponse(w io.Writer, r *llm.Request, events llm.Events) error {
	if r.Counts {
		return writeCount(w, events)
	}
	a := answer{r: r, box: readToolbox(r.Raw), stream: r.Stream, created: r.Start}
	if a.created.IsZero() {
		a.created = time.Now()
	}
	a.echo = readEcho(r)
	for e, err := range events {
		a.buf = a.buf[:0]
		if err != nil {
			if a.stream {
				a.failed(llm.AsError(err))
				if _, werr := w.Write(a.buf); werr != nil {
					return werr
				}
			}
			return err
		}
		a.event(e)
		if len(a.buf) > 0 {
			if _, err := w.Write(a.buf); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeCount answers a call that asks for the prompt's size alone.
func writeCount(w io.Writer, events llm.Events) error {
	n, err := llm.PromptSize(events)
	if err == nil {
		_, err = w.Write(append(appendInt([]byte(`{"object":"response.input_tokens","input_tokens":`), n), '}'))
	}
	return err
}

// answer is what one answer has said so far. A whole answer goes the same way
// as a streamed one, and leaves the frames out (B13).
type answer struct {
	r       *llm.Request
	box     *toolbox
	stream  bool
	created time.Time
	echo    echo
	buf     []byte // what the current event is written as
	seq     int64
	began   bool

	done    [][]byte // finished items by their index
	message *entry   // the open message: texts in a row are its parts
	open    []*entry // of blocks that are open
	waiting []*entry // whole but for their status, which the next event tells
	refused bool
}

// entry is one item of the answer.
type entry struct {
	index  int // among the items; -1 until it is announced
	id     string
	block  llm.BlockKind
	at     int // of the block among the events
	head   []byte
	text   []byte // of the current part, or of the whole item
	parts  []byte // finished parts, comma-separated
	nparts int
	cites  []byte // of the current part
	ncites int
	shown  bool // a part of reasoning was opened

	callID string
	tool   boxed
	input  llm.FreeText
	secret string // encrypted_content
	mime   string
	status string
}

// event adds an event's frames to the buffer.
func (a *answer) event(e llm.Event) {
	switch e.Kind {
	case llm.Start:
		a.start()
	case llm.BlockStart:
		a.start()
		a.begin(e)
	case llm.Delta:
		if o := a.entry(e); o != nil {
			a.delta(o, e)
		}
	case llm.BlockStop:
		if o := a.entry(e); o != nil {
			a.end(o, e)
		}
	case llm.Stop:
		a.start()
		a.stop(e)
	case llm.Ping:
		if a.stream {
			a.buf = append(a.buf, ": ping\n\n"...)
		}
	}
}

func (a *answer) start() {
	if a.began {
		return
	}
	a.began = true
	for _, kind := range [2]string{"response.created", "response.in_progress"} {
		if a.frame(kind) {
			a.buf = a.object(append(a.buf, `,"response":`...), ending{status: "in_progress"})
			a.close()
		}
	}
}

// frame begins an event; false if the answer is whole. close ends it.
func (a *answer) frame(kind string) bool {
	if a.stream {
		a.buf = append(append(append(a.buf, "event: "...), kind...), '\n')
		a.buf = append(append(append(a.buf, `data: {"type":"`...), kind...), '"')
	}
	return a.stream
}

func (a *answer) close() {
	a.buf = appendInt(append(a.buf, `,"sequence_number":`...), a.seq)
	a.buf = append(a.buf, "}\n\n"...)
	a.seq++
}

// about begins an event that is about an item, or a part of one.
func (a *answer) about(kind string, o *entry, partKey string) bool {
	if !a.frame(kind) {
		return false
	}
	a.buf = o.place(a.buf, partKey)
	return true
}

func (o *entry) place(b []byte, partKey string) []byte {
	b = sse.AppendString(append(b, `,"item_id":`...), o.id)
	b = appendInt(append(b, `,"output_index":`...), int64(o.index))
	if partKey != "" {
		b = append(append(append(b, `,"`...), partKey...), `":`...)
		b = appendInt(b, int64(o.nparts))
	}
	return b
}

func (a *answer) entry(e llm.Event) *entry {
	for i := len(a.open) - 1; i >= 0; i-- {
		if a.open[i].at == e.Index {
			return a.open[i]
		}
	}
	return nil
}

// begin opens a block. Items whose status was waiting are complete.
func (a *answer) begin(e llm.Event) {
	words := e.Block == llm.Text || e.Block == llm.Refusal
	if !words {
		a.endMessage()
	}
	a.settle("completed")
	if words {
		if a.message == nil {
			a.message = &entry{block: llm.Text}
			a.announce(a.message, "msg_")
		}
		o := a.message
		o.block, o.at = e.Block, e.Index
		a.open = append(a.open, o)
		if a.about("response.content_part.added", o, "content_index") {
			a.buf = o.part(append(a.buf, `,"part":`...))
			a.close()
		}
		kind := textDelta
		if e.Block == llm.Refusal {
			kind, a.refused = refusalDelta, true
		}
		a.deltaHead(o, kind, "content_index")
		return
	}
	o := &entry{block: e.Block, at: e.Index, index: -1}
	a.open = append(a.open, o)
	switch e.Block {
	case llm.Thinking, llm.Redacted:
		a.announce(o, "rs_")
	case llm.Image:
		o.mime = e.Name
		a.announce(o, "ig_")
		if a.about("response.image_generation_call.generating", o, "") {
			a.close()
		}
	case llm.ToolCall:
		o.callID, o.tool = e.ID, a.box.of(e.Name)
		o.input.Unquote = field.Unquote
		switch o.tool.wire {
		case wireFunction:
			a.announce(o, "fc_")
			a.deltaHead(o, argsDelta, "")
		case wireCustom:
			a.announce(o, "ctc_")
			a.deltaHead(o, inputDelta, "")
		}
	}
}

// announce gives an item its place, and tells of it.
func (a *answer) announce(o *entry, prefix string) {
	o.index = len(a.done)
	a.done = append(a.done, nil)
	o.id = prefix + a.r.ID + "_" + string(appendInt(nil, int64(o.index)))
	o.status = "in_progress"
	if a.frame("response.output_item.added") {
		a.buf = appendInt(append(a.buf, `,"output_index":`...), int64(o.index))
		a.buf = o.item(append(a.buf, `,"item":`...))
		a.close()
	}
}

// end closes a block. Its item waits for its status, and a message for more
// parts.
func (a *answer) end(o *entry, e llm.Event) {
	for i := range a.open {
		if a.open[i] == o {
			a.open = append(a.open[:i], a.open[i+1:]...)
			break
		}
	}
	switch o.block {
	case llm.Text, llm.Refusal:
		a.endPart(o)
		if e.Opaque != "" {
			a.endMessage()
			a.settle("completed")
			a.secret(e, o)
		}
		return
	case llm.Thinking, llm.Redacted:
		a.endThought(o)
		if e.Opaque != "" {
			o.secret = sealThought(o.block, o.shown, "", e.Origin, e.Opaque)
		}
	case llm.ToolCall:
		a.endCall(o)
	case llm.Image:
		if a.about("response.image_generation_call.completed", o, "") {
			a.close()
		}
	}
	a.waiting = append(a.waiting, o)
	if o.block == llm.ToolCall && e.Opaque != "" {
		a.secret(e, o)
	}
}

// secret keeps opaque data of a call or a text in a reasoning item of its own:
// their own items have no place for it, and clients send reasoning back.
func (a *answer) secret(e llm.Event, of *entry) {
	o := &entry{block: llm.Redacted, secret: sealThought(e.Block, true, of.callID, e.Origin, e.Opaque)}
	a.announce(o, "rs_")
	a.waiting = append([]*entry{o}, a.waiting...) // what it is of stays the last one
}

func (a *answer) endMessage() {
	if a.message != nil {
		a.waiting = append(a.waiting, a.message)
		a.message = nil
	}
}

// settle finishes the items that wait. The last one takes the status; the
// others are complete.
func (a *answer) settle(status string) {
	for i, o := range a.waiting {
		if o.status = "completed"; i == len(a.waiting)-1 {
			o.status = status
		}
		b := o.item(nil)
		a.done[o.index] = b
		if a.frame("response.output_item.done") {
			a.buf = appendInt(append(a.buf, `,"output_index":`...), int64(o.index))
			a.buf = append(append(a.buf, `,"item":`...), b...)
			a.close()
		}
	}
	a.waiting = a.waiting[:0]
}

// stop ends the answer (F4).
func (a *answer) stop(e llm.Event) {
	end := ending{status: "completed", kind: "response.completed", usage: e.Usage, tier: e.Tier, over: true}
	switch {
	case e.Why == llm.MaxTokens:
		end.reason = "max_output_tokens"
	case e.Why == llm.ContentFilter, e.Why == llm.Refused && !a.refused:
		end.reason = "content_filter"
	}
	if end.reason != "" {
		end.status, end.kind = "incomplete", "response.incomplete"
	}
	a.endMessage()
	a.settle(end.status)
	a.last(end)
}

// failed ends a stream that broke (F17).
func (a *answer) failed(e *llm.Error) {
	a.start()
	a.last(ending{status: "failed", kind: "response.failed", err: e, over: true})
}

func (a *answer) last(end ending) {
	if !a.stream {
		a.buf = a.object(a.buf, end)
		return
	}
	a.frame(end.kind)
	a.buf = a.object(append(a.buf, `,"response":`...), end)
	a.close()
}
