//go:build !nogui

package ui

import (
	"context"
	"net/url"
	"path/filepath"
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
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
	s        *shell
	face     fyne.CanvasObject
	scroll   *scrolling
	problems *fyne.Container
	lines    []view.ProblemLine
	listen   *field
	follow   *press
	listenOK *widget.Label
	offline  *tick
	without  *choice
	sync     *choice
	theme    *choice
	drawing  bool // widgets are being set: what they say is no wish of the user
	was      *app.Settings
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
		o := view.Chosen(options, t)
		set(c.text, o.Text)
		changed(o.ID)
	})
	c.object = setting(title, container.New(fixedWidth(190), c.pick), c.text)
	show(c.text, options[0].Text != "")
	return c
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
	v.sync = newChoice("Keep the ledger", view.LedgerSync(), v.change(func(id string) error { return s.k.SetLedgerSync(id) }))
	v.theme = newChoice("Light or dark", view.Themes(), func(id string) {
		if !v.drawing {
			s.fyne.Preferences().SetString(prefTheme, id)
			s.fyne.Settings().SetTheme(look{id})
		}
	})
	address := container.New(fixedWidth(300), around(nil, nil, nil, v.follow, v.listen))
	network := section("Network",
		setting("Listen on", address, v.listenOK),
		widget.NewSeparator(),
		setting("Offline", v.offline, quiet("No call leaves this computer; models on it still answer. The tray shows it.")),
		widget.NewSeparator(), v.without.object)
	kept := section("Ledger", container.New(&stacked{gap: -12}, v.sync.object, quiet("A change here holds from the next start.")))
	look := section("Look", v.theme.object)
	places := []fyne.CanvasObject{}
	for _, p := range view.Places(s.k.Paths()) {
		path := line(p.Path)
		path.TextStyle.Monospace = true
		open := newPress("Open folder", theme.FolderOpenIcon(), func() { v.openFolder(p.Folder) })
		copied := newPress("Copy path", theme.ContentCopyIcon(), func() { s.copy(p.Path) })
		places = append(places, setting(p.Name, container.NewHBox(copied, open), container.New(&stacked{gap: -12}, path, quiet(p.Text))))
	}
	v.scroll = scrolled(v.problems, network, kept, look, section("Where data lives", places...))
	v.face = page("Settings", quietLineFree("Keytray "+app.Version), v.scroll.view)
	return v
}

func quietLineFree(s string) *widget.Label {
	l := short(s)
	l.Importance = widget.LowImportance
	return l
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
	v.sync.set(string(c.Ledger.Sync))
	v.theme.set(v.s.fyne.Preferences().StringWithFallback(prefTheme, "system"))
	v.sayListen(nil)
	v.scroll.settle()
}

func (v *settings) sayListen(err error) {
	text, level := "Only programs on this computer can call this address. Tools have to be told when it changes.", widget.LowImportance
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
		text := capital(l.Message)
		if l.Remedy != "" {
			text += "\n" + capital(l.Remedy)
		}
		n.say(l.Heading(), text)
		parts = append(parts, n.panel)
	}
	v.problems.Objects = parts
	v.problems.Refresh()
	v.scroll.settle()
}

// copied is the list of problems, to send to somebody who can help.
func (v *settings) copied() string {
	text := ""
	for _, l := range v.lines {
		text += l.Title + ": " + l.Message + "\n" + l.Remedy + "\n"
	}
	return text
}
