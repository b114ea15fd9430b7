//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"keytray/app/view"
)

// callColumns are the columns of a table of calls.
func callColumns() columns {
	return columns{
		{title: "Time", width: 88},
		{title: "Tool", width: 74},
		{title: "Used <- asked"},
		{title: "In", width: 42, right: true, from: narrow},
		{title: "Out", width: 42, right: true, from: narrow},
		{title: "Cached", width: 56, right: true, from: broad},
		{title: "Cost", width: 74, right: true},
		{title: "First", width: 57, right: true, from: medium},
		{title: "Took", width: 57, right: true, from: medium},
		{title: "Status", width: 84},
	}
}

// statusCell is the column of the status.
const statusCell = 9

func fillCall(o fyne.CanvasObject, c view.Call) {
	cost := view.ShortCost(c.Cost) // the details have it in full
	fill(o, c.Time, c.Tool, c.Model, c.In, c.Out, c.Cached, cost, c.First, c.Took, c.Status)
	tone(o, statusCell, c.Tone)
}

// callTable is a short table of calls that is drawn in place.
type callTable struct {
	object fyne.CanvasObject
	rows   []*fyne.Container
}

func newCallTable(n int) *callTable {
	cols := callColumns()
	t := &callTable{}
	parts := []fyne.CanvasObject{cols.head()}
	for range n {
		r := cols.row()
		r.Hide()
		t.rows = append(t.rows, r)
		parts = append(parts, r)
	}
	t.object = inCard(tight(container.New(&stacked{gap: 2}, parts...)))
	return t
}

func (t *callTable) draw(calls []view.Call) {
	for i, r := range t.rows {
		if i < len(calls) {
			fillCall(r, calls[i])
		}
		show(r, i < len(calls))
	}
}
