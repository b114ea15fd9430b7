package chart

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
)

const (
	capHeight = 10 // of the hatched part
	round     = 3
	edge      = 4 // left free for the frame of the focus
	gap       = 6 // between the axis and its labels
)

// CreateRenderer draws the bars.
func (b *Bars) CreateRenderer() fyne.WidgetRenderer {
	b.ExtendBaseWidget(b)
	r := &renderer{bars: b}
	r.draw(b.Size())
	return r
}

type renderer struct {
	bars    *Bars
	objects []fyne.CanvasObject
	size    fyne.Size
}

func (r *renderer) Destroy()                     {}
func (r *renderer) MinSize() fyne.Size           { return r.bars.MinSize() }
func (r *renderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *renderer) Layout(size fyne.Size)        { r.draw(size) }

func (r *renderer) Refresh() {
	r.draw(r.bars.Size())
	canvas.Refresh(r.bars)
}

// draw makes all objects anew: there are few, and they change together.
func (r *renderer) draw(size fyne.Size) {
	r.size, r.objects = size, r.objects[:0:0]
	b := r.bars
	th := b.Theme()
	v := fyne.CurrentApp().Settings().ThemeVariant()
	ink := func(n fyne.ThemeColorName) color.Color { return th.Color(n, v) }
	caption := th.Size(theme.SizeNameCaptionText)

	top := 0.0
	for _, bar := range b.bars {
		top = max(top, sum(bar.Parts))
	}
	marks := ticks(top)
	step := 0.0
	if len(marks) > 1 {
		step = marks[1]
	}
	line := fyne.MeasureText("0", caption, fyne.TextStyle{}).Height
	floor := size.Height - line - 4
	ceiling := line/2 + capHeight + 2
	var axis float32
	for _, m := range marks {
		axis = max(axis, fyne.MeasureText(b.Value(m, step), caption, fyne.TextStyle{}).Width)
	}
	b.slots = place(edge+axis+gap, size.Width-edge, len(b.bars))
	y := func(value float64) float32 {
		return floor - float32(value/marks[len(marks)-1])*(floor-ceiling)
	}
	if len(marks) == 1 {
		y = func(float64) float32 { return floor }
	}
	for _, m := range marks {
		rule := canvas.NewRectangle(ink(theme.ColorNameSeparator))
		r.put(rule, b.slots.left, y(m), b.slots.right-b.slots.left, 1)
		t := canvas.NewText(b.Value(m, step), ink(theme.ColorNamePlaceHolder))
		t.TextSize, t.Alignment = caption, fyne.TextAlignTrailing
		r.put(t, edge, y(m)-line/2, axis, line)
	}
	if i := b.Reading(); i >= 0 && i < len(b.bars) {
		mark := canvas.NewRectangle(ink(theme.ColorNameHover))
		mark.CornerRadius = round
		r.put(mark, b.slots.left+float32(i)*b.slots.slot, ceiling-capHeight, b.slots.slot, floor-ceiling+capHeight)
	}
	for i, bar := range b.bars {
		r.stack(i, bar, y, floor, ink)
	}
	r.labels(size.Height-line, line, caption, ink(theme.ColorNamePlaceHolder))
	if b.focused {
		frame := canvas.NewRectangle(color.Transparent)
		frame.StrokeColor, frame.StrokeWidth, frame.CornerRadius = ink(theme.ColorNamePrimary), 2, round
		r.put(frame, 0, 0, size.Width, size.Height)
	}
}

// stack draws one bar.
func (r *renderer) stack(i int, bar Bar, y func(float64) float32, floor float32, ink func(fyne.ThemeColorName) color.Color) {
	x, w := r.bars.slots.bar(i)
	base, last := 0.0, -1
	for s, v := range bar.Parts {
		if v > 0 {
			last = s
		}
	}
	for s, v := range bar.Parts {
		if v <= 0 {
			continue
		}
		from, to := y(base), y(base+v)
		part := canvas.NewRectangle(r.bars.Color(s))
		if s == last && bar.Unknown == 0 && from-to > round {
			part.TopLeftCornerRadius, part.TopRightCornerRadius = round, round
		}
		// A thin line of the background keeps neighbours apart without their colours.
		h := from - to
		if base > 0 && h > 3 {
			h--
		}
		r.put(part, x, to, w, max(h, 1))
		base += v
	}
	if bar.Unknown > 0 {
		hatch := hatched(ink(theme.ColorNameForeground))
		r.put(hatch, x, y(base)-capHeight-1, w, capHeight)
		frame := canvas.NewRectangle(color.Transparent)
		frame.StrokeColor, frame.StrokeWidth = ink(theme.ColorNameForeground), 1
		r.put(frame, x, y(base)-capHeight-1, w, capHeight)
	}
	if last < 0 && bar.Unknown == 0 && !bar.Empty {
		r.put(canvas.NewRectangle(r.bars.Color(0)), x, floor-2, w, 2)
	}
}

func (r *renderer) labels(y, height, size float32, ink color.Color) {
	b := r.bars
	var widest float32
	for _, bar := range b.bars {
		widest = max(widest, fyne.MeasureText(bar.Label, size, fyne.TextStyle{}).Width)
	}
	// Counted from the end: the last bar is the one people look for.
	step, limit := every(widest, b.slots.slot), b.slots.right
	for i := len(b.bars) - 1; i >= 0; i -= step {
		t := canvas.NewText(b.bars[i].Label, ink)
		t.TextSize = size
		w := fyne.MeasureText(t.Text, size, fyne.TextStyle{}).Width
		x := min(b.slots.left+(float32(i)+0.5)*b.slots.slot-w/2, b.slots.right-w)
		if x < 0 || x+w > limit {
			continue
		}
		r.put(t, x, y, w, height)
		limit = x - gap
	}
}

func (r *renderer) put(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
	r.objects = append(r.objects, o)
}

// hatched are slanting stripes, as wide on a screen with more pixels.
func hatched(ink color.Color) *canvas.Raster {
	return canvas.NewRasterWithPixels(func(x, y, _, h int) color.Color {
		scale := max(1, h/capHeight)
		if (x+y)/scale%6 < 2 {
			return ink
		}
		return color.Transparent
	})
}

func sum(parts []float64) float64 {
	total := 0.0
	for _, p := range parts {
		total += p
	}
	return total
}

// Hatch is a swatch of what stands for the unknown, for a legend; about as high
// as the part of a bar.
func Hatch(ink color.Color) fyne.CanvasObject { return hatched(ink) }
