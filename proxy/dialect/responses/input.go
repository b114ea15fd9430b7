package responses

import (
	"bytes"
	"unicode/utf8"
)

// inputReader reads the free text out of a custom tool's arguments,
// {"input": "..."}, while they come in pieces of any size.
type inputReader struct {
	held  []byte // what is not read yet: the head, or an escape that is cut
	all   []byte // until the text begins: for arguments of another shape
	state inputState
}

type inputState uint8

const (
	beforeInput inputState = iota
	insideInput
	afterInput
)

// add takes a piece of the arguments in, and returns the text that it brings.
func (r *inputReader) add(piece string) string {
	switch r.state {
	case beforeInput:
		r.all = append(r.all, piece...)
		at := inputStart(r.all)
		if at < 0 {
			return ""
		}
		r.state = insideInput
		r.held = append(r.held, r.all[at:]...)
	case insideInput:
		r.held = append(r.held, piece...)
	case afterInput:
		return ""
	}
	return r.read()
}

// inputStart is where the text begins, or -1 if that is not there yet. Only
// one shape is read in pieces.
func inputStart(b []byte) int {
	i := 0
	for _, want := range []string{"{", `"input"`, ":", `"`} {
		i = skipSpace(b, i)
		if !bytes.HasPrefix(b[i:], []byte(want)) {
			return -1
		}
		i += len(want)
	}
	return i
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// read takes whole characters out of what is held.
func (r *inputReader) read() string {
	end := bytes.IndexByte(r.held, '"')
	for end > 0 && r.held[end-1] == '\\' && !escapedBackslash(r.held[:end]) {
		next := bytes.IndexByte(r.held[end+1:], '"')
		if next < 0 {
			end = -1
			break
		}
		end += 1 + next
	}
	if end >= 0 {
		r.state = afterInput
		return unquote(append(append([]byte{'"'}, r.held[:end]...), '"'))
	}
	n := wholeEscapes(r.held)
	s := unquote(append(append([]byte{'"'}, r.held[:n]...), '"'))
	r.held = append(r.held[:0], r.held[n:]...)
	return s
}

// wholeEscapes is how much of a string's inside does not end in the middle of
// an escape, of a surrogate pair, or of a character.
func wholeEscapes(b []byte) int {
	n := 0
	for n < len(b) {
		i := bytes.IndexByte(b[n:], '\\')
		if i < 0 {
			end := len(b)
			for k := 1; k <= utf8.UTFMax && k <= end-n; k++ {
				if c := b[end-k]; utf8.RuneStart(c) {
					if !utf8.FullRune(b[end-k:]) {
						end -= k
					}
					break
				}
			}
			return end
		}
		n += i
		size := 2
		if n+1 < len(b) && b[n+1] == 'u' {
			size = 6
			if high, ok := hex4(b[min(n+2, len(b)):]); ok && high >= 0xd800 && high < 0xdc00 {
				size = 12
				// A high half that no second escape follows stands alone.
				if n+6 < len(b) && b[n+6] != '\\' || n+7 < len(b) && b[n+7] != 'u' {
					size = 6
				}
			}
		}
		if n+size > len(b) {
			return n
		}
		n += size
	}
	return n
}

// rest is the text that is still to come when the arguments are whole: all of
// them, if they have another shape.
func (r *inputReader) rest() string {
	switch r.state {
	case beforeInput:
		return unwrapInput(string(r.all))
	case insideInput: // cut off in the middle
		return unquote(append(append([]byte{'"'}, r.held...), '"'))
	}
	return ""
}
