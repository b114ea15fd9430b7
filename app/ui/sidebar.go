//go:build !nogui

package ui

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
	"keytray/assets"
)

const sideWidth = 172

// sidebar chooses the screen, and always says how Keytray stands.
type sidebar struct {
	object fyne.CanvasObject
	tiles  []*tile
	dot    *dot
	word   *widget.Label
	port   *widget.Label
	hint   *widget.Label
	note   *widget.Label
}

func newSidebar(screens []screen, choose func(int), toggle func()) *sidebar {
	s := &sidebar{dot: newDot(), word: bold(line("")), port: quietLine(""), hint: sized(quietLine(""), theme.SizeNameCaptionText), note: sized(quiet(""), theme.SizeNameCaptionText)}
	list := container.NewVBox()
	for i, sc := range screens {
		face := container.New(layout.NewCustomPaddedLayout(0, 0, 8, 0),
			around(nil, nil, container.NewCenter(widget.NewIcon(sc.icon())), nil, line(sc.title())))
		t := newTile(face, func() { choose(i) })
		s.tiles = append(s.tiles, t)
		list.Add(t)
	}
	logo := canvas.NewImageFromResource(fyne.NewStaticResource("icon.png", assets.IconPNG()))
	logo.FillMode = canvas.ImageFillContain
	logo.SetMinSize(fyne.NewSquareSize(26))
	brand := container.New(layout.NewCustomPaddedLayout(6, 8, 8, 0),
		around(nil, nil, logo, nil, sized(bold(line("Keytray")), theme.SizeNameSubHeadingText)))
	card := container.New(layout.NewCustomPaddedLayout(2, 2, 8, 4),
		around(nil, nil, container.NewCenter(s.dot), nil,
			container.New(&stacked{gap: -12}, s.word, s.port, s.hint)))
	status := newTile(card, toggle)
	status.ground = colorPanel
	s.note.Hide()
	foot := container.NewVBox(s.note, status)
	body := container.New(layout.NewCustomPaddedLayout(8, 8, 8, 8), around(container.NewVBox(brand, list), foot, nil, nil))
	ground := newPanel(body)
	ground.fill, ground.edge = colorSide, colorSide
	s.object = container.New(fixedWidth(sideWidth), ground)
	return s
}

// mark shows which screen is in view.
func (s *sidebar) mark(at int) {
	for i, t := range s.tiles {
		t.choose(i == at)
	}
}

// say shows how Keytray stands.
func (s *sidebar) say(now view.TrayState) {
	st, hint := now.Status, "Click to pause"
	switch {
	case st.Paused:
		hint = "Click to resume"
	case st.Address == "":
		hint = "See Settings"
	}
	set(s.word, capital(view.Standing(now)))
	set(s.port, "no address")
	if p := view.Port(st); p != "" {
		set(s.port, "port "+p)
	}
	if attends(st) {
		hint = "Needs attention"
	}
	set(s.hint, hint)
	s.dot.set(dotColor(st))
}

// attends tells that something has to be looked at, which comes before a pause.
func attends(st app.Status) bool {
	return st.State == app.Attention && st.Address != "" && !st.Paused
}

// remark says something under the screens' names; "" takes it away.
func (s *sidebar) remark(text string) {
	set(s.note, text)
	show(s.note, text != "")
	s.object.Refresh()
}

func dotColor(st app.Status) fyne.ThemeColorName {
	switch {
	case st.Address == "":
		return theme.ColorNameError
	case st.Paused, st.State == app.Attention:
		return theme.ColorNameWarning
	case st.Active == "offline":
		return theme.ColorNamePlaceHolder
	default:
		return theme.ColorNameSuccess
	}
}

func capital(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if s == "" || s[0] < 'a' || s[0] > 'z' || strings.Contains(first, ".") { // a file's name
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}

// dot is a coloured point; a word always stands beside it.
type dot struct {
	widget.BaseWidget
	color fyne.ThemeColorName
}

func newDot() *dot {
	d := &dot{color: theme.ColorNamePlaceHolder}
	d.ExtendBaseWidget(d)
	return d
}

func (d *dot) set(c fyne.ThemeColorName) {
	if d.color != c {
		d.color = c
		d.Refresh()
	}
}

// CreateRenderer draws the point.
func (d *dot) CreateRenderer() fyne.WidgetRenderer {
	c := canvas.NewCircle(d.now())
	return &dotRenderer{d, c}
}

func (d *dot) now() interface{ RGBA() (r, g, b, a uint32) } {
	return d.Theme().Color(d.color, fyne.CurrentApp().Settings().ThemeVariant())
}

type dotRenderer struct {
	d *dot
	c *canvas.Circle
}

func (r *dotRenderer) Destroy()                     {}
func (r *dotRenderer) Layout(size fyne.Size)        { r.c.Resize(size) }
func (r *dotRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(11) }
func (r *dotRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.c} }
func (r *dotRenderer) Refresh() {
	r.c.FillColor = r.d.now()
	r.c.Refresh()
}
