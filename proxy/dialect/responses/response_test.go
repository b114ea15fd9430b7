package responses

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

const (
	created   = `{"type":"response.created","response":{"id":"resp_1","model":"gpt"},"sequence_number":0}`
	completed = `{"type":"response.completed","response":{"id":"resp_1","model":"gpt","status":"completed","output":[],"usage":{"input_tokens":15305,"input_tokens_details":{"cached_tokens":15104},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":2},"total_tokens":15310},"service_tier":"flex"}}`
)

func added(at int, item string) string {
	return fmt.Sprintf(`{"type":"response.output_item.added","output_index":%d,"item":%s}`, at, item)
}

func done(at int, item string) string {
	return fmt.Sprintf(`{"type":"response.output_item.done","output_index":%d,"item":%s}`, at, item)
}

func argsOf(kind string, at int, args string) string {
	return fmt.Sprintf(`{"type":"response.function_call_arguments.%s","output_index":%d,%q:%q}`, kind, at, map[string]string{"delta": "delta", "done": "arguments"}[kind], args)
}

// pieces are the pieces of arguments or text as they were yielded.
func pieces(events []llm.Event) string {
	var s []string
	for _, e := range events {
		switch e.Kind {
		case llm.BlockStart:
			s = append(s, "<"+e.Name)
		case llm.Delta:
			s = append(s, e.Text)
		case llm.BlockStop:
			s = append(s, ">"+e.Opaque)
		}
	}
	return strings.Join(s, "|")
}

