package messages

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

func tallied(c *llm.Call, frames ...string) (t llm.Tally, verdicts []llm.Verdict) {
	for _, f := range frames {
		verdicts = append(verdicts, Dialect{}.Tally(c, &t, []byte(f)))
	}
	return t, verdicts
}

func TestTallyStream(t *testing.T) {
	frames := []string{
		startEvent, `{"type":"content_block_start","index":0,"content_block":{"type":"thinking"}}`, `{"type":"ping"}`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"12345"}   }`,
		`{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"1234567890"}}`,
		`{"index":0,"type":"content_block_delta","delta":{"type":"text_delta","text":"1234567890"}}`,
		`{"type":"content_block_stop","index":0}`, `{"type":"new_event"}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":20,"output_tokens_details":{"thinking_tokens":7},"server_tool_use":{"web_search_requests":2}}}`, stopEvent,
	}
	call := &llm.Call{Stream: true}
	// An aborted answer knows what its prompt cost.
	got, _ := tallied(call, frames[:4]...)
	want := llm.Tally{Usage: llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 10, CacheWrite1h: 40, Output: 1, Known: true}, Tier: "standard", Geo: "us", Model: "claude-x", Good: true, Text: 13}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("aborted:\n%+v, want\n%+v", got, want)
	}
	got, verdicts := tallied(call, frames...)
	want.Usage.Output, want.Usage.Reasoning, want.Usage.Searches = 20, 7, 2
	want.Text, want.Why, want.Done = 23, llm.EndTurn, true
	if !reflect.DeepEqual(got, want) {
		t.Errorf("complete:\n%+v, want\n%+v", got, want)
	}
	for i, v := range verdicts {
		if (v == llm.Last) != (i == len(verdicts)-1) {
			t.Errorf("frame %d: verdict %d", i, v)
		}
	}
	for _, f := range []string{`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, `{"error":{"message":"Overloaded","type":"overloaded_error"}}`} {
		if got, _ := tallied(call, f); got.Good || got.Err == nil || got.Err.Kind != llm.Overloaded || got.Err.Message != "Overloaded" {
			t.Errorf("B10 %+v", got)
		}
	}
	if got, _ := tallied(call, "garbage", `{"type":`, `[]`, ``, `{"type":"message_start"}x`); got.Good || got.Err != nil || got.Done {
		t.Errorf("garbage %+v", got)
	}
}

func TestTallyWhole(t *testing.T) {
	call := &llm.Call{}
	got, v := tallied(call, `{"type":"message","model":"c","content":[{"type":"text","text":"ab"}],"stop_reason":"max_tokens","usage":{"input_tokens":0,"output_tokens":0,"speed":"fast","service_tier":"standard"}}`)
	want := llm.Tally{Usage: llm.Usage{Known: true}, Tier: "fast", Model: "c", Why: llm.MaxTokens, Good: true, Done: true, Text: 2} // I6
	if !reflect.DeepEqual(got, want) || v[0] != llm.Last {
		t.Errorf("%+v, want\n%+v", got, want)
	}
	for body, kind := range map[string]llm.ErrorKind{
		`{"type":"error","error":{"type":"not_found_error","message":"x"}}`: llm.NotFound, `{"error":"no"}`: llm.ServerError, `{"type":"message"}`: "", `<html>`: "", ``: "", `{"content":"x"}`: "",
	} {
		got, _ := tallied(call, body)
		if got.Good || (got.Err == nil) != (kind == "") || got.Err != nil && got.Err.Kind != kind {
			t.Errorf("%s: %+v", body, got)
		}
	}
}

func TestUsage(t *testing.T) {
	for name, c := range map[string]struct {
		frames []string // of usage
		want   llm.Usage
	}{
		"I2 message_delta replaces, not adds": {[]string{
			`{"input_tokens":6,"cache_creation_input_tokens":159217,"cache_read_input_tokens":0,"output_tokens":5}`,
			`{"input_tokens":6,"cache_creation_input_tokens":159217,"cache_read_input_tokens":0,"output_tokens":2745}`,
		}, llm.Usage{Input: 6, CacheWrite5m: 159217, Output: 2745, Known: true}},
		"a total keeps the split that came before": {[]string{
			`{"input_tokens":1,"cache_creation_input_tokens":50,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":40},"output_tokens":1}`,
			`{"cache_creation_input_tokens":55,"output_tokens":2}`,
		}, llm.Usage{Input: 1, CacheWrite5m: 15, CacheWrite1h: 40, Output: 2, Known: true}},
		"a split alone":          {[]string{`{"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":40}}`}, llm.Usage{CacheWrite5m: 10, CacheWrite1h: 40, Known: true}},
		"a split in zeros is 5m": {[]string{`{"cache_creation_input_tokens":9,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}}`}, llm.Usage{CacheWrite5m: 9, Known: true}},
		"nulls":                  {[]string{`{"input_tokens":3,"cache_creation_input_tokens":null,"cache_read_input_tokens":null,"cache_creation":null,"server_tool_use":null,"iterations":null}`}, llm.Usage{Input: 3, Known: true}},
		"nothing":                {[]string{`{}`}, llm.Usage{}},
		"I10":                    {[]string{`{"output_tokens":1,"server_tool_use":{"web_search_requests":3}}`}, llm.Usage{Output: 1, Searches: 3, Known: true}},
		"compaction is billed apart": {
			[]string{`{"input_tokens":10,"output_tokens":2,"iterations":[{"type":"compaction","input_tokens":500,"output_tokens":50},{"type":"message","input_tokens":10,"output_tokens":2},{"type":"fallback_message","model":"z","input_tokens":1},{"type":"later"},{"type":"later","model":"c"},{"type":"later","model":"y","output_tokens":1}]}`},
			llm.Usage{Input: 10, Output: 2, Known: true, Also: []llm.OtherUsage{{Model: "c", Usage: llm.Usage{Input: 500, Output: 50, Known: true}}, {Model: "y", Usage: llm.Usage{Output: 1, Known: true}}}},
		},
	} {
		var got llm.Usage
		for _, f := range c.frames {
			var u usage
			if err := json.Unmarshal([]byte(f), &u); err != nil {
				t.Fatal(err)
			}
			u.apply(&got, "c")
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// The counts that the worked cost cases price are the counts that Tally finds.
func TestUsageOfCostCases(t *testing.T) {
	for _, c := range dialecttest.CostCases(t, "anthropic-messages", 12) {
		if string(c.Usage) == "null" {
			if e := (Dialect{}).DecodeError(c.Context.Status, nil, c.Context.Body); e.Kind != llm.Overloaded {
				t.Errorf("%s: %+v", c.ID, e)
			}
			continue
		}
		whole := `{"type":"message","model":` + strconv.Quote(c.Model) + `,"content":[],"stop_reason":"end_turn","usage":` + string(c.Usage) + `}`
		stream := []string{`{"type":"message_start","message":` + strings.Replace(whole, string(c.Usage), `{"input_tokens":1,"output_tokens":1}`, 1) + `}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":` + string(c.Usage) + `}`, stopEvent}
		one, _ := tallied(&llm.Call{}, whole)
		two, _ := tallied(&llm.Call{Stream: true}, stream...)
		if !reflect.DeepEqual(one.Usage, two.Usage) {
			t.Errorf("%s: whole %+v, streamed %+v", c.ID, one.Usage, two.Usage)
		}
		got := map[string]int64{}
		add := func(model string, u llm.Usage) {
			for kind, count := range map[string]int64{"input": u.Input, "output": u.Output, "cache_read": u.CacheRead, "cache_write_5m": u.CacheWrite5m, "cache_write_1h": u.CacheWrite1h, "web_search": u.Searches} {
				if count > 0 {
					got[kind+model] += count
				}
			}
		}
		add("", one.Usage)
		for _, o := range one.Usage.Also {
			add(" "+o.Model+" (advisor)", o.Usage)
		}
		for _, line := range c.Breakdown {
			kind := strings.TrimSuffix(line.Kind, " "+c.Model)
			if got[kind] != line.Count {
				t.Errorf("%s: %s is %d, want %d", c.ID, line.Kind, got[kind], line.Count)
			}
			delete(got, kind)
		}
		if len(got) > 0 {
			t.Errorf("%s: counted too much: %v", c.ID, got)
		}
	}
}
