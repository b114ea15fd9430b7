package ollama

import (
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Tally reads a line of a stream, or a whole answer, by a scan that allocates
// nothing for a piece of text, in whatever way its writer spaces JSON. Only the
// last line holds counts.
func (Dialect) Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	l, err := scan(frame)
	if err != nil {
		return llm.Pass // the decoder, or the client, says so
	}
	if refuses(l.fault) {
		t.Err = inStream(frame)
		return llm.Pass
	}
	last := string(l.done) == "true"
	p, says := l.part()
	if !last && !says {
		return llm.Pass
	}
	t.Good = true
	if t.Model == "" {
		t.Model = field.Unquote(l.model)
	}
	t.Text += length(p.content) + length(p.thinking) + length(p.image)
	if len(p.calls) > 2 && p.calls[0] == '[' {
		t.Text += int64(len(p.calls))
		t.Why = llm.CallTools // kept here until the last line, which may be without them
	}
	if !last {
		return llm.Pass
	}
	t.Why = why(field.Unquote(l.reason), t.Why == llm.CallTools)
	t.Done = true
	t.Usage = counts(number(l.prompt), number(l.eval))
	if t.Why == load || t.Why == unload {
		t.Usage.Known = true // it asked the model nothing
	}
	return llm.Last
}

// counts is a usage: prompt_eval_count is the whole prompt, and eval_count
// includes thinking (api.Metrics). Zeros are left out on the wire, so one
// count is enough to know the other.
func counts(prompt, eval *int64) llm.Usage {
	u := llm.Usage{Known: prompt != nil || eval != nil}
	if prompt != nil {
		u.Input = max(0, *prompt)
	}
	if eval != nil {
		u.Output = max(0, *eval)
	}
	return u
}

// number reads a count; nil is none.
func number(raw []byte) *int64 {
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

// length is about how long a JSON string is.
func length(raw []byte) int64 {
	if len(raw) < 2 || raw[0] != '"' {
		return 0
	}
	return int64(len(raw) - 2)
}