// What providers do differently comes to the same events.
func TestStreams(t *testing.T) {
	const fc = `{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":""}`
	const whole = `{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"{\"a\":1}"}`
	const text = `{"type":"message","id":"m","content":[{"type":"output_text","text":"Hi","annotations":[]}]}`
	delta := func(s string) string {
		return `{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"` + s + `"}`
	}
	for _, tt := range []struct {
		name   string
		frames []string
		want   string
	}{
		{"D4: arguments in done alone", []string{added(0, fc), argsOf("done", 0, `{"a":1}`), done(0, whole)}, `<f|{"a":1}|>`},
		{"D4: in pieces, then done", []string{added(0, fc), argsOf("delta", 0, `{"a"`), argsOf("delta", 0, `:1}`), argsOf("done", 0, `{"a":1}`), done(0, whole)}, `<f|{"a"|:1}|>`},
		{"D4: in the item alone", []string{added(0, fc), done(0, whole)}, `<f|{"a":1}|>`},
		{"D4: in an item that was not announced", []string{done(0, whole)}, `<f|{"a":1}|>`},
		{"D12: the name comes last", []string{added(0, `{"type":"function_call","id":"fc","call_id":"c","name":""}`), argsOf("delta", 0, `{"a"`), argsOf("delta", 0, `:1}`), done(0, whole)}, `<f|{"a":1}|>`},
		{"F16: no arguments", []string{added(0, fc), argsOf("done", 0, ""), done(0, fc)}, `<f|{}|>`},
		{"F16: everything twice", []string{added(0, fc), added(0, fc), argsOf("done", 0, `{"a":1}`), argsOf("done", 0, `{"a":1}`), done(0, whole), done(0, whole)}, `<f|{"a":1}|>`},
		{"F16: a piece after all of it", []string{added(0, fc), argsOf("done", 0, `{"a":1}`), argsOf("delta", 0, `{"a":1}`), done(0, whole)}, `<f|{"a":1}|>`},
		{"F3: side by side", []string{added(0, fc), added(1, strings.ReplaceAll(fc, `"c"`, `"d"`)), argsOf("delta", 1, `{"b"`), argsOf("delta", 0, `{"a"`), argsOf("delta", 1, `:2}`), argsOf("delta", 0, `:1}`), done(0, whole), done(1, strings.ReplaceAll(fc, `"c"`, `"d"`))}, `<f|<f|{"b"|{"a"|:2}|:1}|>|>`},
		{"by item id alone", []string{strings.ReplaceAll(added(0, fc), `"output_index":0,`, ""), `{"type":"response.function_call_arguments.delta","item_id":"fc","delta":"{}"}`, strings.ReplaceAll(done(0, whole), `"output_index":0,`, "")}, `<f|{}|>`},
		{"text in done alone", []string{added(0, `{"type":"message","id":"m"}`), `{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi"}`, done(0, text)}, `<|Hi|>`},
		{"text in its part alone", []string{added(0, `{"type":"message","id":"m"}`), `{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hi"}}`, done(0, text)}, `<|Hi|>`},
		{"E19: text in pieces and thrice whole", []string{delta("H"), delta("i"), `{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi"}`, `{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hi"}}`, done(0, text), done(0, text)}, `<|H|i|>`},
		{"a custom tool", []string{added(0, `{"type":"custom_tool_call","id":"x","call_id":"c","name":"edit","input":""}`), `{"type":"response.custom_tool_call_input.delta","output_index":0,"delta":"a\""}`, `{"type":"response.custom_tool_call_input.delta","output_index":0,"delta":"b"}`, `{"type":"response.custom_tool_call_input.done","output_index":0,"input":"a\"b"}`, done(0, `{"type":"custom_tool_call","id":"x","call_id":"c","name":"edit","input":"a\"b"}`)}, `<edit|{"input":"a\"|b|"}|>`},
		{"a custom tool in its item alone", []string{done(0, `{"type":"custom_tool_call","call_id":"c","name":"edit","input":"a"}`)}, `<edit|{"input":"a|"}|>`},
		{"F11: raw reasoning", []string{added(0, `{"type":"reasoning","id":"r","summary":[]}`), `{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"h"}`, `{"type":"response.reasoning_text.delta","output_index":0,"content_index":0,"delta":"m"}`, `{"type":"response.reasoning_text.done","output_index":0,"content_index":0,"text":"hm"}`, done(0, `{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"S"}],"content":[{"type":"reasoning_text","text":"hm"}]}`)}, `<|h|m|>`},
		{"a summary in two parts", []string{`{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"a"}`, `{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"b"}`, done(0, `{"type":"reasoning","encrypted_content":"gAA","summary":[{"text":"a"},{"text":"b"}]}`)}, "<|a|\n\nb|>gAA"},
		{"reasoning that is hidden", []string{added(0, `{"type":"reasoning","encrypted_content":"early"}`), done(0, `{"type":"reasoning","encrypted_content":"gAA","summary":[]}`)}, `<|>gAA`},
		{"B11: what the provider ran", []string{done(0, `{"type":"web_search_call","status":"completed","action":{"type":"search"}}`), done(1, `{"type":"mcp_call","name":"x"}`), done(2, `{"type":"code_interpreter_call"}`)}, ``},
		{"an image", []string{`{"type":"response.image_generation_call.partial_image","output_index":0,"partial_image_b64":"A"}`, done(0, `{"type":"image_generation_call","result":"QUE=","output_format":"webp"}`)}, `<image/webp|QUE=|>`},
		{"unknown and idle events", []string{`{"type":"keepalive"}`, `{"type":"response.made_up","output_index":9}`, delta("x")}, `<|x|>`},
		{"D6: text, call, text", []string{delta("a"), done(1, whole), `{"type":"response.output_text.delta","output_index":2,"content_index":0,"delta":"b"}`}, `<|a|>|<f|{"a":1}|>|<|b|>`},
	} {
		made := ""
		c := &llm.Call{Model: llm.Model{Provider: "openai"}, Made: func(s string) { made += s }}
		events := answered(t, c, append(append([]string{created}, tt.frames...), completed)...)
		if got := pieces(events); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		for _, e := range events {
			if e.Opaque != "" && (e.Origin != "responses:openai" || made != e.Opaque) {
				t.Errorf("%s: origin %q, noted %q", tt.name, e.Origin, made)
			}
		}
	}
}

