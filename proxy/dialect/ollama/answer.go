package ollama

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// EncodeResponse writes lines of JSON, or one whole answer, in the form that
// the client called. The answer's model is the one that the client asked for.
func (Dialect) EncodeResponse(w io.Writer, r *llm.Request, events llm.Events) error {
	a := writer{r: r, w: w, started: r.Start}
	if a.started.IsZero() {
		a.started = time.Now()
	}
	a.head = append(sse.AppendString([]byte(`{"model":`), r.Model), `,"created_at":"`...)
	for e, err := range events {
		if err == nil {
			err = a.event(e)
		}
		if err != nil {
			return a.fail(err)
		}
		if err := a.flush(); err != nil {
			return err
		}
	}
	return nil
}

// writer is what one answer has said so far, streamed or whole.
type writer struct {
	r       *llm.Request
	w       io.Writer
	started time.Time
	first   time.Time // when the first piece came
	head    []byte    // of each line, up to its time
	buf     []byte    // of the next write

	said, thought []byte  // of a whole answer
	images        []byte  // of a whole answer, comma-separated
	calls         []byte  // of a whole answer, comma-separated
	count         int     // calls so far: each one's index. H5
	open          []block // calls and images that are not whole yet
	broken        string  // the function of a call whose arguments are no object
	cites         []byte  // comma-separated
	shown         bool    // some text was
}

// block is a call or an image, which goes out whole.
type block struct {
	index          int
	id, name, text string
}

// flush sends what an event has given.
func (a *writer) flush() error {
	if len(a.buf) == 0 {
		return nil
	}
	_, err := a.w.Write(a.buf)
	a.buf = a.buf[:0]
	return err
}

// fail ends an answer: a stream with a line that says why and no last line, a
// whole one with nothing.
func (a *writer) fail(err error) error {
	if a.r.Stream {
		a.buf = append(appendError(a.buf[:0], llm.AsError(err)), '\n')
		if werr := a.flush(); werr != nil {
			return werr
		}
	}
	return err
}

func (a *writer) event(e llm.Event) error {
	switch e.Kind {
	case llm.BlockStart:
		if e.Block == llm.ToolCall || e.Block == llm.Image {
			a.open = append(a.open, block{index: e.Index, id: e.ID, name: e.Name})
		}
	case llm.Delta:
		a.delta(e)
	case llm.BlockStop:
		a.close(e)
	case llm.Ping:
		if a.r.Stream { // a line that says nothing: there are no comments. B9
			a.piece("", "")
		}
	case llm.Stop:
		return a.stop(e)
	}
	return nil
}

func (a *writer) delta(e llm.Event) {
	if e.Cite != nil {
		a.cite(e.Cite)
	}
	if e.Text == "" {
		return
	}
	if a.first.IsZero() {
		a.first = time.Now()
	}
	switch e.Block {
	case llm.Text, llm.Refusal:
		a.shown = true
		if a.r.Stream {
			a.piece(e.Text, "")
		} else {
			a.said = append(a.said, e.Text...)
		}
	case llm.Thinking:
		if a.r.Stream {
			a.piece("", e.Text)
		} else {
			a.thought = append(a.thought, e.Text...)
		}
	case llm.ToolCall, llm.Image:
		if i := a.opened(e.Index); i >= 0 {
			a.open[i].text += e.Text
		}
	}
}

func (a *writer) opened(index int) int {
	return slices.IndexFunc(a.open, func(b block) bool { return b.index == index })
}

// cite keeps a source for the last line, in a field of its own: Ollama has
// none for it, and its clients pass over it.
func (a *writer) cite(c *llm.Citation) {
	if a.cites != nil {
		a.cites = append(a.cites, ',')
	}
	a.cites = sse.AppendString(append(a.cites, `{"url":`...), c.URL)
	a.cites = sse.AppendString(append(a.cites, `,"title":`...), c.Title)
	if c.Quote != "" {
		a.cites = sse.AppendString(append(a.cites, `,"quote":`...), c.Quote)
	}
	a.cites = append(a.cites, '}')
}

// close sends a call or an image, which is whole now.
func (a *writer) close(e llm.Event) {
	i := a.opened(e.Index)
	if i < 0 {
		return
	}
	b := a.open[i]
	a.open = slices.Delete(a.open, i, i+1)
	if e.Block == llm.Image {
		a.image(b.text)
		return
	}
	args, ok := compact([]byte(b.text))
	if !ok {
		a.broken = b.name // told once it is known why
		return
	}
	call := []byte(`{"id":`)
	call = sse.AppendString(call, b.id)
	call = strconv.AppendInt(append(call, `,"function":{"index":`...), int64(a.count), 10)
	call = sse.AppendString(append(call, `,"name":`...), b.name)
	call = append(append(append(call, `,"arguments":`...), args...), "}}"...)
	a.count++
	if !a.r.Stream {
		a.calls = append(comma(a.calls), call...)
		return
	}
	a.line()
	a.message(nil, nil, nil, call)
	a.buf = append(a.buf, ",\"done\":false}\n"...)
}

func (a *writer) image(data string) {
	quoted := sse.AppendString(nil, data)
	if !a.r.Stream {
		a.images = append(comma(a.images), quoted...)
		return
	}
	a.line()
	a.message(nil, nil, quoted, nil)
	a.buf = append(a.buf, ",\"done\":false}\n"...)
}

// compact is a call's arguments as an object on one line; "" is {}. H3.
func compact(args []byte) ([]byte, bool) {
	s := bytes.TrimSpace(args)
	if len(s) == 0 {
		return []byte("{}"), true // B7
	}
	var b bytes.Buffer
	if s[0] != '{' || json.Compact(&b, s) != nil { // a line is a frame
		return nil, false
	}
	return b.Bytes(), true
}

func comma(list []byte) []byte {
	if len(list) > 0 {
		list = append(list, ',')
	}
	return list
}

// stop writes the last line, or the whole answer.
func (a *writer) stop(e llm.Event) error {
	if a.broken != "" && e.Why != llm.MaxTokens { // a call that was cut off is told by done_reason
		return &llm.Error{Kind: llm.Garbage, Message: "the model called " + a.broken + " with arguments that are no JSON object, which Ollama's API cannot carry; ask again"}
	}
	a.line()
	a.message(a.said, a.thought, a.images, a.calls)
	a.buf = sse.AppendString(append(a.buf, `,"done":true,"done_reason":`...), a.reason(e.Why))
	if a.cites != nil {
		a.buf = append(append(append(a.buf, `,"citations":[`...), a.cites...), ']')
	}
	if e.Why != load && e.Why != unload {
		a.metrics(e.Usage)
	}
	a.buf = append(a.buf, '}')
	if a.r.Stream {
		a.buf = append(a.buf, '\n')
	}
	return nil
}

// reason is Ollama's word for why an answer ended: stop or length. What it has
// no word for is told in ours where the answer would otherwise pass for one
// that has nothing to say.
func (a *writer) reason(why llm.Why) string {
	switch why {
	case llm.MaxTokens:
		return "length"
	case llm.EndTurn, llm.StopSequence, llm.CallTools, llm.PauseTurn:
		return "stop"
	case llm.Refused:
		if a.shown {
			return "stop"
		}
	case "":
		return "stop"
	}
	return string(why)
}
