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
	s      *shell
	list   []*step
	keys   *press
	try    *press
	said   *widget.Label
	busy   bool
	hasKey bool
	see    *press
	pause  *widget.Activity
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
	st.keys = newPress("Add a key", theme.ContentAddIcon(), func() {
		s.choose(atKeys)
		if !st.hasKey {
			s.all[atKeys].(*keysScreen).add()
		}
	}).strong()
	parts := []fyne.CanvasObject{bold(short("Three steps to the first call"))}
	for range 3 {
		p := &step{mark: widget.NewIcon(nil), title: bold(line("")), text: quiet("")}
		st.list = append(st.list, p)
		parts = append(parts, around(nil, nil, container.New(layout.NewCustomPaddedLayout(8, 0, 6, 0), container.NewVBox(p.mark)), nil, container.New(&stacked{gap: -10}, p.title, p.text)))
	}
	parts = append(parts,
		container.NewHBox(st.keys, st.try, st.see, st.pause),
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
	st.hasKey = len(v) > 0 && v[0].Done
	if st.hasKey && st.keys.Text != "Open Keys" {
		st.keys.SetIcon(nil)
		st.keys.SetText("Open Keys")
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
