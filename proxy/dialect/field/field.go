// Package field reads single JSON values, as [llm.Fields] and [llm.Elements]
// find them: what the bodies of all dialects are read with. Readers of a
// client's body name the field at fault in their error. Null is absent: the
// zero value, or nil.
package field

import (
	"bytes"
	"math"
	"strconv"

	"keytray/proxy/llm"
)

// Null tells a value that is absent.
func Null(v []byte) bool { return len(v) == 0 || string(v) == "null" }

// Truthy tells a value that asks for something from one that does not.
func Truthy(v []byte) bool {
	switch string(bytes.TrimSpace(v)) {
	case "", "null", "false", "0", "{}", "[]", `""`:
		return false
	}
	return true
}

// Kind names what a value is, for error messages, without quoting it.
func Kind(v []byte) string {
	if len(v) == 0 {
		return "missing"
	}
	switch v[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// must refuses a value that is not what its field takes.
func must(param, be string, v []byte) *llm.Error {
	kind := Kind(v)
	if kind == be {
		return llm.Invalid(param, "%s is %s that cannot be read: it is no valid JSON", param, be)
	}
	return llm.Invalid(param, "%s must be %s, not %s", param, be, kind)
}

// String reads a string.
func String(param string, v []byte) (string, *llm.Error) {
	if Null(v) {
		return "", nil
	}
	if v[0] != '"' {
		return "", must(param, "a string", v)
	}
	return Unquote(v), nil
}

// Bool reads true or false.
func Bool(param string, v []byte) (bool, *llm.Error) {
	switch string(v) {
	case "true":
		return true, nil
	case "", "false", "null":
		return false, nil
	}
	return false, must(param, "true or false", v)
}

// OptionalBool is Bool that tells false from absent.
func OptionalBool(param string, v []byte) (*bool, *llm.Error) {
	if Null(v) {
		return nil, nil
	}
	b, err := Bool(param, v)
	return &b, err
}

// Number reads a number. Python writes NaN and Infinity, which JSON does not have.
func Number(param string, v []byte) (*float64, *llm.Error) {
	if Null(v) {
		return nil, nil
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || Kind(v) != "a number" {
		return nil, must(param, "a number", v)
	}
	return &f, nil
}

// Integer takes 5.0 for 5, as OpenAI does.
func Integer(param string, v []byte) (*int64, *llm.Error) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return &n, nil
	}
	f, err := Number(param, v)
	if f == nil || err != nil {
		return nil, err
	}
	if *f != math.Trunc(*f) || math.Abs(*f) > 1<<53 {
		return nil, llm.Invalid(param, "%s must be a whole number, not %s", param, v)
	}
	n := int64(*f)
	return &n, nil
}

// Count is an Integer that counts something, such as tokens.
func Count(param string, v []byte) (*int, *llm.Error) {
	n, err := Integer(param, v)
	if n == nil || err != nil {
		return nil, err
	}
	if *n < 0 || *n > math.MaxInt32 {
		return nil, llm.Invalid(param, "%s must be a whole number from 0 to %d, not %s", param, math.MaxInt32, v)
	}
	i := int(*n)
	return &i, nil
}

// Name is a key without escapes, which hardly any client writes.
func Name(key []byte) string {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key)
	}
	return Unquote(append(append([]byte{'"'}, key...), '"'))
}

// Object visits the fields of an object until one is bad.
func Object(param string, v []byte, visit func(key string, v []byte) *llm.Error) *llm.Error {
	var bad *llm.Error
	err := llm.Fields(v, func(key, v []byte, _ int) bool {
		bad = visit(Name(key), v)
		return bad == nil
	})
	if err != nil && bad == nil {
		return must(param, "an object", v)
	}
	return bad
}

// Array visits the values of an array until one is bad; null is empty. The
// value at 2 of messages is called messages[2].
func Array(param string, v []byte, visit func(param string, v []byte) *llm.Error) *llm.Error {
	return each(param, "[", "]", v, visit)
}

// DottedArray is Array for Anthropic's clients, to whom it is messages.2.
func DottedArray(param string, v []byte, visit func(param string, v []byte) *llm.Error) *llm.Error {
	return each(param, ".", "", v, visit)
}

func each(param, before, after string, v []byte, visit func(param string, v []byte) *llm.Error) *llm.Error {
	if Null(v) {
		return nil
	}
	var bad *llm.Error
	i := 0
	err := llm.Elements(v, func(v []byte, _ int) bool {
		bad = visit(param+before+strconv.Itoa(i)+after, v)
		i++
		return bad == nil
	})
	if err != nil && bad == nil {
		return must(param, "an array", v)
	}
	return bad
}

// Of is one field of an object, or nil: the last one of that name.
func Of(v []byte, key string) []byte {
	var found []byte
	_ = llm.Fields(v, func(k, v []byte, _ int) bool { // what is no object has no fields
		if string(k) == key {
			found = v
		}
		return true
	})
	return found
}
