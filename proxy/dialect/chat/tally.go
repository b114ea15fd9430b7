package chat

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// Tally reads the first frame whole, and a later one only if it says more than
// a piece of text: usage, a finish reason, an error.
func (Dialect) Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	if !c.Stream {
		wholeTally(t, frame)
		mark(c, frame)
		return llm.Last
	}
	if len(frame) < 16 && openai.Done(frame) {
		t.Done = t.Err == nil
		return llm.Last
	}
	if n, ok := t.Shape.Text(frame); ok {
		t.Text += int64(n)
		return llm.Pass
	}
	mark(c, frame)
	at, end := textIn(frame, c.Form)
	t.Text += int64(end - at)
	if t.Good && !says(frame, finishKey) && !says(frame, usageKey) && !says(frame, errorKey) {
		if end > at {
			t.Shape.Learn(frame, at, end)
		}
		return llm.Pass
	}
	ch, err := readChunk(frame)
	if err != nil {
		if !t.Good && t.Err == nil {
			t.Err = &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "a frame of the answer cannot be read: " + err.Error()}
		}
		return llm.Pass
	}
	note(t, &ch, frame)
	if c.OwnUsage && ch.listed && ch.choices == 0 && ch.usage != nil {
		return llm.Drop
	}
	return llm.Pass
}

// Keys are searched for without their first quote: it is the commonest byte of
// a frame, and the search is fast where the first byte is rare.
const (
	finishKey = `finish_reason"`
	usageKey  = `usage"`
	errorKey  = `error"`
	deltaKey  = `delta"`
)

// says tells that a key has a value other than null somewhere in the frame. A
// key inside a string has its quotes escaped, and is not found.
func says(frame []byte, key string) bool {
	for {
		i := bytes.Index(frame, []byte(key))
		if i < 0 {
			return false
		}
		frame = frame[i+len(key):]
		i = skipSpace(frame, 0)
		if i < len(frame) && frame[i] == ':' {
			i = skipSpace(frame, i+1)
			if i < len(frame) && frame[i] != 'n' {
				return true
			}
		}
	}
}

// textIn is where the text, reasoning or arguments of a frame lie, if it has any.
func textIn(frame []byte, form string) (at, end int) {
	if form == completions {
		return stringAt(frame, `"text"`)
	}
	delta := bytes.Index(frame, []byte(deltaKey))
	if delta < 0 {
		return 0, 0
	}
	for _, key := range [...]string{`"content"`, `"reasoning_content"`, `"reasoning"`, `"arguments"`} {
		if at, end := stringAt(frame[delta:], key); end > at {
			return delta + at, delta + end
		}
	}
	return 0, 0
}

// stringAt is where a key's string lies, without its quotes.
func stringAt(frame []byte, key string) (at, end int) {
	i := bytes.Index(frame, []byte(key))
	if i < 0 {
		return 0, 0
	}
	i = skipSpace(frame, i+len(key))
	if i >= len(frame) || frame[i] != ':' {
		return 0, 0
	}
	i = skipSpace(frame, i+1)
	if i >= len(frame) || frame[i] != '"' {
		return 0, 0
	}
	start := i + 1
	for i = start; i < len(frame); i++ {
		n := bytes.IndexByte(frame[i:], '"')
		if n < 0 {
			return 0, 0
		}
		if i += n; i == start || frame[i-1] != '\\' {
			return start, i
		}
	}
	return 0, 0
}

// note takes in what a chunk, or a whole answer, says of itself.
func note(t *llm.Tally, c *chunk, frame []byte) {
	if u, ok := openai.Usage(c.usage); ok {
		t.Usage = u
	} else if u, ok := openai.Usage(c.first.usage); ok {
		t.Usage = u
	} else if u, ok := openai.Usage(c.xUsage); ok && !t.Usage.Known {
		t.Usage = u
	}
	if c.tier != nil {
		t.Tier = field.Unquote(c.tier)
	}
	if t.Model == "" {
		t.Model = field.Unquote(c.model)
	}
	if e := frameError(c, frame); e != nil {
		t.Err = e
		return
	}
	if c.choices == 0 {
		return
	}
	t.Good = true
	if c.first.finish == nil {
		return
	}
	why, broken := whyOf(c.first.finish)
	switch {
	case broken:
		t.Err = broke(why)
	case why != "":
		t.Why, t.Done = why, true
	}
}

// textLength is that of a JSON string, with its escapes, or of an array of
// parts; 0 of null.
func textLength(raw []byte) int64 {
	switch {
	case len(raw) < 2 || field.Null(raw):
		return 0
	case raw[0] == '"':
		return int64(len(raw) - 2)
	default:
		return int64(len(raw))
	}
}

func wholeTally(t *llm.Tally, body []byte) {
	c, err := readChunk(body)
	if err != nil {
		if t.Err = openai.BadBody(name, body); t.Err == nil {
			t.Err = &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "the answer cannot be read: " + err.Error()}
		}
		return
	}
	note(t, &c, body)
	if c.choices == 0 && t.Err == nil {
		t.Err = &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "the answer has no choices"}
	}
	if !t.Good {
		return
	}
	t.Done = true
	t.Text += int64(len(c.first.text))
	var m delta
	if llm.Fields(c.first.delta, m.field) != nil {
		return
	}
	t.Text += textLength(m.content) + max(textLength(m.reasoningContent), textLength(m.reasoning))
	if len(m.calls) > 2 {
		t.Text += int64(len(m.calls))
	}
	if t.Why == llm.EndTurn && len(m.refusal) > 2 {
		t.Why = llm.Refused
	}
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}
