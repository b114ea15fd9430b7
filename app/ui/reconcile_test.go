//go:build !nogui

package ui

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
)

// reports is the part of fake that compares.
type reports struct {
	hasKey      bool
	compared    app.Reconciled
	comparedErr error
	queries     []app.ReconcileQuery
	csv         string
}

func (r *reports) Reporters() []app.Reporter {
	return []app.Reporter{
		{ID: "openai", Name: "OpenAI", Fetches: true, HasKey: r.hasKey, KeyName: "admin key", KeyURL: "https://example.com/admin-keys"},
	}
}

func (r *reports) Reconcile(_ context.Context, q app.ReconcileQuery) (app.Reconciled, error) {
	r.queries = append(r.queries, q)
	if q.CSV != nil {
		b, _ := io.ReadAll(q.CSV)
		r.csv = string(b)
	}
	return r.compared, r.comparedErr
}

// someReport is a comparison with some of everything.
func someReport(model string) app.Reconciled {
	const cent = 10_000_000_000
	first := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	r := app.Reconciled{Provider: "openai", From: first, To: first.AddDate(0, 0, 21), Unpriced: 2, Notes: []string{"how many tokens were counted could not be read: 403"}}
	for d := range 21 {
		x := app.Compared{Day: first.AddDate(0, 0, d), Model: model, Theirs: int64(40+d*7) * cent, Ours: int64(40+d*7) * cent}
		y := app.Compared{Day: x.Day, Model: "gpt-6-astra", Theirs: int64(100+d) * cent}
		if d%4 == 1 {
			x.Theirs += 13 * cent
			x.Gap, x.Why = 13*cent, app.WhyMore
		}
		if y.Gap, y.Why = y.Theirs, app.WhyOutside; d%3 > 0 {
			y.Ours, y.Gap, y.Why = y.Theirs, 0, ""
		}
		r.Rows = append(r.Rows, x, y)
	}
	for _, x := range r.Rows {
		r.Theirs, r.Ours, r.Gap = r.Theirs+x.Theirs, r.Ours+x.Ours, r.Gap+x.Gap
	}
	r.Reasons = []app.Reason{
		{Why: app.WhyOutside, Pico: 770 * cent, Rows: 7, Models: []string{"gpt-6-astra"}},
		{Why: app.WhyMore, Pico: 65 * cent, Rows: 5, Models: []string{model}},
		{Why: app.WhyPrice, Pico: -12 * cent, Rows: 2, Models: []string{"gpt-6-luna"}, Factor: "0.5"},
	}
	return r
}

// texts is all that is written in view.
func (s *shell) texts() string {
	var b strings.Builder
	for _, o := range s.inView() {
		if l, ok := o.(*widget.Label); ok {
			b.WriteString(l.Text + "\n")
		}
	}
	return b.String()
}

func (s *shell) wants(t *testing.T, texts ...string) {
	t.Helper()
	all := s.texts()
	for _, want := range texts {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not in view:\n%s", want, all)
		}
	}
}

func TestCompare(t *testing.T) {
	k := newFake()
	k.compared = someReport("gpt-6-luna")
	s := opened(t, k, "light", atSpend)
	s.button(t, "Compare…").OnTapped()
	s.wants(t, "What did the provider charge?", "needs an admin key")
	if !s.button(t, "Fetch").Disabled() {
		t.Error("it fetches without a key")
	}
	s.button(t, "Add the key…").OnTapped()
	k.hasKey = true
	s.win.Canvas().Focused().(*field).SetText("sk-admin-x")
	s.button(t, "Save").OnTapped()
	k.asked(t, "add openai admin sk-admin-x")
	s.button(t, "Fetch").OnTapped()
	s.wants(t, "The report has $", "OpenAI, 1 Nov to 21 Nov 2026 (UTC)", "gpt-6-astra", "not through Keytray", "OpenAI charges 0.5 times", "How many tokens were counted could not be read: 403", "+ 2 unpriced")
	q := k.queries[0]
	if q.Provider != "openai" || q.CSV != nil || q.To != time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) || q.To.Sub(q.From) != 30*24*time.Hour {
		t.Errorf("asked %+v", q)
	}
	k.comparedErr = errors.New("OpenAI refused the key (403: Missing scopes)")
	s.button(t, "Fetch").OnTapped()
	s.wants(t, "OpenAI refused the key (403")
	if strings.Contains(s.texts(), "gpt-6-astra") {
		t.Error("the old figures stay beside an error")
	}
	k.compared, k.comparedErr = app.Reconciled{}, nil
	s.button(t, "Fetch").OnTapped()
	s.wants(t, "Nothing to compare")
	s.press(fyne.KeyEscape)
	if s.win.Canvas().Overlays().Top() != nil {
		t.Error("Escape leaves the sheet open")
	}
}

