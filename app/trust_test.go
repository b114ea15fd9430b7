package app

import (
	"strings"
	"testing"

	"keytray/proxy/proxytest"
)

// K10: a changed base_url does not carry a key off to another host.
func TestAKeyIsNotSentToAHostThatNobodyConfirmed(t *testing.T) {
	h := open(t, "providers:\n  openai: {base_url: http://198.51.100.7/v1}\n", "OPENAI_API_KEY="+canary)
	before := h.network.Dials()
	r := h.chat("openai/gpt-4.1", "")
	if r.status != 403 || !strings.Contains(r.body, "keytray keys trust openai") || !strings.Contains(r.body, "198.51.100.7") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if _, err := h.TestKey(t.Context(), "openai", ""); err == nil || !strings.Contains(err.Error(), "trust") {
		t.Errorf("the test of the key said %v", err)
	}
	if n := h.network.Dials() - before; n != 0 {
		t.Errorf("%d dials", n)
	}
	if s := h.Status(); s.State != Attention || !strings.Contains(s.Problems[0].Message, "198.51.100.7") {
		t.Errorf("status %+v", s)
	}
	if host, err := h.Trust("openai"); err != nil || host != "http://198.51.100.7" {
		t.Fatal(host, err)
	}
	if s := h.Status(); s.State != On && len(s.Problems) > 0 && strings.Contains(s.Problems[0].Message, "198.51.100.7") {
		t.Errorf("after the word: %+v", s)
	}
}

// The same host without encryption is not the same: others can read along.
func TestAKeyIsNotSentInTheClear(t *testing.T) {
	for base, untrusted := range map[string]bool{"http://api.openai.com/v1": true, "https://API.openai.com/v1": false} {
		h := open(t, "providers:\n  openai: {base_url: '"+base+"'}\n", "OPENAI_API_KEY="+canary)
		p, _ := h.catalog.Load().Provider("openai")
		if got := h.untrusted(p); (got != "") != untrusted {
			t.Errorf("%s: %q", base, got)
		}
	}
}

func TestLoopbackAndOwnProvidersNeedNoWord(t *testing.T) {
	p := proxytest.New()
	s := proxytest.Start(t, p)
	h := open(t, "providers:\n  openai: {base_url: "+s.URL+"/v1}\n  lab: {dialect: chat, base_url: "+s.URL+"/v1, key_env: LAB_KEY, models: [text]}\n",
		"OPENAI_API_KEY="+canary, "LAB_KEY="+canary)
	for _, m := range []string{"openai/text", "lab/text"} {
		if r := h.chat(m, ""); r.status != 200 {
			t.Errorf("%s: %d %s", m, r.status, r.body)
		}
	}
}

// without_token: local never lends a key, and what takes one has no price of 0.
func TestALocalProviderWithAKeyIsNotFree(t *testing.T) {
	p := proxytest.New()
	base := proxytest.Start(t, p).URL + "/v1"
	h := open(t, "providers:\n  gate: {dialect: chat, base_url: "+base+", key_env: LAB_KEY, models: [text]}\n  open: {dialect: chat, base_url: "+base+", models: [text]}\n",
		"LAB_KEY="+canary)
	if r := h.chat("gate/text", ""); r.status != 200 || h.last().CostPico != nil {
		t.Errorf("%d, cost %v", r.status, h.last().CostPico)
	}
	if r := h.chat("open/text", ""); r.status != 200 || h.last().CostPico == nil {
		t.Errorf("%d, cost %v", r.status, h.last().CostPico)
	}
	n := len(p.Requests())
	h.token = ""
	if r := h.chat("gate/text", ""); r.status != 401 || len(p.Requests()) != n {
		t.Errorf("without a token: %d %s", r.status, r.body)
	}
	if r := h.chat("open/text", ""); r.status != 200 {
		t.Errorf("a local model without a token: %d %s", r.status, r.body)
	}
}
