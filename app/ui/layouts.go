//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// scrollRoom is what a page leaves at its right for the bar of a scroll.
const scrollRoom = 10

// cardGap is between two cards of a page.
const cardGap = 10

// scrolled puts a page's parts under each other and lets them scroll.
func scrolled(parts ...fyne.CanvasObject) *scrolling {
	body := container.New(&stacked{gap: cardGap}, parts...)
	return &scrolling{view: container.NewVScroll(container.New(layout.NewCustomPaddedLayout(2, 10, 0, scrollRoom), body))}
}

// still gives a page that does not scroll the edges of those that do.
func still(content fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(2, 0, 0, scrollRoom), content)
}

// scrolling is a scroll whose parts come, go and change their height.
type scrolling struct {
	view  *container.Scroll
	least fyne.Size
}

// settle gives all parts their places again if the content has another size.
// Wrapped text knows its height only after it was given a width, so it looks
// more than once.
func (s *scrolling) settle() {
	for range 4 {
		least := s.view.Content.MinSize()
		if least == s.least {
			return
		}
		s.least = least
		s.view.Refresh()
		s.view.Content.Refresh()
	}
}

// stacked is a vertical box whose parts take its whole width, with a gap of
// choice, and whose least width is that of none of them.
type stacked struct{ gap float32 }

// MinSize is the height of all visible parts at the least width.
func (s *stacked) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		size.Width = max(size.Width, m.Width)
		if size.Height > 0 {
			size.Height += s.gap
		}
		size.Height += m.Height
	}
	return size
}

// Layout puts the parts under each other.
func (s *stacked) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	var y float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, o.MinSize().Height))
		h := o.MinSize().Height // of wrapped text, known only now
		if h != o.Size().Height {
			o.Resize(fyne.NewSize(size.Width, h))
		}
		y += h + s.gap
	}
}

// topped is a layout of one part with room around it, and none when it hides.
type topped struct{}

// MinSize is the part's with the room.
func (topped) MinSize(o []fyne.CanvasObject) fyne.Size {
	if !o[0].Visible() {
		return fyne.Size{}
	}
	return o[0].MinSize().AddWidthHeight(12+22, 10)
}

// Layout leaves the room.
func (topped) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Move(fyne.NewPos(12, 10))
	o[0].Resize(size.SubtractWidthHeight(12+22, 10))
}

// around lays parts around a content, any of them nil. The Tab key goes through
// them in the order in which people read, which is not that of Fyne's own
// border container.
func around(top, bottom, left, right fyne.CanvasObject, content ...fyne.CanvasObject) *fyne.Container {
	c := container.NewBorder(top, bottom, left, right, content...)
	c.Objects = c.Objects[:0:0]
	for _, o := range append(append([]fyne.CanvasObject{top, left}, content...), right, bottom) {
		if o != nil {
			c.Objects = append(c.Objects, o)
		}
	}
	return c
}

// equal is a layout of parts beside each other, all as wide and as high.
type equal struct{}

// MinSize is that of the largest part, for each.
func (equal) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var size fyne.Size
	for _, o := range objects {
		size = size.Max(o.MinSize())
	}
	n := float32(len(objects))
	return fyne.NewSize(n*size.Width+(n-1)*cardGap, size.Height)
}

// Layout shares the width out.
func (equal) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	w := (size.Width+cardGap)/float32(len(objects)) - cardGap
	for i, o := range objects {
		o.Move(fyne.NewPos(float32(i)*(w+cardGap), 0))
		o.Resize(fyne.NewSize(w, size.Height))
	}
}

// middle is a layout of one wrapping part in the middle, no wider than a width
// of choice: long lines are hard to read.
type middle float32

// MinSize is the part's.
func (middle) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

// Layout leaves the rest of the width free on both sides.
func (m middle) Layout(o []fyne.CanvasObject, size fyne.Size) {
	w := min(size.Width, float32(m))
	o[0].Move(fyne.NewPos((size.Width-w)/2, 0))
	o[0].Resize(fyne.NewSize(w, size.Height))
}

// fixedWidth is a layout of one part with a width of choice.
type fixedWidth float32

// MinSize is the part's height at the width.
func (w fixedWidth) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(float32(w), o[0].MinSize().Height)
}

// Layout gives the part the whole place.
func (w fixedWidth) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(size)
}

// least is a layout of one part with a least size of choice, whatever the part
// would like.
type least fyne.Size

// MinSize is the size of choice.
func (l least) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size(l) }

// Layout gives the part the whole place.
func (l least) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(size)
}
