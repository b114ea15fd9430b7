package messages_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/messages"
	"keytray/proxy/llm"
)

const asked = `{"model":"m","max_tokens":9,"stop_sequences":["END"],"messages":[{"role":"user","content":"x"}]}`

// said is what a client gets for events.
func said(t *testing.T, stream bool, events ...llm.Event) string {
	t.Helper()
	r := request(t, asked)
	r.Stream = stream
	var sent bytes.Buffer
	if err := (messages.Dialect{}).EncodeResponse(&sent, r, replay(events)); err != nil {
		t.Fatal(err)
	}
	if stream {
		legal(t, t.Name(), sent.String())
	}
	return sent.String()
}

// data is the data of a stream's frames of some type.
func data(stream, kind string) (all []string) {
	for _, f := range strings.Split(stream, "\n\n") {
		if rest, ok := strings.CutPrefix(f, "event: "+kind+"\ndata: "); ok {
			all = append(all, rest)
		}
	}
	return all
}

func begin(kind llm.BlockKind, index int, id, name string) llm.Event {
	return llm.Event{Kind: llm.BlockStart, Block: kind, Index: index, ID: id, Name: name}
}

func piece(kind llm.BlockKind, index int, text string) llm.Event {
	return llm.Event{Kind: llm.Delta, Block: kind, Index: index, Text: text}
}

func end(kind llm.BlockKind, index int) llm.Event {
	return llm.Event{Kind: llm.BlockStop, Block: kind, Index: index}
}

func block(kind llm.BlockKind, index int, text string) []llm.Event {
	return []llm.Event{begin(kind, index, "", ""), piece(kind, index, text), end(kind, index)}
}

func around(why llm.Why, blocks ...[]llm.Event) []llm.Event {
	all := []llm.Event{{Kind: llm.Start, ID: "id-1", Name: "far"}}
	for _, b := range blocks {
		all = append(all, b...)
	}
	return append(all, llm.Event{Kind: llm.Stop, Why: why})
}

