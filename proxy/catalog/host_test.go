package catalog

import (
	"slices"
	"strings"
	"testing"
)

func TestFilled(t *testing.T) {
	c := load(t)
	for _, x := range []struct {
		id       string
		settings map[string]string
		base     string
		why      string
	}{
		{"bedrock", map[string]string{"region": "us-east-1"}, "https://bedrock-runtime.us-east-1.amazonaws.com", ""},
		{"bedrock", nil, "", "it needs a region: set region under providers in config.yaml, such as providers: {bedrock: {region: us-east-1}}, or the environment variable AWS_REGION"},
		{"bedrock", map[string]string{"region": "x.evil.example/"}, "", `its region cannot be "x.evil.example/": give one such as us-east-1`},
		{"vertex", map[string]string{"project": "p"}, "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google", ""},
		{"vertex", map[string]string{"project": "p", "location": "eu"}, "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/publishers/google", ""},
		{"vertex", map[string]string{"project": "p", "location": "us-east5"}, "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/google", ""},
		{"vertex", map[string]string{"location": "us-east5"}, "", "it needs a project"},
		{"azure", map[string]string{"resource": "r"}, "https://r.openai.azure.com/openai/v1", ""},
		{"azure", map[string]string{"resource": "r", "api_version": "2024-10-21"}, "https://r.openai.azure.com/openai/deployments/{deployment}", ""},
	} {
		with, err := c.With(Override{ID: x.id, Settings: x.settings})
		if err != nil {
			t.Fatal(err)
		}
		p, _ := with.Provider(x.id)
		if x.why != "" {
			if !strings.HasPrefix(p.Unusable, x.why) {
				t.Errorf("%s %v: unusable %q", x.id, x.settings, p.Unusable)
			}
			continue
		}
		if p.BaseURL != x.base || p.Unusable != "" {
			t.Errorf("%s %v: %s %s", x.id, x.settings, p.BaseURL, p.Unusable)
		}
		again, _ := c.Provider(x.id)
		if got := again.BuiltIn(p).BaseURL; got != x.base {
			t.Errorf("built in it would be %s", got)
		}
	}
	with, err := c.With(Override{ID: "bedrock", Settings: map[string]string{"region": "us-east-1", "sso_region": "eu-west-1"}})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := with.Provider("bedrock")
	for _, h := range []string{"sts.us-east-1.amazonaws.com", "oidc.eu-west-1.amazonaws.com"} {
		if !slices.Contains(p.Helpers, h) {
			t.Errorf("helpers %q", p.Helpers)
		}
	}
	v, _ := c.With(Override{ID: "vertex", BaseURL: "http://127.0.0.1:9/v1/publishers/google/", Settings: map[string]string{"project": "p"}})
	p, _ = v.Provider("vertex")
	if m, ok := p.In("messages"); !ok || m.BaseURL != "http://127.0.0.1:9/v1/publishers/anthropic" || m.Auth.Scheme != "google" {
		t.Errorf("%v %s %+v", ok, m.BaseURL, m.Auth)
	}
}

func TestServes(t *testing.T) {
	c := load(t)
	for _, x := range []struct {
		id, dialect, model string
		want               bool
	}{
		{"vertex", "gemini", "gemini-2.5-pro", true},
		{"vertex", "gemini", "claude-opus-5", false},
		{"vertex", "messages", "claude-opus-5", true},
		{"vertex", "messages", "gemini-2.5-pro", false},
		{"bedrock", "messages", "us.anthropic.claude-opus-5", true},
		{"bedrock", "messages", "us.amazon.nova-pro-v1:0", false},
		{"bedrock", "converse", "us.anthropic.claude-opus-5", true},
		{"azure", "responses", "gpt-5-mini", true},
		{"azure", "responses", "grok-4", false},
		{"openai", "chat", "anything", true},
		{"openai", "gemini", "anything", false},
	} {
		p, _ := c.Provider(x.id)
		if got := p.Serves(x.dialect, x.model); got != x.want {
			t.Errorf("%s in %s at %s: %v", x.model, x.dialect, x.id, got)
		}
	}
	for _, x := range []struct {
		pattern, s string
		want       bool
	}{{"a*", "a", true}, {"a*b*c", "axbxc", true}, {"a*b*c", "axc", false}, {"*x*", "x", true}, {"a", "ab", false}, {"a*a", "a", false}} {
		if got := glob(x.pattern, x.s); got != x.want {
			t.Errorf("%s matches %s: %v", x.pattern, x.s, got)
		}
	}
}

// A profile of one region costs 10 % more than the global one, from the 4.5
// family of Claude on; usage.md's rule.
func TestBedrockProfiles(t *testing.T) {
	c := load(t)
	tenth := rate{11, 10}
	n := 0
	at, _ := c.find("bedrock")
	for _, m := range c.Models("bedrock") {
		name, ok := strings.CutPrefix(m.ID, "global.")
		if !ok || !strings.Contains(name, "claude-") || strings.Contains(name, "claude-sonnet-4-2025") {
			continue
		}
		global, _ := c.shelves[at].model(m.ID)
		for _, place := range []string{"us.", "eu.", "jp.", "au.", "apac."} {
			own, ok := c.shelves[at].model(place + name)
			if !ok {
				continue
			}
			n++
			g, o := global.Prices[len(global.Prices)-1], own.Prices[len(own.Prices)-1]
			for bucket := range g.Rates {
				if r := g.Rates[bucket]; r.told() && o.Rates[bucket].told() && o.Rates[bucket].rat().Cmp(r.times(tenth).rat()) != 0 {
					t.Errorf("%s%s: %s costs %s, and %s globally", place, name, bucketNames[bucket], o.Rates[bucket], r)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d profiles were compared", n)
	}
}
