package app

import (
	"strings"
	"testing"

	"keytray/store/ledger"
)

func TestPromote(t *testing.T) {
	h := open(t, `
providers:
  lab: {dialect: chat, base_url: http://127.0.0.1:9/v1, models: [a, the-b]}
routes:
  trial: {split: {lab/a: 9, the-b: 1}, sample: 0.1}
`)
	h.ledger.AddVerdict(ledger.Verdict{Model: "lab/a", Task: "chat", Calls: 20, Score: 10})
	h.ledger.AddVerdict(ledger.Verdict{Model: "lab/the-b", Task: "chat", Calls: 6, Score: 6})
	written := func() { // verdicts are written in order, and a row's end is waited for
		if err := h.ledger.Finish(t.Context(), ledger.Row{Status: ledger.StatusOK}); err != nil {
			t.Fatal(err)
		}
	}
	written()
	if _, err := h.Promote(t.Context(), "trial"); err == nil || !strings.Contains(err.Error(), "the-b has 6 judged answers") {
		t.Errorf("with too few verdicts: %v", err)
	}
	if rt, _ := h.config.Current().Route("trial"); rt.Model != "" {
		t.Fatalf("the route is %+v already", rt)
	}
	h.ledger.AddVerdict(ledger.Verdict{Model: "lab/the-b", Task: "code", Calls: 4, Score: 0})
	written()
	all, err := h.Promote(t.Context(), "trial")
	if err != nil || len(all) != 2 || all[0].Model != "the-b" || all[0].Score != 0.6 || all[1].Score != 0.5 {
		t.Errorf("%+v, %v", all, err)
	}
	if rt, _ := h.config.Current().Route("trial"); rt.Model != "the-b" {
		t.Errorf("the route is %+v", rt)
	}
}
