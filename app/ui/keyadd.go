//go:build !nogui

package ui

import (
	"context"
	"net/url"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// adding is the sheet that takes a new key.
type adding struct {
	k      *keysScreen
	sheet  *sheet
	search *field
	list   *rows
	lines  []view.ProviderLine
	chosen view.ProviderLine

	name   *widget.Label
	note   *widget.Label
	link   *widget.Hyperlink
	label  *field
	secret *field
	said   *widget.Label
	test   *press
	save   *press
	busy   bool
}

// add asks for a new key.
func (k *keysScreen) add() {
	a := &adding{k: k, name: bold(line("Choose a provider")), note: quiet(""), said: prose("")}
	a.search = newField("Search providers")
	a.search.OnChanged = func(string) { a.filter() }
	a.list = newRows(func() int { return len(a.lines) },
		func() fyne.CanvasObject {
			return container.New(&stacked{gap: -12}, line(""), sized(quietLine(""), theme.SizeNameCaptionText))
		},
		func(i int, o fyne.CanvasObject) {
			c := o.(*fyne.Container).Objects
			n := c[0].(*widget.Label)
			n.Importance = widget.MediumImportance
			if !a.lines[i].Usable {
				n.Importance = widget.LowImportance
			}
			n.SetText(a.lines[i].Name)
			set(c[1].(*widget.Label), capital(a.lines[i].Note))
		})
	a.list.OnSelected = func(i int) { a.choose(a.lines[i]) }
	a.link = widget.NewHyperlink("Get a key from the provider", nil)
	a.link.Hide()
	a.label = newField("default")
	a.secret = newSecretField("Paste the key")
	a.secret.OnChanged = func(string) { a.enable(); set(a.said, "") }
	a.secret.OnSubmitted = func(string) { a.store() }
	a.test = newPress("Test", nil, a.ask)
	a.save = newPress("Save", nil, a.store).strong()
	cancel := newPress("Cancel", nil, func() { a.sheet.close() })
	form := container.New(&stacked{gap: 4}, a.name, a.note, a.link,
		quietLine("Label, to tell several keys apart"), a.label, quietLine("Key"), a.secret, a.said)
	left := around(a.search, nil, nil, nil, a.list)
	body := container.New(columns{{width: 230}, {width: 12}, {}}, left, widget.NewLabel(""), container.NewVScroll(form))
	a.filter()
	a.enable()
	keys := []fyne.Focusable{a.search, a.list, a.label, a.secret}
	a.sheet = newSheet(k.s.win.Canvas(), "Add a key", fyne.NewSize(680, 430), body, keys, cancel, a.test, a.save)
	a.sheet.closed = func() { a.secret.SetText("") }
}

func (a *adding) filter() {
	a.lines = view.ProviderLines(a.k.all, a.search.Text)
	a.list.UnselectAll()
	a.list.Refresh()
	a.list.ScrollToTop()
}

func (a *adding) choose(l view.ProviderLine) {
	a.chosen = l
	set(a.name, l.Name)
	set(a.note, capital(l.Note))
	show(a.note, l.Note != "")
	u, err := url.Parse(l.KeysURL)
	a.link.SetURL(u)
	show(a.link, err == nil && l.KeysURL != "")
	set(a.said, "")
	a.enable()
	if l.Usable {
		a.k.s.win.Canvas().Focus(a.secret)
	}
}

func (a *adding) ready() bool {
	return a.chosen.Usable && strings.TrimSpace(a.secret.Text) != ""
}

func (a *adding) enable() {
	enable(a.test, a.ready())
	enable(a.save, a.ready())
}

func (a *adding) say(text string, t view.Tone) {
	tint(a.said, t)
	a.said.SetText(text)
}

// ask tests the key before it is stored.
func (a *adding) ask() {
	if !a.ready() || a.busy {
		return
	}
	a.work("Asking " + a.chosen.Name + "…")
	provider, secret := a.chosen.ID, a.secret.Text
	var got app.KeyTest
	a.k.s.crew.act(func(ctx context.Context) (err error) {
		got, err = a.k.s.k.TestSecret(ctx, provider, secret)
		return err
	}, func(err error) {
		a.busy = false
		switch {
		case err != nil:
			a.say(capital(err.Error()), view.Bad)
		case !got.OK:
			a.say(a.chosen.Name+" said "+got.Said, view.Bad)
		default:
			a.say("Works: "+got.Said+" ("+view.Took(got.Took)+")", view.Good)
		}
	})
}

// store puts the key into the keychain.
func (a *adding) store() {
	if !a.ready() || a.busy {
		return
	}
	a.work("Storing the key in the keychain…")
	provider, label, secret := a.chosen.ID, strings.TrimSpace(a.label.Text), strings.TrimSpace(a.secret.Text)
	a.k.s.crew.act(func(ctx context.Context) error { return a.k.s.k.AddKey(ctx, provider, label, secret) }, func(err error) {
		a.busy = false
		if err != nil {
			a.say("Not stored: "+err.Error(), view.Bad)
			return
		}
		a.sheet.close()
		a.k.refresh()
	})
}

func (a *adding) work(text string) {
	a.busy = true // the buttons stay enabled, or the keyboard would lose its place
	a.say(text, view.Plain)
}
