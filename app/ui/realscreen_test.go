//go:build linux && !nogui

package ui_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The screen's size.
const screenWidth, screenHeight = 1280, 800

// picture is what the desk shows now.
func (d *desk) picture() (*image.RGBA, error) {
	cmd := exec.CommandContext(d.t.Context(), "import", "-window", "root", "-depth", "8", "rgba:-")
	cmd.Env = d.env
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("take a picture of the screen: %w", err)
	}
	img := image.NewRGBA(image.Rect(0, 0, screenWidth, screenHeight))
	if len(out) != len(img.Pix) {
		return nil, fmt.Errorf("a picture of the screen has %d bytes", len(out))
	}
	img.Pix = out
	return img, nil
}

// still waits until the desk shows something else than before (nil for
// anything) and no longer changes, keeps it as a picture, and returns it.
func (d *desk) still(name string, before *image.RGBA) *image.RGBA {
	d.t.Helper()
	var last *image.RGBA
	d.await("new and quiet picture of "+name, func() error {
		now, err := d.picture()
		if err != nil {
			return err
		}
		was := last
		last = now
		switch {
		case before != nil && bytes.Equal(now.Pix, before.Pix):
			return errors.New("the screen shows what it showed before")
		case was == nil || !bytes.Equal(now.Pix, was.Pix):
			return errors.New("the screen changes all the time")
		}
		return nil
	})
	d.keep(name, last)
	return last
}

// keep writes a picture to the folder that KEYTRAY_SCREENSHOTS names, if any.
func (d *desk) keep(name string, img image.Image) {
	d.t.Helper()
	folder := os.Getenv("KEYTRAY_SCREENSHOTS")
	if folder == "" {
		folder = d.t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		d.t.Fatal(err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "real-"+name+".png"), b.Bytes(), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// colours counts how many different ones a part of a picture has, up to 100.
func colours(img *image.RGBA, part image.Rectangle) int {
	part = part.Intersect(img.Rect)
	seen := map[[4]byte]bool{}
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X && len(seen) < 100; x++ {
			i := img.PixOffset(x, y)
			seen[[4]byte(img.Pix[i:i+4])] = true
		}
	}
	return len(seen)
}

// place is where a window's inside is on the screen.
func (d *desk) place(window string) (image.Rectangle, error) {
	out, err := d.output("xdotool", "getwindowgeometry", "--shell", window)
	if err != nil {
		return image.Rectangle{}, err
	}
	var x, y, width, height int
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "X":
			x = n
		case "Y":
			y = n
		case "WIDTH":
			width = n
		case "HEIGHT":
			height = n
		}
	}
	return image.Rect(x, y, x+width, y+height), nil
}

// changed is the part in which two pictures differ.
func changed(a, b *image.RGBA) image.Rectangle {
	var r image.Rectangle
	for i := 0; i < len(a.Pix); i += 4 {
		if [4]byte(a.Pix[i:]) != [4]byte(b.Pix[i:]) {
			x, y := i%a.Stride/4, i/a.Stride
			r = r.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return r
}
