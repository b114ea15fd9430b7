package app

import (
	"os"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func TestRoutesOfConfig(t *testing.T) {
	h := open(t, "# mine\nactive: safe\nroutes:\n  safe: {fallback: [openai/gpt-4o-mini, groq/none, two]}\n  two: demo/echo\n", "OPENAI_API_KEY="+canary)
	all := h.Routes()
	if len(all) != 2 || !all[0].Active || all[1].Active || all[0].YAML != "{fallback: [openai/gpt-4o-mini, groq/none, two]}" {
		t.Fatalf("%+v", all)
	}
	p := all[0].Paces
	if len(p) != 2 || p[0].Provider != "openai" || !p[0].Resting.IsZero() || p[1].Provider != "" || p[1].Why == "" {
		t.Errorf("%+v", p)
	}
	label := h.CachedKeys()[0].Label
	now := time.Now()
	h.health.Note(&llm.Attempt{Provider: "openai", Model: "gpt-4o-mini", Key: label, Start: now, End: now, Outcome: llm.Failed, Err: &llm.Error{Kind: llm.RateLimited, RetryAfter: time.Minute}})
	if p := h.Routes()[0].Paces[0]; time.Until(p.Resting) < 50*time.Second {
		t.Errorf("the only key rests, and the model does not: %+v", p)
	}
	before, err := os.ReadFile(h.Paths().Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"", "a/b", "no name"},
		{"x", "{falback: [a/b]}", "did you mean fallback"},
		{"two", "safe", "leads back to itself"},
		{"openai", "a/b", "provider"},
	} {
		if _, err := h.CheckRoute(c.name, c.yaml); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "config.yaml:") {
			t.Errorf("%s: %s: %v", c.name, c.yaml, err)
		}
	}
	if doubts, err := h.CheckRoute("x", "{race: [demo/echo, two, openai/gpt-4o-minni]}"); err != nil || len(doubts) != 1 || doubts[0] != "no list of openai's models has gpt-4o-minni; did you mean openai/gpt-4o-mini?" {
		t.Error(doubts, err)
	}
	if now, _ := os.ReadFile(h.Paths().Config); string(now) != string(before) {
		t.Errorf("checking wrote\n%s", now)
	}
	if err := h.RemoveRoute("safe"); err == nil || !strings.Contains(err.Error(), "the switch stands on safe") {
		t.Error(err)
	}
	if err := h.SetRoute("x", "{race: [demo/echo, two]}"); err != nil || len(h.Routes()) != 3 {
		t.Error(err)
	}
	if err := h.RemoveRoute("x"); err != nil || len(h.Routes()) != 2 {
		t.Error(err)
	}
	if now, _ := os.ReadFile(h.Paths().Config); !strings.Contains(string(now), "# mine") {
		t.Errorf("the comment is gone\n%s", now)
	}
}

func TestToolsSpend(t *testing.T) {
	h := open(t, "tools:\n  kt-planned: {models: [demo/]}\n")
	if _, err := h.Token(t.Context(), "editor"); err != nil {
		t.Fatal(err)
	}
	r := h.do("POST", "/v1/chat/completions", chatBody("demo/echo", ""), "Authorization", "Bearer no-such-token")
	if s := h.Status().Strangers; r.status != 401 || s.Count != 1 || time.Since(s.Last) > time.Minute {
		t.Errorf("%d, strangers %+v", r.status, s)
	}
	all, err := h.Tools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]Tool{}
	for _, x := range all {
		byName[x.Name] = x
	}
	if x := byName["kt-planned"]; x.Token || len(x.Models) != 1 {
		t.Errorf("%+v", x)
	}
	if x := byName["editor"]; !x.Token || x.Static || x.Created.IsZero() || !x.LastUsed.IsZero() {
		t.Errorf("%+v", x)
	}
}
