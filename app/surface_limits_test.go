package app

import (
	"strings"
	"testing"

	"keytray/store/ledger"
)

// What a tool may use, and what may be spent, holds for calls that are no
// conversation too.
func TestLimitsHoldForEveryCall(t *testing.T) {
	h, api := openAIHouse(t, "tools:\n  env: {models: [openai/text-embedding-3-small]}\n")
	api.says("/", `{"data":[{"index":0,"embedding":[1]}]}`)
	for path, body := range map[string]string{
		"/v1/embeddings":                `{"model":"text-embedding-3-large","input":"x"}`,
		"/v1/audio/speech":              `{"model":"tts-1","input":"x","voice":"alloy"}`,
		"/v1/batches":                   `{"input_file_id":"f"}`,
		"/p/openai/v1/chat/completions": `{"model":"gpt-5","messages":[]}`,
		"/p/openai/v1/fine_tuning/jobs": `{"model":"gpt-5"}`,
	} {
		if r := h.do("POST", path, body, "Content-Type", "application/json"); r.status != 403 || !strings.Contains(r.body, "may not use") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if api.calls() != 0 {
		t.Errorf("the provider was called: %+v", api.got)
	}
	if r := h.do("POST", "/v1/embeddings", `{"model":"text-embedding-3-small","input":"x"}`); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}

	h, api = openAIHouse(t, "budget: {day: 0.000001}\n")
	api.says("/", `{"data":[{"index":0,"embedding":[1]}],"usage":{"prompt_tokens":1000,"total_tokens":1000}}`)
	ask := func() reply { return h.do("POST", "/v1/embeddings", `{"model":"text-embedding-3-small","input":"x"}`) }
	if r := ask(); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	n := api.calls()
	if r := ask(); r.status < 400 || !strings.Contains(r.body, "budget") {
		t.Errorf("%d %s", r.status, r.body)
	}
	r := h.do("POST", "/v1/images/generations", `{"model":"gpt-image-1","prompt":"x"}`)
	if r.status < 400 || !strings.Contains(r.body, "budget") || api.calls() != n {
		t.Errorf("%d %s", r.status, r.body)
	}
	if row := h.last(); row.Status != ledger.StatusError {
		t.Errorf("row %+v", row)
	}
}
