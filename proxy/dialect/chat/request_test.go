package chat

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func decode(t testing.TB, body string) (*llm.Prompt, *llm.Error) {
	t.Helper()
	p, err := Dialect{}.DecodeRequest(&llm.Request{Raw: []byte(body)})
	if err != nil {
		return nil, llm.AsError(err)
	}
	return p, nil
}

func with(fields string) string {
	return `{"model":"m","messages":[{"role":"user","content":"x"}],` + fields + `}`
}

func TestDecodeNamesTheFieldAtFault(t *testing.T) {
	msg := func(s string) string { return `{"model":"m","messages":[{"role":"user","content":"x"},` + s + `]}` }
	for _, tt := range []struct{ in, param string }{
		{`{"model":"m"}`, "messages"},
		{`{"model":"m","messages":null}`, "messages"},
		{`{"model":"m","messages":[]}`, "messages"},
		{`{"model":"m","messages":{}}`, "messages"},
		{msg(`7`), "messages[1]"},
		{msg(`{"content":"x"}`), "messages[1].role"},
		{msg(`{"role":"robot","content":"x"}`), "messages[1].role"},
		{msg(`{"role":1,"content":"x"}`), "messages[1].role"},
		{msg(`{"role":"user"}`), "messages[1].content"},
		{msg(`{"role":"user","content":7}`), "messages[1].content"},
		{msg(`{"role":"user","content":[7]}`), "messages[1].content[0]"},
		{msg(`{"role":"user","content":[{}]}`), "messages[1].content[0].type"},
		{msg(`{"role":"user","content":[{"type":"text","text":5}]}`), "messages[1].content[0].text"},
		{msg(`{"role":"user","content":[{"type":"video_url","video_url":{}}]}`), "messages[1].content[0].type"},
		{msg(`{"role":"user","content":[{"type":"image_url"}]}`), "messages[1].content[0].image_url"},
		{msg(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,"}}]}`), "messages[1].content[0].image_url.url"},
		{msg(`{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"x"}}]}`), "messages[1].content[0].input_audio.format"},
		{msg(`{"role":"user","content":[{"type":"file","file":{}}]}`), "messages[1].content[0].file"},
		{msg(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"x"}}]}`), "messages[1].content[0].type"},
		{msg(`{"role":"tool","content":"x"}`), "messages[1].tool_call_id"},
		{msg(`{"role":"assistant","tool_calls":[{"id":"a"}]}`), "messages[1].tool_calls[0].function"},
		{msg(`{"role":"assistant","tool_calls":[{"id":"a","function":{}}]}`), "messages[1].tool_calls[0].function.name"},
		{msg(`{"role":"assistant","tool_calls":[{"id":"a","type":"custom","custom":{}}]}`), "messages[1].tool_calls[0].custom.name"},
		{msg(`{"role":"assistant","tool_calls":[{"id":"a","type":"shell","shell":{}}]}`), "messages[1].tool_calls[0].type"},
		{msg(`{"role":"assistant","tool_calls":{}}`), "messages[1].tool_calls"},
		{with(`"tools":{}`), "tools"},
		{with(`"tools":[{"type":"custom","name":"x"}]`), "tools[0].custom"},
		{with(`"tools":[{"type":"custom","custom":{}}]`), "tools[0].custom.name"},
		{with(`"tools":[{"type":"custom","custom":{"name":"x","format":"text"}}]`), "tools[0].custom.format"},
		{with(`"tools":[{"type":"web_search"}]`), "tools[0].type"},
		{with(`"tools":[{"type":"function"}]`), "tools[0].function"},
		{with(`"tools":[{"type":"function","function":{}}]`), "tools[0].function.name"},
		{with(`"tools":[{"type":"function","function":{"name":"f","parameters":[]}}]`), "tools[0].function.parameters"},
		{with(`"tool_choice":"maybe"`), "tool_choice"},
		{with(`"tool_choice":{"type":"function","function":{"name":"g"}},"tools":[{"type":"function","function":{"name":"f"}}]`), "tool_choice"},
		{with(`"tool_choice":{"type":"custom"}`), "tool_choice.custom.name"},
		{with(`"tool_choice":{"type":"shell"}`), "tool_choice.type"},
		{with(`"response_format":{"type":"grammar"}`), "response_format.type"},
		{with(`"response_format":{"type":"json_schema","json_schema":{"name":"x"}}`), "response_format.json_schema.schema"},
		{with(`"temperature":"hot"`), "temperature"},
		{with(`"max_tokens":1.5`), "max_tokens"},
		{with(`"max_completion_tokens":-1`), "max_completion_tokens"},
		{with(`"stop":{}`), "stop"},
		{with(`"stop":[1]`), "stop[0]"},
		{with(`"reasoning_effort":"ultra"`), "reasoning_effort"},
		{with(`"reasoning":{"effort":7}`), "reasoning.effort"},
		{with(`"thinking":{"type":"maybe"}`), "thinking.type"},
		{with(`"modalities":["text","audio"]`), "modalities[1]"},
		{with(`"parallel_tool_calls":"no"`), "parallel_tool_calls"},
		{with(`"user":{}`), "user"},
	} {
		_, e := decode(t, tt.in)
		if e == nil || e.Param != tt.param || e.Kind != llm.BadRequest || !strings.Contains(e.Message, strings.SplitN(tt.param, ".", 2)[0]) {
			t.Errorf("%s\n got %+v, want a refusal of %s", tt.in, e, tt.param)
		}
	}
}

func TestDecodeNamesWhatIsLost(t *testing.T) {
	for _, tt := range []struct{ in, lost string }{
		{`"n":2`, "n"},
		{`"n":1,"logprobs":false,"store":false,"metadata":{},"logit_bias":null,"include_reasoning":true`, ""},
		{`"logprobs":true,"top_logprobs":3`, "logprobs top_logprobs"},
		{`"store":true,"metadata":{"a":"b"},"logit_bias":{"5":1}`, "store metadata logit_bias"},
		{`"prediction":{"type":"content","content":"x"},"web_search_options":{},"verbosity":"low","prompt_cache_key":"k"`, "prediction web_search_options verbosity prompt_cache_key"},
		{`"modalities":["text","image"]`, "modalities: image"},
		{`"brand_new":1,"another":null`, "brand_new"},
		{`"stream_options":{"include_usage":true,"include_obfuscation":true}`, "stream_options.include_obfuscation"},
		{`"user":"u","safety_identifier":"s"`, "safety_identifier"},
		{`"tool_choice":"required"`, "tool_choice: there are no tools"}, // A26
		{`"reasoning":{"effort":"low","exclude":true}`, "reasoning.exclude"},
	} {
		p, e := decode(t, with(tt.in))
		if e != nil {
			t.Errorf("%s: %v", tt.in, e)
		} else if got := strings.Join(p.Lost, " "); got != tt.lost {
			t.Errorf("%s: lost %q, want %q", tt.in, got, tt.lost)
		}
	}
}

func TestDecodeOptions(t *testing.T) {
	p, e := decode(t, with(`"temperature":0,"top_p":0,"top_k":5.0,"seed":-3,"stop":["a","b"],"max_tokens":9,"max_completion_tokens":7,
		"frequency_penalty":0.5,"presence_penalty":null,"reasoning":{"max_tokens":2000},"service_tier":"flex","safety_identifier":"s",
		"parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"z":1, "a":2}},"cache_control":{"type":"ephemeral","ttl":"1h"}},
		{"type":"function","function":{"name":"g"}}],
		"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}`))
	if e != nil {
		t.Fatal(e)
	}
	l := p.Limits
	if *l.Temperature != 0 || *l.TopP != 0 || *l.TopK != 5 || *l.Seed != -3 || *l.MaxTokens != 7 || *l.FrequencyPenalty != 0.5 || l.PresencePenalty != nil { // A25
		t.Errorf("%+v", l)
	}
	if !reflect.DeepEqual(l.Stop, []string{"a", "b"}) || *p.Reasoning.Budget != 2000 || p.Tier != "flex" || p.User != "s" {
		t.Errorf("%+v", p)
	}
	if len(p.Tools) != 1 || string(p.Tools[0].Schema) != `{"z":1, "a":2}` || !*p.Tools[0].Strict || p.Tools[0].Cache != "1h" {
		t.Errorf("%+v", p.Tools)
	}
	if p.Choice.Mode != llm.ChooseAny || *p.Choice.Parallel {
		t.Errorf("%+v", p.Choice)
	}
	for in, want := range map[string]llm.Reasoning{
		`"reasoning_effort":"xhigh"`:                             {Effort: "xhigh"},
		`"thinking":{"type":"disabled"}`:                         {Budget: ptr(0)},
		`"thinking":{"type":"enabled","budget_tokens":4096}`:     {Budget: ptr(4096)},
		`"thinking":{"budget_tokens":4096,"type":"enabled"}`:     {Budget: ptr(4096)},
		`"enable_thinking":true`:                                 {Budget: ptr(-1)},
		`"enable_thinking":true,"thinking_budget":5`:             {Budget: ptr(5)},
		`"reasoning":{"enabled":false}`:                          {Budget: ptr(0)},
		`"reasoning":{"enabled":true,"effort":"low"}`:            {Effort: "low", Budget: ptr(-1)},
		`"reasoning_effort":null,"reasoning":null`:               {},
		`"reasoning_effort":"default","max_completion_tokens":0`: {},
	} {
		p, e := decode(t, with(in))
		if e != nil || !reflect.DeepEqual(p.Reasoning, want) {
			t.Errorf("%s: %+v %v", in, p, e)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestDecodeMessages(t *testing.T) {
	p, e := decode(t, `{"model":"m","messages":[
		{"role":"system","content":"a"},{"role":"developer","content":[{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]},
		{"role":"user","name":"bob","content":[{"type":"text","text":""},{"type":"text","text":"hi"},
			{"type":"image_url","image_url":{"url":"http://169.254.169.254/x","detail":"low"}},
			{"type":"image_url","image_url":"data:image/svg+xml,%3Csvg%2F%3E"},
			{"type":"input_audio","input_audio":{"data":"UklG","format":"mp3"}},
			{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}]},
		{"role":"assistant","content":"","refusal":null,"annotations":[],"parsed":{"x":1},"audio":null,"function_call":null,
			"reasoning_content":"hmm","reasoning_details":[{"type":"reasoning.text","signature":"s1","format":"anthropic-claude-v1","span":[0,3]},{"type":"reasoning.encrypted","data":"red","format":"anthropic-claude-v1"},{"type":"reasoning.encrypted","data":"sig","id":"c1","format":"google-gemini-v1"}],
			"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":""}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{\"tru"}},{"type":"function","function":{"name":"g","arguments":{"a":1}}}]},
		{"role":"tool","tool_call_id":"c2","content":[{"type":"text","text":"two"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]},
		{"role":"tool","tool_call_id":"c1","content":null},
		{"role":"tool","content":"three"},
		{"role":"system","content":"late"},
		{"role":"assistant","content":null,"function_call":{"name":"old","arguments":"{}"}},
		{"role":"function","name":"old","content":"done"},
		{"role":"assistant","content":[{"type":"refusal","refusal":"no"}],"audio":{"id":"x"}}]}`)
	if e != nil {
		t.Fatal(e)
	}
	want := llm.Prompt{
		System: []llm.Block{{Text: "a"}, {Text: "b", Cache: "5m"}}, // A1
		Lost:   []string{"messages[].audio"},
		Messages: []llm.Message{
			{Role: llm.User, Name: "bob", Blocks: []llm.Block{
				{Text: "hi"}, // A10
				{Kind: llm.Image, Media: llm.Media{URL: "http://169.254.169.254/x", Detail: "low"}}, // K6: never fetched
				{Kind: llm.Image, Media: llm.Media{Type: "image/svg+xml", Data: "PHN2Zy8+"}},
				{Kind: llm.Audio, Media: llm.Media{Type: "audio/mpeg", Data: "UklG"}},
				{Kind: llm.Document, Name: "a.pdf", Media: llm.Media{Type: "application/pdf", Data: "JVBE"}},
			}},
			{Role: llm.Assistant, Blocks: []llm.Block{ // A11: no empty text
				{Kind: llm.Thinking, Text: "hmm", Opaque: "s1", Origin: "messages"},
				{Kind: llm.Redacted, Opaque: "red", Origin: "messages"},
				{Kind: llm.ToolCall, ID: "c1", Name: "f", Opaque: "sig", Origin: "gemini"},
				{Kind: llm.ToolCall, ID: "c2", Name: "g", Text: `{"tru`}, // A13: kept as it came
				{Kind: llm.ToolCall, ID: "call_3", Name: "g", Text: `{"a":1}`},
			}},
			{Role: llm.User, Blocks: []llm.Block{ // A3, A19, E8
				{Kind: llm.ToolResult, ID: "c2", Name: "g", Content: []llm.Block{{Text: "two"}, {Kind: llm.Image, Media: llm.Media{Type: "image/png", Data: "AAAA"}}}},
				{Kind: llm.ToolResult, ID: "c1", Name: "f"},
				{Kind: llm.ToolResult, ID: "call_3", Name: "g", Content: []llm.Block{{Text: "three"}}},
			}},
			{Role: llm.System, Blocks: []llm.Block{{Text: "late"}}}, // C11
			{Role: llm.Assistant, Blocks: []llm.Block{{Kind: llm.ToolCall, ID: "call_4", Name: "old", Text: "{}"}}},
			{Role: llm.User, Blocks: []llm.Block{{Kind: llm.ToolResult, ID: "call_4", Name: "old", Content: []llm.Block{{Text: "done"}}}}},
			{Role: llm.Assistant, Blocks: []llm.Block{{Kind: llm.Refusal, Text: "no"}}},
		},
	}
	if !reflect.DeepEqual(*p, want) {
		g, _ := json.MarshalIndent(p, "", " ")
		w, _ := json.MarshalIndent(want, "", " ")
		t.Errorf("got %s\nwant %s", g, w)
	}
}

// Signatures without text find theirs by their spans, or are left out.
func TestDecodeSpans(t *testing.T) {
	ask := func(details string) *llm.Prompt {
		p, e := decode(t, `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":"y","reasoning_content":"onetwo","reasoning_details":[`+details+`]}]}`)
		if e != nil {
			t.Fatal(e)
		}
		return p
	}
	sign := func(sig, span string) string {
		return `{"type":"reasoning.text","signature":"` + sig + `","format":"anthropic-claude-v1"` + span + `}`
	}
	p := ask(sign("s1", `,"span":[0,3]`) + "," + sign("s2", `,"span":[3,6]`))
	if b := p.Messages[1].Blocks; len(b) != 3 || b[0].Text != "one" || b[0].Opaque != "s1" || b[1].Text != "two" || b[1].Opaque != "s2" {
		t.Errorf("%+v", b)
	}
	p = ask(sign("s1", "") + "," + sign("s2", `,"span":[9,99]`))
	if b := p.Messages[1].Blocks; len(b) != 2 || b[0].Text != "onetwo" || b[0].Opaque != "" || len(p.Lost) != 1 {
		t.Errorf("%+v, lost %q", b, p.Lost)
	}
}

func TestDecodeSaysWhatIsMissing(t *testing.T) {
	for in, want := range map[string]string{`{"model":"m"}`: "messages is missing", `{"model":"m","messages":[]}`: "messages is empty"} {
		if _, e := decode(t, in); e == nil || !strings.Contains(e.Message, want) {
			t.Errorf("%s: %v", in, e)
		}
	}
}
