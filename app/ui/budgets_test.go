//go:build !nogui

package ui

import (
	"errors"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"keytray/app"
)

func TestBudgetForm(t *testing.T) {
	k := newFake()
	k.limits[2].Unpriced = 3
	s := opened(t, k, "light", atSpend)
	for _, want := range []string{
		"$12.40 of $50.00 this month", "Used up: calls are refused", "$0.69 left", "$2.04 + 3 unpriced of $2.00 today",
		"3 calls of unknown price use nothing of it: give their models a price under their provider in config.yaml",
	} {
		if !s.says(want) {
			t.Errorf("the screen does not say %q", want)
		}
	}
	test.Tap(s.button(t, "Edit")) // of all tools
	c := s.win.Canvas()
	day, ok := c.Focused().(*field)
	if !ok || day.Text != "5" {
		t.Fatalf("the focus is on %T", c.Focused())
	}
	day.SetText("much")
	s.press(fyne.KeyReturn)
	if !s.says(`The day's limit: "much" is not an amount in US dollars`) {
		t.Error("a mistake is not told")
	}
	day.SetText("$7.50")
	k.doErr = errors.New("config.yaml has a mistake")
	s.press(fyne.KeyReturn)
	if !s.says("Not saved: config.yaml has a mistake") {
		t.Error("the refusal is not told")
	}
	k.doErr = nil
	test.Tap(s.button(t, "Save"))
	k.asked(t, "budget all 7.5  block", "budget all 7.5  block")
	if c.Overlays().Top() != nil {
		t.Error("the form stays")
	}
	test.Tap(s.button(t, "Edit"))
	test.Tap(s.button(t, "No limit"))
	k.asked(t, "budget all   ")
}

func TestAddALimitByKeyboard(t *testing.T) {
	k := newFake()
	k.budget = app.BudgetSettings{}
	s := opened(t, k, "light", atSpend)
	test.Tap(s.button(t, "Add a limit"))
	c := s.win.Canvas()
	pick, ok := c.Focused().(*picker)
	if !ok {
		t.Fatalf("the focus is on %T", c.Focused())
	}
	pick.SetSelected("Tool codex")
	c.FocusNext()
	c.FocusNext()
	c.Focused().(*field).SetText("20")
	c.FocusNext()
	c.Focused().(*picker).SetSelected("Local models")
	test.Tap(s.button(t, "Save"))
	k.asked(t, "budget tool codex  20 offline")
	test.Tap(s.button(t, "Add a limit"))
	s.press(fyne.KeyEscape)
	if c.Overlays().Top() != nil {
		t.Error("Escape on the choice leaves the form open")
	}
}

func TestOverviewShowsTheNearestLimit(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atOverview)
	if !s.says("Key anthropic/work") || !s.says("$2.04 of $2.00 today") {
		t.Error("the nearest limit is not shown")
	}
	k.limits = nil
	s.apply(s.state)
	if s.says("Key anthropic/work") {
		t.Error("a limit that is gone is shown")
	}
}

// TestWarningsAreNotifications: each once.
func TestWarningsAreNotifications(t *testing.T) {
	k := newFake()
	k.warnings = []app.Warning{{Limit: k.limits[1], Percent: 80}}
	a := test.NewTempApp(t)
	want := fyne.NewNotification("80% of a budget is used", "Tool codex: $4.31 of $5.00 today.")
	test.AssertNotificationSent(t, want, func() { notify(a, k.TakeWarnings(), noon) })
	test.AssertNotificationSent(t, nil, func() { notify(a, k.TakeWarnings(), noon) })
}
