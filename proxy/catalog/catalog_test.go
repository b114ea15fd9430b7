package catalog

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"keytray/proxy/llm"
)

func TestLoadRefuses(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"a cut file":     {"a.json": {Data: []byte(`{"id": "a", "name"`)}},
		"another's id":   {"a.json": {Data: []byte(`{"id": "b"}`)}},
		"a reserved id":  {"demo.json": {Data: []byte(`{"id": "demo"}`)}},
		"a wrong type":   {"a.json": {Data: []byte(`{"id": "a", "env": 5}`)}},
		"a wrong factor": {"a.json": {Data: []byte(`{"id": "a", "tiers": {"batch": "half"}}`)}},
		"something else": {"a.json": {Data: []byte(`[]`)}},
		"no date":        {"a.json": {Data: []byte(`{"id": "a", "as_of": "soon"}`)}},
	} {
		if _, err := Load(files); err == nil || !strings.Contains(err.Error(), ".json") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuiltInProviders(t *testing.T) {
	c := load(t)
	all := c.Providers()
	if len(all) != 27 || !slices.IsSortedFunc(all, func(a, b Provider) int { return strings.Compare(a.ID, b.ID) }) {
		t.Errorf("%d providers, or out of order", len(all))
	}
	for _, p := range all {
		got, ok := c.Provider(p.ID)
		if !ok || got.ID != p.ID {
			t.Errorf("%s is not found", p.ID)
		}
	}
	for id, dialect := range map[string]string{
		"openai": "chat", "anthropic": "messages", "google": "gemini", "ollama": "ollama", "cohere": "chat",
		"mistral": "chat", "minimax": "messages", "openrouter": "chat", "deepseek": "chat", "xai": "chat", "voyageai": "chat",
	} {
		if p, _ := c.Provider(id); p.Dialect != dialect || p.Unusable != "" {
			t.Errorf("%s speaks %s (%s)", id, p.Dialect, p.Unusable)
		}
	}
	for _, id := range []string{"vertex", "bedrock", "azure"} {
		if p, _ := c.Provider(id); p.Unusable == "" {
			t.Errorf("%s does not say why it cannot be called yet", id)
		}
	}
	p, _ := c.Provider("anthropic")
	if p.Auth.Header != "x-api-key" || p.Auth.Extra["anthropic-version"] != "2023-06-01" || slices.Contains(p.Env, "ANTHROPIC_AUTH_TOKEN") {
		t.Errorf("%+v %v", p.Auth, p.Env)
	}
	if p, _ := c.Provider("cohere"); p.URL(p.List.At) != "https://api.cohere.com/v1/models?page_size=1000" {
		t.Error(p.URL(p.List.At))
	}
	if p, _ := c.Provider("openrouter"); p.URL(p.Test) != "https://openrouter.ai/api/v1/key" {
		t.Error(p.URL(p.Test))
	}
}

func TestModel(t *testing.T) {
	c := labCatalog(t)
	m, ok := c.Model("lab", "simple")
	want := llm.Model{Provider: "lab", Name: "plain", MaxOutput: 500, Flags: llm.Flags{"system_role", "json_schema", "tools"}}
	if got := m.LLM(); !ok || m.Path() != "lab/plain" || got.Name != want.Name || got.MaxOutput != 500 || !slices.Equal(got.Flags, want.Flags) {
		t.Errorf("%+v", m)
	}
	for _, name := range []string{"plain-2", "plai", "", "PLAIN"} {
		if _, ok := c.Model("lab", name); ok {
			t.Errorf("%q is taken for a model", name)
		}
	}
	if _, ok := c.Model("who", "plain"); ok {
		t.Error("found at nobody's")
	}
	call := c.Call("lab", "new")
	if call.Provider != "lab" || call.Name != "new" || !call.Flags.Has(llm.FlagSystemRole) || !call.Flags.Has(llm.FlagNoJSONSchema) {
		t.Errorf("%+v", call)
	}
	if ids := c.Models("lab"); len(ids) != 10 || ids[0].ID != "asks" || ids[9].ID != "thinker" {
		t.Errorf("%+v", ids)
	}
	if c.Models("who") != nil {
		t.Error("models of nobody")
	}
}

// TestBuiltInFlags checks a few flags per family: what a call fails without.
func TestBuiltInFlags(t *testing.T) {
	c := load(t)
	for _, tc := range []struct{ path, has, hasNot string }{
		{"openai/gpt-5", "max_completion_tokens no_sampling reasoning no_stop no_thinking_off no_xhigh", "no_reasoning no_minimal"},
		{"openai/o3", "max_completion_tokens no_sampling no_parallel_control no_stop three_efforts", ""},
		{"openai/gpt-5.1", "max_completion_tokens no_sampled_thought no_minimal no_xhigh", "no_sampling no_thinking_off no_tool_thought"},
		{"openai/gpt-5.4", "no_tool_thought no_sampled_thought no_minimal", "no_sampling no_xhigh"},
		{"openai/gpt-6.1-terra", "max_completion_tokens no_sampling reasoning tools no_tool_thought", "no_max_effort"},
		{"openai/gpt-4.1", "no_reasoning json_schema tools vision", "max_completion_tokens no_sampling"},
		{"anthropic/claude-sonnet-4-5", "thinking_budget json_schema", "thinking_adaptive no_prefill no_sampling"},
		{"anthropic/claude-opus-4-6", "thinking_adaptive no_prefill", "no_sampling thinking_budget"},
		{"anthropic/claude-opus-4-8", "thinking_adaptive no_prefill no_sampling", "thinking_budget no_thinking_off"},
		{"anthropic/claude-sonnet-5-5", "thinking_adaptive no_prefill no_sampling json_schema", "no_thinking_off"},
		{"anthropic/claude-opus-5-5", "thinking_adaptive no_thinking_off", ""},
		{"anthropic/claude-3-haiku-20240307", "no_reasoning no_json_schema tools", "json_schema"},
		{"google/gemini-2.5-flash", "thinking_budget", "no_thinking_off thinking_level"},
		{"google/gemini-2.5-pro", "thinking_budget no_thinking_off", ""},
		{"google/gemini-3.1-pro-preview", "thinking_level no_thinking_off", "thinking_budget"},
		{"google/gemini-3.8-flash", "thinking_level", "no_thinking_off"},
		{"google/gemini-2.0-flash", "no_reasoning", "thinking_budget thinking_level"},
		{"mistral/mistral-large-latest", "mistral_fields no_stream_options system_role no_reasoning", "reasoning"},
		{"deepseek/deepseek-v4-pro", "system_role no_json_schema reasoning", "json_schema"},
		{"moonshot/kimi-k2.6", "no_sampling reasoning_history", ""},
		{"google/gemini-3.1-pro-preview", "no_penalties tool_media", "no_json_with_tools search_per_prompt"},
		{"google/gemini-2.5-flash", "no_penalties no_json_with_tools search_per_prompt", "tool_media"},
		{"openrouter/openai/gpt-4.1", "tools top_k cache_control", "system_role"},
	} {
		provider, name, _ := strings.Cut(tc.path, "/")
		m, ok := c.Model(provider, name)
		if !ok {
			t.Errorf("%s is not listed", tc.path)
			continue
		}
		for _, f := range strings.Fields(tc.has) {
			if !m.Flags.Has(f) {
				t.Errorf("%s has no %s: %v", tc.path, f, m.Flags)
			}
		}
		for _, f := range strings.Fields(tc.hasNot) {
			if m.Flags.Has(f) {
				t.Errorf("%s has %s", tc.path, f)
			}
		}
	}
}

func TestFindPutsTheMakerFirst(t *testing.T) {
	c := load(t)
	for name, want := range map[string]string{
		"claude-opus-5":     "anthropic/claude-opus-5 azure/claude-opus-5 vertex/claude-opus-5",
		"gpt-5.5":           "openai/gpt-5.5 azure/gpt-5.5",
		"deepseek-v4-flash": "deepseek/deepseek-v4-flash fireworks/deepseek-v4-flash azure/deepseek-v4-flash",
		"grok-4-fast":       "xai/grok-4-fast-reasoning",
		"gpt-oss-120b":      "cerebras/gpt-oss-120b fireworks/gpt-oss-120b azure/gpt-oss-120b",
		"gpt-99":            "",
	} {
		var got []string
		for _, m := range c.Find(name) {
			got = append(got, m.Path())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}

func TestNear(t *testing.T) {
	c := load(t)
	for name, want := range map[string]string{
		"claude-sonnet-5.5":    "anthropic/claude-sonnet-5-5",
		"gpt-41":               "openai/gpt-4.1",
		"openai/gpt-4.1-minni": "openai/gpt-4.1-mini",
		"GEMINI-2.5-PRO":       "google/gemini-2.5-pro",
		"gpt-oss-120":          "fireworks/gpt-oss-120b",
	} {
		if got := c.Near(name, 3); len(got) == 0 || got[0] != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	for _, near := range c.Near("gpt-4.1", 50, "openai") {
		if !strings.HasPrefix(near, "openai/") {
			t.Errorf("%s is not openai's", near)
		}
	}
	if got := c.Near("zzzzzzzz", 3); len(got) != 0 {
		t.Errorf("%v is near to nothing", got)
	}
}

func TestManyMayAskAtOnce(t *testing.T) {
	c := load(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, p := range c.Providers() {
				for _, m := range c.Models(p.ID) {
					c.Cost(p.ID, m.ID, known(llm.Usage{Input: 1}), Context{Tier: "flex"})
				}
			}
			c.Near("gpt", 3)
		})
	}
	wg.Wait()
}
