//go:build !nogui

package ui

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"keytray/app"
	"keytray/app/view"
)

// Reconciler compares the ledger with what providers say they charged.
type Reconciler interface {
	Reporters() []app.Reporter
	Reconcile(ctx context.Context, q app.ReconcileQuery) (app.Reconciled, error)
}

// comparing is the sheet that lays a provider's report beside the ledger.
type comparing struct {
	s      *shell
	sheet  *sheet
	ctx    context.Context // ends with the sheet, or with a newer question
	cancel context.CancelFunc

	sources  []view.ReportSource
	provider *picker
	span     *picker
	fetch    *press
	file     *press
	addKey   *press
	link     *widget.Hyperlink
	said     *widget.Label
	verdict  *widget.Label
	sums     *widget.Label
	list     *rows
	table    *panel
	reasons  *widget.Label
	why      *fyne.Container
	none     fyne.CanvasObject
	busy     fyne.CanvasObject
	start    fyne.CanvasObject
	shown    view.Reconcile
}

// compareColumns are those of the comparison.
func compareColumns() columns {
	return columns{
		{title: "Day", width: 92},
		{title: "Model"},
		{title: "Theirs", width: 92, right: true},
		{title: "Ours", width: 92, right: true},
		{title: "Gap", width: 92, right: true},
		{title: "Likely", width: 180, from: medium},
	}
}

// compare opens the sheet.
func (s *shell) compare() *comparing {
	c := &comparing{s: s, cancel: func() {}}
	c.sources = view.ReportSources(s.k.Reporters(), s.k.Providers())
	var names, spans []string
	for _, x := range c.sources {
		names = append(names, view.Clip(x.Name, 32))
	}
	for _, r := range view.Ranges() {
		spans = append(spans, r.Title)
	}
	c.provider, c.span = newPicker(names, nil), newPicker(spans, nil)
	c.fetch = newPress("Fetch", theme.DownloadIcon(), c.ask).strong()
	c.file = newPress("Open a CSV…", theme.FolderOpenIcon(), c.open)
	c.addKey = newPress("Add the key…", nil, c.key)
	c.link = widget.NewHyperlink("Where such a key is made", nil)
	c.said = prose("")
	c.verdict, c.sums = sized(bold(line("")), theme.SizeNameSubHeadingText), quietLine("")
	cols := compareColumns()
	c.list = newRows(func() int { return len(c.shown.Rows) },
		func() fyne.CanvasObject { return tight(cols.row()) },
		func(i int, o fyne.CanvasObject) {
			x, row := c.shown.Rows[i], o.(*container.ThemeOverride).Content
			fill(row, x.Day, x.Model, x.Theirs, x.Ours, x.Gap, x.Why)
		})
	c.list.HideSeparators = true
	c.list.OnSelected = func(int) { c.list.UnselectAll() }
	c.table = newPanel(around(tight(cols.head()), nil, nil, nil, c.list))
	c.reasons = prose("")
	c.why = container.New(least(fyne.NewSize(0, 112)), container.NewVScroll(c.reasons))
	c.none = empty("Nothing to compare", "Neither the report nor the ledger has anything in these days.")
	c.busy = empty("Asking the provider…", "A report of a month can take some seconds.")
	c.start = empty("What did the provider charge?", "Fetch its own cost report, or open the CSV that its console exports, and Keytray lays it beside the ledger: day by day in UTC, model by model.")

	head := container.New(&stacked{gap: 2},
		container.NewHBox(c.provider, c.span, c.fetch, c.file),
		c.said, container.NewHBox(c.addKey, c.link), container.New(&stacked{gap: -12}, c.verdict, c.sums))
	body := around(head, c.why, nil, nil, container.NewStack(c.table, c.none, c.busy, c.start))
	done := newPress("Close", nil, func() { c.sheet.close() })
	keys := []fyne.Focusable{c.provider, c.span, c.fetch, c.file, c.addKey, c.list}
	c.provider.OnChanged = func(string) { c.choose() }
	c.sheet = newSheet(s.win.Canvas(), "Compare with a provider's report", fyne.NewSize(880, 590), body, keys, done)
	c.sheet.closed = func() { c.cancel() }
	c.span.SetSelectedIndex(2) // 30 days
	c.provider.SetSelectedIndex(0)
	return c
}

// source is the provider that is chosen.
func (c *comparing) source() (x view.ReportSource) {
	if i := c.provider.SelectedIndex(); i >= 0 {
		x = c.sources[i]
	}
	return x
}

