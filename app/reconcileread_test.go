package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"keytray/store/ledger"
)

// adminSecret begins as an OpenAI admin key does, and must be seen nowhere.
const adminSecret = "sk-admin-" + canary

// books is a provider's cost report: two pages, whose days are yesterday and
// the day before.
type books struct {
	*httptest.Server
	mu     sync.Mutex
	auth   []string
	paths  []string
	answer func(w http.ResponseWriter, r *http.Request) bool
}

func newBooks(t *testing.T) *books {
	b := &books{}
	yesterday := utcDay(time.Now()).AddDate(0, 0, -1)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.auth, b.paths = append(b.auth, r.Header.Get("Authorization")), append(b.paths, r.URL.Path)
		answer := b.answer
		b.mu.Unlock()
		if answer != nil && answer(w, r) {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/v1/chat/completions":
			_, _ = io.WriteString(w, `{"id":"x","object":"chat.completion","created":1,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":500,"total_tokens":1500}}`)
		case r.URL.Path == "/v1/organization/costs" && r.URL.Query().Get("page") == "":
			fmt.Fprintf(w, `{"data":[{"start_time":%d,"results":[{"amount":{"value":0.5,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, input"}]}],"has_more":true,"next_page":"p2"}`, yesterday.AddDate(0, 0, -1).Unix())
		case r.URL.Path == "/v1/organization/costs":
			fmt.Fprintf(w, `{"data":[{"start_time":%d,"results":[{"amount":{"value":0.25,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, output"}]}],"has_more":false,"next_page":null}`, yesterday.Unix())
		default:
			_, _ = io.WriteString(w, `{"data":[],"has_more":false,"next_page":null}`)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *books) said(status int, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func (b *books) openai() string {
	return fmt.Sprintf("providers:\n  openai: {base_url: %s/v1}\n", b.URL)
}

func TestReconcileFetches(t *testing.T) {
	b := newBooks(t)
	h := open(t, b.openai())
	ctx := t.Context()
	_, err := h.Reconcile(ctx, ReconcileQuery{Provider: "openai"})
	var none *NoAdminKey
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "https://platform.openai.com/settings/organization/admin-keys") || !strings.Contains(err.Error(), "keytray reconcile openai --add-key") {
		t.Errorf("without a key: %v", err)
	}
	if err := h.AddKey(ctx, "openai", "admin", adminSecret); err != nil {
		t.Fatal(err)
	}
	price := int64(600_000_000_000)
	row := Row{Time: utcDay(time.Now()).AddDate(0, 0, -2).Add(time.Hour), Provider: "openai", Model: "gpt-4o", RequestID: "r", Tool: "t"}
	row.ID = h.ledger.Begin(row)
	row.Status, row.CostPico, row.CostKind = ledger.StatusOK, &price, ledger.CostExact
	if err := h.ledger.Finish(ctx, row); err != nil {
		t.Fatal(err)
	}
	r, err := h.Reconcile(ctx, ReconcileQuery{Provider: "openai"})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 2 || r.Theirs != 75*cent || r.Ours != 60*cent || r.Rows[0].Model != "gpt-4o" || r.Rows[0].Gap != -10*cent || r.Rows[1].Why != WhyOutside {
		t.Errorf("%+v", r)
	}
	if got := r.To.Sub(r.From); got != reconcileDays*24*time.Hour || !r.To.After(time.Now()) {
		t.Errorf("from %v to %v", r.From, r.To)
	}
	for _, a := range b.auth {
		if a != "Bearer "+adminSecret {
			t.Errorf("asked with %q", a)
		}
	}
	if want := "/v1/organization/costs /v1/organization/costs /v1/organization/usage/completions"; strings.Join(b.paths, " ") != want {
		t.Errorf("asked for %q", b.paths)
	}
	if strings.Contains(h.log.String(), canary) {
		t.Error("the admin key is in the log")
	}
}

// An admin key signs no call, is never the key in use, and no other key reads a report.
func TestAdminKeySignsNothing(t *testing.T) {
	b := newBooks(t)
	h := open(t, b.openai())
	ctx := t.Context()
	if err := h.AddKey(ctx, "openai", " Admin ", adminSecret); err != nil {
		t.Fatal(err)
	}
	if r := h.chat("openai/gpt-4o", ""); r.status == http.StatusOK || len(b.auth) > 0 {
		t.Errorf("%d %s, %d calls", r.status, r.body, len(b.auth))
	}
	if err := h.AddKey(ctx, "openai", "", canary+"-calls"); err != nil {
		t.Fatal(err)
	}
	if r := h.chat("openai/gpt-4o", ""); r.status != http.StatusOK || len(b.auth) != 1 || b.auth[0] != "Bearer "+canary+"-calls" {
		t.Errorf("%d %s, %q", r.status, r.body, b.auth)
	}
	for _, k := range h.CachedKeys() {
		if k.InUse == k.Admin {
			t.Errorf("%+v", k)
		}
	}
	for what, err := range map[string]error{
		"renaming it":          h.RenameKey(ctx, "openai", "admin", "work"),
		"renaming another":     h.RenameKey(ctx, "openai", "default", "ADMIN"),
		"another label":        h.AddKey(ctx, "openai", "work", adminSecret+"2"),
		"replacing another":    h.ReplaceKey(ctx, "openai", "default", adminSecret+"2"),
		"a second of the name": h.AddKey(ctx, "openai", "admin", adminSecret+"3"),
	} {
		if err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", what, err)
		}
	}
	test, err := h.TestKey(ctx, "openai", "admin")
	if err != nil || !test.OK || !test.Checked.Admin || b.auth[len(b.auth)-1] != "Bearer "+adminSecret {
		t.Errorf("test: %+v, %v", test, err)
	}
	if err := h.RemoveKey(ctx, "openai", "admin"); err != nil {
		t.Fatal(err)
	}
	asked := len(b.auth)
	if _, err := h.Reconcile(ctx, ReconcileQuery{Provider: "openai"}); err == nil || len(b.auth) != asked {
		t.Errorf("a key that signs calls reads a report: %v", err)
	}
}

