package chat

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func encode(t testing.TB, p *llm.Prompt, flags ...string) (map[string]any, *llm.Call, string) {
	t.Helper()
	c := &llm.Call{Model: llm.Model{Provider: "lab", Name: "m", Flags: flags}}
	b, err := Dialect{}.EncodeRequest(c, p)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return v, c, string(b)
}

func user(blocks ...llm.Block) *llm.Prompt {
	return &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: blocks}}}
}

func TestEncodeOptions(t *testing.T) {
	hi := llm.Block{Text: "hi"}
	schema := json.RawMessage(`{"z":1, "type":"object","properties":{"y":{},"b":{}}}`)
	for what, tt := range map[string]struct {
		set   func(p *llm.Prompt)
		flags []string
		want  string // fields, beside model and messages
		lost  string
	}{
		"A25 zeros":         {set: func(p *llm.Prompt) { p.Limits.Temperature, p.Limits.TopP = ptr(0.0), ptr(0.0) }, want: `"temperature":0,"top_p":0`},
		"A24 none taken":    {set: func(p *llm.Prompt) { p.Limits.Temperature, p.Limits.TopK = ptr(0.5), ptr(4) }, flags: []string{llm.FlagNoSampling, llm.FlagTopK}, lost: "temperature: this model takes none|top_k"},
		"top_k":             {set: func(p *llm.Prompt) { p.Limits.TopK = ptr(4) }, flags: []string{llm.FlagTopK}, want: `"top_k":4`},
		"no penalties":      {set: func(p *llm.Prompt) { p.Limits.FrequencyPenalty = ptr(1.0) }, flags: []string{llm.FlagNoPenalties}, lost: "frequency_penalty: this model takes none"},
		"max_tokens":        {set: func(p *llm.Prompt) { p.Limits.MaxTokens = ptr(5) }, want: `"max_tokens":5`},
		"max completion":    {set: func(p *llm.Prompt) { p.Limits.MaxTokens = ptr(5) }, flags: []string{llm.FlagMaxCompletionTokens}, want: `"max_completion_tokens":5`},
		"no stop":           {set: func(p *llm.Prompt) { p.Limits.Stop = []string{"x"} }, flags: []string{llm.FlagNoStop}, lost: "stop: this model takes none"},
		"five stops":        {set: func(p *llm.Prompt) { p.Limits.Stop = []string{"a", "", "b", "c", "d", "e"} }, want: `"stop":["a","b","c","d"]`, lost: "stop: only the first 4 sequences are taken"},
		"sampled, thinks":   {set: func(p *llm.Prompt) { p.Limits.Temperature, p.Reasoning.Effort = ptr(0.5), "low" }, flags: []string{llm.FlagNoSampledThought}, want: `"reasoning_effort":"low"`, lost: "temperature: this model takes none while it thinks"},
		"sampled, does not": {set: func(p *llm.Prompt) { p.Limits.Temperature, p.Reasoning.Effort = ptr(0.5), "none" }, flags: []string{llm.FlagNoSampledThought}, want: `"temperature":0.5,"reasoning_effort":"none"`},
		"hints":             {set: func(p *llm.Prompt) { p.CacheKey, p.Verbosity = "k", "low" }, lost: "prompt_cache_key|verbosity"},
		"hints, taken":      {set: func(p *llm.Prompt) { p.CacheKey, p.Verbosity = "k", "low" }, flags: []string{llm.FlagMaxCompletionTokens}, want: `"prompt_cache_key":"k","verbosity":"low"`},
		"Mistral's fields":  {set: func(p *llm.Prompt) { p.Limits.Seed, p.User = ptr(int64(7)), "u" }, flags: []string{llm.FlagMistralFields}, want: `"random_seed":7`, lost: "user"},
		"Mistral's tier":    {set: func(p *llm.Prompt) { p.Tier = "flex" }, flags: []string{llm.FlagMistralFields}, lost: "service_tier"},
		"Mistral's default": {set: func(p *llm.Prompt) { p.Tier = "auto" }, flags: []string{llm.FlagMistralFields}},
		"Mistral's effort":  {set: func(p *llm.Prompt) { p.Reasoning.Effort = "medium" }, flags: []string{llm.FlagMistralFields}, want: `"reasoning_effort":"high"`, lost: "reasoning_effort: medium went as high"},
		"Mistral's none":    {set: func(p *llm.Prompt) { p.Reasoning.Effort = "none" }, flags: []string{llm.FlagMistralFields}, want: `"reasoning_effort":"none"`},
		"tools, no thought": {
			set:   func(p *llm.Prompt) { p.Tools, p.Reasoning.Effort = []llm.Tool{{Name: "f"}}, "high" },
			flags: []string{llm.FlagNoToolThought}, lost: "reasoning_effort: in this API the model takes no tools while it thinks",
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"reasoning_effort":"none"`,
		},
		"tools, thought off": {
			set:   func(p *llm.Prompt) { p.Tools, p.Reasoning.Budget = []llm.Tool{{Name: "f"}}, ptr(0) },
			flags: []string{llm.FlagNoToolThought},
			want:  `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"reasoning_effort":"none"`,
		},
		"thought, no tools": {set: func(p *llm.Prompt) { p.Reasoning.Effort = "high" }, flags: []string{llm.FlagNoToolThought}, want: `"reasoning_effort":"high"`},
		"not strict": {
			set:  func(p *llm.Prompt) { p.Tools = []llm.Tool{{Name: "f", Schema: schema, Strict: ptr(true)}} },
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"type":"object","properties":{"y":{},"b":{}}},"strict":false}}]`, lost: "tools: strict",
		},
		"A18 alternatives": {
			set: func(p *llm.Prompt) {
				p.Tools = []llm.Tool{{Name: "f", Schema: json.RawMessage(`{"anyOf":[{"properties":{"a":{"type":"array"}}}]}`)}}
			},
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"array","items":{}}}}}}]`, lost: "tools: alternatives at the root of a tool's parameters were merged",
		},
		"not strict format": {
			set: func(p *llm.Prompt) {
				p.Format = llm.Format{Kind: llm.FormatSchema, Name: "my answer", Schema: schema, Strict: ptr(true)}
			},
			want: `"response_format":{"type":"json_schema","json_schema":{"name":"my_answer_twr92j","schema":{"z":1,"type":"object","properties":{"y":{},"b":{}}},"strict":false}}`, lost: "response_format: strict",
		},
		"C8 stop":           {set: func(p *llm.Prompt) { p.Limits.Stop = []string{"x"} }, want: `"stop":["x"]`},
		"C5 budget":         {set: func(p *llm.Prompt) { p.Reasoning.Budget = ptr(10000) }, want: `"reasoning_effort":"medium"`, lost: "thinking budget: sent as reasoning_effort medium"},
		"off, unknown":      {set: func(p *llm.Prompt) { p.Reasoning.Budget = ptr(0) }},
		"off, thinks":       {set: func(p *llm.Prompt) { p.Reasoning.Budget = ptr(0) }, flags: []string{llm.FlagReasoning}, want: `"reasoning_effort":"none"`},
		"as it likes":       {set: func(p *llm.Prompt) { p.Reasoning.Budget = ptr(-1) }},
		"H11 cannot think":  {set: func(p *llm.Prompt) { p.Reasoning.Effort = "high" }, flags: []string{llm.FlagNoReasoning}, lost: "reasoning_effort: this model does not think"},
		"off, cannot think": {set: func(p *llm.Prompt) { p.Reasoning.Effort = "none" }, flags: []string{llm.FlagNoReasoning}},
		"max, but xhigh":    {set: func(p *llm.Prompt) { p.Reasoning.Effort = "max" }, flags: []string{llm.FlagNoMaxEffort}, want: `"reasoning_effort":"xhigh"`, lost: "reasoning_effort: max went as xhigh"},
		"max, taken":        {set: func(p *llm.Prompt) { p.Reasoning.Effort = "max" }, want: `"reasoning_effort":"max"`},
		"three levels":      {set: func(p *llm.Prompt) { p.Reasoning.Effort = "max" }, flags: []string{llm.FlagThreeEfforts}, want: `"reasoning_effort":"high"`, lost: "reasoning_effort: max went as high"},
		"three, minimal":    {set: func(p *llm.Prompt) { p.Reasoning.Effort = "minimal" }, flags: []string{llm.FlagThreeEfforts}, want: `"reasoning_effort":"low"`, lost: "reasoning_effort: minimal went as low"},
		"three, none":       {set: func(p *llm.Prompt) { p.Reasoning.Effort = "none" }, flags: []string{llm.FlagThreeEfforts}, want: `"reasoning_effort":"low"`, lost: "reasoning_effort: none went as low"},
		"three, medium":     {set: func(p *llm.Prompt) { p.Reasoning.Effort = "medium" }, flags: []string{llm.FlagThreeEfforts}, want: `"reasoning_effort":"medium"`},
		"long user":         {set: func(p *llm.Prompt) { p.User = strings.Repeat("u", 65) }, flags: []string{llm.FlagShortUser}, want: `"user":"f20e249d15fa4b9f44ba21d154f62e1efa76ddfdce5d25139a33a4787cee5a8b"`, lost: "user: longer than 64 characters; its hash was sent"},
		"user that fits":    {set: func(p *llm.Prompt) { p.User = strings.Repeat("u", 64) }, flags: []string{llm.FlagShortUser}, want: `"user":"` + strings.Repeat("u", 64) + `"`},
		"long user, taken":  {set: func(p *llm.Prompt) { p.User = strings.Repeat("u", 65) }, want: `"user":"` + strings.Repeat("u", 65) + `"`},
		"custom, not taken": {
			set: func(p *llm.Prompt) {
				p.Tools = []llm.Tool{{Kind: llm.Custom, Name: "f", Schema: json.RawMessage(llm.CustomSchema)}}
			},
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":` + llm.CustomSchema + `}}]`,
		},
		"user and tier": {set: func(p *llm.Prompt) { p.User, p.Tier = "u", "standard_only" }, want: `"user":"u","service_tier":"default"`},
		"odd tier":      {set: func(p *llm.Prompt) { p.Tier = "vip" }, lost: "service_tier: vip"},
		"A14 alone":     {set: func(p *llm.Prompt) { p.Choice.Parallel = ptr(false) }},
		"A17 schema": {
			set:  func(p *llm.Prompt) { p.Tools = []llm.Tool{{Name: "f", Schema: schema, Strict: ptr(false)}} },
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"type":"object","properties":{"y":{},"b":{}}},"strict":false}}]`,
		},
		"C7 not parallel": {
			set:  func(p *llm.Prompt) { p.Tools, p.Choice.Parallel = []llm.Tool{{Name: "f"}}, ptr(false) },
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}],"parallel_tool_calls":false`,
		},
		"A26 no such tool": {
			set: func(p *llm.Prompt) {
				p.Tools, p.Choice = []llm.Tool{{Name: "f", Schema: schema}}, llm.Choice{Mode: llm.ChooseNamed, Name: "g"}
			},
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"type":"object","properties":{"y":{},"b":{}}}}}]`, lost: "tool_choice: no tool is called g",
		},
		"C15 the same tool twice": {
			set:  func(p *llm.Prompt) { p.Tools = []llm.Tool{{Name: "f", Schema: schema}, {Name: "f", Schema: schema}} },
			want: `"tools":[{"type":"function","function":{"name":"f","parameters":{"z":1,"type":"object","properties":{"y":{},"b":{}}}}}]`,
		},
		"no tools taken": {set: func(p *llm.Prompt) { p.Tools = []llm.Tool{{Name: "f"}} }, flags: []string{llm.FlagNoTools}, lost: "tools: this model takes none"},
		"C12 marks off":  {set: func(p *llm.Prompt) { p.Messages[0].Blocks[0].Cache = "5m" }, lost: "cache_control"},
		"schema format": {
			set:  func(p *llm.Prompt) { p.Format = llm.Format{Kind: llm.FormatSchema, Schema: schema} },
			want: `"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{"z":1,"type":"object","properties":{"y":{},"b":{}}}}}`,
		},
		"what the client lost": {set: func(p *llm.Prompt) { p.Lost = []string{"n"} }, lost: "n"},
	} {
		p := user(hi)
		tt.set(p)
		got, c, raw := encode(t, p, tt.flags...)
		var want map[string]any
		if err := json.Unmarshal([]byte(`{`+tt.want+`}`), &want); err != nil {
			t.Fatal(what, err)
		}
		delete(got, "model")
		if s, _ := json.Marshal(got["messages"]); string(s) != `[{"content":"hi","role":"user"}]` {
			t.Errorf("%s: messages %s", what, s)
		}
		delete(got, "messages")
		if !reflect.DeepEqual(got, want) || strings.Join(c.Lost, "|") != tt.lost {
			t.Errorf("%s:\n got %s, lost %q\nwant %s, lost %q", what, raw, c.Lost, tt.want, tt.lost)
		}
		if strings.Contains(what, "A17") && !strings.Contains(raw, string(schema)) {
			t.Errorf("%s: the schema's bytes changed: %s", what, raw)
		}
	}
}

