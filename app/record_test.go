package app

import (
	"testing"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// What an attempt costs, by how it ended. A stopped one is estimated; see
// TestStoppingTheClientStopsTheProvider and TestCloseCutsWhatDoesNotEnd.
func TestRowsOfEachOutcome(t *testing.T) {
	for _, c := range []struct {
		name   string
		script proxytest.Script
		own    bool // a provider without prices
		status ledger.Status
		kind   ledger.CostKind
		zero   bool
	}{
		{name: "refused", script: proxytest.Script{Fail: &proxytest.Fail{Status: 429}}, status: ledger.StatusError, kind: "exact", zero: true},
		{name: "refused, no price", own: true, script: proxytest.Script{Fail: &proxytest.Fail{Status: 400}}, status: ledger.StatusError, kind: "exact", zero: true},
		{name: "answered", script: proxytest.Script{Parts: proxytest.Parts(proxytest.Text("hello"))}, status: ledger.StatusOK, kind: "exact"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := proxytest.Start(t, proxytest.New(c.script))
			yaml, model := "providers: {openai: {base_url: '"+server.URL+"/v1'}}\n", "openai/gpt-5"
			if c.own {
				yaml, model = provider("mine", "chat", server.URL+"/v1"), "mine/text"
			}
			h := open(t, yaml, "OPENAI_API_KEY="+canary, "LAB_KEY="+canary)
			h.chat(model, "")
			row := h.last()
			if row.Status != c.status || row.CostKind != c.kind {
				t.Errorf("status %s, cost kind %s", row.Status, row.CostKind)
			}
			if row.CostPico == nil || (*row.CostPico == 0) != c.zero {
				t.Errorf("cost %s", picoText(row.CostPico))
			}
		})
	}
	server := proxytest.Start(t, proxytest.New())
	h := open(t, "providers: {openai: {base_url: '"+server.URL+"/v1'}}\n", "OPENAI_API_KEY="+canary)
	if h.chat("openai/gpt-nobody-knows", ""); h.last().CostPico != nil || h.last().CostKind != "unpriced" {
		t.Errorf("a model without a price: %s, %s", picoText(h.last().CostPico), h.last().CostKind)
	}
}

func TestNamesInRowsAreBounded(t *testing.T) {
	long := make([]byte, 99, 200)
	for i := range long {
		long[i] = 'a'
	}
	for in, want := range map[string]string{
		"gpt-5":               "gpt-5",
		string(long) + "äxyz": string(long) + "…", // not half of a rune
		"a\x1b[2Jb":           "a\ufffd[2Jb",
	} {
		if got := clip(in); got != want {
			t.Errorf("%q is %q", in, got)
		}
	}
}
