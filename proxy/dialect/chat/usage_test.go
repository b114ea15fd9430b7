package chat

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"keytray/proxy/dialect/openai"
	"keytray/proxy/llm"
)

// D15, B2: the counts come back as they went.
func TestUsageThereAndBack(t *testing.T) {
	for _, u := range []llm.Usage{
		{Input: 201, CacheRead: 15104, Output: 5, Known: true},
		{Input: 6, CacheRead: 100, CacheWrite5m: 50, Output: 5, Reasoning: 2, Known: true},
		{Input: 6, AudioInput: 4, ImageInput: 3, Output: 5, AudioOutput: 7, ImageOutput: 9, Searches: 2, Known: true},
	} {
		b := appendUsage(nil, &u)
		if got, ok := openai.Usage(b); !ok || !reflect.DeepEqual(got, u) {
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
