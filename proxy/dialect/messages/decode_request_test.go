package messages_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

// ask is a body with more fields than it must have.
func ask(fields string) string {
	return `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]` + fields + `}`
}

// turns is a body with these messages.
func conversation(messages ...string) string {
	return `{"model":"m","max_tokens":9,"messages":[` + strings.Join(messages, ",") + `]}`
}

func userTurn(blocks string) string      { return `{"role":"user","content":[` + blocks + `]}` }
func assistantTurn(blocks string) string { return `{"role":"assistant","content":[` + blocks + `]}` }

func text(s string) llm.Block { return llm.Block{Kind: llm.Text, Text: s} }

const aCall = `{"type":"tool_use","id":"t1","name":"f","input":{"a": 1}}`

func TestDecodeMessages(t *testing.T) {
	call := llm.Block{Kind: llm.ToolCall, ID: "t1", Name: "f", Text: `{"a":1}`}
	result := func(content ...llm.Block) llm.Block {
		return llm.Block{Kind: llm.ToolResult, ID: "t1", Name: "f", Content: content}
	}
	b64 := base64.StdEncoding.EncodeToString([]byte("words"))
	msg := func(role llm.Role, blocks ...llm.Block) llm.Message { return llm.Message{Role: role, Blocks: blocks} }
	for name, c := range map[string]struct {
		body string
		want []llm.Message
		lost string
	}{
		"C2 no content":    {conversation(assistantTurn(aCall), userTurn(`{"type":"tool_result","tool_use_id":"t1"}`)), []llm.Message{msg(llm.Assistant, call), msg(llm.User, result())}, ""},
		"C2 null":          {conversation(assistantTurn(aCall), userTurn(`{"type":"tool_result","tool_use_id":"t1","content":null}`)), []llm.Message{msg(llm.Assistant, call), msg(llm.User, result())}, ""},
		"C2 empty":         {conversation(assistantTurn(aCall), userTurn(`{"type":"tool_result","tool_use_id":"t1","content":[]}`)), []llm.Message{msg(llm.Assistant, call), msg(llm.User, result())}, ""},
		"result as string": {conversation(assistantTurn(aCall), userTurn(`{"type":"tool_result","tool_use_id":"t1","content":"ok","is_error":false}`)), []llm.Message{msg(llm.Assistant, call), msg(llm.User, result(text("ok")))}, ""},
		"C3": {
			conversation(assistantTurn(aCall), userTurn(`{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]}`)),
			[]llm.Message{msg(llm.Assistant, call), msg(llm.User, result(text("a"), llm.Block{Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: "AA"}}))},
			"",
		},
		"C11 in the midst": {
			conversation(userTurn(`{"type":"text","text":"a"}`), `{"role":"system","content":"s"}`, assistantTurn(`{"type":"text","text":"b","citations":null}`)),
			[]llm.Message{msg(llm.User, text("a")), msg(llm.System, text("s")), msg(llm.Assistant, text("b"))},
			"",
		},
		"images": {conversation(userTurn(`{"type":"image","source":{"type":"url","url":"http://127.0.0.1/x"}},{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"R0"},"cache_control":{"type":"ephemeral","ttl":"1h"}}`)), // K6: nothing is fetched
			[]llm.Message{msg(llm.User, llm.Block{Kind: llm.Image, Media: llm.Media{URL: "http://127.0.0.1/x"}}, llm.Block{Kind: llm.Image, Media: llm.Media{Type: "image/gif", Data: "R0"}, Cache: "1h"})}, ""},
		"C18 documents": {
			conversation(userTurn(`{"type":"document","title":"T","context":"about","citations":{"enabled":true},"source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"}},{"type":"document","source":{"type":"url","url":"https://e.org/a.pdf"}}`)),
			[]llm.Message{msg(llm.User, text("About the document T: about"), llm.Block{Kind: llm.Document, Name: "T", Media: llm.Media{Type: "application/pdf", Data: "JVBERi0"}}, llm.Block{Kind: llm.Document, Media: llm.Media{Type: "text/plain", Data: b64}}, llm.Block{Kind: llm.Document, Media: llm.Media{Type: "application/pdf", URL: "https://e.org/a.pdf"}})},
			"messages[].content[].citations: only Anthropic's models cite documents",
		},
		"a document of blocks": {
			conversation(userTurn(`{"type":"document","title":"T","source":{"type":"content","content":[{"type":"text","text":"a"}]},"cache_control":{"type":"ephemeral"}}`)),
			[]llm.Message{msg(llm.User, text("T:"), llm.Block{Kind: llm.Text, Text: "a", Cache: "5m"})},
			"",
		},
		"search results": {
			conversation(userTurn(`{"type":"search_result","source":"https://e.org","title":"E","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`)),
			[]llm.Message{msg(llm.User, text("E\nhttps://e.org\n\na\nb"))},
			"",
		},
		"thinking": {
			conversation(assistantTurn(`{"type":"thinking","thinking":"t","signature":"EqQB"},{"type":"redacted_thinking","data":"R"},{"type":"thinking","thinking":"u","signature":"` + llm.Seal("gemini:google", "g") + `"},{"type":"thinking","thinking":"v"}`)),
			[]llm.Message{msg(llm.Assistant, llm.Block{Kind: llm.Thinking, Text: "t", Opaque: "EqQB", Origin: "messages"}, llm.Block{Kind: llm.Redacted, Opaque: "R", Origin: "messages"}, llm.Block{Kind: llm.Thinking, Text: "u", Opaque: "g", Origin: "gemini:google"}, llm.Block{Kind: llm.Thinking, Text: "v"})},
			"",
		},
		"B11 a search of the provider's own": {
			conversation(assistantTurn(`{"type":"text","text":"a"},{"type":"server_tool_use","id":"s1","name":"web_search","input":{"query":"q"}},{"type":"web_search_tool_result","tool_use_id":"s1","content":[{"type":"web_search_result","title":"E","url":"https://e.org","encrypted_content":"secret","page_age":null}]},{"type":"text","text":"b"},` + aCall)),
			[]llm.Message{
				msg(llm.Assistant, text("a"), llm.Block{Kind: llm.ToolCall, ID: "s1", Name: "web_search", Text: `{"query":"q"}`}),
				msg(llm.User, llm.Block{Kind: llm.ToolResult, ID: "s1", Name: "web_search", Content: []llm.Block{text("E: https://e.org")}}),
				msg(llm.Assistant, text("b"), call),
			},
			"messages: the work of a provider's own tool went as a call of a tool",
		},
		"MCP and code": {
			conversation(assistantTurn(`{"type":"mcp_tool_use","id":"s1","name":"roll","server_name":"d","input":{}},{"type":"mcp_tool_result","tool_use_id":"s1","is_error":true,"content":[{"type":"text","text":"6"}]},{"type":"server_tool_use","id":"s2","name":"code_execution","input":{}},{"type":"code_execution_tool_result","tool_use_id":"s2","content":{"type":"code_execution_result", "stdout":"1"}},{"type":"server_tool_use","id":"s3","name":"web_fetch","input":{}}`)),
			[]llm.Message{
				msg(llm.Assistant, llm.Block{Kind: llm.ToolCall, ID: "s1", Name: "roll", Text: "{}"}, llm.Block{Kind: llm.ToolCall, ID: "s2", Name: "code_execution", Text: "{}"}),
				msg(llm.User, llm.Block{Kind: llm.ToolResult, ID: "s1", Name: "roll", Failed: true, Content: []llm.Block{text("6")}}, llm.Block{Kind: llm.ToolResult, ID: "s2", Name: "code_execution", Content: []llm.Block{text(`{"type":"code_execution_result","stdout":"1"}`)}}),
			},
			"messages: the work of a provider's own tool went as a call of a tool; messages: a call of a provider's own tool that was not finished",
		},
		"A13 broken input": {
			conversation(assistantTurn(`{"type":"tool_use","id":"t1","name":"f","input":null},{"type":"tool_use","id":"t2","name":"f"}`)),
			[]llm.Message{msg(llm.Assistant, llm.Block{Kind: llm.ToolCall, ID: "t1", Name: "f", Text: "{}"}, llm.Block{Kind: llm.ToolCall, ID: "t2", Name: "f", Text: "{}"})},
			"",
		},
		"an answer pushed back": {
			conversation(userTurn(`{"type":"text","text":"a"}`), `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"b","citations":[{"type":"char_location"}]}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1}}`),
			[]llm.Message{msg(llm.User, text("a")), msg(llm.Assistant, text("b"))},
			"",
		},
		"compaction": {conversation(assistantTurn(`{"type":"compaction","content":"so far"}`)), []llm.Message{msg(llm.Assistant, text("so far"))}, "messages: a compaction block went as text"},
		"unknown":    {conversation(`{"role":"user","content":[{"type":"text","text":"a","later":1}],"clear_at":"x"}`), []llm.Message{msg(llm.User, text("a"))}, "messages[].clear_at; messages[].content[].later"},
	} {
		p := prompt(t, c.body)
		if slices.Sort(p.Lost); !reflect.DeepEqual(p.Messages, c.want) || strings.Join(p.Lost, "; ") != sorted(c.lost) {
			t.Errorf("%s: %+v\nwant %+v\nlost %q", name, p.Messages, c.want, p.Lost)
		}
	}
}

