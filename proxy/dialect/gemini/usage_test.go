package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

// TestUsage covers E13, I6 and the rules for modalities.
func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		name, usage string
		want        llm.Usage
	}{
		{"plain", `{"promptTokenCount":10,"candidatesTokenCount":3,"totalTokenCount":13}`, llm.Usage{Input: 10, Output: 3, Known: true}},
		{"E13 thoughts", `{"promptTokenCount":10,"candidatesTokenCount":3,"thoughtsTokenCount":5,"totalTokenCount":18}`, llm.Usage{Input: 10, Output: 8, Reasoning: 5, Known: true}},
		{"cached", `{"promptTokenCount":10,"cachedContentTokenCount":4}`, llm.Usage{Input: 6, CacheRead: 4, Known: true}},
		{"tools read more", `{"promptTokenCount":10,"toolUsePromptTokenCount":90,"totalTokenCount":100}`, llm.Usage{Input: 100, Known: true}},
		{"candidates absent", `{"promptTokenCount":10,"thoughtsTokenCount":5,"totalTokenCount":18}`, llm.Usage{Input: 10, Output: 8, Reasoning: 5, Known: true}},
		{"I6 zeros", `{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0}`, llm.Usage{Known: true}},
		{"none yet", `{"trafficType":"ON_DEMAND"}`, llm.Usage{}},
		{
			"sound and images", `{"promptTokenCount":100,"promptTokensDetails":[{"modality":"TEXT","tokenCount":10},{"modality":"AUDIO","tokenCount":30},{"modality":"IMAGE","tokenCount":40},{"modality":"DOCUMENT","tokenCount":15},{"modality":"VIDEO","tokenCount":5}],"cachedContentTokenCount":50,"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":20},{"modality":"IMAGE","tokenCount":25},{"modality":"TEXT","tokenCount":5}]}`,
			llm.Usage{Input: 25, AudioInput: 10, ImageInput: 15, CacheRead: 5, AudioCacheRead: 20, ImageCacheRead: 25, Known: true},
		},
		{"cached sound without details", `{"promptTokenCount":100,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":90}],"cachedContentTokenCount":50}`, llm.Usage{AudioInput: 50, CacheRead: 50, Known: true}},
		{"details that are too large", `{"promptTokenCount":10,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":90},{"modality":"IMAGE","tokenCount":90}],"cachedContentTokenCount":20,"cacheTokensDetails":[{"modality":"IMAGE","tokenCount":99}]}`, llm.Usage{ImageCacheRead: 10, Known: true}},
		{
			"images out", `{"promptTokenCount":20,"candidatesTokenCount":1310,"thoughtsTokenCount":5,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290},{"modality":"TEXT","tokenCount":20}]}`,
			llm.Usage{Input: 20, Output: 25, ImageOutput: 1290, Reasoning: 5, Known: true},
		},
		{"sound out", `{"candidatesTokenCount":100,"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":100}]}`, llm.Usage{AudioOutput: 100, Known: true}},
		{"numbers in quotes", `{"promptTokenCount":"10"}`, llm.Usage{Input: 10, Known: true}},
	} {
		body := `{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":` + tt.usage + `}`
		sum := tallied(t, model(), body)
		s := readString(t, model(), body)
		if !same(sum.Usage, tt.want) || s.err != nil || !same(*s.stop.Usage, tt.want) {
			t.Errorf("%s:\ntallied %+v\ndecoded %+v\nwant    %+v", tt.name, sum.Usage, s.stop.Usage, tt.want)
		}
	}
}

