// Package schemas looks into the JSON Schemas of tools and formats, and makes of
// them what providers take. The order of their keys stays as it was (A17).
package schemas

import (
	"encoding/json"
	"slices"

	"keytray/proxy/llm"
)

// keywords are those that hold schemas: one or a list of them, or a map from
// names to schemas.
var (
	keywords = []string{"items", "additionalProperties", "anyOf", "oneOf", "allOf", "prefixItems", "not"}
	maps     = []string{"properties", "$defs", "definitions"}
)

// deepest is how many schemas deep a schema is looked into: each level is read
// once more for every one above it, and one nested by the thousand would keep a
// processor busy for seconds.
const deepest = 100

// unstrict are the keywords that OpenAI's strict mode refuses, beside those
// that name conditions.
var unstrict = []string{
	"oneOf", "allOf", "not", "if", "then", "else", "default", "minLength", "maxLength",
	"patternProperties", "propertyNames", "minProperties", "maxProperties", "unevaluatedProperties",
	"dependentRequired", "dependentSchemas", "uniqueItems", "contains", "minContains", "maxContains",
	"unevaluatedItems", "prefixItems",
}

// formats of strings that strict mode knows.
var formats = []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}

// Strict tells whether OpenAI's strict mode takes a schema: an object at its
// root, every object closed and with all properties required, and nothing that
// no grammar holds. It refuses a request with any other schema.
func Strict(raw []byte) bool {
	var s struct {
		Type  any
		AnyOf json.RawMessage
	}
	return json.Unmarshal(raw, &s) == nil && s.Type == "object" && s.AnyOf == nil && strict(raw, 0)
}

func strict(raw []byte, depth int) bool {
	if len(raw) == 0 || raw[0] != '{' || depth == deepest {
		return false // true and false are schemas, but not here
	}
	var s struct {
		Type       json.RawMessage
		Ref        string `json:"$ref"`
		AnyOf      json.RawMessage
		Format     string
		Items      json.RawMessage
		Properties map[string]json.RawMessage
		Required   []string
		More       json.RawMessage `json:"additionalProperties"`
	}
	if json.Unmarshal(raw, &s) != nil || s.Type == nil && s.Ref == "" && s.AnyOf == nil {
		return false
	}
	kinds := string(s.Type)
	switch {
	case s.Format != "" && !slices.Contains(formats, s.Format),
		allows(kinds, "array") && s.Items == nil,
		(allows(kinds, "object") || s.Properties != nil) && string(s.More) != "false":
		return false
	}
	for name := range s.Properties {
		if !slices.Contains(s.Required, name) {
			return false
		}
	}
	ok := true
	_ = llm.Fields(raw, func(k, v []byte, _ int) bool { // it is valid JSON
		key := string(k)
		ok = !slices.Contains(unstrict, key)
		if ok && key != "additionalProperties" {
			each(key, v, func(v []byte) { ok = ok && strict(v, depth+1) })
		}
		return ok
	})
	return ok
}

// allows tells whether a type keyword, one or a list, has the type.
func allows(kinds, kind string) bool {
	var one string
	if json.Unmarshal([]byte(kinds), &one) == nil {
		return one == kind
	}
	var all []string
	return json.Unmarshal([]byte(kinds), &all) == nil && slices.Contains(all, kind)
}

// each calls do with the schemas under a keyword.
func each(key string, v []byte, do func(v []byte)) {
	switch {
	case slices.Contains(maps, key):
		_ = llm.Fields(v, func(_, v []byte, _ int) bool { do(v); return true }) // what is no map has none
	case !slices.Contains(keywords, key):
	case len(v) > 0 && v[0] == '[':
		_ = llm.Elements(v, func(v []byte, _ int) bool { do(v); return true })
	default:
		do(v)
	}
}
