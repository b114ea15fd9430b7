//go:build !nogui

package ui

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// keysScreen shows the keys of all providers.
type keysScreen struct {
	stage
	s       *shell
	face    fyne.CanvasObject
	problem *notice
	cards   *fyne.Container
	scroll  *scrolling
	empty   fyne.CanvasObject
	lacking fyne.CanvasObject
	loading fyne.CanvasObject
	means   *widget.Label  // what a rest is, where there is one
	asking  *widget.Label  // the keychain is still asked, beside keys that are known
	now     []view.KeyCard // as drawn
	keys    []app.Key
	all     []app.Provider
	buttons []*press
	testing map[view.KeyID]bool
}

// keysRead is what the screen reads.
type keysRead struct {
	cards []view.KeyCard
	ends  time.Time // of the first rest
	keys  []app.Key
	all   []app.Provider
	err   error // of the keychain: the keys are good nevertheless
}

func newKeys(s *shell) *keysScreen {
	k := &keysScreen{stage: stage{crew: s.crew}, s: s, testing: map[view.KeyID]bool{}}
	k.problem = newNotice(newPress("Try again", theme.ViewRefreshIcon(), func() { k.refresh() }))
	k.cards = container.New(&stacked{gap: 10})
	k.empty = empty("No keys yet",
		"Add a provider's key and every tool on this computer can use it, without ever seeing it. Keytray keeps it in the system's keychain, and also finds keys in the environment.",
		newPress("Add a key", theme.ContentAddIcon(), k.add).strong())
	k.empty.Hide()
	k.lacking = empty("No keys found",
		"Without a keychain Keytray uses the keys that it finds in environment variables, such as OPENAI_API_KEY, and those given with --key. None is there.")
	k.lacking.Hide()
	k.loading = empty("Asking the keychain…", "If the system asks for your password, it is to unlock the keyring.")
	k.means, k.asking = quiet(view.RestMeans), quiet("Asking the keychain for more keys…")
	k.means.Hide()
	k.asking.Hide()
	k.scroll = scrolled(k.problem.panel, k.cards, k.means, k.asking)
	add := newPress("Add a key", theme.ContentAddIcon(), k.add).strong()
	k.face = page("Keys", container.NewHBox(add),
		container.NewStack(k.scroll.view, k.empty, k.lacking, k.loading))
	return k
}

func (k *keysScreen) title() string             { return "Keys" }
func (k *keysScreen) icon() fyne.Resource       { return keyIcon() }
func (k *keysScreen) object() fyne.CanvasObject { return k.face }
func (k *keysScreen) enter() {
	k.stage.enter()
	// A locked keychain answers late: the keys that are known are shown meanwhile.
	if known := k.s.k.CachedKeys(); k.loading.Visible() && len(known) > 0 {
		k.draw(k.read(known, view.KeysState{Tests: k.s.tests}), nil)
		k.asking.Show()
	}
	k.refresh()
}

func (k *keysScreen) refresh() {
	tests := maps.Clone(k.s.tests)
	load(&k.stage, func(ctx context.Context) (keysRead, error) {
		now := k.s.now()
		keys, lacking := k.s.k.Keys(ctx)
		today, err := k.s.k.Spend(ctx, app.SpendQuery{From: app.Day(now), By: []app.By{"provider"}, Location: now.Location()})
		r := k.read(keys, view.KeysState{Tests: tests, Today: today, Known: err == nil})
		r.err = lacking
		return r, err
	}, func(r keysRead, err error) {
		k.asking.Hide()
		k.draw(r, err)
	})
}

// read makes the cards of what is known.
func (k *keysScreen) read(keys []app.Key, st view.KeysState) keysRead {
	st.Now, st.Keys, st.Providers, st.Rests = k.s.now(), keys, k.s.k.Providers(), k.s.k.Rests()
	return keysRead{keys: keys, all: st.Providers, ends: view.RestsEnd(st.Rests, st.Now), cards: view.NewKeys(st)}
}

func (k *keysScreen) draw(r keysRead, err error) {
	k.keys, k.all = r.keys, r.all
	k.loading.Hide()
	show(k.means, view.Rests(r.cards))
	if !r.ends.IsZero() {
		k.wake(r.ends.Sub(k.s.now())+time.Second, k.refresh)
	}
	show(k.empty, len(r.cards) == 0 && r.err == nil)
	show(k.lacking, len(r.cards) == 0 && r.err != nil)
	if p, ok := view.KeychainProblem(k.s.state.Status); ok {
		k.problem.say(capital(p.Message), p.Remedy)
	} else if r.err != nil {
		k.problem.say("The keychain cannot be used", capital(r.err.Error()))
	} else if err != nil {
		k.problem.say("Today's cost is not known", capital(err.Error()))
	} else {
		k.problem.say("", "")
	}
	if reflect.DeepEqual(r.cards, k.now) && len(k.testing) == 0 && len(k.buttons) > 0 {
		k.scroll.settle()
		return
	}
	k.now = r.cards
	k.redraw()
}

