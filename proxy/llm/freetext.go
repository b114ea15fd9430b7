package llm

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// FreeText reads the free text out of a custom tool's arguments, which are
// JSON of [CustomSchema], while they come in pieces of any size.
type FreeText struct {
	// Unquote gives the text of a JSON string with its quotes. It must be set.
	Unquote func(quoted []byte) string

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

// Add takes a piece of the arguments in, and returns the text that it brings.
func (r *FreeText) Add(piece string) string {
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
		i = space(b, i)
		if !bytes.HasPrefix(b[i:], []byte(want)) {
			return -1
		}
		i += len(want)
	}
	return i
}

// read takes whole characters out of what is held.
func (r *FreeText) read() string {
	if end := closingQuote(r.held); end >= 0 {
		r.state = afterInput
		return r.Unquote(append(append([]byte{'"'}, r.held[:end]...), '"'))
	}
	n := wholeEscapes(r.held)
	s := r.Unquote(append(append([]byte{'"'}, r.held[:n]...), '"'))
	r.held = append(r.held[:0], r.held[n:]...)
	return s
}

// closingQuote is where the text ends, or -1 if that is not there yet.
func closingQuote(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

func isHighHalf(hex []byte) bool {
	n, err := strconv.ParseUint(string(hex), 16, 16)
	return err == nil && n >= 0xd800 && n < 0xdc00
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
			if n+6 <= len(b) && isHighHalf(b[n+2:n+6]) {
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

// Rest is the text that is still to come when the arguments are whole: all of
// them, if they have another shape.
func (r *FreeText) Rest() string {
	switch r.state {
	case beforeInput:
		return InputText(string(r.all))
	case insideInput: // cut off in the middle
		return r.Unquote(append(append([]byte{'"'}, r.held...), '"'))
	}
	return ""
}

// InputText is the free text in a custom tool's arguments, or all of what is no
// such JSON.
func InputText(args string) string {
	var v struct{ Input *string }
	if json.Unmarshal([]byte(args), &v) != nil || v.Input == nil {
		return args
	}
	return *v.Input
}