// D4, D6, D14: calls that grow side by side come one after the other, and none
// waits longer than it must.
func TestCallsComeOneAfterTheOther(t *testing.T) {
	const call = llm.ToolCall
	events := around(llm.CallTools, []llm.Event{
		begin(call, 0, "a", "f"), piece(call, 0, `{"x":`), piece(call, 0, "1}"),
		begin(call, 1, "b", "g"), piece(call, 1, `{"y"`), piece(call, 1, ":2}"),
		begin(call, 2, "c", "h"), // it has no arguments (B7)
		end(call, 0), end(call, 1), end(call, 2),
	})
	stream := said(t, true, events...)
	want := []string{`{"x":`, "1}", `{"y"`, ":2}", "{}"}
	deltas := data(stream, "content_block_delta")
	if len(deltas) != len(want) {
		t.Fatalf("%d deltas:\n%s", len(deltas), stream)
	}
	for i, d := range deltas {
		quoted, _ := json.Marshal(want[i])
		if !strings.Contains(d, `"partial_json":`+string(quoted)) {
			t.Errorf("delta %d: %s", i, d)
		}
	}
	// Each event of the second call left before the next was asked for: the
	// first call was whole, and nobody waited for its end.
	r := request(t, asked)
	r.Stream = true
	var sent bytes.Buffer
	i := 0
	err := messages.Dialect{}.EncodeResponse(&sent, r, func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			switch i++; {
			case i == 6 && !strings.Contains(sent.String(), `"id":"b"`), i == 7 && !strings.Contains(sent.String(), `"{\"y\""`):
				t.Errorf("the second call was held back:\n%s", sent.String())
			}
			if !yield(e, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}

	// Truly interleaved: the later waits for the earlier, and no longer.
	events = around(llm.CallTools, []llm.Event{
		begin(call, 0, "a", "f"), piece(call, 0, `{"x":`), begin(call, 1, "b", "g"), piece(call, 1, `{"y":`),
		begin(call, 2, "c", "h"), piece(call, 0, `1}`), piece(call, 1, `2`), piece(call, 1, `}`), piece(call, 2, "{}"), end(call, 2), end(call, 0), end(call, 1),
	})
	if got := arguments(t, said(t, true, events...)); got != `{"x":|1}|{"y":2|}|{}` {
		t.Errorf("interleaved: %s", got)
	}
	events = around(llm.CallTools, []llm.Event{
		begin(call, 0, "a", "f"), begin(call, 1, "b", "g"), begin(call, 2, "c", "h"), piece(call, 1, "{}"), end(call, 1), piece(call, 2, `{"z":3}`), end(call, 0), end(call, 2),
	})
	if got := arguments(t, said(t, true, events...)); got != `{}|{}|{"z":3}` {
		t.Errorf("waiting for one without arguments: %s", got)
	}
}

// arguments are the pieces of all calls' arguments.
func arguments(t *testing.T, stream string) string {
	t.Helper()
	var all []string
	for _, d := range data(stream, "content_block_delta") {
		var e streamEvent
		if err := json.Unmarshal([]byte(d), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, *e.Delta.Partial)
	}
	return strings.Join(all, "|")
}

// D7: blocks close before the next opens, with no text between thinking and a
// call.
func TestBlocksOfAllKinds(t *testing.T) {
	const call = llm.ToolCall
	stream := said(t, true, around(llm.CallTools,
		block(llm.Text, 0, "a"), block(llm.Thinking, 1, "b"), block(llm.Text, 2, "c"),
		block(llm.Thinking, 3, "d"), []llm.Event{begin(call, 4, "x", "f"), piece(call, 4, "{}"), end(call, 4)},
		[]llm.Event{begin(llm.Image, 5, "", "image/png"), piece(llm.Image, 5, "AAAA"), end(llm.Image, 5)},
	)...)
	var kinds []string
	for _, d := range data(stream, "content_block_start") {
		var e streamEvent
		_ = json.Unmarshal([]byte(d), &e) // legal has read it
		kinds = append(kinds, e.Block.Type)
	}
	if got := strings.Join(kinds, " "); got != "text thinking text thinking tool_use text" {
		t.Error(got)
	}
	if strings.Contains(stream, "AAAA") || !strings.Contains(stream, "image/png") {
		t.Errorf("an image:\n%s", stream)
	}
}

// D13: opaque data of other dialects goes out so that only who made it gets it
// back; where there is none, nothing takes its place.
func TestSignatures(t *testing.T) {
	think := func(opaque, origin string) []llm.Event {
		b := block(llm.Thinking, 0, "hm")
		b[2].Opaque, b[2].Origin = opaque, origin
		return around(llm.EndTurn, b)
	}
	for _, c := range []struct{ opaque, origin, want string }{
		{"EqQB", "messages:anthropic", "EqQB"},
		{"EqQB", "messages", "EqQB"},
		{"sig", "gemini:google", llm.Seal("gemini:google", "sig")},
		{"", "", ""},
	} {
		stream := said(t, true, think(c.opaque, c.origin)...)
		if signed := strings.Contains(stream, "signature"); signed != (c.want != "") || signed && !strings.Contains(stream, `{"type":"signature_delta","signature":"`+c.want+`"}`) {
			t.Errorf("%+v: streamed\n%s", c, stream)
		}
		whole := said(t, false, think(c.opaque, c.origin)...)
		sign := value(t, []byte(whole))["content"].([]any)[0].(map[string]any)["signature"].(string)
		if c.want != "" && sign != c.want || sign == "" {
			t.Errorf("%+v: whole\n%s", c, whole)
		}
		p := prompt(t, `{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"`+sign+`"}]}]}`)
		origin, _, _ := strings.Cut(c.origin, ":anthropic") // a bare signature names no provider
		if b := p.Messages[0].Blocks[0]; b.Opaque != c.opaque || b.Origin != origin || b.Text != "hm" {
			t.Errorf("%+v came back as %+v", c, b)
		}
	}
	redacted := []llm.Event{begin(llm.Redacted, 0, "", ""), {Kind: llm.BlockStop, Block: llm.Redacted, Opaque: "x", Origin: "chat:openrouter"}}
	for _, stream := range []bool{false, true} { // B5
		if got := said(t, stream, around(llm.EndTurn, redacted, block(llm.Text, 1, "a"))...); !strings.Contains(got, `{"type":"redacted_thinking","data":"`+llm.Seal("chat:openrouter", "x")+`"}`) {
			t.Errorf("redacted:\n%s", got)
		}
	}
}

func TestStopReasons(t *testing.T) {
	call := []llm.Event{begin(llm.ToolCall, 0, "a", "f"), end(llm.ToolCall, 0)}
	for _, c := range []struct {
		why    llm.Why
		blocks []llm.Event
		want   string
	}{
		{llm.EndTurn, nil, `"stop_reason":"end_turn","stop_sequence":null`},
		{llm.MaxTokens, nil, `"stop_reason":"max_tokens"`},
		{llm.StopSequence, nil, `"stop_reason":"stop_sequence","stop_sequence":"END"`},
		{llm.CallTools, call, `"stop_reason":"tool_use"`},
		{llm.EndTurn, call, `"stop_reason":"tool_use"`}, // some say stop after a call
		{llm.CallTools, nil, `"stop_reason":"end_turn"`},
		{llm.PauseTurn, nil, `"stop_reason":"pause_turn"`},
		{llm.ContentFilter, nil, `"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":null}`},
		{llm.Refused, block(llm.Refusal, 0, "no"), `"stop_reason":"refusal","stop_sequence":null,"stop_details":{"type":"refusal","category":null,"explanation":"no"}`},
		{"recitation", nil, `"stop_reason":"end_turn"`},
		{"", nil, `"stop_reason":"end_turn"`},
	} {
		for _, stream := range []bool{false, true} {
			if got := said(t, stream, around(c.why, c.blocks)...); !strings.Contains(got, c.want) {
				t.Errorf("%q: want %s\n%s", c.why, c.want, got)
			}
		}
	}
}

// D15: input excludes what was read from a cache. D11: what comes after
// finish_reason counts.
func TestUsageOfChat(t *testing.T) {
	const answer = `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi","tool_calls":[]},"finish_reason":null}]}

data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"c","choices":[],"usage":{"prompt_tokens":15305,"completion_tokens":5,"total_tokens":15310,"prompt_tokens_details":{"cached_tokens":15104},"completion_tokens_details":{"reasoning_tokens":2}}}

data: [DONE]

data: {"id":"c","choices":[{"index":0,"delta":{"content":"late"}}]}

`
	for _, stream := range []bool{false, true} {
		r := request(t, asked)
		r.Stream = stream
		var sent bytes.Buffer
		events := chat.Dialect{}.DecodeResponse(&llm.Call{Stream: true}, strings.NewReader(answer))
		if err := (messages.Dialect{}).EncodeResponse(&sent, r, events); err != nil {
			t.Fatal(err)
		}
		got := sent.String()
		want := `"usage":{"input_tokens":201,"cache_creation_input_tokens":0,"cache_read_input_tokens":15104,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":5,"output_tokens_details":{"thinking_tokens":2}`
		if !strings.Contains(got, want) || strings.Contains(got, "late") {
			t.Errorf("stream %v:\n%s", stream, got)
		}
		if stream { // D1
			legal(t, "chat", got)
			if d := data(got, "content_block_delta"); len(d) != 1 || !strings.Contains(d[0], `{"type":"text_delta","text":"Hi"}`) {
				t.Errorf("D1: %q", d)
			}
		}
	}
}

func TestUsageAtTheStart(t *testing.T) {
	known := &llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 10, CacheWrite1h: 40, Output: 1, Known: true}
	events := around(llm.EndTurn)
	events[0].Usage, events[1].Usage, events[1].Tier = known, &llm.Usage{Input: 6, AudioInput: 4, Output: 7, Searches: 2, Known: true}, "default"
	stream := said(t, true, events...)
	start, last := data(stream, "message_start")[0], data(stream, "message_delta")[0]
	if !strings.Contains(start, `"usage":{"input_tokens":6,"cache_creation_input_tokens":50,"cache_read_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":40},"output_tokens":0}`) {
		t.Error(start)
	}
	if !strings.Contains(last, `"input_tokens":10,`) || !strings.Contains(last, `"output_tokens":7,"server_tool_use":{"web_search_requests":2,"web_fetch_requests":0}`) {
		t.Error(last)
	}
	if whole := said(t, false, events...); !strings.Contains(whole, `"service_tier":"standard"`) {
		t.Error(whole)
	}
}

