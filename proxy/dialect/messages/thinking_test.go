package messages

import (
	"encoding/json"
	"slices"
	"testing"

	"keytray/proxy/dialect/schemas"
	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

func TestThinking(t *testing.T) {
	budget := llm.Flags{llm.FlagThinkingBudget}
	adaptive := llm.Flags{llm.FlagThinkingAdaptive}
	always := llm.Flags{llm.FlagThinkingAdaptive, llm.FlagNoThinkingOff}
	forced := func(p *llm.Prompt) {
		p.Tools, p.Choice.Mode = []llm.Tool{fn("f", noProps)}, llm.ChooseAny
	}
	signed := llm.Block{Kind: llm.Thinking, Text: "t", Opaque: "s", Origin: name}
	for _, c := range []struct {
		name      string
		flags     llm.Flags
		maxOutput int
		maxTokens int // 0: not asked
		effort    string
		budget    *int
		change    func(p *llm.Prompt)
		thinking  string
		config    string
		tokens    string
		lost      []string
	}{
		{name: "nothing asked", flags: adaptive, tokens: "8192"},
		{name: "adaptive", flags: adaptive, effort: "high", thinking: `{"type":"adaptive","display":"summarized"}`, config: `{"effort":"high"}`, tokens: "8192"},
		{name: "unknown models are taken for new ones", effort: "max", thinking: `{"type":"adaptive","display":"summarized"}`, config: `{"effort":"max"}`, tokens: "8192"},
		{name: "minimal", flags: adaptive, effort: "minimal", thinking: `{"type":"adaptive","display":"summarized"}`, config: `{"effort":"low"}`, tokens: "8192", lost: []string{"reasoning_effort: minimal went as low"}},
		{name: "xhigh where there is none", flags: append(llm.Flags{llm.FlagNoXHigh}, adaptive...), effort: "xhigh", thinking: `{"type":"adaptive","display":"summarized"}`, config: `{"effort":"high"}`, tokens: "8192", lost: []string{"reasoning_effort: xhigh went as high"}},
		{name: "an effort yet to come", flags: adaptive, effort: "ultra", thinking: `{"type":"adaptive","display":"summarized"}`, tokens: "8192", lost: []string{"reasoning_effort: ultra is unknown; the model decides"}},
		{name: "a budget for an adaptive model", flags: adaptive, budget: ptr(5000), thinking: `{"type":"adaptive","display":"summarized"}`, config: `{"effort":"medium"}`, tokens: "8192", lost: []string{"thinking budget: this model takes an effort; the nearest was sent"}},
		{name: "as the model likes", flags: adaptive, budget: ptr(-1), thinking: `{"type":"adaptive","display":"summarized"}`, tokens: "8192"},
		{name: "none", flags: adaptive, effort: "none", thinking: `{"type":"disabled"}`, tokens: "8192"},
		{name: "budget 0", flags: budget, budget: ptr(0), thinking: `{"type":"disabled"}`, tokens: "8192"},
		{name: "none where thinking is always on", flags: always, effort: "none", config: `{"effort":"low"}`, tokens: "8192", lost: []string{"reasoning_effort: this model thinks always; it was given the least"}},
		{name: "a model that does not think", flags: llm.Flags{llm.FlagNoReasoning}, effort: "low", tokens: "8192", lost: []string{"reasoning_effort: this model does not think"}},
		{name: "none for a model that does not think", flags: llm.Flags{llm.FlagNoReasoning}, effort: "none", tokens: "8192"},

		{name: "a budget from an effort, no limit known", flags: budget, effort: "high", thinking: `{"type":"enabled","budget_tokens":16384}`, tokens: "24576"},
		{name: "a budget from an effort, the model's limit", flags: budget, maxOutput: 64000, effort: "max", thinking: `{"type":"enabled","budget_tokens":51200}`, tokens: "64000"},
		{name: "a budget inside the client's limit", flags: budget, maxTokens: 3000, effort: "medium", thinking: `{"type":"enabled","budget_tokens":2400}`, tokens: "3000"},
		{name: "a small limit", flags: budget, maxTokens: 1280, effort: "medium", thinking: `{"type":"enabled","budget_tokens":1024}`, tokens: "1280"},
		{name: "no room", flags: budget, maxTokens: 1279, effort: "medium", tokens: "1279", lost: []string{"reasoning_effort: no thinking, max_tokens leaves no room for it"}},
		{name: "a budget as asked", flags: budget, maxTokens: 9000, budget: ptr(2000), thinking: `{"type":"enabled","budget_tokens":2000}`, tokens: "9000"},
		{name: "a budget too large", flags: budget, maxTokens: 5000, budget: ptr(5000), thinking: `{"type":"enabled","budget_tokens":4000}`, tokens: "5000", lost: []string{"thinking budget: 4000 tokens, as max_tokens allows"}},
		{name: "a budget too small", flags: budget, maxTokens: 5000, budget: ptr(1), thinking: `{"type":"enabled","budget_tokens":1024}`, tokens: "5000", lost: []string{"thinking budget: 1024 tokens, as max_tokens allows"}},

		{name: "a forced tool, adaptive", flags: adaptive, effort: "high", change: forced, thinking: `{"type":"disabled"}`, config: `{"effort":"high"}`, tokens: "8192", lost: []string{"reasoning_effort: no thinking while a tool must be called"}},
		{name: "a forced tool, always on", flags: always, effort: "high", change: forced, config: `{"effort":"high"}`, tokens: "8192", lost: []string{"reasoning_effort: no thinking while a tool must be called"}},
		{name: "a forced tool, budget", flags: budget, effort: "high", change: forced, tokens: "8192", lost: []string{"reasoning_effort: no thinking while a tool must be called"}},
		{name: "prefill", flags: budget, effort: "low", change: func(p *llm.Prompt) { p.Messages = append(p.Messages, says(txt("So"))) }, tokens: "8192", lost: []string{"reasoning_effort: no thinking when the answer is begun by the client"}},
		{name: "calls without their thinking", flags: budget, effort: "low", change: func(p *llm.Prompt) {
			p.Messages = append(p.Messages, says(calls("a", "f", "{}")), user(result("a")))
		}, tokens: "8192", lost: []string{"reasoning_effort: no thinking in the middle of tool calls whose own thinking is not at hand"}},
		{name: "calls with their thinking", flags: budget, effort: "low", change: func(p *llm.Prompt) {
			p.Messages = append(p.Messages, says(signed, calls("a", "f", "{}")), user(result("a")))
		}, thinking: `{"type":"enabled","budget_tokens":4096}`, tokens: "12288"},
		{name: "calls without their thinking, adaptive", flags: adaptive, effort: "low", change: func(p *llm.Prompt) {
			p.Messages = append(p.Messages, says(calls("a", "f", "{}")), user(result("a")))
		}, thinking: `{"type":"adaptive","display":"summarized"}`, config: `{"effort":"low"}`, tokens: "8192"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := prompt(user(txt("hi")))
			p.Reasoning = llm.Reasoning{Effort: c.effort, Budget: c.budget}
			if c.maxTokens > 0 {
				p.Limits.MaxTokens = &c.maxTokens
			}
			if c.change != nil {
				c.change(p)
			}
			call := &llm.Call{Model: llm.Model{Name: "m", MaxOutput: c.maxOutput, Flags: c.flags}}
			body, err := Dialect{}.EncodeRequest(call, p)
			if err != nil {
				t.Fatal(err)
			}
			part(t, body, "thinking", c.thinking)
			part(t, body, "output_config", c.config)
			part(t, body, "max_tokens", c.tokens)
			if !slices.Equal(call.Lost, c.lost) {
				t.Errorf("lost %q, want %q", call.Lost, c.lost)
			}
		})
	}
}

