package chat

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/llm"
)

func TestUsage(t *testing.T) {
	known := func(u llm.Usage) llm.Usage { u.Known = true; return u }
	usd := func(s string) llm.Pico {
		p, err := llm.ParsePico(s)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for what, tt := range map[string]struct {
		wire string
		want llm.Usage
	}{
		"I1 cache inside the prompt": {
			`{"prompt_tokens":1239328,"completion_tokens":12909,"total_tokens":1252237,"prompt_tokens_details":{"cached_tokens":1188096}}`,
			llm.Usage{Input: 51232, CacheRead: 1188096, Output: 12909},
		},
		"I4 cache writes inside the prompt": {
			`{"prompt_tokens":156,"completion_tokens":5,"total_tokens":161,"prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":50}}`,
			llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 5},
		},
		"I6 zeros are zeros": {`{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`, llm.Usage{}},
		"reads and writes overlap": {
			`{"prompt_tokens":2168,"completion_tokens":100,"total_tokens":2268,"prompt_tokens_details":{"cached_tokens":2161,"cache_write_tokens":2161}}`,
			llm.Usage{CacheRead: 2161, CacheWrite5m: 7, Output: 100},
		},
		"reasoning inside": {
			`{"prompt_tokens":10,"completion_tokens":30,"total_tokens":40,"completion_tokens_details":{"reasoning_tokens":20}}`,
			llm.Usage{Input: 10, Output: 30, Reasoning: 20},
		},
		"reasoning on top": {
			`{"prompt_tokens":468,"completion_tokens":82,"total_tokens":870,"completion_tokens_details":{"reasoning_tokens":320},"cost_in_usd_ticks":2488500}`,
			llm.Usage{Input: 468, Output: 402, Reasoning: 320, Stated: usd("0.00024885"), HasStated: true},
		},
		"thoughts named nowhere": {`{"prompt_tokens":35,"completion_tokens":12,"total_tokens":109}`, llm.Usage{Input: 35, Output: 74}},
		"more reasoning than output": {
			`{"prompt_tokens":9,"completion_tokens":52,"total_tokens":61,"completion_tokens_details":{"reasoning_tokens":232}}`,
			llm.Usage{Input: 9, Output: 284, Reasoning: 232},
		},
		"hit and miss": {
			`{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"prompt_cache_hit_tokens":80,"prompt_cache_miss_tokens":20}`,
			llm.Usage{Input: 20, CacheRead: 80, Output: 1},
		},
		"num_cached_tokens":    {`{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"num_cached_tokens":64,"prompt_tokens_details":{"cached_tokens":0}}`, llm.Usage{Input: 36, CacheRead: 64, Output: 1}},
		"cached_tokens beside": {`{"prompt_tokens":100,"completion_tokens":1,"total_tokens":101,"cached_tokens":64,"prompt_tokens_details":null}`, llm.Usage{Input: 36, CacheRead: 64, Output: 1}},
		"sound and pictures": {
			`{"prompt_tokens":100,"completion_tokens":60,"total_tokens":160,"prompt_tokens_details":{"audio_tokens":44,"image_tokens":6},"completion_tokens_details":{"audio_tokens":50,"image_tokens":3}}`,
			llm.Usage{Input: 50, AudioInput: 44, ImageInput: 6, Output: 7, AudioOutput: 50, ImageOutput: 3},
		},
		"I14 charge of the gateway": {`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":0.00012,"is_byok":false}`, llm.Usage{Input: 1, Output: 1, Stated: usd("0.00012"), HasStated: true}},
		"fee and charge": {
			`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":0.00001,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0002}}`,
			llm.Usage{Input: 1, Output: 1, Stated: usd("0.00021"), HasStated: true},
		},
		"fee alone":      {`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":0,"is_byok":true,"cost_details":{"upstream_inference_cost":null}}`, llm.Usage{Input: 1, Output: 1}},
		"total_cost":     {`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":{"total_cost":0.006},"num_search_queries":2}`, llm.Usage{Input: 1, Output: 1, Searches: 2, Stated: usd("0.006"), HasStated: true}},
		"estimated_cost": {`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"estimated_cost":1.5e-7}`, llm.Usage{Input: 1, Output: 1, Stated: usd("0.00000015"), HasStated: true}},
		"nonsense":       {`{"prompt_tokens":-5,"completion_tokens":"x","total_tokens":1e99,"cost":1e999999999}`, llm.Usage{}},
	} {
		got, ok := readUsage([]byte(tt.wire))
		if want := known(tt.want); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", what, ok, got, want)
		}
	}
	for _, s := range []string{`null`, `{}`, `[]`, `"x"`, ``, `{"latency":1}`} {
		if u, ok := readUsage([]byte(s)); ok {
			t.Errorf("%s is usage: %+v", s, u)
		}
	}
}

