//go:build !nogui

package ui

import (
	"runtime"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/systray"

	"keytray/app"
	"keytray/app/view"
	"keytray/assets"
)

// tray draws a view.Tray on the desktop's panel.
type tray struct {
	desk  desktop.App
	act   func(view.Item)
	icon  app.State
	title string
	tip   string
}

func newTray(d desktop.App, act func(view.Item)) *tray { return &tray{desk: d, act: act} }

// draw shows the tray. A menu cannot be changed in part, so all of it is made
// anew: it is called only where something differs.
func (t *tray) draw(v view.Tray) {
	t.desk.SetSystemTrayMenu(t.menu(v.Items))
	if v.Icon != t.icon {
		if png, err := assets.TrayPNG(assets.State(v.Icon)); err == nil {
			t.desk.SetSystemTrayIcon(fyne.NewStaticResource("tray-"+string(v.Icon)+".png", png))
			t.icon = v.Icon
		}
	}
	title := v.Title
	if runtime.GOOS != "darwin" { // there it stands beside the icon; elsewhere it is a name
		title = "Keytray"
		if v.Title != "" {
			title = "Keytray · today " + v.Title
		}
	}
	if title != t.title {
		t.title = title
		systray.SetTitle(title)
	}
	if v.Tooltip != t.tip {
		t.tip = v.Tooltip
		systray.SetTooltip(v.Tooltip)
	}
}

// native writes a label as a system's menus take it: some read one character
// as the mark of an access key, and show it only if it is doubled.
func native(goos, label string) string {
	switch goos {
	case "darwin":
		return label
	case "windows":
		return strings.ReplaceAll(label, "&", "&&")
	default:
		return strings.ReplaceAll(label, "_", "__")
	}
}

func (t *tray) menu(items []view.Item) *fyne.Menu {
	m := fyne.NewMenu("Keytray")
	for _, it := range items {
		if it.Label == "" {
			m.Items = append(m.Items, fyne.NewMenuItemSeparator())
			continue
		}
		row := fyne.NewMenuItem(native(runtime.GOOS, it.Label), nil)
		if it.Act != view.ActNone {
			row.Action = func() { t.act(it) }
		}
		row.Checked, row.Disabled = it.Checked, it.Disabled
		row.IsQuit = it.Act == view.ActQuit
		if len(it.Items) > 0 {
			row.ChildMenu = t.menu(it.Items)
		}
		m.Items = append(m.Items, row)
	}
	return m
}
