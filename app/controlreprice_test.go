package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"keytray/store/ledger"
)

// A command has the Keytray that runs price calls anew, and its budgets follow.
func TestRepriceByTheRunningOne(t *testing.T) {
	h, api := openAIHouse(t, "budget: {day: 5}\n")
	api.says("POST /v1/chat/completions", `{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}}`)
	if r := h.chat("openai/my-model", ""); r.status != 200 {
		t.Fatal(r.body)
	}
	want := func(spent, unpriced int64) {
		t.Helper()
		if l := h.Limits(); len(l) != 1 || l[0].Spent != spent || l[0].Unpriced != unpriced {
			t.Errorf("limits %+v", l)
		}
	}
	want(0, 1)
	at := filepath.Join(h.home, "config.yaml")
	b, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	priced := strings.Replace(string(b), "/v1}", "/v1, prices: {my-model: {input: 1, output: 10}}}", 1)
	if err := errors.Join(os.WriteFile(at, []byte(priced), 0o600), h.config.Reload()); err != nil {
		t.Fatal(err)
	}

	o := h.opt
	o.Serve = false
	beside, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	all := RowFilter{Since: time.Now().Add(-time.Hour), Model: "my-model"}
	if got, err := beside.Reprice(t.Context(), all, false); err != nil || len(got) != 1 || got[0].Unpriced != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	want(0, 1)
	got, err := beside.Reprice(t.Context(), all, true)
	if err != nil || len(got) != 1 || got[0] != (Repriced{Provider: "openai", Model: "my-model", Calls: 1, Unpriced: 1, Becomes: 2_000_000_000}) {
		t.Errorf("%+v, %v", got, err)
	}
	want(2_000_000_000, 0)
	row := h.last()
	wantCost(t, row, 2_000_000_000, ledger.CostEstimated)
	if len(row.Was) != 1 || row.Was[0].CostPico != nil || row.Was[0].CostKind != ledger.CostUnpriced {
		t.Errorf("was %+v", row.Was)
	}
	all.Model = "another"
	if got, err := beside.Reprice(t.Context(), all, true); err != nil || len(got) != 0 {
		t.Errorf("the filter is not kept to: %+v, %v", got, err)
	}

	if r := h.do("POST", "/keytray/reprice?filter=%7B%7D", ""); r.status != 403 { // K1
		t.Errorf("without the secret: %d", r.status)
	}
	if _, err := askRunning(t.Context(), h.runningFile(), "reprice"); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("without a filter: %v", err)
	}
}
