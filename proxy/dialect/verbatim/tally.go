package verbatim

import (
	"bytes"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Tally takes in what a whole JSON answer, or an event of a stream, says it used.
func (d Dialect) Tally(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	if c.Stream {
		return d.event(c, t, frame)
	}
	var failed []byte
	var made int64
	err := llm.Fields(frame, func(key, v []byte, _ int) bool {
		switch string(key) {
		case "usage", "meta":
			if u := d.usage(v); (u.Known || u.HasStated) && !t.Usage.Tokens() && !t.Usage.HasStated {
				t.Usage = u
			}
		case "data":
			if d.Kind == Images {
				made = elements(v)
			}
		case "model":
			t.Model = field.Unquote(v)
		case "service_tier":
			t.Tier = field.Unquote(v)
		case "error":
			failed = v
		}
		return true
	})
	switch {
	case err != nil && len(bytes.TrimSpace(frame)) > 0 && bytes.TrimSpace(frame)[0] == '{':
		return llm.Last // cut off: it is not good
	case len(failed) > 0 && failed[0] == '{':
		t.Err = d.DecodeError(502, nil, bytes.Clone(frame))
	default:
		t.Good, t.Done, t.Why = true, true, llm.EndTurn
		pictures(t, made)
	}
	return llm.Last
}

// pictures counts pictures, where their tokens are not told.
func pictures(t *llm.Tally, n int64) {
	if n > 0 && !t.Usage.Tokens() {
		t.Usage.Images += n
		t.Usage.Known = true
	}
}

// elements is how many a list has.
func elements(v []byte) (n int64) {
	_ = llm.Elements(v, func([]byte, int) bool { n++; return true }) // what is no list has none
	return n
}

// usage reads what most call usage; Cohere's meta has no tokens that it bills.
func (d Dialect) usage(v []byte) llm.Usage {
	return readUsage(d.Kind, v)
}

// event reads one event of a stream; the last one has the usage. One that brings a
// piece of a picture or a sound is long, and not looked through.
func (d Dialect) event(c *llm.Call, t *llm.Tally, frame []byte) llm.Verdict {
	if string(bytes.TrimSpace(frame)) == "[DONE]" {
		t.Done = t.Done || t.Err == nil
		return llm.Last
	}
	kind := eventType(frame)
	if d.Kind == Realtime {
		return d.session(c, t, kind, frame)
	}
	switch {
	case kind == "error" || bytes.HasPrefix(frame, []byte(`{"error"`)):
		t.Err = d.DecodeError(502, nil, bytes.Clone(frame))
		return llm.Pass
	case strings.HasSuffix(kind, ".completed"), strings.HasSuffix(kind, ".done"):
		if kind == "transcript.text.segment.done" {
			break
		}
		if u := readUsage(d.Kind, field.Of(frame, "usage")); u.Known {
			t.Usage = u
		}
		if d.Kind == Images {
			pictures(t, 1)
		}
		t.Good, t.Done, t.Why = true, true, llm.EndTurn
		return llm.Last
	}
	t.Good = true
	return llm.Pass
}

// eventType is the type field of an event: near its start as a rule, and
// looked for further only in short ones.
func eventType(frame []byte) string {
	var kind string
	_ = llm.Fields(frame, func(key, v []byte, _ int) bool { // what is no object has no type
		if string(key) == "type" {
			kind = field.Unquote(v)
			return false
		}
		return true
	})
	return kind
}

// session reads one event of a realtime session. It is Good if it belongs to a
// response, and the Last if it ends one. What writes down the user's speech is
// another model, which the session's own settings name and c.Form keeps.
func (d Dialect) session(c *llm.Call, t *llm.Tally, kind string, frame []byte) llm.Verdict {
	switch kind {
	case "response.created":
		t.Good = true
	case "response.done":
		response := field.Of(frame, "response")
		t.Usage = readUsage(d.Kind, field.Of(response, "usage"))
		t.Good, t.Done, t.Why = true, true, llm.EndTurn
		if field.Unquote(field.Of(response, "status")) == "failed" {
			said := field.Of(field.Of(response, "status_details"), "error")
			t.Err = &llm.Error{Kind: llm.ServerError, Code: field.Unquote(field.Of(said, "code")), Message: field.Unquote(field.Of(said, "message"))}
			if t.Err.Message == "" {
				t.Err.Message = "the response failed"
			}
		}
		return llm.Last
	case "session.created", "session.updated":
		s := field.Of(frame, "session")
		at := field.Of(field.Of(field.Of(field.Of(s, "audio"), "input"), "transcription"), "model")
		if at == nil {
			at = field.Of(field.Of(s, "input_audio_transcription"), "model")
		}
		c.Form = field.Unquote(at)
	case "conversation.item.input_audio_transcription.completed":
		if usage := field.Of(frame, "usage"); usage != nil {
			if t.Model = c.Form; t.Model == "" {
				t.Model = "transcription"
			}
			t.Usage = readUsage(Transcription, usage)
			t.Good, t.Done = true, true
			return llm.Last
		}
	}
	return llm.Pass
}
