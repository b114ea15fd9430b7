package schemas

import (
	"bytes"
	"slices"

	"keytray/proxy/dialect/field"
	"keytray/proxy/llm"
)

// Input makes a schema one of a function's input, as OpenAI takes it: that of
// an [Object], which says what its properties are, and [Complete].
func Input(raw []byte) (schema []byte, merged bool, err error) {
	schema, merged, err = Object(raw)
	if err != nil {
		return nil, false, err
	}
	if field.Of(schema, "properties") == nil {
		schema = append(bytes.Clone(schema[:len(schema)-1]), `,"properties":{}}`...)
	}
	return Complete(schema), merged, nil
}

// Complete gives every array in a schema that does not say of what a keyword
// that says of anything, without which OpenAI refuses the request. A schema that
// needs none keeps its bytes.
func Complete(raw []byte) []byte {
	if !bytes.Contains(raw, []byte(`"array"`)) {
		return raw
	}
	changed := false
	if out := complete(raw, 0, &changed); changed {
		return out
	}
	return raw
}

func complete(raw []byte, depth int, changed *bool) []byte {
	if len(raw) == 0 || raw[0] != '{' || depth == deepest {
		return raw
	}
	var kinds string
	items := false
	out := append(make([]byte, 0, len(raw)+16), '{')
	err := llm.Fields(raw, func(k, v []byte, _ int) bool {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, '"'), k...), '"', ':')
		switch key := string(k); {
		case slices.Contains(maps, key):
			v = inside(v, '{', depth+1, changed)
		case slices.Contains(keywords, key) && len(v) > 0 && v[0] == '[':
			v = inside(v, '[', depth+1, changed)
		case slices.Contains(keywords, key):
			v = complete(v, depth+1, changed)
		case key == "type":
			kinds = string(v)
		}
		items = items || string(k) == "items" || string(k) == "prefixItems"
		out = append(out, v...)
		return true
	})
	if err != nil {
		return raw
	}
	if !items && allows(kinds, "array") {
		*changed = true
		out = append(out, `,"items":{}`...)
	}
	return append(out, '}')
}

// inside completes the schemas of a map or of a list.
func inside(raw []byte, kind byte, depth int, changed *bool) []byte {
	if raw[0] != kind {
		return raw
	}
	out := append(make([]byte, 0, len(raw)+16), kind)
	next := func(key, v []byte) bool {
		if len(out) > 1 {
			out = append(out, ',')
		}
		if key != nil {
			out = append(append(append(out, '"'), key...), '"', ':')
		}
		out = append(out, complete(v, depth, changed)...)
		return true
	}
	if kind == '{' {
		_ = llm.Fields(raw, func(k, v []byte, _ int) bool { return next(k, v) }) // the whole is valid
		return append(out, '}')
	}
	_ = llm.Elements(raw, func(v []byte, _ int) bool { return next(nil, v) })
	return append(out, ']')
}
