//go:build !nogui

package ui

import (
	"context"
	"errors"
	"os"
	"runtime"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"keytray/app"
	"keytray/assets"
)

// appID names Keytray to the desktop, and its preferences.
const appID = "app.keytray.Keytray"

// Run shows the tray and the window until the user quits, or ctx ends. It must
// be called on the main goroutine; what has to be done afterwards is the
// caller's. Its error is a display that is missing or cannot be reached.
func Run(ctx context.Context, a *app.App, o Options) error {
	if !app.HasDisplay(runtime.GOOS, os.Getenv) {
		return errors.New("there is no display to open a window on; use keytray serve")
	}
	adoptBus()
	icon := fyne.NewStaticResource("keytray.png", assets.IconPNG())
	// Without a name the tray's title is the ID.
	fyneapp.SetMetadata(fyne.AppMetadata{
		ID: appID, Name: "Keytray", Version: app.Version, Icon: icon, Migrations: map[string]bool{"fyneDo": true},
	})
	if cache, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(cache, 0o700) // a new user has none, which Fyne would complain of
	}
	f := fyneapp.NewWithID(appID)
	f.SetIcon(icon)
	r := newRunner(a, f, o)
	a.OnShow(func() { fyne.Do(r.shell.show) })
	defer a.OnShow(nil)
	return r.run(ctx)
}
