package vault

import (
	"encoding/binary"

	"keytray/proxy/llm"
)

// piece is an opaque block of an answer and where it stood.
type piece struct {
	block llm.Block
	place place
}

// place is where a piece stood, seen from the tool call it is kept with.
type place uint8

const (
	first   place = iota // before the call and before any text that led to it
	between              // after that text
	onText               // it is the signature of that text
	onCall               // it is the signature of the call
	after                // behind the call, and no other call followed
)

// pack writes pieces in one string of bytes: their kind, place, text and data.
func pack(pieces []piece) []byte {
	n := 0
	for i := range pieces {
		n += len(pieces[i].block.Text) + len(pieces[i].block.Opaque) + 16
	}
	b := make([]byte, 0, n)
	for i := range pieces {
		p := &pieces[i]
		b = append(b, byte(p.block.Kind), byte(p.place))
		b = appendString(b, p.block.Text)
		b = appendString(b, p.block.Opaque)
	}
	return b
}

// unpack reads what pack wrote.
func unpack(b []byte, origin string) []piece {
	var pieces []piece
	for len(b) > 2 {
		p := piece{block: llm.Block{Kind: llm.BlockKind(b[0]), Origin: origin}, place: place(b[1])}
		p.block.Text, b = cutString(b[2:])
		p.block.Opaque, b = cutString(b)
		pieces = append(pieces, p)
	}
	return pieces
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func cutString(b []byte) (string, []byte) {
	n, at := binary.Uvarint(b)
	if at <= 0 || n > uint64(len(b)-at) {
		return "", nil
	}
	return string(b[at : at+int(n)]), b[at+int(n):]
}
