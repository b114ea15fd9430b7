//go:build !nogui

package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// requests is the live table of calls.
type requests struct {
	stage
	s       *shell
	face    fyne.CanvasObject
	frame   fyne.CanvasObject
	bar     *fyne.Container // the filter, where there is something to filter
	text    *field
	status  *picker
	problem *notice
	count   *widget.Label
	list    *rows
	table   fyne.CanvasObject
	empty   fyne.CanvasObject
	none    fyne.CanvasObject
	loading fyne.CanvasObject
	rows    []app.Row
	calls   []view.Call
	shown   []view.Call
}

// liveCalls is how many calls the table reaches back.
const liveCalls = 500

func newRequests(s *shell) *requests {
	q := &requests{stage: stage{crew: s.crew}, s: s, count: quietLine("")}
	q.text = newField("Filter by tool, model, key or error")
	q.text.OnChanged = func(string) { q.filter() }
	q.text.onEscape(func() { q.text.SetText("") })
	q.status = newPicker(view.Statuses(), func(string) { q.filter() })
	q.status.Selected = "All"
	q.problem = newNotice(newPress("Try again", theme.ViewRefreshIcon(), func() { q.refresh() }))
	cols := callColumns()
	q.list = newRows(func() int { return len(q.shown) },
		func() fyne.CanvasObject { return tight(cols.row()) },
		func(i int, o fyne.CanvasObject) { fillCall(o.(*container.ThemeOverride).Content, q.shown[i]) })
	q.list.HideSeparators = true
	q.list.OnSelected = func(i int) {
		q.list.UnselectAll()
		if i < len(q.shown) {
			q.details(q.shown[i].Request)
		}
	}
	q.table = newPanel(around(container.New(layout.NewCustomPaddedLayout(0, 0, 0, 0), tight(cols.head())), nil, nil, nil, q.list))
	q.empty = empty("No requests yet", "Point a tool at Keytray and every call appears here while it runs, with what it cost.",
		newPress("Open Tools", theme.ComputerIcon(), func() { s.choose(atTools) }))
	q.none = empty("No request matches", "Change the filter, or press Escape in it to clear it.")
	q.loading = empty("Reading the ledger…", "")
	q.empty.Hide()
	q.none.Hide()
	q.bar = around(nil, nil, nil, container.New(fixedWidth(120), q.status), q.text)
	q.bar.Hide()
	q.frame = still(around(container.New(&stacked{gap: 6}, q.problem.panel, q.bar), q.count, nil, nil,
		container.NewStack(q.table, q.empty, q.none, q.loading)))
	q.face = page("Requests", nil, q.frame)
	return q
}

func (q *requests) title() string             { return "Requests" }
func (q *requests) icon() fyne.Resource       { return theme.ListIcon() }
func (q *requests) object() fyne.CanvasObject { return q.face }
func (q *requests) enter()                    { q.stage.enter(); q.refresh() }

func (q *requests) refresh() {
	load(&q.stage, func(ctx context.Context) ([]app.Row, error) {
		return q.s.k.Requests(ctx, app.RowFilter{Limit: liveCalls})
	}, q.draw)
}

func (q *requests) draw(rows []app.Row, err error) {
	q.loading.Hide()
	title, text := "", ""
	if err != nil {
		title, text = view.LedgerTrouble(q.s.state.Status, err)
	}
	if q.problem.say(title, text) {
		q.frame.Refresh() // wrapped text knows its height only after it was given a width
		q.frame.Refresh()
	}
	if err != nil {
		show(q.table, len(q.shown) > 0)
		return
	}
	q.rows, q.calls = rows, q.calls[:0]
	now := q.s.now()
	for _, r := range rows {
		q.calls = append(q.calls, view.NewCall(r, now))
	}
	q.filter()
}

func (q *requests) filter() {
	q.shown = view.FilterCalls(q.calls, q.text.Text, q.status.Selected)
	show(q.empty, len(q.calls) == 0)
	show(q.none, len(q.calls) > 0 && len(q.shown) == 0)
	show(q.table, len(q.shown) > 0)
	q.list.Refresh()
	text := ""
	if len(q.calls) > 0 {
		text = view.Plural(int64(len(q.shown)), "call")
	}
	if len(q.shown) < len(q.calls) {
		text += " of " + view.Count(int64(len(q.calls)))
	}
	if len(q.calls) == liveCalls {
		text += ", the newest; Spend exports all"
	}
	if len(q.shown) > 0 {
		text += ". A click or Enter opens one."
	}
	if some := len(q.calls) > 0; some != q.bar.Visible() {
		show(q.bar, some)
		q.frame.Refresh()
	}
	set(q.count, text)
}

// details opens a request.
func (q *requests) details(request string) {
	var of []app.Row
	for _, r := range q.rows {
		if r.RequestID == request {
			of = append(of, r)
		}
	}
	d := view.NewDetails(of, q.s.now())
	parts := []fyne.CanvasObject{factTable(d.Facts)}
	for _, a := range d.Attempts {
		title := bold(prose(a.Title))
		attempt := []fyne.CanvasObject{title}
		if a.Error != "" {
			e := prose(a.Error)
			e.Selectable = true
			tint(e, a.Tone)
			attempt = append(attempt, e)
		}
		attempt = append(attempt, factTable(a.Facts))
		parts = append(parts, newPanel(container.New(&stacked{gap: -4}, attempt...)))
	}
	var sh *sheet
	body := container.NewVScroll(container.New(layout.NewCustomPaddedLayout(0, 0, 0, 10), container.New(&stacked{gap: 8}, parts...)))
	done := newPress("Close", nil, func() { sh.close() }).strong()
	copied := newPress("Copy", theme.ContentCopyIcon(), func() { q.s.copy(d.Text()) })
	sh = newSheet(q.s.win.Canvas(), d.Title, fyne.NewSize(620, 520), body, nil, copied, done)
}

// factTable puts names before their values.
func factTable(facts []view.Fact) fyne.CanvasObject {
	var parts []fyne.CanvasObject
	for _, f := range facts {
		v := prose(f.Value)
		v.Selectable = true
		parts = append(parts, around(nil, nil, container.New(fixedWidth(150), quietLine(f.Name)), nil, v))
	}
	return container.New(&stacked{gap: -10}, parts...)
}
