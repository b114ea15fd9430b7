// Package chart draws stacked bars with Fyne: a value axis, a label under each
// bar, a hatched cap for what is unknown, and a bar at a time read out by mouse
// or arrow keys. It knows nothing of what the bars mean.
package chart

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Bar is one stack.
type Bar struct {
	// Label stands under the bar; where bars are narrow, some are left out.
	Label string
	// Parts are the values from the bottom up, one of each series. None is
	// negative.
	Parts []float64
	// Unknown values have no height: if there are any, a hatched cap of fixed
	// height stands on the stack.
	Unknown int
	// Empty tells a bar of which nothing is known to exist from one whose values
	// are zero, which is drawn as a line on the axis.
	Empty bool
}

// Bars is a widget of stacked bars. Set its fields before it is first shown,
// and change the bars with Set. Like every widget it belongs to Fyne's
// goroutine.
type Bars struct {
	widget.BaseWidget

	// Color is a series' colour. It is asked again at every refresh, so that it
	// may follow the theme.
	Color func(series int) color.Color
	// Value writes a value beside the axis. step is how far apart the axis'
	// values are, 0 if there is one alone: all of them have as many decimals.
	Value func(v, step float64) string
	// OnRead is told which bar is read out, -1 when none is.
	OnRead func(bar int)
	// Height is the least height; 0 is 160.
	Height float32

	bars    []Bar
	key     int // chosen by keys or a click, -1 for none
	mouse   int // under the mouse, -1 for none
	focused bool
	slots   geometry
}

var (
	_ fyne.Focusable    = (*Bars)(nil)
	_ fyne.Tappable     = (*Bars)(nil)
	_ desktop.Hoverable = (*Bars)(nil)
)

// New makes a chart without bars.
func New(col func(series int) color.Color, value func(v, step float64) string) *Bars {
	b := &Bars{Color: col, Value: value, key: -1, mouse: -1}
	b.ExtendBaseWidget(b)
	return b
}

// Set shows other bars. What was read out stays read out if it still exists.
func (b *Bars) Set(bars []Bar) {
	before := b.Reading()
	b.bars = bars
	b.key, b.mouse = b.kept(b.key), b.kept(b.mouse)
	b.Refresh()
	if before >= 0 {
		b.tell(before - 1) // the same bar may have another value now
	}
}

func (b *Bars) kept(i int) int {
	if i >= len(b.bars) {
		return -1
	}
	return i
}

// Reading is the bar that is read out, -1 for none.
func (b *Bars) Reading() int {
	if b.mouse >= 0 {
		return b.mouse
	}
	return b.key
}

// MinSize leaves room for the axis and a few bars.
func (b *Bars) MinSize() fyne.Size {
	b.ExtendBaseWidget(b)
	h := b.Height
	if h == 0 {
		h = 160
	}
	return fyne.NewSize(200, h)
}

// FocusGained reads out the last bar, unless one was chosen before.
func (b *Bars) FocusGained() {
	before := b.Reading()
	b.focused = true
	if b.key < 0 {
		b.key = len(b.bars) - 1
	}
	b.changed(before)
}

// FocusLost reads out none.
func (b *Bars) FocusLost() {
	before := b.Reading()
	b.focused, b.key = false, -1
	b.changed(before)
}

// TypedRune does nothing.
func (b *Bars) TypedRune(rune) {}

// TypedKey moves from bar to bar.
func (b *Bars) TypedKey(e *fyne.KeyEvent) {
	before, last := b.Reading(), len(b.bars)-1
	if last < 0 {
		return
	}
	at := b.key
	switch e.Name {
	case fyne.KeyLeft:
		at--
	case fyne.KeyRight:
		at++
	case fyne.KeyHome, fyne.KeyPageUp:
		at = 0
	case fyne.KeyEnd, fyne.KeyPageDown:
		at = last
	default:
		return
	}
	b.mouse = -1
	b.key = min(max(at, 0), last)
	b.changed(before)
}

// Tapped takes the focus and chooses the bar at the place.
func (b *Bars) Tapped(e *fyne.PointEvent) {
	before := b.Reading()
	if c := fyne.CurrentApp().Driver().CanvasForObject(b); c != nil {
		c.Focus(b)
	}
	if i := b.slots.at(e.Position.X, len(b.bars)); i >= 0 {
		b.key = i
	}
	b.changed(before)
}

// MouseIn reads out the bar under the mouse.
func (b *Bars) MouseIn(e *desktop.MouseEvent) { b.MouseMoved(e) }

// MouseMoved reads out the bar under the mouse.
func (b *Bars) MouseMoved(e *desktop.MouseEvent) {
	before := b.Reading()
	b.mouse = b.slots.at(e.Position.X, len(b.bars))
	b.changed(before)
}

// MouseOut goes back to the bar that keys have chosen.
func (b *Bars) MouseOut() {
	before := b.Reading()
	b.mouse = -1
	b.changed(before)
}

func (b *Bars) changed(before int) {
	b.Refresh()
	b.tell(before)
}

func (b *Bars) tell(before int) {
	if now := b.Reading(); now != before && b.OnRead != nil {
		b.OnRead(now)
	}
}
