package messages

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"keytray/proxy/llm"
)

// Readers of single JSON values of a client's body, found by llm.Fields. Each
// names the field at fault in its error. Null is absent.

// fieldName is the key without escapes, which hardly any client writes.
func fieldName(key []byte) string {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key)
	}
	return stringOf(append(append([]byte{'"'}, key...), '"'))
}

func null(v []byte) bool { return len(v) == 0 || v[0] == 'n' }

// truthy tells a value that asks for something from one that does not.
func truthy(v []byte) bool {
	switch string(bytes.TrimSpace(v)) {
	case "", "null", "false", "0", "{}", "[]", `""`:
		return false
	}
	return true
}

// shapeOf names what a value is, for error messages.
func shapeOf(v []byte) string {
	switch {
	case len(v) == 0:
		return "missing"
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

func readString(param string, v []byte) (string, *llm.Error) {
	if null(v) {
		return "", nil
	}
	s, ok := text(v)
	if !ok {
		return "", llm.Invalid(param, "%s must be a string, not %s", param, shapeOf(v))
	}
	return s, nil
}

func readBool(param string, v []byte) (bool, *llm.Error) {
	switch string(v) {
	case "true":
		return true, nil
	case "", "false", "null":
		return false, nil
	}
	return false, llm.Invalid(param, "%s must be true or false, not %s", param, shapeOf(v))
}

func readNumber(param string, v []byte) (*float64, *llm.Error) {
	if null(v) {
		return nil, nil
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || shapeOf(v) != "a number" {
		return nil, llm.Invalid(param, "%s must be a number, not %s", param, shapeOf(v))
	}
	return &f, nil
}

// readCount takes 5.0 for 5.
func readCount(param string, v []byte) (*int, *llm.Error) {
	f, err := readNumber(param, v)
	if f == nil || err != nil {
		return nil, err
	}
	if *f != math.Trunc(*f) || *f < 0 || *f > math.MaxInt32 {
		return nil, llm.Invalid(param, "%s must be a whole number from 0 on, not %s", param, v)
	}
	n := int(*f)
	return &n, nil
}

// eachField visits the fields of an object until one is bad.
func eachField(param string, v []byte, visit func(key string, v []byte) *llm.Error) *llm.Error {
	var bad *llm.Error
	err := llm.Fields(v, func(key, v []byte, _ int) bool {
		bad = visit(fieldName(key), v)
		return bad == nil
	})
	if err != nil && bad == nil {
		return llm.Invalid(param, "%s must be an object, not %s", param, shapeOf(v))
	}
	return bad
}

// eachItem visits the values of an array until one is bad; null is empty.
func eachItem(param string, v []byte, visit func(param string, v []byte) *llm.Error) *llm.Error {
	if null(v) {
		return nil
	}
	var bad *llm.Error
	i := 0
	err := llm.Elements(v, func(v []byte, _ int) bool {
		bad = visit(param+"."+strconv.Itoa(i), v) // as Anthropic counts: messages.0.content.2
		i++
		return bad == nil
	})
	if err != nil && bad == nil {
		return llm.Invalid(param, "%s must be an array, not %s", param, shapeOf(v))
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

// without is the JSON object v less some of its fields.
func without(v []byte, keys ...string) []byte {
	out := append(make([]byte, 0, len(v)), '{')
	_ = llm.Fields(v, func(k, v []byte, _ int) bool { // v was read before
		if slices.Contains(keys, string(k)) {
			return true
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), k...), `":`...)
		out = append(out, v...)
		return true
	})
	return append(out, '}')
}

// unreadable says what is wrong with a body that is no JSON object.
func unreadable(body []byte) *llm.Error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return llm.Invalid("", "the request body is empty: send a JSON object")
	}
	var v map[string]json.RawMessage
	switch err := json.Unmarshal(body, &v).(type) {
	case *json.SyntaxError:
		if int(err.Offset) >= len(trimmed) && trimmed[0] == '{' {
			return llm.Invalid("", "the request body is cut off after %d bytes: it is not a whole JSON object", len(body))
		}
		return llm.Invalid("", "the request body is not JSON: %v, at byte %d", err, err.Offset)
	}
	return llm.Invalid("", "the request body must be a JSON object")
}