func TestEncodeMessages(t *testing.T) {
	img := llm.Block{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: "AAAA"}}
	mine := llm.Block{Kind: llm.Thinking, Text: "hm", Opaque: `{"type":"reasoning.text","signature":"s","index":0}`, Origin: "chat"}
	foreign := llm.Block{Kind: llm.Thinking, Text: "hm", Opaque: "sig", Origin: "messages"}
	call := llm.Block{Kind: llm.ToolCall, ID: "c", Name: "f"}
	ask := llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: "q"}}}
	said := func(blocks ...llm.Block) *llm.Prompt {
		return &llm.Prompt{Messages: []llm.Message{{Role: llm.Assistant, Blocks: blocks}, ask}}
	}
	const q = `,{"role":"user","content":"q"}]`
	for what, tt := range map[string]struct {
		p     *llm.Prompt
		flags []string
		want  string
		lost  string
	}{
		"C1 one block": {p: &llm.Prompt{System: []llm.Block{{Text: "a"}}, Messages: []llm.Message{ask}}, want: `[{"role":"system","content":"a"}` + q},
		"C1 blocks":    {p: &llm.Prompt{System: []llm.Block{{Text: "a"}, {Text: "b", Cache: "1h"}}, Messages: []llm.Message{ask}}, want: `[{"role":"system","content":"a\n\nb"}` + q, lost: "cache_control"},
		"C12 marks on": {
			p:     &llm.Prompt{System: []llm.Block{{Text: "a"}, {Text: "b", Cache: "1h"}}, Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: "q", Cache: "5m"}}}}},
			flags: []string{llm.FlagCacheControl},
			want:  `[{"role":"system","content":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"user","content":[{"type":"text","text":"q","cache_control":{"type":"ephemeral"}}]}]`,
		},
		"C2 empty result":          {p: user(llm.Block{Kind: llm.ToolResult, ID: "c"}), want: `[{"role":"tool","tool_call_id":"c","content":""}]`},
		"failed result":            {p: user(llm.Block{Kind: llm.ToolResult, ID: "c", Failed: true, Content: []llm.Block{{Text: "boom"}}}), want: `[{"role":"tool","tool_call_id":"c","content":"Error: boom"}]`},
		"C3 image for blind model": {p: user(llm.Block{Kind: llm.ToolResult, ID: "c", Content: []llm.Block{img}}), flags: []string{llm.FlagNoVision}, want: `[{"role":"tool","tool_call_id":"c","content":"[image left out: this model sees none]"}]`, lost: "messages: images in tool results: this model sees none"},
		"A4 results first": {
			p:    user(llm.Block{Text: "after"}, llm.Block{Kind: llm.ToolResult, ID: "c", Content: []llm.Block{img}}),
			want: `[{"role":"tool","tool_call_id":"c","content":"[image: see the next message]"},{"role":"user","content":[{"type":"text","text":"Image from the result of tool call c:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"after"}]}]`,
		},
		"A19 image alone": {
			p:    user(llm.Block{Kind: llm.ToolResult, ID: "c", Content: []llm.Block{{Kind: llm.Image, Media: llm.Media{URL: "http://x/y"}}}}),
			want: `[{"role":"tool","tool_call_id":"c","content":"[image: see the next message]"},{"role":"user","content":[{"type":"text","text":"Image from the result of tool call c:"},{"type":"image_url","image_url":{"url":"http://x/y"}}]}]`,
		},
		"A11 calls alone":      {p: said(call), want: `[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}` + q},
		"own reasoning":        {p: said(mine, llm.Block{Text: "a"}), want: `[{"role":"assistant","content":"a","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.text","signature":"s","index":0,"text":"hm"}]}` + q},
		"text of somebody":     {p: said(llm.Block{Kind: llm.Thinking, Text: "hm", Origin: "chat"}, llm.Block{Text: "a"}), want: `[{"role":"assistant","content":"a"}` + q, lost: "reasoning of earlier turns"},
		"text of this one":     {p: said(llm.Block{Kind: llm.Thinking, Text: "hm", Origin: "chat:lab"}, llm.Block{Text: "a"}), want: `[{"role":"assistant","content":"a","reasoning_content":"hm"}` + q},
		"foreign reasoning":    {p: said(foreign, llm.Block{Text: "a"}), want: `[{"role":"assistant","content":"a"}` + q, lost: "reasoning of earlier turns"},
		"reasoning asked for":  {p: said(foreign, llm.Block{Text: "a"}), flags: []string{llm.FlagReasoningHistory}, want: `[{"role":"assistant","content":"a","reasoning_content":"hm"}` + q},
		"own sign on a call":   {p: said(llm.Block{Kind: llm.ToolCall, ID: "c", Name: "f", Opaque: `{"extra_content":{"google":1}}`, Origin: "chat"}), want: `[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":1}}]}` + q},
		"foreign sign":         {p: said(llm.Block{Kind: llm.ToolCall, ID: "c", Name: "f", Opaque: `{"extra_content":1}`, Origin: "gemini"}), want: `[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}` + q},
		"A21 prefill":          {p: &llm.Prompt{Messages: []llm.Message{ask, {Role: llm.Assistant, Blocks: []llm.Block{{Text: "{"}}}}}, flags: []string{llm.FlagNoPrefill}, want: `[{"role":"user","content":"q"}]`, lost: "messages: this model takes no assistant message at the end"},
		"C11 later system":     {p: &llm.Prompt{Messages: []llm.Message{ask, {Role: llm.System, Blocks: []llm.Block{{Text: "s"}}}, ask}}, want: `[{"role":"user","content":"q"},{"role":"system","content":"s"}` + q},
		"plain text document":  {p: user(llm.Block{Kind: llm.Document, Name: "a.txt", Media: llm.Media{Type: "text/plain", Data: "aGk="}}), want: `[{"role":"user","content":[{"type":"text","text":"a.txt:\nhi"}]}]`},
		"PDF":                  {p: user(llm.Block{Kind: llm.Document, Media: llm.Media{Type: "application/pdf", Data: "JVBE"}}), want: `[{"role":"user","content":[{"type":"file","file":{"filename":"document.pdf","file_data":"data:application/pdf;base64,JVBE"}}]}]`},
		"sound":                {p: user(llm.Block{Kind: llm.Audio, Media: llm.Media{Type: "audio/mpeg", Data: "AA"}}), want: `[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA","format":"mp3"}}]}]`},
		"nothing said by user": {p: user(), want: `[{"role":"user","content":""}]`},
		"a long id":            {p: said(llm.Block{Kind: llm.ToolCall, ID: strings.Repeat("x", 41), Name: "f"}), want: `[{"role":"assistant","content":null,"tool_calls":[{"id":"3164596df4fdd018b2c567ec8c03e79b","type":"function","function":{"name":"f","arguments":"{}"}}]}` + q},
		"calls of two turns": {
			p: &llm.Prompt{Messages: []llm.Message{
				{Role: llm.Assistant, Blocks: []llm.Block{{Text: "so"}, call}},
				{Role: llm.Assistant, Blocks: []llm.Block{{Kind: llm.ToolCall, ID: "d", Name: "g"}}},
				{Role: llm.User, Blocks: []llm.Block{{Kind: llm.ToolResult, ID: "c"}, {Kind: llm.ToolResult, ID: "d"}}},
			}},
			want: `[{"role":"assistant","content":"so","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"d","type":"function","function":{"name":"g","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":""},{"role":"tool","tool_call_id":"d","content":""}]`,
		},
		"Mistral's calls": {
			p: &llm.Prompt{Messages: []llm.Message{
				{Role: llm.Assistant, Blocks: []llm.Block{mine, {Kind: llm.Refusal, Text: "no"}, call}},
				{Role: llm.User, Blocks: []llm.Block{{Kind: llm.ToolResult, ID: "c"}}},
				{Role: llm.System, Blocks: []llm.Block{{Text: "s"}}},
				{Role: llm.Assistant, Name: "n", Blocks: []llm.Block{{Text: "{"}}},
			}}, flags: []string{llm.FlagMistralFields},
			want: `[{"role":"assistant","content":"no","tool_calls":[{"id":"2e7d2c03a","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"2e7d2c03a","content":""},{"role":"user","content":"s"},{"role":"assistant","content":"{","prefix":true}]`,
			lost: "reasoning of earlier turns|messages: a system message in mid-conversation went as the user's|messages: name",
		},
		"Mistral's parts": {
			p: user(llm.Block{Kind: llm.Document, Name: "a.pdf", Media: llm.Media{Type: "application/pdf", Data: "JVBE"}}, llm.Block{Kind: llm.Document, Media: llm.Media{URL: "https://x/y"}}, llm.Block{Kind: llm.Audio, Media: llm.Media{Type: "audio/wav", Data: "AA"}}), flags: []string{llm.FlagMistralFields},
			want: `[{"role":"user","content":[{"type":"document_url","document_url":"data:application/pdf;base64,JVBE","document_name":"a.pdf"},{"type":"document_url","document_url":"https://x/y"},{"type":"input_audio","input_audio":"AA"}]}]`,
		},
		"JSON is not spoken of": {p: &llm.Prompt{Messages: []llm.Message{ask}, Format: llm.Format{Kind: llm.FormatJSON}}, want: `[{"role":"system","content":"Answer with one JSON object and nothing else."}` + q},
		"JSON is spoken of":     {p: &llm.Prompt{System: []llm.Block{{Text: "Use Json."}}, Messages: []llm.Message{ask}, Format: llm.Format{Kind: llm.FormatJSON}}, want: `[{"role":"system","content":"Use Json."}` + q},
		"a list as words":       {p: &llm.Prompt{Messages: []llm.Message{ask}, Format: llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(`{"type":"array"}`)}}, want: `[{"role":"system","content":"Answer with JSON and nothing else. It must follow this JSON Schema:\n{\"type\":\"array\"}"}` + q, lost: "response_format.json_schema: sent as an instruction"},
		"A22 schema as words":   {p: &llm.Prompt{Messages: []llm.Message{ask}, Format: llm.Format{Kind: llm.FormatSchema, Schema: json.RawMessage(`{"type":"object"}`)}}, flags: []string{llm.FlagNoJSONSchema}, want: `[{"role":"system","content":"Answer with one JSON object and nothing else. It must follow this JSON Schema:\n{\"type\":\"object\"}"}` + q, lost: "response_format.json_schema: sent as an instruction"},
	} {
		_, c, raw := encode(t, tt.p, tt.flags...)
		var v struct{ Messages json.RawMessage }
		if err := json.Unmarshal([]byte(raw), &v); err != nil {
			t.Fatal(err)
		}
		if string(v.Messages) != tt.want || strings.Join(c.Lost, "|") != tt.lost {
			t.Errorf("%s:\n got %s, lost %q\nwant %s, lost %q", what, v.Messages, c.Lost, tt.want, tt.lost)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for what, tt := range map[string]struct {
		p     *llm.Prompt
		flags llm.Flags
	}{
		"C15 two tools of one name": {p: &llm.Prompt{Tools: []llm.Tool{{Name: "f"}, {Name: "f", Description: "other"}}}},
		"C18 document by URL":       {p: user(llm.Block{Kind: llm.Document, Media: llm.Media{URL: "http://x"}})},
		"image for a blind model":   {p: user(llm.Block{Kind: llm.Image, Media: llm.Media{URL: "http://x"}}), flags: llm.Flags{llm.FlagNoVision}},
		"a call is required":        {p: &llm.Prompt{Tools: []llm.Tool{{Name: "f"}}, Choice: llm.Choice{Mode: llm.ChooseAny}}, flags: llm.Flags{llm.FlagNoTools}},
	} {
		_, err := Dialect{}.EncodeRequest(&llm.Call{Model: llm.Model{Flags: tt.flags}}, tt.p)
		if e := llm.AsError(err); err == nil || e.Kind != llm.BadRequest || e.Param == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// E17: names that the wire does not take are changed, and restored in answers.
func TestEncodeNames(t *testing.T) {
	long := strings.Repeat("n", 80)
	p := user(llm.Block{Text: "x"})
	p.Tools = []llm.Tool{{Name: "a.b"}, {Name: "a/b"}, {Name: "ok-1_A"}, {Name: long}}
	p.Choice = llm.Choice{Mode: llm.ChooseNamed, Name: "a.b"}
	_, c, raw := encode(t, p)
	if len(c.Tools) != 3 {
		t.Errorf("%v", c.Tools)
	}
	for safe, client := range c.Tools {
		if len(safe) > 64 || strings.ContainsAny(safe, "./") || !strings.Contains(raw, `"`+safe+`"`) || strings.Contains(raw, `"`+client+`"`) {
			t.Errorf("%s for %s in %s", safe, client, raw)
		}
		var got string
		body := `{"choices":[{"index":0,"message":{"tool_calls":[{"id":"1","function":{"name":"` + safe + `","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}`
		for e, err := range (Dialect{}).DecodeResponse(c, strings.NewReader(body)) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == llm.BlockStart {
				got = e.Name
			}
		}
		if got != client {
			t.Errorf("%s came back as %s", client, got)
		}
	}
}

// Whatever a client sends is refused by name or becomes a JSON request.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(with(`"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":"required","stop":"x","reasoning":{"effort":"low"},"response_format":{"type":"json_object"}`)))
	f.Add([]byte(`{"model":"m","messages":[{"role":"system","content":"a"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"file","file":{"file_data":"data:text/plain;base64,aGk="}}]},{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"a","signature":"s"}],"tool_calls":[{"id":"a","function":{"name":"f.x","arguments":"{"}}]},{"role":"tool","tool_call_id":"a","content":[{"type":"image_url","image_url":"http://x"}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := Dialect{}.DecodeRequest(&llm.Request{Raw: body})
		if err != nil {
			if e := llm.AsError(err); e.Kind != llm.BadRequest || e.Message == "" {
				t.Fatalf("%q: %+v", body, e)
			}
			return
		}
		for _, flags := range []llm.Flags{nil, {llm.FlagCacheControl, llm.FlagReasoningHistory, llm.FlagNoJSONSchema, llm.FlagNoVision}} {
			b, err := Dialect{}.EncodeRequest(&llm.Call{Stream: true, Model: llm.Model{Name: "m", Flags: flags}}, p)
			if err == nil && !json.Valid(b) {
				t.Fatalf("%q became %s", body, b)
			}
		}
	})
}
