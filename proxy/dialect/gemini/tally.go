package gemini

import (
	"bytes"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Tally reads one chunk, a whole answer, or the array of chunks that streams
// without alt=sse are. A chunk with a finish reason and usage ends the answer:
// nothing follows it in any recorded stream. If the usage is not in it, the
// chunk that brings it is the last one, or the end of the stream is.
func (Dialect) Tally(c *llm.Call, t *llm.Tally, data []byte) llm.Verdict {
	data = bytes.TrimLeft(data, " \r\n\t")
	if c.Counts {
		return tallyCount(t, data)
	}
	if len(data) == 0 || data[0] != '[' {
		return tally(c, t, data)
	}
	v := llm.Pass
	_ = llm.Elements(data, func(chunk []byte, _ int) bool {
		v = tally(c, t, chunk)
		return true
	})
	return v
}

// tallyCount reads the answer to countTokens, which costs nothing.
func tallyCount(t *llm.Tally, data []byte) llm.Verdict {
	failed := false
	_ = llm.Fields(data, func(k, _ []byte, _ int) bool { // a body that is no object is not Good
		switch string(k) {
		case "totalTokens":
			t.Good, t.Done, t.Why, t.Usage.Known = true, true, llm.EndTurn, true
		case "error":
			failed = true
		}
		return true
	})
	if failed {
		t.Err = Dialect{}.DecodeError(0, nil, bytes.Clone(data))
	}
	return llm.Last
}

func tally(c *llm.Call, t *llm.Tally, data []byte) llm.Verdict {
	var f frame
	if f.cut(data) != nil {
		return llm.Pass
	}
	if f.failure != nil {
		t.Err = Dialect{}.DecodeError(0, nil, bytes.Clone(data)) // the frame will be written over
		return llm.Pass
	}
	t.Model = keep(t.Model, f.model)
	blocked := !f.candidate && blockReason(f.feedback) != nil
	if f.candidate || blocked {
		t.Good = true
	}
	ends := len(f.finish) > 0 || blocked
	var n counts
	if f.usage != nil {
		n.read(f.usage)
		t.Tier = n.tierOf(t.Tier)
		// A blocked prompt's usage may hold no count at all, which is protobuf
		// for zeros; in a chunk in between it means that it comes later.
		if n.any || blocked {
			merge(&t.Usage, &n, ends || t.Done)
		}
	}
	if f.grounding != nil {
		t.Usage.Searches = max(t.Usage.Searches, searches(c, f.grounding))
	}
	if f.parts != nil {
		tallyParts(c, t, f.parts)
	}
	switch {
	case blocked:
		t.Why = llm.ContentFilter
	case ends:
		t.Why = why(f.finish, t.Why == llm.CallTools)
	}
	last := (ends || t.Done) && (n.any || blocked)
	t.Done = t.Done || ends
	if last || t.Done && !c.Stream {
		return llm.Last
	}
	return llm.Pass
}

// tallyParts adds up the bytes of text, thought and arguments, and notes what
// this provider signed.
func tallyParts(c *llm.Call, t *llm.Tally, parts []byte) {
	_ = llm.Elements(parts, func(p []byte, _ int) bool {
		_ = llm.Fields(p, func(k, v []byte, _ int) bool {
			switch string(k) {
			case "text":
				t.Text += int64(max(len(v)-2, 0))
			case "functionCall":
				t.Text += int64(len(v))
				t.Why = llm.CallTools
			case "executableCode":
				t.Text += int64(len(v))
			case "thoughtSignature":
				if c.Made != nil {
					c.Mark(string(field.Inside(v)))
				}
			}
			return true
		})
		return true
	})
}

// blockReason is why the prompt was not answered, nil if it was.
func blockReason(feedback []byte) []byte {
	if feedback == nil {
		return nil
	}
	var reason []byte
	_ = llm.Fields(feedback, func(k, v []byte, _ int) bool {
		if string(k) == "blockReason" && string(v) != `"BLOCK_REASON_UNSPECIFIED"` {
			reason = field.Inside(v)
		}
		return true
	})
	return reason
}

// why translates a finish reason. STOP does not tell whether a stop sequence
// was met; that tools are to be called is seen by the calls alone.
func why(finish []byte, calls bool) llm.Why {
	switch string(finish) {
	case "STOP":
		if calls {
			return llm.CallTools
		}
		return llm.EndTurn
	case "MAX_TOKENS":
		return llm.MaxTokens
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR",
		"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION":
		return llm.ContentFilter
	case "UNEXPECTED_TOOL_CALL":
		if calls { // it is the client's to answer that there is no such tool
			return llm.CallTools
		}
	}
	return llm.Why(finish)
}

// broken tells finish reasons that mean that there is no usable answer (E18).
func broken(w llm.Why) bool {
	switch w {
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
		"MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE":
		return true
	}
	return false
}