func TestFormat(t *testing.T) { // A22
	native := llm.Flags{llm.FlagJSONSchema}
	const closed = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	const open = `{"type":"object","properties":{"a":{"type":"object"}}}`
	tools := func(mode llm.ChoiceMode) func(p *llm.Prompt) {
		return func(p *llm.Prompt) {
			p.Tools, p.Choice = []llm.Tool{fn("person", noProps)}, llm.Choice{Mode: mode, Name: "person"}
		}
	}
	const answer = `"description":"` + turns.JSONTool + `","input_schema":` + closed + `}`
	for _, c := range []struct {
		name   string
		flags  llm.Flags
		schema string
		change func(p *llm.Prompt)
		config string
		tools  string
		choice string
		tool   string
		lost   []string
	}{
		{name: "native", flags: native, schema: closed, config: `{"format":{"type":"json_schema","schema":` + closed + `}}`},
		{
			name: "native, objects closed and constraints told", flags: native,
			schema: `{"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"d"},"s":{"oneOf":[{"type":"string","format":"uuid"},{"type":"string","pattern":"a"}]}}}`,
			config: `{"format":{"type":"json_schema","schema":{"type":"object","properties":{"n":{"type":"integer","description":"d {minimum: 1}"},"s":{"anyOf":[{"type":"string","format":"uuid"},{"type":"string","description":"{pattern: \"a\"}"}]}},"additionalProperties":false}}}`,
			lost:   []string{"response_format: minimum, oneOf, pattern are only told to the model"},
		},
		{name: "native cannot hold it", flags: native, schema: open, tools: `[{"name":"person","description":"` + turns.JSONTool + `","input_schema":` + open + `}]`, choice: `{"type":"tool","name":"person","disable_parallel_tool_use":true}`, tool: "person"},
		{name: "a tool in its place", schema: closed, tools: `[{"name":"person",` + answer + `]`, choice: `{"type":"tool","name":"person","disable_parallel_tool_use":true}`, tool: "person"},
		{name: "beside tools", schema: closed, change: tools(llm.ChooseAuto), tools: `[{"name":"person","input_schema":` + noProps + `},{"name":"person_2",` + answer + `]`, choice: `{"type":"any"}`, tool: "person_2"},
		{name: "beside tools that must not be called", schema: closed, change: tools(llm.ChooseNone), tools: `[{"name":"person","input_schema":` + noProps + `},{"name":"person_2",` + answer + `]`, choice: `{"type":"tool","name":"person_2","disable_parallel_tool_use":true}`, tool: "person_2"},
		{name: "beside a tool that must be called", schema: closed, change: tools(llm.ChooseNamed), tools: `[{"name":"person","input_schema":` + noProps + `}]`, choice: `{"type":"tool","name":"person"}`, lost: []string{"response_format: not held while a tool must be called"}},
		{name: "after tools", schema: closed, change: func(p *llm.Prompt) {
			p.Messages = append(p.Messages, says(calls("a", "f", "{}")), user(result("a")))
		}, tools: `[{"name":"f","input_schema":` + noProps + `},{"name":"person",` + answer + `]`, choice: `{"type":"tool","name":"person","disable_parallel_tool_use":true}`, tool: "person"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := prompt(user(txt("hi")))
			p.Format = llm.Format{Kind: llm.FormatSchema, Name: "person", Schema: json.RawMessage(c.schema)}
			if c.change != nil {
				c.change(p)
			}
			call := &llm.Call{Model: llm.Model{Name: "m", Flags: c.flags}}
			body, err := Dialect{}.EncodeRequest(call, p)
			if err != nil {
				t.Fatal(err)
			}
			part(t, body, "output_config", c.config)
			part(t, body, "tools", c.tools)
			part(t, body, "tool_choice", c.choice)
			if call.FormatTool != c.tool || !slices.Equal(call.Lost, c.lost) {
				t.Errorf("tool %q, want %q; lost %q, want %q", call.FormatTool, c.tool, call.Lost, c.lost)
			}
		})
	}
}

