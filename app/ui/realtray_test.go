//go:build linux && !nogui

package ui_test

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"keytray/assets"
)

// tray is Keytray's tray as a panel sees it: over the session bus.
type tray struct {
	d    *desk
	p    *program
	name string
}

// trayOf waits for the program's tray.
func (d *desk) trayOf(p *program) *tray {
	d.t.Helper()
	t := &tray{d, p, fmt.Sprintf("org.kde.StatusNotifierItem-%d-1", p.cmd.Process.Pid)}
	d.await("tray with a menu", func() error {
		if !p.running() {
			d.t.Fatalf("keytray has ended: %s", p.said())
		}
		items, err := t.menu()
		if err == nil && len(items) == 0 {
			err = errors.New("the menu is empty")
		}
		return err
	})
	return t
}

func (t *tray) property(name string) (dbus.Variant, error) {
	var v dbus.Variant
	err := t.d.bus.Object(t.name, "/StatusNotifierItem").Call(
		"org.freedesktop.DBus.Properties.Get", 0, "org.kde.StatusNotifierItem", name).Store(&v)
	return v, err
}

// item is a row of the menu.
type item struct {
	id       int32
	label    string // "" is a line
	enabled  bool
	checked  bool
	children []item
}

// menu reads the whole menu.
func (t *tray) menu() ([]item, error) {
	at, err := t.object()
	if err != nil {
		return nil, err
	}
	var revision uint32
	var root []any
	call := t.d.bus.Object(t.name, at).Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{})
	if call.Err != nil {
		return nil, call.Err
	}
	if len(call.Body) == 2 {
		revision, _ = call.Body[0].(uint32)
		root, _ = call.Body[1].([]any)
	}
	it, ok := itemOf(root)
	if !ok {
		return nil, fmt.Errorf("layout %d is no menu: %v", revision, call.Body)
	}
	return it.children, nil
}

func (t *tray) object() (dbus.ObjectPath, error) {
	v, err := t.property("Menu")
	if err != nil {
		return "", err
	}
	at, ok := v.Value().(dbus.ObjectPath)
	if !ok {
		return "", fmt.Errorf("Menu is %v", v)
	}
	return at, nil
}

// itemOf reads a (ia{sv}av).
func itemOf(v any) (item, bool) {
	parts, ok := v.([]any)
	if !ok || len(parts) != 3 {
		return item{}, false
	}
	id, ok1 := parts[0].(int32)
	properties, ok2 := parts[1].(map[string]dbus.Variant)
	children, ok3 := parts[2].([]dbus.Variant)
	if !ok1 || !ok2 || !ok3 {
		return item{}, false
	}
	it := item{id: id, enabled: true}
	label, _ := properties["label"].Value().(string)
	it.label = shownLabel(label)
	if enabled, said := properties["enabled"].Value().(bool); said {
		it.enabled = enabled
	}
	if state, said := properties["toggle-state"].Value().(int32); said {
		it.checked = state == 1
	}
	for _, c := range children {
		child, ok := itemOf(c.Value())
		if !ok {
			return item{}, false
		}
		it.children = append(it.children, child)
	}
	return it, true
}

// shownLabel is what a panel makes of a label: an underline marks an access
// key, and two are one.
func shownLabel(label string) string {
	return strings.NewReplacer("__", "_", "_", "").Replace(label)
}

// find looks for the row whose labels begin like the path's.
func find(items []item, path ...string) (item, bool) {
	for _, it := range items {
		if strings.HasPrefix(it.label, path[0]) {
			if len(path) == 1 {
				return it, true
			}
			return find(it.children, path[1:]...)
		}
	}
	return item{}, false
}

// row waits for a row of the menu.
func (t *tray) row(path ...string) item {
	t.d.t.Helper()
	var it item
	t.d.await("row "+strings.Join(path, " > "), func() error {
		items, err := t.menu()
		if err != nil {
			return err
		}
		var ok bool
		if it, ok = find(items, path...); !ok {
			return errors.New("the menu is\n" + drawn(items, ""))
		}
		return nil
	})
	return it
}

// choose clicks a row until it had its effect. The rows' ids change whenever
// the menu is made anew, so a click may miss.
func (t *tray) choose(what string, done func() error, path ...string) {
	t.d.t.Helper()
	var clicked time.Time
	t.d.await(what, func() error {
		err := done()
		if err == nil || !clicked.IsZero() && time.Since(clicked) < 3*time.Second {
			return err
		}
		items, failed := t.menu()
		if failed != nil {
			return errors.Join(err, failed)
		}
		it, ok := find(items, path...)
		if !ok || !it.enabled || it.label == "" {
			return fmt.Errorf("%w; no row %v to click in\n%s", err, path, drawn(items, ""))
		}
		at, failed := t.object()
		if failed != nil {
			return errors.Join(err, failed)
		}
		clicked = time.Now()
		call := t.d.bus.Object(t.name, at).Call("com.canonical.dbusmenu.Event", 0, it.id, "clicked", dbus.MakeVariant(""), uint32(clicked.Unix()))
		return errors.Join(err, call.Err)
	})
}

// is tells whether the tray's icon is that of a state.
func (t *tray) is(s assets.State) error {
	v, err := t.property("IconPixmap")
	if err != nil {
		return err
	}
	var got []struct {
		W, H int32
		Pix  []byte
	}
	if err := dbus.Store([]any{v.Value()}, &got); err != nil {
		return err
	}
	if len(got) != 1 {
		return fmt.Errorf("%d icons", len(got))
	}
	var known []string
	for _, each := range assets.States() {
		if bytes.Equal(got[0].Pix, pixels(t.d.t, each)) {
			known = append(known, string(each))
		}
	}
	if !slices.Equal(known, []string{string(s)}) {
		return fmt.Errorf("the icon is that of %v", known)
	}
	return nil
}

// pixels are an icon as trays get it: alpha, red, green, blue.
func pixels(t *testing.T, s assets.State) []byte {
	t.Helper()
	file, err := assets.TrayPNG(s)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, a := img.At(x, y).RGBA()
			out = append(out, byte(a), byte(r), byte(g), byte(b))
		}
	}
	return out
}

// drawn writes a menu as text.
func drawn(items []item, indent string) string {
	var b strings.Builder
	for _, it := range items {
		mark := "  "
		if it.checked {
			mark = "✓ "
		}
		fmt.Fprintf(&b, "%s%s%s\n%s", indent, mark, it.label, drawn(it.children, indent+"  "))
	}
	return b.String()
}
