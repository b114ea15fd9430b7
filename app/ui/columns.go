//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"keytray/app/view"
)

// column is a column of a table: its width is fixed, or a share of what is left.
type column struct {
	title string
	width float32 // 0: shared
	right bool    // numbers stand at the right
	wide  bool    // left out where the window is narrow
}

// columns is the layout of a table's row.
type columns []column

// narrow is where wide columns are left out.
const narrow = 640

// MinSize is a row's height; a table is as wide as it may be.
func (c columns) MinSize(cells []fyne.CanvasObject) fyne.Size {
	var h float32
	for _, o := range cells {
		h = max(h, o.MinSize().Height)
	}
	return fyne.NewSize(200, h)
}

// Layout shares the width among the columns.
func (c columns) Layout(cells []fyne.CanvasObject, size fyne.Size) {
	left, shared := size.Width, 0
	for _, col := range c {
		switch {
		case col.wide && size.Width < narrow:
		case col.width > 0:
			left -= col.width
		default:
			shared++
		}
	}
	var x float32
	for i, col := range c {
		if col.wide && size.Width < narrow {
			cells[i].Hide()
			continue
		}
		cells[i].Show()
		w := col.width
		if w == 0 {
			w = max(left/float32(shared), 20)
		}
		cells[i].Move(fyne.NewPos(x, 0))
		cells[i].Resize(fyne.NewSize(w, size.Height))
		x += w
	}
}

// row makes a row's cells, empty.
func (c columns) row() *fyne.Container {
	cells := make([]fyne.CanvasObject, len(c))
	for i, col := range c {
		l := line("")
		if col.right {
			trailing(l)
		}
		cells[i] = l
	}
	return container.New(c, cells...)
}

// head is the row of titles.
func (c columns) head() fyne.CanvasObject {
	r := c.row()
	for i, o := range r.Objects {
		l := o.(*widget.Label)
		l.Importance = widget.LowImportance
		l.TextStyle.Bold = true
		l.SetText(c[i].title)
	}
	return r
}

// fill writes a row's cells.
func fill(o fyne.CanvasObject, texts ...string) {
	for i, cell := range o.(*fyne.Container).Objects {
		set(cell.(*widget.Label), texts[i])
	}
}

// tone tints a cell of a row.
func tone(o fyne.CanvasObject, cell int, t view.Tone) {
	l := o.(*fyne.Container).Objects[cell].(*widget.Label)
	before := l.Importance
	tint(l, t)
	if l.Importance != before {
		l.Refresh()
	}
}
