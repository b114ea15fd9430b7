package app

import (
	"strings"
	"testing"

	"keytray/store/ledger"
)

func TestDemoShowsTheWholePathWithoutKeyOrToken(t *testing.T) {
	h := open(t, "")
	h.token = ""
	r := h.chat("demo/echo", "")
	if r.status != 200 || !strings.Contains(r.body, "You said: hello there") {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if m := r.field(t, "model"); m != "demo/echo" {
		t.Errorf("model is %v", m)
	}
	s := h.chat("demo/echo", `"stream":true,"stream_options":{"include_usage":true}`)
	if s.status != 200 || !strings.HasSuffix(s.body, "data: [DONE]\n\n") || strings.Count(s.body, "data: ") < 10 {
		t.Fatalf("%d %s", s.status, s.body)
	}
	rows := h.rows()
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		if row.Provider != "demo" || row.CostPico == nil || *row.CostPico != 0 || row.CostKind != ledger.CostExact || row.Status != ledger.StatusOK {
			t.Errorf("row %+v", row)
		}
	}
	if c := rows[0].Usage; c.Input != 2 || c.Output == 0 {
		t.Errorf("usage %+v", c)
	}
}
