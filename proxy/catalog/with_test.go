package catalog

import (
	"testing"

	"keytray/proxy/llm"
)

func TestWith(t *testing.T) {
	base := load(t)
	yes := true
	c, err := base.With(
		Override{ID: "openai", BaseURL: "http://127.0.0.1:9001/v1/"},
		Override{ID: "lab", BaseURL: "http://127.0.0.1:8000/v1", Env: []string{"LAB_KEY"}, Models: []string{"qwen3", "org/x"}},
		Override{ID: "far", Name: "Far", Dialect: "messages", BaseURL: "https://far.example/v1", Flags: []string{"no_prefill"}},
		Override{ID: "cohere", BaseURL: "https://proxy.example/cohere"},
		Override{ID: "xai", Dialect: "messages"},
		Override{ID: "nas", Dialect: "ollama", BaseURL: "http://nas:11434", Local: &yes},
		Override{ID: "groq", Models: []string{"brand-new"}, Flags: []string{"no_stream_options"}},
	)
	if err != nil {
		t.Fatal(err)
	}
	get := func(id string) Provider {
		p, ok := c.Provider(id)
		if !ok {
			t.Fatalf("%s is not there", id)
		}
		return p
	}

	openai := get("openai")
	if openai.BaseURL != "http://127.0.0.1:9001/v1" || openai.Local || openai.Custom || openai.Auth.Header != "Authorization" {
		t.Errorf("%+v", openai)
	}
	one := known(llm.Usage{Input: 1})
	if got := c.Cost("openai", "gpt-4.1", one, Context{}); got.Pico != 2e6 {
		t.Errorf("another address changed the price: %+v", got)
	}

	lab := get("lab")
	if !lab.Local || !lab.Custom || lab.Dialect != "chat" || lab.List.At != "/models" || lab.Env[0] != "LAB_KEY" {
		t.Errorf("%+v", lab)
	}
	if m, ok := c.Model("lab", "org/x"); !ok || m.Path() != "lab/org/x" {
		t.Errorf("%+v", m)
	}
	if got := c.Cost("lab", "qwen3", one, Context{}); got.Kind != Exact || got.Pico != 0 {
		t.Errorf("a local model costs %+v", got)
	}

	far := get("far")
	if far.Local || far.Auth.Header != "x-api-key" || far.Auth.Extra["anthropic-version"] == "" || far.Name != "Far" {
		t.Errorf("%+v", far)
	}
	if got := c.Cost("far", "any", one, Context{}); got.Kind != Unpriced {
		t.Errorf("a price out of nowhere: %+v", got)
	}
	if f := c.Call("far", "any").Flags; !f.Has("no_prefill") {
		t.Error(f)
	}

	// The key must not go to the host that the user replaced.
	if cohere := get("cohere"); cohere.URL(cohere.List.At) != "https://proxy.example/cohere/models" {
		t.Error(cohere.URL(cohere.List.At))
	}
	if xai := get("xai"); xai.Dialect != "messages" || xai.BaseURL != "https://api.x.ai/v1" || xai.Auth.Header != "x-api-key" {
		t.Errorf("%+v", xai)
	}
	if nas := get("nas"); !nas.Local || nas.List.At != "/api/tags" {
		t.Errorf("%+v", nas)
	}
	if m, ok := c.Model("groq", "brand-new"); !ok || !m.Flags.Has("no_stream_options") || !m.Flags.Has("system_role") {
		t.Errorf("%+v", m)
	}
	if _, ok := c.Model("groq", "openai/gpt-oss-120b"); !ok || len(c.Models("groq")) != len(base.Models("groq"))+1 {
		t.Error("own models hide the listed ones")
	}

	if _, ok := base.Provider("lab"); ok {
		t.Error("the catalog that was asked has changed")
	}
	if p, _ := base.Provider("openai"); p.BaseURL != "https://api.openai.com/v1" || p.Flags.Has("no_stream_options") {
		t.Error("a built-in provider has changed")
	}
}

func TestWithRefuses(t *testing.T) {
	for _, o := range []Override{{}, {ID: "a/b", BaseURL: "http://x"}, {ID: "demo", BaseURL: "http://x"}, {ID: "new"}} {
		if _, err := load(t).With(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestIn(t *testing.T) {
	c := load(t)
	p, _ := c.Provider("deepseek")
	m, ok := p.In("messages")
	if !ok || m.Dialect != "messages" || m.BaseURL != "https://api.deepseek.com/anthropic/v1" {
		t.Errorf("DeepSeek in messages: %v %s %s", ok, m.Dialect, m.BaseURL)
	}
	if m.Auth.Header != "Authorization" || m.Auth.Extra["anthropic-version"] != "2023-06-01" {
		t.Errorf("DeepSeek in messages takes its key as %+v", m.Auth)
	}
	if _, ok := p.In("gemini"); ok {
		t.Error("DeepSeek speaks no gemini")
	}
	moved, err := c.With(Override{ID: "deepseek", BaseURL: "http://127.0.0.1:9"})
	if err != nil {
		t.Fatal(err)
	}
	p, _ = moved.Provider("deepseek")
	if _, ok := p.In("messages"); ok {
		t.Error("a key for a base URL of the user's own would go to the built-in host")
	}
}
