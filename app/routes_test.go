package app

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"keytray/store/ledger"
)

// panel is a provider whose models say their names; judge judges.
func panel(t *testing.T) (url string, calls *atomic.Int64) {
	t.Helper()
	calls = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		var asked struct{ Model string }
		b, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(b, &asked)
		says := "this is " + asked.Model
		if asked.Model == "judge" {
			says = `{"scores": [2, 9], "best": 2, "why": "clearer"}`
			if !strings.Contains(string(b), `number=\"2\"`) {
				says = `{"scores": [7]}`
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": "c", "object": "chat.completion", "model": asked.Model, "usage": map[string]int{"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": says}}},
		})
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", calls
}

func TestRoutesAnswer(t *testing.T) {
	url, calls := panel(t)
	h := open(t, `
providers:
  openai: {base_url: `+url+`}
  lab: {dialect: chat, base_url: `+url+`, models: [a, b, judge]}
routes:
  best: {judge: [lab/a, lab/b], by: lab/judge}
  both: {compare: [lab/a, lab/b]}
  made: {blend: [lab/a, lab/b], by: lab/judge}
  memo: {cache: openai/gpt-5-mini}
  clever: {smart: [openai/gpt-5, openai/gpt-5-nano], bar: 0.4}
  trial: {split: [lab/a], by: lab/judge, sample: 1}
  shared: {balance: {lab/a: 3}}
  alone: {fallback: [lab/a, lab/b]}
  deep: {fallback: [{race: [{cheapest: [lab/a, openai/gpt-5]}], after: 1s}]}
`, "OPENAI_API_KEY="+canary)
	if _, err := h.Trust("openai"); err != nil {
		t.Fatal(err)
	}
	said := func(r reply) string {
		t.Helper()
		var answer struct {
			Choices []struct{ Message struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(r.body), &answer); err != nil || len(answer.Choices) == 0 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		return answer.Choices[0].Message.Content
	}
	for _, c := range []struct {
		model, want, why string
		calls            int64
		role             string // of the last row
	}{
		{"best", "this is b", "judge: lab/a 2.0, lab/b 9.0", 3, "judge"},
		{"both", "## lab/a\n\nthis is a\n\n## lab/b\n\nthis is b", "compare: 2 answers", 2, "part"},
		{"made", `{"scores": [2, 9], "best": 2, "why": "clearer"}`, "blend of 2 answers", 3, ""},
		{"memo", "this is gpt-5-mini", "", 1, ""},
		{"memo", "this is gpt-5-mini", "cache: answered 0s ago", 0, "kept"},
		{"clever", "this is gpt-5-nano", "smart: chat of about 2 tokens needs 0.20, this has 0.43", 1, ""},
		{"deep", "this is a", "race: number 1 of 1 to be asked; cheapest of 2", 1, ""},
		{"shared", "this is a", "balance: its share is 3 of 3", 1, ""},
		{"lab/a", "this is a", "", 1, ""},
		{"alone", "this is a", "", 1, ""},
	} {
		before := calls.Load()
		r := h.chat(c.model, "")
		if got := said(r); got != c.want || r.header.Get("Keytray-Why") != c.why || calls.Load()-before != c.calls {
			t.Errorf("%s says %q because %q after %d calls", c.model, got, r.header.Get("Keytray-Why"), calls.Load()-before)
		}
		row := h.ledgerRow()
		if string(row.Role) != c.role || row.Route != c.model && c.model != "lab/a" {
			t.Errorf("%s: the last row is %+v", c.model, row)
		}
		if row.Reason != c.why && c.role != "judge" && c.role != "part" {
			t.Errorf("%s: the row says %q, and the answer %q", c.model, row.Reason, c.why)
		}
	}
	rows, err := h.ledger.Rows(t.Context(), ledger.Filter{Route: "memo"})
	if err != nil || len(rows) != 2 || *rows[0].CostPico != 0 || rows[0].SavedPico == nil || *rows[0].SavedPico != *rows[1].CostPico || *rows[1].CostPico == 0 {
		t.Errorf("rows of the cache: %+v, %v", rows, err)
	}
	if rows, _ := h.ledger.Rows(t.Context(), ledger.Filter{Route: "clever"}); !strings.HasPrefix(rows[0].Reason, "smart: chat of about ") {
		t.Errorf("the reason is %q", rows[0].Reason)
	}
	changed, cancel := h.Subscribe()
	defer cancel()
	if got := said(h.chat("trial", "")); got != "this is a" {
		t.Errorf("trial says %q", got)
	}
	want := map[string]float64{"lab/a": (0.2 + 0.7) / 2, "lab/b": 0.9}
	for judged := func() bool { f := h.Fit(); return len(f) == 2 && f[1].Calls == 2 }; !judged(); {
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("the judge has not judged: %+v", h.Fit())
		}
	}
	for _, f := range h.Fit() {
		if f.Task != "chat" || math.Abs(f.Score-want[f.Model]) > 1e-9 {
			t.Errorf("%+v", f)
		}
		delete(want, f.Model)
	}
	if len(want) != 0 {
		t.Errorf("nothing is known of %v", want)
	}
}

func (h *house) ledgerRow() ledger.Row {
	h.t.Helper()
	rows, err := h.ledger.Rows(h.t.Context(), ledger.Filter{Limit: 1})
	if err != nil || len(rows) == 0 {
		h.t.Fatal(err)
	}
	return rows[0]
}

// Of a route's models for calls that are no conversation, too, the answer and its
// row say why not the first has answered.
func TestPassedCallsSayWhy(t *testing.T) {
	h, api := openAIHouse(t, "routes:\n  speak: {fallback: [openai/tts-1-hd, openai/tts-1]}\n")
	api.HandleFunc("POST /v1/audio/speech", func(w http.ResponseWriter, r *http.Request) {
		if b, _ := io.ReadAll(r.Body); strings.Contains(string(b), "tts-1-hd") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "sound")
	})
	const want = "fallback: number 2 of 2, as the one before failed (overloaded)"
	r := h.do("POST", "/v1/audio/speech", `{"model":"speak","input":"x","voice":"alloy"}`)
	if row := h.last(); r.status != 200 || r.header.Get("Keytray-Why") != want || row.Reason != want || row.Route != "speak" {
		t.Errorf("%d %s because %q; the row says %q", r.status, r.body, r.header.Get("Keytray-Why"), row.Reason)
	}
	if r := h.do("POST", "/v1/audio/speech", `{"model":"tts-1","input":"x","voice":"alloy"}`); r.status != 200 || r.header["Keytray-Why"] != nil {
		t.Errorf("%d %v", r.status, r.header)
	}
}
