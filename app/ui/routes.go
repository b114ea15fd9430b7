//go:build !nogui

package ui

import (
	"context"
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// routesScreen shows the routes: who answers, and how it is chosen.
type routesScreen struct {
	stage
	s       *shell
	face    fyne.CanvasObject
	answers *widget.Label
	cards   *fyne.Container
	scroll  *scrolling
	empty   fyne.CanvasObject
	now     []view.RouteCard
	routes  []app.Route
	drawn   bool
	buttons []*press
	fit     fyne.CanvasObject
	fitRows *fyne.Container
	fits    []view.FitLine
}

func newRoutes(s *shell) *routesScreen {
	r := &routesScreen{stage: stage{crew: s.crew}, s: s, cards: container.New(&stacked{gap: 10}), answers: quiet("")}
	add := func() { r.edit(view.RouteForm{Strategy: "fallback"}, true) }
	r.empty = empty("No routes yet",
		"A route is a name for a choice between models: the first that works, the cheapest, the fastest, several at once. Tools ask for it by its name, and the switch can stand on it.",
		newPress("Add a route", theme.ContentAddIcon(), add).strong())
	r.empty.Hide()
	r.fitRows = container.New(&stacked{gap: 2})
	r.fit = section("What judges found", quiet("Each verdict of a judge or a split counts for the model and the kind of task. Smart goes by it too."), inCard(tight(r.fitRows)))
	r.fit.Hide()
	r.scroll = scrolled(r.answers, r.cards, r.fit)
	r.face = page("Routes", container.NewHBox(newPress("Add a route", theme.ContentAddIcon(), add).strong()),
		container.NewStack(r.scroll.view, r.empty))
	return r
}

func (r *routesScreen) title() string             { return "Routes" }
func (r *routesScreen) icon() fyne.Resource       { return routesIcon() }
func (r *routesScreen) object() fyne.CanvasObject { return r.face }
func (r *routesScreen) enter()                    { r.stage.enter(); r.refresh() }

// routesRead is what the screen reads.
type routesRead struct {
	routes []app.Route
	cards  []view.RouteCard
	fit    []view.FitLine
}

func (r *routesScreen) refresh() {
	load(&r.stage, func(context.Context) (routesRead, error) {
		all := r.s.k.Routes()
		return routesRead{all, view.NewRoutes(all, r.s.now()), view.NewFit(r.s.k.Fit())}, nil
	}, func(read routesRead, _ error) { r.draw(read) })
}

func (r *routesScreen) draw(read routesRead) {
	r.routes = read.routes
	set(r.answers, "The switch stands on "+view.Choice(r.s.state.Choices, r.s.state.Status.Active)+". A tool that asks for a route by its name gets it wherever the switch stands.")
	show(r.empty, len(read.cards) == 0)
	show(r.scroll.view, len(read.cards) > 0)
	r.drawFit(read.fit)
	if reflect.DeepEqual(read.cards, r.now) && r.drawn {
		r.scroll.settle()
		return
	}
	r.now, r.drawn = read.cards, true
	had := focused(r.s.win.Canvas())
	r.buttons = nil
	parts := make([]fyne.CanvasObject, len(read.cards))
	for i, c := range read.cards {
		parts[i] = r.card(c)
	}
	r.cards.Objects = parts
	r.cards.Refresh()
	r.scroll.settle()
	refocus(r.s.win.Canvas(), had, r.buttons)
}

// mostFits bounds the table of verdicts.
const mostFits = 60

func (r *routesScreen) drawFit(fit []view.FitLine) {
	show(r.fit, len(fit) > 0)
	if reflect.DeepEqual(fit, r.fits) {
		return
	}
	r.fits = fit
	cols := columns{{title: "Task", width: 90}, {title: "Model"}, {title: "Fit", width: 60, right: true}, {title: "Judged", width: 80, right: true}}
	parts := []fyne.CanvasObject{cols.head()}
	for _, f := range fit[:min(len(fit), mostFits)] {
		row := cols.row()
		fill(row, capital(f.Task), f.Model, f.Score, f.Calls)
		parts = append(parts, row)
	}
	r.fitRows.Objects = parts
	r.fitRows.Refresh()
}

func (r *routesScreen) card(c view.RouteCard) fyne.CanvasObject {
	bar := container.NewHBox()
	add := func(text string, f func()) {
		b := newPress(text, nil, f).named("route " + c.Name + "\x00" + text)
		bar.Add(b)
		r.buttons = append(r.buttons, b)
	}
	stands := trailing(line(""))
	if c.Active {
		stands.SetText("The switch stands here")
		stands.Importance = widget.SuccessImportance
		add("Turn the switch to Automatic", func() { r.s.use("auto") })
	} else {
		add("Turn the switch here", func() { r.s.use(c.Name) })
	}
	if c.Trial {
		add("End the trial", func() { r.promote(c.Name) })
	}
	add("Edit", func() { r.editNamed(c.Name) })
	add("Remove", func() { r.remove(c.Name) })
	parts := []fyne.CanvasObject{container.NewGridWithColumns(2, sized(bold(line(c.Name)), theme.SizeNameSubHeadingText), stands)}
	for _, b := range c.Tree {
		parts = append(parts, container.New(layout.NewCustomPaddedLayout(0, 0, float32(20*b.Depth), 0), prose(b.Text)))
	}
	for _, said := range c.Doubts {
		doubt := prose(said)
		tint(doubt, view.Busy)
		parts = append(parts, doubt)
	}
	tree := container.New(&stacked{gap: -10}, parts...)
	return newPanel(container.New(&stacked{gap: 4}, tree, inCard(tight(paceTable(c.Paces))), bar))
}

// paceTable is how the models of a route do of late.
func paceTable(paces []view.PaceLine) fyne.CanvasObject {
	cols := columns{{title: "Model"}, {title: "First", width: 66, right: true}, {title: "Tokens", width: 56, right: true}, {title: "Now", width: 150}}
	parts := []fyne.CanvasObject{cols.head()}
	for _, p := range paces {
		row := cols.row()
		fill(row, p.Name, p.First, p.Speed, capital(p.State))
		tone(row, 3, p.Tone)
		parts = append(parts, row)
	}
	for _, p := range paces {
		if p.Why != "" {
			why := prose(p.Why)
			tint(why, view.Bad)
			parts = append(parts, why)
		}
	}
	return container.New(&stacked{gap: 2}, parts...)
}

func (r *routesScreen) editNamed(name string) {
	for _, x := range r.routes {
		if x.Name == name {
			r.edit(view.NewRouteForm(name, x.Target), false)
			return
		}
	}
}

// promote ends a trial.
func (r *routesScreen) promote(name string) {
	r.s.ask(question{
		title: "End the trial " + name + "?", text: "From then on the route leads to the model whose answers were judged best. What judges found is kept.",
		verb: "Take the best one",
		do:   func(ctx context.Context, _ string) error { _, err := r.s.k.Promote(ctx, name); return err },
		done: func(string) { r.refresh() },
	})
}

func (r *routesScreen) remove(name string) {
	r.s.ask(question{
		title: "Remove the route " + name + "?", text: "Tools that ask for " + name + " get an error from then on. What it cost stays in the ledger.",
		verb: "Remove", grave: true,
		do:   func(context.Context, string) error { return r.s.k.RemoveRoute(name) },
		done: func(string) { r.refresh() },
	})
}
