package ollama

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"keytray/proxy/llm"
)

// What a client's body is read with. param names the field in errors.

// plain is a key without its escapes.
func plain(key []byte) string {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key)
	}
	return unquote([]byte(`"` + string(key) + `"`))
}

func null(v []byte) bool { return len(v) == 0 || string(v) == "null" }

// kind names a JSON value's type for messages.
func kind(v []byte) string {
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

func text(param string, v []byte) (s string, _ *llm.Error) {
	if v[0] != '"' || json.Unmarshal(v, &s) != nil {
		return "", llm.Invalid(param, "%s must be a string, not %s", param, kind(v))
	}
	return s, nil
}

func boolean(param string, v []byte) (bool, *llm.Error) {
	switch string(v) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, llm.Invalid(param, "%s must be true or false, not %s", param, kind(v))
}

func decimal(param string, v []byte) (*float64, *llm.Error) {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || kind(v) != "a number" {
		return nil, llm.Invalid(param, "%s must be a number, not %s", param, kind(v))
	}
	return &f, nil
}

// integer reads a whole number; Ollama cuts off what follows the point.
func integer(param string, v []byte) (int64, *llm.Error) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, nil
	}
	f, bad := decimal(param, v)
	if bad != nil || math.Abs(*f) >= 1<<53 {
		return 0, llm.Invalid(param, "%s must be an integer, not %s", param, kind(v))
	}
	return int64(*f), nil
}

// fields visits an object's.
func fields(param string, v []byte, visit func(key string, v []byte) *llm.Error) (bad *llm.Error) {
	err := llm.Fields(v, func(key, v []byte, _ int) bool {
		bad = visit(plain(key), v)
		return bad == nil
	})
	if err != nil && bad == nil {
		bad = llm.Invalid(param, "%s must be an object, not %s", param, kind(v))
	}
	return bad
}

// elements visits an array's.
func elements(param string, v []byte, visit func(param string, v []byte) *llm.Error) (bad *llm.Error) {
	i := 0
	err := llm.Elements(v, func(v []byte, _ int) bool {
		bad = visit(fmt.Sprintf("%s[%d]", param, i), v)
		i++
		return bad == nil
	})
	if err != nil && bad == nil {
		bad = llm.Invalid(param, "%s must be an array, not %s", param, kind(v))
	}
	return bad
}