func sorted(list string) string {
	all := strings.Split(list, "; ")
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// C1: system as a string and as blocks are the same.
func TestSystem(t *testing.T) {
	one, two := prompt(t, ask(`,"system":"S"`)), prompt(t, ask(`,"system":[{"type":"text","text":"S"}]`))
	if !reflect.DeepEqual(one, two) || len(one.System) != 1 {
		t.Errorf("%+v, %+v", one, two)
	}
	// A leading system message is the system prompt's (C11, A1).
	p := prompt(t, `{"model":"m","max_tokens":9,"system":"A","messages":[{"role":"system","content":[{"type":"text","text":"B","cache_control":{"type":"ephemeral"}}],"output_config":{"effort":"low"}},{"role":"user","content":"x"}]}`)
	if len(p.System) != 2 || p.System[1].Text != "B" || p.System[1].Cache != "5m" || len(p.Messages) != 1 || p.Reasoning.Effort != "low" {
		t.Errorf("%+v", p)
	}
}

func TestDecodeOptions(t *testing.T) {
	n := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		fields string
		got    func(p *llm.Prompt) any
		want   any
		lost   string
	}{
		"A25 zero":                {`,"temperature":0,"top_p":0,"top_k":0`, func(p *llm.Prompt) any { return []any{*p.Limits.Temperature, *p.Limits.TopP, *p.Limits.TopK} }, []any{0.0, 0.0, 0}, ""},
		"C8 stop":                 {`,"stop_sequences":["a"]`, func(p *llm.Prompt) any { return p.Limits.Stop }, []string{"a"}, ""},
		"C5 thinking enabled":     {`,"thinking":{"type":"enabled","budget_tokens":2000,"display":"summarized"}`, func(p *llm.Prompt) any { return p.Reasoning }, llm.Reasoning{Budget: n(2000), Show: "auto"}, ""},
		"C5 adaptive":             {`,"thinking":{"type":"adaptive","display":"omitted"}`, func(p *llm.Prompt) any { return p.Reasoning }, llm.Reasoning{Budget: n(-1), Show: "none"}, ""},
		"C5 adaptive and effort":  {`,"thinking":{"type":"adaptive"},"output_config":{"effort":"xhigh","task_budget":{"type":"tokens","total":9}}`, func(p *llm.Prompt) any { return p.Reasoning }, llm.Reasoning{Effort: "xhigh"}, "output_config.task_budget"},
		"C5 disabled":             {`,"output_config":{"effort":"low"},"thinking":{"type":"disabled"}`, func(p *llm.Prompt) any { return p.Reasoning }, llm.Reasoning{Budget: n(0)}, "output_config.effort: thinking is off"},
		"effort alone":            {`,"output_config":{"effort":"max"}`, func(p *llm.Prompt) any { return p.Reasoning }, llm.Reasoning{Effort: "max"}, ""},
		"metadata":                {`,"metadata":{"user_id":"u","trace":1},"service_tier":"standard_only"`, func(p *llm.Prompt) any { return p.User + " " + p.Tier }, "u default", "metadata.trace"},
		"a mark for all":          {`,"cache_control":{"type":"ephemeral"}`, func(p *llm.Prompt) any { return p.Messages[0].Blocks[0].Cache }, "5m", ""},
		"what others do not have": {`,"container":"c","context_management":{"edits":[{}]},"speed":"fast","inference_geo":"global","diagnostics":null,"betas":["b"]`, func(p *llm.Prompt) any { return nil }, nil, "betas; container; context_management; speed"},
		"C7":                      {`,"tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`, func(p *llm.Prompt) any { return []any{p.Choice.Mode, *p.Choice.Parallel} }, []any{llm.ChooseAuto, false}, ""},
		"named":                   {`,"tools":[{"type":"custom","name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":false}`, func(p *llm.Prompt) any { return p.Choice }, llm.Choice{Mode: llm.ChooseNamed, Name: "f"}, ""},
		"A26":                     {`,"tool_choice":{"type":"any"},"tools":[]`, func(p *llm.Prompt) any { return p.Choice }, llm.Choice{}, "tool_choice: there are no tools"},
	} {
		p := prompt(t, ask(c.fields))
		if slices.Sort(p.Lost); !reflect.DeepEqual(c.got(p), c.want) || strings.Join(p.Lost, "; ") != c.lost {
			t.Errorf("%s: %+v, lost %q", name, c.got(p), p.Lost)
		}
	}
}

