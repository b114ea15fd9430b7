package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
	"keytray/proxy/sse"
)

// Empty is the schema of an input without fields.
const Empty = `{"type":"object","properties":{}}`

// maxDepth bounds the references followed at a schema's root, and maxParts how
// many schemas they and its alternatives may lead to: some lead back.
const (
	maxDepth = 16
	maxParts = 10_000
)

// member is one field of a JSON object: its key as written, without quotes,
// and its raw value.
type member struct {
	key   string
	value []byte
}

// members are the fields of a JSON object in order, and nil of anything else.
func members(b []byte) []member {
	var all []member
	err := llm.Fields(b, func(k, v []byte, _ int) bool {
		all = append(all, member{string(k), v})
		return true
	})
	if err != nil {
		return nil
	}
	return all
}

func find(all []member, key string) []byte {
	for i := range all {
		if all[i].key == key {
			return all[i].value
		}
	}
	return nil
}

// elements are those of a JSON array, and nil of anything else.
func elements(b []byte) []json.RawMessage {
	var all []json.RawMessage
	if json.Unmarshal(b, &all) != nil {
		return nil
	}
	return all
}

// Object makes a schema one of an object, as that of a tool's input must be. One
// that is already keeps its bytes (A17). Alternatives at the root, which are
// refused there, become one object with all their properties (A18); merged
// tells that this was done.
func Object(raw []byte) (schema []byte, merged bool, err error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "true" {
		return []byte(Empty), false, nil
	}
	if raw[0] != '{' || !json.Valid(raw) {
		return nil, false, errors.New("not a JSON Schema object")
	}
	root := members(raw)
	if len(root) == 0 {
		return []byte(Empty), false, nil
	}
	kind := find(root, "type")
	if kind != nil && !isObject(kind) {
		return nil, false, fmt.Errorf("its type is %s, but must be object", kind)
	}
	composed := false
	for _, key := range []string{"anyOf", "oneOf", "allOf", "$ref"} {
		composed = composed || find(root, key) != nil
	}
	switch {
	case !composed && field.Unquote(kind) == "object":
		return raw, false, nil
	case !composed && kind == nil:
		return append([]byte(`{"type":"object",`), bytes.TrimLeft(raw[1:], " \t\r\n")...), false, nil
	case !composed:
		at := valueAt(raw, "type")
		out := append(append([]byte(nil), raw[:at]...), `"object"`...)
		return append(out, raw[at+len(kind):]...), false, nil
	}
	left := maxParts
	f := flattener{root: root, left: &left}
	if f.schema(raw, 0); left < 0 {
		return nil, false, errors.New("its alternatives are too many")
	}
	out := []byte(`{"type":"object"`)
	for _, m := range root {
		switch m.key {
		case "type", "properties", "required", "anyOf", "oneOf", "allOf", "$ref":
		default:
			out = appendMember(out, m.key, m.value)
		}
	}
	out = append(out, `,"properties":{`...)
	for i, p := range f.props {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(append(out, '"'), p.key...), `":`...), p.value...)
	}
	out = append(out, '}')
	if len(f.required) > 0 {
		out = append(out, `,"required":[`...)
		for i, r := range f.required {
			if i > 0 {
				out = append(out, ',')
			}
			out = sse.AppendString(out, r)
		}
		out = append(out, ']')
	}
	return append(out, '}'), true, nil
}

// valueAt is where the value of a top-level field begins.
func valueAt(b []byte, key string) int {
	where := 0
	_ = llm.Fields(b, func(k, _ []byte, at int) bool { // b is valid
		if string(k) == key {
			where = at
			return false
		}
		return true
	})
	return where
}

func appendMember(b []byte, key string, value []byte) []byte {
	return append(append(append(append(b, `,"`...), key...), `":`...), value...)
}

// isObject tells whether a type keyword allows objects.
func isObject(kind []byte) bool {
	if field.Unquote(kind) == "object" {
		return true
	}
	for _, k := range elements(kind) {
		if field.Unquote(k) == "object" {
			return true
		}
	}
	return false
}

// flattener gathers the properties of a schema and its alternatives.
type flattener struct {
	root     []member
	left     *int // how many more schemas may be looked at
	props    []member
	required []string
}

// schema adds one schema, with all that it refers to and is composed of.
func (f *flattener) schema(raw []byte, depth int) {
	if *f.left--; *f.left < 0 {
		return
	}
	all := members(raw)
	if kind := find(all, "type"); depth > maxDepth || kind != nil && !isObject(kind) {
		return // an alternative that is no object can never be a tool's input
	}
	for _, p := range members(find(all, "properties")) {
		f.property(p)
	}
	for _, r := range elements(find(all, "required")) {
		f.require(field.Unquote(r))
	}
	if ref := find(all, "$ref"); ref != nil {
		f.schema(f.resolve(field.Unquote(ref)), depth+1)
	}
	for _, part := range elements(find(all, "allOf")) {
		f.schema(part, depth+1)
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		f.alternatives(elements(find(all, key)), depth)
	}
}

// alternatives adds the properties of each, and requires what all of them do.
func (f *flattener) alternatives(variants []json.RawMessage, depth int) {
	var common []string
	objects := 0
	for _, v := range variants {
		if *f.left < 0 {
			return
		}
		if kind := find(members(v), "type"); kind != nil && !isObject(kind) {
			continue
		}
		one := flattener{root: f.root, left: f.left}
		one.schema(v, depth+1)
		for _, p := range one.props {
			f.property(p)
		}
		if objects++; objects == 1 {
			common = one.required
		} else {
			common = slices.DeleteFunc(slices.Clone(common), func(r string) bool { return !slices.Contains(one.required, r) })
		}
	}
	for _, r := range common {
		f.require(r)
	}
}

// property adds one, or lets one that is there already be either of both.
func (f *flattener) property(p member) {
	for i := range f.props {
		if f.props[i].key != p.key {
			continue
		}
		if old := f.props[i].value; !bytes.Equal(old, p.value) {
			either := append(append([]byte(`{"anyOf":[`), old...), ',')
			f.props[i].value = append(append(either, p.value...), "]}"...)
		}
		return
	}
	f.props = append(f.props, p)
}

func (f *flattener) require(name string) {
	if name != "" && !slices.Contains(f.required, name) {
		f.required = append(f.required, name)
	}
}

// resolve follows a reference into the root's own definitions; nil if it
// leads elsewhere.
func (f *flattener) resolve(ref string) []byte {
	for _, defs := range []string{"$defs", "definitions"} {
		if key, ok := strings.CutPrefix(ref, "#/"+defs+"/"); ok {
			return find(members(find(f.root, defs)), key)
		}
	}
	return nil
}
