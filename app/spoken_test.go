package app

import (
	"testing"

	"keytray/assets"
	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

// A client gets its own dialect where the model is served in it. OpenAI serves
// some models in its Responses API alone, and others call functions while they
// think only there.
func TestSpoken(t *testing.T) {
	c, err := catalog.Load(assets.Providers())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ client, provider, model, want string }{
		{"chat", "openai", "gpt-4.1", "chat"},
		{"messages", "openai", "gpt-4.1", "chat"},
		{"responses", "openai", "gpt-4.1", "responses"},
		{"chat", "openai", "gpt-5.6", "chat"},
		{"messages", "openai", "gpt-5.6", "responses"},
		{"gemini", "azure", "gpt-5.4", "responses"},
		{"chat", "openai", "gpt-5.1-codex", "responses"},
		{"ollama", "openai", "gpt-5-pro", "responses"},
		{"messages", "openai", "not-listed", "chat"},
		{"responses", "mistral", "mistral-small-latest", "chat"},
	} {
		p, _ := c.Provider(tt.provider)
		m, _ := c.Model(tt.provider, tt.model)
		if got := spoken(p, &llm.Request{Inbound: client{name: tt.client}}, &m); got.Dialect != tt.want {
			t.Errorf("%s for a %s client: called in %s, want %s", tt.model, tt.client, got.Dialect, tt.want)
		}
	}
}
