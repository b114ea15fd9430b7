//go:build !nogui

package ui

import (
	"errors"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"keytray/app"
)

func TestSettingsWriteOnlyWhatTheUserChanged(t *testing.T) {
	k := newFake()
	k.settings.Active, k.settings.WithoutToken, k.settings.Ledger.Sync = "offline", "any", "full"
	s := opened(t, k, "light", atSettings)
	v := s.all[atSettings].(*settings)
	k.asked(t) // entering writes nothing
	if !v.offline.Checked || v.without.pick.Selected != "Everything" || v.sync.pick.Selected != "At once" {
		t.Error("the settings are not shown")
	}
	v.offline.SetChecked(false)
	v.without.pick.SetSelected("Nothing")
	v.sync.pick.SetSelected("Soon")
	v.detail.pick.SetSelected("Counts alone")
	v.prices.pick.SetSelected("Each week")
	v.responses.SetChecked(true)
	v.listen.SetText("127.0.0.1:6000")
	s.apply(s.state) // what is typed stays
	v.listen.OnSubmitted(v.listen.Text)
	k.asked(t, "use auto", "without refuse", "sync normal", "detail counts", "prices weekly", "responses true", "listen 127.0.0.1:6000")
	k.doErr = errors.New("config.yaml has a mistake: correct it first")
	v.without.pick.SetSelected("Everything")
	if !s.says("config.yaml has a mistake: correct it first") {
		t.Error("the refusal is not shown")
	}
	if v.without.pick.Selected != "Everything" {
		t.Error("the refused choice is not the old one again") // k.settings says any
	}
	v.theme.pick.SetSelected("Dark")
	if s.fyne.Preferences().String(prefTheme) != "dark" || s.fyne.Settings().Theme() != (look{"dark"}) {
		t.Error("the theme is not kept")
	}
}

// TestKeepingLessAsks: what drops calls for good is asked first, and what keeps
// more is not.
func TestKeepingLessAsks(t *testing.T) {
	k := newFake()
	k.settings.Ledger.KeepDays = 45
	s := opened(t, k, "light", atSettings)
	v := s.all[atSettings].(*settings)
	if v.keep.pick.Selected != "45 days" {
		t.Fatalf("kept for %q", v.keep.pick.Selected)
	}
	v.keep.pick.SetSelected("30 days")
	if !s.says("Drop calls older than 30 days?") {
		t.Fatal("calls would be dropped unasked")
	}
	k.asked(t)
	s.press(fyne.KeyEscape)
	if v.keep.pick.Selected != "45 days" || !s.says("Older calls leave Requests") {
		t.Errorf("after No it says %q", v.keep.pick.Selected)
	}
	v.keep.pick.SetSelected("30 days")
	test.Tap(s.button(t, "Drop them"))
	k.asked(t, "days 30")
	v.keep.pick.SetSelected("90 days")
	k.asked(t, "days 90")
}

func TestListeningBeyondThisComputerIsSaid(t *testing.T) {
	k := newFake()
	k.settings.ListenBeyondLoopback = true
	s := opened(t, k, "light", atSettings)
	if !s.says("Other machines may call this address too") || s.says("Only programs on this computer") {
		t.Error("it is not said who can call")
	}
}

func TestNewerPrices(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atSettings)
	test.Tap(s.button(t, "Look…"))
	if !s.says("anthropic/claude-sonnet-5-5") || !s.says("output over 200K") || !s.says("2 prices of models.dev differ") {
		t.Error("what differs is not shown")
	}
	k.asked(t)
	k.doErr = errors.New("write prices.json: the disk is full")
	test.Tap(s.button(t, "Use the new prices"))
	if !s.says("The prices were not changed: write prices.json: the disk is full") {
		t.Error("the failure is not shown")
	}
	k.doErr = nil
	test.Tap(s.button(t, "Use the new prices"))
	k.asked(t, "accept", "accept")
	if s.win.Canvas().Overlays().Top() != nil {
		t.Error("the sheet stays after the prices were taken")
	}
	k.offer = app.PriceOffer{Source: "models.dev", Models: 3}
	test.Tap(s.button(t, "Look…"))
	if !s.says("no price has changed") || !s.button(t, "Use the new prices").Disabled() {
		t.Error("nothing new can be taken")
	}
	k.asked(t, "accept") // so that it is known when they were looked up
	s.press(fyne.KeyEscape)
	k.offerErr = errors.New("models.dev cannot be reached")
	test.Tap(s.button(t, "Look…"))
	if !s.says("Models.dev cannot be reached") && !s.says("models.dev cannot be reached") {
		t.Error("why there is no list is not shown")
	}
	k.asked(t)
}
