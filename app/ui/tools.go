//go:build !nogui

package ui

import (
	"context"
	"reflect"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"keytray/app"
	"keytray/app/view"
)

// toolsScreen shows the tools: their tokens, what they may do and spent.
type toolsScreen struct {
	stage
	s        *shell
	face     fyne.CanvasObject
	problem  *notice
	strange  *notice
	kept     fyne.CanvasObject
	keptText string
	cards    *fyne.Container
	scroll   *scrolling
	empty    fyne.CanvasObject
	loading  fyne.CanvasObject
	now      []view.ToolCard
	drawn    bool
	buttons  []*press
}

func newTools(s *shell) *toolsScreen {
	t := &toolsScreen{stage: stage{crew: s.crew}, s: s, cards: container.New(&stacked{gap: 10})}
	t.problem = newNotice(newPress("Try again", theme.ViewRefreshIcon(), func() { t.refresh() }))
	t.strange = newNotice()
	kept := quiet("")
	t.kept = kept
	t.empty = empty("No tool has a token yet",
		"Give each tool a token of its own as its API key: then its calls and costs are told apart, it can have a limit, and it can be shut out alone.",
		newPress("Add a tool", theme.ContentAddIcon(), t.add).strong())
	t.empty.Hide()
	t.loading = empty("Reading…", "")
	t.scroll = scrolled(t.problem.panel, t.strange.panel, kept, t.cards)
	add := newPress("Add a tool", theme.ContentAddIcon(), t.add).strong()
	t.face = page("Tools", container.NewHBox(add), container.NewStack(t.scroll.view, t.empty, t.loading))
	return t
}

func (t *toolsScreen) title() string             { return "Tools" }
func (t *toolsScreen) icon() fyne.Resource       { return theme.ComputerIcon() }
func (t *toolsScreen) object() fyne.CanvasObject { return t.face }
func (t *toolsScreen) enter()                    { t.stage.enter(); t.refresh() }

func (t *toolsScreen) refresh() {
	load(&t.stage, func(ctx context.Context) ([]view.ToolCard, error) {
		all, err := t.s.k.Tools(ctx)
		st := view.ToolsState{Now: t.s.now(), Tools: all, Known: err == nil}
		if err == nil {
			st.Limits = t.s.k.Limits()
		}
		return view.NewTools(st), err
	}, t.draw)
}

func (t *toolsScreen) draw(cards []view.ToolCard, err error) {
	t.loading.Hide()
	title, text := "", ""
	if err != nil {
		title, text = "What the tools spent is not known", capital(err.Error())
	}
	t.problem.say(title, text)
	st := t.s.state.Status
	title, text = "", view.StrangersText(st.Strangers, t.s.now())
	if text != "" {
		title = "Unknown tokens"
	}
	t.strange.say(title, text)
	nothing := len(cards) == 0 && st.Strangers.Count == 0
	show(t.empty, nothing && err == nil)
	show(t.scroll.view, !nothing || err != nil)
	if kept := view.TokensKept(st); kept != t.keptText {
		t.keptText = kept
		t.kept.(interface{ SetText(string) }).SetText(kept)
	}
	if reflect.DeepEqual(cards, t.now) && t.drawn {
		t.scroll.settle()
		return
	}
	t.now, t.drawn = cards, true
	had := focused(t.s.win.Canvas())
	t.buttons = nil
	parts := make([]fyne.CanvasObject, len(cards))
	for i, c := range cards {
		parts[i] = t.card(c)
	}
	t.cards.Objects = parts
	t.cards.Refresh()
	t.scroll.settle()
	refocus(t.s.win.Canvas(), had, t.buttons)
}

