// Package ui is Keytray's window and tray, drawn with Fyne.
//
// Run opens them for an [app.App] and returns when the user quits. Each screen
// is a file that draws a value of package view; what it needs from Keytray is
// the interface Keytray in source.go, so tests draw screens without one. All
// drawing happens on Fyne's goroutine, and nothing there waits for the
// keychain, the disk or the network: see crew.go.
//
// driver.go is the only file that needs a display's libraries. A build with
// -tags nogui has none of this package but Run's refusal.
package ui

import "log/slog"

// Options say how to open the window.
type Options struct {
	// Hidden starts in the tray alone, where there is one.
	Hidden bool
	// Log gets what goes wrong; nil is nowhere.
	Log *slog.Logger
}
