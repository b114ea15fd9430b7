package ollama_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ollama/ollama/api"

	"keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

func TestTools(t *testing.T) {
	two := []llm.Tool{{Name: "a", Description: "d", Schema: json.RawMessage(`{"type":"object","properties":{}}`), Strict: ptr(true), Cache: "5m"}, {Name: "b"}}
	for _, c := range []struct {
		name   string
		flags  llm.Flags
		choice llm.Choice
		want   string // the names offered
		lost   string
	}{
		{"unset", nil, llm.Choice{}, "a b", "tools: strict, cache_control"},
		{"none", nil, llm.Choice{Mode: llm.ChooseNone}, "", ""},
		{"any", nil, llm.Choice{Mode: llm.ChooseAny}, "a b", "tool_choice: Ollama cannot force a call, tools: strict, cache_control"},
		{"named", nil, llm.Choice{Mode: llm.ChooseNamed, Name: "b"}, "b", "tool_choice: Ollama cannot force a call"},
		{"named, unknown", nil, llm.Choice{Mode: llm.ChooseNamed, Name: "c"}, "a b", "tool_choice: Ollama cannot force a call, tools: strict, cache_control"},
		{"one at a time", nil, llm.Choice{Parallel: ptr(false)}, "a b", "parallel_tool_calls: Ollama cannot be held to one call, tools: strict, cache_control"},
		{"a model without tools", llm.Flags{llm.FlagNoTools}, llm.Choice{Mode: llm.ChooseAuto}, "", "tools: this model takes none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := model(c.flags...)
			v := encode(t, call, &llm.Prompt{Messages: []llm.Message{user("q")}, Tools: two, Choice: c.choice})
			var names []string
			list, _ := v["tools"].([]any)
			for i := range list {
				names = append(names, strings.Trim(at(list, i, "function", "name"), `"`))
			}
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("offered %q, want %q", got, c.want)
			}
			if got := strings.Join(call.Lost, ", "); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
		})
	}
}

// TestParameters holds that every schema is one that the server can read. A17, A18.
func TestParameters(t *testing.T) {
	const lost = "tools: the parameters of f were simplified"
	for _, c := range []struct{ name, schema, want, lost string }{
		{"A17 key order and unknown keys stay", `{"required":["z"],"type":"object","properties":{"z":{"type":"string","minLength":1},"a":{"type":["integer","null"]}},"additionalProperties":false}`, "", ""},
		{"none", ``, `{"type":"object","properties":{}}`, ""},
		{"null", `null`, `{"type":"object","properties":{}}`, ""},
		{"empty", `{}`, `{"properties":{},"type":"object"}`, ""},
		{"no properties", `{"type":"object","additionalProperties":false}`, `{"additionalProperties":false,"properties":{},"type":"object"}`, ""},
		{"a property that is anything", `{"type":"object","properties":{"x":true,"y":{"type":"string"}}}`, `{"properties":{"x":{},"y":{"type":"string"}},"type":"object"}`, lost},
		{"types at the root", `{"type":["object","null"],"properties":{"x":{"enum":"a"}}}`, `{"properties":{"x":{}},"type":"object"}`, lost},
		{"A18 alternatives at the root", `{"anyOf":[{"properties":{"x":{"type":"string"}}},{"properties":{"x":{"type":"integer"},"y":false}}]}`, `{"anyOf":[{"properties":{"x":{"type":"string"}}},{"properties":{"x":{"type":"integer"},"y":false}}],"properties":{"x":{"type":"string"},"y":{}},"type":"object"}`, lost},
		{"deep", `{"type":"object","required":[1],"properties":{"x":{"type":{},"description":7,"anyOf":[true,{"type":"null"}],"properties":{"z":false}},"w":{"anyOf":1,"properties":[]}}}`, `{"properties":{"w":{},"x":{"anyOf":[{},{"type":"null"}],"properties":{"z":{}}}},"type":"object"}`, lost},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := model()
			b, err := out.EncodeRequest(call, &llm.Prompt{Messages: []llm.Message{user("q")}, Tools: []llm.Tool{{Name: "f", Schema: json.RawMessage(c.schema)}}})
			if err != nil {
				t.Fatal(err)
			}
			want := c.want
			if want == "" {
				want = c.schema
			}
			if !strings.Contains(string(b), `"parameters":`+want+`}`) {
				t.Errorf("%s\nwant parameters %s", b, want)
			}
			if got := strings.Join(call.Lost, ", "); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
			var r api.ChatRequest
			if err := json.Unmarshal(b, &r); err != nil {
				t.Errorf("the server refuses it: %v", err)
			}
		})
	}
}

