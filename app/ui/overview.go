//go:build !nogui

package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/ui/chart"
	"keytray/app/view"
)

// overview is the first screen.
type overview struct {
	stage
	s       *shell
	face    fyne.CanvasObject
	scroll  *scrolling
	url     *widget.Label
	dialect *picker
	copyURL *press
	problem *notice
	steps   *steps
	figures []*figure
	budget  *budgetRow
	limit   *panel            // around budget
	counted fyne.CanvasObject // what is read from the ledger
	failed  error             // why it could not be read
	bars    *chart.Bars
	days    []view.Bar
	read    *widget.Label
	table   *callTable
	none    *widget.Label
}

// lastCalls is how many calls the overview lists.
const lastCalls = 6

func newOverview(s *shell) *overview {
	o := &overview{stage: stage{crew: s.crew}, s: s}
	o.url = sized(line(""), theme.SizeNameSubHeadingText)
	o.url.TextStyle.Monospace = true
	o.dialect = newPicker(nil, func(string) { o.drawURL() })
	o.copyURL = newPress("Copy", theme.ContentCopyIcon(), func() {
		s.copy(o.copied())
		o.copyURL.SetText("Copied")
	})
	endpoint := newPanel(container.New(&stacked{gap: -6},
		quietLine("Point your tools at"),
		around(nil, nil, nil, container.NewHBox(o.dialect, o.copyURL), o.url)))
	o.problem = newNotice(newPress("Settings", nil, func() { s.choose(atSettings) }))
	o.steps = newSteps(s)
	figures := container.New(equal{})
	for range 3 {
		f := newFigure()
		o.figures = append(o.figures, f)
		figures.Add(f.panel)
	}
	o.bars = chart.New(currentSeries, view.Tick)
	o.bars.Height = 120
	o.bars.OnRead = func(int) { o.drawRead() }
	o.read = trailing(quietLine(""))
	days := newPanel(container.NewVBox(around(nil, nil, bold(short("Spent in 14 days")), nil, o.read), o.bars))
	o.table = newCallTable(lastCalls)
	o.none = quiet("No calls yet. They appear here as they happen.")
	all := newPress("All requests", theme.NavigateNextIcon(), func() { s.choose(atRequests) }).leading()
	calls := newPanel(container.New(&stacked{gap: 0}, around(nil, nil, bold(short("Last calls")), all), o.none, o.table.object))
	o.budget = newBudgetRow(newPress("Budgets", theme.NavigateNextIcon(), func() { s.choose(atSpend) }).leading())
	o.limit = newPanel(o.budget.object)
	o.limit.Hide()
	o.counted = container.New(&stacked{gap: cardGap}, figures, o.limit, days, calls)
	o.scroll = scrolled(o.problem.panel, endpoint, o.steps.panel, o.counted)
	o.face = page("Overview", nil, o.scroll.view)
	return o
}

func (o *overview) title() string             { return "Overview" }
func (o *overview) icon() fyne.Resource       { return theme.HomeIcon() }
func (o *overview) object() fyne.CanvasObject { return o.face }

func (o *overview) enter() {
	o.stage.enter()
	o.copyURL.SetText("Copy")
	o.refresh()
}

// copied is the base URL in view.
func (o *overview) copied() string {
	for _, e := range view.Endpoints(o.s.state.Status.BaseURL()) {
		if e.Name == o.dialect.Selected {
			return e.URL
		}
	}
	return ""
}

func (o *overview) refresh() {
	o.drawStatus()
	tested := o.s.anyTested()
	load(&o.stage, func(ctx context.Context) (view.Overview, error) {
		now := o.s.now()
		st := view.OverviewState{Now: now, Keys: o.s.k.CachedKeys(), Tested: tested, Limits: o.s.k.Limits()}
		var err error
		if st.Days, err = o.s.k.Spend(ctx, view.OverviewQuery(now)); err != nil {
			return view.Overview{}, err
		}
		st.Rows, err = o.s.k.Requests(ctx, app.RowFilter{Limit: 50})
		return view.NewOverview(st), err
	}, o.draw)
}

func (o *overview) drawStatus() {
	st := o.s.state.Status
	var titles []string
	for _, e := range view.Endpoints(st.BaseURL()) {
		titles = append(titles, e.Name)
	}
	if len(titles) != len(o.dialect.Options) {
		o.dialect.SetOptions(titles)
	}
	if o.dialect.Selected == "" && len(titles) > 0 {
		o.dialect.SetSelected(titles[0])
	}
	o.drawURL()
	o.drawProblem()
}

// drawProblem says what is wrong, the gravest first.
func (o *overview) drawProblem() {
	title, text := view.Troubles(o.s.state.Status, o.failed)
	o.problem.say(title, text)
	o.scroll.settle()
}

func (o *overview) drawURL() {
	url := o.copied()
	show(o.copyURL, url != "")
	show(o.dialect, url != "")
	if url == "" {
		url = "no address: Keytray is not listening"
	}
	if o.url.Text != url {
		o.copyURL.SetText("Copy")
	}
	set(o.url, url)
}

func (o *overview) draw(v view.Overview, err error) {
	o.failed = err
	show(o.counted, err == nil)
	if err != nil {
		o.drawProblem()
		return
	}
	o.steps.draw(v.Steps)
	for i, f := range v.Figures {
		o.figures[i].draw(f)
	}
	show(o.limit, v.Budget != nil)
	if v.Budget != nil {
		o.budget.draw(*v.Budget)
	}
	o.days = v.Bars
	o.bars.Set(chartBars(v.Bars))
	o.drawRead()
	o.table.draw(v.Calls)
	show(o.none, len(v.Calls) == 0)
	show(o.table.object, len(v.Calls) > 0)
	o.drawProblem()
}

func (o *overview) drawRead() {
	text := ""
	if i := o.bars.Reading(); i >= 0 && i < len(o.days) {
		text = o.days[i].Read
	}
	set(o.read, text)
}

// chartBars are bars for the chart.
func chartBars(bars []view.Bar) []chart.Bar {
	out := make([]chart.Bar, len(bars))
	for i, b := range bars {
		out[i] = chart.Bar{Label: b.Label, Parts: b.Parts, Unknown: b.Unknown, Empty: b.Empty}
	}
	return out
}

// figure is a sum with its title.
type figure struct {
	*panel
	title, amount, more, note *widget.Label
}

func newFigure() *figure {
	f := &figure{title: quietLine(""), amount: sized(bold(line("")), theme.SizeNameHeadingText), more: line(""), note: sized(quiet(""), theme.SizeNameCaptionText)}
	f.panel = newPanel(container.New(&stacked{gap: -10}, f.title, f.amount, f.more, f.note))
	return f
}

func (f *figure) draw(v view.Figure) {
	set(f.title, v.Title)
	set(f.amount, v.Amount)
	set(f.more, v.More)
	show(f.more, v.More != "")
	set(f.note, v.Note)
}