func (t *toolsScreen) card(c view.ToolCard) fyne.CanvasObject {
	bar := container.NewHBox()
	add := func(text string, f func()) {
		b := newPress(text, nil, f).named("tool " + c.Name + "\x00" + text)
		bar.Add(b)
		t.buttons = append(t.buttons, b)
	}
	switch {
	case c.Static:
	case c.Has:
		add("Show token", func() { t.show(c.Name) })
		add("Rotate", func() { t.rotate(c.Name) })
		add("Revoke", func() { t.revoke(c.Name) })
	default:
		add("Make a token", func() { t.show(c.Name) })
	}
	add("Models", func() { t.models(c) })
	add("Limit", func() { editBudget(t.s, app.Scope{Of: "tool", Name: c.Name}, false, nil, t.refresh) })
	parts := []fyne.CanvasObject{
		sized(bold(line(c.Name)), theme.SizeNameSubHeadingText), quietLine(capital(c.Token)), line(c.Models),
	}
	for _, said := range c.Doubts {
		doubt := prose(said)
		tint(doubt, view.Busy)
		parts = append(parts, doubt)
	}
	if c.Spent != "" {
		parts = append(parts, line(c.Spent))
	}
	for _, l := range c.Limits {
		m := newMeter()
		m.set(l.Share, l.Tone)
		words := line(l.Amount + ": " + l.Left)
		if l.Tone == view.Bad {
			tint(words, l.Tone)
		}
		parts = append(parts, words, container.New(layout.NewCustomPaddedLayout(8, 8, 8, 8), m))
	}
	return newPanel(container.New(&stacked{gap: 4}, container.New(&stacked{gap: -10}, parts...), bar))
}

func (t *toolsScreen) add() {
	entry := newField("my-editor")
	var got app.TokenText
	t.s.ask(question{
		title: "Add a tool", text: "Any name of letters, digits, dots and dashes. The tool gets a token of its own, to send as its API key.",
		verb: "Make a token", entry: entry,
		do:   func(ctx context.Context, name string) (err error) { got, err = t.s.k.Token(ctx, name); return err },
		done: func(string) { t.refresh(); t.give(got) },
	})
}

// show gets the token, which makes it if there is none, and shows it.
func (t *toolsScreen) show(tool string) {
	var got app.TokenText
	t.s.crew.act(func(ctx context.Context) (err error) { got, err = t.s.k.Token(ctx, tool); return err }, func(err error) {
		if err != nil {
			t.s.tell("The token cannot be shown", err, app.Remedy(err))
			return
		}
		t.refresh()
		t.give(got)
	})
}

func (t *toolsScreen) rotate(tool string) {
	var got app.TokenText
	t.s.ask(question{
		title: "Give " + tool + " a new token?", text: "The old one is refused from the next call on: the tool has to be given the new one.",
		verb: "Rotate",
		do:   func(ctx context.Context, _ string) (err error) { got, err = t.s.k.RotateToken(ctx, tool); return err },
		done: func(string) { t.refresh(); t.give(got) },
	})
}

func (t *toolsScreen) revoke(tool string) {
	t.s.ask(question{
		title: "Revoke the token of " + tool + "?",
		text:  "Its calls are refused from now on. What it spent stays in the ledger, and its limits and allowed models stay in config.yaml.",
		verb:  "Revoke", grave: true,
		do:   func(ctx context.Context, _ string) error { return t.s.k.RevokeToken(ctx, tool) },
		done: func(string) { t.refresh() },
	})
}

// give shows a token, to be copied.
func (t *toolsScreen) give(got app.TokenText) {
	token := prose(got.Text)
	token.TextStyle.Monospace = true
	token.Selectable = true
	parts := []fyne.CanvasObject{quiet("The tool sends this as its API key, to the base URL " + t.s.state.Status.BaseURL() + " (OpenAI's SDKs: with /v1 behind it)."), token}
	if got.Note != "" {
		n := newNotice()
		n.say(capital(got.Note), capital(got.Fixed))
		parts = append(parts, n.panel)
	}
	var sh *sheet
	var copied *press
	copied = newPress("Copy", theme.ContentCopyIcon(), func() {
		t.s.copy(got.Text)
		copied.SetText("Copied")
	}).strong()
	done := newPress("Close", nil, func() { sh.close() })
	sh = newSheet(t.s.win.Canvas(), "Token of "+got.Tool, fyne.NewSize(520, 250), container.NewVScroll(container.New(&stacked{gap: 4}, parts...)), nil, done, copied)
	sh.closed = func() { token.SetText("") }
}

// models edits what a tool may ask for.
func (t *toolsScreen) models(c view.ToolCard) {
	entry := newField("everything")
	entry.MultiLine = true
	entry.SetText(strings.Join(c.May, "\n"))
	t.s.ask(question{
		title: "What " + c.Name + " may ask for",
		text:  "Models and routes, one on a line; PROVIDER/ stands for all of a provider's. Nothing is everything.",
		verb:  "Save", entry: entry, blank: true,
		do:   func(_ context.Context, text string) error { return t.s.k.SetToolModels(c.Name, view.ParseModels(text)) },
		done: func(string) { t.refresh() },
	})
}
