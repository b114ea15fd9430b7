package app

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keytray/proxy/catalog"
	"keytray/proxy/llm"
)

func azureAnswer(w http.ResponseWriter, _ *http.Request, _ string) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"id":"c","object":"chat.completion","model":"gpt-5-mini-2025","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`)
}

func TestAzure(t *testing.T) {
	c := startCloud(t, azureAnswer)
	const key = "AZURE_OPENAI_API_KEY=" + canary
	for name, x := range map[string]struct {
		yaml, env, model  string
		path, query, sent string
	}{
		"v1":              {"base_url: " + c.URL + "/openai/v1, deployments: {gpt-5-mini: my-mini}", key, "gpt-5-mini", "/openai/v1/chat/completions", "", "my-mini"},
		"by its own name": {"base_url: " + c.URL + "/openai/v1, deployments: {gpt-5-mini: my-mini}", key, "my-mini", "/openai/v1/chat/completions", "", "my-mini"},
		"preview":         {"base_url: " + c.URL + "/openai/v1, api_version: preview", key, "gpt-5-mini", "/openai/v1/chat/completions", "api-version=preview", "gpt-5-mini"},
		"older":           {"base_url: '" + c.URL + "/openai/deployments/{deployment}', api_version: 2024-10-21, deployments: {gpt-5-mini: my-mini}", key, "gpt-5-mini", "/openai/deployments/my-mini/chat/completions", "api-version=2024-10-21", "my-mini"},
		"token of Entra":  {"base_url: " + c.URL + "/openai/v1", "AZURE_OPENAI_API_KEY=eyJcanary.eyJx.z", "gpt-5-mini", "/openai/v1/chat/completions", "", "gpt-5-mini"},
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t, "providers:\n  azure: {"+x.yaml+"}\n", x.env)
			got := h.chat("azure/"+x.model, `"unknown":1.0,"max_completion_tokens":5`)
			if got.status != 200 {
				t.Fatalf("%d %s", got.status, got.body)
			}
			call := c.last(t)
			if call.path != x.path || call.query != x.query || !strings.Contains(call.body, `{"model":"`+x.sent+`","messages"`) || !strings.Contains(call.body, `"unknown":1.0`) {
				t.Errorf("called %s?%s with %s", call.path, call.query, call.body)
			}
			_, secret, _ := strings.Cut(x.env, "=")
			if strings.HasPrefix(secret, "eyJ") {
				if call.header.Get("Authorization") != "Bearer "+secret || call.header.Get("Api-Key") != "" {
					t.Errorf("signed %v", call.header)
				}
			} else if call.header.Get("Api-Key") != secret || call.header.Get("Authorization") != "" {
				t.Errorf("signed %v", call.header)
			}
			for _, m := range h.Models(t.Context()) {
				if m.Provider == "azure" && m.Name != "gpt-5-mini" && strings.Contains(x.yaml, "deployments:") {
					t.Errorf("%s is listed, which is not deployed", m.Name)
				}
			}
			// Priced as the model it is: 1000 x 0.25 + 100 x 2 USD per million.
			if r := h.rows(); len(r) != 1 || r[0].Model != "gpt-5-mini" || r[0].CostPico == nil || *r[0].CostPico != 450_000_000 {
				t.Errorf("rows %+v", r)
			}
		})
	}
}

func TestAzureAddresses(t *testing.T) {
	for yaml, want := range map[string][3]string{
		"resource: r-1": {
			"https://r-1.openai.azure.com/openai/v1", "https://r-1.openai.azure.com/openai/v1", "https://r-1.services.ai.azure.com/anthropic/v1",
		},
		"resource: r-1, api_version: 2024-10-21": {
			"https://r-1.openai.azure.com/openai/deployments/{deployment}", "https://r-1.openai.azure.com/openai", "https://r-1.services.ai.azure.com/anthropic/v1",
		},
	} {
		h := open(t, "providers:\n  azure: {"+yaml+"}\n", "AZURE_OPENAI_API_KEY="+canary)
		p, _ := h.catalog.Load().Provider("azure")
		r, _ := p.In("responses")
		m, _ := p.In("messages")
		if got := [3]string{p.BaseURL, r.BaseURL, m.BaseURL}; got != want || p.Unusable != "" {
			t.Errorf("%s: %q %s", yaml, got, p.Unusable)
		}
		for _, p := range []string{"chat", "messages"} {
			at, _ := h.catalog.Load().Provider("azure")
			at = spoken(at, &llm.Request{Inbound: client{name: p}}, &catalog.Model{ID: map[string]string{"chat": "gpt-5-mini", "messages": "claude-sonnet-4-5"}[p]})
			if at.Dialect != p {
				t.Errorf("a client of %s is answered in %s", p, at.Dialect)
			}
			if host := h.untrusted(at); host != "" {
				t.Errorf("%s is not trusted", host)
			}
		}
		if p := spoken(p, &llm.Request{Inbound: client{name: "chat"}}, &catalog.Model{ID: "claude-sonnet-4-5"}); p.Dialect != "messages" {
			t.Errorf("Claude is called in %s", p.Dialect)
		}
	}
	h := open(t, "providers:\n  azure: {off: false}\n", "AZURE_OPENAI_API_KEY="+canary)
	if got := h.chat("azure/gpt-5-mini", ""); got.status != 404 || !strings.Contains(got.body, "needs a resource") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestHostSettingsAreChecked(t *testing.T) {
	h := open(t, "")
	before := h.config.Current()
	for yaml, want := range map[string]string{
		"openai: {region: us-east-1}":                "openai has no region",
		"openai: {deployments: {a: b}}":              "openai has no deployments",
		"bedrock: {region: us.evil.example}":         "its region cannot be",
		"vertex: {project: p, location: x.y}":        "its location cannot be",
		"azure: {resource: r, api_version: tuesday}": "its api_version cannot be",
	} {
		if err := os.WriteFile(filepath.Join(h.home, "config.yaml"), []byte("providers:\n  "+yaml+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		said := "nothing"
		if err := h.config.Reload(); err != nil {
			said = err.Error()
		}
		if !strings.Contains(said, want) || h.config.Current() != before {
			t.Errorf("%s: %s", yaml, said)
		}
	}
}
