package responses

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

// F1, F13: the whole sequence of a text, with numbers that rise by one.
func TestTextStream(t *testing.T) {
	all := written(t, `{}`, replay(words("He", "llo")))
	const want = "created in_progress output_item.added content_part.added output_text.delta output_text.delta output_text.done content_part.done output_item.done completed"
	if types(all) != want {
		t.Fatalf("got  %s\nwant %s", types(all), want)
	}
	if all[3].Part["text"] != "" || text1(all[3].Part["annotations"]) != "[]" || text1(all[3].Part["logprobs"]) != "[]" {
		t.Errorf("F13: %s", all[3].raw)
	}
	if all[4].Delta != "He" || all[4].ItemID != "msg_kt-7_0" || !strings.Contains(all[4].raw, `"logprobs":[]`) {
		t.Errorf("F13: %s", all[4].raw)
	}
	last := all[9].Response
	if last["id"] != "resp_kt-7" || last["model"] != "asked" || last["status"] != "completed" || last["service_tier"] != "flex" {
		t.Errorf("%s", all[9].raw)
	}
	const output = `[{"content":[{"annotations":[],"logprobs":[],"text":"Hello","type":"output_text"}],"id":"msg_kt-7_0","role":"assistant","status":"completed","type":"message"}]`
	if text1(last["output"]) != output {
		t.Errorf("output %s", text1(last["output"]))
	}
	const usage = `{"input_tokens":156,"input_tokens_details":{"cache_write_tokens":50,"cached_tokens":100},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":161}`
	if text1(last["usage"]) != usage {
		t.Errorf("usage %s", text1(last["usage"]))
	}
}

// What strict clients want of a response is there, in both forms, and repeats
// the request.
func TestEcho(t *testing.T) {
	const request = "{\"instructions\":\"be\\nbrief\",\n \"tools\":[\n{\"type\":\"function\",\"name\":\"f\"}],\"temperature\":0,\"metadata\":{\"a\":\"b\"},\"prompt_cache_key\":\"k\",\"tool_choice\":\"auto\",\"max_output_tokens\":50}"
	all := written(t, request, replay(words("x")))
	for _, v := range []map[string]any{all[0].Response, all[len(all)-1].Response, wholly(t, request, replay(words("x")))} {
		for key, want := range map[string]string{
			"instructions": `"be\nbrief"`, "tools": `[{"name":"f","type":"function"}]`, "temperature": "0", "metadata": `{"a":"b"}`,
			"prompt_cache_key": `"k"`, "max_output_tokens": "50", "parallel_tool_calls": "true", "top_p": "1", "error": "null",
			"incomplete_details": "null", "object": `"response"`, "created_at": "1700000000", "background": "false", "truncation": `"disabled"`,
		} {
			if got, ok := v[key]; !ok || text1(got) != want {
				t.Errorf("%s is %s, want %s", key, text1(got), want)
			}
		}
	}
}

// F2, F3: calls are in the last event with their ids, each with its own index.
func TestParallelCalls(t *testing.T) {
	a, b := call(0, "c1", "f", `{"a"`, `:1}`), call(1, "c2", "g", `{"b":2}`)
	mixed := []llm.Event{a[0], b[0], a[1], b[1], a[2], b[2], a[3]}
	for i, events := range [][]llm.Event{append(append([]llm.Event{}, a...), b...), mixed} {
		all := written(t, `{}`, script(llm.CallTools, events))
		index := map[string]int{}
		for _, o := range all {
			if o.Type == "response.output_item.added" {
				index[o.Item["id"].(string)] = o.Output
			}
			if o.Type == argsDelta && index[o.ItemID] != o.Output {
				t.Errorf("F3: %s", o.raw)
			}
		}
		const want = `[{"arguments":"{\"a\":1}","call_id":"c1","id":"fc_kt-7_0","name":"f","status":"completed","type":"function_call"},{"arguments":"{\"b\":2}","call_id":"c2","id":"fc_kt-7_1","name":"g","status":"completed","type":"function_call"}]`
		if got := text1(all[len(all)-1].Response["output"]); got != want || len(index) != 2 {
			t.Errorf("F2, script %d: %s, indices %v", i, got, index)
		}
	}
}