// redraw makes the cards anew, and leaves the focus where it was.
func (k *keysScreen) redraw() {
	had := ""
	c := k.s.win.Canvas()
	if b, ok := c.Focused().(*press); ok {
		had = b.id
	}
	k.buttons = nil
	cards := make([]fyne.CanvasObject, len(k.now))
	for i, card := range k.now {
		cards[i] = k.card(card)
	}
	k.cards.Objects = cards
	k.cards.Refresh()
	k.scroll.settle()
	for _, b := range k.buttons {
		if had != "" && b.id == had && c.Overlays().Top() == nil {
			c.Focus(b)
		}
	}
}

func (k *keysScreen) card(c view.KeyCard) fyne.CanvasObject {
	parts := []fyne.CanvasObject{container.NewGridWithColumns(2,
		sized(bold(line(c.Name)), theme.SizeNameSubHeadingText), trailing(quietLine(c.Today)))}
	if c.Note != "" {
		n := prose(c.Note)
		n.Importance = widget.WarningImportance
		parts = append(parts, n)
	}
	if c.Rests != "" {
		parts = append(parts, resting(c.Rests))
	}
	for i, l := range c.Keys {
		if i > 0 {
			parts = append(parts, container.New(layout.NewCustomPaddedLayout(5, 3, 7, 7), widget.NewSeparator()))
		}
		parts = append(parts, k.line(c, l))
	}
	return newPanel(container.New(&stacked{gap: 0}, parts...))
}

func (k *keysScreen) line(c view.KeyCard, l view.KeyLine) fyne.CanvasObject {
	key := app.Key{Provider: l.Provider, Label: l.Label, Source: sourceOf(k.keys, l)}
	id := view.KeyID{Provider: l.Provider, Label: l.Label, Source: key.Source}
	hint := line(l.Hint)
	hint.TextStyle.Monospace = true
	use := line(capital(l.Use))
	switch {
	case l.Use == "rests":
		use.Importance = widget.WarningImportance
	case l.InUse:
		use.Importance = widget.SuccessImportance
	default:
		use.Importance = widget.LowImportance
	}
	top := container.New(columns{{}, {width: 96}, {}, {width: 72}}, bold(line(l.Label)), hint, quietLine(capital(l.Where)), use)
	tested := prose(capital(l.Test))
	tint(tested, l.TestTone)
	if l.TestTone == view.Plain {
		tested.Importance = widget.LowImportance
	}
	if k.testing[id] {
		tested.SetText("Asking " + c.Name + "…")
	}
	name := func(what string) string { return l.Provider + "\x00" + l.Label + "\x00" + key.Source + "\x00" + what }
	test := newPress("Test", nil, func() { k.test(key) }).named(name("test"))
	bar := container.NewHBox(test)
	own := []*press{test}
	add := func(text string, f func()) {
		b := newPress(text, nil, f).named(name(text))
		bar.Add(b)
		own = append(own, b)
	}
	if l.Stored {
		add("Rename", func() { k.rename(c, l) })
		add("Replace", func() { k.replace(c, l) })
		add("Remove", func() { k.remove(c, l) })
	}
	if l.Import {
		add("Copy to the keychain", func() { k.copyKey(c, l) })
	}
	k.buttons = append(k.buttons, own...)
	parts := []fyne.CanvasObject{top, around(nil, nil, nil, container.NewVBox(bar), tested)}
	if l.Rests != "" {
		parts = append(parts, resting(l.Rests))
	}
	return container.New(&stacked{gap: -2}, parts...)
}

// resting says who rests, a line each.
func resting(lines string) fyne.CanvasObject {
	all := strings.Split(lines, "\n")
	for i := range all {
		all[i] = capital(all[i])
	}
	n := prose(strings.Join(all, "\n"))
	n.Importance = widget.WarningImportance
	return n
}

func sourceOf(keys []app.Key, l view.KeyLine) string {
	for _, k := range keys {
		if k.Provider == l.Provider && k.Label == l.Label && k.Stored == l.Stored {
			return k.Source
		}
	}
	return ""
}

// test asks the provider about a key.
func (k *keysScreen) test(key app.Key) {
	id := view.KeyID{Provider: key.Provider, Label: key.Label, Source: key.Source}
	if k.testing[id] {
		return
	}
	k.testing[id] = true
	k.redraw()
	var got app.KeyTest
	k.s.crew.act(func(ctx context.Context) (err error) {
		got, err = k.s.k.TestKey(ctx, key.Provider, key.Label)
		return err
	}, func(err error) {
		delete(k.testing, id)
		k.s.keepTest(key, got, err)
		k.now = nil
		k.refresh()
	})
}