// B11: citations of the text go on, each in its block.
func TestCitations(t *testing.T) {
	b := block(llm.Text, 0, "sky")
	cite := &llm.Citation{URL: "https://e.org", Title: "E", Quote: "q"}
	b = []llm.Event{b[0], b[1], {Kind: llm.Delta, Block: llm.Text, Cite: cite}, b[2]}
	const want = `{"type":"web_search_result_location","cited_text":"q","url":"https://e.org","title":"E","encrypted_index":"`
	if got := said(t, true, around(llm.EndTurn, b)...); !strings.Contains(got, `"delta":{"type":"citations_delta","citation":`+want) {
		t.Error(got)
	}
	if got := said(t, false, around(llm.EndTurn, b)...); !strings.Contains(got, `"citations":[`+want) {
		t.Error(got)
	}
}

// B9: a ping keeps the connection, and is no delta.
func TestPing(t *testing.T) {
	b := block(llm.Text, 0, "a")
	b = []llm.Event{b[0], {Kind: llm.Ping}, b[1], b[2]}
	if got := said(t, true, around(llm.EndTurn, b)...); len(data(got, "ping")) != 1 || len(data(got, "content_block_delta")) != 1 {
		t.Error(got)
	}
}

// B10: an answer that breaks off ends in an error and in nothing else; one
// that is not streamed is not written.
func TestBrokenAnswers(t *testing.T) {
	for kind, want := range map[llm.ErrorKind]string{
		llm.Overloaded: "overloaded_error", llm.Cut: "api_error", llm.RateLimited: "rate_limit_error", llm.Timeout: "timeout_error", llm.Garbage: "api_error",
	} {
		boom := &llm.Error{Kind: kind, Message: "it broke", Provider: "groq"}
		for _, stream := range []bool{false, true} {
			r := request(t, asked)
			r.Stream = stream
			var sent bytes.Buffer
			err := messages.Dialect{}.EncodeResponse(&sent, r, func(yield func(llm.Event, error) bool) {
				_ = yield(llm.Event{Kind: llm.Start}, nil) && yield(begin(llm.Text, 0, "", ""), nil) && yield(piece(llm.Text, 0, "a"), nil) && yield(llm.Event{}, boom)
			})
			if err != boom {
				t.Errorf("%s: %v", kind, err)
			}
			got := sent.String()
			if !stream {
				if got != "" {
					t.Errorf("%s: wrote %s", kind, got)
				}
				continue
			}
			if !strings.HasSuffix(got, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\""+want+"\",\"message\":\"groq: it broke\"},\"request_id\":\"req-1\"}\n\n") || strings.Contains(got, "message_stop") || strings.Contains(got, "message_delta") {
				t.Errorf("%s:\n%s", kind, got)
			}
		}
	}
}

