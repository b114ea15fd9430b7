package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keytray/store/config"
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

// What the window sets is in the file, and holds from then on.
func TestSettingsAreWritten(t *testing.T) {
	h := open(t, "# mine\nledger:\n  sync: normal # stays\n")
	for _, err := range []error{h.SetKeepDays(90), h.SetLedgerDetail("counts"), h.SetPriceUpdate("weekly"), h.SetKeepResponses(true)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c := h.Settings()
	if c.Ledger.KeepDays != 90 || c.Ledger.Detail != config.DetailCounts || c.PriceUpdate != config.UpdateWeekly || !c.KeepResponses {
		t.Errorf("settings %+v", c)
	}
	b, err := os.ReadFile(filepath.Join(h.home, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(b); !strings.Contains(text, "# mine\nledger:\n  sync: normal # stays\n") || !strings.Contains(text, "keep_days: 90\n") {
		t.Errorf("config.yaml is now\n%s", text)
	}
	h.chat("demo/echo", "")
	if row := h.last(); row.Model != ledger.NotKept {
		t.Errorf("after the change a row holds %+v", row)
	}
	if err := h.SetKeepDays(0); err != nil || h.Settings().Ledger.KeepDays != 0 {
		t.Errorf("for good: %v, %d", err, h.Settings().Ledger.KeepDays)
	}
	if err := h.SetPriceUpdate("hourly"); err == nil || h.Settings().PriceUpdate != config.UpdateWeekly {
		t.Errorf("a word that means nothing was taken: %v", err)
	}
}
