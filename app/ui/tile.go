//go:build !nogui

package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// tile is a content that can be pressed, by mouse, Enter or the space bar.
type tile struct {
	widget.BaseWidget
	content fyne.CanvasObject
	tapped  func()
	ground  fyne.ThemeColorName // "" for none
	chosen  bool
	focused bool
	hovered bool
}

var (
	_ fyne.Focusable    = (*tile)(nil)
	_ fyne.Tappable     = (*tile)(nil)
	_ desktop.Hoverable = (*tile)(nil)
)

func newTile(content fyne.CanvasObject, tapped func()) *tile {
	t := &tile{content: content, tapped: tapped}
	t.ExtendBaseWidget(t)
	return t
}

func (t *tile) choose(yes bool) {
	if t.chosen != yes {
		t.chosen = yes
		t.Refresh()
	}
}

// Tapped presses the tile.
func (t *tile) Tapped(*fyne.PointEvent) { call(t.tapped) }

// FocusGained shows that keys go to the tile.
func (t *tile) FocusGained() { t.focused = true; t.Refresh() }

// FocusLost shows that they do not.
func (t *tile) FocusLost() { t.focused = false; t.Refresh() }

// TypedRune does nothing.
func (t *tile) TypedRune(rune) {}

// TypedKey presses the tile.
func (t *tile) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace:
		call(t.tapped)
	}
}

// MouseIn lights the tile.
func (t *tile) MouseIn(*desktop.MouseEvent) { t.hovered = true; t.Refresh() }

// MouseMoved does nothing.
func (t *tile) MouseMoved(*desktop.MouseEvent) {}

// MouseOut dims it again.
func (t *tile) MouseOut() { t.hovered = false; t.Refresh() }

// CreateRenderer draws the ground, the light and the content.
func (t *tile) CreateRenderer() fyne.WidgetRenderer {
	r := &tileRenderer{t: t, ground: canvas.NewRectangle(color.Transparent), light: canvas.NewRectangle(color.Transparent)}
	r.objects = []fyne.CanvasObject{r.ground, r.light, t.content}
	r.paint()
	return r
}

type tileRenderer struct {
	t             *tile
	ground, light *canvas.Rectangle
	objects       []fyne.CanvasObject
}

func (r *tileRenderer) Destroy()                     {}
func (r *tileRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *tileRenderer) MinSize() fyne.Size           { return r.t.content.MinSize() }

func (r *tileRenderer) Layout(size fyne.Size) {
	for _, o := range r.objects {
		o.Resize(size)
	}
}

func (r *tileRenderer) Refresh() {
	r.paint()
	r.ground.Refresh()
	r.light.Refresh()
	r.t.content.Refresh()
}

func (r *tileRenderer) paint() {
	th, v := r.t.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.ground.CornerRadius, r.light.CornerRadius = 6, 6
	r.ground.FillColor, r.ground.StrokeWidth = color.Transparent, 0
	switch {
	case r.t.chosen:
		r.ground.FillColor = th.Color(theme.ColorNameSelection, v)
	case r.t.ground != "":
		r.ground.FillColor = th.Color(r.t.ground, v)
		r.ground.StrokeColor, r.ground.StrokeWidth = th.Color(theme.ColorNameSeparator, v), 1
	}
	r.light.FillColor, r.light.StrokeWidth = color.Transparent, 0
	if r.t.hovered {
		r.light.FillColor = th.Color(theme.ColorNameHover, v)
	}
	if r.t.focused {
		r.light.StrokeColor, r.light.StrokeWidth = th.Color(theme.ColorNamePrimary, v), 2
	}
}
