//go:build !nogui

package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app/view"
)

// steps are what a newcomer does first; each ticks itself.
type steps struct {
	*panel
	s     *shell
	list  []*step
	next  *press // the first thing that is still to do
	try   *press
	said  *widget.Label
	busy  bool
	see   *press
	pause *widget.Activity
}

type step struct {
	mark        *widget.Icon
	title, text *widget.Label
}

func newSteps(s *shell) *steps {
	st := &steps{s: s, said: prose(""), pause: widget.NewActivity()}
	st.try = newPress("Try the demo model", theme.MediaPlayIcon(), st.demo)
	st.see = newPress("Show its row", theme.ListIcon(), func() { s.choose(atRequests) })
	st.see.Hide()
	st.said.Hide()
	st.pause.Hide()
	st.next = newPress("", nil, nil).strong()
	parts := []fyne.CanvasObject{bold(short("Three steps to the first call"))}
	for range 3 {
		p := &step{mark: widget.NewIcon(nil), title: bold(line("")), text: quiet("")}
		st.list = append(st.list, p)
		parts = append(parts, around(nil, nil, container.New(layout.NewCustomPaddedLayout(8, 0, 6, 0), container.NewVBox(p.mark)), nil, container.New(&stacked{gap: -10}, p.title, p.text)))
	}
	parts = append(parts,
		container.New(layout.NewCustomPaddedLayout(0, 0, look{}.Size(theme.SizeNameInnerPadding), 0), container.NewHBox(st.next, st.try, st.see, st.pause)),
		quiet("The demo model needs no key and costs nothing: it shows the whole path of a call, and its row."), st.said)
	st.panel = newPanel(container.New(&stacked{gap: 2}, parts...))
	st.panel.Hide()
	return st
}

func (st *steps) draw(v []view.Step) {
	for i, s := range v {
		p := st.list[i]
		icon, word := theme.RadioButtonIcon(), s.Title
		if s.Done {
			icon, word = theme.NewSuccessThemedResource(theme.ConfirmIcon()), s.Title+": done"
		}
		p.mark.SetResource(icon)
		set(p.title, word)
		set(p.text, s.Text)
	}
	text, icon, do := "Add a key", theme.ContentAddIcon(), func() { st.s.choose(atKeys); st.s.all[atKeys].(*keysScreen).add() }
	switch {
	case len(v) == 0 || !v[0].Done:
	case !v[1].Done:
		text, icon, do = "Open Keys", keyIcon(), func() { st.s.choose(atKeys) }
	default:
		text, icon, do = "Open Tools", theme.ComputerIcon(), func() { st.s.choose(atTools) }
	}
	st.next.OnTapped = do
	if st.next.Text != text {
		st.next.SetIcon(icon)
		st.next.SetText(text)
	}
	show(st.panel, len(v) > 0)
}

// demo really calls the demo model, through the front door.
func (st *steps) demo() {
	if st.busy {
		return
	}
	st.busy = true
	st.pause.Show()
	st.pause.Start()
	answer := ""
	st.s.crew.act(func(ctx context.Context) (err error) {
		answer, err = st.s.k.TryDemo(ctx, "Hello from the Keytray window!")
		return err
	}, func(err error) {
		st.pause.Stop()
		st.pause.Hide()
		st.busy = false
		if err != nil {
			st.said.Importance = widget.DangerImportance
			st.said.SetText("The demo model could not be called: " + err.Error())
		} else {
			st.said.Importance = widget.MediumImportance
			st.said.SetText("It answered:\n" + answer)
			st.see.Show()
		}
		st.said.Show()
		st.s.all[atOverview].refresh()
	})
}
