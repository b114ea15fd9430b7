// Package splice changes a few places of a body that goes on in the client's
// own bytes.
package splice

import (
	"bytes"
	"cmp"
	"slices"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Edit replaces the bytes [From, To) of a body by Text.
type Edit struct {
	From, To int
	Text     []byte
}

// Model puts the provider's name of the model in the place of the client's.
func Model(c *llm.Call, r *llm.Request) (Edit, error) {
	if r.ModelAt[1] <= r.ModelAt[0] || r.ModelAt[1] > len(r.Raw) {
		return Edit{}, &llm.Error{Kind: llm.Internal, Message: "the place of the model in the request is not known"}
	}
	return Edit{r.ModelAt[0], r.ModelAt[1], sse.AppendString(nil, c.Model.Name)}, nil
}

// Remove takes the field whose value lies at [from, to) out of its object, with
// its key and one comma. The body must be JSON up to there.
func Remove(body []byte, from, to int) Edit {
	start := bytes.LastIndexByte(body[:from], ':')
	start = bytes.LastIndexByte(body[:start], '"')
	for start--; body[start] != '"'; start-- {
	}
	end := to
	for end < len(body) && space(body[end]) {
		end++
	}
	if body[end] == ',' {
		return Edit{From: start, To: end + 1}
	}
	for start--; space(body[start]); start-- {
	}
	if body[start] != ',' { // it is the only field
		start++
	}
	return Edit{From: start, To: to}
}

func space(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// Apply is the body with the edits, in pieces that share its memory. They are in
// any order, and overlap only where [Remove] takes fields beside each other.
func Apply(body []byte, edits ...Edit) [][]byte {
	if len(edits) > 1 {
		slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.From, b.From) })
	}
	pieces := make([][]byte, 0, 2*len(edits)+1)
	at := 0
	for _, e := range edits {
		if e.From > at {
			pieces = append(pieces, body[at:e.From:e.From])
		} else if e.From < at {
			pieces = dropComma(pieces)
		}
		if len(e.Text) > 0 {
			pieces = append(pieces, e.Text)
		}
		at = e.To
	}
	return append(pieces, body[at:])
}

// dropComma takes the comma off the end: what follows are the last fields of
// their object, which all go.
func dropComma(pieces [][]byte) [][]byte {
	for n := len(pieces) - 1; n >= 0; n-- {
		if end := bytes.TrimRight(pieces[n], " \n\t\r"); len(end) > 0 {
			pieces[n] = bytes.TrimSuffix(end, []byte(","))
			break
		}
		pieces = pieces[:n]
	}
	return pieces
}
