package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"keytray/proxy/llm"
)

// fieldName is a field of a request in Google's JSON spelling: protobuf takes
// snake_case in its place, and older SDKs send it. "_responseJsonSchema" is
// how some SDKs spell a field that was new to them.
func fieldName(key []byte) string {
	key = bytes.TrimLeft(key, "_")
	if bytes.IndexByte(key, '_') < 0 {
		return string(key)
	}
	out := make([]byte, 0, len(key))
	for i := 0; i < len(key); i++ {
		if key[i] == '_' && i+1 < len(key) {
			i++
			if b := key[i]; 'a' <= b && b <= 'z' {
				out = append(out, b-'a'+'A')
				continue
			}
		}
		out = append(out, key[i])
	}
	return string(out)
}

func null(v []byte) bool { return len(v) == 0 || string(v) == "null" }

// truthy tells a value that asks for something from one that does not.
func truthy(v []byte) bool {
	switch string(bytes.TrimSpace(v)) {
	case "", "null", "false", "0", "{}", "[]", `""`:
		return false
	}
	return true
}

// object visits the fields of a JSON object that are not null, by their names
// in Google's spelling.
func object(param string, v []byte, visit func(key string, v []byte) *llm.Error) *llm.Error {
	var bad *llm.Error
	err := llm.Fields(v, func(k, v []byte, _ int) bool {
		if !null(v) {
			bad = visit(fieldName(k), v)
		}
		return bad == nil
	})
	if err != nil && bad == nil {
		return llm.Invalid(param, "%s must be an object, not %s", param, kindOf(v))
	}
	return bad
}

// list visits the elements of a JSON array; a value that is no array stands
// for a list of one, as protobuf's JSON has it for repeated fields.
func list(param string, v []byte, visit func(param string, v []byte) *llm.Error) *llm.Error {
	if null(v) {
		return nil
	}
	if v[0] != '[' {
		return visit(param, v)
	}
	var bad *llm.Error
	i := 0
	err := llm.Elements(v, func(v []byte, _ int) bool {
		bad = visit(fmt.Sprintf("%s[%d]", param, i), v)
		i++
		return bad == nil
	})
	if err != nil && bad == nil {
		return llm.Invalid(param, "%s is not a whole JSON array", param)
	}
	return bad
}

func stringOf(param string, v []byte) (string, *llm.Error) {
	s, ok := str(v)
	if !ok {
		return "", llm.Invalid(param, "%s must be a string, not %s", param, kindOf(v))
	}
	return s, nil
}

// enum is a value of an enumeration, in upper case and without a prefix that
// protobuf's names have.
func enum(param, prefix string, v []byte) (string, *llm.Error) {
	s, err := stringOf(param, v)
	s = strings.TrimPrefix(strings.ToUpper(s), prefix)
	if strings.HasSuffix(s, "UNSPECIFIED") {
		s = ""
	}
	return s, err
}

func boolean(param string, v []byte) (bool, *llm.Error) {
	switch string(v) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, llm.Invalid(param, "%s must be true or false, not %s", param, kindOf(v))
}

// decimal reads a number, which protobuf's JSON may also put in a string.
func decimal(param string, v []byte) (*float64, *llm.Error) {
	if s := unquote(v); s != nil {
		v = s
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, llm.Invalid(param, "%s must be a number, not %s", param, kindOf(v))
	}
	return &f, nil
}

// integer reads a whole number; 64.0 is one, as SDKs keep top_k in a float.
func integer(param string, v []byte) (*int, *llm.Error) {
	f, err := decimal(param, v)
	if err != nil {
		return nil, err
	}
	if *f != math.Trunc(*f) || math.Abs(*f) > 1<<53 {
		return nil, llm.Invalid(param, "%s must be a whole number, not %s", param, v)
	}
	n := int(*f)
	return &n, nil
}

// kindOf says what a value is, without quoting it.
func kindOf(v []byte) string {
	if len(v) == 0 {
		return "nothing"
	}
	switch v[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// unreadable says what is wrong with a body that is no JSON object.
func unreadable(body []byte) *llm.Error {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return llm.Invalid("", "the request body is empty: send a JSON object")
	}
	var v map[string]json.RawMessage
	err := json.Unmarshal(body, &v)
	var syntax *json.SyntaxError
	switch {
	case isCut(err) && trimmed[0] == '{':
		return llm.Invalid("", "the request body is cut off after %d bytes: it is not a whole JSON object", len(body))
	case errors.As(err, &syntax):
		return llm.Invalid("", "the request body is not JSON: %v, at byte %d", syntax, syntax.Offset)
	}
	return llm.Invalid("", "the request body must be a JSON object")
}
