package gemini_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// TestSchema covers E5, E6, A17 and A18.
func TestSchema(t *testing.T) {
	for _, tt := range []struct{ name, in, want, lost string }{
		{"E6 none", ``, `{"type":"object","properties":{}}`, ""},
		{"E6 null", `null`, `{"type":"object","properties":{}}`, ""},
		{"E6 empty", `{ }`, `{"type":"object","properties":{}}`, ""},
		{"E6 only notes", `{"$schema":"x"}`, `{"type":"object"}`, ""},
		{"an object", `{"type":"object"}`, `{"type":"object"}`, ""},
		{"no type", `{"properties":{"a":{}}}`, `{"type":"object","properties":{"a":{}}}`, ""},
		{"A18 a root anyOf", `{"anyOf":[{"type":"object"},{"const":1}]}`, `{"anyOf":[{"type":"object"},{"enum":[1]}]}`, ""},
		{"A17 the order stays", `{"required":["b"],"type":"object","properties":{"b":{"pattern":"^a"},"a":{"default":null}}}`, `{"required":["b"],"type":"object","properties":{"b":{"pattern":"^a"},"a":{"default":null}}}`, ""},
		{
			"E5 a property called properties", `{"type":"object","properties":{"properties":{"type":"object","properties":{"const":{"const":"x"},"$schema":{"type":"string"}}}}}`,
			`{"type":"object","properties":{"properties":{"type":"object","properties":{"const":{"enum":["x"]},"$schema":{"type":"string"}}}}}`, "",
		},
		{"data stays", `{"type":"object","default":{"const":1,"$schema":2},"enum":[{"examples":1}],"required":["const"]}`, `{"type":"object","default":{"const":1,"$schema":2},"enum":[{"examples":1}],"required":["const"]}`, ""},
		{
			"notes go", `{"$schema":"x","type":"object","properties":{"a":{"type":"string","examples":["b"],"$comment":"c"}}}`,
			`{"type":"object","properties":{"a":{"type":"string"}}}`, "",
		},
		{"an integer's exclusive bounds", `{"type":"object","properties":{"a":{"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10}}}`, `{"type":"object","properties":{"a":{"type":"integer","minimum":1,"maximum":9}}}`, ""},
		{"a number's", `{"type":"object","items":[{"exclusiveMinimum":0.5,"type":"number"}]}`, `{"type":"object","items":[{"minimum":0.5,"type":"number"}]}`, "tools: a schema's exclusive bound, sent as an inclusive one"},
		{"two minima", `{"type":"object","not":{"type":"integer","minimum":5,"exclusiveMinimum":7}}`, `{"type":"object","not":{"type":"integer","minimum":5}}`, "tools: a schema's exclusiveMinimum"},
		{"an old draft's", `{"type":"object","not":{"minimum":5,"exclusiveMinimum":true}}`, `{"type":"object","not":{"minimum":5}}`, ""},
		{"lists and true", `{"type":"object","allOf":[{"const":"a","enum":["a"]},true],"additionalProperties":false,"$defs":{"x":{"const":null},"y":true}}`, `{"type":"object","allOf":[{"enum":["a"]},true],"additionalProperties":false,"$defs":{"x":{"enum":[null]},"y":true}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := model()
			b, err := out.EncodeRequest(c, &llm.Prompt{Messages: []llm.Message{user("hi")}, Tools: []llm.Tool{{Name: "f", Schema: json.RawMessage(tt.in)}}})
			if err != nil {
				t.Fatal(err)
			}
			var v struct {
				Tools []struct {
					FunctionDeclarations []struct{ ParametersJSONSchema json.RawMessage }
				}
			}
			if err := json.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			if got := string(v.Tools[0].FunctionDeclarations[0].ParametersJSONSchema); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if strings.Join(c.Lost, "|") != tt.lost {
				t.Errorf("lost %q, want %q", c.Lost, tt.lost)
			}
		})
	}
	for _, s := range []string{`[]`, `"x"`, `{"a":`, `true`, `{} {}`} {
		_, err := out.EncodeRequest(model(), &llm.Prompt{Messages: []llm.Message{user("hi")}, Tools: []llm.Tool{{Name: "f", Schema: json.RawMessage(s)}}})
		if e := llm.AsError(err); err == nil || e.Kind != llm.BadRequest || e.Param != "tools" {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestTools(t *testing.T) {
	tools := []llm.Tool{{Name: "f"}, {Name: "g"}}
	choose := func(m llm.ChoiceMode, name string) llm.Prompt {
		return llm.Prompt{Messages: []llm.Message{user("hi")}, Tools: tools, Choice: llm.Choice{Mode: m, Name: name}}
	}
	mode := []any{"toolConfig", "functionCallingConfig"}
	runTurns(t, []turn{
		{name: "unset", p: choose(llm.ChooseUnset, ""), path: mode, want: "none"},
		{name: "auto", p: choose(llm.ChooseAuto, ""), path: mode, want: `{"mode":"AUTO"}`},
		{name: "none", p: choose(llm.ChooseNone, ""), path: mode, want: `{"mode":"NONE"}`},
		{name: "any", p: choose(llm.ChooseAny, ""), path: mode, want: `{"mode":"ANY"}`},
		{name: "named", p: choose(llm.ChooseNamed, "g"), path: mode, want: `{"allowedFunctionNames":["g"],"mode":"ANY"}`},
		{name: "A26 named, but gone", p: choose(llm.ChooseNamed, "h"), path: mode, want: "none", lost: []string{"tool_choice: there is no tool called h"}},
		{
			name: "A26 all gone", p: llm.Prompt{Messages: []llm.Message{user("hi")}, Choice: llm.Choice{Mode: llm.ChooseAny}}, path: mode, want: "none",
			lost: []string{"tool_choice: there are no tools"},
		},
		{name: "E11 one Tool object", p: choose(llm.ChooseUnset, ""), path: []any{"tools", 1}, want: "none"},
		{
			name: "C15 the same tool twice", p: llm.Prompt{Messages: []llm.Message{user("hi")}, Tools: []llm.Tool{{Name: "f"}, {Name: "f"}}},
			path: []any{"tools", 0, "functionDeclarations"}, want: `[{"name":"f","parametersJsonSchema":{"properties":{},"type":"object"}}]`,
		},
		{
			name: "one call at most", p: llm.Prompt{Messages: []llm.Message{user("hi")}, Tools: tools, Choice: llm.Choice{Parallel: ptr(false)}}, path: mode, want: "none",
			lost: []string{"parallel_tool_calls: Google cannot be held to one call"},
		},
		{name: "no tools wanted of a model without", flags: []string{llm.FlagNoTools}, p: choose(llm.ChooseNone, ""), path: []any{"tools"}, want: "none", lost: []string{"tools: this model calls none"}},
	})
	auto := choose(llm.ChooseAuto, "")
	if _, err := out.EncodeRequest(model(llm.FlagNoTools), &auto); err == nil || llm.AsError(err).Param != "tools" {
		t.Errorf("tools for a model without: %v", err)
	}
	two := llm.Prompt{Tools: []llm.Tool{{Name: "f"}, {Name: "f", Description: "x"}}} // C15
	if _, err := out.EncodeRequest(model(), &two); err == nil || llm.AsError(err).Param != "tools" {
		t.Errorf("two of a name: %v", err)
	}
}

// TestNames covers E17: names are changed on the way out, told apart, and
// changed back.
func TestNames(t *testing.T) {
	long := strings.Repeat("x", 70)
	p := &llm.Prompt{
		Tools: []llm.Tool{{Name: "a.b"}, {Name: "a/b"}, {Name: "a_b"}, {Name: "a b"}, {Name: "3d"}, {Name: long}, {Name: long + "y"}, {Name: "ünï"}, {Name: "-"}},
		Messages: []llm.Message{
			user("hi"),
			{Role: llm.Assistant, Blocks: []llm.Block{{Kind: llm.ToolCall, ID: "1", Name: "a/b"}, {Kind: llm.ToolCall, ID: "2", Name: "gone:x"}}},
			{Role: llm.User, Blocks: []llm.Block{{Kind: llm.ToolResult, ID: "1"}, {Kind: llm.ToolResult, ID: "2"}}},
		},
		Choice: llm.Choice{Mode: llm.ChooseNamed, Name: "a b"},
	}
	c := model()
	v := encode(t, c, p)
	want := map[string]string{
		"a_b_2": "a.b", "a_b_3": "a/b", "a_b_4": "a b", "_3d": "3d", long[:64]: long, long[:62] + "_2": long + "y", "__n__": "ünï", "_-": "-", "gone_x": "gone:x",
	}
	if !maps.Equal(c.Tools, want) {
		t.Errorf("got  %q\nwant %q", c.Tools, want)
	}
	if got := at(v, "contents", 1, "parts", 0, "functionCall", "name") + at(v, "contents", 2, "parts", 0, "functionResponse", "name") + at(v, "contents", 2, "parts", 1, "functionResponse", "name") +
		at(v, "toolConfig", "functionCallingConfig", "allowedFunctionNames") + at(v, "tools", 0, "functionDeclarations", 2, "name"); got != `"a_b_3""a_b_3""gone_x"["a_b_4"]"a_b"` {
		t.Error(got)
	}
	if len(c.Lost) != 4 || !strings.HasPrefix(c.Lost[0], `tools: "a.b" and "a_b" are alike`) {
		t.Errorf("clashes told: %q", c.Lost)
	}
	s := readString(t, c, `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a_b_3"}},{"functionCall":{"name":"a_b"}}]},"finishReason":"STOP"}]}`)
	if len(s.calls) != 2 || s.calls[0].Name != "a/b" || s.calls[1].Name != "a_b" {
		t.Errorf("restored %+v", s.calls)
	}
	if encode(t, c, &llm.Prompt{Tools: []llm.Tool{{Name: "ok-1_Z"}}}); c.Tools != nil {
		t.Errorf("nothing changed, but %q", c.Tools)
	}
}
