//go:build !nogui

package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"

	"keytray/app/view"
)

// question is a sheet with a text, perhaps an entry, and one thing to do.
type question struct {
	title, text, verb string
	entry             *field // nil for none
	grave             bool
	blank             bool // the entry may be empty, and is a tall one
	do                func(ctx context.Context, entered string) error
	done              func(entered string)
}

// ask puts the question; the sheet stays until it is done or cancelled.
func (s *shell) ask(q question) *sheet {
	said := prose("")
	tint(said, view.Bad)
	parts := []fyne.CanvasObject{prose(q.text)}
	var keys []fyne.Focusable
	var sh *sheet
	var verb *press
	busy := false
	run := func() {
		entered := ""
		if q.entry != nil {
			if entered = strings.TrimSpace(q.entry.Text); entered == "" && !q.blank {
				return
			}
		}
		if busy {
			return
		}
		busy = true
		s.crew.act(func(ctx context.Context) error { return q.do(ctx, entered) }, func(err error) {
			busy = false
			if err != nil {
				said.SetText(capital(err.Error()))
				return
			}
			sh.close()
			if q.done != nil {
				q.done(entered)
			}
		})
	}
	verb = newPress(q.verb, nil, run)
	if q.grave {
		verb.grave()
	} else {
		verb.strong()
	}
	if q.entry != nil {
		q.entry.OnSubmitted = func(string) { run() }
		if q.blank {
			parts = append(parts, container.New(layout.NewCustomPaddedLayout(0, 0, 0, 2), container.New(least(fyne.NewSize(200, 140)), q.entry)))
		} else {
			parts = append(parts, q.entry)
		}
		keys = append(keys, q.entry)
	}
	parts = append(parts, said)
	cancel := newPress("Cancel", nil, func() { sh.close() })
	body := container.New(&stacked{gap: 6}, parts...)
	const width, around = 480, 106 // what is above and beneath the body
	body.Resize(fyne.NewSize(width-20, 0))
	size := fyne.NewSize(width, body.MinSize().Height+around)
	sh = newSheet(s.win.Canvas(), q.title, size, container.NewVScroll(body), keys, cancel, verb)
	return sh
}

func (k *keysScreen) rename(c view.KeyCard, l view.KeyLine) {
	entry := newField("New label")
	entry.SetText(l.Label)
	k.s.ask(question{
		title: "Rename a key of " + c.Name, text: "The label is what rows of the ledger and this window call the key. Calls made before keep the old one.",
		verb: "Rename", entry: entry,
		do:   func(ctx context.Context, to string) error { return k.s.k.RenameKey(ctx, l.Provider, l.Label, to) },
		done: func(string) { k.refresh() },
	})
}

func (k *keysScreen) replace(c view.KeyCard, l view.KeyLine) {
	entry := newSecretField("Paste the new key")
	sh := k.s.ask(question{
		title: "Replace the key " + l.Label + " of " + c.Name, text: "The new key signs from the next call on. The old one stays valid at the provider until you delete it there.",
		verb: "Replace", entry: entry,
		do: func(ctx context.Context, secret string) error {
			return k.s.k.ReplaceKey(ctx, l.Provider, l.Label, secret)
		},
		done: func(string) { k.s.dropTests(l.Provider, l.Label); k.refresh() },
	})
	sh.closed = func() { entry.SetText("") }
}

func (k *keysScreen) remove(c view.KeyCard, l view.KeyLine) {
	k.s.ask(question{
		title: "Remove the key " + l.Label + " of " + c.Name + "?",
		text:  view.WhatStops(k.keys, l.Provider, c.Name, l.Label, k.s.state.Status.Active),
		verb:  "Remove", grave: true,
		do:   func(ctx context.Context, _ string) error { return k.s.k.RemoveKey(ctx, l.Provider, l.Label) },
		done: func(string) { k.s.dropTests(l.Provider, l.Label); k.refresh() },
	})
}

func (k *keysScreen) copyKey(c view.KeyCard, l view.KeyLine) {
	entry := newField("default")
	entry.SetText("default")
	k.s.ask(question{
		title: "Copy a key of " + c.Name + " to the keychain",
		text:  "The key " + l.Where + " is used while it is there. A copy in the keychain is there for a Keytray that starts without it. The label of the copy:",
		verb:  "Copy", entry: entry,
		do:   func(ctx context.Context, label string) error { return k.s.k.ImportKey(ctx, l.Provider, l.Label, label) },
		done: func(string) { k.refresh() },
	})
}
