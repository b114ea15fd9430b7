//go:build !nogui

package ui

import (
	"context"
	"reflect"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/ui/chart"
	"keytray/app/view"
)

// spendScreen shows what was spent.
type spendScreen struct {
	stage
	s                   *shell
	face                fyne.CanvasObject
	days                *picker
	group               *picker
	problem             *notice
	total               *widget.Label
	note                *widget.Label
	bars                *chart.Bars
	read                *widget.Label
	legend              *fyne.Container
	table               *fyne.Container
	full                *scrolling
	empty               fyne.CanvasObject
	budgets             *budgets
	picture, tablePanel *panel
	now                 view.Spend
}

func newSpend(s *shell) *spendScreen {
	p := &spendScreen{stage: stage{crew: s.crew}, s: s}
	var ranges, groups []string
	for _, r := range view.Ranges() {
		ranges = append(ranges, r.Title)
	}
	for _, g := range view.Groups() {
		groups = append(groups, "by "+strings.ToLower(g[1]))
	}
	p.days, p.group = newPicker(ranges, nil), newPicker(groups, nil)
	p.days.SetSelectedIndex(1)
	p.group.SetSelectedIndex(0)
	p.days.OnChanged = func(string) { p.refresh() }
	p.group.OnChanged = func(string) { p.refresh() }
	p.problem = newNotice(newPress("Try again", theme.ViewRefreshIcon(), func() { p.refresh() }))
	p.total = sized(bold(line("")), theme.SizeNameHeadingText)
	p.note = quietLine("")
	p.bars = chart.New(currentSeries, view.Tick)
	p.bars.Height = 190
	p.bars.OnRead = func(int) { p.drawRead() }
	p.read = quietLine("")
	p.legend = container.NewHBox()
	underText := container.New(layout.NewCustomPaddedLayout(0, 0, look{}.Size(theme.SizeNameInnerPadding), 0), p.legend)
	p.table = container.New(&stacked{gap: 2})
	p.picture = newPanel(container.New(&stacked{gap: 4},
		container.New(&stacked{gap: -10}, p.total, p.note), p.bars, p.read, container.NewHScroll(underText)))
	p.tablePanel = newPanel(inCard(tight(p.table)))
	p.budgets = newBudgets(s, p.refresh)
	p.empty = newPanel(empty("Nothing was spent", "No call was made in these days. Calls and what they cost appear here as they happen."))
	p.empty.Hide()
	p.full = scrolled(p.problem.panel, p.empty, p.picture, p.budgets.panel, p.tablePanel)
	p.face = page("Spend", container.NewHBox(newPress("Export…", nil, func() { s.export(p.period()) }), newPress("Compare…", nil, func() { s.compare() }), p.days, p.group), p.full.view)
	return p
}

func (p *spendScreen) title() string             { return "Spend" }
func (p *spendScreen) icon() fyne.Resource       { return spendIcon() }
func (p *spendScreen) object() fyne.CanvasObject { return p.face }
func (p *spendScreen) enter()                    { p.stage.enter(); p.refresh() }

func (p *spendScreen) refresh() {
	days, group := view.Ranges()[p.days.SelectedIndex()].Days, view.Groups()[p.group.SelectedIndex()][0]
	load(&p.stage, func(ctx context.Context) (spendRead, error) {
		now := p.s.now()
		sums, err := p.s.k.Spend(ctx, view.SpendQuery(now, days, group))
		all := p.s.k.Providers()
		r := spendRead{spend: view.NewSpend(sums, now, days, group, names(all)), scopes: view.Scopes(p.s.k.Settings(), p.s.k.Tokens(), p.s.k.CachedKeys())}
		if err == nil { // else what is spent would be a guess
			r.budgets = view.NewBudgets(p.s.k.Limits(), now)
		}
		return r, err
	}, p.draw)
}

// spendRead is what the screen reads.
type spendRead struct {
	spend   view.Spend
	budgets []view.BudgetLine
	scopes  []app.Scope
}

func (p *spendScreen) draw(r spendRead, err error) {
	v := r.spend
	p.problem.say("", "")
	p.budgets.draw(r, err)
	if err != nil {
		p.problem.say(view.LedgerTrouble(p.s.state.Status, err))
		show(p.empty, false)
		show(p.picture, false)
		show(p.tablePanel, false)
		p.now = view.Spend{}
		p.full.settle()
		return
	}
	show(p.empty, v.Empty)
	show(p.picture, !v.Empty)
	show(p.tablePanel, !v.Empty)
	if reflect.DeepEqual(v, p.now) {
		p.full.settle()
		return
	}
	p.now = v
	set(p.total, v.Total)
	set(p.note, v.Note)
	p.bars.Set(chartBars(v.Bars))
	p.drawRead()
	p.drawLegend(v)
	p.drawTable(v)
	p.full.settle()
}

func (p *spendScreen) drawRead() {
	text := "Point at a day, or go to the bars with Tab and use the arrow keys."
	if i := p.bars.Reading(); i >= 0 && i < len(p.now.Bars) {
		text = p.now.Bars[i].Read
	}
	set(p.read, text)
}

func (p *spendScreen) drawLegend(v view.Spend) {
	var parts []fyne.CanvasObject
	add := func(swatch fyne.CanvasObject, name string) {
		parts = append(parts, container.NewHBox(container.NewCenter(container.New(least(fyne.NewSize(12, 12)), swatch)), short(view.Clip(name, 32))))
	}
	for i, name := range v.Series {
		swatch := canvas.NewRectangle(currentSeries(i))
		swatch.CornerRadius = 3
		add(swatch, name)
	}
	for _, b := range v.Bars {
		if b.Unknown > 0 {
			add(chart.Hatch(theme.Color(theme.ColorNameForeground)), "unpriced calls")
			break
		}
	}
	p.legend.Objects = parts
	p.legend.Refresh()
}

// tableRows bounds the table; the sums above are of all.
const tableRows = 100

func (p *spendScreen) drawTable(v view.Spend) {
	saved := float32(medium)
	if !v.Saved {
		saved = never
	}
	cols := columns{
		{title: view.Groups()[p.group.SelectedIndex()][1]},
		{title: "Cost", width: 210, right: true},
		{title: "Saved", width: 64, right: true, from: saved},
		{title: "Share", width: 54, right: true, from: medium},
		{title: "Calls", width: 50, right: true},
		{title: "In", width: 50, right: true},
		{title: "Cached", width: 56, right: true, from: broad},
		{title: "Out", width: 50, right: true},
		{title: "Failed", width: 50, right: true, from: medium},
	}
	parts := []fyne.CanvasObject{cols.head()}
	for i, r := range v.Rows {
		if i == tableRows {
			parts = append(parts, quiet("and "+view.Plural(int64(len(v.Rows)-tableRows), "row")+" more: see keytray spend"))
			break
		}
		row := cols.row()
		fill(row, r.Name, r.Cost, r.Saved, r.Share, r.Calls, r.In, r.Cached, r.Out, r.Errors)
		parts = append(parts, row)
	}
	p.table.Objects = parts
	p.table.Refresh()
}

// period is how many days are shown, in words too.
func (p *spendScreen) period() view.Range { return view.Ranges()[p.days.SelectedIndex()] }

// copied is the table as text.
func (p *spendScreen) copied() string {
	var b strings.Builder
	for _, r := range p.now.Rows {
		b.WriteString(strings.Join([]string{r.Name, r.Cost, r.Saved, r.Calls, r.In, r.Cached, r.Out, r.Errors}, "\t") + "\n")
	}
	return b.String()
}
