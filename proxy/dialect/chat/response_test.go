package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

// chunks makes a stream of deltas, written as {delta} or {delta}|finish.
func chunks(deltas ...string) string {
	var b strings.Builder
	for _, d := range deltas {
		delta, finish, ended := strings.Cut(d, "|")
		if finish = `"` + finish + `"`; !ended {
			finish = "null"
		}
		b.WriteString(`data: {"id":"a","model":"m","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + "}]}\n\n")
	}
	return b.String()
}

func read(body string, stream bool) (events []llm.Event, c *llm.Call, err error) {
	c = &llm.Call{Stream: stream}
	for e, failed := range (Dialect{}).DecodeResponse(c, strings.NewReader(body)) {
		if failed != nil {
			return events, c, failed
		}
		events = append(events, e)
	}
	return events, c, dialecttest.Bracketed(events, true)
}

func TestDecodeOddStreams(t *testing.T) {
	type S = dialecttest.Summary
	calls := func(all ...string) (out []dialecttest.Call) {
		for i := 0; i < len(all); i += 2 {
			out = append(out, dialecttest.Call{Name: all[i], Arguments: json.RawMessage(all[i+1])})
		}
		return out
	}
	const done = "data: [DONE]\n\n"
	for what, tt := range map[string]struct {
		body string
		want S
	}{
		"D1 content beside no calls": {chunks(`{"content":"Hi","tool_calls":[]}`, `{}|stop`) + done, S{Text: "Hi", Why: "end"}},
		"D11 usage after the finish, chunks after the end": {
			chunks(`{"content":"Hi"}`, `{}|stop`) + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1,\"total_tokens\":4}}\n\n" + done + chunks(`{"content":"more"}`) + "data: broken\n\n",
			S{Text: "Hi", Why: "end", Usage: map[string]int64{"input": 3, "output": 1}},
		},
		"D12 name after the arguments": {
			chunks(`{"tool_calls":[{"index":0,"id":"c","function":{"name":"","arguments":"{\"a\""}}]}`, `{"tool_calls":[{"index":0,"function":{"arguments":":1"}}]}`, `{"tool_calls":[{"index":0,"function":{"name":"f"}}]}`, `{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]}`, `{}|tool_calls`) + done,
			S{Calls: calls("f", `{"a":1}`), Why: "tool_calls"},
		},
		"H5 every call has index 0": {
			chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}`, `{"tool_calls":[{"index":0,"id":"b","function":{"name":"f","arguments":"{\"x\":1}"}}]}`, `{}|stop`) + done,
			S{Calls: calls("f", `{}`, "f", `{"x":1}`), Why: "tool_calls"},
		},
		"calls without ids, of one index": {
			chunks(`{"tool_calls":[{"index":0,"id":"","function":{"name":"f","arguments":"{}"}}]}`, `{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{\"x\":1}"}}]}`, `{}|tool_calls`),
			S{Calls: calls("f", `{}`, "f", `{"x":1}`), Why: "tool_calls"},
		},
		"E9 one id for two calls": {
			chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}]}`, `{}|tool_calls`),
			S{Calls: calls("f", `{}`, "g", `{}`), Why: "tool_calls"},
		},
		"side by side": {
			chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}},{"index":1,"id":"b","function":{"name":"g","arguments":"{"}}]}`, `{"tool_calls":[{"index":1,"function":{"arguments":"}"}},{"index":0,"function":{"arguments":"}"}}]}`, `{}|tool_calls`),
			S{Calls: calls("f", `{}`, "g", `{}`), Why: "tool_calls"},
		},
		"id and name repeated": {
			chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}`, `{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}]}`, `{}|tool_calls`),
			S{Calls: calls("f", `{}`), Why: "tool_calls"},
		},
		"D7 text after calls":          {chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]}`, `{"content":"x"}`, `{}|tool_calls`), S{Text: "x", Calls: calls("f", `{}`), Why: "tool_calls"}},
		"D7 thinking, text, thinking":  {chunks(`{"reasoning":"a"}`, `{"content":"b"}`, `{"reasoning_content":"c","reasoning":"c"}`, `{"content":"d"}`, `{}|length`), S{Text: "bd", Thinking: "ac", Why: "max_tokens"}},
		"H14 both in one chunk":        {chunks(`{"reasoning_content":"a","content":"b"}|stop`), S{Text: "b", Thinking: "a", Why: "end"}},
		"no [DONE]":                    {chunks(`{"role":"assistant"}`, `{"content":"x"}`, `{}|stop`), S{Text: "x", Why: "end"}},
		"no finish_reason":             {chunks(`{"content":"x"}`) + done, S{Text: "x", Why: "end"}},
		"empty finish_reason":          {strings.ReplaceAll(chunks(`{"content":"x"}`), "null", `""`) + done, S{Text: "x", Why: "end"}},
		"role only":                    {chunks(`{"role":"assistant","content":null}`, `{}|stop`) + done, S{Why: "end"}},
		"comments and an empty list":   {": OPENROUTER PROCESSING\n\ndata: {\"id\":\"\",\"choices\":[],\"prompt_filter_results\":[]}\n\n" + chunks(`{"content":"x"}|stop`), S{Text: "x", Why: "end"}},
		"legacy function_call":         {chunks(`{"function_call":{"name":"f","arguments":""}}`, `{"function_call":{"arguments":"{}"}}`, `{}|function_call`), S{Calls: calls("f", `{}`), Why: "tool_calls"}},
		"content as parts":             {chunks(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"a"}]}]}`, `{"content":[{"type":"text","text":"b"}]}`, `{}|stop`), S{Text: "b", Thinking: "a", Why: "end"}},
		"refusal":                      {chunks(`{"refusal":"no"}`, `{}|stop`), S{Refusal: "no", Why: "refusal"}},
		"filter":                       {chunks(`{"content":"x"}|content_filter`), S{Text: "x", Why: "content_filter"}},
		"reason of its own":            {chunks(`{"content":"x"}|weird`), S{Text: "x", Why: "weird"}},
		"second choice is left out":    {strings.Replace(chunks(`{"content":"no"}`), `"index":0`, `"index":1`, 1) + chunks(`{"content":"x"}|stop`), S{Text: "x", Why: "end"}},
		"usage in the choice":          {`data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":1}}]}` + "\n\n", S{Text: "x", Why: "end", Usage: map[string]int64{"input": 3, "output": 1}}},
		"entry beside plain reasoning": {chunks(`{"reasoning":"a","reasoning_details":[{"type":"reasoning.summary","summary":"a","id":"rs_1","format":"openai-responses-v1","index":0}]}`, `{"reasoning_details":[{"type":"reasoning.encrypted","data":"zz","id":"rs_1","index":0}]}`, `{"content":"b"}|stop`), S{Text: "b", Thinking: "a", Why: "end", Opaque: []string{`{"type":"reasoning.summary","id":"rs_1","format":"openai-responses-v1","index":0}`, `{"type":"reasoning.encrypted","data":"zz","id":"rs_1","index":0}`}}},
		"picture":                      {chunks(`{"content":"see","images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}|stop`), S{Text: "see", Images: []string{"image/png;base64,AAAA"}, Why: "end"}},
		"citation":                     {chunks(`{"content":"see","annotations":[{"type":"url_citation","url_citation":{"url":"http://a","title":"A","start_index":0,"end_index":3}}]}|stop`), S{Text: "see", Cites: []string{"http://a"}, Why: "end"}},
		"signed call":                  {chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"s"}}}]}|tool_calls`), S{Calls: calls("f", `{}`), Opaque: []string{`{"extra_content":{"google":{"thought_signature":"s"}}}`}, Why: "tool_calls"}},
	} {
		events, _, err := read(tt.body, true)
		if got := dialecttest.Summarize(events); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", what, err, got, tt.want)
		}
	}
}

func TestDecodeSaysThatOtherChoicesAreLost(t *testing.T) {
	_, c, err := read(`{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"},{"index":1,"message":{"content":"b"},"finish_reason":"stop"}]}`, false)
	if err != nil || len(c.Lost) != 1 || !strings.HasPrefix(c.Lost[0], "n:") {
		t.Error(c.Lost, err)
	}
}

