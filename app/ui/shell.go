//go:build !nogui

package ui

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"

	"keytray/app"
	"keytray/app/view"
)

// screen is one of the window's pages. All methods are called on Fyne's
// goroutine.
type screen interface {
	title() string
	icon() fyne.Resource
	object() fyne.CanvasObject
	enter()   // it comes into view
	leave()   // it goes out of view: its work stops
	refresh() // something may have changed; only while in view
}

// shell is what is around the screens.
type shell struct {
	k       Keytray
	crew    *crew
	win     fyne.Window
	fyne    fyne.App
	log     *slog.Logger
	now     func() time.Time
	side    *sidebar
	banner  *notice
	body    *fyne.Container
	frame   *fyne.Container
	all     []screen
	at      int
	open    bool // the window is in view
	state   view.TrayState
	tests   map[view.KeyID]view.Tested
	closing func() // what closing the window does
}

// Places of screens in the sidebar.
const (
	atOverview = iota
	atKeys
	atRoutes
	atTools
	atSpend
	atRequests
	atPlayground
	atSettings
)

// newShell fills a window.
func newShell(k Keytray, c *crew, f fyne.App, w fyne.Window, log *slog.Logger) *shell {
	s := &shell{k: k, crew: c, win: w, fyne: f, log: log, now: time.Now, tests: map[view.KeyID]view.Tested{}}
	s.all = []screen{newOverview(s), newKeys(s), newRoutes(s), newTools(s), newSpend(s), newRequests(s), newPlayground(s), newSettings(s)}
	s.side = newSidebar(s.all, s.choose, s.togglePause)
	s.banner = newNotice(newPress("Got it", nil, func() { s.say("", "") }))
	s.body = container.NewStack()
	s.frame = around(container.New(&topped{}, s.banner.panel), nil, nil, nil, s.body)
	w.SetContent(container.New(least(fyne.NewSize(720, 480)), around(nil, nil, s.side.object, nil, s.frame)))
	w.SetPadded(false)
	w.Resize(fyne.NewSize(960, 640))
	for key, do := range s.shortcuts() {
		w.Canvas().AddShortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { do() })
	}
	w.Canvas().AddShortcut(&fyne.ShortcutCopy{}, func(fyne.Shortcut) { s.copyShown() })
	return s
}

// shortcuts are what keys do together with Ctrl, or Cmd on a Mac.
func (s *shell) shortcuts() map[fyne.KeyName]func() {
	m := map[fyne.KeyName]func(){fyne.KeyQ: s.fyne.Quit, fyne.KeyW: func() { call(s.closing) }}
	for i := range s.all {
		m[fyne.KeyName(rune('1'+i))] = func() { s.choose(i) }
	}
	return m
}

// choose brings a screen into view.
func (s *shell) choose(i int) {
	if s.open && s.at != i {
		s.all[s.at].leave()
	}
	s.at = i
	s.side.mark(i)
	s.body.Objects = []fyne.CanvasObject{s.all[i].object()}
	s.body.Refresh()
	if s.open {
		s.all[i].enter()
	}
}

// show brings the window into view.
func (s *shell) show() {
	if !s.open {
		s.open = true
		s.choose(s.at)
	}
	s.win.Show()
	s.win.RequestFocus()
}

// hide takes it out of view.
func (s *shell) hide() {
	if s.open {
		s.open = false
		s.all[s.at].leave()
	}
	s.win.Hide()
}

// apply takes up how Keytray stands now.
func (s *shell) apply(st view.TrayState) {
	s.state = st
	s.side.say(st)
	if s.open {
		s.all[s.at].refresh()
	}
}

// read finds out how Keytray stands. It waits, so it runs beside Fyne.
func read(ctx context.Context, k Keytray, now time.Time) view.TrayState {
	st := view.TrayState{Status: k.Status(), Choices: k.Choices(), Limits: k.Limits()}
	sums, err := k.Spend(ctx, app.SpendQuery{From: app.Day(now), Location: now.Location()})
	st.Known = err == nil
	if len(sums) > 0 {
		st.Today = sums[0]
	}
	return st
}

// togglePause is what a click on the status does.
func (s *shell) togglePause() {
	if s.state.Status.Address == "" || attends(s.state.Status) { // what is wrong stands there
		s.choose(atSettings)
		return
	}
	s.pause(!s.state.Status.Paused)
}

func (s *shell) pause(on bool) {
	s.crew.act(func(context.Context) error { s.k.SetPaused(on); return nil }, func(error) {})
}

// use turns the switch.
func (s *shell) use(to string) {
	s.crew.act(func(context.Context) error { return s.k.Use(to) }, func(err error) {
		if err != nil {
			s.tell("The switch was not turned", err)
		}
	})
}

// tell says in the window that something the user asked for did not happen, and
// what to do about it, if that is known.
func (s *shell) tell(what string, err error, remedy ...string) {
	if s.log != nil {
		s.log.Warn(what, "err", err)
	}
	text := capital(err.Error())
	for _, r := range remedy {
		if r != "" && !strings.Contains(text, r) {
			text += "\n" + r
		}
	}
	s.say(what, text)
}

// say puts a notice over all screens; an empty title takes it away.
func (s *shell) say(title, text string) {
	for range 2 { // wrapped text knows its height only after it was given a width
		s.banner.say(title, text)
		s.frame.Refresh()
	}
}

func (s *shell) copy(text string) { s.fyne.Clipboard().SetContent(text) }

// copyShown copies what the screen in view is about.
func (s *shell) copyShown() {
	if c, ok := s.all[s.at].(interface{ copied() string }); ok {
		if text := c.copied(); text != "" {
			s.copy(text)
		}
	}
}

// names are the providers' names by id.
func names(all []app.Provider) map[string]string {
	m := map[string]string{"demo": "Demo"}
	for _, p := range all {
		m[p.ID] = p.Name
	}
	return m
}
