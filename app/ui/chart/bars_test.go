package chart

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

func colours(series int) color.Color {
	return []color.Color{color.NRGBA{R: 90, G: 140, B: 220, A: 255}, color.NRGBA{R: 220, G: 160, B: 60, A: 255}}[series%2]
}

func dollars(v, _ float64) string { return fmt.Sprintf("$%g", v) }

// week has every kind of bar: stacked, tiny, unknown alone, unknown on top,
// zero, and none.
var week = []Bar{
	{Label: "Mon", Parts: []float64{1.2, 0.8}},
	{Label: "Tue", Parts: []float64{0.001, 0}},
	{Label: "Wed", Parts: []float64{0, 0}, Unknown: 2},
	{Label: "Thu", Parts: []float64{0.7, 2.2}, Unknown: 1},
	{Label: "Fri", Parts: []float64{0, 0}},
	{Label: "Sat", Empty: true},
	{Label: "Sun", Parts: []float64{3.1, 0}},
}

func shown(t *testing.T, bars []Bar) (*Bars, fyne.Window) {
	t.Helper()
	test.NewTempApp(t)
	b := New(colours, dollars)
	b.Set(bars)
	w := test.NewTempWindow(t, b)
	w.Resize(fyne.NewSize(420, 200))
	return b, w
}

func TestGolden(t *testing.T) {
	for name, do := range map[string]func(b *Bars, w fyne.Window){
		"week":  func(*Bars, fyne.Window) {},
		"focus": func(b *Bars, w fyne.Window) { w.Canvas().Focus(b); b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyHome}) },
		"none":  func(b *Bars, _ fyne.Window) { b.Set(nil) },
		"narrow": func(b *Bars, w fyne.Window) {
			var many []Bar
			for i := range 90 {
				many = append(many, Bar{Label: fmt.Sprintf("%d Nov", i), Parts: []float64{float64(i % 7), float64(i % 3)}})
			}
			b.Set(many)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, w := shown(t, week)
			do(b, w)
			test.AssertRendersToImage(t, name+".png", w.Canvas())
		})
	}
}

func TestReadOut(t *testing.T) {
	b, w := shown(t, week)
	var told []int
	b.OnRead = func(i int) { told = append(told, i) }
	w.Canvas().Focus(b)
	for _, k := range []fyne.KeyName{fyne.KeyRight, fyne.KeyLeft, fyne.KeyHome, fyne.KeyLeft, fyne.KeyEnd, fyne.KeyA} {
		b.TypedKey(&fyne.KeyEvent{Name: k})
	}
	over := func(i int) *desktop.MouseEvent {
		x, wide := b.slots.bar(i)
		return &desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x+wide/2, 50)}}
	}
	b.MouseIn(over(2))
	b.MouseMoved(over(2))
	b.MouseMoved(over(3))
	b.MouseMoved(&desktop.MouseEvent{}) // on the axis' labels: back to the keys' choice
	b.MouseOut()
	b.Set(week[:2]) // the bar read out is gone
	b.FocusLost()
	b.Tapped(&over(1).PointEvent)
	if want := []int{6, 5, 0, 6, 2, 3, 6, -1, 1}; !slices.Equal(told, want) {
		t.Errorf("read out %v, want %v", told, want)
	}
	if got := w.Canvas().Focused(); got != b {
		t.Errorf("a click focused %v", got)
	}
}

func TestTicks(t *testing.T) {
	for _, top := range []float64{1e-9, 0.0035, 0.99, 1, 4, 4.2, 10, 99.9, 1234, 9e6} {
		got := ticks(top)
		if len(got) < 3 || len(got) > 6 || got[0] != 0 || got[len(got)-1] < top*0.999 || got[len(got)-1] > top*2.6 {
			t.Errorf("ticks(%g) = %v", top, got)
		}
	}
	for _, top := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if got := ticks(top); len(got) != 1 {
			t.Errorf("ticks(%g) = %v", top, got)
		}
	}
}
