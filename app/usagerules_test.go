package app

import (
	"encoding/json"
	"testing"
	"time"

	"keytray/assets"
	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

// TestUsageRules holds each provider's own rules of counting, from the wire to
// the pico-USD: what is inside what, and what is billed apart.
func TestUsageRules(t *testing.T) {
	cat, err := catalog.Load(assets.Providers())
	if err != nil {
		t.Fatal(err)
	}
	const sonnet, gpt5, pro = "claude-sonnet-4-5", "gpt-5", "gemini-2.5-pro"
	for _, c := range []struct {
		name, provider, dialect, model, usage string
		tier                                  string
		at                                    string
		usd                                   string
		computed                              string // where the provider states a charge
		kind                                  catalog.Kind
	}{
		{name: "I1 cached input is inside, half a million times", provider: "openai", dialect: "chat", model: gpt5, usage: `{"prompt_tokens":1239328,"completion_tokens":12909,"total_tokens":1252237,"prompt_tokens_details":{"cached_tokens":1188096}}`, usd: "0.341642"},
		{name: "I2 Anthropic's writes are outside the input", provider: "anthropic", dialect: "messages", model: "claude-opus-4-5", usage: `{"input_tokens":6,"cache_creation_input_tokens":159217,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":159217,"ephemeral_1h_input_tokens":0},"output_tokens":2745}`, usd: "1.06376125"},
		{name: "no split means five minutes", provider: "anthropic", dialect: "messages", model: sonnet, usage: `{"input_tokens":0,"cache_creation_input_tokens":1000,"output_tokens":0}`, usd: "0.00375"},
		{name: "an hour's writes", provider: "anthropic", dialect: "messages", model: sonnet, usage: `{"input_tokens":0,"cache_creation_input_tokens":3000,"cache_creation":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":2000},"output_tokens":0}`, usd: "0.01575"},
		{name: "I10 searches", provider: "anthropic", dialect: "messages", model: sonnet, usage: `{"input_tokens":1000,"output_tokens":100,"server_tool_use":{"web_search_requests":3}}`, usd: "0.0345"},
		{name: "in the USA", provider: "anthropic", dialect: "messages", model: "claude-opus-4-8", usage: `{"input_tokens":1000,"output_tokens":0,"inference_geo":"us"}`, usd: "0.0055"},
		{name: "the length goes by the whole prompt, and holds for the output", provider: "anthropic", dialect: "messages", model: sonnet, usage: `{"input_tokens":1,"cache_read_input_tokens":200000,"output_tokens":10}`, usd: "0.120231"},
		{name: "up to the length", provider: "anthropic", dialect: "messages", model: sonnet, usage: `{"input_tokens":0,"cache_read_input_tokens":200000,"output_tokens":10}`, usd: "0.06015"},

		{name: "I6 a usage of zeros", provider: "openai", dialect: "chat", model: gpt5, usage: `{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`, usd: "0"},
		{name: "I9 flex, as the answer says", provider: "openai", dialect: "chat", model: gpt5, tier: "flex", usage: `{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, usd: "0.001125"},
		{name: "I9 priority, as the answer says", provider: "openai", dialect: "chat", model: gpt5, tier: "priority", usage: `{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`, usd: "0.0045"},
		{name: "I4 cache writes are inside and dearer", provider: "openai", dialect: "chat", model: "gpt-5.6-sol", usage: `{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000,"prompt_tokens_details":{"cache_write_tokens":1000}}`, usd: "0.005"},

		{name: "thoughts are on top", provider: "google", dialect: "gemini", model: pro, usage: `{"promptTokenCount":1000,"candidatesTokenCount":100,"thoughtsTokenCount":900,"totalTokenCount":2000}`, usd: "0.01125"},
		{name: "no candidates, thoughts alone", provider: "google", dialect: "gemini", model: pro, usage: `{"promptTokenCount":1000,"thoughtsTokenCount":900,"totalTokenCount":1900}`, usd: "0.01025"},
		{name: "a tool's prompt is on top", provider: "google", dialect: "gemini", model: pro, usage: `{"promptTokenCount":1000,"toolUsePromptTokenCount":1000,"candidatesTokenCount":100,"totalTokenCount":2100}`, usd: "0.0035"},
		{name: "a long prompt", provider: "google", dialect: "gemini", model: pro, usage: `{"promptTokenCount":200001,"candidatesTokenCount":100,"totalTokenCount":200101}`, usd: "0.5015025"},

		{name: "xAI's reasoning is on top, and its ticks are the charge", provider: "xai", dialect: "chat", model: "grok-4", usage: `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":120,"completion_tokens_details":{"reasoning_tokens":100},"cost_in_usd_ticks":12340000}`, usd: "0.001234", computed: "0.00168", kind: catalog.Stated},
		{name: "xAI's length begins at 200,000", provider: "xai", dialect: "chat", model: "grok-4.5", usage: `{"prompt_tokens":200000,"completion_tokens":0,"total_tokens":200000}`, usd: "0.8"},
		{name: "and not before", provider: "xai", dialect: "chat", model: "grok-4.5", usage: `{"prompt_tokens":199999,"completion_tokens":0,"total_tokens":199999}`, usd: "0.399998"},
		{name: "I14 OpenRouter's charge", provider: "openrouter", dialect: "chat", model: "whatever/new", usage: `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,"cost":0.00012}`, usd: "0.00012", kind: catalog.Stated},
		{name: "I14 with an own key there, the fee and the charge", provider: "openrouter", dialect: "chat", model: "whatever/new", usage: `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,"cost":0.00002,"is_byok":true,"cost_details":{"upstream_inference_cost":0.0004}}`, usd: "0.00042", kind: catalog.Stated},
		{name: "DeepSeek off-peak", provider: "deepseek", dialect: "chat", model: "deepseek-v4-flash", at: "2026-08-10T12:00:00Z", usage: `{"prompt_tokens":366,"prompt_cache_hit_tokens":256,"prompt_cache_miss_tokens":110,"completion_tokens":63,"total_tokens":429}`, usd: "0.0000337568"},
		{name: "DeepSeek at its peak", provider: "deepseek", dialect: "chat", model: "deepseek-v4-flash", at: "2026-08-25T03:59:59Z", usage: `{"prompt_tokens":1000,"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":1000,"completion_tokens":0,"total_tokens":1000}`, usd: "0.00044"},
		{name: "DeepSeek after its peak", provider: "deepseek", dialect: "chat", model: "deepseek-v4-flash", at: "2026-08-25T04:00:00Z", usage: `{"prompt_tokens":1000,"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":1000,"completion_tokens":0,"total_tokens":1000}`, usd: "0.00022"},
		{name: "DeepSeek's weekend has no peak", provider: "deepseek", dialect: "chat", model: "deepseek-v4-flash", at: "2026-08-29T02:00:00Z", usage: `{"prompt_tokens":1000,"prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":1000,"completion_tokens":0,"total_tokens":1000}`, usd: "0.00022"},
		{name: "Groq's cached input is half", provider: "groq", dialect: "chat", model: "openai/gpt-oss-120b", usage: `{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000,"prompt_tokens_details":{"cached_tokens":400}}`, usd: "0.00012"},
		{name: "Groq says it twice, counted once", provider: "groq", dialect: "chat", model: "openai/gpt-oss-120b", usage: `{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100},"x_groq":{"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`, usd: "0.00021"},
		{name: "Mistral's older name for cached input", provider: "openai", dialect: "chat", model: gpt5, usage: `{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000,"num_cached_tokens":400}`, usd: "0.0008"},
		{name: "DeepInfra's charge", provider: "deepinfra", dialect: "chat", model: "whatever/new", usage: `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20,"estimated_cost":0.0005}`, usd: "0.0005", kind: catalog.Stated},
		{name: "total = p + c: reasoning is inside", provider: "openai", dialect: "chat", model: gpt5, usage: `{"prompt_tokens":100,"completion_tokens":100,"total_tokens":200,"completion_tokens_details":{"reasoning_tokens":60}}`, usd: "0.001125"},
		{name: "total = p + c + r: reasoning is on top", provider: "openai", dialect: "chat", model: gpt5, usage: `{"prompt_tokens":100,"completion_tokens":100,"total_tokens":260,"completion_tokens_details":{"reasoning_tokens":60}}`, usd: "0.001725"},
		{name: "total is more, unexplained: output is the rest", provider: "openai", dialect: "chat", model: gpt5, usage: `{"prompt_tokens":100,"completion_tokens":100,"total_tokens":300}`, usd: "0.002125"},
		{name: "nothing stated, an unknown model", provider: "openai", dialect: "chat", model: "gpt-nobody", usage: `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20}`, kind: catalog.Unpriced},
		{name: "no guess by prefix", provider: "openai", dialect: "chat", model: "gpt-5-2099-01-01", usage: `{"prompt_tokens":10,"completion_tokens":10,"total_tokens":20}`, kind: catalog.Unpriced},
		{name: "a local model", provider: "ollama", dialect: "ollama", model: "qwen3", usage: `{"prompt_eval_count":1000,"eval_count":1000}`, usd: "0"},
		{name: "Bedrock's cache is outside, and a profile costs a tenth more", provider: "bedrock", dialect: "converse", model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", usage: `{"inputTokens":1000,"cacheReadInputTokens":1000,"outputTokens":100,"totalTokens":2100}`, usd: "0.00528"},
		{name: "Bedrock's writes by how long they live", provider: "bedrock", dialect: "converse", model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0", usage: `{"inputTokens":1000,"cacheWriteInputTokens":300,"cacheDetails":[{"ttl":"1h","inputTokens":100},{"ttl":"5m","inputTokens":200}],"outputTokens":0,"totalTokens":1300}`, usd: "0.004785"},
		{name: "responses: cache writes are inside and dearer", provider: "openai", dialect: "responses", model: "gpt-5.6-sol", usage: `{"input_tokens":1000,"input_tokens_details":{"cached_tokens":100,"cache_write_tokens":400},"output_tokens":0,"total_tokens":1000}`, usd: "0.00404"},
		{name: "I10 responses: a search is an item of the answer, and not in its usage", provider: "openai", dialect: "responses", model: gpt5, usage: `{"input_tokens":1000,"output_tokens":0,"total_tokens":1000},"output":[{"type":"web_search_call","id":"a","status":"completed","action":{"type":"search","query":"x"}},{"type":"web_search_call","id":"b","status":"completed","action":{"type":"open_page"}},{"type":"web_search_call","id":"c","status":"completed","action":{"type":"search","query":"y"}}]`, usd: "0.02125"},
		{name: "responses: cached is inside", provider: "openai", dialect: "responses", model: gpt5, usage: `{"input_tokens":1000,"input_tokens_details":{"cached_tokens":400},"output_tokens":100,"total_tokens":1100}`, usd: "0.0018"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
			if c.at != "" {
				if at, err = time.Parse(time.RFC3339, c.at); err != nil {
					t.Fatal(err)
				}
			}
			answer := costCase{Dialect: c.dialect, Model: c.model, Usage: json.RawMessage(c.usage)}
			answer.Context.Tier = c.tier
			var tally llm.Tally
			outbound(c.dialect).Tally(&llm.Call{Model: cat.Call(c.provider, c.model)}, &tally, []byte(answer.whole()))
			if !tally.Usage.Known {
				t.Fatalf("no usage was seen in %s", answer.whole())
			}
			got := cat.Cost(c.provider, c.model, tally.Usage, catalog.Context{At: at, Tier: tally.Tier, Geo: tally.Geo})
			kind := c.kind
			if kind == "" {
				kind = catalog.Exact
			}
			if got.Kind != kind {
				t.Errorf("%s, want %s", got.Kind, kind)
			}
			if kind == catalog.Unpriced {
				return
			}
			if c.computed != "" { // the list's own figure is kept beside
				if want, err := llm.ParsePico(c.computed); err != nil || got.Computed != want || got.ComputedKind != catalog.Exact {
					t.Errorf("computed %s %s, want %s", got.Computed, got.ComputedKind, c.computed)
				}
			}
			if want, err := llm.ParsePico(c.usd); err != nil || got.Pico != want {
				t.Errorf("%s USD, want %s (usage %+v, price %s)", got.Pico, c.usd, tally.Usage, got.Price)
			}
		})
	}
}
