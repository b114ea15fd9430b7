package messages

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"keytray/proxy/llm"
)

// sseOf frames each event as Anthropic does.
func sseOf(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kindOf([]byte(e)), e)
	}
	return b.String()
}

const (
	startEvent = `{"type":"message_start","message":{"id":"msg_1","type":"message","model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":6,"cache_read_input_tokens":100,"cache_creation_input_tokens":50,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":40},"output_tokens":1,"service_tier":"standard","inference_geo":"us"}}}`
	stopEvent  = `{"type":"message_stop"}`
)

func ends(reason string) string {
	return `{"type":"message_delta","delta":{"stop_reason":"` + reason + `"},"usage":{"output_tokens":20}}`
}

// told writes events down, one on a line.
func told(events llm.Events) (string, error) {
	var b strings.Builder
	for e, err := range events {
		if err != nil {
			return b.String(), err
		}
		switch e.Kind {
		case llm.Start:
			fmt.Fprintf(&b, "start %s %s\n", e.ID, e.Name)
		case llm.BlockStart:
			fmt.Fprintf(&b, "%d begin %d %s %s\n", e.Index, e.Block, e.ID, e.Name)
		case llm.Delta:
			if e.Cite != nil {
				fmt.Fprintf(&b, "%d cite %s %q %q %d-%d\n", e.Index, e.Cite.URL, e.Cite.Title, e.Cite.Quote, e.Cite.Start, e.Cite.End)
			} else {
				fmt.Fprintf(&b, "%d + %s\n", e.Index, e.Text)
			}
		case llm.BlockStop:
			fmt.Fprintf(&b, "%d end %s %s\n", e.Index, e.Opaque, e.Origin)
		case llm.Stop:
			u := llm.Usage{}
			if e.Usage != nil {
				u = *e.Usage
			}
			fmt.Fprintf(&b, "stop %s %s in %d read %d 5m %d 1h %d out %d\n", e.Why, e.Tier, u.Input, u.CacheRead, u.CacheWrite5m, u.CacheWrite1h, u.Output)
		case llm.Ping:
			b.WriteString("ping\n")
		}
	}
	return b.String(), nil
}

