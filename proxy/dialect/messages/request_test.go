package messages

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/dialect/turns"
	"keytray/proxy/llm"
)

func TestEncodeRequest(t *testing.T) {
	const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	image := llm.Block{Kind: llm.Image, Media: llm.Media{Type: "image/jpeg", Data: png}}
	lost := func(f ...string) []string { return f }
	for _, c := range []struct {
		name   string
		model  llm.Model
		prompt *llm.Prompt
		want   map[string]string // path -> JSON, "" for absent
		lost   []string
	}{
		{
			"A1 all instructions go to the front",
			llm.Model{},
			&llm.Prompt{System: []llm.Block{txt("one"), txt("two"), txt(" "), txt("three")}, Messages: []llm.Message{
				user(txt("hi")), {Role: llm.System, Blocks: []llm.Block{txt("four")}}, user(txt("you")),
			}},
			map[string]string{
				"system":   `[{"type":"text","text":"one"},{"type":"text","text":"two"},{"type":"text","text":"three"},{"type":"text","text":"four"}]`,
				"messages": `[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"you"}]}]`,
			},
			lost("messages: a system message in mid-conversation went to the front"),
		},
		{
			"A2 only instructions",
			llm.Model{},
			&llm.Prompt{System: []llm.Block{txt("one")}},
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"Begin."}]}]`},
			nil,
		},
		{
			"A2 the assistant first",
			llm.Model{},
			prompt(says(txt("Hello!")), user(txt("hi"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"Begin."}]},{"role":"assistant","content":[{"type":"text","text":"Hello!"}]},{"role":"user","content":[{"type":"text","text":"hi"}]}]`},
			nil,
		},
		{
			"A3 A4 A11 results in one turn, in the order of their calls, before text",
			llm.Model{},
			prompt(user(txt("hi")), says(txt(""), calls("a", "f", `{"x":1}`), calls("b", "f", `{}`)), user(txt("and")), user(result("b", txt("B"))), user(result("a", txt("A"), txt("")))),
			map[string]string{
				"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},
				{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"A"}]},{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"B"}]},{"type":"text","text":"and"}]}]`,
				"tools":       `[{"name":"f","input_schema":{"type":"object","properties":{}}}]`, // called before, offered no more
				"tool_choice": `{"type":"none"}`,
			},
			nil,
		},
		{
			"A10 A11 empty texts",
			llm.Model{},
			prompt(user(txt("hi")), says(txt("")), user(txt(""), txt("  \n"), txt("you"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"you"}]}]`},
			nil,
		},
		{
			"A13 broken arguments",
			llm.Model{},
			prompt(user(txt("hi")), says(calls("a", "f", ``), calls("b", "f", `{"x":`), calls("c", "f", `[1]`)), user(result("a"), result("b"), result("c"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},
				{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}},{"type":"tool_use","id":"c","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},{"type":"tool_result","tool_use_id":"b"},{"type":"tool_result","tool_use_id":"c"}]}]`},
			lost("messages: the arguments of an earlier tool call are not a JSON object"),
		},
		{
			"A14",
			llm.Model{},
			hi(func(p *llm.Prompt) { p.Tools, p.Choice.Parallel = []llm.Tool{fn("f", noProps)}, ptr(false) }),
			map[string]string{"tool_choice": `{"type":"auto","disable_parallel_tool_use":true}`},
			nil,
		},
		{
			"no choice, no tool_choice",
			llm.Model{},
			hi(func(p *llm.Prompt) { p.Tools, p.Choice.Parallel = []llm.Tool{fn("f", noProps)}, ptr(true) }),
			map[string]string{"tool_choice": ""},
			nil,
		},
		{
			"A18 alternatives at the root",
			llm.Model{},
			hi(func(p *llm.Prompt) {
				p.Tools = []llm.Tool{fn("f", `{"description":"d","anyOf":[{"type":"object","properties":{"a":{"type":"string"},"c":{}},"required":["a","c"]},{"$ref":"#/$defs/B"},{"type":"null"}],"$defs":{"B":{"properties":{"b":{},"c":{"type":"string"}},"required":["c","b"]}}}`)}
			}),
			map[string]string{"tools": `[{"name":"f","input_schema":{"type":"object","description":"d","$defs":{"B":{"properties":{"b":{},"c":{"type":"string"}},"required":["c","b"]}},
				"properties":{"a":{"type":"string"},"c":{"anyOf":[{},{"type":"string"}]},"b":{}},"required":["c"]}}]`},
			lost("tools: alternatives at the root of a tool's parameters were merged"),
		},
		{
			"schemas without or with several types",
			llm.Model{},
			hi(func(p *llm.Prompt) {
				p.Tools = []llm.Tool{fn("f", ``), fn("g", `{}`), fn("h", `{ "properties":{"type":{}}}`), fn("i", `{"title":"object","type":["object","null"]}`)}
			}),
			map[string]string{"tools": `[{"name":"f","input_schema":{"type":"object","properties":{}}},{"name":"g","input_schema":{"type":"object","properties":{}}},
				{"name":"h","input_schema":{"type":"object","properties":{"type":{}}}},{"name":"i","input_schema":{"title":"object","type":"object"}}]`},
			nil,
		},
		{
			"A19 images in results; a wrong type is set right",
			llm.Model{},
			prompt(user(txt("hi")), says(calls("a", "f", `{}`), calls("b", "f", `{}`)), user(result("a", txt("look"), image), result("b", llm.Block{Kind: llm.Image, Media: llm.Media{URL: "https://x.test/a.png", Detail: "high"}}))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},
				{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + png + `"}}]},
				{"type":"tool_result","tool_use_id":"b","content":[{"type":"image","source":{"type":"url","url":"https://x.test/a.png"}}]}]}]`},
			lost("image_url.detail"),
		},
		{
			"C3 images in results for a blind model",
			llm.Model{Flags: llm.Flags{llm.FlagNoVision}},
			prompt(user(txt("hi")), says(calls("a", "f", `{}`)), user(result("a", image))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"[an image that this model cannot see]"}]}]}]`},
			lost("messages: images in tool results; this model sees none"),
		},
		{
			"A21 prefill that the model forbids",
			llm.Model{Flags: llm.Flags{llm.FlagNoPrefill}},
			prompt(user(txt("hi")), says(txt("{"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]}]`},
			lost("messages: the last one, of the assistant; this model does not continue one"),
		},
		{
			"A21 prefill that it takes",
			llm.Model{},
			prompt(user(txt("hi")), says(txt("So, \n"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"text","text":"So,"}]}]`},
			nil,
		},
		{
			"A24",
			llm.Model{Flags: llm.Flags{llm.FlagNoSampling}},
			hi(func(p *llm.Prompt) {
				p.Limits = llm.Limits{Temperature: ptr(0.0), TopP: ptr(0.5), TopK: ptr(3)}
			}),
			map[string]string{"temperature": "", "top_p": "", "top_k": ""},
			lost("temperature: this model takes none", "top_p: this model takes none", "top_k: this model takes none"),
		},
		{
			"A24 the defaults are no loss",
			llm.Model{Flags: llm.Flags{llm.FlagNoSampling}},
			hi(func(p *llm.Prompt) {
				p.Limits = llm.Limits{Temperature: ptr(1.0), TopP: ptr(1.0)}
			}),
			map[string]string{"temperature": "", "top_p": ""},
			nil,
		},
		{
			"A25",
			llm.Model{},
			hi(func(p *llm.Prompt) {
				p.Limits = llm.Limits{Temperature: ptr(0.0), TopP: ptr(0.0), TopK: ptr(3), FrequencyPenalty: ptr(0.0)}
			}),
			map[string]string{"temperature": "0", "top_p": "0", "top_k": "3"},
			nil,
		},
		{
			"temperature above 1",
			llm.Model{Flags: llm.Flags{llm.FlagOneSampler}},
			hi(func(p *llm.Prompt) { p.Limits = llm.Limits{Temperature: ptr(1.7), TopP: ptr(0.3)} }),
			map[string]string{"temperature": "1", "top_p": ""},
			lost("temperature: taken from 0 to 1 only", "top_p: not taken beside temperature"),
		},
		{
			"no temperature beside thinking",
			llm.Model{MaxOutput: 64000, Flags: llm.Flags{llm.FlagThinkingBudget}},
			hi(func(p *llm.Prompt) {
				p.Limits, p.Reasoning.Effort = llm.Limits{Temperature: ptr(0.5), TopP: ptr(0.97), TopK: ptr(3)}, "low"
			}),
			map[string]string{"temperature": "", "top_p": "0.97", "top_k": "", "thinking": `{"type":"enabled","budget_tokens":4096}`, "max_tokens": "64000"},
			lost("temperature: not taken beside thinking", "top_k: not taken beside thinking"),
		},
		{
			"A26",
			llm.Model{},
			hi(func(p *llm.Prompt) { p.Choice = llm.Choice{Mode: llm.ChooseNamed, Name: "f", Parallel: ptr(false)} }),
			map[string]string{"tool_choice": "", "tools": ""},
			lost("tool_choice: there are no tools"),
		},
		{
			"tool names",
			llm.Model{},
			hi(func(p *llm.Prompt) {
				p.Tools = []llm.Tool{fn("a.b", noProps), fn("a_b", noProps), fn("a/b", noProps), fn("é", noProps), fn(strings.Repeat("x", 130), noProps)}
				p.Choice = llm.Choice{Mode: llm.ChooseNamed, Name: "a.b"}
			}),
			map[string]string{"tools": `[{"name":"a_b_2","input_schema":` + noProps + `},{"name":"a_b","input_schema":` + noProps + `},{"name":"a_b_3","input_schema":` + noProps + `},{"name":"_","input_schema":` + noProps + `},{"name":"` + strings.Repeat("x", 119) + `_37970b6d","input_schema":` + noProps + `}]`, "tool_choice": `{"type":"tool","name":"a_b_2"}`},
			nil,
		},
		{
			"call ids, used again and odd",
			llm.Model{},
			prompt(
				user(txt("hi")), says(calls("c|1", "f", "{}")), user(result("c|1", txt("1"))),
				says(calls("c|1", "f", "{}"), calls("c_1", "f", "{}")), user(result("c_1", txt("3")), result("c|1", txt("2")))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},
				{"role":"assistant","content":[{"type":"tool_use","id":"c_1","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"c_1","content":[{"type":"text","text":"1"}]}]},
				{"role":"assistant","content":[{"type":"tool_use","id":"c_1_2","name":"f","input":{}},{"type":"tool_use","id":"c_1_3","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"c_1_2","content":[{"type":"text","text":"2"}]},{"type":"tool_result","tool_use_id":"c_1_3","content":[{"type":"text","text":"3"}]}]}]`},
			nil,
		},
		{
			"results without calls, calls without results, late results",
			llm.Model{},
			prompt(
				user(result("x", txt("lost"))), says(calls("a", "f", "{}"), calls("b", "f", "{}")), user(txt("wait")), says(txt("ok")), user(result("a", txt("late"))), says(calls("c", "f", "{}"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"Result of the tool x:"},{"type":"text","text":"lost"}]},
				{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"late"}]},{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"There is no result: the call was not finished."}],"is_error":true},{"type":"text","text":"wait"}]},
				{"role":"assistant","content":[{"type":"text","text":"ok"},{"type":"tool_use","id":"c","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"c","content":[{"type":"text","text":"There is no result: the call was not finished."}],"is_error":true}]}]`},
			lost("messages: a tool result without its call went as text", "messages: a tool result was moved to the turn after its call", "messages: a tool call without a result was given an error for one"),
		},
		{
			"a second result of one call",
			llm.Model{},
			prompt(user(txt("hi")), says(calls("a", "f", "{}")), user(result("a", txt("1")), llm.Block{Kind: llm.ToolResult, ID: "a", Name: "f", Content: []llm.Block{txt("2")}, Failed: true})),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"1"}]},{"type":"text","text":"Result of the tool f:"},{"type":"text","text":"2"}]}]`},
			lost("messages: a tool result without its call went as text"),
		},
		{
			"prefill where a tool must be called",
			llm.Model{},
			&llm.Prompt{Messages: []llm.Message{user(txt("hi")), says(txt("So"))}, Tools: []llm.Tool{fn("f", noProps)}, Choice: llm.Choice{Mode: llm.ChooseAny}},
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]}]`, "tool_choice": `{"type":"any"}`},
			lost("messages: the last one, of the assistant; it cannot be continued with this format or tool choice"),
		},
		{
			"images and documents of the assistant",
			llm.Model{},
			prompt(user(txt("draw")), says(image), user(txt("nice"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"draw"}]},{"role":"assistant","content":[{"type":"text","text":"[an image or document]"}]},{"role":"user","content":[{"type":"text","text":"nice"}]}]`},
			lost("messages: an image or document in a message of the assistant"),
		},
		{
			"B5 own thinking goes back, foreign thinking does not",
			llm.Model{},
			prompt(user(txt("hi")), says(
				llm.Block{Kind: llm.Thinking, Text: "foreign", Opaque: "{}", Origin: "chat"},
				llm.Block{Kind: llm.Thinking, Text: "unsigned", Origin: name},
				llm.Block{Kind: llm.Thinking, Opaque: "sig", Origin: name},
				llm.Block{Kind: llm.Redacted, Opaque: "data", Origin: name},
				txt("ok"),
				llm.Block{Kind: llm.Thinking, Text: "last", Opaque: "sig", Origin: name}), user(txt("so"))),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"text","text":"hi"}]},
				{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"sig"},{"type":"redacted_thinking","data":"data"},{"type":"text","text":"ok"}]},
				{"role":"user","content":[{"type":"text","text":"so"}]}]`},
			lost("messages: earlier reasoning"),
		},
		{
			"documents",
			llm.Model{},
			prompt(user(
				llm.Block{Kind: llm.Document, Name: "a.pdf", Media: llm.Media{Type: "application/octet-stream", Data: "JVBERi0xLjQK"}},
				llm.Block{Kind: llm.Document, Media: llm.Media{Type: "text/csv; charset=utf-8", Data: "YSxiCjEsMgo="}},
				llm.Block{Kind: llm.Document, Media: llm.Media{URL: "https://x.test/a.pdf"}},
			)),
			map[string]string{"messages": `[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0xLjQK"},"title":"a.pdf"},
				{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b\n1,2\n"}},{"type":"document","source":{"type":"url","url":"https://x.test/a.pdf"}}]}]`},
			nil,
		},
		{
			"cache marks, the last four",
			llm.Model{},
			&llm.Prompt{
				System:   []llm.Block{{Kind: llm.Text, Text: "s", Cache: "1h"}},
				Tools:    []llm.Tool{{Name: "f", Schema: json.RawMessage(noProps), Cache: "5m"}},
				Messages: []llm.Message{user(llm.Block{Kind: llm.Text, Text: "1", Cache: "1h"}, llm.Block{Kind: llm.Text, Text: "2", Cache: "5m"}, llm.Block{Kind: llm.Text, Text: "3", Cache: "5m"})},
			},
			map[string]string{
				"tools":    `[{"name":"f","input_schema":` + noProps + `,"cache_control":{"type":"ephemeral"}}]`,
				"system":   `[{"type":"text","text":"s"}]`,
				"messages": `[{"role":"user","content":[{"type":"text","text":"1","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"2","cache_control":{"type":"ephemeral"}},{"type":"text","text":"3","cache_control":{"type":"ephemeral"}}]}]`,
			},
			lost("cache_control: only the last 4 marks are taken"),
		},
		{
			"limits and what has no place",
			llm.Model{MaxOutput: 4096},
			hi(func(p *llm.Prompt) {
				p.Limits = llm.Limits{MaxTokens: ptr(100000), Stop: []string{"END", " \n", "", "END"}, Seed: ptr(int64(1)), FrequencyPenalty: ptr(1.0), PresencePenalty: ptr(-1.0)}
				p.User, p.Tier, p.Lost = "u", "priority", []string{"n"}
				p.Messages[0].Name = "bob"
			}),
			map[string]string{"max_tokens": "4096", "stop_sequences": `["END"]`, "metadata": `{"user_id":"u"}`, "service_tier": ""},
			lost("n", "messages[].name", "max_tokens: this model writes 4096 at most", "stop: a sequence of white space alone", "seed", "frequency_penalty", "presence_penalty", "service_tier: priority only if the account has it"),
		},
		{
			"the standard tier",
			llm.Model{},
			hi(func(p *llm.Prompt) { p.Tier = "default" }),
			map[string]string{"service_tier": `"standard_only"`, "max_tokens": "8192"},
			nil,
		},
		{
			"JSON without a schema",
			llm.Model{},
			hi(func(p *llm.Prompt) { p.Format.Kind = llm.FormatJSON }),
			map[string]string{"system": `[{"type":"text","text":"` + turns.JSONOnly + `"}]`},
			lost("response_format: the model is only asked for JSON, not held to it"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.model.Name = "m"
			call := &llm.Call{Model: c.model}
			body, err := Dialect{}.EncodeRequest(call, c.prompt)
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range c.want {
				part(t, body, path, want)
			}
			if !slices.Equal(call.Lost, c.lost) {
				t.Errorf("lost %q, want %q", call.Lost, c.lost)
			}
			again, err := Dialect{}.EncodeRequest(&llm.Call{Model: c.model}, c.prompt)
			if err != nil || string(again) != string(body) {
				t.Errorf("the same prompt gave other bytes: %v\n%s\n%s", err, body, again)
			}
		})
	}
}