// TestThink asks for no more thought than the server allows. H11.
func TestThink(t *testing.T) {
	effort := func(s string) llm.Reasoning { return llm.Reasoning{Effort: s} }
	budget := func(n int) llm.Reasoning { return llm.Reasoning{Budget: &n} }
	thinks, levels := llm.Flags{llm.FlagReasoning}, llm.Flags{llm.FlagReasoning, llm.FlagThinkingLevel, llm.FlagNoThinkingOff}
	never := llm.Flags{llm.FlagNoReasoning}
	const onOff = ": thinking is merely on or off in this model"
	for _, c := range []struct {
		name  string
		flags llm.Flags
		ask   llm.Reasoning
		want  string
		lost  string
	}{
		{"nothing", thinks, llm.Reasoning{}, "none", ""},
		{"H11 a model that cannot", never, effort("high"), "none", "reasoning_effort: this model does not think"},
		{"H11 by budget", never, budget(1000), "none", "reasoning_effort: this model does not think"},
		{"H11 none of a model that cannot", never, effort("none"), "none", ""},
		{"H11 a model that nothing is known of", nil, effort("high"), "none", "reasoning_effort: high" + onOff},
		{"off, for a model that nothing is known of", nil, effort("none"), "false", ""},
		{"on", thinks, effort("low"), "true", "reasoning_effort: low" + onOff},
		{"off", thinks, effort("None"), "false", ""},
		{"off by budget", thinks, budget(0), "false", ""},
		{"as the model likes", thinks, budget(-1), "true", ""},
		{"on by budget", thinks, budget(4000), "true", "thinking budget" + onOff},
		{"a level", levels, effort("medium"), `"medium"`, ""},
		{"the least", levels, effort("none"), `"low"`, "reasoning_effort: this model thinks always; it was given the least"},
		{"minimal", levels, effort("minimal"), `"low"`, "reasoning_effort: minimal went as low"},
		{"xhigh", levels, effort("xhigh"), `"high"`, "reasoning_effort: xhigh went as high"},
		{"unknown", levels, effort("some"), "true", "reasoning_effort: some is unknown; the model decides"},
		{"a budget as a level", levels, budget(5000), `"medium"`, "thinking budget: this model takes levels; the nearest was sent"},
		{"a level as the model likes", levels, budget(-1), "true", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := model(c.flags...)
			v := encode(t, call, &llm.Prompt{Messages: []llm.Message{user("q")}, Reasoning: c.ask})
			if got := at(v, "think"); got != c.want {
				t.Errorf("think %s, want %s", got, c.want)
			}
			if got := strings.Join(call.Lost, ", "); got != c.lost {
				t.Errorf("lost %q, want %q", got, c.lost)
			}
		})
	}
}

// C15: a tool that is there twice is sent once, and two of one name are refused.
func TestToolsOfOneName(t *testing.T) {
	twice := []llm.Tool{{Name: "a", Schema: json.RawMessage(`{"properties":{}}`)}, {Name: "b"}, {Name: "a", Schema: json.RawMessage(`{"properties":{}}`)}}
	v := encode(t, model(), &llm.Prompt{Messages: []llm.Message{user("q")}, Tools: twice})
	if list, _ := v["tools"].([]any); len(list) != 2 {
		t.Errorf("sent %v", list)
	}
	twice[2].Description = "another"
	_, err := ollama.Dialect{}.EncodeRequest(model(), &llm.Prompt{Messages: []llm.Message{user("q")}, Tools: twice})
	if e := llm.AsError(err); err == nil || e.Kind != llm.BadRequest || e.Param != "tools" || !strings.Contains(e.Message, `"a"`) {
		t.Errorf("two different tools of one name: %v", err)
	}
}
