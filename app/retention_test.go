package app

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"keytray/store/ledger"
)

// Old calls go after so many days, today included, and their sums stay.
func TestRetention(t *testing.T) {
	h := open(t, "ledger: {keep_days: 2}\n")
	now := time.Date(2026, 11, 21, 15, 0, 0, 0, time.Local)
	for _, at := range []time.Time{now.AddDate(0, 0, -2), Day(now.AddDate(0, 0, -1)), now} {
		if err := h.ledger.Finish(t.Context(), ledger.Row{Time: at, Model: "m", Status: ledger.StatusOK, CostPico: pico(5), CostKind: ledger.CostExact}); err != nil {
			t.Fatal(err)
		}
	}
	h.dropOld(t.Context(), now)
	if rows := h.rows(); len(rows) != 2 || !rows[0].Time.Equal(Day(now.AddDate(0, 0, -1))) {
		t.Errorf("%d rows are left: %+v", len(rows), rows)
	}
	if s, err := h.Since(t.Context(), time.Time{}); err != nil || s.Calls != 3 || s.CostPico != 15 {
		t.Errorf("%+v, %v", s, err)
	}
}

// What a row holds follows the settings from the moment that they change.
func TestDetail(t *testing.T) {
	h := open(t, "ledger: {detail: counts}\n")
	h.chat("demo/echo", "")
	if row := h.last(); row.Model != ledger.NotKept || row.Asked != "" || row.Provider != "demo" || row.Usage.Output == 0 || row.CostPico == nil {
		t.Errorf("%+v", row)
	}
	h.chat("nobody/knows", "")
	if err := os.WriteFile(filepath.Join(h.home, "config.yaml"), []byte("ledger: {detail: full}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.config.Reload(); err != nil {
		t.Fatal(err)
	}
	h.chat("demo/echo", "")
	if row := h.last(); row.Model != "echo" || row.Asked != "demo/echo" {
		t.Errorf("%+v", row)
	}
}
