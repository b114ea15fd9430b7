//go:build !nogui

package ui

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"keytray/app/view"
)

func TestTrayMenu(t *testing.T) {
	k := newFake()
	var did []view.Item
	tr := &tray{act: func(it view.Item) { did = append(did, it) }}
	m := tr.menu(view.NewTray(read(t.Context(), k, noon)).Items)
	if m.Items[0].Action != nil || !m.Items[0].Disabled || !m.Items[3].IsSeparator {
		t.Error("the head is no plain row over a line")
	}
	if got := m.Items[2].Label; got != "Budget used up: key anthropic/work" {
		t.Errorf("of the budget that is used up it says %q", got)
	}
	last := m.Items[len(m.Items)-1]
	if !last.IsQuit || last.Action == nil {
		t.Error("Quit is not the last row, or Fyne would add its own")
	}
	var sub *fyne.Menu
	for _, it := range m.Items {
		if it.ChildMenu != nil && sub == nil {
			sub = it.ChildMenu
		}
	}
	if !sub.Items[0].Checked || sub.Items[2].Checked {
		t.Error("the check mark is not at Automatic")
	}
	sub.Items[2].Action()
	if len(did) != 1 || did[0].Act != view.ActUse || did[0].Arg != "anthropic" {
		t.Errorf("a row of the switch does %+v", did)
	}
}

func TestTrayActions(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atOverview)
	r := &runner{k: k, app: s.fyne, shell: s}
	for _, it := range []view.Item{
		{Act: view.ActUse, Arg: "openai"}, {Act: view.ActPause}, {Act: view.ActResume}, {Act: view.ActCopy, Arg: "http://x"}, {Act: view.ActNone},
	} {
		r.act(it)
	}
	k.asked(t, "use openai", "pause on", "pause off")
	if got := s.fyne.Clipboard().Content(); got != "http://x" {
		t.Errorf("copied %q", got)
	}
	s.hide()
	r.act(view.Item{Act: view.ActSpend})
	if !s.open || s.at != atSpend {
		t.Error("today's cost does not open Spend")
	}
}

// TestNoTray: where no tray is shown it is said once, and closing quits; where
// one is shown closing hides.
func TestNoTray(t *testing.T) {
	a := test.NewTempApp(t)
	s := opened(t, newFake(), "light", atOverview)
	s.fyne = a
	r := &runner{app: a, shell: s}
	r.sayTray()
	if !s.banner.panel.Visible() || s.side.note.Text == "" {
		t.Error("it is not said that there is no tray")
	}
	s.say("", "")
	r.sayTray()
	if s.banner.panel.Visible() {
		t.Error("it is said twice")
	}
	r.hosted = true
	r.sayTray()
	if s.side.note.Visible() {
		t.Error("closing is said to quit where there is a tray")
	}
	r.close()
	if s.open {
		t.Error("closing does not hide the window")
	}
}

// TestFollow: a change comes to the window, and the goroutine ends with its
// context.
func TestFollow(t *testing.T) {
	a := test.NewTempApp(t)
	k := newFake()
	ctx, stop := context.WithCancel(t.Context())
	c := &crew{ctx: ctx}
	a.Settings().SetTheme(look{})
	w := a.NewWindow("")
	s := newShell(k, c, a, w, nil)
	r := &runner{k: k, app: a, shell: s, crew: c, stop: stop}
	done := make(chan struct{})
	go func() { r.follow(ctx); close(done) }()
	k.changed <- struct{}{}
	k.changed <- struct{}{} // taken once the first was
	stop()
	<-done
	c.wait.Wait()
	if s.side.port.Text != "port 5397" {
		t.Errorf("the sidebar says %q", s.side.port.Text)
	}
}