func TestDecodeFailures(t *testing.T) {
	x := chunks(`{"content":"x"}`)
	for what, tt := range map[string]struct {
		body   string
		stream bool
		kind   llm.ErrorKind
	}{
		"nothing":               {"", true, llm.Cut},
		"done at once":          {"data: [DONE]\n\n", true, llm.Cut},
		"cut":                   {x, true, llm.Cut},
		"cut in a frame":        {x + "data: {\"choi", true, llm.Garbage},
		"garbage":               {x + "data: <html>\n\n", true, llm.Garbage},
		"call without a name":   {chunks(`{"tool_calls":[{"index":0,"id":"a","function":{"arguments":"{}"}}]}|tool_calls`), true, llm.Garbage},
		"B10 overloaded":        {x + "data: {\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", true, llm.Overloaded},
		"error with a status":   {"event: error\ndata: {\"error\":{\"message\":\"bad\",\"code\":\"tool_use_failed\",\"status_code\":400}}\n\n", true, llm.BadRequest},
		"error beside a choice": {`data: {"error":{"code":429,"message":"slow"},"choices":[{"index":0,"delta":{"content":""}}]}` + "\n\n", true, llm.RateLimited},
		"error as a string":     {"data: {\"error\":\"no slots\"}\n\n", true, llm.ServerError},
		"broken off":            {chunks(`{"content":"x"}|insufficient_system_resource`), true, llm.ServerError},
		"whole: error":          {`{"error":{"message":"quota","type":"insufficient_quota"}}`, false, llm.NoCredit},
		"whole: flat error":     {`{"object":"error","message":"too long","type":"BadRequestError","code":400}`, false, llm.BadRequest},
		"whole: nothing":        {"", false, llm.Garbage},
		"whole: HTML":           {"<html><title>Bad gateway</title></html>", false, llm.Garbage},
		"whole: cut":            {`{"choices":[{"index":0,"message":{"content":"a`, false, llm.Cut},
		"whole: no choices":     {`{"choices":[],"usage":{"prompt_tokens":1}}`, false, llm.Garbage},
		"whole: a list":         {`[]`, false, llm.Garbage},
	} {
		events, _, err := read(tt.body, tt.stream)
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != tt.kind || e.Message == "" {
			t.Errorf("%s: %v", what, err)
		}
		if err := dialecttest.Bracketed(events, false); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		var tally llm.Tally
		if !tt.stream {
			Dialect{}.Tally(&llm.Call{}, &tally, []byte(tt.body))
			if tally.Err == nil || tally.Err.Kind != tt.kind || tally.Done {
				t.Errorf("%s: tally %+v", what, tally)
			}
		}
	}
}

