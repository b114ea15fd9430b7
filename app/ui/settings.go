//go:build !nogui

package ui

import (
	"context"
	"net/url"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// prefTheme is light, dark or system.
const prefTheme = "theme"

// settings is the last screen.
type settings struct {
	stage
	s         *shell
	face      fyne.CanvasObject
	scroll    *scrolling
	problems  *fyne.Container
	lines     []view.ProblemLine
	listen    *field
	follow    *press
	listenOK  *widget.Label
	offline   *tick
	without   *choice
	responses *tick
	keep      *choice
	detail    *choice
	sync      *choice
	prices    *choice
	theme     *choice
	drawing   bool // widgets are being set: what they say is no wish of the user
	was       *app.Settings
}

// choice is a select with the chosen one's meaning under it.
type choice struct {
	options []view.Option
	pick    *picker
	text    *widget.Label
	object  fyne.CanvasObject
}

func newChoice(title string, options []view.Option, changed func(id string)) *choice {
	c := &choice{options: options, text: quiet("")}
	c.pick = newPicker(view.Titles(options), func(t string) {
		o := view.Chosen(c.options, t)
		set(c.text, o.Text)
		changed(o.ID)
	})
	c.object = setting(title, container.New(fixedWidth(190), c.pick), c.text)
	show(c.text, options[0].Text != "")
	return c
}

// offer gives other choices.
func (c *choice) offer(options []view.Option) {
	c.options = options
	c.pick.SetOptions(view.Titles(options))
}

func (c *choice) set(id string) {
	if o := view.Chosen(c.options, id); c.pick.Selected != o.Title {
		c.pick.SetSelected(o.Title)
	}
}

// setting is a title with a control beside it and a text under both.
func setting(title string, control fyne.CanvasObject, text fyne.CanvasObject) fyne.CanvasObject {
	return container.New(&stacked{gap: -4}, around(nil, nil, nil, control, line(title)), text)
}

func newSettings(s *shell) *settings {
	v := &settings{stage: stage{crew: s.crew}, s: s, listenOK: quiet("")}
	v.problems = container.New(&stacked{gap: 8})
	v.problems.Hide()
	v.listen = newField("127.0.0.1:5397")
	v.listen.OnSubmitted = func(string) { v.relisten() }
	v.follow = newPress("Apply", nil, v.relisten)
	v.listen.onEscape(func() { v.was = nil; v.refresh() })
	v.offline = newTick(func(on bool) {
		if v.drawing {
			return
		}
		to := "auto"
		if on {
			to = "offline"
		}
		s.use(to)
	})
	v.without = newChoice("Without a token, tools may use", view.WithoutToken(), v.change(func(id string) error { return s.k.SetWithoutToken(id) }))
	v.responses = newTick(func(on bool) {
		v.change(func(string) error { return s.k.SetKeepResponses(on) })("")
	})
	v.keep = newChoice("Keep single calls", view.KeepDays(0), v.keepFor)
	v.detail = newChoice("Keep of each call", view.LedgerDetail(), v.change(func(id string) error { return s.k.SetLedgerDetail(id) }))
	v.sync = newChoice("Write calls to the disk", view.LedgerSync(), v.change(func(id string) error { return s.k.SetLedgerSync(id) }))
	v.prices = newChoice("Look for newer prices", view.PriceUpdates(), v.change(func(id string) error { return s.k.SetPriceUpdate(id) }))
	v.theme = newChoice("Light or dark", view.Themes(), func(id string) {
		if !v.drawing {
			s.fyne.Preferences().SetString(prefTheme, id)
			s.fyne.Settings().SetTheme(look{id})
		}
	})
	address := container.New(fixedWidth(300), around(nil, nil, nil, v.follow, v.listen))
	network := section("Network",
		setting("Listen on", address, v.listenOK),
		rule(),
		setting("Offline", v.offline, quiet("No call leaves this computer; models on it still answer. The tray shows it.")),
		rule(), v.without.object,
		rule(),
		setting("Keep answers of the Responses API", v.responses, quiet("For a day, in memory alone, so that a tool can continue an answer by its id with any model.")))
	kept := section("Record of calls", v.keep.object, rule(), v.detail.object, rule(), v.sync.object)
	prices := section("Prices", v.prices.object, rule(),
		setting("Newer prices now", newPress("Look…", nil, s.lookForPrices), quiet("Asks models.dev, and shows what differs before anything changes.")))
	look := section("Look", v.theme.object)
	keyboard := section("Keyboard", quiet(view.Keyboard(runtime.GOOS)))
	places := []fyne.CanvasObject{}
	for _, p := range view.Places(s.k.Paths()) {
		path := line(p.Path)
		path.TextStyle.Monospace = true
		open := newPress("Open folder", theme.FolderOpenIcon(), func() { v.openFolder(p.Folder) })
		copied := newPress("Copy path", theme.ContentCopyIcon(), func() { s.copy(p.Path) })
		places = append(places, setting(p.Name, container.NewHBox(copied, open), container.New(&stacked{gap: -12}, path, quiet(p.Text))))
	}
	v.scroll = scrolled(v.problems, network, kept, prices, look, keyboard, section("Where data lives", places...))
	v.face = page("Settings", quietLineFree("Keytray "+app.Version), v.scroll.view)
	return v
}

func quietLineFree(s string) *widget.Label {
	l := short(s)
	l.Importance = widget.LowImportance
	return l
}

// rule is a line between two settings, as wide as their text.
func rule() fyne.CanvasObject {
	side := look{}.Size(theme.SizeNameInnerPadding)
	return container.New(layout.NewCustomPaddedLayout(0, 0, side, side), widget.NewSeparator())
}

// section is a panel with a title.
func section(title string, parts ...fyne.CanvasObject) fyne.CanvasObject {
	head := sized(bold(line(title)), theme.SizeNameSubHeadingText)
	return newPanel(container.New(&stacked{gap: 4}, append([]fyne.CanvasObject{head}, parts...)...))
}

func (v *settings) title() string             { return "Settings" }
func (v *settings) icon() fyne.Resource       { return theme.SettingsIcon() }
func (v *settings) object() fyne.CanvasObject { return v.face }

func (v *settings) enter() {
	v.stage.enter()
	v.was = nil
	v.refresh()
}

// refresh takes up the settings: they are in memory.
func (v *settings) refresh() {
	v.drawProblems(view.Problems(v.s.state.Status))
	c := v.s.k.Settings()
	if v.was == c {
		return // or what the user is typing would be lost
	}
	v.was = c
	v.drawing = true
	defer func() { v.drawing = false }()
	v.listen.SetText(c.Listen)
	v.offline.SetChecked(c.Active == "offline")
	v.without.set(string(c.WithoutToken))
	v.responses.SetChecked(c.KeepResponses)
	v.keep.offer(view.KeepDays(c.Ledger.KeepDays))
	v.keep.set(strconv.Itoa(c.Ledger.KeepDays))
	v.detail.set(string(c.Ledger.Detail))
	v.sync.set(string(c.Ledger.Sync))
	v.prices.set(string(c.PriceUpdate))
	v.theme.set(v.s.fyne.Preferences().StringWithFallback(prefTheme, "system"))
	v.sayListen(nil)
	v.scroll.settle()
}

func (v *settings) sayListen(err error) {
	text, level := view.ListenText(v.s.k.Settings().ListenBeyondLoopback), widget.LowImportance
	if err != nil {
		text, level = capital(err.Error()), widget.DangerImportance
	}
	v.listenOK.Importance = level
	v.listenOK.SetText(text)
}

func (v *settings) relisten() {
	addr := v.listen.Text
	v.s.crew.act(func(context.Context) error { return v.s.k.SetListen(addr) }, func(err error) {
		v.sayListen(err)
	})
}

// change writes a setting; what could not be written goes back.
func (v *settings) change(write func(id string) error) func(id string) {
	return func(id string) {
		if v.drawing {
			return
		}
		v.s.crew.act(func(context.Context) error { return write(id) }, func(err error) {
			if err != nil {
				v.s.tell("The setting was not changed", err)
				v.was = nil
				v.refresh()
			}
		})
	}
}

// keepFor changes how long single calls are kept; a shorter time loses some, so
// it asks first.
func (v *settings) keepFor(id string) {
	days, err := strconv.Atoi(id)
	if v.drawing || err != nil {
		return
	}
	if !view.Shorter(v.s.k.Settings().Ledger.KeepDays, days) {
		v.change(func(string) error { return v.s.k.SetKeepDays(days) })(id)
		return
	}
	sh := v.s.ask(question{
		title: "Drop calls older than " + view.Plural(int64(days), "day") + "?",
		text:  "They leave Requests and exports for good. Their sums stay in Spend, by tool, model and key.",
		verb:  "Drop them", grave: true,
		do: func(context.Context, string) error { return v.s.k.SetKeepDays(days) },
	})
	sh.closed = func() { v.was = nil; v.refresh() }
}

func (v *settings) openFolder(folder string) {
	u := &url.URL{Scheme: "file", Path: filepath.ToSlash(folder)}
	v.s.crew.act(func(context.Context) error { return v.s.fyne.OpenURL(u) }, func(err error) {
		if err != nil {
			v.s.tell("The folder cannot be opened", err)
		}
	})
}

func (v *settings) drawProblems(lines []view.ProblemLine) {
	if reflect.DeepEqual(lines, v.lines) {
		return
	}
	v.lines = lines
	var parts []fyne.CanvasObject
	for _, l := range lines {
		n := newNotice()
		n.say(l.Heading(), l.Text())
		parts = append(parts, n.panel)
	}
	v.problems.Objects = parts
	show(v.problems, len(parts) > 0)
	v.problems.Refresh()
	v.scroll.settle()
}

// copied is the list of problems, to send to somebody who can help.
func (v *settings) copied() string {
	text := ""
	for _, l := range v.lines {
		text += l.Title + ": " + l.Text() + "\n"
	}
	return text
}