// A file of any provider is chosen, and read for all its days.
func TestCompareFile(t *testing.T) {
	k := newFake()
	k.compared = someReport("x")
	s := opened(t, k, "light", atSpend)
	c := s.compare()
	c.provider.SetSelected("Groq")
	s.wants(t, "Keytray can fetch no cost report of Groq")
	folder := t.TempDir()
	for _, name := range []string{"cost.CSV", ".hidden.csv", "notes.txt", "older/cost.csv"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("date,usd\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", folder)
	t.Setenv("USERPROFILE", folder)
	s.button(t, "Open a CSV…").OnTapped()
	s.wants(t, "cost.CSV", "older")
	if all := s.texts(); strings.Contains(all, "hidden") || strings.Contains(all, "notes") {
		t.Errorf("files that are no report are offered:\n%s", all)
	}
	path := s.win.Canvas().Focused().(*field)
	path.SetText(filepath.Join(folder, "nowhere"))
	s.button(t, "Open").OnTapped()
	s.wants(t, "no such file")
	path.SetText("~/older")
	s.button(t, "Open").OnTapped()
	s.wants(t, "cost.csv")
	s.button(t, "Up").OnTapped()
	s.wants(t, "older")
	s.picture(t, "compare-file")
	path.SetText("~/older/cost.csv")
	s.button(t, "Open").OnTapped()
	if len(k.queries) != 1 {
		t.Fatalf("%d questions", len(k.queries))
	}
	if q := k.queries[0]; q.Provider != "groq" || !q.From.IsZero() || k.csv != "date,usd\n" {
		t.Errorf("%+v, %q", q, k.csv)
	}
	s.wants(t, "Groq, 1 Nov")
	c.read(filepath.Join(folder, "gone.csv"))
	s.wants(t, "no such file")
}

// TestScreensOfCompare draws the sheet in its states. Nothing may stick out.
func TestScreensOfCompare(t *testing.T) {
	const word = "averyveryverylongnamethatsomebodychoseinearnest"
	for name, prepare := range map[string]func(k *fake) (do string){
		"start": func(*fake) string { return "" },
		"full":  func(k *fake) string { k.hasKey, k.compared = true, someReport("gpt-6-luna"); return "Fetch" },
		"long":  func(k *fake) string { k.hasKey, k.compared = true, someReport(word+"/"+word+word); return "Fetch" },
		"empty": func(k *fake) string { k.hasKey = true; return "Fetch" },
		"error": func(k *fake) string {
			k.hasKey, k.comparedErr = true, errors.New(strings.Repeat(word+" ", 8))
			return "Fetch"
		},
		"loading": func(k *fake) string { k.hasKey = true; return "" },
	} {
		for _, choice := range []string{"light", "dark"} {
			t.Run(name+"-"+choice, func(t *testing.T) {
				k := newFake()
				do := prepare(k)
				s := opened(t, k, choice, atSpend)
				c := s.compare()
				if do != "" {
					s.button(t, do).OnTapped()
				}
				if name == "loading" {
					c.draw(c.busy, c.shown)
				}
				s.picture(t, "compare-"+name+"-"+choice)
				if size, room := c.sheet.pop.Content.MinSize(), s.win.Canvas().Size(); size.Width > room.Width || size.Height > room.Height {
					t.Errorf("the sheet needs %v of %v", size, room)
				}
			})
		}
	}
}
