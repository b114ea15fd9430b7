package field

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Inside is a JSON string without its quotes and with its escapes, as it is;
// nil if v is none.
func Inside(v []byte) []byte {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return nil
	}
	return v[1 : len(v)-1]
}

// Unquote reads a JSON string; "" if it is none. An escape that JSON does not
// know stands for itself.
func Unquote(v []byte) string {
	s, _ := Text(v)
	return s
}

// Text is Unquote that tells what is no good JSON string: another value, or
// one with an escape that JSON does not know.
func Text(v []byte) (s string, ok bool) {
	in := Inside(v)
	if in == nil {
		return "", false
	}
	ok = true
	if i := bytes.IndexByte(in, '\\'); i >= 0 {
		in, ok = unescape(in, i)
	}
	if !utf8.Valid(in) {
		return string([]rune(string(in))), ok // each bad byte becomes U+FFFD, as in encoding/json
	}
	return string(in), ok
}

// unescape copies a string's inside without its escapes, the first of which is
// at i. ok tells that JSON knows them all.
func unescape(v []byte, i int) (out []byte, ok bool) {
	out, ok = make([]byte, 0, len(v)), true
	for i >= 0 && i+1 < len(v) {
		out = append(out, v[:i]...)
		c := v[i+1]
		v = v[i+2:]
		switch c {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			var r rune
			var good bool
			r, v, good = escaped(v)
			ok = ok && good
			out = utf8.AppendRune(out, r)
		default:
			ok = ok && (c == '"' || c == '\\' || c == '/')
			out = append(out, c)
		}
		i = bytes.IndexByte(v, '\\')
	}
	return append(out, v...), ok && i < 0
}

// escaped reads what follows a \u, and the second half of a surrogate pair. A
// half without the other is U+FFFD, which encoding/json allows too.
func escaped(v []byte) (r rune, rest []byte, ok bool) {
	r, ok = hex4(v)
	if !ok {
		return utf8.RuneError, v, false
	}
	v = v[4:]
	if !utf16.IsSurrogate(r) {
		return r, v, true
	}
	if len(v) >= 6 && v[0] == '\\' && v[1] == 'u' {
		if low, ok := hex4(v[2:]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, v[6:], true
			}
		}
	}
	return utf8.RuneError, v, true
}

func hex4(v []byte) (rune, bool) {
	if len(v) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(v[:4]), 16, 32)
	return rune(n), err == nil
}
