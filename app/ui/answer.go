//go:build !nogui

package ui

import (
	"context"
	"strings"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// answer is one model's column.
type answer struct {
	p      *playground
	model  string
	panel  *panel
	facts  *widget.Label
	said   *widget.Label
	text   *widget.Label
	scroll *container.Scroll
	drop   *press
	cancel context.CancelFunc // nil: nothing is under way

	mu   sync.Mutex // pieces come on another goroutine than they are drawn on
	come strings.Builder
	due  bool // a drawing of what has come is due
}

func (p *playground) newAnswer(model string) *answer {
	a := &answer{p: p, model: model, facts: sized(quiet("Not asked yet"), theme.SizeNameCaptionText), said: prose(""), text: prose("")}
	a.text.Selectable = true
	a.said.Hide()
	a.drop = newPress("", theme.CancelIcon(), func() { p.remove(a) }).light()
	a.scroll = container.NewVScroll(container.New(&stacked{}, a.said, a.text))
	head := around(nil, nil, nil, a.drop, bold(line(model)))
	a.panel = newPanel(around(container.New(&stacked{gap: -8}, head, a.facts), nil, nil, nil, newReader(a.scroll)))
	return a
}

func (a *answer) stop() {
	if a.cancel != nil {
		a.cancel()
	}
}

// drawPace is the time between two drawings of an answer that comes.
const drawPace = 50 * time.Millisecond

// ask begins an answer.
func (a *answer) ask(say string) {
	c := a.p.s.crew
	ctx, cancel := context.WithCancel(c.ctx)
	a.cancel = cancel
	a.mu.Lock()
	a.come.Reset()
	a.mu.Unlock()
	a.text.SetText("")
	show(a.said, false)
	set(a.facts, "Asking…")
	type end struct {
		got app.Answer
		err error
	}
	// With the crew's own ctx, so that the end of one that is stopped is drawn.
	later(c, c.ctx, func(context.Context) end {
		got, err := a.p.s.k.Ask(ctx, a.model, say, a.more)
		return end{got, err}
	}, func(e end) {
		cancel()
		a.cancel = nil
		a.ended(e.got, e.err)
		a.p.enable()
	})
}

// more takes a piece in, and has it drawn soon.
func (a *answer) more(piece string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.come.WriteString(piece)
	c := a.p.s.crew
	if c.inline || a.due {
		return
	}
	a.due = true
	time.AfterFunc(drawPace, func() {
		if c.ctx.Err() == nil {
			fyne.Do(a.draw)
		}
	})
}

// draw shows what has come, and stays at its end if it was there.
func (a *answer) draw() {
	a.mu.Lock()
	text := a.come.String()
	a.due = false
	a.mu.Unlock()
	if a.cancel == nil || text == a.text.Text {
		return
	}
	a.show(text)
}

func (a *answer) show(text string) {
	atEnd := a.atEnd()
	a.text.SetText(text)
	for range 2 { // wrapped text knows its height only after it was given a width
		a.scroll.Content.Refresh()
		a.scroll.Refresh()
	}
	if atEnd {
		a.scroll.ScrollToBottom()
	}
}

func (a *answer) ended(got app.Answer, err error) {
	if got.Text != a.text.Text {
		a.show(got.Text)
	}
	atEnd := a.atEnd()
	f := view.NewAnswerFacts(got, err)
	set(a.facts, f.Line)
	set(a.said, f.Said)
	tint(a.said, f.Tone)
	a.said.Refresh()
	show(a.said, f.Said != "")
	for range 2 { // wrapped text knows its height only after it was given a width
		a.panel.Refresh()
		a.scroll.Content.Refresh()
		a.scroll.Refresh()
	}
	if atEnd {
		a.scroll.ScrollToBottom()
	}
}

// atEnd tells whether the end of the text is in view.
func (a *answer) atEnd() bool {
	return a.scroll.Offset.Y+a.scroll.Size().Height >= a.scroll.Content.MinSize().Height-1
}

// reader lets the keyboard scroll a text.
type reader struct {
	*tile
	scroll *container.Scroll
}

func newReader(s *container.Scroll) *reader {
	r := &reader{tile: &tile{content: s}, scroll: s}
	r.ExtendBaseWidget(r)
	return r
}

// TypedKey scrolls.
func (r *reader) TypedKey(e *fyne.KeyEvent) {
	page := r.scroll.Size().Height - 20
	by := map[fyne.KeyName]float32{fyne.KeyUp: -40, fyne.KeyDown: 40, fyne.KeyPageUp: -page, fyne.KeyPageDown: page, fyne.KeyHome: -1e6, fyne.KeyEnd: 1e6}[e.Name]
	if by == 0 {
		return
	}
	most := max(0, r.scroll.Content.MinSize().Height-r.scroll.Size().Height)
	r.scroll.ScrollToOffset(fyne.NewPos(0, min(most, max(0, r.scroll.Offset.Y+by))))
}