func TestInputsOfWholeAnswers(t *testing.T) {
	call := func(args string) []llm.Event {
		return []llm.Event{begin(llm.ToolCall, 0, "a", "f"), piece(llm.ToolCall, 0, args), end(llm.ToolCall, 0)}
	}
	for args, want := range map[string]string{"": "{}", " ": "{}", "null": "{}", `{"a": 1}`: `{"a": 1}`} {
		if got := said(t, false, around(llm.CallTools, call(args))...); !strings.Contains(got, `"input":`+want+`}`) {
			t.Errorf("%q: %s", args, got)
		}
	}
	if got := said(t, false, around(llm.MaxTokens, call(`{"a`))...); !strings.Contains(got, `"input":{}`) {
		t.Error(got)
	}
	var sent bytes.Buffer
	var e *llm.Error
	err := messages.Dialect{}.EncodeResponse(&sent, request(t, asked), replay(around(llm.CallTools, call(`{"a`))))
	if !errors.As(err, &e) || e.Kind != llm.Garbage || sent.Len() > 0 {
		t.Errorf("%v, wrote %s", err, sent.String())
	}
}

// C16: the size of a prompt, in its own form.
func TestCountAnswer(t *testing.T) {
	r := request(t, asked)
	r.Counts = true
	var sent bytes.Buffer
	events := []llm.Event{{Kind: llm.Start}, {Kind: llm.Stop, Usage: &llm.Usage{Input: 40, CacheRead: 2, Known: true}}}
	if err := (messages.Dialect{}).EncodeResponse(&sent, r, replay(events)); err != nil || sent.String() != `{"input_tokens":42}` {
		t.Error(err, sent.String())
	}
}

