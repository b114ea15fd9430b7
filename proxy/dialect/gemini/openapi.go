package gemini

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// jsonSchema makes JSON Schema of Google's Schema, a subset of OpenAPI 3.0:
// types in lower case, nullable as a second type, numbers out of the strings
// that protobuf's JSON puts them in, properties in their propertyOrdering.
// What is JSON Schema already stays as it is.
func jsonSchema(param string, v []byte) (json.RawMessage, *llm.Error) {
	if v[0] != '{' {
		return nil, llm.Invalid(param, "%s must be a schema, not %s", param, field.Kind(v))
	}
	return openAPI(nil, param, v, 0)
}

// maxNesting bounds how deep a schema may go.
const maxNesting = 200

func openAPI(dst []byte, param string, v []byte, depth int) ([]byte, *llm.Error) {
	if depth > maxNesting {
		return dst, llm.Invalid(param, "%s is nested too deeply", param)
	}
	if v[0] != '{' {
		return append(dst, v...), nil // additionalProperties: false
	}
	nullable := false
	var order []string
	_ = llm.Fields(v, func(k, v []byte, _ int) bool { // the body is known to be JSON
		switch fieldName(string(k)) {
		case "nullable":
			nullable = string(v) == "true"
		case "propertyOrdering":
			_ = json.Unmarshal(v, &order) // a hint; what is no list of names orders nothing
		}
		return true
	})
	dst = append(dst, '{')
	first := true
	err := object(param, v, func(key string, v []byte) (err *llm.Error) {
		if key == "nullable" || key == "propertyOrdering" || key == "example" {
			return nil
		}
		if strings.HasPrefix(key, "$") || key == "ref" || key == "defs" { // already JSON Schema's own
			key = "$" + strings.TrimPrefix(key, "$")
		}
		if key == "type" && v[0] == '"' {
			if v = schemaType(v, nullable); v == nil {
				return nil
			}
		}
		if key == "format" && string(v) == `"enum"` {
			return nil
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(sse.AppendString(dst, key), ':')
		at := param + "." + key
		switch key {
		case "properties", "$defs", "definitions", "patternProperties":
			dst, err = properties(dst, at, v, order, depth)
		case "items", "additionalProperties", "not":
			dst, err = openAPI(dst, at, v, depth+1)
		case "anyOf", "oneOf", "allOf", "prefixItems":
			dst = append(dst, '[')
			n := 0
			err = list(at, v, func(param string, v []byte) (err *llm.Error) {
				if n++; n > 1 {
					dst = append(dst, ',')
				}
				dst, err = openAPI(dst, param, v, depth+1)
				return err
			})
			dst = append(dst, ']')
		case "enum":
			dst = append(dst, v...)
			if nullable && len(v) > 2 && v[len(v)-1] == ']' {
				dst = append(dst[:len(dst)-1], ",null]"...)
			}
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			if s := field.Inside(v); s != nil {
				v = s
			}
			dst = append(dst, v...)
		default:
			dst = append(dst, v...)
		}
		return err
	})
	return append(dst, '}'), err
}

// schemaType is a type in JSON Schema's words; nil is none.
func schemaType(v []byte, nullable bool) []byte {
	s := strings.ToLower(string(field.Inside(v)))
	switch {
	case s == "" || strings.HasSuffix(s, "unspecified"):
		return nil
	case nullable && s != "null":
		return fmt.Appendf(nil, `["%s","null"]`, s)
	}
	return fmt.Appendf(nil, `"%s"`, s)
}

// properties are in the order that was asked for, others behind.
func properties(dst []byte, param string, v []byte, order []string, depth int) ([]byte, *llm.Error) {
	type property struct {
		name  string
		value []byte
		rank  int
	}
	var all []property
	err := llm.Fields(v, func(k, v []byte, _ int) bool {
		rank := slices.Index(order, string(k))
		if rank < 0 {
			rank = len(order)
		}
		all = append(all, property{string(k), v, rank})
		return true
	})
	if err != nil {
		return dst, llm.Invalid(param, "%s must be an object, not %s", param, field.Kind(v))
	}
	slices.SortStableFunc(all, func(a, b property) int { return a.rank - b.rank })
	dst = append(dst, '{')
	for i, p := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), p.name...), '"', ':')
		var bad *llm.Error
		if dst, bad = openAPI(dst, param, p.value, depth+1); bad != nil {
			return dst, bad
		}
	}
	return append(dst, '}'), nil
}
