package converse

import (
	"strconv"

	"keytray/proxy/llm"
)

// eventKind tells a stream's events apart by their fields: metering sees only
// their JSON.
type eventKind uint8

const (
	unknown eventKind = iota
	messageStart
	blockStart
	blockDelta
	blockStop
	messageStop
	meta
	failure
)

// frame is one event, read without decoding it.
type frame struct {
	kind  eventKind
	index int
	value []byte // of start, delta, stopReason or usage
	ok    bool   // it is a JSON object
}

func cutFrame(data []byte) (f frame) {
	stop := false
	err := llm.Fields(data, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "contentBlockIndex":
			n, err := strconv.Atoi(string(v))
			f.index, stop = n, err == nil
		case "delta":
			f.kind, f.value = blockDelta, v
		case "start":
			f.kind, f.value = blockStart, v
		case "role":
			f.kind = messageStart
		case "stopReason":
			f.kind, f.value = messageStop, v
		case "usage", "metrics":
			f.kind = meta
		case "error", "message", "Message":
			f.kind = failure
		}
		return true
	})
	f.ok = err == nil
	if f.kind == unknown && stop {
		f.kind = blockStop
	}
	return f
}

// piece is a contentBlockDelta's delta.
type piece struct {
	kind  string // text, input, reasoning, signature, redacted, citation, image, or the field's own name
	value []byte // raw JSON
}

// cutPiece scans a delta.
func cutPiece(delta []byte) (p piece) {
	var inner []byte
	_ = llm.Fields(delta, func(k, v []byte, _ int) bool { // what cannot be read has no kind
		switch string(k) {
		case "text", "citation", "image":
			p.kind, p.value = string(k), v
		case "toolUse", "reasoningContent":
			p.kind, inner = string(k), v
		default:
			if p.kind == "" {
				p.kind = string(k)
			}
		}
		return true
	})
	if inner == nil {
		return p
	}
	_ = llm.Fields(inner, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "input", "signature":
			p.kind, p.value = string(k), v
		case "text":
			p.kind, p.value = "reasoning", v
		case "redactedContent":
			p.kind, p.value = "redacted", v
		}
		return true
	})
	return p
}
