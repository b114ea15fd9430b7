//go:build linux && !nogui

package ui_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"keytray/assets"
)

// TestRealTray runs the real program on real desktops without a screen: with a
// panel that shows its tray, without one, without a session bus, and without a
// display. With KEYTRAY_SCREENSHOTS it leaves pictures there.
func TestRealTray(t *testing.T) {
	need(t, "Xvfb", "xfwm4", "xdotool", "import", "xprop", "dbus-daemon", "xfce4-panel")
	bin := built(t)
	t.Run("a desktop with a tray", func(t *testing.T) { testPanel(t, bin) })
	t.Run("no tray host", func(t *testing.T) { testNoHost(t, bin) })
	t.Run("no session bus", func(t *testing.T) { testNoBus(t, bin) })
	t.Run("a signal at the start", func(t *testing.T) { testEarlySignal(t, bin) })
	t.Run("no display", func(t *testing.T) { testNoDisplay(t, bin) })
	t.Run("a display that leads nowhere", func(t *testing.T) { testDeadDisplay(t, bin) })
}

// testPanel goes through a user's day.
func testPanel(t *testing.T, bin string) {
	d := newDesk(t)
	d.startPanel()
	openai, anthropic := provider(), provider()
	p := d.open(bin, openai, anthropic)
	p.shown("first-start")
	tray := d.trayOf(p)
	d.await("icon that says on", func() error { return tray.is(assets.On) })
	if head := tray.row("Keytray: "); head.label != "Keytray: on · "+p.address() || head.enabled {
		t.Errorf("the menu begins with %+v", head)
	}
	if title, err := tray.property("Title"); err != nil || !strings.HasPrefix(fmt.Sprint(title.Value()), "Keytray") {
		t.Errorf("the title is %v, %v", title, err)
	}

	// Closing the window keeps Keytray, and a second start shows it again.
	p.key("alt+F4")
	p.hidden()
	if tray.row("Open Keytray"); !p.running() {
		t.Fatal("closing the window ended Keytray")
	}
	if out, stderr, code := p.command(); code != 0 || out != "" || !strings.Contains(stderr, "running already") {
		t.Errorf("a second start: %d %q %q", code, out, stderr)
	}
	p.shown("shown-again")

	// The switch.
	wantChecked(tray, "Automatic")
	if got := p.chat("openai/gpt-4.1"); got.status != http.StatusOK || got.target != "openai/gpt-4.1" || len(openai.Requests()) != 1 {
		t.Errorf("automatic: %+v", got)
	}
	if last := openai.Last(); last == nil || last.Key != "sk-test-key-of-openai" {
		t.Errorf("the key sent is not the one of the environment")
	}
	tray.row("Today $0.03") // 10,000 at $2 and 1,250 at $8 a million
	use(tray, "Anthropic")
	if got := p.chat("openai/gpt-4.1"); got.status != http.StatusOK || !strings.HasPrefix(got.target, "anthropic/") ||
		len(openai.Requests()) != 1 || len(anthropic.Requests()) != 1 {
		t.Errorf("switched to Anthropic: %+v", got)
	}
	d.await("higher cost of today", func() error {
		items, err := tray.menu()
		if err != nil {
			return err
		}
		if it, ok := find(items, "Today $0.0"); !ok || strings.HasPrefix(it.label, "Today $0.03") {
			return errors.New(drawn(items, ""))
		}
		return nil
	})
	use(tray, "my_quick_one")
	if got := p.chat("anything"); got.target != "openai/gpt-4.1-mini" {
		t.Errorf("switched to a route: %+v", got)
	}
	use(tray, "Automatic")

	// Pause and offline.
	is := func(s assets.State) func() error { return func() error { return tray.is(s) } }
	tray.choose("icon that says paused", is(assets.Paused), "Pause")
	if got := p.chat("openai/gpt-4.1"); got.status != http.StatusServiceUnavailable || len(openai.Requests()) != 2 {
		t.Errorf("paused: %+v", got)
	}
	d.still("paused", nil)
	tray.choose("icon that says on again", is(assets.On), "Resume")
	tray.choose("icon that says offline", is(assets.Offline), "Answering: ", "Offline")
	wantChecked(tray, "Offline")
	d.still("offline", nil)
	use(tray, "Automatic")
	d.await("icon that says on", is(assets.On))
	if got := p.chat("openai/gpt-4.1"); got.status != http.StatusOK {
		t.Errorf("resumed: %+v", got)
	}
	for _, it := range tray.row("Copy base URL").children {
		if !strings.HasSuffix(it.label, "http://"+p.address()) && !strings.HasSuffix(it.label, "http://"+p.address()+"/v1") {
			t.Errorf("copies %q", it.label)
		}
	}

	// Each screen, by its key.
	before := d.still("screen-overview", nil)
	for i, name := range []string{"overview", "keys", "routes", "tools", "spend", "requests", "playground", "settings"} {
		if i == 0 {
			continue // it is in view
		}
		p.key(fmt.Sprintf("ctrl+%d", i+1))
		before = d.still("screen-"+name, before)
	}
	p.key("ctrl+1")
	d.still("screen-overview-again", before)

	// The menu that a person sees, and turns the switch in: the row that says
	// how Keytray stands cannot be chosen, so "Answering" is the second.
	d.x("mousemove", "16", "16")
	before = d.still("tray-hover", nil)
	d.x("click", "3")
	menu := d.still("tray-menu", before)
	if part := changed(before, menu); part.Dx() < 100 || part.Dy() < 150 {
		t.Errorf("the tray's menu is %v", part)
	}
	d.x("key", "Down", "Down", "Right")
	submenu := d.still("tray-submenu", menu)
	if part := changed(menu, submenu); part.Dx() < 200 || part.Dy() < 100 {
		t.Errorf("the switch in the tray's menu is %v", part)
	}
	d.x("key", "Down", "Return")
	wantChecked(tray, "Anthropic")
	use(tray, "Automatic")

	// From the tray to the window.
	p.key("alt+F4")
	p.hidden()
	tray.choose("window by its row in the menu", p.visible, "Open Keytray")
	p.key("alt+F4")
	p.hidden()
	tray.choose("window by today's cost", p.visible, "Today ")
	p.shown("spend-from-tray")

	// Quit.
	tray.choose("end by Quit", func() error {
		if p.running() {
			return errors.New("it runs")
		}
		return nil
	}, "Quit")
	p.wantClean()
	rows := p.rows()
	if len(rows) != 4 {
		t.Errorf("%d rows: %+v", len(rows), rows)
	}
	for _, r := range rows {
		if r.Status != "ok" || r.CostKind != "exact" || r.Cost == "" {
			t.Errorf("row %+v", r)
		}
	}
}