// D15, B2: the counts come back as they went.
func TestUsageThereAndBack(t *testing.T) {
	for _, u := range []llm.Usage{
		{Input: 201, CacheRead: 15104, Output: 5, Known: true},
		{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 5, Reasoning: 2, Known: true},
		{Input: 6, AudioInput: 4, ImageInput: 3, Output: 5, AudioOutput: 7, ImageOutput: 9, Searches: 2, Known: true},
	} {
		b := appendUsage(nil, &u)
		if got, ok := readUsage(b); !ok || !reflect.DeepEqual(got, u) {
			t.Errorf("%s\n got %+v\nwant %+v", b, got, u)
		}
	}
	b := string(appendUsage(nil, &llm.Usage{Input: 6, CacheRead: 100, CacheWrite5m: 30, CacheWrite1h: 20, Output: 1}))
	if !strings.Contains(b, `"prompt_tokens":156,`) || !strings.Contains(b, `"cached_tokens":100,"cache_write_tokens":50`) {
		t.Error(b)
	}
}

// The worked cases of the price list: what each bucket must hold.
func TestCostCases(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", "cost-cases.json"))
	if err != nil {
		t.Skip("no cost cases here")
	}
	var file struct {
		Cases []struct {
			ID, Dialect string
			Usage       json.RawMessage
			Breakdown   []struct {
				Kind  string
				Count int64
			}
			Stated string `json:"provider_reported_usd"`
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range file.Cases {
		if c.Dialect != "openai-chat" {
			continue
		}
		n++
		body := append(append([]byte(`{"id":"x","choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}],"usage":`), c.Usage...), '}')
		var tally llm.Tally
		Dialect{}.Tally(&llm.Call{}, &tally, body)
		u := tally.Usage
		want := map[string]int64{}
		for _, l := range c.Breakdown {
			want[l.Kind] += l.Count
		}
		got := map[string]int64{
			"input": u.Input, "cache_read": u.CacheRead, "cache_write": u.CacheWrite5m,
			"output": u.Output, "input_audio": u.AudioInput,
		}
		want["input"] += want["input_text"]
		want["output"] += want["output reasoning"]
		delete(want, "input_text")
		delete(want, "output reasoning")
		if want["usage.cost"] == 0 { // else only the charge is told
			for k, v := range got {
				if v != want[k] {
					t.Errorf("%s: %s is %d, want %d", c.ID, k, v, want[k])
				}
			}
		}
		if c.Stated != "" {
			p, err := llm.ParsePico(c.Stated)
			if err != nil || !u.HasStated || u.Stated != p {
				t.Errorf("%s: stated %v, want %s", c.ID, u.Stated, c.Stated)
			}
		}
	}
	t.Logf("%d cases", n)
}

// A usage that comes twice is counted once: x_groq.usage beside usage.
func TestUsageOnce(t *testing.T) {
	frames := []string{
		`{"id":"a","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`,
		`{"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":343,"completion_tokens":180,"total_tokens":523}}}`,
		`{"id":"a","choices":[],"usage":{"prompt_tokens":343,"completion_tokens":180,"total_tokens":523},"x_groq":{"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}}`,
	}
	var tally llm.Tally
	c := &llm.Call{Stream: true, OwnUsage: true}
	var verdicts []llm.Verdict
	for _, f := range frames {
		verdicts = append(verdicts, Dialect{}.Tally(c, &tally, []byte(f)))
	}
	if tally.Usage.Input != 343 || tally.Usage.Output != 180 || !reflect.DeepEqual(verdicts, []llm.Verdict{llm.Pass, llm.Pass, llm.Drop}) {
		t.Errorf("%+v %v", tally.Usage, verdicts)
	}
	body := "data: " + strings.Join(frames, "\n\ndata: ") + "\n\ndata: [DONE]\n\n"
	for e, err := range (Dialect{}).DecodeResponse(&llm.Call{Stream: true}, bytes.NewReader([]byte(body))) {
		if err != nil || e.Kind == llm.Stop && e.Usage.Input != 343 {
			t.Error(e.Usage, err)
		}
	}
}

// An answer is complete at its finish_reason: some providers send no [DONE].
func TestTallyDone(t *testing.T) {
	var tally llm.Tally
	c := &llm.Call{Stream: true}
	for i, f := range []string{
		`{"id":"a","model":"m","service_tier":"flex","choices":[{"index":0,"delta":{"content":"one"},"finish_reason":null}],"usage":null}`,
		`{"id":"a","choices":[{"index":0,"delta":{"content":"say \"finish_reason\": x"},"finish_reason":null}]}`,
		`{"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}`,
	} {
		if v := (Dialect{}).Tally(c, &tally, []byte(f)); v != llm.Pass || tally.Done != (i == 2) || !tally.Good {
			t.Errorf("frame %d: verdict %d, %+v", i, v, tally)
		}
	}
	if tally.Why != llm.MaxTokens || tally.Model != "m" || tally.Tier != "flex" || tally.Text < 20 {
		t.Errorf("%+v", tally)
	}
}
