//go:build !nogui

package ui

import (
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// compare asks four models, one of which fails.
func compare(s *shell) {
	s.k.(*fake).askErr = errors.New("there is no key for OpenAI: add one with `keytray keys add openai`")
	p := s.all[atPlayground].(*playground)
	for _, m := range []string{"anthropic/claude-sonnet-5-5", "openai/gpt-6-luna", "ollama/qwen3"} {
		p.answers = append(p.answers, p.newAnswer(m))
	}
	p.draw()
	p.prompt.SetText("What is a tray?")
	p.ask()
}

func TestCompareByKeyboard(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atPlayground)
	c := s.win.Canvas()
	p := s.all[atPlayground].(*playground)
	test.Tap(s.button(t, "Add a model"))
	test.Type(c.Focused(), "claude")
	s.press(fyne.KeyReturn)
	test.Tap(s.button(t, "Add a model"))
	test.Type(c.Focused(), "openai/new") // which the list does not know
	s.press(fyne.KeyReturn)
	if got := strings.Join(p.chosen(), " "); got != "demo/echo anthropic/claude-sonnet-5-5 openai/new" {
		t.Fatalf("chosen: %s", got)
	}
	c.Focus(p.prompt)
	ctrlEnter := &desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierShortcutDefault}
	p.prompt.TypedShortcut(ctrlEnter)
	k.asked(t) // an empty question is none
	k.askErr = errors.New("there is no key for OpenAI")
	test.Type(p.prompt, "hi")
	p.prompt.TypedShortcut(ctrlEnter)
	k.asked(t, "ask demo/echo hi", "ask anthropic/claude-sonnet-5-5 hi", "ask openai/new hi")
	for _, want := range []string{"$0.0042 · first 340 ms · 71 tokens/s · 2.3 s", "There is no key for OpenAI", "Sentence 30 of what demo/echo"} {
		if !s.says(want) {
			t.Errorf("the screen does not say %q", want)
		}
	}
	long := p.answers[1]
	for i, o := range s.inView() { // the first answer is scrolled by the keyboard
		if r, ok := o.(*reader); ok && r.scroll == long.scroll {
			c.Focus(s.inView()[i].(fyne.Focusable))
			break
		}
	}
	s.press(fyne.KeyHome)
	home := long.scroll.Offset.Y
	s.press(fyne.KeyEnd)
	if home != 0 || long.scroll.Offset.Y <= 0 {
		t.Errorf("Home scrolls to %v, End to %v", home, long.scroll.Offset.Y)
	}
	s.copyShown()
	if got := s.fyne.Clipboard().Content(); !strings.Contains(got, "anthropic/claude-sonnet-5-5\n$0.0042") {
		t.Errorf("copied %q", got)
	}
	p.remove(p.answers[0])
	if got := s.fyne.Preferences().String(prefCompared); got != "anthropic/claude-sonnet-5-5\nopenai/new" {
		t.Errorf("kept %q", got)
	}
}

func TestNoMoreThanFour(t *testing.T) {
	s := opened(t, newFake(), "light", atPlayground)
	compare(s)
	if !s.all[atPlayground].(*playground).add.Disabled() {
		t.Error("a fifth model can be added")
	}
}
