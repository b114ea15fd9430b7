package openai

import (
	"reflect"
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
		"no ticks":       {`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost_in_usd_ticks":null}`, llm.Usage{Input: 1, Output: 1}},
		"estimated_cost": {`{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"estimated_cost":1.5e-7}`, llm.Usage{Input: 1, Output: 1, Stated: usd("0.00000015"), HasStated: true}},
		"both sets of names, one of them empty": {
			`{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":60,"audio_tokens":5,"image_tokens":3},"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":1,"image_tokens":1},"input_tokens":0,"output_tokens":0,"input_tokens_details":{"audio_tokens":0,"image_tokens":0},"output_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"image_tokens":0}}`,
			llm.Usage{Input: 32, CacheRead: 60, AudioInput: 5, ImageInput: 3, Output: 5, AudioOutput: 1, ImageOutput: 1, Reasoning: 2},
		},
		"nonsense": {`{"prompt_tokens":-5,"completion_tokens":"x","total_tokens":1e99,"cost":1e999999999}`, llm.Usage{}},
	} {
		got, ok := Usage([]byte(tt.wire))
		if want := known(tt.want); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", what, ok, got, want)
		}
	}
	huge := `9223372036854775807`
	if u, _ := Usage([]byte(`{"prompt_tokens":` + huge + `,"completion_tokens":` + huge + `,"total_tokens":5}`)); u.Input != 0 || u.Output != 5 {
		t.Errorf("counts that no sum of holds: %+v", u)
	}
	for _, s := range []string{`null`, `{}`, `[]`, `"x"`, ``, `{"latency":1}`} {
		if u, ok := Usage([]byte(s)); ok {
			t.Errorf("%s is usage: %+v", s, u)
		}
	}
}