func TestEncodeError(t *testing.T) {
	for _, c := range []struct {
		e      *llm.Error
		status int
		want   string
	}{
		{&llm.Error{Kind: llm.Overloaded, Message: "busy"}, 529, `{"type":"error","error":{"type":"overloaded_error","message":"busy"},"request_id":null}`},
		{&llm.Error{Kind: llm.Overloaded, Status: 503, Message: "busy", Provider: "groq", Header: map[string][]string{"Request-Id": {"req_9"}}}, 503, `{"type":"error","error":{"type":"overloaded_error","message":"groq: busy"},"request_id":"req_9"}`}, // J9
		{llm.Invalid("tools.0.name", "it is missing"), 400, `{"type":"error","error":{"type":"invalid_request_error","message":"tools.0.name: it is missing"},"request_id":null}`},
		{llm.Invalid("top_k", "top_k is wrong"), 400, `"message":"top_k is wrong"`},
		{&llm.Error{Kind: llm.Unauthorized}, 401, `"authentication_error"`},
		{&llm.Error{Kind: llm.NoCredit}, 402, `"billing_error"`},
		{&llm.Error{Kind: llm.Forbidden}, 403, `"permission_error"`},
		{&llm.Error{Kind: llm.NotFound}, 404, `"not_found_error"`},
		{&llm.Error{Kind: llm.TooLarge}, 413, `"request_too_large"`},
		{&llm.Error{Kind: llm.RateLimited}, 429, `"rate_limit_error"`},
		{&llm.Error{Kind: llm.Timeout}, 504, `"timeout_error"`},
		{&llm.Error{Kind: llm.Filtered}, 400, `"invalid_request_error"`},
		{&llm.Error{Kind: llm.Internal}, 500, `"api_error"`},
		{&llm.Error{Kind: llm.Unreachable}, 502, `"api_error"`},
	} {
		status, kind, body := messages.Dialect{}.EncodeError(c.e)
		if status != c.status || kind != "application/json" || !strings.Contains(string(body), c.want) || !json.Valid(body) {
			t.Errorf("%+v: %d %s", c.e, status, body)
		}
	}
}

func prompt(t *testing.T, body string) *llm.Prompt {
	t.Helper()
	p, err := request(t, body).Prompt()
	if err != nil {
		t.Fatal(err)
	}
	return p
}