func TestDecodeResponse(t *testing.T) {
	const usage = "in 6 read 100 5m 10 1h 40 out 20\n"
	block := func(i int, start string, deltas ...string) string {
		all := []string{fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, start)}
		for _, d := range deltas {
			all = append(all, fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":%s}`, i, d))
		}
		return strings.Join(append(all, fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i)), "\n")
	}
	args := func(s string) string { return `{"type":"input_json_delta","partial_json":` + s + `}` }
	for _, c := range []struct {
		name   string
		call   llm.Call
		events []string
		want   string
		lost   string
	}{
		{
			"B5 B12 thinking, signed and redacted",
			llm.Call{},
			[]string{
				block(0, `{"type":"thinking","thinking":"","signature":""}`, `{"type":"thinking_delta","thinking":"Hm\n"}`, `{"type":"thinking_delta","thinking":"ok"}`, `{"type":"signature_delta","signature":"si"}`, `{"type":"signature_delta","signature":"g"}`),
				block(1, `{"type":"redacted_thinking","data":"secret"}`), block(2, `{"type":"text","text":""}`, `{"type":"text_delta","text":"A"}`), ends("end_turn"),
			},
			"0 begin 1  \n0 + Hm\n\n0 + ok\n0 end sig messages\n1 begin 2  \n1 end secret messages\n2 begin 0  \n2 + A\n2 end  \nstop end standard " + usage, "",
		},
		{
			"B7 calls without arguments, with all of them at once, and restored names",
			llm.Call{Tools: map[string]string{"a_b": "a.b"}},
			[]string{
				block(0, `{"type":"tool_use","id":"t1","name":"a_b","input":{}}`, args(`""`)), block(1, `{"type":"tool_use","id":"t2","name":"f","input":{"x": 1}}`),
				block(2, `{"type":"tool_use","id":"t3","name":"f","input":{}}`, args(`"{\"x\":"`), args(`"2}"`)), ends("tool_use"),
			},
			"0 begin 3 t1 a.b\n0 + {}\n0 end  \n1 begin 3 t2 f\n1 + {\"x\":1}\n1 end  \n2 begin 3 t3 f\n2 + {\"x\":\n2 + 2}\n2 end  \nstop tool_calls standard " + usage, "",
		},
		{
			"B11 server tools are not the client's; citations come at the end of their text",
			llm.Call{},
			[]string{
				block(0, `{"type":"server_tool_use","id":"s","name":"web_search","input":{}}`, args(`"{}"`)), block(1, `{"type":"web_search_tool_result","tool_use_id":"s","content":[]}`),
				block(2, `{"type":"text","text":"","citations":[]}`, `{"type":"citations_delta","citation":{"type":"web_search_result_location","cited_text":"q","url":"https://x.test","title":"T"}}`, `{"type":"text_delta","text":"Yes"}`),
				block(3, `{"type":"text","text":"","citations":[{"type":"page_location","cited_text":"p","document_title":"D"}]}`, `{"type":"text_delta","text":"é"}`), ends("end_turn"),
			},
			"0 begin 0  \n0 + Yes\n0 cite https://x.test \"T\" \"q\" 0-3\n0 end  \n1 begin 0  \n1 + é\n1 cite  \"D\" \"p\" 0-2\n1 end  \nstop end standard " + usage,
			"answer: a part of type server_tool_use|answer: a part of type web_search_tool_result",
		},
		{
			"A22 the format's tool is the text",
			llm.Call{FormatTool: "person"},
			[]string{block(0, `{"type":"tool_use","id":"t1","name":"person","input":{}}`, args(`"{\"a\""`), args(`":1}"`)), ends("tool_use")},
			"0 begin 0  \n0 + {\"a\"\n0 + :1}\n0 end  \nstop end standard " + usage, "",
		},
		{
			"A22 beside a call",
			llm.Call{FormatTool: "person"},
			[]string{block(0, `{"type":"tool_use","id":"t1","name":"person","input":{"a":1}}`), block(1, `{"type":"tool_use","id":"t2","name":"f","input":{}}`), ends("tool_use")},
			"0 begin 0  \n0 + {\"a\":1}\n0 end  \n1 begin 3 t2 f\n1 + {}\n1 end  \nstop tool_calls standard " + usage, "",
		},
		{
			"kinds yet to come",
			llm.Call{},
			[]string{block(0, `{"type":"hologram","data":"x"}`, `{"type":"light_delta","light":"y"}`), ends("bored")},
			"stop bored standard " + usage, "answer: a part of type hologram",
		},
		{"pauses", llm.Call{}, []string{ends("pause_turn")}, "stop pause standard " + usage, ""},
		{"context full", llm.Call{}, []string{ends("model_context_window_exceeded")}, "stop max_tokens standard " + usage, ""},
		{
			"refusals that are explained",
			llm.Call{},
			[]string{block(0, `{"type":"text","text":""}`, `{"type":"text_delta","text":"Well"}`), `{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"type":"refusal","category":"bio","explanation":"No."}},"usage":{"output_tokens":20}}`},
			"0 begin 0  \n0 + Well\n0 end  \n1 begin 8  \n1 + No.\n1 end  \nstop refusal standard " + usage, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := c.call
			call.Stream = true
			stream := sseOf(append([]string{startEvent}, strings.Split(strings.Join(append(c.events, stopEvent), "\n"), "\n")...)...)
			for _, r := range []io.Reader{strings.NewReader(stream), iotest.OneByteReader(strings.NewReader(stream))} { // J2
				got, err := told(Dialect{}.DecodeResponse(&call, r))
				if want := "start msg_1 claude-x\n" + c.want; err != nil || got != want {
					t.Errorf("%v\n%swant\n%s", err, got, want)
				}
			}
			if got := strings.Join(call.Lost, "|"); got != c.lost {
				t.Errorf("lost %s", got)
			}
		})
	}
}

