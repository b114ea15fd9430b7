//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app/view"
)

// meter is a bar that is filled by a share; words beside it say the same.
type meter struct {
	widget.BaseWidget
	share float64
	tone  view.Tone
}

func newMeter() *meter {
	m := &meter{}
	m.ExtendBaseWidget(m)
	return m
}

func (m *meter) set(share float64, t view.Tone) {
	if m.share != share || m.tone != t {
		m.share, m.tone = share, t
		m.Refresh()
	}
}

// CreateRenderer draws the track and what is filled of it.
func (m *meter) CreateRenderer() fyne.WidgetRenderer {
	r := &meterRenderer{m: m, track: canvas.NewRectangle(nil), fill: canvas.NewRectangle(nil)}
	r.track.CornerRadius, r.fill.CornerRadius = meterHeight/2, meterHeight/2
	r.paint()
	return r
}

const meterHeight = 8

type meterRenderer struct {
	m           *meter
	track, fill *canvas.Rectangle
}

func (r *meterRenderer) Destroy()                     {}
func (r *meterRenderer) MinSize() fyne.Size           { return fyne.NewSize(40, meterHeight) }
func (r *meterRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.track, r.fill} }

func (r *meterRenderer) Layout(size fyne.Size) {
	r.track.Resize(size)
	w := size.Width * float32(r.m.share)
	if r.m.share > 0 { // a little is not nothing
		w = max(w, meterHeight)
	}
	r.fill.Resize(fyne.NewSize(w, size.Height))
	if w > 0 {
		r.fill.Show()
	} else {
		r.fill.Hide()
	}
}

func (r *meterRenderer) Refresh() {
	r.paint()
	r.Layout(r.m.Size())
	r.track.Refresh()
	r.fill.Refresh()
}

func (r *meterRenderer) paint() {
	th, v := r.m.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	name := theme.ColorNamePrimary
	switch r.m.tone {
	case view.Bad:
		name = theme.ColorNameError
	case view.Busy:
		name = theme.ColorNameWarning
	}
	r.track.FillColor, r.fill.FillColor = th.Color(theme.ColorNameSeparator, v), th.Color(name, v)
}
