//go:build !nogui

package ui

import (
	"context"
	"reflect"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// budgets are the limits, a part of the Spend screen.
type budgets struct {
	*panel
	s       *shell
	list    *fyne.Container
	none    *widget.Label
	now     []view.BudgetLine
	scopes  []app.Scope
	changed func()
}

func newBudgets(s *shell, changed func()) *budgets {
	b := &budgets{s: s, changed: changed, list: container.New(&stacked{gap: 2}), none: quiet("")}
	add := newPress("Add a limit", theme.ContentAddIcon(), func() { b.edit(app.Scope{}, true) }).light()
	head := around(nil, nil, sized(bold(short("Budgets")), theme.SizeNameSubHeadingText), container.NewHBox(add))
	b.panel = newPanel(container.New(&stacked{gap: 0}, head, b.none, b.list))
	return b
}

func (b *budgets) draw(r spendRead, err error) {
	b.scopes = r.scopes
	text := "No limit is set: tools may spend as much as your keys allow."
	if err != nil {
		text = "How much of the budgets is used cannot be told without the ledger."
	}
	set(b.none, text)
	show(b.none, len(r.budgets) == 0)
	if reflect.DeepEqual(r.budgets, b.now) {
		return
	}
	b.now = r.budgets
	had := focused(b.s.win.Canvas())
	parts := make([]fyne.CanvasObject, len(r.budgets))
	var buttons []*press
	for i, l := range r.budgets {
		edit := newPress("Edit", nil, func() { b.edit(l.Scope, false) }).named("budget " + l.Scope.Of + " " + l.Scope.Name + l.Amount)
		row := newBudgetRow(edit)
		row.draw(l)
		parts[i] = row.object
		buttons = append(buttons, edit)
	}
	b.list.Objects = parts
	b.list.Refresh()
	refocus(b.s.win.Canvas(), had, buttons)
}

// focused is the id of the button that has the focus.
func focused(c fyne.Canvas) string {
	if b, ok := c.Focused().(*press); ok {
		return b.id
	}
	return ""
}

// refocus gives the focus to the button that stands where the one with that id
// stood.
func refocus(c fyne.Canvas, id string, buttons []*press) {
	for _, b := range buttons {
		if id != "" && b.id == id && c.Overlays().Top() == nil {
			c.Focus(b)
		}
	}
}

// budgetRow is one limit with its meter.
type budgetRow struct {
	object                     fyne.CanvasObject
	title, amount, left, until *widget.Label
	note                       *widget.Label
	meter                      *meter
	body                       *fyne.Container
}

func newBudgetRow(button *press) *budgetRow {
	r := &budgetRow{title: bold(line("")), amount: short(""), left: line(""), until: quietLineFree(""), note: quiet(""), meter: newMeter()}
	inset := container.New(layout.NewCustomPaddedLayout(0, 0, 8, 8), r.meter)
	r.body = container.New(&stacked{gap: -8},
		around(nil, nil, nil, r.amount, r.title), container.New(layout.NewCustomPaddedLayout(6, 6, 0, 0), inset),
		around(nil, nil, nil, r.until, r.left), r.note)
	r.object = around(nil, nil, nil, container.NewCenter(button), r.body)
	return r
}

func (r *budgetRow) draw(l view.BudgetLine) {
	set(r.title, l.Title)
	set(r.amount, l.Amount)
	set(r.left, capital(l.Left))
	r.left.Importance = widget.LowImportance
	if l.Tone == view.Bad {
		r.left.Importance = widget.DangerImportance
	}
	r.left.Refresh()
	set(r.until, l.Until)
	set(r.note, l.Note)
	show(r.note, l.Note != "")
	r.meter.set(l.Share, l.Tone)
	for _, o := range r.body.Objects { // the amount and the moment take the room that they need
		o.Refresh()
	}
}

// edit opens the form of a scope's limits.
func (b *budgets) edit(of app.Scope, choose bool) {
	editBudget(b.s, of, choose, b.scopes, b.changed)
}

// editBudget is the form of the limits of a scope; with choose, of one that the
// person chooses.
func editBudget(s *shell, of app.Scope, choose bool, scopes []app.Scope, done func()) {
	day, month := newField("no limit"), newField("no limit")
	said := prose("")
	tint(said, view.Bad)
	at := view.AtLimits()[0]
	meaning := quiet(at.Text)
	atLimit := newPicker(view.Titles(view.AtLimits()), func(t string) {
		at = view.Chosen(view.AtLimits(), t)
		set(meaning, at.Text)
	})
	fill := func(scope app.Scope) {
		of = scope
		now := s.k.Budget(scope)
		day.SetText(view.PlainUSD(now.Day))
		month.SetText(view.PlainUSD(now.Month))
		atLimit.SetSelected(view.Chosen(view.AtLimits(), now.AtLimit).Title)
	}
	var who fyne.CanvasObject = bold(line(view.ScopeTitle(of)))
	var keys []fyne.Focusable
	if choose {
		var titles []string
		for _, sc := range scopes {
			titles = append(titles, view.ScopeTitle(sc))
		}
		pick := newPicker(titles, nil)
		pick.OnChanged = func(t string) {
			if i := slices.Index(titles, t); i >= 0 {
				fill(scopes[i])
			}
		}
		pick.SetSelectedIndex(0)
		who = container.New(least(fyne.NewSize(200, pick.MinSize().Height)), pick)
		keys = append(keys, pick)
	}
	fill(of)
	var sh *sheet
	busy := false
	save := func(to app.BudgetSettings) {
		if busy {
			return
		}
		busy = true
		s.crew.act(func(context.Context) error { return s.k.SetBudget(of, to) }, func(err error) {
			busy = false
			if err != nil {
				said.SetText("Not saved: " + err.Error())
				return
			}
			sh.close()
			call(done)
		})
	}
	store := newPress("Save", nil, func() {
		to, err := view.ParseBudget(day.Text, month.Text, at.ID)
		if err != nil {
			said.SetText(err.Error())
			return
		}
		save(to)
	}).strong()
	day.OnSubmitted = func(string) { store.OnTapped() }
	month.OnSubmitted = day.OnSubmitted
	buttons := []*press{newPress("Cancel", nil, func() { sh.close() })}
	if !choose {
		buttons = append(buttons, newPress("No limit", nil, func() { save(app.BudgetSettings{}) }).grave())
	}
	buttons = append(buttons, store)
	form := container.New(&stacked{gap: 2}, who,
		container.NewGridWithColumns(2, quietLine("USD a day"), quietLine("USD a month")),
		container.NewGridWithColumns(2, day, month),
		quietLine("At the limit"), atLimit, meaning, said)
	keys = append(keys, day, month, atLimit)
	sh = newSheet(s.win.Canvas(), "Limit what is spent", fyne.NewSize(460, 360), container.NewVScroll(form), keys, buttons...)
}