// Citations count characters of the content on the wire, bytes of the block here.
func TestCitationsThereAndBack(t *testing.T) {
	body := `{"choices":[{"index":0,"message":{"content":"żółw é end","annotations":[{"type":"url_citation","url_citation":{"url":"http://a","title":"A","content":"q","start_index":5,"end_index":6}}]},"finish_reason":"stop"}]}`
	events, _, err := read(body, false)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range events {
		if e.Cite != nil {
			found = true
			if s := "żółw é end"[e.Cite.Start:e.Cite.End]; s != "é" || e.Cite.Title != "A" || e.Cite.Quote != "q" {
				t.Errorf("%+v cites %q", e.Cite, s)
			}
		}
	}
	var out bytes.Buffer
	if err := (Dialect{}).EncodeResponse(&out, &llm.Request{Raw: []byte("{}")}, replay(events)); err != nil || !found {
		t.Fatal(err, found)
	}
	if !strings.Contains(out.String(), `"start_index":5,"end_index":6`) {
		t.Error(out.String())
	}
}

func replay(events []llm.Event) llm.Events {
	return func(yield func(llm.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add([]byte(chunks(`{"reasoning":"a","reasoning_details":[{"text":"a","signature":"s"}]}`, `{"content":[{"type":"text","text":"b"}]}`, `{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}|tool_calls`)), true)
	f.Add([]byte(`{"choices":[{"index":0,"message":{"content":"a","annotations":[{"type":"url_citation","url_citation":{"start_index":9}}],"images":[{"image_url":{"url":"data:image/png;base64,AA"}}],"function_call":{"name":"f"},"audio":{"transcript":"x"}},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}`), false)
	f.Add([]byte("data: {\"error\":{\"code\":500}}\n\n"), true)
	f.Fuzz(func(t *testing.T, body []byte, stream bool) {
		c := &llm.Call{Stream: stream}
		var events []llm.Event
		var failed error
		for e, err := range (Dialect{}).DecodeResponse(c, bytes.NewReader(body)) {
			if failed = err; err == nil {
				events = append(events, e)
			}
		}
		if err := dialecttest.Bracketed(events, failed == nil); err != nil {
			t.Fatalf("%v\n%q", err, body)
		}
		var tally llm.Tally
		Dialect{}.Tally(c, &tally, body)
		Dialect{}.DecodeError(400, nil, body)
		for _, s := range []bool{false, true} {
			var out bytes.Buffer
			r := &llm.Request{Raw: []byte("{}"), Peek: llm.Peek{Stream: s, IncludeUsage: true}}
			if err := (Dialect{}).EncodeResponse(&out, r, replay(events)); err != nil {
				t.Fatal(err)
			}
			if failed == nil && !s && !json.Valid(out.Bytes()) {
				t.Fatalf("%q became %s", body, out.String())
			}
		}
	})
}
