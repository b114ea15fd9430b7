package responses

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"keytray/proxy/llm"
)

// Readers of single JSON values, found by llm.Fields. Each names the field at
// fault in its error. Null is absent: the zero value, or nil.

// fieldName is the key without escapes, which hardly any client writes.
func fieldName(key []byte) string {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key)
	}
	return unquote(append(append([]byte{'"'}, key...), '"'))
}

func null(v []byte) bool { return len(v) == 0 || v[0] == 'n' }

// kindOf names what a value is, for error messages.
func kindOf(v []byte) string {
	switch {
	case len(v) == 0:
		return "nothing"
	case v[0] == '"':
		return "a string"
	case v[0] == '{':
		return "an object"
	case v[0] == '[':
		return "an array"
	case v[0] == 't' || v[0] == 'f':
		return "a boolean"
	case v[0] == 'n':
		return "null"
	}
	return "a number"
}

// unquote reads a JSON string; "" if it is none.
func unquote(v []byte) string {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return ""
	}
	v = v[1 : len(v)-1]
	i := bytes.IndexByte(v, '\\')
	if i >= 0 {
		v = unescape(v, i)
	}
	if !utf8.Valid(v) {
		return string([]rune(string(v))) // each bad byte becomes U+FFFD, as in encoding/json
	}
	return string(v)
}

// unescape copies a string's inside without its escapes, the first of which is
// at i. An escape that JSON does not know stands for itself.
func unescape(v []byte, i int) []byte {
	out := make([]byte, 0, len(v))
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
			r, v = escaped(v)
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
		i = bytes.IndexByte(v, '\\')
	}
	return append(out, v...)
}

// escaped reads what follows a \u, and the second half of a surrogate pair.
func escaped(v []byte) (rune, []byte) {
	r, ok := hex4(v)
	if !ok {
		return utf8.RuneError, v
	}
	v = v[4:]
	if !utf16.IsSurrogate(r) {
		return r, v
	}
	if len(v) >= 6 && v[0] == '\\' && v[1] == 'u' {
		if low, ok := hex4(v[2:]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, v[6:]
			}
		}
	}
	return utf8.RuneError, v
}

func hex4(v []byte) (rune, bool) {
	if len(v) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(v[:4]), 16, 32)
	return rune(n), err == nil
}

func text(param string, v []byte) (string, *llm.Error) {
	if null(v) {
		return "", nil
	}
	if v[0] != '"' {
		return "", llm.Invalid(param, "%s must be a string, not %s", param, kindOf(v))
	}
	return unquote(v), nil
}

func boolean(param string, v []byte) (bool, *llm.Error) {
	switch string(v) {
	case "true":
		return true, nil
	case "false", "null":
		return false, nil
	}
	return false, llm.Invalid(param, "%s must be true or false, not %s", param, kindOf(v))
}

func optionalBool(param string, v []byte) (*bool, *llm.Error) {
	if null(v) {
		return nil, nil
	}
	b, err := boolean(param, v)
	return &b, err
}

func number(param string, v []byte) (*float64, *llm.Error) {
	if null(v) {
		return nil, nil
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || kindOf(v) != "a number" {
		return nil, llm.Invalid(param, "%s must be a number, not %s", param, kindOf(v))
	}
	return &f, nil
}

// integer takes 5.0 for 5, as OpenAI does.
func integer(param string, v []byte) (*int64, *llm.Error) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return &n, nil
	}
	f, err := number(param, v)
	if f == nil || err != nil {
		return nil, err
	}
	if *f != math.Trunc(*f) || math.Abs(*f) > 1<<53 {
		return nil, llm.Invalid(param, "%s must be a whole number", param)
	}
	n := int64(*f)
	return &n, nil
}

func count(param string, v []byte) (*int, *llm.Error) {
	n, err := integer(param, v)
	if n == nil || err != nil {
		return nil, err
	}
	if *n < 0 || *n > math.MaxInt32 {
		return nil, llm.Invalid(param, "%s must be a number of tokens, not %d", param, *n)
	}
	i := int(*n)
	return &i, nil
}

// object visits the fields of an object until one is bad.
func object(param string, v []byte, visit func(key string, v []byte) *llm.Error) *llm.Error {
	var bad *llm.Error
	err := llm.Fields(v, func(key, v []byte, _ int) bool {
		bad = visit(fieldName(key), v)
		return bad == nil
	})
	if err != nil && bad == nil {
		return llm.Invalid(param, "%s must be an object, not %s", param, kindOf(v))
	}
	return bad
}

// array visits the values of an array until one is bad; null is empty.
func array(param string, v []byte, visit func(i int, param string, v []byte) *llm.Error) *llm.Error {
	if null(v) {
		return nil
	}
	var bad *llm.Error
	i := 0
	err := llm.Elements(v, func(v []byte, _ int) bool {
		bad = visit(i, param+"["+strconv.Itoa(i)+"]", v)
		i++
		return bad == nil
	})
	if err != nil && bad == nil {
		return llm.Invalid(param, "%s must be an array, not %s", param, kindOf(v))
	}
	return bad
}

// field is one field of an object, or nil.
func field(v []byte, key string) []byte {
	var found []byte
	_ = llm.Fields(v, func(k, v []byte, _ int) bool { // what is no object has no fields
		if string(k) == key {
			found = v
		}
		return true
	})
	return found
}