// choose shows what can be done with the provider.
func (c *comparing) choose() {
	c.cancel()
	x := c.source()
	enable(c.fetch, x.HasKey)
	show(c.addKey, x.Fetches && !x.HasKey)
	u, err := url.Parse(x.KeyURL)
	c.link.SetURL(u)
	show(c.link, x.Fetches && !x.HasKey && err == nil)
	c.draw(c.start, view.Reconcile{})
	c.say(x.Note, view.Plain)
}

func (c *comparing) say(text string, t view.Tone) {
	tint(c.said, t)
	c.said.SetText(text)
	show(c.said, text != "")
	c.sheet.pop.Content.Refresh()
}

// key asks for the key that reads the report.
func (c *comparing) key() {
	x := c.source()
	c.s.ask(question{
		title: "Add an " + x.KeyName + " of " + x.Name,
		text:  "It reads the cost report and signs no call. It is kept in the keychain, and sent to " + x.Name + " alone.",
		verb:  "Save", entry: newSecretField("Paste the key"),
		do: func(ctx context.Context, secret string) error { return c.s.k.AddKey(ctx, x.ID, "admin", secret) },
		done: func(string) {
			c.sources = view.ReportSources(c.s.k.Reporters(), c.s.k.Providers())
			c.choose()
		},
	})
}

// ask fetches the report.
func (c *comparing) ask() {
	x := c.source()
	if !x.HasKey {
		return
	}
	c.run(func(ctx context.Context) (app.Reconciled, error) {
		return c.s.k.Reconcile(ctx, c.query(x.ID))
	})
}

// query is the chosen span of UTC days.
func (c *comparing) query(id string) app.ReconcileQuery {
	from, to := view.ReportDays(c.s.now(), view.Ranges()[c.span.SelectedIndex()].Days)
	return app.ReconcileQuery{Provider: id, From: from, To: to}
}

// open asks for a file; all days that it has are compared.
func (c *comparing) open() {
	c.s.chooseFile("Open an exported cost report", downloads(), []string{".csv", ".tsv"}, c.read)
}

func (c *comparing) read(path string) {
	x := c.source()
	c.run(func(ctx context.Context) (app.Reconciled, error) {
		f, err := os.Open(path)
		if err != nil {
			return app.Reconciled{}, err
		}
		defer f.Close()
		return c.s.k.Reconcile(ctx, app.ReconcileQuery{Provider: x.ID, CSV: f})
	})
}

// run works beside Fyne and shows what came of it.
func (c *comparing) run(work func(context.Context) (app.Reconciled, error)) {
	c.cancel()
	c.ctx, c.cancel = context.WithCancel(c.s.crew.ctx)
	type result struct {
		r   app.Reconciled
		err error
	}
	c.draw(c.busy, view.Reconcile{})
	c.say("", view.Plain)
	name := c.source().Name
	later(c.s.crew, c.ctx, func(ctx context.Context) result {
		r, err := work(ctx)
		return result{r, err}
	}, func(got result) {
		if c.sheet.pop == nil {
			return
		}
		if got.err != nil {
			c.fail(got.err)
			return
		}
		v := view.NewReconcile(got.r, name)
		if v.Empty {
			c.draw(c.none, v)
		} else {
			c.draw(c.table, v)
		}
		c.say(capital(strings.Join(v.Notes, ". ")), view.Plain)
	})
}

func (c *comparing) fail(err error) {
	c.draw(c.start, view.Reconcile{})
	var none *app.NoAdminKey
	if errors.As(err, &none) { // it was taken away meanwhile
		c.sources = view.ReportSources(c.s.k.Reporters(), c.s.k.Providers())
		c.choose()
		return
	}
	c.say(capital(err.Error()), view.Bad)
}

// draw shows one of the states, with the figures of v.
func (c *comparing) draw(state fyne.CanvasObject, v view.Reconcile) {
	c.shown = v
	for _, o := range []fyne.CanvasObject{c.table, c.none, c.busy, c.start} {
		show(o, o == state)
	}
	full := state == fyne.CanvasObject(c.table)
	show(c.verdict, full)
	show(c.sums, full)
	show(c.why, full && len(v.Reasons) > 0)
	set(c.verdict, v.Verdict)
	set(c.sums, v.Title+" · theirs "+v.Theirs+" · ours "+v.Ours+" · gap "+v.Gap)
	set(c.reasons, strings.Join(v.Reasons, "\n"))
	c.list.Refresh()
	c.list.ScrollToTop()
}
