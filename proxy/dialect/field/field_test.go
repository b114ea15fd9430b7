package field

import (
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// Each reader takes its own kind and null, and names the field and what came
// in its place.
func TestReaders(t *testing.T) {
	readers := map[string]func(v []byte) (any, *llm.Error){
		"string": func(v []byte) (any, *llm.Error) { return show(String("f", v)) },
		"bool":   func(v []byte) (any, *llm.Error) { return show(Bool("f", v)) },
		"maybe":  func(v []byte) (any, *llm.Error) { return shown(OptionalBool("f", v)) },
		"number": func(v []byte) (any, *llm.Error) { return shown(Number("f", v)) },
		"int":    func(v []byte) (any, *llm.Error) { return shown(Integer("f", v)) },
		"count":  func(v []byte) (any, *llm.Error) { return shown(Count("f", v)) },
	}
	for _, c := range []struct{ reader, in, want string }{
		{"string", `"a\n"`, "a\n"},
		{"string", `null`, ""},
		{"string", ``, ""},
		{"string", `7`, "! f must be a string, not a number"},
		{"string", `nope`, "! f must be a string, not null"},
		{"bool", `true`, "true"},
		{"bool", `false`, "false"},
		{"bool", `null`, "false"},
		{"bool", `"yes"`, "! f must be true or false, not a string"},
		{"maybe", `false`, "false"},
		{"maybe", `null`, "nil"},
		{"maybe", `[]`, "! f must be true or false, not an array"},
		{"number", `-1.5e1`, "-15"},
		{"number", `null`, "nil"},
		{"number", `"1"`, "! f must be a number, not a string"},
		{"number", `NaN`, "! f is a number that cannot be read: it is no valid JSON"},
		{"int", `9007199254740993`, "9007199254740993"},
		{"int", `5.0`, "5"},
		{"int", `5.5`, "! f must be a whole number, not 5.5"},
		{"int", `1e300`, "! f must be a whole number, not 1e300"},
		{"int", `{}`, "! f must be a number, not an object"},
		{"count", `0`, "0"},
		{"count", `null`, "nil"},
		{"count", `-1`, "! f must be a whole number from 0 to 2147483647, not -1"},
		{"count", `3e9`, "! f must be a whole number from 0 to 2147483647, not 3e9"},
		{"count", `true`, "! f must be a number, not a boolean"},
	} {
		got, err := readers[c.reader]([]byte(c.in))
		if err != nil {
			got = "! " + err.Message
			if err.Param != "f" {
				t.Errorf("%s %s: the error is of %q", c.reader, c.in, err.Param)
			}
		}
		if got != c.want {
			t.Errorf("%s %s: %v, want %s", c.reader, c.in, got, c.want)
		}
	}
}

func show[T any](v T, err *llm.Error) (any, *llm.Error) { return fmt.Sprint(v), err }

func shown[T any](v *T, err *llm.Error) (any, *llm.Error) {
	if v == nil {
		return "nil", err
	}
	return show(*v, err)
}

// Objects and arrays are visited in order, up to what is bad, which is named
// as the client would.
func TestVisits(t *testing.T) {
	var seen []string
	note := func(key string, v []byte) *llm.Error {
		seen = append(seen, key+"="+string(v))
		if string(v) == "0" {
			return llm.Invalid(key, "bad")
		}
		return nil
	}
	type visitor = func(string, []byte, func(string, []byte) *llm.Error) *llm.Error
	for _, c := range []struct {
		visit      visitor
		in         string
		seen, want string
	}{
		{Object, `{"a":1,"\u0062":[2]}`, "a=1 b=[2]", ""},
		{Object, `{"a":0,"b":1}`, "a=0", "bad"},
		{Object, `[1]`, "", "f must be an object, not an array"},
		{Object, `{"a":1`, "a=1", "f is an object that cannot be read: it is no valid JSON"},
		{Object, ``, "", "f must be an object, not missing"},
		{Array, `[1, "x"]`, `f[0]=1 f[1]="x"`, ""},
		{Array, `[1,0,2]`, `f[0]=1 f[1]=0`, "bad"},
		{Array, `null`, "", ""},
		{Array, `{}`, "", "f must be an array, not an object"},
		{DottedArray, `[1,2]`, `f.0=1 f.1=2`, ""},
	} {
		seen = nil
		said := ""
		if err := c.visit("f", []byte(c.in), note); err != nil {
			said = err.Message
		}
		if got := strings.Join(seen, " "); got != c.seen || said != c.want {
			t.Errorf("%s: saw %s, said %q; want %s, %q", c.in, got, said, c.seen, c.want)
		}
	}
	if v := Of([]byte(`{"a":1,"b":2,"a":3}`), "a"); string(v) != "3" {
		t.Errorf("the last a is %s", v)
	}
	if v := Of([]byte(`[1]`), "a"); v != nil {
		t.Errorf("an array has a field: %s", v)
	}
}
