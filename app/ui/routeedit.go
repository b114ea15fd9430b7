//go:build !nogui

package ui

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// routeEdit is the sheet that adds or changes a route, as a form or as YAML.
type routeEdit struct {
	r        *routesScreen
	sheet    *sheet
	form     view.RouteForm
	name     *field
	strategy *picker
	meaning  *widget.Label
	targets  *fyne.Container
	options  *fyne.Container
	fields   *fyne.Container // all of the form but the name
	yaml     *field
	preview  *widget.Label
	said     *widget.Label
	mode     *press
	scroll   *container.Scroll
	asYAML   bool
	checking bool
	again    bool
	busy     bool
}

// edit opens the form; a new route's name is asked for.
func (r *routesScreen) edit(f view.RouteForm, isNew bool) {
	if f.Options == nil {
		f.Options = map[string]string{}
	}
	for isNew && len(f.Targets) < 2 {
		f.Targets = append(f.Targets, view.FormTarget{})
	}
	e := &routeEdit{r: r, form: f, meaning: quiet(""), said: prose(""), preview: quiet("")}
	e.preview.TextStyle.Monospace = true
	e.name = newField("a name, such as safe")
	e.name.SetText(f.Name)
	e.name.OnChanged = func(s string) { e.form.Name = s; e.check() }
	if !isNew {
		e.name.Disable()
	}
	e.strategy = newPicker(view.Titles(view.Strategies()), nil)
	e.strategy.SetSelected(view.StrategyOf(f.Strategy).Title)
	e.strategy.OnChanged = func(t string) {
		e.form.Strategy = view.Chosen(view.Strategies(), t).ID
		e.rebuild()
		e.check()
	}
	e.targets, e.options = container.New(&stacked{gap: 4}), container.New(&stacked{gap: 2})
	e.yaml = newField("{fallback: [first/model, second/model]}")
	e.yaml.MultiLine = true
	e.yaml.Wrapping = fyne.TextWrapWord
	e.yaml.SetMinRowsVisible(7)
	e.yaml.OnChanged = func(string) { e.check() }
	e.yaml.Hide()
	e.mode = newPress("Edit as YAML", nil, e.turn).light()
	e.fields = container.New(&stacked{gap: 4}, e.strategy, e.meaning, e.targets, e.options, quietLine("As it is written to config.yaml"), e.preview)
	body := container.New(&stacked{gap: 4}, around(nil, nil, nil, e.mode, e.name), e.fields, e.yaml)
	e.scroll = container.NewVScroll(body)
	cancel := newPress("Cancel", nil, func() { e.sheet.close() })
	save := newPress("Save", nil, e.save).strong()
	keys := []fyne.Focusable{e.name, e.mode, e.strategy, e.yaml}
	if !isNew {
		keys = keys[1:]
	}
	title := "Add a route"
	if !isNew {
		title = "The route " + f.Name
	}
	e.sheet = newSheet(r.s.win.Canvas(), title, fyne.NewSize(660, 580), around(nil, e.said, nil, nil, e.scroll), keys, cancel, save)
	e.rebuild()
	e.check()
}

// rebuild makes the rows of targets and options anew.
func (e *routeEdit) rebuild() {
	f := &e.form
	set(e.meaning, view.StrategyOf(f.Strategy).Text)
	var rows []fyne.CanvasObject
	for i := range f.Targets {
		if f.Strategy != "" || i == 0 {
			rows = append(rows, e.target(i))
		}
	}
	if f.Strategy != "" {
		add := newPress("One more", theme.ContentAddIcon(), func() {
			f.Targets = append(f.Targets, view.FormTarget{})
			e.rebuild()
			e.check()
		}).light()
		add.onEscape(e.close)
		rows = append(rows, container.NewHBox(add))
	}
	e.targets.Objects = rows
	var options []fyne.CanvasObject
	for _, o := range view.FormOptions(f.Strategy) {
		entry := newField(o.Hint)
		entry.SetText(f.Options[o.Name])
		entry.OnChanged = func(s string) { f.Options[o.Name] = s; e.check() }
		entry.onEscape(e.close)
		options = append(options, container.NewGridWithColumns(2, line(o.Title), entry))
	}
	e.options.Objects = options
	for range 2 { // wrapped text knows its height only after it was given a width
		e.targets.Refresh()
		e.options.Refresh()
		e.fields.Refresh()
		e.scroll.Content.Refresh()
		e.scroll.Refresh()
	}
}

