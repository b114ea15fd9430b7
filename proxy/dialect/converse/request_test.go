package converse_test

import (
	"errors"
	"strings"
	"testing"

	"keytray/proxy/dialect/converse"
	"keytray/proxy/llm"
)

func text(s string) llm.Block { return llm.Block{Kind: llm.Text, Text: s} }

func user(blocks ...llm.Block) llm.Message { return llm.Message{Role: llm.User, Blocks: blocks} }

func assistant(blocks ...llm.Block) llm.Message {
	return llm.Message{Role: llm.Assistant, Blocks: blocks}
}

func callOf(id, name, args string) llm.Block {
	return llm.Block{Kind: llm.ToolCall, ID: id, Name: name, Text: args}
}

func resultOf(id string, content ...llm.Block) llm.Block {
	return llm.Block{Kind: llm.ToolResult, ID: id, Content: content}
}

func encode(t *testing.T, p *llm.Prompt, flags ...string) (string, *llm.Call) {
	t.Helper()
	c := &llm.Call{Model: llm.Model{Provider: "bedrock", Name: "m", Flags: flags}}
	b, err := converse.Dialect{}.EncodeRequest(c, p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), c
}

func refused(t *testing.T, param string, p *llm.Prompt, flags ...string) {
	t.Helper()
	c := &llm.Call{Model: llm.Model{Name: "m", Flags: flags}}
	_, err := converse.Dialect{}.EncodeRequest(c, p)
	var e *llm.Error
	if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != param {
		t.Errorf("got %v, want a refusal of %s", err, param)
	}
}

func contains(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(body, p) {
			t.Errorf("no %s in\n%s", p, body)
		}
	}
}

func lacks(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(body, p) {
			t.Errorf("%s in\n%s", p, body)
		}
	}
}

var weather = llm.Tool{Name: "weather", Description: "of a city", Schema: []byte(`{"type":"object","properties":{"city":{"type":"string"}}}`)}

func TestToolResults(t *testing.T) {
	p := &llm.Prompt{Messages: []llm.Message{
		user(text("Hi")),
		assistant(callOf("a", "weather", `{"city":"Oslo"}`), callOf("b", "weather", ``), callOf("c", "weather", ``)),
		user(text("and then?"), resultOf("b", text(`[{"t":1}]`)), resultOf("a", text(`{"t":3.0}`))),
		user(llm.Block{Kind: llm.ToolResult, ID: "c", Failed: true, Content: []llm.Block{text("no such city")}}),
	}, Tools: []llm.Tool{weather}}
	body, _ := encode(t, p)
	// G1: in one user turn, in the order of the calls, before other words; G7.
	contains(t, body,
		`{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"json":{"t":3.0}}]}},`+
			`{"toolResult":{"toolUseId":"b","content":[{"json":{"result":[{"t":1}]}}]}},`+
			`{"toolResult":{"toolUseId":"c","content":[{"text":"no such city"}],"status":"error"}},{"text":"and then?"}]}`)
}

func TestDeveloper(t *testing.T) { // G3
	body, _ := encode(t, &llm.Prompt{
		System:   []llm.Block{text("Be terse.")},
		Messages: []llm.Message{user(text("Hi")), {Role: llm.System, Blocks: []llm.Block{text("In German.")}}},
	})
	contains(t, body, `"system":[{"text":"Be terse."},{"text":"In German."}]`)
	lacks(t, body, `"role":"system"`, `"role":"developer"`)
}

