package gemini_test

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func ptr[T any](v T) *T { return &v }

const skip = `"thoughtSignature":"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="`

func TestURL(t *testing.T) {
	const base = "https://generativelanguage.googleapis.com/v1beta"
	for name, want := range map[string]string{
		"gemini-2.5-pro":        "/models/gemini-2.5-pro:generateContent",
		"models/gemini-2.5-pro": "/models/gemini-2.5-pro:generateContent",
		"tunedModels/mine":      "/tunedModels/mine:generateContent",
		"endpoints/123":         "/endpoints/123:generateContent",
		"google/gemini":         "/models/google/gemini:generateContent",
		"a b?key=c#d":           "/models/a%20b%3Fkey=c%23d:generateContent",
		"x:countTokens":         "/models/x%3AcountTokens:generateContent",
		"../../v1/files":        "/models/%2E%2E/%2E%2E/v1/files:generateContent",
		"日本":                    "/models/%E6%97%A5%E6%9C%AC:generateContent",
	} {
		c := &llm.Call{Model: llm.Model{Name: name}}
		if got := out.URL(c, base); got != base+want {
			t.Errorf("%s: %s, want %s", name, got, base+want)
		}
		c.Stream = true
		if got := out.URL(c, base); got != base+strings.Replace(want, ":generateContent", ":streamGenerateContent?alt=sse", 1) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestPatchLeavesTheBodyAlone(t *testing.T) {
	raw := []byte(` {"contents":[], "x" : 1} `)
	got, err := out.Patch(model(), &llm.Request{Raw: raw})
	if err != nil || len(got) != 1 || &got[0][0] != &raw[0] || len(got[0]) != len(raw) {
		t.Errorf("%q, %v", got, err)
	}
}

// turn says which part of the request is looked at.
type turn struct {
	name  string
	flags []string
	p     llm.Prompt
	path  []any
	want  string
	lost  []string
}

func runTurns(t *testing.T, tests []turn) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := model(tt.flags...)
			if got := at(encode(t, c, &tt.p), tt.path...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if strings.Join(c.Lost, "\n") != strings.Join(tt.lost, "\n") {
				t.Errorf("lost %q, want %q", c.Lost, tt.lost)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	config := []any{"generationConfig"}
	one := []llm.Message{user("hi")}
	zero := llm.Limits{Temperature: ptr(0.0), TopP: ptr(0.0), TopK: ptr(0)}
	penalties := llm.Limits{FrequencyPenalty: ptr(0.5), PresencePenalty: ptr(0.0)}
	runTurns(t, []turn{
		{name: "nothing said", p: llm.Prompt{Messages: one}, path: config, want: "none"},
		{name: "A25 zeros are kept", p: llm.Prompt{Messages: one, Limits: zero}, path: config, want: `{"temperature":0,"topK":0,"topP":0}`},
		{
			name: "A24 a model without sampling", flags: []string{llm.FlagNoSampling}, p: llm.Prompt{Messages: one, Limits: zero}, path: config, want: "none",
			lost: []string{"temperature: this model takes none", "top_p: this model takes none", "top_k: this model takes none"},
		},
		{name: "penalties", p: llm.Prompt{Messages: one, Limits: penalties}, path: config, want: `{"frequencyPenalty":0.5,"presencePenalty":0}`},
		{
			name: "a model without penalties", flags: []string{llm.FlagNoPenalties}, p: llm.Prompt{Messages: one, Limits: penalties}, path: config, want: "none",
			lost: []string{"frequency_penalty: this model takes none", "presence_penalty: this model takes none"},
		},
		{
			name: "five stops", p: llm.Prompt{Messages: one, Limits: llm.Limits{Stop: []string{"a", "", "b", "c", "d", "e", "f"}}}, path: config,
			want: `{"stopSequences":["a","b","c","d","e"]}`, lost: []string{"stop: only the first 5 sequences are taken"},
		},
		{name: "seed", p: llm.Prompt{Messages: one, Limits: llm.Limits{Seed: ptr(int64(-7))}}, path: config, want: `{"seed":-7}`},
		{
			name: "a wide seed", p: llm.Prompt{Messages: one, Limits: llm.Limits{Seed: ptr(int64(math.MaxInt32) + 2)}}, path: config,
			want: `{"seed":-2147483647}`, lost: []string{"seed: folded into 32 bits"},
		},
		{name: "user", p: llm.Prompt{Messages: one, User: "u", CacheKey: "k", Verbosity: "low", Lost: []string{"logit_bias"}}, path: config, want: "none", lost: []string{"logit_bias", "user", "prompt_cache_key", "verbosity"}},
		{name: "tier", p: llm.Prompt{Messages: one, Tier: "flex"}, path: []any{"serviceTier"}, want: `"flex"`},
		{name: "default tier", p: llm.Prompt{Messages: one, Tier: "default"}, path: []any{"serviceTier"}, want: `"standard"`},
		{name: "auto tier", p: llm.Prompt{Messages: one, Tier: "auto"}, path: []any{"serviceTier"}, want: "none"},
		{name: "no such tier", p: llm.Prompt{Messages: one, Tier: "scale"}, path: []any{"serviceTier"}, want: "none", lost: []string{"service_tier: Google has none called scale"}},
		{name: "tier at Vertex", flags: []string{llm.FlagNoTier}, p: llm.Prompt{Messages: one, Tier: "priority"}, path: []any{"serviceTier"}, want: "none", lost: []string{"service_tier"}},
	})
	c := &llm.Call{Model: llm.Model{Name: "m", MaxOutput: 100}}
	if got := at(encode(t, c, &llm.Prompt{Messages: one, Limits: llm.Limits{MaxTokens: ptr(101)}}), "generationConfig"); got != `{"maxOutputTokens":100}` || len(c.Lost) != 1 {
		t.Errorf("%s, lost %q", got, c.Lost)
	}
}

func TestFormat(t *testing.T) {
	one := []llm.Message{user("hi")}
	defs := llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(`{"$defs":{"a":{"type":"string"}},"type":"object","properties":{"x":{"$ref":"#/$defs/a"}}}`)}
	tool := []llm.Tool{{Name: "f"}}
	const words = "response_format: this model is only asked for JSON, not held to it"
	runTurns(t, []turn{
		{
			name: "E16 $defs", p: llm.Prompt{Messages: one, Format: defs}, path: []any{"generationConfig"},
			want: `{"responseJsonSchema":{"$defs":{"a":{"type":"string"}},"properties":{"x":{"$ref":"#/$defs/a"}},"type":"object"},"responseMimeType":"application/json"}`,
		},
		{name: "any JSON", p: llm.Prompt{Messages: one, Format: llm.Format{Kind: llm.FormatJSON}}, path: []any{"generationConfig"}, want: `{"responseMimeType":"application/json"}`},
		{name: "with tools", p: llm.Prompt{Messages: one, Tools: tool, Format: llm.Format{Kind: llm.FormatJSON}}, path: []any{"generationConfig"}, want: `{"responseMimeType":"application/json"}`},
		{
			name: "A22 not with tools", flags: []string{llm.FlagNoJSONWithTools}, path: []any{"systemInstruction", "parts", 1, "text"},
			p: llm.Prompt{System: []llm.Block{{Text: "s"}}, Messages: one, Tools: tool, Format: llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(`{"type":"array"}`)}}, lost: []string{words},
			want: `"Write your final answer as one JSON value and nothing else: no introduction, no Markdown fence. It must match this JSON Schema:\n{\"type\":\"array\"}"`,
		},
		{name: "A22 without tools it may", flags: []string{llm.FlagNoJSONWithTools}, p: llm.Prompt{Messages: one, Format: defs}, path: []any{"generationConfig", "responseMimeType"}, want: `"application/json"`},
		{name: "A22 no schema", flags: []string{llm.FlagNoJSONSchema}, p: llm.Prompt{Messages: one, Format: defs}, path: []any{"generationConfig"}, want: "none", lost: []string{words}},
	})
}

// TestThinking covers E22.
func TestThinking(t *testing.T) {
	level, always := []string{llm.FlagThinkingLevel}, []string{llm.FlagThinkingLevel, llm.FlagNoThinkingOff}
	budget, pro := []string{llm.FlagThinkingBudget}, []string{llm.FlagThinkingBudget, llm.FlagNoThinkingOff}
	const (
		least = "reasoning_effort: this model thinks always; it was given the least"
		near  = "thinking budget: this model takes levels; the nearest was sent"
	)
	for _, tt := range []struct {
		flags  []string
		effort string
		budget *int
		want   string
		lost   string
	}{
		{budget, "", nil, "none", ""},
		{budget, "none", nil, `{"thinkingBudget":0}`, ""},
		{budget, "minimal", nil, `{"includeThoughts":true,"thinkingBudget":512}`, ""},
		{budget, "low", nil, `{"includeThoughts":true,"thinkingBudget":1024}`, ""},
		{budget, "medium", nil, `{"includeThoughts":true,"thinkingBudget":8192}`, ""},
		{budget, "high", nil, `{"includeThoughts":true,"thinkingBudget":24576}`, ""},
		{budget, "xhigh", nil, `{"includeThoughts":true,"thinkingBudget":24576}`, "reasoning_effort: xhigh went as high"},
		{budget, "odd", nil, `{"includeThoughts":true,"thinkingBudget":-1}`, "reasoning_effort: odd is unknown; the model decides"},
		{budget, "", ptr(-1), `{"includeThoughts":true,"thinkingBudget":-1}`, ""},
		{budget, "", ptr(0), `{"thinkingBudget":0}`, ""},
		{budget, "", ptr(5000), `{"includeThoughts":true,"thinkingBudget":5000}`, ""},
		{budget, "", ptr(31999), `{"includeThoughts":true,"thinkingBudget":24576}`, "thinking budget: went as 24576 tokens"},
		{budget, "", ptr(100), `{"includeThoughts":true,"thinkingBudget":512}`, "thinking budget: went as 512 tokens"},
		{pro, "", ptr(31999), `{"includeThoughts":true,"thinkingBudget":31999}`, ""},
		{pro, "", ptr(50000), `{"includeThoughts":true,"thinkingBudget":32768}`, "thinking budget: went as 32768 tokens"},
		{pro, "none", nil, `{"thinkingBudget":128}`, least},
		{pro, "", ptr(0), `{"thinkingBudget":128}`, least},
		{nil, "low", nil, `{"includeThoughts":true,"thinkingBudget":1024}`, ""},
		{level, "none", nil, `{"thinkingLevel":"MINIMAL"}`, ""},
		{level, "minimal", nil, `{"includeThoughts":true,"thinkingLevel":"MINIMAL"}`, ""},
		{level, "low", nil, `{"includeThoughts":true,"thinkingLevel":"LOW"}`, ""},
		{level, "medium", nil, `{"includeThoughts":true,"thinkingLevel":"MEDIUM"}`, ""},
		{level, "high", nil, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, ""},
		{level, "max", nil, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, "reasoning_effort: max went as high"},
		{level, "odd", nil, `{"includeThoughts":true}`, "reasoning_effort: odd is unknown; the model decides"},
		{level, "", ptr(-1), `{"includeThoughts":true}`, ""},
		{level, "", ptr(100), `{"includeThoughts":true,"thinkingLevel":"MINIMAL"}`, near},
		{level, "", ptr(2000), `{"includeThoughts":true,"thinkingLevel":"LOW"}`, near},
		{level, "", ptr(10000), `{"includeThoughts":true,"thinkingLevel":"MEDIUM"}`, near},
		{level, "", ptr(30000), `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, near},
		{always, "none", nil, `{"thinkingLevel":"LOW"}`, least},
		{always, "minimal", nil, `{"includeThoughts":true,"thinkingLevel":"LOW"}`, "reasoning_effort: minimal went as low"},
		{[]string{llm.FlagNoReasoning}, "high", nil, "none", "reasoning_effort: this model does not think"},
		{[]string{llm.FlagNoReasoning}, "none", nil, "none", ""},
	} {
		c := model(tt.flags...)
		p := &llm.Prompt{Messages: []llm.Message{user("hi")}, Reasoning: llm.Reasoning{Effort: tt.effort, Budget: tt.budget}}
		if got := at(encode(t, c, p), "generationConfig", "thinkingConfig"); got != tt.want || strings.Join(c.Lost, "|") != tt.lost {
			t.Errorf("%v %q %v: %s, lost %q, want %s, %q", tt.flags, tt.effort, tt.budget, got, c.Lost, tt.want, tt.lost)
		}
	}
}

func TestContents(t *testing.T) {
	text := func(s string) llm.Block { return llm.Block{Text: s} }
	msg := func(r llm.Role, b ...llm.Block) llm.Message { return llm.Message{Role: r, Blocks: b} }
	call := func(id, name, args string) llm.Block {
		return llm.Block{Kind: llm.ToolCall, ID: id, Name: name, Text: args}
	}
	result := func(id, name, s string) llm.Block {
		return llm.Block{Kind: llm.ToolResult, ID: id, Name: name, Content: []llm.Block{{Text: s}}}
	}
	signed := func(b llm.Block, sign, origin string) llm.Block {
		b.Opaque, b.Origin = sign, origin
		return b
	}
	image := llm.Block{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: "QQ=="}}
	U, A, S := llm.User, llm.Assistant, llm.System
	conv := func(m ...llm.Message) llm.Prompt { return llm.Prompt{Messages: m} }
	fr := func(id, name, response string) string {
		if id != "" {
			id = `"id":"` + id + `",`
		}
		return `{"functionResponse":{` + id + `"name":"` + name + `","response":` + response + `}}`
	}
	const (
		orphan  = "messages: a tool result without its call went as text"
		dangles = "messages: a tool call without a result was given an error for one"
		reason  = "messages: earlier reasoning"
	)
	runTurns(t, []turn{
		{name: "A2 only a system", p: llm.Prompt{System: []llm.Block{text("s")}}, path: []any{"contents"}, want: `[{"parts":[{"text":""}],"role":"user"}]`},
		{
			name: "a model that takes no system", flags: []string{llm.FlagNoSystem}, path: []any{},
			p: llm.Prompt{System: []llm.Block{text("s"), text("t")}, Messages: []llm.Message{msg(U, text("a"))}}, lost: []string{"system: this model takes none; it went as the user's"},
			want: `{"contents":[{"parts":[{"text":"s"},{"text":"t"},{"text":"a"}],"role":"user"}]}`,
		},
		{
			name: "neighbours merge, empty ones go", p: conv(msg(U, text("a")), msg(A, text("")), msg(U, text(""), text("b")), msg(A, text("c")), msg(A, text("d"))),
			path: []any{"contents"}, want: `[{"parts":[{"text":"a"},{"text":"b"}],"role":"user"},{"parts":[{"text":"c"},{"text":"d"}],"role":"model"}]`,
		},
		{
			name: "C11 a system message stays in its place", p: conv(msg(U, text("a")), msg(A, text("b")), msg(S, text("c")), msg(U, text("d"))),
			path: []any{"contents", 2}, want: `{"parts":[{"text":"c"},{"text":"d"}],"role":"user"}`,
			lost: []string{"messages: a system message in mid-conversation went as the user's"},
		},
		{
			name: "E8 the name comes from the id", p: conv(msg(U, text("a")), msg(A, call("1", "f", "{}")), msg(U, result("1", "", "r"))),
			path: []any{"contents", 2, "parts", 0}, want: fr("1", "f", `{"output":"r"}`),
		},
		{
			name: "E9 same ids, first in first out", p: conv(msg(U, text("a")), msg(A, call("f", "f", `{"n":1}`), call("f", "f", `{"n":2}`), call("f", "f", `{"n":3}`)),
				msg(U, result("f", "f", "1"), result("f", "f", "2"), result("f", "f", "3"))),
			path: []any{"contents", 2, "parts"}, want: `[` + fr("f", "f", `{"output":"1"}`) + `,` + fr("f_2", "f", `{"output":"2"}`) + `,` + fr("f_3", "f", `{"output":"3"}`) + `]`,
		},
		{
			name: "E9 no ids", p: conv(msg(U, text("a")), msg(A, call("", "f", ""), call("", "g", "")), msg(U, result("", "", "1"), result("", "g", "2"))),
			path: []any{"contents", 2, "parts"}, want: `[` + fr("", "f", `{"output":"1"}`) + `,` + fr("", "g", `{"output":"2"}`) + `]`,
		},
		{
			name: "results in the order of the calls", p: conv(msg(U, text("a")), msg(A, call("1", "f", ""), call("2", "g", "")), msg(U, result("2", "", "2"), text("and"), result("1", "", "1"))),
			path: []any{"contents", 2, "parts"}, want: `[` + fr("1", "f", `{"output":"1"}`) + `,` + fr("2", "g", `{"output":"2"}`) + `,{"text":"and"}]`,
		},
		{
			name: "an object goes as it is", p: conv(msg(U, text("a")), msg(A, call("1", "f", "")), msg(U, result("1", "", ` {"b":1,"a":[2]} `))),
			path: []any{"contents", 2, "parts", 0}, want: fr("1", "f", `{"a":[2],"b":1}`),
		},
		{
			name: "a list does not", p: conv(msg(U, text("a")), msg(A, call("1", "f", "")), msg(U, result("1", "", `[1]`))),
			path: []any{"contents", 2, "parts", 0}, want: fr("1", "f", `{"output":"[1]"}`),
		},
		{
			name: "C2 a result without content", p: conv(msg(U, text("a")), msg(A, call("1", "f", "")), msg(U, llm.Block{Kind: llm.ToolResult, ID: "1"})),
			path: []any{"contents", 2, "parts", 0}, want: fr("1", "f", `{"output":""}`),
		},
		{
			name: "a failed tool", p: conv(msg(U, text("a")), msg(A, call("1", "f", "")), msg(U, llm.Block{Kind: llm.ToolResult, ID: "1", Failed: true, Content: []llm.Block{text("no"), text("way")}})),
			path: []any{"contents", 2, "parts", 0}, want: fr("1", "f", `{"error":"no\nway"}`),
		},
		{
			name: "an orphan result", p: conv(msg(U, text("a")), msg(U, result("9", "f", "r"))),
			path: []any{"contents"}, want: `[{"parts":[{"text":"a"},{"text":"Result of the tool f: r"}],"role":"user"}]`, lost: []string{orphan},
		},
		{
			name: "a call nobody answered", p: conv(msg(U, text("a")), msg(A, call("1", "f", ""), call("2", "g", "")), msg(U, result("2", "", "r"), text("go on")), msg(A, text("ok")), msg(U, text("b"))),
			path: []any{"contents", 2, "parts"}, want: `[` + fr("1", "f", `{"error":"no result"}`) + `,` + fr("2", "g", `{"output":"r"}`) + `,{"text":"go on"}]`, lost: []string{dangles},
		},
		{
			name: "a call at the end", p: conv(msg(U, text("a")), msg(A, call("1", "f", ""))),
			path: []any{"contents", 2}, want: `{"parts":[` + fr("1", "f", `{"error":"no result"}`) + `],"role":"user"}`, lost: []string{dangles},
		},
		{
			name: "A13 broken arguments", p: conv(msg(U, text("a")), msg(A, call("1", "f", `{"a":`)), msg(U, result("1", "", "r"))),
			path: []any{"contents", 1, "parts", 0, "functionCall", "args"}, want: `{}`, lost: []string{"messages: the arguments of an earlier tool call are not a JSON object"},
		},
		{
			name: "E2 the first of parallel calls gets the bypass", p: conv(msg(U, text("a")), msg(A, text("x"), call("1", "f", ""), call("2", "f", "")), msg(U, result("1", "", "r"), result("2", "", "r"))),
			path: []any{"contents", 1, "parts"},
			want: `[{"text":"x"},{"functionCall":{"args":{},"id":"1","name":"f"},` + skip + `},{"functionCall":{"args":{},"id":"2","name":"f"}}]`,
		},
		{
			name: "E2 its own signature goes back", p: conv(msg(U, text("a")), msg(A, signed(call("1", "f", ""), "c2ln", "gemini"), call("2", "f", "")), msg(U, result("1", "", "r"), result("2", "", "r"))),
			path: []any{"contents", 1, "parts"},
			want: `[{"functionCall":{"args":{},"id":"1","name":"f"},"thoughtSignature":"c2ln"},{"functionCall":{"args":{},"id":"2","name":"f"}}]`,
		},
		{
			name: "F10 another's signature does not", p: conv(msg(U, text("a")), msg(A, signed(call("1", "f", ""), "c2ln", "messages")), msg(U, result("1", "", "r"))),
			path: []any{"contents", 1, "parts", 0, "thoughtSignature"}, want: `"c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="`,
		},
		{
			name: "signatures of text and alone", p: conv(msg(U, text("a")), msg(A, signed(text("x"), "czE=", "gemini"), signed(llm.Block{Kind: llm.Thinking}, "czI=", "gemini"), signed(llm.Block{Kind: llm.Thinking, Text: "t"}, "czM=", "gemini"))),
			path: []any{"contents", 1, "parts"},
			want: `[{"text":"x","thoughtSignature":"czE="},{"text":"","thoughtSignature":"czI="},{"text":"t","thought":true,"thoughtSignature":"czM="}]`,
		},
		{
			name: "foreign thinking is dropped and told", p: conv(msg(U, text("a")), msg(A, signed(llm.Block{Kind: llm.Thinking, Text: "t"}, "s", "messages"), llm.Block{Kind: llm.Redacted, Opaque: "r", Origin: "messages"}, text("x"))),
			path: []any{"contents", 1, "parts"}, want: `[{"text":"x"}]`, lost: []string{reason},
		},
		{
			name: "its own thoughts need not go back", p: conv(msg(U, text("a")), msg(A, llm.Block{Kind: llm.Thinking, Text: "t", Origin: "gemini"}, text("x"))),
			path: []any{"contents", 1, "parts"}, want: `[{"text":"x"}]`,
		},
		{
			name: "A21 prefill kept", p: conv(msg(U, text("a")), msg(A, text("{"))), path: []any{"contents", 1, "role"}, want: `"model"`,
		},
		{
			name: "A21 prefill stripped", flags: []string{llm.FlagNoPrefill}, p: conv(msg(U, text("a")), msg(A, text("{"))), path: []any{"contents"},
			want: `[{"parts":[{"text":"a"}],"role":"user"}]`, lost: []string{"messages: the last one, of the assistant, which this model would not continue"},
		},
		{
			name: "a call comes first", p: conv(msg(A, call("1", "f", "")), msg(U, result("1", "", "r"))), path: []any{"contents", 0}, want: `{"parts":[{"text":""}],"role":"user"}`,
		},
		{
			name: "words and a call come first", p: conv(msg(A, text("so"), call("1", "f", "")), msg(U, result("1", "", "r"))), path: []any{"contents", 0}, want: `{"parts":[{"text":""}],"role":"user"}`,
		},
		{
			name: "E21 an image beside the response", p: conv(msg(U, text("a")), msg(A, call("1", "f", ""), call("2", "g", "")), msg(U, llm.Block{Kind: llm.ToolResult, ID: "1", Content: []llm.Block{text("t"), image}}, result("2", "", "r"))),
			path: []any{"contents", 2, "parts"}, want: `[` + fr("1", "f", `{"output":"t"}`) + `,{"inlineData":{"data":"QQ==","mimeType":"image/png"}},` + fr("2", "g", `{"output":"r"}`) + `]`,
		},
		{
			name: "E21 an image inside the response", flags: []string{llm.FlagToolMedia}, p: conv(msg(U, text("a")), msg(A, call("1", "f", "")), msg(U, llm.Block{Kind: llm.ToolResult, ID: "1", Content: []llm.Block{image}})),
			path: []any{"contents", 2, "parts"}, want: `[{"functionResponse":{"id":"1","name":"f","parts":[{"inlineData":{"data":"QQ==","mimeType":"image/png"}}],"response":{"output":""}}}]`,
		},
		{
			name: "C3 an image nobody can see", flags: []string{llm.FlagNoVision}, p: conv(msg(U, text("a")), msg(A, call("1", "f", "")), msg(U, llm.Block{Kind: llm.ToolResult, ID: "1", Content: []llm.Block{image}})),
			path: []any{"contents", 2, "parts"}, want: `[` + fr("1", "f", `{"output":"[an image, left out: this model cannot see it]"}`) + `]`, lost: []string{"messages: images in tool results; this model sees none"},
		},
		{
			name: "names and cache marks", p: conv(llm.Message{Role: U, Name: "bob", Blocks: []llm.Block{{Text: "a", Cache: "5m"}}}), path: []any{"contents", 0, "parts"},
			want: `[{"text":"a"}]`, lost: []string{"messages: name", "cache_control"},
		},
	})
}

func TestMedia(t *testing.T) {
	for _, tt := range []struct {
		kind  llm.BlockKind
		media llm.Media
		want  string // or the error
	}{
		{llm.Image, llm.Media{Type: "image/PNG", Data: "QQ=="}, `{"inlineData":{"data":"QQ==","mimeType":"image/png"}}`},
		{llm.Document, llm.Media{Data: "QQ=="}, `{"inlineData":{"data":"QQ==","mimeType":"application/pdf"}}`},
		{llm.Audio, llm.Media{Type: "wav", Data: "QQ=="}, `{"inlineData":{"data":"QQ==","mimeType":"audio/wav"}}`},
		{llm.Image, llm.Media{URL: "https://example.com/a.JPG?x=1"}, `{"fileData":{"fileUri":"https://example.com/a.JPG?x=1","mimeType":"image/jpeg"}}`},
		{llm.Image, llm.Media{URL: "https://example.com/a"}, `{"fileData":{"fileUri":"https://example.com/a"}}`},
		{llm.Image, llm.Media{URL: "gs://b/a.png"}, `{"fileData":{"fileUri":"gs://b/a.png","mimeType":"image/png"}}`},
		{llm.Document, llm.Media{FileID: "files/x", Type: "application/pdf"}, `{"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x","mimeType":"application/pdf"}}`},
		{llm.Image, llm.Media{URL: "http://169.254.169.254/a.png"}, `{"fileData":{"fileUri":"http://169.254.169.254/a.png","mimeType":"image/png"}}`}, // K6: handed on, not fetched
		{llm.Image, llm.Media{URL: "file:///etc/passwd"}, "cannot fetch"},
		{llm.Image, llm.Media{URL: "https:///x"}, "cannot fetch"},
		{llm.Document, llm.Media{FileID: "file-abc"}, "kept at another provider"},
		{llm.Image, llm.Media{}, "is empty"},
		{llm.Image, llm.Media{Data: "QQ=="}, "no MIME type"},
	} {
		p := &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Kind: tt.kind, Media: tt.media}}}}}
		if tt.want[0] == '{' {
			if got := at(encode(t, model(), p), "contents", 0, "parts", 0); got != tt.want {
				t.Errorf("%+v: %s, want %s", tt.media, got, tt.want)
			}
			continue
		}
		_, err := out.EncodeRequest(model(), p)
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != "messages[0]" || !strings.Contains(e.Message, tt.want) {
			t.Errorf("%+v: %v", tt.media, err)
		}
	}
	_, err := out.EncodeRequest(model(llm.FlagNoVision), &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: "QQ=="}}}}}})
	if err == nil {
		t.Error("an image went to a model that sees none")
	}
}

func TestEncodeIsDeterministic(t *testing.T) { // A17
	p := &llm.Prompt{
		Messages: []llm.Message{user("<a> & b")},
		Tools: []llm.Tool{
			{Name: "z y", Schema: json.RawMessage(`{"type":"object","required":["b"],"properties":{"b":{"type":"string"},"a":{"type":"string"}}}`)},
			{Name: "a.b"},
			{Name: "a/b"},
		},
	}
	first, err := out.EncodeRequest(model(), p)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(first), `{"type":"object","required":["b"],"properties":{"b":{"type":"string"},"a":{"type":"string"}}}`) || !strings.Contains(string(first), "<a> & b") {
		t.Errorf("order or text changed: %s", first)
	}
	for range 20 {
		if again, err := out.EncodeRequest(model(), p); err != nil || !slices.Equal(first, again) {
			t.Fatalf("%v\n%s\n%s", err, first, again)
		}
	}
}
