package gemini

import (
	"math"
	"strconv"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// fieldName is a field of a request in Google's JSON spelling: protobuf takes
// snake_case in its place, and older SDKs send it. "_responseJsonSchema" is
// how some SDKs spell a field that was new to them.
func fieldName(key string) string {
	key = strings.TrimLeft(key, "_")
	if strings.IndexByte(key, '_') < 0 {
		return key
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

// object visits the fields of a JSON object that are not null, by their names
// in Google's spelling.
func object(param string, v []byte, visit func(key string, v []byte) *llm.Error) *llm.Error {
	return field.Object(param, v, func(key string, v []byte) *llm.Error {
		if field.Null(v) {
			return nil
		}
		return visit(fieldName(key), v)
	})
}

// list visits the elements of a JSON array; a value that is no array stands
// for a list of one, as protobuf's JSON has it for repeated fields.
func list(param string, v []byte, visit func(param string, v []byte) *llm.Error) *llm.Error {
	if !field.Null(v) && v[0] != '[' {
		return visit(param, v)
	}
	return field.Array(param, v, visit)
}

// enum is a value of an enumeration, in upper case and without a prefix that
// protobuf's names have.
func enum(param, prefix string, v []byte) (string, *llm.Error) {
	s, err := field.String(param, v)
	s = strings.TrimPrefix(strings.ToUpper(s), prefix)
	if strings.HasSuffix(s, "UNSPECIFIED") {
		s = ""
	}
	return s, err
}

// decimal reads a number, which protobuf's JSON may also put in a string.
func decimal(param string, v []byte) (*float64, *llm.Error) {
	if s := field.Inside(v); s != nil {
		v = s
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, llm.Invalid(param, "%s must be a number, not %s", param, field.Kind(v))
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
