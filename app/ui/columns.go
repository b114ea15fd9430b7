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
	from  float32 // the width of the table from which on it is shown
}

// columns is the layout of a table's row.
type columns []column

// The widths of a table from which on it has room for more columns.
const (
	narrow = 560
	medium = 640
	broad  = 800
	never  = 1e6
)

// MinSize is a row's height; a table is as wide as it may be.
func (c columns) MinSize(cells []fyne.CanvasObject) fyne.Size {
	var h float32
	for _, o := range cells {
		h = max(h, o.MinSize().Height)
	}
	return fyne.NewSize(200, h)
}

// besides is the room between numbers at the right and words at the left.
const besides = 10

// Layout shares the width among the columns.
func (c columns) Layout(cells []fyne.CanvasObject, size fyne.Size) {
	left, shared := size.Width, 0
	before := make([]float32, len(c)) // the room before a column
	right := false
	for i, col := range c {
		if size.Width < col.from {
			continue
		}
		if right && !col.right {
			before[i] = besides
		}
		right = col.right
		left -= before[i] + col.width
		if col.width == 0 {
			shared++
		}
	}
	var x float32
	for i, col := range c {
		if size.Width < col.from {
			cells[i].Hide()
			continue
		}
		cells[i].Show()
		w := col.width
		if w == 0 {
			w = max(left/float32(shared), 20)
		}
		x += before[i]
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