// F4: what stops short is incomplete, the event and the item alike.
func TestIncomplete(t *testing.T) {
	for why, reason := range map[llm.Why]string{llm.MaxTokens: "max_output_tokens", llm.ContentFilter: "content_filter", llm.Refused: "content_filter"} {
		events := words("Once")
		events[len(events)-1].Why = why
		all := written(t, `{}`, replay(events))
		last, item := all[len(all)-1], all[len(all)-2]
		if last.Type != "response.incomplete" || last.Response["status"] != "incomplete" || text1(last.Response["incomplete_details"]) != `{"reason":"`+reason+`"}` || item.Item["status"] != "incomplete" {
			t.Errorf("%s: %s\n%s", why, item.raw, last.raw)
		}
		if u, ok := last.Response["usage"].(map[string]any); !ok || u["input_tokens"] != 156.0 { // F5
			t.Errorf("F5: %s", last.raw)
		}
		if v := wholly(t, `{}`, replay(events)); v["status"] != "incomplete" {
			t.Errorf("%s: %s", why, text1(v))
		}
	}
	// The one that is cut is the call, not the data that belongs to it.
	signed := call(0, "c", "f", `{"a`)
	signed[len(signed)-1].Opaque, signed[len(signed)-1].Origin = "sig", "gemini:google"
	items := wholly(t, `{}`, script(llm.MaxTokens, signed))["output"].([]any)
	if len(items) != 2 || items[0].(map[string]any)["status"] != "incomplete" {
		t.Errorf("%s", text1(items))
	}
	// A call that is whole stays so when what follows it is cut.
	cut := append(call(0, "c", "f", "{}"), llm.Event{Kind: llm.BlockStart, Index: 1}, llm.Event{Kind: llm.Delta, Index: 1, Text: "x"}, llm.Event{Kind: llm.BlockStop, Index: 1})
	out := wholly(t, `{}`, script(llm.MaxTokens, cut))["output"].([]any)
	if out[0].(map[string]any)["status"] != "completed" || out[1].(map[string]any)["status"] != "incomplete" {
		t.Errorf("%s", text1(out))
	}
}

// F17: a stream that breaks ends in response.failed; a whole answer is not
// written.
func TestBroken(t *testing.T) {
	boom := &llm.Error{Kind: llm.Overloaded, Message: "busy", Provider: "anthropic"}
	events := func(yield func(llm.Event, error) bool) {
		for _, e := range words("He")[:3] {
			if !yield(e, nil) {
				return
			}
		}
		yield(llm.Event{}, boom)
	}
	all := written(t, `{}`, events)
	last := all[len(all)-1]
	if last.Type != "response.failed" || last.Response["status"] != "failed" || text1(last.Response["error"]) != `{"code":"server_error","message":"anthropic: busy"}` {
		t.Errorf("%s", last.raw)
	}
	for _, stream := range []bool{true, false} {
		var out bytes.Buffer
		err := Dialect{}.EncodeResponse(&out, &llm.Request{Raw: []byte(`{}`), Peek: llm.Peek{Stream: stream}}, events)
		if !errors.Is(err, boom) || stream == (out.Len() == 0) || strings.Contains(out.String(), "completed\"}") {
			t.Errorf("stream %v: %v, %d bytes", stream, err, out.Len())
		}
	}
	only := func(yield func(llm.Event, error) bool) { yield(llm.Event{}, boom) }
	if got := types(written(t, `{}`, only)); got != "created in_progress failed" {
		t.Error(got)
	}
}

// F16: a call without arguments has "{}" once.
func TestEmptyArguments(t *testing.T) {
	all := written(t, `{}`, script(llm.CallTools, call(0, "c", "now")))
	n := 0
	for _, o := range all {
		if o.Type == "response.function_call_arguments.done" && strings.Contains(o.raw, `"arguments":"{}"`) {
			n++
		}
	}
	if n != 1 || !strings.Contains(all[len(all)-1].raw, `"arguments":"{}"`) {
		t.Errorf("%d: %s", n, all[len(all)-1].raw)
	}
}