// use turns the switch and waits for its check mark.
func use(tray *tray, to string) {
	tray.d.t.Helper()
	tray.choose("check mark at "+to, func() error { return checked(tray, to) }, "Answering: ", to)
}

func wantChecked(tray *tray, to string) {
	tray.d.t.Helper()
	tray.d.await("check mark at "+to, func() error { return checked(tray, to) })
}

// checked tells whether a row of the switch, and no other, has the check mark,
// and the switch's title says so.
func checked(tray *tray, to string) error {
	items, err := tray.menu()
	if err != nil {
		return err
	}
	is, ok := find(items, "Answering: "+to)
	n := 0
	for _, it := range is.children {
		if it.checked {
			n++
		}
	}
	if it, found := find(is.children, to); !ok || !found || !it.checked || n != 1 {
		return errors.New("the menu is\n" + drawn(items, ""))
	}
	return nil
}

// testNoHost: a session bus, but nobody who shows trays.
func testNoHost(t *testing.T, bin string) {
	d := newDesk(t)
	p := d.open(bin, provider(), provider())
	p.shown("no-host")
	if got := p.chat("openai/gpt-4.1"); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	d.trayOf(p) // it is there for a panel that comes later

	// A panel that comes later: closing the window now keeps Keytray.
	d.startPanel()
	p.shown("late-host")
	p.key("alt+F4")
	p.hidden()
	if _, _, code := p.command(); code != 0 {
		t.Errorf("a second start exits with %d", code)
	}
	before := p.shown("late-host-shown")
	// And one that goes: closing quits again.
	if err := d.panel.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.panel.exit(t)
	d.still("host-gone", before)
	p.key("alt+F4")
	p.wantClean()
}

// testNoBus: a display and nothing else. No bus is started, for it would
// outlive Keytray.
func testNoBus(t *testing.T, bin string) {
	d := newDesk(t)
	launched := filepath.Join(d.home, "launched")
	d.write(filepath.Join(d.folder("bin"), "dbus-launch"), "#!/bin/sh\necho >"+launched+"\nexit 1\n")
	if err := os.Chmod(filepath.Join(d.home, "bin", "dbus-launch"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "PATH="+filepath.Join(d.home, "bin")+":"+os.Getenv("PATH"))
	p := d.open(bin, provider(), provider(), "DBUS_SESSION_BUS_ADDRESS")
	p.shown("no-bus")
	if got := p.chat("openai/gpt-4.1"); got.status != http.StatusOK {
		t.Errorf("%+v", got)
	}
	p.signal(syscall.SIGTERM)
	p.wantClean()
	if _, err := os.Stat(launched); err == nil {
		t.Error("it started a bus of its own")
	}
	if rows := p.rows(); len(rows) != 1 || rows[0].Status != "ok" {
		t.Errorf("%+v", rows)
	}
}

// testEarlySignal: asked to end before the window is there.
func testEarlySignal(t *testing.T, bin string) {
	d := newDesk(t)
	p := d.open(bin, provider(), provider())
	p.address()
	p.signal(syscall.SIGTERM)
	p.wantClean()
}

// testNoDisplay: only an error that says what to do.
func testNoDisplay(t *testing.T, bin string) {
	home := t.TempDir()
	c := start(t, []string{"HOME=" + home, "KEYTRAY_HOME=" + home, "XDG_RUNTIME_DIR=" + home}, nil, bin)
	if code := c.exit(t); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if said := c.said(); !strings.Contains(said, "no display") || !strings.Contains(said, "keytray serve") || strings.Contains(said, "goroutine") {
		t.Errorf("it said %q", said)
	}
}

// testDeadDisplay: the environment names a display that is gone, as a shell
// that outlives its session has it. The user is a new one, without a cache.
func testDeadDisplay(t *testing.T, bin string) {
	d := newDesk(t)
	for _, bus := range []string{"DBUS_SESSION_BUS_ADDRESS=" + d.address, "NO_BUS="} {
		home := t.TempDir()
		c := start(t, []string{"HOME=" + home, "KEYTRAY_HOME=" + home, "XDG_RUNTIME_DIR=" + home, "DISPLAY=:59999", bus}, nil, bin)
		if code := c.exit(t); code != 1 {
			t.Errorf("exit code %d", code)
		}
		said := c.said()
		if !strings.Contains(said, "cannot be reached") || !strings.Contains(said, "keytray serve") {
			t.Errorf("it said %q", said)
		}
		for _, bad := range []string{"goroutine", "cache space"} {
			if strings.Contains(said, bad) {
				t.Errorf("it said %q:\n%s", bad, said)
			}
		}
		if _, err := os.Stat(filepath.Join(home, "running.json")); err == nil {
			t.Error("running.json is left behind")
		}
	}
}