func TestCachePoints(t *testing.T) { // G5
	marked := weather
	marked.Cache = "5m"
	p := &llm.Prompt{
		System:   []llm.Block{{Kind: llm.Text, Text: "Long.", Cache: "1h"}},
		Messages: []llm.Message{user(llm.Block{Kind: llm.Text, Text: "Hi", Cache: "5m"}, text("there"))},
		Tools:    []llm.Tool{marked},
	}
	body, c := encode(t, p, llm.FlagCacheControl, llm.FlagCacheHour)
	contains(t, body,
		`"system":[{"text":"Long."},{"cachePoint":{"type":"default","ttl":"1h"}}]`,
		`"content":[{"text":"Hi"},{"cachePoint":{"type":"default"}},{"text":"there"}]`,
		`}}},{"cachePoint":{"type":"default"}}]`)
	if len(c.Lost) > 0 {
		t.Errorf("lost %q", c.Lost)
	}
	body, c = encode(t, p)
	lacks(t, body, "cachePoint")
	if len(c.Lost) != 1 {
		t.Errorf("lost %q", c.Lost)
	}
	body, _ = encode(t, p, llm.FlagCacheControl, llm.FlagNovaFields)
	contains(t, body, `"system":[{"text":"Long."},{"cachePoint":{"type":"default"}}]`)
	lacks(t, body, `}}},{"cachePoint"`)
	// A cache point that follows a document that is no PDF is refused.
	body, _ = encode(t, &llm.Prompt{Messages: []llm.Message{user(text("Look:"),
		llm.Block{Kind: llm.Document, Name: "a.txt", Media: llm.Media{Type: "text/plain", Data: "aGk="}, Cache: "5m"})}}, llm.FlagCacheControl)
	contains(t, body, `[{"text":"Look:"},{"cachePoint":{"type":"default"}},{"document":`)
	var five []llm.Message
	for range 3 {
		five = append(five, user(llm.Block{Kind: llm.Text, Text: "x", Cache: "5m"}), assistant(llm.Block{Kind: llm.Text, Text: "y", Cache: "5m"}))
	}
	body, _ = encode(t, &llm.Prompt{Messages: five}, llm.FlagCacheControl)
	if n := strings.Count(body, "cachePoint"); n != 4 {
		t.Errorf("%d cache points", n)
	}
	contains(t, body, `[{"role":"user","content":[{"text":"x"}]}`)
}

func TestToolsOfEarlierTurns(t *testing.T) { // G6
	history := []llm.Message{user(text("Hi")), assistant(callOf("a", "weather", "{}")), user(resultOf("a", text("sun")), text("Thanks."))}
	body, c := encode(t, &llm.Prompt{Messages: history})
	contains(t, body, `"toolConfig":{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object"`, "Do not call any tool")
	if len(c.Lost) != 1 || !strings.HasPrefix(c.Lost[0], "tool_choice") {
		t.Errorf("lost %q", c.Lost)
	}
	none := &llm.Prompt{Messages: history, Tools: []llm.Tool{weather, {Name: "other"}}, Choice: llm.Choice{Mode: llm.ChooseNone}}
	body, _ = encode(t, none)
	contains(t, body, `"description":"of a city"`)
	lacks(t, body, `"other"`, "toolChoice")
	refused(t, "messages", &llm.Prompt{Messages: history}, llm.FlagNoTools)
	none.Messages = history[:1]
	body, c = encode(t, none)
	lacks(t, body, "toolConfig")
	if len(c.Lost) > 0 {
		t.Errorf("lost %q", c.Lost)
	}
}

func TestDocumentNames(t *testing.T) { // G8
	doc := func(name string) llm.Block {
		return llm.Block{Kind: llm.Document, Name: name, Media: llm.Media{Type: "application/pdf", Data: "JVBERi0x"}}
	}
	body, _ := encode(t, &llm.Prompt{Messages: []llm.Message{
		user(doc("My  report_2026 (final)[1].pdf"), doc("отчёт.pdf"), doc("My report 2026 (final)[1].pdf"), doc("")),
	}})
	contains(t, body, `"name":"My report 2026 (final)[1]","format":"pdf"`, `"name":"Document 2"`,
		`"name":"My report 2026 (final)[1] (2)"`, `"name":"Document 4"`, `[{"text":"See the attached document."},{"document"`)
}

func TestEmptyNames(t *testing.T) { // G9
	body, c := encode(t, &llm.Prompt{
		Messages: []llm.Message{user(text("Hi")), assistant(callOf("", "", "{}"))},
		Tools:    []llm.Tool{{Name: "", Description: " "}, {Name: "ünter weather"}, {Name: strings.Repeat("x", 70)}},
	})
	contains(t, body, `{"toolSpec":{"name":"tool","inputSchema":{"json":{"type":"object","properties":{}}}}}`,
		`{"toolUse":{"toolUseId":"call","name":"tool"`, `"name":"_nter_weather"`)
	lacks(t, body, `"description"`, `"name":""`)
	if c.Tools["_nter_weather"] != "ünter weather" {
		t.Errorf("names %v", c.Tools)
	}
	for name := range c.Tools {
		if len(name) > 64 {
			t.Errorf("%s has %d letters", name, len(name))
		}
	}
}