// Calls go back in the form of the client's tools: custom tools, those of
// OpenAI's own form, and those in a namespace (F8).
func TestCallForms(t *testing.T) {
	const tools = `{"tools":[{"type":"custom","name":"edit"},{"type":"local_shell"},{"type":"shell"},{"type":"apply_patch"},
		{"type":"tool_search","execution":"client","parameters":{"type":"object"}},
		{"type":"namespace","name":"crm","description":"d","tools":[{"type":"function","name":"find"},{"type":"custom","name":"edit"}]},
		{"type":"namespace","name":"mcp__git__","tools":[{"type":"function","name":"log"}]},
		{"type":"function","name":"crm__find"}]}`
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"edit", []string{`{"in`, `put":"a\`, `nb \u00`, `e9\ud83d`, `\ude00 \"q\""}`}, `{"call_id":"c","id":"ctc_kt-7_0","input":"a\nb é😀 \"q\"","name":"edit","status":"completed","type":"custom_tool_call"}`},
		{"edit", []string{`free text`}, `{"call_id":"c","id":"ctc_kt-7_0","input":"free text","name":"edit","status":"completed","type":"custom_tool_call"}`},
		{"edit", nil, `{"call_id":"c","id":"ctc_kt-7_0","input":"","name":"edit","status":"completed","type":"custom_tool_call"}`},
		{"crm__edit", []string{`{"input":"x"}`}, `{"call_id":"c","id":"ctc_kt-7_0","input":"x","name":"edit","namespace":"crm","status":"completed","type":"custom_tool_call"}`},
		{"crm__find", []string{`{"q":1}`}, `{"arguments":"{\"q\":1}","call_id":"c","id":"fc_kt-7_0","name":"find","namespace":"crm","status":"completed","type":"function_call"}`},
		{"crm__find_2", []string{`{}`}, `{"arguments":"{}","call_id":"c","id":"fc_kt-7_0","name":"crm__find","status":"completed","type":"function_call"}`},
		{"mcp__git__log", []string{`{}`}, `{"arguments":"{}","call_id":"c","id":"fc_kt-7_0","name":"log","namespace":"mcp__git__","status":"completed","type":"function_call"}`},
		{"local_shell", []string{`{"command":["ls"],"time`, `out_ms":5}`}, `{"action":{"command":["ls"],"env":{},"timeout_ms":5,"type":"exec"},"call_id":"c","id":"lsh_kt-7_0","status":"completed","type":"local_shell_call"}`},
		{"local_shell", []string{`{"command":"ls -l"}`}, `{"action":{"command":["sh","-c","ls -l"],"env":{},"type":"exec"},"call_id":"c","id":"lsh_kt-7_0","status":"completed","type":"local_shell_call"}`},
		{"shell", []string{`{"commands":["ls"]}`}, `{"action":{"commands":["ls"]},"call_id":"c","id":"sh_kt-7_0","status":"completed","type":"shell_call"}`},
		{"apply_patch", []string{"{\"type\":\"delete_file\",\n\"path\":\"a\"}"}, `{"call_id":"c","id":"apc_kt-7_0","operation":{"path":"a","type":"delete_file"},"status":"completed","type":"apply_patch_call"}`},
		{"tool_search", []string{`{"q":"x"}`}, `{"arguments":{"q":"x"},"call_id":"c","execution":"client","id":"tsc_kt-7_0","status":"completed","type":"tool_search_call"}`},
		{"unknown", []string{`{}`}, `{"arguments":"{}","call_id":"c","id":"fc_kt-7_0","name":"unknown","status":"completed","type":"function_call"}`},
	} {
		events := script(llm.CallTools, call(0, "c", tt.name, tt.args...))
		all := written(t, tools, events)
		streamed := all[len(all)-1].Response["output"].([]any)
		whole := wholly(t, tools, events)["output"].([]any)
		if len(streamed) != 1 || text1(streamed[0]) != tt.want || text1(whole) != text1(streamed) {
			t.Errorf("%s%q:\n got %s\nwant %s\nwhole %s", tt.name, tt.args, text1(streamed), tt.want, text1(whole))
		}
		deltas := ""
		for _, o := range all {
			if o.Type == inputDelta {
				deltas += o.Delta
			}
		}
		if v := streamed[0].(map[string]any); v["type"] == "custom_tool_call" && deltas != v["input"] {
			t.Errorf("%s: deltas %q, input %q", tt.name, deltas, v["input"])
		}
	}
}

// F9: thinking of any provider comes back in its kind, with its data.
func TestThinkingReturns(t *testing.T) {
	events := []llm.Event{
		{Kind: llm.Start},
		{Kind: llm.BlockStart, Block: llm.Thinking},
		{Kind: llm.Delta, Block: llm.Thinking, Text: "hm"},
		{Kind: llm.BlockStop, Block: llm.Thinking, Opaque: "sig", Origin: "messages:anthropic"},
		{Kind: llm.BlockStart, Block: llm.Thinking, Index: 1},
		{Kind: llm.BlockStop, Block: llm.Thinking, Index: 1, Opaque: "sig2", Origin: "messages:anthropic"},
		{Kind: llm.BlockStart, Block: llm.Redacted, Index: 2},
		{Kind: llm.BlockStop, Block: llm.Redacted, Index: 2, Opaque: "red", Origin: "messages:anthropic"},
		{Kind: llm.BlockStart, Block: llm.Text, Index: 3},
		{Kind: llm.Delta, Block: llm.Text, Index: 3, Text: "so"},
		{Kind: llm.BlockStop, Block: llm.Text, Index: 3, Opaque: "textsig", Origin: "gemini:google"},
		{Kind: llm.BlockStart, Block: llm.ToolCall, Index: 4, ID: "c1", Name: "f"},
		{Kind: llm.Delta, Block: llm.ToolCall, Index: 4, Text: "{}"},
		{Kind: llm.BlockStop, Block: llm.ToolCall, Index: 4, Opaque: "callsig", Origin: "gemini:google"},
		{Kind: llm.BlockStart, Block: llm.Thinking, Index: 5},
		{Kind: llm.Delta, Block: llm.Thinking, Index: 5, Text: "own"},
		{Kind: llm.BlockStop, Block: llm.Thinking, Index: 5, Opaque: "gAAA", Origin: "responses:openai"},
		{Kind: llm.Stop, Why: llm.CallTools},
	}
	streamed := written(t, `{}`, replay(events))
	for _, v := range []map[string]any{streamed[len(streamed)-1].Response, wholly(t, `{}`, replay(events))} {
		p := prompt(t, `{"input":`+text1(v["output"])+`}`)
		if len(p.Messages) != 1 {
			t.Fatalf("%+v", p.Messages)
		}
		want := []llm.Block{
			{Kind: llm.Thinking, Text: "hm", Opaque: "sig", Origin: "messages:anthropic"},
			{Kind: llm.Thinking, Opaque: "sig2", Origin: "messages:anthropic"},
			{Kind: llm.Redacted, Opaque: "red", Origin: "messages:anthropic"},
			{Kind: llm.Text, Text: "so", Opaque: "textsig", Origin: "gemini:google"},
			{Kind: llm.ToolCall, ID: "c1", Name: "f", Text: "{}", Opaque: "callsig", Origin: "gemini:google"},
			{Kind: llm.Thinking, Text: "own", Opaque: "gAAA", Origin: "responses"},
		}
		if got := p.Messages[0].Blocks; text1(got) != text1(want) {
			t.Errorf("got  %s\nwant %s", text1(got), text1(want))
		}
	}
}

// Citations count characters of their part; a refusal and an image have forms
// of their own; text in a row is one message.
func TestParts(t *testing.T) {
	events := []llm.Event{
		{Kind: llm.Start},
		{Kind: llm.BlockStart},
		{Kind: llm.Delta, Text: "Öl is "},
		{Kind: llm.BlockStop},
		{Kind: llm.BlockStart, Index: 1},
		{Kind: llm.Delta, Index: 1, Text: "für dich"},
		{Kind: llm.Delta, Index: 1, Cite: &llm.Citation{URL: "https://a", Title: "A", Start: 0, End: 4}},
		{Kind: llm.BlockStop, Index: 1},
		{Kind: llm.Ping},
		{Kind: llm.BlockStart, Block: llm.Image, Index: 2, Name: "image/webp"},
		{Kind: llm.Delta, Block: llm.Image, Index: 2, Text: "AAAA"},
		{Kind: llm.BlockStop, Block: llm.Image, Index: 2},
		{Kind: llm.BlockStart, Block: llm.Refusal, Index: 3},
		{Kind: llm.Delta, Block: llm.Refusal, Index: 3, Text: "No."},
		{Kind: llm.BlockStop, Block: llm.Refusal, Index: 3},
		{Kind: llm.Stop, Why: llm.Refused},
	}
	const want = `[{"content":[{"annotations":[],"logprobs":[],"text":"Öl is ","type":"output_text"},{"annotations":[{"end_index":3,"start_index":0,"title":"A","type":"url_citation","url":"https://a"}],"logprobs":[],"text":"für dich","type":"output_text"}],"id":"msg_kt-7_0","role":"assistant","status":"completed","type":"message"},{"id":"ig_kt-7_1","output_format":"webp","result":"AAAA","status":"completed","type":"image_generation_call"},{"content":[{"refusal":"No.","type":"refusal"}],"id":"msg_kt-7_2","role":"assistant","status":"completed","type":"message"}]`
	all := written(t, `{}`, replay(events))
	last := all[len(all)-1]
	if got := text1(last.Response["output"]); got != want || last.Type != "response.completed" {
		t.Errorf("%s\n got %s\nwant %s", last.Type, got, want)
	}
	const order = "created in_progress output_item.added content_part.added output_text.delta output_text.done content_part.done content_part.added output_text.delta output_text.annotation.added output_text.done content_part.done output_item.done output_item.added image_generation_call.generating image_generation_call.completed output_item.done output_item.added content_part.added refusal.delta refusal.done content_part.done output_item.done completed"
	if types(all) != order {
		t.Errorf("got  %s\nwant %s", types(all), order)
	}
	if got := text1(wholly(t, `{}`, replay(events))["output"]); got != want {
		t.Errorf("whole %s", got)
	}
}

// A call that only counts is answered in its own form.
func TestCount(t *testing.T) {
	hr := newRequest(t, "/v1/responses/input_tokens")
	p, err := Dialect{}.Peek(hr, []byte(`{"model":"m","stream":true,"input":"x"}`))
	if err != nil || !p.Counts || p.Stream || (Dialect{}).ContentType(p) != "application/json" {
		t.Fatalf("%+v %v", p, err)
	}
	var out bytes.Buffer
	events := replay([]llm.Event{{Kind: llm.Start}, {Kind: llm.Stop, Usage: &llm.Usage{Input: 42, Known: true}}})
	if err := (Dialect{}).EncodeResponse(&out, &llm.Request{Peek: p}, events); err != nil || out.String() != `{"object":"response.input_tokens","input_tokens":42}` {
		t.Errorf("%v %s", err, out.String())
	}
	c := &llm.Call{Counts: true}
	if got := (Dialect{}).URL(c, "http://b/v1"); got != "http://b/v1/responses/input_tokens" {
		t.Error(got)
	}
	var tally llm.Tally
	if v := (Dialect{}).Tally(c, &tally, out.Bytes()); v != llm.Last || !tally.Done || tally.Err != nil || tally.Usage.Known {
		t.Errorf("%v %+v", v, tally)
	}
}
