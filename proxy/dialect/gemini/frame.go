package gemini

import (
	"errors"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// frame is one GenerateContentResponse, a chunk or a whole answer, cut into
// the raw values that matter. They share memory with what was read. Only
// the first candidate is looked at.
type frame struct {
	id, model, usage, feedback, failure []byte

	candidate                 bool
	finish, message, parts    []byte
	grounding, citations      []byte
	hasCandidates, hasContent bool
}

// errFrame is about a frame that no generateContent answers with.
var errFrame = errors.New("not a generateContent answer")

// cut scans b. It allocates nothing.
func (f *frame) cut(b []byte) error {
	*f = frame{}
	known := false
	err := llm.Fields(b, func(k, v []byte, _ int) bool {
		known = true
		switch string(k) {
		case "candidates":
			f.hasCandidates = true
			f.candidates(v)
		case "usageMetadata":
			f.usage = v
		case "promptFeedback":
			f.feedback = v
		case "modelVersion":
			f.model = field.Inside(v)
		case "responseId":
			f.id = field.Inside(v)
		case "error":
			f.failure = v
		default: // createTime, modelStatus: nothing that a client or the ledger needs
		}
		return true
	})
	if err != nil || !known {
		return errFrame
	}
	return nil
}

func (f *frame) candidates(b []byte) {
	_ = llm.Elements(b, func(v []byte, _ int) bool {
		var c frame
		first := true
		err := llm.Fields(v, func(k, v []byte, _ int) bool {
			switch string(k) {
			case "index":
				first = string(v) == "0"
			case "finishReason":
				c.finish = field.Inside(v)
			case "finishMessage":
				c.message = v
			case "content":
				c.hasContent = true
				_ = llm.Fields(v, func(k, v []byte, _ int) bool {
					if string(k) == "parts" {
						c.parts = v
					}
					return true
				})
			case "groundingMetadata":
				c.grounding = v
			case "citationMetadata":
				c.citations = v
			default: // safetyRatings, avgLogprobs, tokenCount, urlContextMetadata
			}
			return true
		})
		if !first || err != nil {
			return true
		}
		f.candidate, f.hasContent = true, c.hasContent
		f.finish, f.message, f.parts, f.grounding, f.citations = c.finish, c.message, c.parts, c.grounding, c.citations
		if string(f.finish) == "FINISH_REASON_UNSPECIFIED" {
			f.finish = nil
		}
		return false
	})
}

// number reads a count: an int32 or int64 of protobuf, the latter in quotes.
func number(v []byte) int64 {
	if s := field.Inside(v); s != nil {
		v = s
	}
	var n int64
	for _, b := range v {
		if b < '0' || b > '9' || n > 1<<52 {
			break
		}
		n = n*10 + int64(b-'0')
	}
	return n
}