// The terminal event says why, with the usage in buckets (D15).
func TestEnds(t *testing.T) {
	call := done(0, `{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}`)
	refusal := `{"type":"response.refusal.delta","output_index":0,"content_index":0,"delta":"No"}`
	incomplete := func(reason string) string {
		return `{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"` + reason + `"},"usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}}`
	}
	for _, tt := range []struct {
		frames []string
		why    llm.Why
		output int64
	}{
		{[]string{completed}, llm.EndTurn, 5},
		{[]string{call, completed}, llm.CallTools, 5},
		{[]string{refusal, completed}, llm.Refused, 5},
		{[]string{incomplete("max_output_tokens")}, llm.MaxTokens, 2}, // F4, F5
		{[]string{call, incomplete("content_filter")}, llm.ContentFilter, 2},
		{[]string{incomplete("max_tool_calls")}, "max_tool_calls", 2},
		{[]string{completed, `{"type":"response.output_text.delta","delta":"late"}`, "[DONE]"}, llm.EndTurn, 5}, // D11
	} {
		events := answered(t, &llm.Call{}, append([]string{created}, tt.frames...)...)
		last := events[len(events)-1]
		if last.Why != tt.why || last.Usage == nil || last.Usage.Output != tt.output {
			t.Errorf("%v: %+v", tt.frames, last)
		}
		if tt.output == 5 && (last.Usage.Input != 201 || last.Usage.CacheRead != 15104 || last.Usage.Reasoning != 2 || last.Tier != "flex") { // D15
			t.Errorf("D15: %+v %q", last.Usage, last.Tier)
		}
	}
	// An answer that comes in its last event alone is there as well.
	events := answered(t, &llm.Call{}, `{"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hi"}]}]}}`)
	if s := dialecttest.Summarize(events); s.Text != "Hi" || events[0].ID != "r" {
		t.Errorf("%+v", events)
	}
}

// A failure in the stream is an error of its own kind; one that stops is cut.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		frames []string
		kind   llm.ErrorKind
		says   string
	}{
		{[]string{created, `{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow down"},"usage":{"input_tokens":7,"output_tokens":0,"total_tokens":7}}}`}, llm.RateLimited, "slow down"},
		{[]string{created, `{"type":"response.failed","response":{"status":"failed","error":null}}`}, llm.ServerError, "could not finish"},
		{[]string{created, `{"type":"error","code":"insufficient_quota","message":"pay","param":null}`}, llm.NoCredit, "pay"},
		{[]string{`{"type":"error","error":{"type":"server_error","code":null,"message":"oops"}}`}, llm.ServerError, "oops"},
		{[]string{`{"error":{"message":"no such model","code":"model_not_found"}}`}, llm.NotFound, "no such model"},
		{[]string{created}, llm.Cut, "stopped in the middle"},
		{[]string{created, "[DONE]"}, llm.Cut, "stopped in the middle"},
		{[]string{created, `{"type":"response.output_text.delta"`}, llm.Garbage, "cannot be read"},
		{[]string{created, done(0, `{"type":"function_call","call_id":"c"}`), completed}, llm.Garbage, "no name"},
	} {
		c := &llm.Call{Stream: true}
		var last error
		for _, err := range (Dialect{}).DecodeResponse(c, strings.NewReader("data: "+strings.Join(tt.frames, "\n\ndata: ")+"\n\n")) {
			last = err
		}
		var e *llm.Error
		if !errors.As(last, &e) || e.Kind != tt.kind || !strings.Contains(e.Message, tt.says) {
			t.Errorf("%v: %v", tt.frames, last)
		}
		var tally llm.Tally
		for _, f := range tt.frames {
			if (Dialect{}).Tally(c, &tally, []byte(f)) == llm.Last {
				break
			}
		}
		if bad := tt.kind != llm.Cut && tt.says != "no name" && tt.says != "cannot be read"; bad && (tally.Err == nil || tally.Err.Kind != tt.kind || tally.Done || tally.Good) {
			t.Errorf("%v: tally %+v", tt.frames, tally)
		}
		if strings.Contains(tt.frames[len(tt.frames)-1], `"input_tokens":7`) && tally.Usage.Input != 7 { // F5
			t.Errorf("F5: %+v", tally.Usage)
		}
	}
}