func TestDecodeResponseOfOddStreams(t *testing.T) {
	text := []string{`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}`}
	const begun = "start msg_1 claude-x\n0 begin 0  \n0 + a\n0 + b\n"
	for name, c := range map[string]struct {
		events []string
		want   string
		kind   llm.ErrorKind
	}{
		"B9 pings":                     {append(append([]string{startEvent, `{"type":"ping"}`}, text...), `{"type": "ping"}`, stopEvent), "start msg_1 claude-x\nping\n0 begin 0  \n0 + a\n0 + b\nping\n0 end  \nstop end standard in 6 read 100 5m 10 1h 40 out 1\n", ""},
		"B10 an error in the middle":   {append(append([]string{startEvent}, text...), `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, stopEvent), begun, llm.Overloaded},
		"an error in another shape":    {[]string{`{"error":{"message":"no","type":"server_error"}}`}, "", llm.ServerError},
		"no end":                       {append([]string{startEvent}, append(text, ends("end_turn"))...), begun, llm.Cut},
		"nothing":                      {nil, "", llm.Cut},
		"no start":                     {[]string{stopEvent}, "start  \nstop end  in 0 read 0 5m 0 1h 0 out 0\n", ""},
		"garbage":                      {append(append([]string{startEvent}, text...), `{"type":"message_delta","delta":7}`), begun, llm.Garbage},
		"no JSON":                      {[]string{startEvent, `<html>`}, "start msg_1 claude-x\n", llm.Garbage},
		"a delta of nothing":           {[]string{startEvent, text[1]}, "start msg_1 claude-x\n", llm.Garbage},
		"blocks that overlap":          {append(append([]string{startEvent}, text...), `{"type":"content_block_start","index":1,"content_block":{"type":"text","text":"c"}}`, stopEvent, text[1]), begun + "0 end  \n1 begin 0  \n1 + c\n1 end  \nstop end standard in 6 read 100 5m 10 1h 40 out 1\n", ""},
		"an event and a delta to come": {[]string{startEvent, `{"type":"weather"}`, text[0], `{"type":"content_block_delta","index":0,"delta":{"type":"odd_delta","n":1}}`, stopEvent}, "start msg_1 claude-x\n0 begin 0  \n0 + a\n0 end  \nstop end standard in 6 read 100 5m 10 1h 40 out 1\n", ""},
	} {
		got, err := told(Dialect{}.DecodeResponse(&llm.Call{Stream: true}, strings.NewReader(sseOf(c.events...))))
		var e *llm.Error
		if errors.As(err, &e); got != c.want || (e == nil) != (c.kind == "") || e != nil && e.Kind != c.kind {
			t.Errorf("%s: %v\n%swant %s\n%s", name, err, got, c.kind, c.want)
		}
	}
	boom := &llm.Error{Kind: llm.Canceled}
	_, err := told(Dialect{}.DecodeResponse(&llm.Call{Stream: true}, io.MultiReader(strings.NewReader(sseOf(startEvent)), iotest.ErrReader(boom))))
	if err != boom {
		t.Errorf("the reader's own error became %v", err)
	}
}

func TestDecodeResponseWhole(t *testing.T) {
	for body, want := range map[string]string{
		`{"type":"message","id":"m","model":"c","content":[{"type":"text","text":"a","citations":null},{"type":"tool_use","id":"t","name":"f","input":{ "x" : [1, 2] }}],"stop_reason":"tool_use"}`: "start m c\n0 begin 0  \n0 + a\n0 end  \n1 begin 3 t f\n1 + {\"x\":[1,2]}\n1 end  \nstop tool_calls  in 0 read 0 5m 0 1h 0 out 0\n",
		`{"content":[],"stop_reason":null}`:                           "start  \nstop end  in 0 read 0 5m 0 1h 0 out 0\n",
		`{"type":"error","error":{"type":"api_error","message":"x"}}`: "server_error: x",
		`{"type":"message"}`:                                          "bad_answer: the provider's answer cannot be read: it has no content",
		`[1]`:                                                         "bad_answer",
		``:                                                            "bad_answer",
	} {
		got, err := told(Dialect{}.DecodeResponse(&llm.Call{}, strings.NewReader(body)))
		var e *llm.Error
		if errors.As(err, &e) {
			got = string(e.Kind) + ": " + e.Message
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s became\n%s", body, got)
		}
	}
}

// A reader of events may stop at any of them.
func TestDecodeResponseStopsWhenAsked(t *testing.T) {
	stream := sseOf(startEvent, `{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"b","input":{}}}`, ends("tool_use"), stopEvent)
	for n := range 6 {
		seen := 0
		for range (Dialect{}).DecodeResponse(&llm.Call{Stream: true}, strings.NewReader(stream)) {
			if seen++; seen > n {
				break
			}
		}
		if seen != min(n+1, 5) {
			t.Errorf("stopped after %d: saw %d", n, seen)
		}
	}
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add(sseOf(startEvent, `{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}`, `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}`, `{"type":"content_block_stop","index":0}`, ends("end_turn"), stopEvent), true)
	f.Add(sseOf(`{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","name":"f","input":{"a":1}}}`, `{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}`, stopEvent), true)
	f.Add(`{"type":"message","content":[{"type":"redacted_thinking","data":"x"},{"type":"text","text":"a","citations":[{"url":"u"}]}],"usage":{"input_tokens":1,"iterations":[{"type":"advisor_message","model":"m"}]}}`, false)
	f.Add(`{"type":"error","error":"x"}`, false)
	f.Fuzz(func(t *testing.T, body string, stream bool) {
		call := &llm.Call{Stream: stream, FormatTool: "f"}
		open := map[int]llm.BlockKind{}
		started, stopped := false, false
		for e, err := range (Dialect{}).DecodeResponse(call, strings.NewReader(body)) {
			if err != nil {
				var known *llm.Error
				if !errors.As(err, &known) {
					t.Fatalf("%T", err)
				}
				stopped = true
				break
			}
			_, is := open[e.Index]
			switch e.Kind {
			case llm.Start:
				started = true
			case llm.BlockStart:
				for _, k := range open {
					if k != llm.ToolCall || e.Block != llm.ToolCall {
						t.Fatal("blocks overlap")
					}
				}
				if is || !started {
					t.Fatal("a block out of order")
				}
				open[e.Index] = e.Block
			case llm.Delta, llm.BlockStop:
				if !is {
					t.Fatal("outside of a block")
				}
				if e.Kind == llm.BlockStop {
					delete(open, e.Index)
				}
			case llm.Stop:
				stopped = len(open) == 0
			}
		}
		if !stopped {
			t.Fatal("neither Stop nor error")
		}
		var tally llm.Tally
		Dialect{}.Tally(call, &tally, []byte(body))
	})
}
