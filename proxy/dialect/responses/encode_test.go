package responses

import (
	"errors"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// origin makes calls of a provider of this dialect.
func origin(flags ...string) *llm.Call {
	return &llm.Call{Model: llm.Model{Provider: "openai", Name: "gpt", Flags: flags}}
}

func says(blocks ...llm.Block) *llm.Prompt {
	return &llm.Prompt{Messages: []llm.Message{{Role: llm.Assistant, Blocks: blocks}, {Role: llm.User, Blocks: []llm.Block{{Text: "x"}}}}}
}

// F10: reasoning goes back to who made it, and to nobody else.
func TestReasoningGoesHome(t *testing.T) {
	const item = `{"encrypted_content":"gAA","summary":[{"text":"hm","type":"summary_text"}],"type":"reasoning"}`
	block := llm.Block{Kind: llm.Thinking, Text: "hm", Opaque: "gAA"}
	for _, tt := range []struct {
		origin  string
		foreign bool
		sent    bool
	}{
		{"responses:openai", false, true},
		{"responses:azure", false, false},
		{"responses", false, true},
		{"responses", true, false},
		{"messages:openai", false, false},
	} {
		c := origin()
		c.Foreign = func(s string) bool { return tt.foreign && s == "gAA" }
		b := block
		b.Origin = tt.origin
		v := sent(t, says(b, llm.Block{Text: "so"}), c)
		first := text1(v["input"].([]any)[0])
		if (first == item) != tt.sent || (len(c.Lost) == 0) != tt.sent {
			t.Errorf("%+v: %s, lost %q", tt, first, c.Lost)
		}
		if v["store"] != false || text1(v["include"]) != `["reasoning.encrypted_content"]` {
			t.Errorf("%v", v)
		}
	}
	v := sent(t, says(llm.Block{Kind: llm.Redacted, Opaque: "gAA", Origin: "responses:openai"}, llm.Block{Text: "so"}), origin())
	if got := text1(v["input"].([]any)[0]); got != `{"encrypted_content":"gAA","summary":[],"type":"reasoning"}` {
		t.Error(got)
	}
	v = sent(t, says(llm.Block{Kind: llm.Thinking, Text: "hm"}, llm.Block{Text: "so"}), origin(llm.FlagReasoningHistory))
	if got := text1(v["input"].([]any)[0]); got != `{"content":[{"text":"hm","type":"reasoning_text"}],"summary":[],"type":"reasoning"}` {
		t.Error(got)
	}
	c := origin()
	sent(t, says(llm.Block{Kind: llm.ToolCall, ID: "1", Name: "f", Opaque: "sig", Origin: "gemini:google"}), c)
	if len(c.Lost) != 1 {
		t.Errorf("the signature of a call is lost in silence: %q", c.Lost)
	}
}

func TestToolsSent(t *testing.T) {
	p := says()
	p.Tools = []llm.Tool{
		{Name: "a.b"},
		{Kind: llm.Custom, Name: "edit", Description: "Edits.\n\nThe input must follow", Schema: []byte(llm.CustomSchema), Origin: "responses", Raw: []byte(`{"type":"custom","name":"edit","description":"Edits.","format":{"type":"grammar","syntax":"lark","definition":"x"}}`)},
		{Kind: llm.Custom, Name: "draw", Schema: []byte(llm.CustomSchema), Origin: "chat", Raw: []byte(`{"type":"custom","custom":{"name":"draw","description":"D","format":{"type":"grammar","grammar":{"syntax":"regex","definition":"y"}}}}`)},
		{Kind: llm.Hosted, Name: llm.WebSearch, Origin: "responses", Raw: []byte(`{"type":"web_search","x":1}`)},
		{Kind: llm.Hosted, Name: llm.WebSearch, Origin: "messages", Raw: []byte(`{"type":"web_search_20250305","name":"web_search","allowed_domains":["a.com"],"user_location":{"type":"approximate","city":"Oslo"},"max_uses":3}`)},
		{Kind: llm.Hosted, Name: llm.WebSearch, Origin: "chat", Raw: []byte(`{"search_context_size":"low","user_location":{"type":"approximate","approximate":{"city":"Oslo"}}}`)},
		{Kind: llm.Hosted, Name: llm.RunCode, Origin: "messages", Raw: []byte(`{"type":"code_execution_20250825"}`)},
		{Kind: llm.Hosted, Name: llm.WebFetch, Origin: "messages"},
	}
	c := origin()
	got := text1(sent(t, p, c)["tools"])
	const want = `[{"name":"a_b_` // the rest of the name is a hash
	for _, part := range []string{
		want, `"strict":false`,
		`{"description":"Edits.","format":{"definition":"x","syntax":"lark","type":"grammar"},"name":"edit","type":"custom"}`,
		`{"description":"D","format":{"definition":"y","syntax":"regex","type":"grammar"},"name":"draw","type":"custom"}`,
		`{"type":"web_search","x":1}`,
		`{"filters":{"allowed_domains":["a.com"]},"type":"web_search","user_location":{"city":"Oslo","type":"approximate"}}`,
		`{"search_context_size":"low","type":"web_search","user_location":{"city":"Oslo","type":"approximate"}}`,
		`{"container":{"type":"auto"},"type":"code_interpreter"}`,
	} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
	if l := strings.Join(c.Lost, "|"); l != "tools: web_search: max_uses|tools: web_fetch" {
		t.Errorf("lost %s", l)
	}
	for safe, client := range c.Tools {
		if client != "a.b" || !strings.Contains(got, `"name":"`+safe+`"`) {
			t.Errorf("%v", c.Tools)
		}
	}

	// A model that knows functions alone gets functions, with the grammar in words.
	c = origin(llm.FlagNoCustomTools, llm.FlagNoHostedTools)
	got = text1(sent(t, p, c)["tools"])
	if !strings.Contains(got, `"description":"Edits.\n\nThe input must follow"`) || strings.Contains(got, "custom") || strings.Contains(got, `"web_search"`) {
		t.Error(got)
	}
}

// A client's own bytes are sent where all their tools are taken.
func TestCopies(t *testing.T) {
	for body, want := range map[string][3]bool{ // without flags, without custom tools, without hosted ones
		`{"input":"x"}`: {true, true, true},
		`{"input":"x","tools":[{"type":"function","name":"f"},{"type":"mcp"},{"type":"code_interpreter"}]}`:  {true, true, true},
		`{"input":"x","tools":[{"type":"function","name":"f"},{"type":"custom","name":"c"}]}`:                {true, false, true},
		`{"input":[{"type":"custom_tool_call","call_id":"1","name":"c","input":""}]}`:                        {true, false, true},
		`{"input":"x","tools":[{"type":"apply_patch"}]}`:                                                     {true, false, true},
		`{"input":"x","tools":[{"type":"namespace","name":"n","tools":[]}]}`:                                 {true, false, true},
		`{"input":"x","tools":[{"type":"web_search"}]}`:                                                      {true, true, false},
		`{"input":[{"type":"web_search_call","id":"w"}],"tools":[{"type":"web_search_preview_2025_03_11"}]}`: {true, true, false},
		`{"input":[{"type":"web_search_call","id":"w"}]}`:                                                    {true, true, true},
	} {
		r := &llm.Request{Inbound: Dialect{}, Raw: []byte(body)}
		for i, flags := range []llm.Flags{nil, {llm.FlagNoCustomTools}, {llm.FlagNoHostedTools}} {
			if got := (Dialect{}).Copies(&llm.Call{Model: llm.Model{Flags: flags}}, r); got != want[i] {
				t.Errorf("%s with %q: %v", body, flags, got)
			}
		}
	}
}

// Custom calls go out as such, and as functions where there are none.
func TestCustomCalls(t *testing.T) {
	p := &llm.Prompt{
		Tools: []llm.Tool{{Kind: llm.Custom, Name: "edit", Schema: []byte(llm.CustomSchema)}},
		Messages: []llm.Message{
			{Role: llm.User, Blocks: []llm.Block{{Text: "x"}}},
			{Role: llm.Assistant, Blocks: []llm.Block{{Kind: llm.ToolCall, ID: "1", Name: "edit", Text: `{"input":"a\"b"}`}}},
			{Role: llm.User, Blocks: []llm.Block{{Kind: llm.ToolResult, ID: "1", Content: []llm.Block{{Text: "ok"}}}}},
		},
		Choice: llm.Choice{Mode: llm.ChooseNamed, Name: "edit"},
	}
	v := sent(t, p, origin())
	if got := text1(v["input"].([]any)[1:]); got != `[{"call_id":"1","input":"a\"b","name":"edit","type":"custom_tool_call"},{"call_id":"1","output":"ok","type":"custom_tool_call_output"}]` || text1(v["tool_choice"]) != `{"name":"edit","type":"custom"}` {
		t.Error(got, text1(v["tool_choice"]))
	}
	v = sent(t, p, origin(llm.FlagNoCustomTools))
	if got := text1(v["input"].([]any)[1:]); got != `[{"arguments":"{\"input\":\"a\\\"b\"}","call_id":"1","name":"edit","type":"function_call"},{"call_id":"1","output":"ok","type":"function_call_output"}]` || text1(v["tool_choice"]) != `{"name":"edit","type":"function"}` {
		t.Error(got, text1(v["tool_choice"]))
	}
}

func TestEncodeRefuses(t *testing.T) {
	search := llm.Tool{Kind: llm.Hosted, Name: llm.WebFetch, Origin: "messages"}
	image := llm.Block{Kind: llm.Image, Media: llm.Media{Data: "AA"}}
	user := func(b llm.Block) *llm.Prompt {
		return &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{b}}}}
	}
	tools := func(ch llm.Choice, tools ...llm.Tool) *llm.Prompt {
		p := says()
		p.Tools, p.Choice = tools, ch
		return p
	}
	for name, tt := range map[string]struct {
		p     *llm.Prompt
		flags llm.Flags
		param string
	}{
		"only a hosted tool that is not here": {tools(llm.Choice{}, search), nil, "tools"},
		"a hosted tool is forced":             {tools(llm.Choice{Mode: llm.ChooseNamed, Name: llm.WebFetch}, search, llm.Tool{Name: "f"}), nil, "tool_choice"},
		"a call is forced without tools":      {tools(llm.Choice{Mode: llm.ChooseAny}, llm.Tool{Name: "f"}), llm.Flags{llm.FlagNoTools}, "tool_choice"},
		"C15: two tools of a name":            {tools(llm.Choice{}, llm.Tool{Name: "f"}, llm.Tool{Name: "f", Description: "other"}), nil, "tools[1]"},
		"an image for a blind model":          {user(image), llm.Flags{llm.FlagNoVision}, "messages"},
		"audio":                               {user(llm.Block{Kind: llm.Audio, Media: llm.Media{Data: "AA", Type: "audio/wav"}}), nil, "messages"},
		"parameters that are no object":       {tools(llm.Choice{}, llm.Tool{Name: "f", Schema: []byte(`{"type":"string"}`)}), nil, "tools"},
		"embeddings":                          {&llm.Prompt{Embed: &llm.Embed{}}, nil, "model"},
	} {
		_, err := Dialect{}.EncodeRequest(origin(tt.flags...), tt.p)
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.BadRequest || e.Param != tt.param {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEncodeDetails(t *testing.T) {
	n := func(i int) *int { return &i }
	f := func(x float64) *float64 { return &x }
	p := says()
	p.Limits = llm.Limits{Temperature: f(0), TopP: f(0), TopK: n(3)} // A25
	p.Reasoning = llm.Reasoning{Budget: n(5000), Show: "auto"}       // C5
	p.Verbosity, p.CacheKey, p.Tier, p.User = "low", "k", "standard", "u"
	c := origin()
	v := sent(t, p, c)
	if v["temperature"] != 0.0 || v["top_p"] != 0.0 || text1(v["reasoning"]) != `{"effort":"medium","summary":"auto"}` || text1(v["text"]) != `{"verbosity":"low"}` || v["prompt_cache_key"] != "k" || v["service_tier"] != "default" || v["user"] != "u" {
		t.Errorf("%v", v)
	}
	if l := strings.Join(c.Lost, "|"); l != "thinking budget: sent as reasoning effort medium|top_k" {
		t.Errorf("lost %s", l)
	}
	c = origin(llm.FlagNoSampling, llm.FlagNoReasoning) // A24
	p.Reasoning = llm.Reasoning{Effort: "high"}
	v = sent(t, p, c)
	if v["temperature"] != nil || v["reasoning"] != nil || v["include"] != nil || len(c.Lost) != 5 {
		t.Errorf("%v, lost %q", v, c.Lost)
	}
	if v["text"] != nil || c.Lost[0] != "text.verbosity: this model takes none" {
		t.Errorf("%v, lost %q", v["text"], c.Lost)
	}
	p.Verbosity, p.CacheKey = "", strings.Repeat("k", 65)
	if v := sent(t, p, origin()); v["prompt_cache_key"] != "f39cdc2584758c99cf81c1f41d2572f5" {
		t.Errorf("%v", v["prompt_cache_key"])
	}
	p.Reasoning = llm.Reasoning{Budget: n(0)}
	if v := sent(t, p, origin(llm.FlagReasoning)); text1(v["reasoning"]) != `{"effort":"none"}` {
		t.Errorf("%v", v)
	}
	// A22: a schema for a model that knows none.
	p.Format = llm.Format{Kind: llm.FormatSchema, Schema: []byte(`{"a":1}`)}
	c = origin(llm.FlagNoJSONSchema)
	if v := sent(t, p, c); !strings.Contains(v["instructions"].(string), `{"a":1}`) || text1(v["text"].(map[string]any)["format"]) != `{"type":"json_object"}` {
		t.Errorf("%v", v)
	}
	// Only a system text: there must be some input.
	v = sent(t, &llm.Prompt{System: []llm.Block{{Text: "S"}}}, origin())
	if v["instructions"] != nil || text1(v["input"]) != `[{"content":"S","role":"developer","type":"message"}]` {
		t.Errorf("%v", v)
	}
	// C11: a system text in the middle stays there.
	p = &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{{Text: "a"}}}, {Role: llm.System, Blocks: []llm.Block{{Text: "S"}}}}}
	if v := sent(t, p, origin(llm.FlagSystemRole)); text1(v["input"].([]any)[1]) != `{"content":"S","role":"system","type":"message"}` {
		t.Errorf("%v", v)
	}
	// C2, C3: results without content, with images, and for a model that sees none.
	p = &llm.Prompt{Messages: []llm.Message{{Role: llm.User, Blocks: []llm.Block{
		{Kind: llm.ToolResult, ID: "1"},
		{Kind: llm.ToolResult, ID: "2", Failed: true, Content: []llm.Block{{Text: "t"}, {Kind: llm.Image, Media: llm.Media{Data: "AA"}}}},
	}}}}
	if v := sent(t, p, origin()); text1(v["input"]) != `[{"call_id":"1","output":"","type":"function_call_output"},{"call_id":"2","output":[{"text":"Error:","type":"input_text"},{"text":"t","type":"input_text"},{"image_url":"data:image/png;base64,AA","type":"input_image"}],"type":"function_call_output"}]` {
		t.Errorf("%s", text1(v["input"]))
	}
	if v := sent(t, p, origin(llm.FlagNoVision)); !strings.Contains(text1(v["input"]), "image left out") || strings.Contains(text1(v["input"]), "AA") {
		t.Errorf("%s", text1(v["input"]))
	}
}

