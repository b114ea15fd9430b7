package schemas

import (
	"bytes"
	"strings"
	"testing"
)

// What OpenAI's strict mode takes, by its guide to structured outputs.
func TestStrict(t *testing.T) {
	const inner = `{"type":"object","properties":{"x":{"type":["string","null"]}},"required":["x"],"additionalProperties":false}`
	for s, want := range map[string]bool{
		inner: true,
		`{"type":"object","properties":{},"additionalProperties":false}`:                                                                          true,
		`{"type":"object","properties":{"a":{"anyOf":[{"type":"string"},` + inner + `]}},"required":["a"],"additionalProperties":false}`:          true,
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"additionalProperties":false,"$defs":{"A":` + inner + `}}`:     true,
		`{"type":"object","properties":{"a":{"type":"array","items":` + inner + `}},"required":["a"],"additionalProperties":false}`:               true,
		`{"type":"object","properties":{"default":{"type":"string","enum":["oneOf"]}},"required":["default"],"additionalProperties":false}`:       true,
		`{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]}`:                                                                 false,
		`{"type":"object","properties":{"x":{"type":"string"}},"additionalProperties":false}`:                                                     false,
		`{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":true}`:                                     false,
		`{"type":"object","properties":{"a":{"type":"object","properties":{}}},"required":["a"],"additionalProperties":false}`:                    false,
		`{"type":"object","properties":{"a":{"type":"array"}},"required":["a"],"additionalProperties":false}`:                                     false,
		`{"type":"object","properties":{"a":{}},"required":["a"],"additionalProperties":false}`:                                                   false,
		`{"type":"object","properties":{"a":true},"required":["a"],"additionalProperties":false}`:                                                 false,
		`{"type":"object","properties":{"a":{"type":"string","default":"b"}},"required":["a"],"additionalProperties":false}`:                      false,
		`{"type":"object","properties":{"a":{"type":"string","format":"uri"}},"required":["a"],"additionalProperties":false}`:                     false,
		`{"type":"object","properties":{"a":{"oneOf":[{"type":"string"}],"type":"string"}},"required":["a"],"additionalProperties":false}`:        false,
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"],"additionalProperties":false,"$defs":{"A":{"type":"object"}}}`: false,
		`{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false,"anyOf":[{"type":"object"}]}`:        false,
		`{"type":"array","items":{"type":"string"}}`:                                                                                              false,
		`{"anyOf":[` + inner + `]}`: false,
		`{}`:                        false,
		`true`:                      false,
		`{"type":`:                  false,
	} {
		if got := Strict([]byte(s)); got != want {
			t.Errorf("%v of %s", got, s)
		}
	}
}

func TestComplete(t *testing.T) {
	for s, want := range map[string]string{
		`{"type":"object", "properties":{"a":{"type":"array"}}}`:                  `{"type":"object","properties":{"a":{"type":"array","items":{}}}}`,
		`{"anyOf":[{"type":["array","null"]},{"items":{"type":"array"}}]}`:        `{"anyOf":[{"type":["array","null"],"items":{}},{"items":{"type":"array","items":{}}}]}`,
		`{"type":"object", "properties":{"items":{"type":"array","items":true}}}`: ``,
		`{"properties":{"type":{"type":"string","enum":["array"]}}}`:              ``,
		`{"type":"array", "prefixItems":[{"type":"string"}]}`:                     ``,
		`{"required":["array"], "default":{"type":"array"}}`:                      ``,
		`true`: ``,
	} {
		if want == "" {
			want = s
		}
		if got := Complete([]byte(s)); string(got) != want {
			t.Errorf("%s of %s", got, s)
		}
	}
}

// No schema is nested so deep, or refers to so much, that reading it takes long.
func TestHostile(t *testing.T) {
	const open = `{"type":"object","additionalProperties":false,"required":["a"],"properties":{"a":`
	nested := func(n int) []byte {
		return []byte(strings.Repeat(open, n) + `{"type":"array"}` + strings.Repeat(`}}`, n))
	}
	if got := Complete(nested(50)); !bytes.Contains(got, []byte(`"items"`)) {
		t.Errorf("an array 50 levels deep is not completed: %s", got)
	}
	deep := nested(2000)
	if got := Complete(deep); !bytes.Equal(got, deep) {
		t.Errorf("%d of %d bytes of a deep schema are another's", len(got), len(deep))
	}
	if Strict(bytes.Replace(deep, []byte(`"array"`), []byte(`"string"`), 1)) {
		t.Error("a schema 2,000 levels deep is strict")
	}
	if _, err := NewGrammar(bytes.Replace(deep, []byte(`"array"`), []byte(`"string"`), 1)); err == nil {
		t.Error("a grammar holds a schema 2,000 levels deep")
	}
	loop := `{"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[` + strings.Repeat(`{"$ref":"#/$defs/A"},`, 5) + `{"type":"object"}]}}}`
	if _, _, err := Object([]byte(loop)); err == nil {
		t.Error("alternatives that lead back to themselves are one object")
	}
}