func TestReconcileRefusals(t *testing.T) {
	b := newBooks(t)
	h := open(t, b.openai())
	ctx := t.Context()
	if err := h.AddKey(ctx, "openai", "admin", adminSecret); err != nil {
		t.Fatal(err)
	}
	fails := func(what string, want ...string) {
		t.Helper()
		_, err := h.Reconcile(ctx, ReconcileQuery{Provider: "openai"})
		if err == nil {
			t.Fatalf("%s is no error", what)
		}
		for _, w := range append(want, "OpenAI") {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v; want %q", what, err, w)
			}
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s shows the key: %v", what, err)
		}
	}
	b.said(401, `{"error":{"message":"Incorrect API key provided: `+adminSecret+`.","type":"invalid_request_error"}}`)
	fails("401", "401: Incorrect API key provided", "it is no admin key", "/settings/organization/admin-keys", "--add-key")
	b.said(403, `{"error":{"message":"You have insufficient permissions for this operation. Missing scopes: api.usage.read"}}`)
	fails("403", "403", "Missing scopes", "it is no admin key")
	b.said(429, `{"error":{"message":"Rate limit"}}`)
	fails("429", "try again in a minute")
	b.said(500, `oops`)
	fails("500", "500", "--csv")
	if test, err := h.TestKey(ctx, "openai", "admin"); err != nil || test.OK || !strings.Contains(test.Said, "500") {
		t.Errorf("test: %+v, %v", test, err)
	}
	b.mu.Lock()
	b.answer = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "https://elsewhere.invalid/", http.StatusFound)
		return true
	}
	b.mu.Unlock()
	fails("a redirect", "302")
	b.Close()
	_, err := h.Reconcile(ctx, ReconcileQuery{Provider: "openai"})
	if err == nil || !strings.Contains(err.Error(), "nothing listens") {
		t.Errorf("nobody there: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := h.Reconcile(ended, ReconcileQuery{Provider: "openai"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for id, want := range map[string]string{"nobody": "there is no provider", "mistral": "--csv"} {
		if _, err := h.Reconcile(ctx, ReconcileQuery{Provider: id}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// An admin key goes to no host but the provider's own, whatever base_url says
// and whoever trusts it; and nowhere while Keytray is offline.
func TestAdminKeyStaysHome(t *testing.T) {
	h := open(t, "providers:\n  openai: {base_url: \"http://127.0.0.1.nowhere.invalid/v1\"}\n")
	if err := h.AddKey(t.Context(), "openai", "admin", adminSecret); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Trust("openai"); err != nil {
		t.Fatal(err)
	}
	dials := h.network.Dials()
	_, err := h.Reconcile(t.Context(), ReconcileQuery{Provider: "openai"})
	if err == nil || !strings.Contains(err.Error(), "sent to OpenAI itself alone") || h.network.Dials() != dials {
		t.Errorf("elsewhere: %v", err)
	}
	off := open(t, "active: offline\n")
	if err := off.AddKey(t.Context(), "openai", "admin", adminSecret); err != nil {
		t.Fatal(err)
	}
	_, err = off.Reconcile(t.Context(), ReconcileQuery{Provider: "openai"})
	if err == nil || !strings.Contains(err.Error(), "Keytray is offline") || off.network.Dials() != 0 {
		t.Errorf("offline: %v", err)
	}
	// A file is read all the same, of any provider.
	r, err := off.Reconcile(t.Context(), ReconcileQuery{Provider: "mistral", CSV: strings.NewReader("date,model,usd\n2026-11-01,x,1\n2026-11-03,x,2\n")})
	if err != nil || r.Theirs != 300*cent || r.From != day(1) || r.To != day(4) {
		t.Errorf("CSV: %+v, %v", r, err)
	}
	r, err = off.Reconcile(t.Context(), ReconcileQuery{Provider: "mistral", From: day(2), To: day(3), CSV: strings.NewReader("date,model,usd\n2026-11-01,x,1\n")})
	if err == nil {
		t.Errorf("no charge in these days: %+v", r)
	}
}

func TestReconcileDays(t *testing.T) {
	b := newBooks(t)
	h := open(t, fmt.Sprintf("providers:\n  openrouter: {base_url: %s/v1}\n", b.URL))
	if err := h.AddKey(t.Context(), "openrouter", "admin", canary); err != nil {
		t.Fatal(err)
	}
	today := utcDay(time.Now())
	r, err := h.Reconcile(t.Context(), ReconcileQuery{Provider: "openrouter", From: today.AddDate(0, 0, -90)})
	if err != nil || r.From != today.AddDate(0, 0, -30) || r.To != today || len(r.Notes) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := h.Reconcile(t.Context(), ReconcileQuery{Provider: "openrouter", From: today}); err == nil {
		t.Error("a day that is not over has a report")
	}
}
