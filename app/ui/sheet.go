//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// sheet is a question or a detail over the window. Escape closes it.
type sheet struct {
	pop    *widget.PopUp
	canvas fyne.Canvas
	back   fyne.Focusable       // what had the focus before
	keys   func(*fyne.KeyEvent) // what took keys that nobody has the focus for
	closed func()               // called once, when it goes
}

// escaper passes Escape on to whom it is told.
type escaper interface{ onEscape(func()) }

// newSheet opens a sheet. keys are all parts of the body that take the focus,
// the first one first; buttons stand at its foot, the last one at the right.
func newSheet(c fyne.Canvas, title string, size fyne.Size, body fyne.CanvasObject, keys []fyne.Focusable, buttons ...*press) *sheet {
	s := &sheet{canvas: c, back: c.Focused()}
	foot := container.NewHBox(layout.NewSpacer())
	for _, b := range buttons {
		foot.Add(b)
		keys = append(keys, b)
	}
	head := sized(bold(line(title)), theme.SizeNameSubHeadingText)
	content := container.New(layout.NewCustomPaddedLayout(8, 8, 10, 10), around(head, foot, nil, nil, body))
	s.pop = widget.NewModalPopUp(content, c)
	for _, k := range keys {
		if e, ok := k.(escaper); ok {
			e.onEscape(s.close)
		}
	}
	// A click takes the focus from everything, so Escape may come to nobody.
	s.keys = c.OnTypedKey()
	c.SetOnTypedKey(func(e *fyne.KeyEvent) {
		if e.Name == fyne.KeyEscape {
			s.close()
		}
	})
	s.pop.Resize(s.fit(size))
	s.pop.Show()
	if len(keys) > 0 {
		c.Focus(keys[0])
	}
	return s
}

// fit keeps the sheet within the window.
func (s *sheet) fit(size fyne.Size) fyne.Size {
	room := s.canvas.Size().SubtractWidthHeight(40, 40)
	return fyne.NewSize(min(size.Width, max(room.Width, 300)), min(size.Height, max(room.Height, 200)))
}

func (s *sheet) close() {
	if s.pop == nil {
		return
	}
	s.pop.Hide()
	s.pop = nil
	s.canvas.SetOnTypedKey(s.keys)
	if s.back != nil {
		s.canvas.Focus(s.back)
	}
	call(s.closed)
}
