package ollama

import (
	"bytes"
	"strconv"
	"time"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// line begins a line, or the whole answer.
func (a *writer) line() {
	a.buf = append(a.buf, a.head...)
	a.buf = append(time.Now().UTC().AppendFormat(a.buf, time.RFC3339Nano), `",`...)
}

// piece is a line of text or thought.
func (a *writer) piece(text, thought string) {
	a.line()
	switch {
	case a.r.Form == Generate:
		a.buf = sse.AppendString(append(a.buf, `"response":`...), text)
	default:
		a.buf = sse.AppendString(append(a.buf, `"message":{"role":"assistant","content":`...), text)
	}
	if thought != "" {
		a.buf = sse.AppendString(append(a.buf, `,"thinking":`...), thought)
	}
	if a.r.Form != Generate {
		a.buf = append(a.buf, '}')
	}
	a.buf = append(a.buf, ",\"done\":false}\n"...)
}

// message is the part of a line that says something; images and calls are
// elements of JSON arrays. A generated answer's fields lie in the line itself,
// and it holds one image.
func (a *writer) message(text, thought, images, calls []byte) {
	generate := a.r.Form == Generate
	if generate {
		a.buf = append(a.buf, `"response":`...)
	} else {
		a.buf = append(a.buf, `"message":{"role":"assistant","content":`...)
	}
	a.buf = sse.AppendString(a.buf, string(text))
	if len(thought) > 0 {
		a.buf = sse.AppendString(append(a.buf, `,"thinking":`...), string(thought))
	}
	switch {
	case len(images) > 0 && generate: // there is room for one: the last
		a.buf = append(append(a.buf, `,"image":`...), images[bytes.LastIndexByte(images, ',')+1:]...)
	case len(images) > 0:
		a.buf = append(append(append(a.buf, `,"images":[`...), images...), ']')
	}
	if len(calls) > 0 {
		a.buf = append(append(append(a.buf, `,"tool_calls":[`...), calls...), ']')
	}
	if !generate {
		a.buf = append(a.buf, '}')
	}
}

// metrics are the counts, where the provider told them, and times as they were
// measured here: to the first piece, and from it on. Nothing is loaded.
func (a *writer) metrics(u *llm.Usage) {
	now := time.Now()
	first := a.first
	if first.IsZero() {
		first = now
	}
	a.number(`,"total_duration":`, int64(max(now.Sub(a.started), 1)))
	a.number(`,"load_duration":`, 0)
	known := u != nil && u.Known
	if known {
		a.number(`,"prompt_eval_count":`, u.Prompt())
	}
	a.number(`,"prompt_eval_duration":`, int64(max(first.Sub(a.started), 1)))
	if known {
		a.number(`,"eval_count":`, u.Completion())
	}
	a.number(`,"eval_duration":`, int64(max(now.Sub(first), 1))) // clients divide by it
}

func (a *writer) number(key string, n int64) {
	a.buf = strconv.AppendInt(append(a.buf, key...), n, 10)
}
