package messages

import (
	"strconv"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// piece is a content_block_delta, read without decoding the frame: nearly all
// frames of a stream are one.
type piece struct {
	index int
	kind  []byte // text_delta, thinking_delta, input_json_delta, signature_delta, ...
	value []byte // the raw JSON of the field that the kind names
}

// cutPiece scans a content_block_delta. False: it is not of the usual form.
func cutPiece(data []byte, p *piece) bool {
	var inner []byte
	ok := false
	err := llm.Fields(data, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "index":
			n, err := strconv.Atoi(string(v))
			p.index, ok = n, err == nil
		case "delta":
			inner = v
		}
		return true
	})
	if err != nil || !ok || inner == nil {
		return false
	}
	err = llm.Fields(inner, func(k, v []byte, _ int) bool {
		switch string(k) {
		case "type":
			p.kind = field.Inside(v)
		case "text", "thinking", "partial_json", "signature", "citation":
			p.value = v
		}
		return true
	})
	return err == nil && p.kind != nil && p.value != nil
}

// kindOf is a frame's type; nil if it has none.
func kindOf(data []byte) []byte {
	var kind []byte
	_ = llm.Fields(data, func(k, v []byte, _ int) bool { // what cannot be read has no type
		if string(k) == "type" {
			kind = field.Inside(v)
			return false
		}
		return true
	})
	return kind
}