// What OpenAI refuses of a conversation that other dialects hold.
func TestEncodeTurnsForOpenAI(t *testing.T) {
	thought := llm.Block{Kind: llm.Thinking, Text: "hm", Opaque: "gAAA", Origin: "responses"}
	ask := llm.Message{Role: llm.User, Blocks: []llm.Block{{Text: "q"}}}
	says := func(blocks ...llm.Block) llm.Message { return llm.Message{Role: llm.Assistant, Blocks: blocks} }
	const item, q = `{"encrypted_content":"gAAA","summary":[{"text":"hm","type":"summary_text"}],"type":"reasoning"},`, `{"content":"q","role":"user","type":"message"}`
	const answer = `{"content":"a","role":"assistant","type":"message"},`
	long := strings.Repeat("x", 70)
	for what, tt := range map[string]struct {
		turns []llm.Message
		flags llm.Flags
		want  string
		lost  string
	}{
		"a thought and its answer":       {turns: []llm.Message{says(thought, llm.Block{Text: "a"}), ask}, want: "[" + item + answer + q + "]"},
		"a thought in a turn of its own": {turns: []llm.Message{says(thought), says(llm.Block{Text: "a"}), ask}, want: "[" + item + answer + q + "]"},
		"a thought that led nowhere":     {turns: []llm.Message{says(thought), ask}, want: "[" + q + "]", lost: "reasoning of earlier turns"},
		"a model that does not think":    {turns: []llm.Message{says(thought, llm.Block{Text: "a"}), ask}, flags: llm.Flags{llm.FlagNoReasoning}, want: "[" + answer + q + "]", lost: "reasoning of earlier turns"},
		"a long id": {
			turns: []llm.Message{says(llm.Block{Kind: llm.ToolCall, ID: long, Name: "f"}), {Role: llm.User, Blocks: []llm.Block{{Kind: llm.ToolResult, ID: long}}}},
			want:  `[{"arguments":"{}","call_id":"c71bd109227e23434ecf71fd0a344a20","name":"f","type":"function_call"},{"call_id":"c71bd109227e23434ecf71fd0a344a20","output":"","type":"function_call_output"}]`,
		},
	} {
		c := origin(tt.flags...)
		v := sent(t, &llm.Prompt{Messages: tt.turns}, c)
		if got := text1(v["input"]); got != tt.want || strings.Join(c.Lost, "|") != tt.lost {
			t.Errorf("%s: %s, lost %q\nwant %s, lost %q", what, got, c.Lost, tt.want, tt.lost)
		}
	}
}

// The API has no names of who speaks, whoever it is.
func TestEncodeNames(t *testing.T) {
	for _, role := range []llm.Role{llm.User, llm.Assistant, llm.System} {
		c := origin()
		sent(t, &llm.Prompt{Messages: []llm.Message{
			{Role: role, Name: "ann", Blocks: []llm.Block{{Text: "a"}}}, {Role: llm.User, Blocks: []llm.Block{{Text: "b"}}},
		}}, c)
		if strings.Join(c.Lost, "|") != "messages: name" {
			t.Errorf("%s: lost %q", role, c.Lost)
		}
	}
}
