package responses

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// Tally counts the text of the many frames that bring a piece of it, and reads
// only those that begin or end something. An answer is good once an item of it
// has begun: providers announce an answer before they know whether they can
// give it.
func (Dialect) Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	if !c.Stream {
		wholeTally(c, t, frame)
		return llm.Last
	}
	if n, ok := piece(frame); ok {
		t.Good = true
		t.Text += int64(n)
		return llm.Pass
	}
	if openai.Done(frame) {
		return llm.Pass
	}
	f, err := readFrame(frame)
	if err != nil {
		if !t.Good && t.Err == nil {
			t.Err = &llm.Error{Kind: llm.Garbage, Outbound: name, Message: "a frame of the answer cannot be read: " + err.Error()}
		}
		return llm.Pass
	}
	if e := errorOf(&f, frame); e != nil {
		t.Err = e
		return llm.Pass
	}
	switch f.kind {
	case "response.created", "response.queued", "response.in_progress":
		if t.Model == "" {
			t.Model = field.Unquote(field.Of(f.response, "model"))
		}
	case "response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done":
		o := readOutcome(f.response)
		if o.status == "" || f.kind == "response.failed" {
			o.status = f.kind[len("response."):]
		}
		note(c, t, &o, frame)
		return llm.Last
	case "response.output_item.done":
		t.Good = true
		noteItem(c, t, f.item)
	case "":
	default:
		t.Good = true
	}
	return llm.Pass
}

// What the usual form of a frame with a piece of text looks like: its type
// stands first, or, where keys are sorted, last.
var (
	typeFirst = []byte(`{"type":"response.`)
	typeKey   = []byte(`"type":"response.`)
	deltaKey  = []byte(`"delta":"`)
	deltaEnd  = []byte(`delta"`)
)

// piece is how many bytes of text a frame brings, escapes counted as they
// stand; ok is false for frames that are no delta. The sequence number changes
// in each frame, and with many providers padding does, so that frames have no
// shape in common beyond their head.
func piece(frame []byte) (n int, ok bool) {
	at := 0
	if !bytes.HasPrefix(frame, typeFirst) {
		// Inside a string the quotes would be escaped.
		if at = bytes.LastIndex(frame, typeKey); at < 0 {
			return 0, false
		}
	}
	kind := frame[at:]
	kind = kind[bytes.Index(kind, typeKey)+len(typeKey):]
	end := bytes.IndexByte(kind, '"')
	if end < 0 || !bytes.HasSuffix(kind[:end+1], deltaEnd) {
		return 0, false
	}
	i := bytes.Index(frame, deltaKey)
	if i < 0 {
		return 0, true
	}
	text := frame[i+len(deltaKey):]
	for n = 0; n < len(text); n++ {
		k := bytes.IndexByte(text[n:], '"')
		if k < 0 {
			return 0, false
		}
		if n += k; n == 0 || text[n-1] != '\\' || escapedBackslash(text[:n]) {
			return n, true
		}
	}
	return 0, false
}

// escapedBackslash tells that text ends in an even number of backslashes, so
// that a quote after it ends the string.
func escapedBackslash(text []byte) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 0
}

// noteItem takes in what a finished item says beyond the answer's text.
func noteItem(c *llm.Call, t *llm.Tally, v []byte) {
	switch field.Unquote(field.Of(v, "type")) {
	case "reasoning":
		c.Mark(field.Unquote(field.Of(v, "encrypted_content")))
	case "web_search_call":
		if isSearch(v) {
			t.Usage.Searches++
		}
	}
}

// note takes in how an answer ended, and what it used: a failed one too (F5).
func note(c *llm.Call, t *llm.Tally, o *outcome, raw []byte) {
	found := t.Usage.Searches
	if o.tier != "" {
		t.Tier = o.tier
	}
	if o.model != "" {
		t.Model = o.model
	}
	if u, ok := openai.Usage(o.usage); ok {
		t.Usage = u
	}
	if n, ok := searches(o.toolUsage); ok {
		found = n
	}
	t.Usage.Searches = max(t.Usage.Searches, found)
	why, broken := o.why()
	if broken {
		t.Err = o.failure(raw)
		return
	}
	t.Good, t.Done, t.Why = true, true, why
	if why == llm.EndTurn {
		t.Why = whyOf(o.output)
	}
}

// whyOf looks at what an answer holds for how it ended.
func whyOf(output []byte) llm.Why {
	why := llm.EndTurn
	_ = llm.Elements(output, func(v []byte, _ int) bool { // null has none
		switch field.Unquote(field.Of(v, "type")) {
		case "function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call":
			why = llm.CallTools
			return false
		case "message":
			_ = llm.Elements(field.Of(v, "content"), func(v []byte, _ int) bool { // null has none
				if field.Unquote(field.Of(v, "type")) == "refusal" {
					why = llm.Refused
				}
				return true
			})
		}
		return true
	})
	return why
}

func wholeTally(c *llm.Call, t *llm.Tally, body []byte) {
	if t.Err = openai.BadBody(name, body); t.Err != nil {
		return
	}
	if field.Unquote(field.Of(body, "object")) == "response.input_tokens" || c.Counts {
		if n := field.Of(body, "input_tokens"); n != nil { // which costs nothing
			t.Good, t.Done, t.Why = true, true, llm.EndTurn
			return
		}
	}
	o := readOutcome(body)
	if o.status == "queued" || o.status == "in_progress" { // made in the background: the client asks again
		t.Good, t.Done, t.Model, t.Why = true, true, o.model, llm.PauseTurn
		return
	}
	_ = llm.Elements(o.output, func(v []byte, _ int) bool { // null has none
		noteItem(c, t, v)
		t.Text += int64(len(v))
		return true
	})
	note(c, t, &o, body)
	if e := notResponse(&o, body); e != nil {
		t.Err, t.Good, t.Done = e, false, false
	}
}