func (e *routeEdit) close() { e.sheet.close() }

// target is the row of one target.
func (e *routeEdit) target(i int) fyne.CanvasObject {
	f := &e.form
	entry := newField("provider/model, a route, or {strategy: [...]}")
	entry.SetText(f.Targets[i].Text)
	entry.OnChanged = func(s string) { f.Targets[i].Text = s; e.check() }
	entry.onEscape(e.close)
	if f.Strategy == "" {
		return entry
	}
	move := func(by int) {
		if j := i + by; j >= 0 && j < len(f.Targets) {
			f.Targets[i], f.Targets[j] = f.Targets[j], f.Targets[i]
			e.rebuild()
			e.check()
		}
	}
	bar := container.NewHBox()
	if view.Weighs(f.Strategy) {
		weight := newField("weight")
		weight.SetText(f.Targets[i].Weight)
		weight.OnChanged = func(s string) { f.Targets[i].Weight = s; e.check() }
		weight.onEscape(e.close)
		bar.Add(container.New(fixedWidth(76), weight))
	}
	for _, b := range []struct {
		text string
		icon fyne.Resource
		do   func()
		off  bool
	}{
		{"Up", theme.MoveUpIcon(), func() { move(-1) }, i == 0},
		{"Down", theme.MoveDownIcon(), func() { move(1) }, i == len(f.Targets)-1},
		{"Drop", theme.ContentRemoveIcon(), func() {
			f.Targets = append(f.Targets[:i:i], f.Targets[i+1:]...)
			e.rebuild()
			e.check()
		}, len(f.Targets) == 1},
	} {
		button := newPress(b.text, b.icon, b.do).light()
		button.onEscape(e.close)
		enable(button, !b.off)
		bar.Add(button)
	}
	return around(nil, nil, nil, bar, entry)
}

// text is the route's YAML as it stands in the sheet.
func (e *routeEdit) text() string {
	if e.asYAML {
		return e.yaml.Text
	}
	return e.form.YAML()
}

// turn goes between the form and YAML. A text with a mistake stays text.
func (e *routeEdit) turn() {
	if !e.asYAML {
		e.asYAML = true
		e.yaml.SetText(e.form.YAML())
	} else {
		t, err := app.ParseRoute(e.yaml.Text)
		if err != nil {
			e.say(view.Mistake(err), view.Bad)
			return
		}
		e.asYAML = false
		e.form = view.NewRouteForm(e.form.Name, t)
		changed := e.strategy.OnChanged
		e.strategy.OnChanged = nil
		e.strategy.SetSelected(view.StrategyOf(e.form.Strategy).Title)
		e.strategy.OnChanged = changed
		e.rebuild()
	}
	show(e.yaml, e.asYAML)
	show(e.fields, !e.asYAML)
	e.mode.SetText(map[bool]string{true: "Edit as a form", false: "Edit as YAML"}[e.asYAML])
	e.scroll.Content.Refresh()
	e.check()
}

func (e *routeEdit) say(text string, t view.Tone) {
	tint(e.said, t)
	e.said.SetText(text)
}

// check asks what is wrong with the route; of checks that are asked for while
// one is under way, the last is done.
func (e *routeEdit) check() {
	text := e.text()
	if t, err := app.ParseRoute(text); err == nil {
		text = t.String()
	}
	set(e.preview, text)
	if e.checking {
		e.again = true
		return
	}
	e.checking = true
	name, yaml := e.form.Name, e.text()
	var doubts []string
	e.r.s.crew.act(func(context.Context) (err error) { doubts, err = e.r.s.k.CheckRoute(name, yaml); return err }, func(err error) {
		e.checking = false
		switch {
		case e.again:
			e.again = false
			e.check()
		case err != nil:
			e.say(view.Mistake(err), view.Bad)
		case len(doubts) > 0:
			e.say("It can be saved. "+strings.Join(view.Sentences(doubts), " "), view.Busy)
		default:
			e.say("Nothing is wrong with it.", view.Good)
		}
	})
}

func (e *routeEdit) save() {
	if e.busy {
		return
	}
	e.busy = true
	name, yaml := e.form.Name, e.text()
	e.r.s.crew.act(func(context.Context) error { return e.r.s.k.SetRoute(name, yaml) }, func(err error) {
		e.busy = false
		if err != nil {
			e.say("Not saved: "+view.Mistake(err), view.Bad)
			return
		}
		e.sheet.close()
		e.r.refresh()
	})
}
