package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"keytray/proxy/dialect/field"
	"keytray/proxy/sse"
)

// Anthropic compiles the schema of output_config.format and of strict tools
// into a grammar. It knows the basic types, enum, const, anyOf, allOf, local
// references that are not recursive, and a few string formats; every object
// must be closed with additionalProperties:false. Ranges, lengths and patterns
// are refused.

// errNoGrammar is the answer for schemas that no grammar of that kind holds.
var errNoGrammar = errors.New("the schema cannot be held by Anthropic's structured output")

// Grammar is a schema that Anthropic compiles.
type Grammar struct {
	Out     []byte
	Lost    []string // constraints that only the description still tells
	Changed bool     // Out is not what came

	root []member
	refs map[string][]string // definition -> definitions it refers to
	in   string              // the definition being read; "" at the root
	deep int                 // how many schemas that being read is in
	err  error
}

// NewGrammar closes the schema's objects and moves what no grammar knows into
// descriptions; the order of properties stays. A schema with open objects, recursion
// or conditions is an error.
func NewGrammar(raw []byte) (*Grammar, error) {
	raw = bytes.TrimSpace(raw)
	g := &Grammar{refs: map[string][]string{}}
	if len(raw) == 0 || raw[0] != '{' || !json.Valid(raw) {
		return nil, errNoGrammar
	}
	g.root = members(raw)
	g.Out = g.schema(make([]byte, 0, len(raw)+64), raw)
	if g.err != nil || g.recursive() {
		return nil, errNoGrammar
	}
	if !g.Changed {
		g.Out = raw
	}
	return g, nil
}

// schema appends one schema.
func (g *Grammar) schema(b, raw []byte) []byte {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '{' || g.deep == deepest {
		g.err = errNoGrammar // true and false are schemas that no grammar knows
		return b
	}
	g.deep++
	defer func() { g.deep-- }()
	all := members(raw)
	object := find(all, "properties") != nil || isObject(find(all, "type"))
	var told []string // constraints for the description
	sep := byte('{')
	put := func(key string) {
		b = append(append(append(append(b, sep, '"'), key...), '"'), ':')
		sep = ','
	}
	var description []byte
	closed := false
	for _, m := range all {
		switch m.key {
		case "properties", "$defs", "definitions":
			put(m.key)
			b = g.schemas(b, m)
		case "items":
			put(m.key)
			b = g.schema(b, m.value)
		case "anyOf", "oneOf", "allOf":
			if m.key == "oneOf" {
				g.lose("oneOf")
				m.key = "anyOf"
			}
			put(m.key)
			b = g.list(b, m.value)
		case "additionalProperties":
			if string(m.value) != "false" {
				g.Changed = true
			}
			if m.value[0] == '{' || string(m.value) == "true" && find(all, "properties") == nil {
				g.err = errNoGrammar
			}
			put(m.key)
			b = append(b, "false"...)
			closed = true
		case "$ref":
			g.refer(field.Unquote(m.value))
			put(m.key)
			b = append(b, m.value...)
		case "description":
			description = m.value
		case "type", "enum", "const", "required", "title", "default":
			put(m.key)
			b = append(b, m.value...)
		case "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "contains", "prefixItems",
			"propertyNames", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef":
			g.err = errNoGrammar
		case "$schema", "$id", "$comment":
			g.Changed = true // these bind nobody
		default:
			if m.key == "format" && slices.Contains(grammarFormats, field.Unquote(m.value)) ||
				m.key == "minItems" && (string(m.value) == "0" || string(m.value) == "1") {
				put(m.key)
				b = append(b, m.value...)
				continue
			}
			g.lose(m.key)
			told = append(told, m.key+": "+string(m.value))
		}
	}
	if object && !closed {
		if len(members(find(all, "properties"))) == 0 && find(all, "$ref") == nil {
			g.err = errNoGrammar // an object of anything
		}
		g.Changed = true
		put("additionalProperties")
		b = append(b, "false"...)
	}
	if description != nil || len(told) > 0 {
		put("description")
		b = describe(b, description, told)
	}
	if sep == '{' {
		b = append(b, '{')
	}
	return append(b, '}')
}

// grammarFormats are the string formats that grammars know.
var grammarFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}

func describe(b, description []byte, told []string) []byte {
	if len(told) == 0 {
		return append(b, description...)
	}
	s := field.Unquote(description)
	if s != "" {
		s += " "
	}
	return sse.AppendString(b, s+"{"+strings.Join(told, ", ")+"}")
}

func (g *Grammar) lose(key string) {
	g.Changed = true
	if !slices.Contains(g.Lost, key) {
		g.Lost = append(g.Lost, key)
	}
}

// schemas appends an object whose values are schemas.
func (g *Grammar) schemas(b []byte, m member) []byte {
	was := g.in
	b = append(b, '{')
	for i, one := range members(m.value) {
		if i > 0 {
			b = append(b, ',')
		}
		if m.key != "properties" {
			g.in = "#/" + m.key + "/" + one.key
		}
		b = append(append(append(b, '"'), one.key...), `":`...)
		b = g.schema(b, one.value)
	}
	g.in = was
	return append(b, '}')
}

func (g *Grammar) list(b, raw []byte) []byte {
	b = append(b, '[')
	for i, one := range elements(raw) {
		if i > 0 {
			b = append(b, ',')
		}
		b = g.schema(b, one)
	}
	return append(b, ']')
}

func (g *Grammar) refer(ref string) {
	if !strings.HasPrefix(ref, "#/$defs/") && !strings.HasPrefix(ref, "#/definitions/") {
		g.err = errNoGrammar
	}
	g.refs[g.in] = append(g.refs[g.in], ref)
}

// recursive tells whether a definition leads back to itself.
func (g *Grammar) recursive() bool {
	const open, done = 1, 2
	state := map[string]int{}
	var visit func(string) bool
	visit = func(at string) bool {
		switch state[at] {
		case open:
			return true
		case done:
			return false
		}
		state[at] = open
		if slices.ContainsFunc(g.refs[at], visit) {
			return true
		}
		state[at] = done
		return false
	}
	for at := range g.refs {
		if visit(at) {
			return true
		}
	}
	return false
}
