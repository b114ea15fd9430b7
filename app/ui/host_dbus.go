//go:build !nogui && (linux || freebsd || openbsd || netbsd)

package ui

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

// watcher is who keeps trays, as the StatusNotifierItem specification names it.
const watcher = "org.kde.StatusNotifierWatcher"

// host is what shows trays on this desktop.
type host struct {
	possible bool // there is a session bus: without one a tray makes Quit panic
	present  bool // somebody shows trays
	conn     *dbus.Conn
}

// findHost asks the session bus; it waits two seconds at most.
func findHost(ctx context.Context) *host {
	address := busAddress(os.Getenv)
	if address == "" {
		return &host{}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	got := make(chan *dbus.Conn, 1)
	go func() {
		// The library has no limit for the handshake: one that comes too late is closed.
		conn, err := dbus.Connect(address)
		if err != nil {
			close(got)
			return
		}
		got <- conn
		if ctx.Err() == context.DeadlineExceeded {
			_ = conn.Close()
		}
	}()
	select {
	case conn, ok := <-got:
		if !ok {
			return &host{}
		}
		h := &host{possible: true, conn: conn}
		h.present = h.ask(ctx)
		return h
	case <-ctx.Done():
		return &host{}
	}
}

// noBus is the address of no bus.
const noBus = "disabled:"

// busAddress is where the session bus is, "" for nowhere. Unlike the library's
// own search it starts none.
func busAddress(getenv func(string) string) string {
	switch a := getenv("DBUS_SESSION_BUS_ADDRESS"); a {
	case noBus:
		return ""
	case "", "autolaunch:":
	default:
		return a
	}
	for _, dir := range []string{getenv("XDG_RUNTIME_DIR"), fmt.Sprintf("/run/user/%d", os.Getuid())} {
		path := filepath.Join(dir, "bus")
		if st, err := os.Stat(path); filepath.IsAbs(path) && err == nil && st.Mode()&os.ModeSocket != 0 {
			return "unix:path=" + dbus.EscapeBusAddressValue(path)
		}
	}
	return ""
}

// adoptBus makes all of the process use that bus or none: Fyne looks for a bus
// too, and would start one that outlives Keytray.
func adoptBus() {
	address := busAddress(os.Getenv)
	if address == "" {
		address = noBus
	}
	_ = os.Setenv("DBUS_SESSION_BUS_ADDRESS", address) // fails for malformed names alone
}

// ask tells whether somebody shows trays now.
func (h *host) ask(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var owned bool
	if h.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcher).Store(&owned) != nil || !owned {
		return false
	}
	var v dbus.Variant
	call := h.conn.Object(watcher, "/StatusNotifierWatcher").CallWithContext(ctx,
		"org.freedesktop.DBus.Properties.Get", 0, watcher, "IsStatusNotifierHostRegistered")
	if call.Store(&v) != nil {
		return true // a watcher that does not say is believed to have a host
	}
	shown, ok := v.Value().(bool)
	return shown || !ok
}

// follow tells when trays begin or cease to be shown, until ctx ends: a panel
// may start after Keytray, or again.
func (h *host) follow(ctx context.Context, tell func(present bool)) {
	if h.conn == nil {
		return
	}
	owner := []dbus.MatchOption{
		dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcher),
	}
	hosts := []dbus.MatchOption{dbus.WithMatchInterface(watcher)}
	if h.conn.AddMatchSignalContext(ctx, owner...) != nil || h.conn.AddMatchSignalContext(ctx, hosts...) != nil {
		return
	}
	signals := make(chan *dbus.Signal, 8)
	h.conn.Signal(signals)
	defer h.conn.RemoveSignal(signals)
	for {
		select {
		case s := <-signals:
			if s == nil {
				return // the bus is gone
			}
			if now := h.ask(ctx); now != h.present && ctx.Err() == nil {
				h.present = now
				tell(now)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (h *host) close() {
	if h.conn != nil {
		_ = h.conn.Close()
	}
}
