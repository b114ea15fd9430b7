package gemini

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// DecodeResponse reads SSE, a whole answer, or an array of chunks, as the
// first byte tells: a provider may answer a stream with one JSON body.
func (Dialect) DecodeResponse(c *llm.Call, body io.Reader) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		d := decoder{call: c, yield: yield}
		in := bufio.NewReader(body)
		first, err := firstByte(in)
		switch {
		case err != nil:
		case first == '{':
			err = d.whole(in)
		case first == '[':
			err = d.array(in)
		default:
			for f, e := range sse.Frames(in, sse.Events) {
				if err = e; err == nil {
					err = d.frame(f.Data)
				}
				if err != nil || d.gone {
					break
				}
			}
		}
		d.end(err)
	}
}

// firstByte looks at the first byte that is no space, and leaves it there.
func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case ' ', '\n', '\r', '\t':
		default:
			return b, r.UnreadByte()
		}
	}
}

type decoder struct {
	call  *llm.Call
	yield func(llm.Event, error) bool
	gone  bool // the reader wants no more

	started bool
	seen    bool // a candidate was there
	next    int  // the next block's index
	open    bool // a block is open
	block   llm.BlockKind
	sign    string         // the open block's signature
	ids     map[string]int // of calls
	calls   bool
	partial *partialCall // a call whose arguments come in pieces
	texts   int          // text blocks so far, for where citations point

	f       frame
	finish  string
	message string
	blocked bool
	usage   llm.Usage
	tier    string
}

// failure is an error that ends the answer, as opposed to one of reading.
type failure struct{ e *llm.Error }

func (f failure) Error() string { return f.e.Message }

func (d *decoder) whole(in io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(in, sse.MaxFrame+1))
	if err != nil {
		return err
	}
	if len(b) > sse.MaxFrame {
		return sse.ErrFrameTooLarge
	}
	return d.frame(b)
}

// array reads chunks as they come, though not all of them are there yet.
func (d *decoder) array(in io.Reader) error {
	j := json.NewDecoder(in)
	if _, err := j.Token(); err != nil {
		return err
	}
	for j.More() {
		var chunk json.RawMessage
		if err := j.Decode(&chunk); err != nil {
			return err
		}
		if err := d.frame(chunk); err != nil || d.gone {
			return err
		}
	}
	_, err := j.Token()
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// frame yields what one chunk says.
func (d *decoder) frame(data []byte) error {
	if bytes.Equal(data, []byte("[DONE]")) { // some gateways say it in every dialect
		return nil
	}
	f := &d.f
	if f.cut(data) != nil {
		var v json.RawMessage
		if err := json.Unmarshal(data, &v); field.Cut(err) {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return failure{&llm.Error{Kind: llm.Garbage, Cause: err, Message: "Google's answer holds a frame that is not JSON"}}
		}
		return failure{&llm.Error{Kind: llm.Garbage, Message: "Google's answer holds a frame that is no answer to generateContent"}}
	}
	if f.failure != nil {
		return failure{Dialect{}.DecodeError(0, nil, bytes.Clone(data))}
	}
	d.seen = d.seen || f.candidate
	blocked := !d.seen && blockReason(f.feedback) != nil
	d.count(blocked)
	if !d.started {
		d.started = true
		start := llm.Event{Kind: llm.Start, ID: string(f.id), Name: string(f.model)}
		if d.usage.Known {
			u := d.usage
			start.Usage = &u
		}
		d.emit(start)
	}
	if blocked {
		d.refuse(f.feedback)
	}
	if f.parts != nil {
		if err := d.parts(f.parts); err != nil {
			return err
		}
	}
	if f.grounding != nil {
		d.ground(f.grounding)
	}
	if f.citations != nil {
		d.cite(f.citations)
	}
	if len(f.finish) > 0 {
		d.finish = string(f.finish)
		d.message, _ = field.Text(f.message)
	}
	return nil
}

// count takes the frame's usage.
func (d *decoder) count(blocked bool) {
	f := &d.f
	if f.usage != nil {
		var n counts
		n.read(f.usage)
		d.tier = n.tierOf(d.tier)
		if n.any || blocked {
			merge(&d.usage, &n, blocked || len(f.finish) > 0 || d.finish != "")
		}
	}
	if f.grounding != nil {
		d.usage.Searches = max(d.usage.Searches, searches(d.call, f.grounding))
	}
}

// refuse tells that the prompt was not answered, in Google's words (E18).
func (d *decoder) refuse(feedback []byte) {
	if d.blocked {
		return
	}
	d.blocked = true
	var p promptFeedback
	_ = json.Unmarshal(feedback, &p) // the reason was found by scanning; the message may be missing
	said := "The prompt was blocked: " + p.BlockReason
	if p.BlockReasonMessage != "" {
		said += ": " + p.BlockReasonMessage
	}
	d.begin(llm.Refusal)
	d.delta(said)
	d.stop()
}

// end closes the answer, or says why it is not one.
func (d *decoder) end(err error) {
	if d.gone {
		return
	}
	complete := d.finish != "" || d.blocked
	var f failure
	if errors.As(err, &f) {
		d.fail(f.e)
		return
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) && !field.Cut(err) {
		d.fail(&llm.Error{Kind: llm.Garbage, Cause: err, Message: "Google's answer is not JSON"})
		return
	}
	var told *llm.Error
	if errors.As(err, &told) && !complete { // by who reads the provider
		d.fail(told)
		return
	}
	if err != nil && err != io.EOF && !complete {
		d.fail(&llm.Error{Kind: llm.Cut, Cause: err, Message: fmt.Sprintf("Google's answer stopped before its end: %v", err)})
		return
	}
	switch {
	case complete:
	case !d.started && d.call.Stream, !d.started && err == io.EOF:
		d.fail(&llm.Error{Kind: llm.Cut, Message: "Google's answer is empty"})
		return
	case !d.started:
		d.fail(&llm.Error{Kind: llm.Garbage, Message: "Google's answer is not JSON"})
		return
	case !d.call.Stream && !d.seen:
		d.fail(&llm.Error{Kind: llm.Garbage, Message: "Google's answer holds no candidate and no reason for that; try again"})
		return
	default:
		d.fail(&llm.Error{Kind: llm.Cut, Message: "Google's answer stopped before its end; what came so far is incomplete"})
		return
	}
	d.endPartial()
	w := llm.ContentFilter
	if !d.blocked {
		w = why([]byte(d.finish), d.calls)
	}
	if broken(w) {
		m := "Google broke off: " + strings.ToLower(strings.ReplaceAll(string(w), "_", " "))
		if d.message != "" {
			m += ": " + d.message
		}
		d.fail(&llm.Error{Kind: llm.Garbage, Code: string(w), Message: m})
		return
	}
	d.stop()
	d.emit(llm.Event{Kind: llm.Stop, Why: w, Usage: &d.usage, Tier: d.tier})
}

func (d *decoder) fail(e *llm.Error) {
	if d.gone {
		return
	}
	e.Outbound = "gemini"
	d.gone = true
	d.yield(llm.Event{}, e)
}

func (d *decoder) emit(e llm.Event) {
	if !d.gone && !d.yield(e, nil) {
		d.gone = true
	}
}
