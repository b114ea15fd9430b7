//go:build !nogui

package ui

import (
	"context"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// playground puts one question to several models side by side.
type playground struct {
	stage
	s       *shell
	face    fyne.CanvasObject
	prompt  *field
	send    *press
	add     *press
	columns *fyne.Container
	answers []*answer
	models  []app.Model
	empty   fyne.CanvasObject
}

// prefCompared is which models were chosen last, one on a line.
const prefCompared = "compared"

func newPlayground(s *shell) *playground {
	p := &playground{stage: stage{crew: s.crew}, s: s}
	p.prompt = newField("Ask something. Ctrl+Enter sends it.")
	p.prompt.MultiLine = true
	p.prompt.Wrapping = fyne.TextWrapWord
	p.prompt.SetMinRowsVisible(3)
	p.prompt.submit = p.ask
	p.send = newPress("Ask", theme.MailSendIcon(), p.toggle).strong()
	p.add = newPress("Add a model", theme.ContentAddIcon(), p.choose)
	p.columns = container.New(&tiles{})
	p.empty = empty("Compare models", "Choose up to four models or routes, and see their answers side by side, with what each cost and how fast it came.",
		newPress("Choose a model", theme.ContentAddIcon(), p.choose))
	head := around(nil, nil, nil, container.NewVBox(p.send), p.prompt)
	p.face = page("Playground", container.NewHBox(p.add), still(around(container.New(layout.NewCustomPaddedLayout(0, 4, 0, 0), head), nil, nil, nil, container.NewStack(p.columns, p.empty))))
	chosen := strings.Fields(s.fyne.Preferences().StringWithFallback(prefCompared, "demo/echo"))
	for _, m := range chosen[:min(len(chosen), view.MostCompared)] {
		p.answers = append(p.answers, p.newAnswer(m))
	}
	p.draw()
	return p
}

func (p *playground) title() string             { return "Playground" }
func (p *playground) icon() fyne.Resource       { return theme.MediaPlayIcon() }
func (p *playground) object() fyne.CanvasObject { return p.face }
func (p *playground) enter()                    { p.stage.enter(); p.refresh() }

// refresh finds out which models can be asked. Answers under way go on while
// the screen is out of view: they are paid for.
func (p *playground) refresh() {
	if p.models != nil {
		return
	}
	load(&p.stage, func(ctx context.Context) ([]app.Model, error) { return p.s.k.Models(ctx), nil },
		func(all []app.Model, _ error) { p.models = all })
}

func (p *playground) chosen() []string {
	var out []string
	for _, a := range p.answers {
		out = append(out, a.model)
	}
	return out
}

// draw puts the columns in their places.
func (p *playground) draw() {
	parts := make([]fyne.CanvasObject, len(p.answers))
	for i, a := range p.answers {
		parts[i] = a.panel
	}
	p.columns.Objects = parts
	p.columns.Refresh()
	show(p.empty, len(parts) == 0)
	p.enable()
}

// enable lets the buttons do what can be done now.
func (p *playground) enable() {
	running := p.running()
	text, icon := "Ask", theme.MailSendIcon()
	if running {
		text, icon = "Stop", theme.MediaStopIcon()
	}
	if p.send.Text != text {
		p.send.SetIcon(icon)
		p.send.SetText(text)
	}
	enable(p.add, len(p.answers) < view.MostCompared && !running)
	for _, a := range p.answers {
		enable(a.drop, !running)
	}
}

func (p *playground) running() bool {
	return slices.ContainsFunc(p.answers, func(a *answer) bool { return a.cancel != nil })
}

// toggle asks, or stops what is under way.
func (p *playground) toggle() {
	if !p.running() {
		p.ask()
		return
	}
	for _, a := range p.answers {
		a.stop()
	}
}

// ask puts the question to all chosen models at once.
func (p *playground) ask() {
	say := strings.TrimSpace(p.prompt.Text)
	if say == "" || p.running() {
		return
	}
	for _, a := range p.answers {
		a.ask(say)
	}
	p.enable()
}

// choose opens the list of models.
func (p *playground) choose() {
	if len(p.answers) >= view.MostCompared {
		return
	}
	var lines []view.ModelLine
	var list *rows
	var sh *sheet
	search := newField("Search models and routes")
	list = newRows(func() int { return len(lines) },
		func() fyne.CanvasObject {
			return container.New(&stacked{gap: -12}, line(""), sized(quietLine(""), theme.SizeNameCaptionText))
		},
		func(i int, o fyne.CanvasObject) {
			c := o.(*fyne.Container).Objects
			set(c[0].(*widget.Label), lines[i].ID)
			set(c[1].(*widget.Label), capital(lines[i].Note))
		})
	filter := func() {
		lines = view.ModelLines(p.models, search.Text, p.chosen())
		list.UnselectAll()
		list.Refresh()
		list.ScrollToTop()
	}
	take := func(model string) {
		sh.close()
		p.answers = append(p.answers, p.newAnswer(model))
		p.keep()
		p.draw()
	}
	search.OnChanged = func(string) { filter() }
	search.OnSubmitted = func(s string) {
		if s = strings.TrimSpace(s); len(lines) > 0 {
			take(lines[0].ID)
		} else if s != "" && !slices.Contains(p.chosen(), s) {
			take(s) // one that the list does not know
		}
	}
	list.OnSelected = func(i int) { take(lines[i].ID) }
	filter()
	sh = newSheet(p.s.win.Canvas(), "Choose a model", fyne.NewSize(460, 430), around(search, nil, nil, nil, list),
		[]fyne.Focusable{search, list}, newPress("Cancel", nil, func() { sh.close() }))
}

func (p *playground) keep() {
	p.s.fyne.Preferences().SetString(prefCompared, strings.Join(p.chosen(), "\n"))
}

// remove takes a column away.
func (p *playground) remove(a *answer) {
	p.answers = slices.DeleteFunc(p.answers, func(x *answer) bool { return x == a })
	p.keep()
	p.draw()
}

// copied is all answers, each under its model's name.
func (p *playground) copied() string {
	var b strings.Builder
	for _, a := range p.answers {
		b.WriteString(a.model + "\n" + a.facts.Text + "\n\n" + a.text.Text + "\n\n")
	}
	return b.String()
}

// tiles is a layout of parts side by side, in two rows where they would be too
// narrow to read.
type tiles struct{}

const (
	tileGap   = 8
	tileLeast = 190
)

// MinSize is small: the parts scroll.
func (tiles) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 120) }

// Layout shares the room.
func (tiles) Layout(o []fyne.CanvasObject, size fyne.Size) {
	if len(o) == 0 {
		return
	}
	cols := len(o)
	if cols > 2 && size.Width/float32(cols) < tileLeast {
		cols = 2
	}
	lines := (len(o) + cols - 1) / cols
	h := (size.Height - float32(lines-1)*tileGap) / float32(lines)
	for i, part := range o {
		row, col := i/cols, i%cols
		n := min(cols, len(o)-row*cols) // the last row may have fewer, which are wider
		w := (size.Width - float32(n-1)*tileGap) / float32(n)
		part.Move(fyne.NewPos(float32(col)*(w+tileGap), float32(row)*(h+tileGap)))
		part.Resize(fyne.NewSize(w, h))
	}
}