func same(a, b llm.Usage) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestTally(t *testing.T) {
	text := `{"candidates":[{"content":{"parts":[{"text":"hello"}]}}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":40,"totalTokenCount":47},"modelVersion":"m-1"}`
	less := `{"candidates":[{"content":{"parts":[{"codeExecutionResult":{}}]}}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}}`
	call := `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}`
	stop := `{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"trafficType":"ON_DEMAND_PRIORITY"}}`
	bare := `{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"trafficType":"ON_DEMAND"}}`
	tail := `{"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4}}`
	blocked := `{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"trafficType":"PROVISIONED_THROUGHPUT"}}`
	failed := `{"error":{"code":503,"message":"Busy.","status":"UNAVAILABLE"}}`
	for _, tt := range []struct {
		name   string
		frames []string
		last   string // verdict of each frame: - or L
		good   bool
		done   bool
		why    llm.Why
		out    int64
		tier   string
	}{
		{"to the end", []string{text, stop}, "-L", true, true, llm.EndTurn, 3, "priority"},
		{"with a call", []string{call, stop}, "-L", true, true, llm.CallTools, 3, "priority"},
		{"cut: the most that was told", []string{text, less}, "--", true, false, "", 40, ""},
		{"usage comes later", []string{text, bare, tail}, "--L", true, true, llm.EndTurn, 4, "standard"},
		{"usage never comes", []string{bare}, "-", true, true, llm.EndTurn, 0, "standard"},
		{"blocked", []string{blocked}, "L", true, true, llm.ContentFilter, 0, "provisioned_throughput"},
		{"failed", []string{failed}, "-", false, false, "", 0, ""},
		{"failed later", []string{text, failed}, "--", true, false, "", 40, ""},
		{"nonsense", []string{"[DONE]", "x", "", "[", "{}", `{"candidates":{}}`, `{"candidates":[1,"x"]}`}, "-------", false, false, "", 0, ""},
	} {
		c := model()
		c.Stream = true
		var sum llm.Tally
		got := ""
		for _, f := range tt.frames {
			if out.Tally(c, &sum, []byte(f)) == llm.Last {
				got += "L"
			} else {
				got += "-"
			}
		}
		failing := strings.HasPrefix(tt.name, "failed")
		if got != tt.last || sum.Good != tt.good || sum.Done != tt.done || sum.Why != tt.why || sum.Usage.Output != tt.out || sum.Tier != tt.tier || (sum.Err != nil) != failing {
			t.Errorf("%s: %s %+v", tt.name, got, sum)
		}
	}
	c := model()
	var sum llm.Tally
	if v := out.Tally(c, &sum, []byte("[\n"+text+",\r\n"+stop+"]")); v != llm.Last || !sum.Done || sum.Text != 5 || sum.Model != "m-1" || sum.Usage.Output != 3 {
		t.Errorf("an array: %v %+v", v, sum)
	}
	if !tallied(t, c, blocked).Usage.Known || tallied(t, c, text).Done {
		t.Error("a blocked prompt costs a known nothing, and text alone is not the end")
	}
}

func TestSearches(t *testing.T) { // I10
	body := `{"candidates":[{"finishReason":"STOP","groundingMetadata":{"webSearchQueries":["a","","b"]}}]}`
	if n := tallied(t, model(), body).Usage.Searches; n != 2 {
		t.Errorf("%d queries", n)
	}
	c := model()
	c.Stream = true
	early := stream(strings.Replace(body, `"finishReason":"STOP",`, "", 1), candidate("", "STOP"))
	if s := readString(t, c, early); tallied(t, c, early).Usage.Searches != 2 || s.stop.Usage.Searches != 2 {
		t.Error("searches told before the last usage are lost")
	}
	if n := tallied(t, model(llm.FlagSearchPerPrompt), body).Usage.Searches; n != 1 {
		t.Errorf("%d grounded prompts", n)
	}
}

// TestCostCases compares the counts with the worked cases beside the
// repository.
func TestCostCases(t *testing.T) {
	for _, c := range dialecttest.CostCases(t, "gemini", 5) {
		u := tallied(t, model(), `{"candidates":[{"finishReason":"STOP"}],"usageMetadata":`+string(c.Usage)+`}`).Usage
		got := map[string]int64{
			"input": u.Input + u.ImageInput, "cache_read": u.CacheRead + u.ImageCacheRead, "output": u.Output,
			"input_audio": u.AudioInput, "cache_read_audio": u.AudioCacheRead, "output_image": u.ImageOutput, "output_audio": u.AudioOutput,
		}
		for _, line := range c.Breakdown {
			kind, _, _ := strings.Cut(line.Kind, " ")
			kind = strings.TrimSuffix(kind, "_text")
			if got[kind] != line.Count {
				t.Errorf("%s: %s is %d, want %d", c.ID, line.Kind, got[kind], line.Count)
			}
			delete(got, kind)
		}
		for kind, count := range got {
			if count != 0 {
				t.Errorf("%s: %d of %s too many", c.ID, count, kind)
			}
		}
	}
}