func TestToolChoice(t *testing.T) { // G10
	p := &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Tools: []llm.Tool{weather}}
	for mode, want := range map[llm.ChoiceMode]string{
		llm.ChooseAuto: `"toolChoice":{"auto":{}}`, llm.ChooseAny: `"toolChoice":{"any":{}}`,
		llm.ChooseNamed: `"toolChoice":{"tool":{"name":"weather"}}`,
	} {
		p.Choice = llm.Choice{Mode: mode, Name: "weather"}
		body, _ := encode(t, p)
		contains(t, body, want)
	}
	p.Choice = llm.Choice{Mode: llm.ChooseAny}
	refused(t, "tool_choice", p, llm.FlagNoForcedTool)
	p.Choice = llm.Choice{Mode: llm.ChooseNamed, Name: "other"}
	refused(t, "tool_choice", p)
}

func TestSchemasAreOfObjects(t *testing.T) { // A18
	either := []byte(`{"anyOf":[{"properties":{"a":{}}},{"properties":{"b":{}}}]}`)
	const one = `{"type":"object","properties":{"a":{},"b":{}}}`
	body, c := encode(t, &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Tools: []llm.Tool{{Name: "f", Schema: either}}})
	contains(t, body, `"inputSchema":{"json":`+one+`}`)
	if len(c.Lost) != 1 || c.Lost[0] != "tools: alternatives at the root of a tool's parameters were merged" {
		t.Errorf("lost %q", c.Lost)
	}
	p := &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Format: llm.Format{Kind: llm.FormatSchema, Schema: either}}
	body, c = encode(t, p)
	contains(t, body, `"inputSchema":{"json":`+one+`}`)
	if len(c.Lost) != 1 || c.Lost[0] != "response_format: alternatives at the root of the schema were merged" {
		t.Errorf("lost %q", c.Lost)
	}
	p.Format.Schema = []byte(`{"type":"array"}`)
	refused(t, "response_format", p)
}

func TestHostedTools(t *testing.T) {
	hosted := llm.Tool{Kind: llm.Hosted, Name: llm.WebSearch}
	p := &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Tools: []llm.Tool{hosted, weather}}
	body, c := encode(t, p)
	lacks(t, body, llm.WebSearch)
	if len(c.Lost) != 1 || c.Lost[0] != "tools: web_search" {
		t.Errorf("lost %q", c.Lost)
	}
	p.Choice = llm.Choice{Mode: llm.ChooseNamed, Name: llm.WebSearch}
	refused(t, "tool_choice", p)
	refused(t, "tools", &llm.Prompt{Messages: p.Messages, Tools: []llm.Tool{hosted}})
	refused(t, "model", &llm.Prompt{Embed: &llm.Embed{}})
}

func TestReasoningGoesBackToItsMaker(t *testing.T) { // F9's way back
	signed := func(origin string) llm.Block {
		return llm.Block{Kind: llm.Thinking, Text: "hm", Opaque: "c2ln", Origin: origin}
	}
	p := &llm.Prompt{Messages: []llm.Message{
		user(text("Hi")),
		assistant(signed("converse:bedrock"), llm.Block{Kind: llm.Redacted, Opaque: "cmVk", Origin: "converse:bedrock"}, text("A")),
		user(text("B")), assistant(signed("messages:anthropic"), text("C")), user(text("D")),
	}}
	body, c := encode(t, p)
	contains(t, body, `[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"c2ln"}}},{"reasoningContent":{"redactedContent":"cmVk"}},{"text":"A"}]`,
		`[{"text":"C"}]`)
	if len(c.Lost) != 1 || c.Lost[0] != "messages: earlier reasoning" {
		t.Errorf("lost %q", c.Lost)
	}
}

func TestThinking(t *testing.T) {
	effort := func(s string) *llm.Prompt {
		k := 5
		return &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Reasoning: llm.Reasoning{Effort: s}, Limits: llm.Limits{TopK: &k}}
	}
	for _, c := range []struct {
		flag, effort, want string
	}{
		{llm.FlagThinkingBudget, "low", `"inferenceConfig":{"maxTokens":12288},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":4096}}`},
		{llm.FlagThinkingBudget, "none", `"additionalModelRequestFields":{"thinking":{"type":"disabled"},"top_k":5}`},
		{llm.FlagThinkingAdaptive, "max", `"additionalModelRequestFields":{"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"max"}}`},
		{llm.FlagEffortField, "xhigh", `"additionalModelRequestFields":{"reasoning_effort":"high"}`},
		{llm.FlagReasoningConfig, "medium", `"additionalModelRequestFields":{"reasoning_config":"medium"}`},
		{llm.FlagNovaFields, "low", `"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}`},
		{llm.FlagNovaFields, "none", `"additionalModelRequestFields":{"inferenceConfig":{"topK":5}}`},
	} {
		body, _ := encode(t, effort(c.effort), c.flag)
		contains(t, body, c.want)
	}
	body, c := encode(t, effort("high"))
	lacks(t, body, "additionalModelRequestFields")
	if len(c.Lost) != 2 {
		t.Errorf("lost %q", c.Lost)
	}
}

