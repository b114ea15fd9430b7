//go:build !nogui

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app/view"
)

// line is a text of one line that gives way with an ellipsis.
func line(s string) *widget.Label {
	l := widget.NewLabel(s)
	l.Truncation = fyne.TextTruncateEllipsis
	return l
}

// short is a text of one line that is never cut; for words of our own.
func short(s string) *widget.Label { return widget.NewLabel(s) }

// quiet is a secondary text that wraps.
func quiet(s string) *widget.Label {
	l := prose(s)
	l.Importance = widget.LowImportance
	return l
}

// quietLine is a secondary text of one line.
func quietLine(s string) *widget.Label {
	l := line(s)
	l.Importance = widget.LowImportance
	return l
}

// prose is a text that wraps, even within a long word.
func prose(s string) *widget.Label {
	l := widget.NewLabel(s)
	l.Wrapping = fyne.TextWrapWord
	return l
}

func bold(l *widget.Label) *widget.Label {
	l.TextStyle.Bold = true
	return l
}

func sized(l *widget.Label, name fyne.ThemeSizeName) *widget.Label {
	l.SizeName = name
	return l
}

func trailing(l *widget.Label) *widget.Label {
	l.Alignment = fyne.TextAlignTrailing
	return l
}

// tint gives a text the colour of a tone; the words say the same.
func tint(l *widget.Label, t view.Tone) {
	switch t {
	case view.Good:
		l.Importance = widget.SuccessImportance
	case view.Bad:
		l.Importance = widget.DangerImportance
	case view.Busy:
		l.Importance = widget.HighImportance
	default:
		l.Importance = widget.MediumImportance
	}
}

// set changes a text only if it is another, so that nothing is drawn in vain.
func set(l *widget.Label, s string) {
	if l.Text != s {
		l.SetText(s)
	}
}

// show shows or hides.
func show(o fyne.CanvasObject, yes bool) {
	if yes == o.Visible() {
		return
	}
	if yes {
		o.Show()
	} else {
		o.Hide()
	}
}

// panel is a ground with round corners under a content.
type panel struct {
	widget.BaseWidget
	content fyne.CanvasObject
	fill    fyne.ThemeColorName
	edge    fyne.ThemeColorName
}

func newPanel(content fyne.CanvasObject) *panel {
	p := &panel{content: content, fill: colorPanel, edge: theme.ColorNameSeparator}
	p.ExtendBaseWidget(p)
	return p
}

// CreateRenderer draws the ground and the content.
func (p *panel) CreateRenderer() fyne.WidgetRenderer {
	ground := canvas.NewRectangle(p.color(p.fill))
	ground.StrokeColor, ground.StrokeWidth, ground.CornerRadius = p.color(p.edge), 1, 8
	return &panelRenderer{p, ground, []fyne.CanvasObject{ground, p.content}}
}

func (p *panel) color(n fyne.ThemeColorName) interface{ RGBA() (r, g, b, a uint32) } {
	return p.Theme().Color(n, fyne.CurrentApp().Settings().ThemeVariant())
}

type panelRenderer struct {
	p       *panel
	ground  *canvas.Rectangle
	objects []fyne.CanvasObject
}

const panelGap = 6

func (r *panelRenderer) Destroy()                     {}
func (r *panelRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *panelRenderer) MinSize() fyne.Size {
	return r.p.content.MinSize().AddWidthHeight(2*panelGap, 2*panelGap)
}

func (r *panelRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.p.content.Move(fyne.NewPos(panelGap, panelGap))
	r.p.content.Resize(size.SubtractWidthHeight(2*panelGap, 2*panelGap))
}

func (r *panelRenderer) Refresh() {
	r.ground.FillColor, r.ground.StrokeColor = r.p.color(r.p.fill), r.p.color(r.p.edge)
	r.ground.Refresh()
	r.p.content.Refresh()
}

// page is a screen's frame: a title with controls beside it over a content.
func page(title string, controls fyne.CanvasObject, content fyne.CanvasObject) fyne.CanvasObject {
	if controls != nil { // at their own height, and where the cards end
		controls = container.New(layout.NewCustomPaddedLayout(0, 0, 0, scrollRoom), container.NewCenter(controls))
	}
	head := around(nil, nil, nil, controls, sized(bold(line(title)), theme.SizeNameHeadingText))
	return container.New(layout.NewCustomPaddedLayout(10, 8, 12, 12), around(head, nil, nil, nil, content))
}

// notice is a panel that says what is wrong and what to do.
type notice struct {
	panel       *panel
	title, text *widget.Label
}

func newNotice(buttons ...fyne.CanvasObject) *notice {
	n := &notice{title: bold(prose("")), text: prose("")}
	mark := container.New(layout.NewCustomPaddedLayout(7, 0, 7, 0),
		container.NewVBox(widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon()))))
	body := container.New(&stacked{gap: -8}, n.title, n.text)
	n.panel = newPanel(around(nil, nil, mark, container.NewVBox(buttons...), body))
	n.panel.edge = theme.ColorNameWarning
	n.panel.Hide()
	return n
}

// say shows the notice; an empty title hides it. It tells whether the notice
// takes another place now, so that what is around it has to be laid out anew.
func (n *notice) say(title, text string) bool {
	was := n.panel.Visible()
	moved := was != (title != "") || n.text.Text != text
	set(n.title, title)
	set(n.text, text)
	show(n.text, text != "")
	show(n.panel, title != "")
	return moved
}

// empty is what a screen shows where there is nothing to show.
func empty(title, text string, more ...fyne.CanvasObject) fyne.CanvasObject {
	t := sized(bold(short(title)), theme.SizeNameSubHeadingText)
	t.Alignment = fyne.TextAlignCenter
	b := quiet(text)
	b.Alignment = fyne.TextAlignCenter
	parts := []fyne.CanvasObject{t, container.New(middle(460), b)}
	for _, m := range more {
		parts = append(parts, container.NewCenter(m))
	}
	return container.NewVBox(layout.NewSpacer(), container.NewVBox(parts...), layout.NewSpacer())
}
