package responses

import (
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// What a client's items become.
func TestItems(t *testing.T) {
	const sealed = "a2V5dHJheTEAbWVzc2FnZXM6YW50aHJvcGljAHNpZw==" // Seal("messages:anthropic", "sig")
	for _, tt := range []struct{ name, body, want string }{
		{"F7: a text", `{"input":"Hi"}`, `user[text Hi]`},
		{
			"F7: items without a type or an id", `{"input":[{"role":"user","content":"Hi"},{"role":"assistant","content":[{"type":"output_text","text":"Ho"}]},{"role":"user","content":[{"type":"input_text","text":"x"}]}]}`,
			`user[text Hi] assistant[text Ho] user[text x]`,
		},
		{
			"answers pushed back with what only answers have", `{"input":[{"id":"m","type":"message","role":"assistant","status":"completed","phase":"final_answer","content":[{"type":"output_text","text":"A","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"B"}]},{"type":"message","role":"user","content":"x"}]}`,
			`assistant[text A|refusal B] user[text x]`,
		},
		{
			"one turn of what a model made in a row", `{"input":[{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"gAA"},{"type":"message","role":"assistant","content":"T"},{"type":"function_call","call_id":"1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"2","name":"g","arguments":""},{"type":"function_call_output","call_id":"1","output":"x"},{"type":"function_call_output","call_id":"2","output":null}]}`,
			`assistant[thinking a  b (gAA of responses)|text T|call 1 f {}|call 2 g ] user[result 1 f: x|result 2 g:]`,
		},
		{
			"two messages in a row", `{"input":[{"role":"assistant","content":"A"},{"type":"reasoning","summary":[],"encrypted_content":"gAA"},{"role":"assistant","content":"B"}]}`,
			`assistant[text A] assistant[redacted (gAA of responses)|text B]`,
		},
		{"two messages without anything between", `{"input":[{"role":"assistant","content":"A"},{"role":"assistant","content":"B"}]}`, `assistant[text A] assistant[text B]`},
		{"F9: sealed", `{"input":[{"type":"reasoning","summary":[],"encrypted_content":"` + sealed + `"},{"role":"user","content":"x"}]}`, `assistant[redacted (sig of messages:anthropic)] user[text x]`},
		{
			"F20: nothing in it", `{"input":[{"type":"reasoning","id":"r","summary":[],"content":null,"encrypted_content":null},{"type":"reasoning","summary":null,"content":[{"type":"reasoning_text","text":"raw"}],"status":null},{"role":"user","content":"x"}]}`,
			`assistant[thinking raw (of responses)] user[text x]`,
		},
		{
			"F14: parts of a result", `{"input":[{"type":"function_call","call_id":"1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"1","output":[{"type":"input_text","text":"t"},{"type":"input_image","image_url":"data:image/png;base64,AA","detail":"low"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BB"}]}]}`,
			`assistant[call 1 f {}] user[result 1 f: text t, image image/png AA low, document a.pdf application/pdf BB]`,
		},
		{
			"F8: calls of other forms", `{"tools":[{"type":"namespace","name":"ns","tools":[{"type":"function","name":"f"}]}],"input":[{"type":"custom_tool_call","call_id":"1","name":"edit","input":"a\"b"},{"type":"custom_tool_call_output","call_id":"1","output":"ok"},{"type":"local_shell_call","id":"l","call_id":"2","status":"completed","action":{"type":"exec","command":["ls"],"env":{},"user":null}},{"type":"local_shell_call_output","id":"2","output":"out"},{"type":"apply_patch_call","call_id":"3","operation":{"type":"delete_file","path":"p"}},{"type":"apply_patch_call_output","call_id":"3","status":"failed","output":"no"},{"type":"shell_call","call_id":"4","action":{"commands":["ls"]}},{"type":"shell_call_output","call_id":"4","output":[{"stdout":"o\n","stderr":"e","outcome":{"type":"exit","exit_code":2}}]},{"type":"function_call","call_id":"5","namespace":"ns","name":"f","arguments":"{}"}]}`,
			`assistant[call 1 edit {"input":"a\"b"}] user[result 1 edit: ok] assistant[call 2 local_shell {"command":["ls"],"env":{}}] user[result 2 local_shell: out] assistant[call 3 apply_patch {"type":"delete_file","path":"p"}] user[failed result 3 apply_patch: no] assistant[call 4 shell {"commands":["ls"]}] user[result 4 shell: o e (exit code 2)] assistant[call 5 ns__f {}]`,
		},
		{"F8: an agent's message", `{"input":[{"type":"agent_message","author":"/root","recipient":"/a","content":[{"type":"input_text","text":"go"}]}]}`, `user[text Message from /root: go]`},
		{"instructions and later ones", `{"instructions":"I","input":[{"role":"developer","content":"D"},{"role":"user","content":"x"},{"role":"system","content":[{"type":"input_text","text":"S"}]}]}`, `system: I|D; user[text x] system[text S]`},
		{
			"an image made before", `{"input":[{"type":"image_generation_call","id":"i","result":"AA","output_format":"webp"},{"role":"user","content":[{"type":"input_image","file_id":"f1"},{"type":"input_file","file_url":"https://x/a.pdf"}]}]}`,
			`assistant[image image/webp AA] user[image file f1|document https://x/a.pdf]`,
		},
	} {
		if got := show(prompt(t, tt.body)); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// show writes a prompt's conversation in a line.
func show(p *llm.Prompt) string {
	var all []string
	if len(p.System) > 0 {
		var s []string
		for _, b := range p.System {
			s = append(s, b.Text)
		}
		all = append(all, "system: "+strings.Join(s, "|")+";")
	}
	for _, m := range p.Messages {
		var s []string
		for _, b := range m.Blocks {
			s = append(s, showBlock(&b))
		}
		all = append(all, string(m.Role)+"["+strings.Join(s, "|")+"]")
	}
	return strings.ReplaceAll(strings.Join(all, " "), "\n", " ")
}

func showBlock(b *llm.Block) string {
	kinds := map[llm.BlockKind]string{llm.Text: "text", llm.Thinking: "thinking", llm.Redacted: "redacted", llm.ToolCall: "call", llm.ToolResult: "result", llm.Image: "image", llm.Document: "document", llm.Refusal: "refusal"}
	s := kinds[b.Kind]
	switch b.Kind {
	case llm.ToolResult:
		if b.Failed {
			s = "failed " + s
		}
		s += " " + b.ID + " " + b.Name + ":"
		for i := range b.Content {
			if len(b.Content) > 1 && i > 0 {
				s += ","
			}
			if c := showBlock(&b.Content[i]); len(b.Content) > 1 {
				s += " " + c
			} else {
				s += strings.TrimPrefix(c, "text")
			}
		}
		return s
	case llm.ToolCall:
		return s + " " + b.ID + " " + b.Name + " " + b.Text
	case llm.Image, llm.Document:
		for _, x := range []string{b.Name, b.Media.Type, b.Media.Data, b.Media.URL, b.Media.Detail} {
			if x != "" {
				s += " " + x
			}
		}
		if b.Media.FileID != "" {
			s += " file " + b.Media.FileID
		}
		return s
	}
	if b.Text != "" {
		s += " " + b.Text
	}
	if b.Opaque != "" {
		s += " (" + b.Opaque + " of " + b.Origin + ")"
	} else if b.Origin != "" {
		s += " (of " + b.Origin + ")"
	}
	return s
}

func TestTools(t *testing.T) {
	p := prompt(t, `{"input":[{"type":"additional_tools","role":"developer","tools":[{"type":"function","name":"late"}]},{"role":"user","content":"x"}],"tools":[
		{"type":"function","name":"f","description":"d","parameters":{"b":1,"a":2},"strict":true,"defer_loading":true},
		{"type":"function","function":{"name":"nested","parameters":{}}},
		{"type":"custom","name":"edit","description":"Edits.","format":{"type":"grammar","syntax":"lark","definition":"start: x"}},
		{"type":"namespace","name":"crm","description":"CRM","tools":[{"type":"function","name":"find"}]},
		{"type":"web_search","external_web_access":true},{"type":"code_interpreter","container":{"type":"auto"}},{"type":"image_generation"},{"type":"mcp","server_label":"x"},
		{"type":"tool_search"},{"type":"local_shell"},{"type":"shell","environment":{"type":"container_auto"}}],
		"tool_choice":{"type":"function","name":"find","namespace":"crm"}}`)
	var got []string
	for _, tool := range p.Tools {
		got = append(got, []string{"", "custom ", "hosted "}[tool.Kind]+tool.Name)
	}
	const want = "f|nested|custom edit|crm__find|hosted web_search|hosted code_execution|hosted image_generation|hosted mcp|local_shell|hosted shell|late"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
	if string(p.Tools[0].Schema) != `{"b":1,"a":2}` || !*p.Tools[0].Strict { // A17
		t.Errorf("%s", p.Tools[0].Schema)
	}
	if c := p.Tools[2]; string(c.Schema) != llm.CustomSchema || !strings.HasSuffix(c.Description, "lark grammar:\nstart: x") || c.Origin != "responses" || !strings.Contains(string(c.Raw), "grammar") {
		t.Errorf("%+v", c)
	}
	if p.Choice.Mode != llm.ChooseNamed || p.Choice.Name != "crm__find" {
		t.Errorf("%+v", p.Choice)
	}
	const lost = "tools: descriptions of namespaces|tools: tool_search: all tools are sent at once"
	if got := strings.Join(p.Lost, "|"); got != lost {
		t.Errorf("lost %s", got)
	}
}

func TestToolChoice(t *testing.T) {
	const tools = `"input":"x","tools":[{"type":"function","name":"f"},{"type":"custom","name":"c"},{"type":"web_search_preview"},{"type":"apply_patch"}]`
	for choice, want := range map[string]llm.Choice{
		`"auto"`:                         {Mode: llm.ChooseAuto},
		`"none"`:                         {Mode: llm.ChooseNone},
		`"required"`:                     {Mode: llm.ChooseAny},
		`{"type":"function","name":"f"}`: {Mode: llm.ChooseNamed, Name: "f"},
		`{"type":"function","function":{"name":"f"}}`: {Mode: llm.ChooseNamed, Name: "f"}, // F18
		`{"type":"custom","name":"c"}`:                {Mode: llm.ChooseNamed, Name: "c"},
		`{"type":"web_search_preview"}`:               {Mode: llm.ChooseNamed, Name: "web_search"},
		`{"type":"apply_patch"}`:                      {Mode: llm.ChooseNamed, Name: "apply_patch"},
		`{"type":"allowed_tools","mode":"required","tools":[{"type":"custom","name":"c"},{"type":"web_search"}]}`: {Mode: llm.ChooseAny},
	} {
		p := prompt(t, `{`+tools+`,"tool_choice":`+choice+`}`)
		if p.Choice != want {
			t.Errorf("%s: %+v", choice, p.Choice)
		}
		if strings.Contains(choice, "allowed") && (len(p.Tools) != 2 || len(p.Lost) != 1) {
			t.Errorf("%s: %+v, lost %q", choice, p.Tools, p.Lost)
		}
	}
	if p := prompt(t, `{"input":"x","tool_choice":{"type":"function","name":"f"}}`); p.Choice.Mode != llm.ChooseUnset || len(p.Lost) != 1 { // A26
		t.Errorf("%+v %q", p.Choice, p.Lost)
	}
}

func TestSettings(t *testing.T) {
	p := prompt(t, `{"input":"x","max_output_tokens":9,"temperature":0,"top_p":0,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},"reasoning":{"effort":"high","summary":"detailed"},
		"service_tier":"flex","prompt_cache_key":"k","safety_identifier":"u","parallel_tool_calls":false,"include":["reasoning.encrypted_content"],"store":false,"background":false,"metadata":{"a":"b"},"truncation":"disabled","stream_options":{"include_usage":true},"top_logprobs":0}`)
	if *p.Limits.MaxTokens != 9 || *p.Limits.Temperature != 0 || *p.Limits.TopP != 0 || p.Verbosity != "low" || p.Reasoning.Effort != "high" || p.Reasoning.Show != "detailed" || p.Tier != "flex" || p.CacheKey != "k" || p.User != "u" || *p.Choice.Parallel {
		t.Errorf("%+v", p)
	}
	if f := p.Format; f.Kind != llm.FormatSchema || f.Name != "n" || string(f.Schema) != `{"type":"object"}` || !*f.Strict { // F6
		t.Errorf("%+v", f)
	}
	if len(p.Lost) != 0 {
		t.Errorf("lost %q", p.Lost)
	}
	// F18: fields of chat are taken for what they mean.
	p = prompt(t, `{"input":"x","max_tokens":9,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}},"reasoning_effort":"low","stop":["a"],"prompt_cache_retention":"24h"}`)
	if *p.Limits.MaxTokens != 9 || p.Format.Name != "n" || p.Reasoning.Effort != "low" || p.Limits.Stop[0] != "a" || strings.Join(p.Lost, "|") != "prompt_cache_retention" {
		t.Errorf("%+v", p)
	}
	p = prompt(t, `{"input":[{"role":"user","content":"x"},{"type":"web_search_call","id":"w","action":{}}],"client_metadata":{"a":"b"},"include":["file_search_call.results"],"truncation":"auto","top_logprobs":3,"max_tool_calls":2,"made_up":1}`)
	if got := strings.Join(p.Lost, "|"); got != "client_metadata|include: file_search_call.results|truncation|top_logprobs|max_tool_calls|made_up|input: web_search_call" {
		t.Errorf("lost %s", got)
	}
}

// What would change the answer is refused before anything is spent, with the
// field at fault.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct{ body, param, says string }{
		{`{"input":"x","previous_response_id":"resp_1"}`, "previous_response_id", "send the whole conversation"}, // F15
		{`{"input":"x","conversation":"conv_1"}`, "conversation", "store set to false"},
		{`{"input":"x","background":true}`, "background", "leave it out"},
		{`{"input":"x","prompt":{"id":"p"}}`, "prompt", "instructions and input"},
		{`{"input":[{"type":"item_reference","id":"i"}]}`, "input[0]", "keep_responses: true"},
		{`{"input":[{"type":"compaction","encrypted_content":"g"}]}`, "input[0]", "start a new conversation"},
		{`{"input":[{"type":"computer_call_output","call_id":"c"}]}`, "input[0].type", "computer_call_output"},
		{`{"input":[{"type":"made_up"}]}`, "input[0].type", "not known"},
		{`{"input":[{"type":"agent_message","content":[{"type":"encrypted_content","encrypted_content":"g"}]}]}`, "input[0].content", "readable"},
		{`{"input":[{"role":"robot","content":"x"}]}`, "input[0].role", "robot"},
		{`{"input":[{"role":"user"}]}`, "input[0].content", "missing"},
		{`{"input":[{"content":"x"}]}`, "input[0].role", "missing"},
		{`{"input":[{"role":"user","content":[{"type":"input_video"}]}]}`, "input[0].content[0].type", "input_video"},
		{`{"input":[{"role":"user","content":[{"type":"input_image"}]}]}`, "input[0].content[0].image_url", "missing"},
		{`{"input":[{"role":"developer","content":[{"type":"input_image","image_url":"data:,x"}]}]}`, "input[0].content[0].type", "input_text"},
		{`{"input":[{"type":"function_call","call_id":"1"}]}`, "input[0].name", "missing"},
		{`{"input":[{"type":"function_call","name":"f"}]}`, "input[0].call_id", "missing"},
		{`{"input":[{"type":"function_call_output","output":"x"}]}`, "input[0].call_id", "missing"},
		{`{"input":7}`, "input", "not a number"},
		{`{"input":[7]}`, "input[0]", "must be an object"},
		{`{"input":[]}`, "input", "empty"},
		{`{"model":"m"}`, "input", "missing"},
		{`{"input":"x","tools":[{"type":"function"}]}`, "tools[0].name", "missing"},
		{`{"input":"x","tools":[{"type":"namespace","tools":[]}]}`, "tools[0].name", "missing"},
		{`{"input":"x","tools":[{"type":"namespace","name":"n","tools":[{"type":"web_search"}]}]}`, "tools[0].tools[0].type", "namespace"},
		{`{"input":"x","tools":[{"type":"function","name":"f","parameters":[]}]}`, "tools[0].parameters", "JSON Schema"},
		{`{"input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"g"}}`, "tool_choice", "not among the tools"},
		{`{"input":"x","text":{"format":{"type":"xml"}}}`, "text.format.type", "xml"},
		{`{"input":"x","reasoning":{"effort":"huge"}}`, "reasoning.effort", "huge"},
		{`{"input":"x","max_output_tokens":"9"}`, "max_output_tokens", "must be a number"},
		{`{"input":"x"`, "", "cut off"},
	} {
		_, err := Dialect{}.DecodeRequest(&llm.Request{Raw: []byte(tt.body)})
		e := llm.AsError(err)
		if err == nil || e.Kind != llm.BadRequest || e.Param != tt.param || !strings.Contains(e.Message, tt.says) || tt.param != "" && !strings.Contains(e.Message, tt.param) {
			t.Errorf("%s\n%+v", tt.body, err)
		}
	}
}

// Tools that a client's search found can be called from then on.
func TestToolSearch(t *testing.T) {
	p := prompt(t, `{"input":[{"type":"tool_search_call","call_id":"s","execution":"client","arguments":{"q":"a"}},{"type":"tool_search_output","call_id":"s","execution":"client","tools":[{"type":"function","name":"rate"}]},{"type":"tool_search_call","call_id":null,"execution":"server"}],
		"tools":[{"type":"tool_search","execution":"client","description":"d","parameters":{"type":"object"}}]}`)
	if got := show(p); got != `assistant[call s tool_search {"q":"a"}] user[result s tool_search: Tools that can be called now: rate]` {
		t.Error(got)
	}
	if len(p.Tools) != 2 || p.Tools[1].Name != "rate" || len(p.Lost) != 1 {
		t.Errorf("%+v %q", p.Tools, p.Lost)
	}
}

func TestPeek(t *testing.T) {
	p, err := Dialect{}.Peek(newRequest(t, "/v1/responses"), []byte(`{"stream":true,"mod\u0065l":"a/\u0062"}`))
	if want := (llm.Peek{Model: "a/b", Stream: true, IncludeUsage: true, ModelAt: [2]int{28, 38}, Outline: p.Outline}); err != nil || p != want || p.Outline == nil {
		t.Errorf("%+v %v", p, err)
	}
}
