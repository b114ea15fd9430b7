package messages

import (
	"bytes"
	"encoding/json"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

var (
	deltaStart = []byte(`{"type":"content_block_delta"`)
	textField  = []byte(`"delta":{"type":"text_delta","text":"`)
	signature  = []byte(`"signature_delta"`)
	citations  = []byte(`"citations_delta"`)
)

// Tally reads one frame, or a whole answer. The prompt's usage is known from
// the first frame, message_start, so that an aborted answer's is exact too.
func (Dialect) Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	switch {
	case c.Counts:
		return tallyCount(t, frame)
	case !c.Stream:
		return tallyWhole(c, t, frame)
	}
	if n, ok := t.Shape.Text(frame); ok {
		t.Text += int64(n)
		return llm.Pass
	}
	if bytes.HasPrefix(frame, deltaStart) {
		t.Good = true
		t.Text += textIn(c, frame)
		if at := bytes.Index(frame, textField); at >= 0 {
			t.Shape.Learn(frame, at+len(textField), bytes.LastIndexByte(frame, '"'))
		}
		return llm.Pass
	}
	switch kind := kindOf(frame); string(kind) {
	case "content_block_delta":
		t.Good = true
		t.Text += textIn(c, frame)
	case "content_block_start":
		t.Good = true
		if c.Made != nil && bytes.Contains(frame, thinkingWord) {
			markBlock(c, field.Of(frame, "content_block"))
		}
	case "content_block_stop":
		t.Good = true
	case "message_start", "message_delta":
		tallyCounts(t, frame)
	case "message_stop":
		t.Good, t.Done = true, true
		if t.Why == "" {
			t.Why = llm.EndTurn
		}
		return llm.Last
	case "error":
		t.Err = Dialect{}.DecodeError(0, nil, frame)
	case "ping":
	default:
		// Events of later versions are passed on; a refusal in another
		// gateway's shape is not.
		if kind == nil && hasError(frame) {
			t.Err = Dialect{}.DecodeError(0, nil, frame)
		}
	}
	return llm.Pass
}

// textIn is about how many bytes of output a delta's frame carries.
func textIn(c *llm.Call, frame []byte) int64 {
	if bytes.Contains(frame, signature) {
		c.Mark(field.Unquote(field.Of(field.Of(frame, "delta"), "signature")))
		return 0
	}
	if bytes.Contains(frame, citations) {
		return 0
	}
	const around = len(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":""}}`)
	end := bytes.LastIndexByte(frame, '"') + len(`"}}`) // some frames are padded with spaces
	return int64(max(end-around, 0))
}

func tallyCounts(t *llm.Tally, frame []byte) {
	var e event
	if json.Unmarshal(frame, &e) != nil {
		return // DecodeResponse says so; a byte copy passes it on
	}
	t.Good = true
	if m := e.Message; m != nil {
		if m.Model != "" {
			t.Model = m.Model
		}
		tallyUsage(t, m.Usage)
		if m.StopReason != "" {
			t.Why = whyOf(m.StopReason)
		}
	}
	tallyUsage(t, e.Usage)
	if e.Delta != nil && e.Delta.StopReason != "" {
		t.Why = whyOf(e.Delta.StopReason)
	}
}

func tallyUsage(t *llm.Tally, u *usage) {
	u.apply(&t.Usage, t.Model)
	t.Tier, t.Geo = u.tierOf(t.Tier), u.geoOf(t.Geo)
}

// markBlock notes what signs a block of thinking.
func markBlock(c *llm.Call, block []byte) {
	switch field.Unquote(field.Of(block, "type")) {
	case "thinking":
		c.Mark(field.Unquote(field.Of(block, "signature")))
	case "redacted_thinking":
		c.Mark(field.Unquote(field.Of(block, "data")))
	}
}

// tallyCount reads the size of a prompt, which costs nothing.
func tallyCount(t *llm.Tally, body []byte) llm.Verdict {
	switch {
	case string(kindOf(body)) == "error", hasError(body):
		t.Err = Dialect{}.DecodeError(0, nil, body)
		return llm.Pass
	case field.Of(body, "input_tokens") == nil:
		return llm.Pass
	}
	t.Good, t.Done, t.Usage.Known = true, true, true
	return llm.Last
}

// tallyWhole scans a whole answer for the few fields that count.
func tallyWhole(c *llm.Call, t *llm.Tally, body []byte) llm.Verdict {
	var kind, content, stop, counts, model []byte
	failed := false
	err := llm.Fields(body, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "type":
			kind = field.Inside(v)
		case "model":
			model = v
		case "content":
			content = v
		case "stop_reason":
			stop = v
		case "usage":
			counts = v
		case "error":
			failed = string(v) != "null"
		}
		return true
	})
	switch {
	case err != nil:
		return llm.Pass
	case string(kind) == "error", failed && content == nil:
		t.Err = Dialect{}.DecodeError(0, nil, body)
		return llm.Pass
	case len(content) == 0 || content[0] != '[':
		return llm.Pass
	}
	t.Good, t.Done = true, true
	_ = llm.Elements(content, func(b []byte, _ int) bool { // it is an array, and whole
		t.Text += blockLength(b)
		return true
	})
	if c.Made != nil && bytes.Contains(content, thinkingWord) {
		_ = llm.Elements(content, func(b []byte, _ int) bool { // it is an array, and whole
			markBlock(c, b)
			return true
		})
	}
	if s, ok := field.Text(model); ok {
		t.Model = s
	}
	var u *usage
	if counts != nil && json.Unmarshal(counts, &u) == nil {
		tallyUsage(t, u)
	}
	t.Why = llm.EndTurn
	if s, ok := field.Text(stop); ok && s != "" {
		t.Why = whyOf(s)
	}
	return llm.Last
}

// blockLength is how long a block's text, thought or arguments are, as they
// stand there.
func blockLength(block []byte) (n int64) {
	_ = llm.Fields(block, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "text", "thinking", "data":
			n += int64(max(len(v)-2, 0))
		case "input", "content":
			n += int64(len(v))
		}
		return true
	})
	return n
}

// hasError tells a JSON object with an error in it.
func hasError(frame []byte) bool {
	found := false
	_ = llm.Fields(frame, func(k, v []byte, _ int) bool { // what is no object has none
		found = string(k) == "error" && string(v) != "null"
		return !found
	})
	return found
}
