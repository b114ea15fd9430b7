//go:build !nogui

package ui

import (
	"context"
	"testing"

	"fyne.io/fyne/v2/test"

	"keytray/app"
	"keytray/app/view"
)

// TestKnownKeysAreShownAtOnce: a keychain that does not answer hides no key that
// is known without it.
func TestKnownKeysAreShownAtOnce(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atOverview)
	gate := make(chan struct{})
	defer close(gate)
	s.k = stuck{k, gate}
	s.crew.inline = false
	s.choose(atKeys)
	if !s.says("••••b21e") || !s.says("Asking the keychain for more keys…") {
		t.Error("the keys that are known are not shown")
	}
	if s.says("Today $") {
		t.Error("a cost that is not known is shown")
	}
	s.all[atKeys].leave()
}

func TestRestsAreShown(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atKeys)
	if !s.says("Rests until 12:02:00 for claude-sonnet-5-5: the provider asked for fewer calls") || !s.says(view.RestMeans) {
		t.Error("it is not said which key rests and what that is")
	}
	k.rests = nil
	s.all[atKeys].refresh()
	if s.says("Rests") || s.says(view.RestMeans) {
		t.Error("a rest that is over is still shown")
	}
}

// TestStepsLeadOn: the button is for the first thing that is still to do.
func TestStepsLeadOn(t *testing.T) {
	k := bare()
	s := opened(t, k, "light", atOverview)
	lead := func(text string, at int) {
		t.Helper()
		s.choose(atOverview)
		test.Tap(s.button(t, text))
		if s.at != at {
			t.Errorf("%s leads to screen %d", text, s.at)
		}
	}
	lead("Add a key", atKeys)
	if s.win.Canvas().Overlays().Top() == nil {
		t.Error("nothing asks for the key")
	}
	s.press("Escape")
	k.keys = []app.Key{{Provider: "openai", Label: "work", InUse: true}}
	lead("Open Keys", atKeys)
	s.keepTest(k.keys[0], app.KeyTest{OK: true}, nil)
	lead("Open Tools", atTools)
}

// TestOverviewWithoutALedger says what is wrong, and shows no figure that is not
// known.
func TestOverviewWithoutALedger(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atOverview)
	rows, err := k.rows, context.DeadlineExceeded
	k.rows, k.bookErr = nil, err
	s.all[atOverview].refresh()
	if s.says("$1.66") || s.says("No calls yet") || !s.says("The ledger cannot be read") {
		t.Error("figures that are not known are shown")
	}
	k.rows, k.bookErr = rows, nil
	s.all[atOverview].refresh()
	if !s.says("$1.66") || s.says("The ledger cannot be read") {
		t.Error("the figures do not come back")
	}
}
