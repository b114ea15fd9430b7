//go:build !nogui

package ui

import "testing"

// A panel may come after the window: what was said about the missing tray is
// then no longer true, and other notices are left alone.
func TestMissingTrayIsSaidWhileItIsTrue(t *testing.T) {
	s := opened(t, newFake(), "light", atOverview)
	r := &runner{k: s.k, app: s.fyne, shell: s}
	said := func() string {
		if !s.banner.panel.Visible() {
			return ""
		}
		return s.banner.title.Text
	}
	r.sayTray()
	if said() != "This desktop shows no tray" {
		t.Errorf("said %q", said())
	}
	r.hosted = true
	r.sayTray()
	if said() != "" {
		t.Errorf("still said %q", said())
	}
	r.hosted = false
	r.sayTray()
	if said() != "" {
		t.Errorf("said again: %q", said())
	}
	r.hosted = true
	s.say("The switch was not turned", "For a reason.")
	r.sayTray()
	if said() != "The switch was not turned" {
		t.Errorf("said %q", said())
	}
}

func TestNative(t *testing.T) {
	for goos, want := range map[string]string{"linux": "R&D my__route", "windows": "R&&D my_route", "darwin": "R&D my_route"} {
		if got := native(goos, "R&D my_route"); got != want {
			t.Errorf("%s: %q, want %q", goos, got, want)
		}
	}
}

func TestCapital(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "the port is taken": "The port is taken", "config.yaml, line 1: no": "config.yaml, line 1: no", "Ärger": "Ärger",
	} {
		if got := capital(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
