package assets

import (
	"embed"
	"fmt"
)

//go:generate rsvg-convert -w 512 -h 512 icon.svg -o icon.png
//go:generate rsvg-convert -w 64 -h 64 tray/on.svg -o tray/on.png
//go:generate rsvg-convert -w 64 -h 64 tray/paused.svg -o tray/paused.png
//go:generate rsvg-convert -w 64 -h 64 tray/offline.svg -o tray/offline.png
//go:generate rsvg-convert -w 64 -h 64 tray/attention.svg -o tray/attention.png

//go:embed icon.svg
var iconSVG []byte

//go:embed icon.png
var iconPNG []byte

//go:embed tray/*.svg tray/*.png
var tray embed.FS

// State is what the tray's icon tells.
type State string

// The states. Their icons differ in shape, not only in colour: a key in its
// tray, a key beside pause bars, beside a cross, beside an exclamation mark.
const (
	On        State = "on"
	Paused    State = "paused"
	Offline   State = "offline"
	Attention State = "attention"
)

// States are all states.
func States() []State { return []State{On, Paused, Offline, Attention} }

// IconSVG is the app's icon, to be drawn at any size. Callers must not change
// the bytes.
func IconSVG() []byte { return iconSVG }

// IconPNG is the app's icon in 512 x 512 pixels. Callers must not change the
// bytes.
func IconPNG() []byte { return iconPNG }

// TraySVG is the tray's icon in a state; it stays legible down to 16 pixels,
// on light and on dark panels.
func TraySVG(s State) ([]byte, error) { return trayFile(s, "svg") }

// TrayPNG is the tray's icon in a state in 64 x 64 pixels, for trays that
// want a bitmap.
func TrayPNG(s State) ([]byte, error) { return trayFile(s, "png") }

func trayFile(s State, ext string) ([]byte, error) {
	b, err := tray.ReadFile("tray/" + string(s) + "." + ext)
	if err != nil {
		return nil, fmt.Errorf("there is no tray icon for the state %q: %w", s, err)
	}
	return b, nil
}
