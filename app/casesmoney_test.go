package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"keytray/proxy/llm"
	"keytray/store/ledger"
)

// I1, I2, I4, I14: what real answers cost, to the last digit.
func TestRowsCostWhatWasBilled(t *testing.T) {
	var answer string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasPrefix(answer, "event:") {
			w.Header().Set("Content-Type", "text/event-stream")
		}
		w.Header().Set("X-Litellm-Response-Cost", "123.45") // a proxy's guess
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n  anthropic: {base_url: "+s.URL+"/v1}\n  openrouter: {base_url: "+s.URL+"/v1}\n",
		"OPENAI_API_KEY="+canary, "ANTHROPIC_API_KEY="+canary, "OPENROUTER_API_KEY="+canary)
	chat := func(usage string) string {
		return `{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}],"usage":` + usage + `}`
	}
	for _, c := range []struct {
		name, path, model, more, answer, usd string
		kind                                 ledger.CostKind
	}{
		{
			"I1", "/v1/chat/completions", "openai/gpt-5", ``,
			chat(`{"prompt_tokens":1239328,"completion_tokens":12909,"total_tokens":1252237,"prompt_tokens_details":{"cached_tokens":1188096}}`), "0.341642", ledger.CostExact,
		},
		{
			"I2", "/v1/messages", "anthropic/claude-opus-4-5", `,"max_tokens":9000,"stream":true`,
			"event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-4-5\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":6,\"cache_creation_input_tokens\":159217,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}\n\n" +
				"event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\nevent: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n" +
				"event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"input_tokens\":6,\"cache_creation_input_tokens\":159217,\"cache_read_input_tokens\":0,\"output_tokens\":2745}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
			"1.06376125", ledger.CostExact,
		},
		{
			"I4", "/v1/chat/completions", "openai/gpt-5.6-sol", ``,
			chat(`{"prompt_tokens":100000,"completion_tokens":0,"total_tokens":100000,"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":100000}}`), "0.5", ledger.CostExact,
		},
		{
			"I14", "/v1/chat/completions", "openrouter/openai/gpt-5", ``,
			chat(`{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,"cost":0.0075}`), "0.0075", ledger.CostStated,
		},
		{
			"I14: a header is nobody's bill", "/v1/chat/completions", "openai/gpt-5", ``,
			chat(`{"prompt_tokens":8,"completion_tokens":0,"total_tokens":8}`), "0.00001", ledger.CostExact,
		},
	} {
		answer = c.answer
		r := h.do("POST", c.path, `{"model":"`+c.model+`","messages":[{"role":"user","content":"hi"}]`+c.more+`}`)
		if r.status != 200 {
			t.Fatalf("%s: %d %s", c.name, r.status, r.body)
		}
		row := h.last()
		if row.CostPico == nil || llm.Pico(*row.CostPico).String() != c.usd || row.CostKind != c.kind {
			got := "nothing"
			if row.CostPico != nil {
				got = llm.Pico(*row.CostPico).String()
			}
			t.Errorf("%s: %s USD, %s; want %s, %s", c.name, got, row.CostKind, c.usd, c.kind)
		}
	}
}

// C16: the size of a prompt for a provider that does not count it is an
// estimate, and says so; nobody is called.
func TestCountIsAnEstimate(t *testing.T) {
	h := open(t, "providers:\n  openai: {base_url: \"http://127.0.0.1:1/v1\"}\n", "OPENAI_API_KEY="+canary)
	r := h.do("POST", "/v1/messages/count_tokens", `{"model":"openai/gpt-5","messages":[{"role":"user","content":"`+strings.Repeat("word ", 400)+`"}]}`)
	if r.status != 200 || !strings.HasPrefix(r.body, `{"input_tokens":`) || !strings.Contains(r.header.Get("Keytray-Lost"), "input_tokens: an estimate") {
		t.Errorf("%d %s, lost %q", r.status, r.body, r.header.Get("Keytray-Lost"))
	}
	if n := gjson.Get(r.body, "input_tokens").Int(); n < 400 || n > 700 {
		t.Errorf("400 words are %d tokens", n)
	}
	if rows := h.rows(); len(rows) != 0 {
		t.Errorf("%d calls were made to count", len(rows))
	}
}