func TestDecodeFormat(t *testing.T) {
	const open, shut = `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`, `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	for _, fields := range []string{`,"output_config":{"format":{"type":"json_schema","schema":` + shut + `}}`, `,"output_format":{"type":"json_schema","schema":` + shut + `}`} {
		f := prompt(t, ask(fields)).Format
		if f.Kind != llm.FormatSchema || string(f.Schema) != shut || f.Strict == nil || !*f.Strict {
			t.Errorf("%+v", f)
		}
	}
	// One that others cannot hold a model to is not said to be strict.
	if f := prompt(t, ask(`,"output_format":{"type":"json_schema","schema":`+open+`}`)).Format; f.Strict != nil {
		t.Errorf("%+v", f)
	}
}

func TestDecodeTools(t *testing.T) {
	p := prompt(t, ask(`,"tools":[
{"name":"f","description":"d","input_schema":{"b":1, "a":2},"strict":true,"cache_control":{"type":"ephemeral","ttl":"1h"},"input_examples":[{"x": 1}],"defer_loading":true,"allowed_callers":["direct"]},
{"type":"bash_20250124","name":"bash"},{"type":"text_editor_20250728","name":"str_replace_based_edit_tool","max_characters":9},{"type":"memory_20250818","name":"memory"},
{"type":"computer_20251124","name":"computer","display_width_px":1024,"display_height_px":768,"enable_zoom":true},
{"type":"web_search_20250305","name":"web_search","max_uses":3},{"type":"web_fetch_20250910","name":"web_fetch"},{"type":"code_execution_20250825","name":"code_execution"},
{"type":"tool_search_tool_regex_20251119","name":"tool_search_tool_regex"},{"type":"advisor_20260301","name":"advisor","model":"x"},{"type":"mcp_toolset","mcp_server_name":"s"}],
"mcp_servers":[{"type":"url","url":"https://e.org","authorization_token":"secret"}],"tool_choice":{"type":"tool","name":"tool_search_tool_regex"}`))
	var names []string
	for _, tool := range p.Tools {
		n := tool.Name
		switch tool.Kind {
		case llm.Hosted:
			n += "*"
		case llm.Function:
			if len(tool.Schema) == 0 || tool.Description == "" {
				t.Errorf("%s tells no model what it is", n)
			}
			value(t, tool.Schema)
		}
		if strings.Contains(string(tool.Raw), "secret") {
			t.Errorf("%s holds a secret", n)
		}
		names = append(names, n)
	}
	if got, want := strings.Join(names, " "), "f bash str_replace_based_edit_tool memory computer web_search* web_fetch* code_execution* tool_search* advisor* mcp_toolset* mcp_servers*"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	f := p.Tools[0]
	if string(f.Schema) != `{"b":1, "a":2}` || f.Strict == nil || f.Cache != "1h" || f.Description != "d\n\nExamples of its input:\n{\"x\":1}" { // A17
		t.Errorf("%+v", f)
	}
	if p.Choice.Name != "tool_search" || strings.Join(p.Lost, "; ") != "tools[].defer_loading: all tools are offered at once" {
		t.Errorf("%+v, lost %q", p.Choice, p.Lost)
	}
	if s := string(p.Tools[4].Schema); !strings.Contains(s, `"zoom"`) || !strings.Contains(p.Tools[4].Description, "1024 by 768") {
		t.Error(s)
	}
	old := prompt(t, ask(`,"tools":[{"type":"text_editor_20250124","name":"str_replace_editor"},{"type":"computer_20241022","name":"computer","display_width_px":1,"display_height_px":1}]`))
	if !strings.Contains(string(old.Tools[0].Schema), "undo_edit") || strings.Contains(string(p.Tools[2].Schema), "undo_edit") || strings.Contains(string(old.Tools[1].Schema), "scroll\"") {
		t.Error("commands of other versions")
	}
	// What a model of another dialect is offered works like any function.
	body, err := chat.Dialect{}.EncodeRequest(&llm.Call{}, old)
	if err != nil || !strings.Contains(string(body), `{"type":"function","function":{"name":"str_replace_editor"`) {
		t.Errorf("%v %s", err, body)
	}
}

func TestToolsThatComeAndGo(t *testing.T) {
	p := prompt(t, `{"model":"m","max_tokens":9,"tools":[{"name":"a","input_schema":{}}],"messages":[{"role":"user","content":"x"},{"role":"system","content":[{"type":"tool_addition","tool":{"type":"tool_definition","definition":{"name":"b","input_schema":{}}}},{"type":"tool_removal","tool":{"type":"tool_reference","name":"a"}}]},{"role":"user","content":"y"}]}`)
	if len(p.Tools) != 1 || p.Tools[0].Name != "b" || len(p.Messages) != 2 || len(p.Lost) != 1 {
		t.Errorf("%+v", p)
	}
}

// C15: two tools of one name are one if they are the same, and refused if not.
func TestToolsOfOneName(t *testing.T) {
	same := prompt(t, ask(`,"tools":[{"name":"f","input_schema":{}},{"name":"f","input_schema":{}}]`))
	for _, out := range outbounds {
		if b, err := out.EncodeRequest(&llm.Call{}, same); err != nil || strings.Count(string(b), `"f"`) != 1 {
			t.Errorf("%s: %v %s", out.Name(), err, b)
		}
	}
}

// What is refused names the field at fault.
func TestDecodeRefuses(t *testing.T) {
	for body, param := range map[string]string{
		`{"model":"m"}`:                            "messages",
		conversation():                             "messages",
		ask(`,"thinking":{"type":"on"}`):           "thinking.type",
		ask(`,"thinking":{"type":"enabled"}`):      "thinking.budget_tokens",
		ask(`,"output_config":{"effort":"most"}`):  "output_config.effort",
		ask(`,"output_format":{"type":"grammar"}`): "output_format.type",
		ask(`,"temperature":"warm"`):               "temperature",
		ask(`,"top_k":1.5`):                        "top_k",
		ask(`,"stop_sequences":"a"`):               "stop_sequences",
		ask(`,"inference_geo":"us"`):               "inference_geo",
		ask(`,"tools":[{"name":"f"}]`):             "tools.0.input_schema",
		ask(`,"tools":[{"input_schema":{}}]`):      "tools.0.name",
		ask(`,"tools":[{"type":"bash_20250124"}]`): "tools.0.name",
		ask(`,"tools":{}`):                         "tools",
		ask(`,"tools":[{"name":"f","input_schema":{}},{"name":"f","description":"d","input_schema":{}}]`):               "tools",
		ask(`,"cache_control":{"type":"forever"}`):                                                                      "cache_control.type",
		ask(`,"tool_choice":{"type":"some"}`):                                                                           "tool_choice.type",
		ask(`,"tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"g"}`):                       "tool_choice.name",
		ask(`,"system":[{"type":"image"}]`):                                                                             "system.0.type",
		conversation(`{"content":"x"}`):                                                                                 "messages.0.role",
		conversation(`{"role":"robot","content":"x"}`):                                                                  "messages.0.role",
		conversation(`{"role":"user"}`):                                                                                 "messages.0.content",
		conversation(userTurn(`{"text":"x"}`)):                                                                          "messages.0.content.0.type",
		conversation(userTurn(`{"type":"text"}`)):                                                                       "messages.0.content.0.text",
		conversation(userTurn(`{"type":"hologram"}`)):                                                                   "messages.0.content.0.type",
		conversation(userTurn(`{"type":"container_upload","file_id":"f"}`)):                                             "messages.0.content.0",
		conversation(userTurn(`{"type":"tool_result"}`)):                                                                "messages.0.content.0.tool_use_id",
		conversation(userTurn(`{"type":"image","source":{"type":"file","file_id":"f"}}`)):                               "messages.0.content.0.source",
		conversation(userTurn(`{"type":"image","source":{"type":"base64","data":"AA"}}`)):                               "messages.0.content.0.source.media_type",
		conversation(userTurn(`{"type":"document","source":"x"}`)):                                                      "messages.0.content.0.source",
		conversation(assistantTurn(`{"type":"tool_use","name":"f"}`)):                                                   "messages.0.content.0.id",
		conversation(assistantTurn(`{"type":"compaction","encrypted_content":"x"}`)):                                    "messages.0.content.0",
		conversation(assistantTurn(`{"type":"thinking","thinking":"t","signature":"` + llm.Seal("a", "b")[:14] + `"}`)): "messages.0.content.0.signature",
	} {
		_, err := messages.Dialect{}.DecodeRequest(&llm.Request{Raw: []byte(body)})
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != param || e.Message == "" {
			t.Errorf("%s: %v, want a refusal of %s", body, err, param)
		}
	}
	for _, body := range []string{``, `[]`, `{"model":"m","messages":[`, `{"messages":[}`} {
		if _, err := (messages.Dialect{}).DecodeRequest(&llm.Request{Raw: []byte(body)}); err == nil {
			t.Errorf("%q was read", body)
		}
	}
}

// Version 2026-10-21 refuses sampling parameters even at their defaults,
// documents in turns of the assistant and citations in a user's text.
func TestStrictVersion(t *testing.T) {
	doc := `{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}}`
	for body, param := range map[string]string{
		ask(`,"temperature":1`): "temperature", ask(`,"top_p":1`): "top_p", ask(`,"top_k":0`): "top_k", ask(`,"temperature":null`): "",
		conversation(assistantTurn(doc)): "messages.0.content.0", conversation(userTurn(doc)): "",
		conversation(userTurn(`{"type":"text","text":"a","citations":[{"type":"char_location"}]}`)): "messages.0.content.0.citations",
	} {
		for version, strict := range map[string]bool{"": false, "2023-06-01": false, "2026-10-21": true, "2027-01-01": true} {
			r := &llm.Request{Raw: []byte(body), Header: http.Header{"Anthropic-Version": {version}}}
			_, err := messages.Dialect{}.DecodeRequest(r)
			if want := param != "" && strict; (err != nil) != want || want && llm.AsError(err).Param != param {
				t.Errorf("%s under %q: %v", body, version, err)
			}
		}
	}
}

func TestPeek(t *testing.T) {
	peek := func(path, body string) (llm.Peek, error) {
		return messages.Dialect{}.Peek(httptest.NewRequest("POST", path, nil), []byte(body))
	}
	body := `{"messages":[{"model":"no"}], "model" : "a\"b","stream":true}`
	p, err := peek("/v1/messages?beta=true", body)
	if err != nil || p.Model != `a"b` || !p.Stream || p.Counts || body[p.ModelAt[0]:p.ModelAt[1]] != `"a\"b"` {
		t.Errorf("%+v %v", p, err)
	}
	if p, err = peek("/v1/messages/count_tokens?beta=true", body); err != nil || !p.Counts || p.Stream {
		t.Errorf("%+v %v", p, err)
	}
	for _, bad := range []string{``, `[]`, `{"model":1}`, `{"model":""}`, `{"model":"a","model":"b"}`, `{}`, `{"model":"a"`, `{"model":"a","stream":"yes"}`} {
		if _, err := peek("/v1/messages", bad); err == nil || llm.AsError(err).Kind != llm.BadRequest {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if (messages.Dialect{}).ContentType(llm.Peek{Stream: true}) != "text/event-stream" || (messages.Dialect{}).ContentType(llm.Peek{}) != "application/json" {
		t.Error("content types")
	}
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(claudeCode))
	f.Add([]byte(ask(`,"tools":[{"type":"computer_20251124","name":"c"},{"type":"x"}],"tool_choice":{"type":"tool","name":"c"},"thinking":{"type":"adaptive"}`)))
	f.Add([]byte(conversation(assistantTurn(`{"type":"server_tool_use","id":"s","name":"n"},{"type":"web_search_tool_result","tool_use_id":"s","content":[{}]},{"type":"text","text":"b"}`), userTurn(`{"type":"document","source":{"type":"content","content":"x"}}`))))
	f.Fuzz(func(t *testing.T, body []byte) {
		r := &llm.Request{Raw: body, Inbound: messages.Dialect{}}
		if p, err := (messages.Dialect{}).DecodeRequest(r); err == nil {
			for _, out := range outbounds {
				if _, err := out.EncodeRequest(&llm.Call{}, p); err != nil {
					var e *llm.Error
					if !errors.As(err, &e) {
						t.Fatalf("%s: %T", out.Name(), err)
					}
				}
			}
		} else {
			var e *llm.Error
			if !errors.As(err, &e) {
				t.Fatalf("%T", err)
			}
		}
		if peek, err := (messages.Dialect{}).Peek(httptest.NewRequest("POST", "/", nil), body); err == nil {
			r.Peek = peek
			if _, err := (messages.Dialect{}).Patch(&llm.Call{Model: llm.Model{Name: "m"}}, r); err != nil {
				t.Fatal(err)
			}
		}
	})
}
