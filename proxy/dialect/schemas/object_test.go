package schemas

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestObjectOfReferences(t *testing.T) {
	for in, want := range map[string]string{
		`{"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"a":{}},"required":["a"]}}}`:               `{"type":"object","$defs":{"A":{"type":"object","properties":{"a":{}},"required":["a"]}},"properties":{"a":{}},"required":["a"]}`,
		`{"allOf":[{"required":["a"]},{"oneOf":[{"properties":{"b":{}},"required":["b"]}]}],"properties":{"a":{}}}`: `{"type":"object","properties":{"a":{},"b":{}},"required":["a","b"]}`,
		`{"definitions":{"A":{"$ref":"#/definitions/A"}},"$ref":"#/definitions/A"}`:                                 `{"type":"object","definitions":{"A":{"$ref":"#/definitions/A"}},"properties":{}}`,
		`{"$ref":"https://x.test/elsewhere"}`:                                                                       `{"type":"object","properties":{}}`,
		`{"anyOf":[{"type":"string"}],"properties":{"properties":{"type":"object"}}}`:                               `{"type":"object","properties":{"properties":{"type":"object"}}}`, // E5
	} {
		got, merged, err := Object([]byte(in))
		if err != nil || !merged || string(got) != want {
			t.Errorf("%s\nbecame %s (%v)", in, got, err)
		}
	}
}

func FuzzSchema(f *testing.F) {
	f.Add(`{"type":["object","null"],"properties":{"a":{"type":"integer","minimum":1}}}`)
	f.Add(`{"anyOf":[{"properties":{"a":{}},"required":["a"]},{"$ref":"#/$defs/B"}],"$defs":{"B":{"allOf":[{"$ref":"#/$defs/B"}]}}}`)
	f.Add(`{"properties":{"a":{"oneOf":[{"const":1,"x":[]}]}},"additionalProperties":true}`)
	f.Fuzz(func(t *testing.T, s string) {
		if out, _, err := Object([]byte(s)); err == nil {
			if !json.Valid(out) || !strings.Contains(string(out), `"object"`) {
				t.Fatalf("%s became %s", s, out)
			}
		}
		if g, err := NewGrammar([]byte(s)); err == nil && !json.Valid(g.Out) {
			t.Fatalf("%s became the grammar %s", s, g.Out)
		}
	})
}
