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
	head := around(nil, nil, nil, controls, sized(bold(line(title)), theme.SizeNameHeadingText))
	return container.New(layout.NewCustomPaddedLayout(10, 8, 12, 12), around(head, nil, nil, nil, content))
}

// scrolled puts a page's parts under each other and lets them scroll.
func scrolled(parts ...fyne.CanvasObject) *scrolling {
	body := container.New(&stacked{gap: 10}, parts...)
	return &scrolling{view: container.NewVScroll(container.New(layout.NewCustomPaddedLayout(2, 10, 0, 10), body))}
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

// notice is a panel that says what is wrong and what to do.
type notice struct {
	panel       *panel
	title, text *widget.Label
}

func newNotice(buttons ...fyne.CanvasObject) *notice {
	n := &notice{title: bold(prose("")), text: prose("")}
	mark := container.NewVBox(widget.NewIcon(theme.NewWarningThemedResource(theme.WarningIcon())))
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
	parts := []fyne.CanvasObject{t, b}
	for _, m := range more {
		parts = append(parts, container.NewCenter(m))
	}
	return container.NewVBox(layout.NewSpacer(), container.NewVBox(parts...), layout.NewSpacer())
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