func TestGrammarRefuses(t *testing.T) {
	for _, s := range []string{
		`{"type":"object","properties":{"a":true},"additionalProperties":false}`,
		`{"type":"object","additionalProperties":{"type":"string"}}`,
		`{"type":"object"}`,
		`{"$defs":{"A":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}},"$ref":"#/$defs/A"}`,
		`{"$defs":{"A":{"anyOf":[{"$ref":"#/$defs/B"}]},"B":{"$ref":"#/$defs/A"}},"$ref":"#/$defs/A"}`,
		`{"type":"object","properties":{"a":{"$ref":"#"}}}`,
		`{"type":"object","properties":{"a":{"$ref":"https://x.test/s.json"}}}`,
		`{"type":"object","properties":{"a":{"not":{}}}}`,
		`[]`, ``, `{`,
	} {
		if g, err := schemas.NewGrammar([]byte(s)); err == nil {
			t.Errorf("%s became %s", s, g.Out)
		}
	}
	same := ` {"type":"object","properties":{"a":{"$ref":"#/$defs/A"},"b":{"type":"array","items":{"$ref":"#/$defs/A"},"minItems":1}},"additionalProperties":false,"$defs":{"A":{"type":"string","enum":["x"]}}} `
	if g, err := schemas.NewGrammar([]byte(same)); err != nil || g.Changed || string(g.Out) != same[1:len(same)-1] {
		t.Errorf("%v %+v", err, g)
	}
}