func TestWholeFailures(t *testing.T) {
	for body, kind := range map[string]llm.ErrorKind{
		``:                             llm.Garbage,
		`<html>`:                       llm.Garbage,
		`[]`:                           llm.Garbage,
		`{"object":"chat.completion"}`: llm.Garbage,
		`{"id":"r","output":[`:         llm.Cut,
		`{"error":{"message":"no","code":"invalid_api_key"}}`:                                                    llm.Unauthorized,
		`{"status":"failed","output":[],"error":{"code":"server_error","message":"no"}}`:                         llm.ServerError,
		`{"status":"completed","output":[{"type":"function_call","call_id":"c","arguments":"{}"}],"usage":null}`: llm.Garbage,
	} {
		var last error
		for _, err := range (Dialect{}).DecodeResponse(&llm.Call{}, strings.NewReader(body)) {
			last = err
		}
		if e := llm.AsError(last); last == nil || e.Kind != kind {
			t.Errorf("%s: %v", body, last)
		}
		var tally llm.Tally
		if (Dialect{}).Tally(&llm.Call{}, &tally, []byte(body)); tally.Done == (tally.Err != nil) || tally.Err == nil && !strings.Contains(body, "function_call") {
			t.Errorf("%s: %+v", body, tally)
		}
	}
	// An answer made in the background has only begun, which is no failure of a copy.
	var tally llm.Tally
	if v := (Dialect{}).Tally(&llm.Call{}, &tally, []byte(`{"id":"r","status":"queued","output":[]}`)); v != llm.Last || tally.Err != nil || !tally.Done {
		t.Errorf("%+v", tally)
	}
}

// Searches are counted as they are billed: reading a page is none.
func TestSearches(t *testing.T) {
	search := done(0, `{"type":"web_search_call","action":{"type":"search"}}`)
	page := done(1, `{"type":"web_search_call","action":{"type":"open_page"}}`)
	told := strings.Replace(completed, `"service_tier"`, `"tool_usage":{"web_search":{"num_requests":3}},"service_tier"`, 1)
	for end, want := range map[string]int64{completed: 1, told: 3} {
		c := &llm.Call{}
		frames := []string{created, search, page, end}
		events := answered(t, c, frames...)
		var tally llm.Tally
		for _, f := range frames {
			(Dialect{}).Tally(c, &tally, []byte(f))
		}
		if got := events[len(events)-1].Usage.Searches; got != want || tally.Usage.Searches != want {
			t.Errorf("%d and %d, want %d", got, tally.Usage.Searches, want)
		}
	}
}

// Metering counts text without reading frames whole, notes what the provider
// made, and takes an answer for good only when an item of it begins.
func TestTally(t *testing.T) {
	var made []string
	c := &llm.Call{Stream: true, Made: func(s string) { made = append(made, s) }}
	var tally llm.Tally
	step := func(frame string, text int64, good bool, want llm.Verdict) {
		t.Helper()
		if v := (Dialect{}).Tally(c, &tally, []byte(frame)); v != want || tally.Text != text || tally.Good != good {
			t.Errorf("%s: %v, text %d, good %v", frame, v, tally.Text, tally.Good)
		}
	}
	step(created, 0, false, llm.Pass)
	step(`{"type":"response.in_progress","response":{"model":"gpt"}}`, 0, false, llm.Pass)
	step(added(0, `{"type":"message"}`), 0, true, llm.Pass)
	step(`{"type":"response.output_text.delta","content_index":0,"delta":"a\"b","item_id":"m","sequence_number":4}`, 4, true, llm.Pass)
	step(`{"delta":"\\","item_id":"m","type":"response.function_call_arguments.delta"}`, 6, true, llm.Pass)
	step(`{"type": "response.output_text.delta", "delta": "spaced"}`, 6, true, llm.Pass) // an estimate needs no more
	step(`{"type":"response.output_text.done","text":"a \"type\":\"response.x.delta\" b"}`, 6, true, llm.Pass)
	step(done(0, `{"type":"reasoning","encrypted_content":"gAA"}`), 6, true, llm.Pass)
	step(completed, 6, true, llm.Last)
	step("[DONE]", 6, true, llm.Pass)
	if !tally.Done || tally.Model != "gpt" || tally.Tier != "flex" || tally.Why != llm.EndTurn || strings.Join(made, "|") != "gAA" {
		t.Errorf("%+v, made %q", tally, made)
	}
}