func TestSamplingAndTiers(t *testing.T) {
	hot, p95, zero := 1.5, 0.95, 0
	p := &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Tier: "flex", Limits: llm.Limits{Temperature: &hot, TopP: &p95, MaxTokens: &zero, Stop: []string{" ", "END", "END"}}}
	body, c := encode(t, p, llm.FlagOneSampler)
	contains(t, body, `"inferenceConfig":{"temperature":1,"stopSequences":["END"]}`, `"serviceTier":{"type":"flex"}`)
	if len(c.Lost) != 3 {
		t.Errorf("lost %q", c.Lost)
	}
	p.Tier = "fast"
	body, _ = encode(t, p, llm.FlagNoSampling)
	contains(t, body, `"performanceConfig":{"latency":"optimized"}`)
	lacks(t, body, "temperature", "topP")
}

func TestMedia(t *testing.T) {
	send := func(kind llm.BlockKind, m llm.Media) *llm.Prompt {
		return &llm.Prompt{Messages: []llm.Message{user(text("Hi"), llm.Block{Kind: kind, Media: m})}}
	}
	body, _ := encode(t, send(llm.Image, llm.Media{URL: "s3://bucket/cat.png"}))
	contains(t, body, `{"image":{"format":"png","source":{"s3Location":{"uri":"s3://bucket/cat.png"}}}}`)
	body, _ = encode(t, send(llm.Document, llm.Media{Type: "text/markdown", Data: "aGk="}))
	contains(t, body, `"format":"md","source":{"bytes":"aGk="}`)
	body, _ = encode(t, send(llm.Document, llm.Media{Type: "application/json", Data: "e30="}))
	contains(t, body, `"format":"txt"`)
	refused(t, "messages", send(llm.Image, llm.Media{URL: "https://example.com/cat.png"})) // never fetched
	refused(t, "messages", send(llm.Image, llm.Media{URL: "s3://bucket/cat"}))
	refused(t, "messages", send(llm.Image, llm.Media{Type: "image/tiff", Data: "aGk="}))
	refused(t, "messages", send(llm.Document, llm.Media{FileID: "file-1"}))
	refused(t, "messages", send(llm.Audio, llm.Media{Type: "audio/wav", Data: "aGk="}))
}

func TestFormat(t *testing.T) {
	closed := `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`
	p := &llm.Prompt{Messages: []llm.Message{user(text("Hi"))}, Format: llm.Format{Kind: llm.FormatSchema, Name: "x", Schema: []byte(closed)}}
	body, _ := encode(t, p, llm.FlagJSONSchema)
	contains(t, body, `"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"name":"x","schema":"{\"type\":\"object\"`)
	body, c := encode(t, p)
	contains(t, body, `"toolChoice":{"tool":{"name":"x"}}`)
	if c.FormatTool != "x" {
		t.Errorf("format tool %q", c.FormatTool)
	}
	p.Format.Schema = []byte(`{"type":"object","properties":{}}`)
	body, _ = encode(t, p, llm.FlagJSONSchema) // open: no grammar holds it
	contains(t, body, `"toolChoice"`)
	refused(t, "response_format", p, llm.FlagNoForcedTool)
}

func TestURL(t *testing.T) {
	for model, want := range map[string]string{
		"us.amazon.nova-pro-v1:0":                                      "us.amazon.nova-pro-v1%3A0",
		"arn:aws:bedrock:us-east-1:1:application-inference-profile/ab": "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aapplication-inference-profile%2Fab",
		"..": "%2E%2E",
	} {
		c := &llm.Call{Model: llm.Model{Name: model}}
		if got := (converse.Dialect{}).URL(c, "https://h"); got != "https://h/model/"+want+"/converse" {
			t.Errorf("%s: %s", model, got)
		}
		c.Stream = true
		if got := (converse.Dialect{}).URL(c, "https://h"); got != "https://h/model/"+want+"/converse-stream" {
			t.Errorf("%s: %s", model, got)
		}
	}
}
