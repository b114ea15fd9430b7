//go:build !nogui

package ui

import (
	"errors"
	"strings"
)

// errUnreachable is about a display that the environment names and that is not
// there, or does not let this user in.
var errUnreachable = errors.New("the display that DISPLAY or WAYLAND_DISPLAY names cannot be reached, so no window can be opened; use `keytray serve` to answer without one")

// reach runs the window and the tray. On such a display Fyne logs why it cannot
// begin, and then panics in GLFW; any other panic is not for this.
func reach(run func()) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if e, ok := p.(error); !ok || !strings.Contains(e.Error(), "GLFW library is not initialized") {
			panic(p)
		}
		err = errUnreachable
	}()
	run()
	return nil
}
