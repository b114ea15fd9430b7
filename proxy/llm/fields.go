package llm

import (
	"bytes"
	"errors"
)

// What Fields and Elements report; callers say which body it was.
var (
	errJSON  = errors.New("not a whole JSON object")
	errArray = errors.New("not a whole JSON array")
)

// Fields visits the top-level fields of the JSON object b in order, without
// decoding it: keys without quotes and with escapes as they are, raw values,
// and where each value starts in b. It is a scan, not a check: what is inside
// a value is skipped, but a body that is no object, or is cut off, is an
// error. visit may return false to stop early.
//
// A long prompt is mostly strings, and strings are skipped at the speed of
// bytes.IndexByte.
func Fields(b []byte, visit func(key, value []byte, at int) bool) error {
	return fields(b, nil, visit)
}

// fields is Fields; what is found in passing is added to seen.
func fields(b []byte, seen *Opaque, visit func(key, value []byte, at int) bool) error {
	i := space(b, 0)
	if i == len(b) || b[i] != '{' {
		return errJSON
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return tail(b, i+1)
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return errJSON
		}
		end := str(b, i)
		if end < 0 {
			return errJSON
		}
		key := b[i+1 : end-1]
		i = space(b, end)
		if i == len(b) || b[i] != ':' {
			return errJSON
		}
		i = space(b, i+1)
		end = value(b, i, seen)
		if end < 0 {
			return errJSON
		}
		if !visit(key, b[i:end], i) {
			return nil
		}
		i = space(b, end)
		switch {
		case i == len(b):
			return errJSON
		case b[i] == '}':
			return tail(b, i+1)
		case b[i] != ',':
			return errJSON
		}
		i = space(b, i+1)
	}
}

// Elements visits the values of the JSON array b in order, as [Fields] does an
// object's.
func Elements(b []byte, visit func(value []byte, at int) bool) error {
	i := space(b, 0)
	if i == len(b) || b[i] != '[' {
		return errArray
	}
	i = space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return arrayTail(b, i+1)
	}
	for {
		end := value(b, i, nil)
		if end < 0 {
			return errArray
		}
		if !visit(b[i:end], i) {
			return nil
		}
		i = space(b, end)
		switch {
		case i == len(b):
			return errArray
		case b[i] == ']':
			return arrayTail(b, i+1)
		case b[i] != ',':
			return errArray
		}
		i = space(b, i+1)
	}
}

func arrayTail(b []byte, i int) error {
	if space(b, i) != len(b) {
		return errArray
	}
	return nil
}

func tail(b []byte, i int) error {
	if space(b, i) != len(b) {
		return errJSON
	}
	return nil
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// str returns the end of the string that starts at i, or -1.
func str(b []byte, i int) int {
	start := i + 1
	for at := start; ; {
		n := bytes.IndexByte(b[at:], '"')
		if n < 0 {
			return -1
		}
		at += n
		slashes := 0
		for k := at - 1; k >= start && b[k] == '\\'; k-- {
			slashes++
		}
		at++
		if slashes%2 == 0 {
			return at
		}
	}
}

// value returns the end of the value that starts at i, or -1.
func value(b []byte, i int, seen *Opaque) int {
	if i >= len(b) {
		return -1
	}
	switch b[i] {
	case '"':
		return str(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				start := i + 1
				if i = str(b, i); i < 0 {
					return -1
				}
				if seen != nil {
					seen.see(b[start : i-1])
				}
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return -1
	}
	start := i
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}
