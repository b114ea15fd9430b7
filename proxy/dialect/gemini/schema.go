package gemini

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

var errNoObject = errors.New("it is another kind of value, or broken")

// emptySchema is what a function without parameters takes (E6).
const emptySchema = `{"type":"object","properties":{}}`

// cleanSchema makes a client's JSON Schema one that Google takes: keywords
// that it rejects are rewritten or left out, wherever a keyword can stand; a
// property that only has a keyword's name stays (E5). A schema that needs
// nothing keeps its bytes, and every other one its order (A17). What got
// weaker is named.
func cleanSchema(raw json.RawMessage) (json.RawMessage, []string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage(emptySchema), nil, nil
	}
	if !isObject(raw) {
		return nil, nil, errNoObject
	}
	var s schema
	out, err := s.object(nil, raw, true)
	if err != nil {
		return nil, nil, err
	}
	if !s.changed {
		return raw, nil, nil
	}
	return out, s.lost, nil
}

type schema struct {
	changed bool
	lost    []string
}

func (s *schema) lose(what string) {
	for _, l := range s.lost {
		if l == what {
			return
		}
	}
	s.lost = append(s.lost, what)
}

// object appends the schema object raw, cleaned.
func (s *schema) object(dst []byte, raw []byte, root bool) ([]byte, error) {
	var f struct{ fields, typed, composed, minimum, maximum, integer, enum bool }
	err := llm.Fields(raw, func(k, v []byte, _ int) bool {
		f.fields = true
		switch string(k) {
		case "type":
			f.typed, f.integer = true, string(v) == `"integer"`
		case "anyOf", "oneOf", "allOf", "$ref", "enum", "const":
			f.composed = true
			f.enum = f.enum || string(k) == "enum"
		case "minimum":
			f.minimum = true
		case "maximum":
			f.maximum = true
		}
		return true
	})
	if err != nil {
		return nil, fmt.Errorf("a schema inside it: %w", errNoObject)
	}
	if root && !f.fields {
		s.changed = true
		return append(dst, emptySchema...), nil
	}
	dst = append(dst, '{')
	first := true
	put := func(key []byte, value []byte) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(append(dst, '"'), key...), '"', ':'), value...)
	}
	if root && !f.typed && !f.composed {
		s.changed = true
		put([]byte("type"), []byte(`"object"`))
	}
	walk := func(k, v []byte, _ int) bool {
		switch key := string(k); key {
		case "$schema", "$comment", "discriminator", "examples":
			s.changed = true // notes for people and tools; nothing is weaker
		case "const":
			s.changed = true
			if !f.enum {
				put([]byte("enum"), append(append([]byte{'['}, v...), ']'))
			}
		case "exclusiveMinimum", "exclusiveMaximum":
			s.changed = true
			to, by, have := "minimum", int64(1), f.minimum
			if key == "exclusiveMaximum" {
				to, by, have = "maximum", -1, f.maximum
			}
			if n, ok := s.bound(v, f.integer, by); ok && !have {
				put([]byte(to), n)
			} else if string(v) != "true" && string(v) != "false" {
				s.lose("a schema's " + key)
			}
		case "properties", "$defs", "definitions", "patternProperties", "dependentSchemas":
			v, err = s.each(v)
			put(k, v)
		case "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
			"unevaluatedItems", "unevaluatedProperties", "additionalItems", "anyOf", "oneOf", "allOf", "prefixItems":
			v, err = s.value(v)
			put(k, v)
		default:
			put(k, v)
		}
		return err == nil
	}
	if e := llm.Fields(raw, walk); e != nil && err == nil {
		err = e
	}
	return append(dst, '}'), err
}

// each cleans the schemas of a map from names to schemas.
func (s *schema) each(raw []byte) ([]byte, error) {
	if raw[0] != '{' {
		return raw, nil
	}
	dst := []byte{'{'}
	var err error
	_ = llm.Fields(raw, func(k, v []byte, _ int) bool {
		if len(dst) > 1 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), k...), '"', ':')
		if v, err = s.value(v); err != nil {
			return false
		}
		dst = append(dst, v...)
		return true
	})
	return append(dst, '}'), err
}

// value cleans a schema, or a list of them; true and false stay.
func (s *schema) value(raw []byte) ([]byte, error) {
	switch raw[0] {
	case '{':
		return s.object(nil, raw, false)
	case '[':
		dst := []byte{'['}
		var err error
		_ = llm.Elements(raw, func(v []byte, _ int) bool {
			if len(dst) > 1 {
				dst = append(dst, ',')
			}
			if v, err = s.value(v); err != nil {
				return false
			}
			dst = append(dst, v...)
			return true
		})
		return append(dst, ']'), err
	default:
		return raw, nil
	}
}

// bound is an exclusive bound as an inclusive one: exact for integers, as
// near as it gets for other numbers.
func (s *schema) bound(v []byte, integer bool, by int64) ([]byte, bool) {
	if v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return nil, false // drafts before 6 say true
	}
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && integer && n > math.MinInt64 && n < math.MaxInt64 {
		return strconv.AppendInt(nil, n+by, 10), true
	}
	s.lose("a schema's exclusive bound, sent as an inclusive one")
	return v, true
}

// text appends s as a JSON string.
func text(dst []byte, s string) []byte { return sse.AppendString(dst, s) }
