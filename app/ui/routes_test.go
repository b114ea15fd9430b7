//go:build !nogui

package ui

import (
	"errors"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"keytray/app"
)

func TestRoutes(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atRoutes)
	for _, want := range []string{
		"The switch stands here", "1. anthropic/claude-sonnet-5-5", "2. Ask several, and take the first answer (the next after 500 ms)",
		"Resting until 12:02:00", "gpt-6-luna at openai", "118/s", "75% gpt-6-luna", "Not served", "groq/llama-4: there is no key for groq", "openai/gpt-6-luna", "82%",
	} {
		if !s.says(want) {
			t.Errorf("the screen does not say %q", want)
		}
	}
	if s.says("End the trial") {
		t.Error("a route that tries nothing can be ended")
	}
	test.Tap(s.button(t, "Turn the switch to Automatic"))
	test.Tap(s.button(t, "Turn the switch here"))
	test.Tap(s.button(t, "Remove"))
	k.doErr = errors.New("the switch stands on safe")
	test.Tap(s.button(t, "Remove"))
	if !s.says("The switch stands on safe") {
		t.Error("it is not said why a route stays")
	}
	k.asked(t, "use auto", "use shares", "remove route safe")
}

func TestRouteForm(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atRoutes)
	test.Tap(s.button(t, "Add a route"))
	c := s.win.Canvas()
	if !s.says("Fallback: names no model") {
		t.Error("a mistake is not told as it is made")
	}
	test.Type(c.Focused(), "cheap")
	fields := s.fields()
	fields[1].SetText("a/b")
	fields[2].SetText("c/d")
	if !s.says("{fallback: [a/b, c/d]}") || !s.says("Nothing is wrong with it.") {
		t.Error("the YAML is not shown, or a mistake is left over")
	}
	test.Tap(s.button(t, "Down"))
	for _, o := range s.inView() {
		if p, ok := o.(*picker); ok {
			p.SetSelected("Cheapest")
		}
	}
	fields = s.fields()
	fields[len(fields)-1].SetText("2.50")
	if !s.says("{cheapest: [c/d, a/b], max_price: 2.50}") && !s.says("{cheapest: [c/d, a/b], max_price: 2.5}") {
		t.Error("the order or an option is lost")
	}
	k.checkErr = errors.New("config.yaml has a mistake and is left as it is")
	fields[len(fields)-1].SetText("2")
	if !s.says("Config.yaml has a mistake and is left as it is") {
		t.Error("what the check says is not shown")
	}
	k.checkErr = nil
	test.Tap(s.button(t, "Save"))
	k.asked(t, "route cheap {cheapest: [c/d, a/b], max_price: 2}")
	if c.Overlays().Top() != nil {
		t.Error("the form stays")
	}
}

// What may be misspelt is told on the card and in the form, and can be saved.
func TestRouteDoubts(t *testing.T) {
	k := newFake()
	k.routes = []app.Route{route("trial", "{split: [{openai/ghost: 3}, {race: [a/b, c/d], weight: 2}], sample: 5%}", false)}
	k.routes[0].Doubts = []string{"no list of openai's models has ghost; did you mean openai/host?", "nobody serves a model named x"}
	s := opened(t, k, "light", atRoutes)
	for _, want := range []string{"No list of openai's models has ghost; did you mean openai/host?", "Nobody serves a model named x."} {
		if !s.says(want) {
			t.Errorf("the screen does not say %q", want)
		}
	}
	test.Tap(s.button(t, "Edit"))
	if !s.says("It can be saved. No list of openai's models has ghost; did you mean openai/host?") {
		t.Error("the form does not say so")
	}
	if f := s.fields(); f[1].Text != "openai/ghost" || f[2].Text != "3" || f[3].Text != "{race: [a/b, c/d]}" || f[4].Text != "2" {
		t.Errorf("the form has %q, %q, %q, %q", f[1].Text, f[2].Text, f[3].Text, f[4].Text)
	}
	test.Tap(s.button(t, "Save"))
	test.Tap(s.button(t, "End the trial"))
	test.Tap(s.button(t, "Take the best one"))
	k.asked(t, "route trial {split: [{openai/ghost: 3}, {race: [a/b, c/d], weight: 2}], sample: 0.05}", "promote trial")
}

func TestRouteAsYAML(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atRoutes)
	r := s.all[atRoutes].(*routesScreen)
	r.editNamed("safe")
	test.Tap(s.button(t, "Edit as YAML"))
	yaml := s.fields()[1]
	if yaml.Text != "{fallback: [anthropic/claude-sonnet-5-5, {race: [gpt-6-luna, ollama/qwen3], after: 500ms}]}" {
		t.Errorf("the YAML is %s", yaml.Text)
	}
	yaml.SetText("falback: [a/b]")
	test.Tap(s.button(t, "Edit as a form"))
	if !s.says("did you mean fallback?") || !yaml.Visible() {
		t.Error("a text with a mistake is turned into a form")
	}
	yaml.SetText("fallback:\n  - a/b\n  - {race: [c/d, e/f]}")
	test.Tap(s.button(t, "Edit as a form"))
	if f := s.fields(); f[2].Text != "{race: [c/d, e/f]}" {
		t.Errorf("the nested target is %q", f[2].Text)
	}
	test.Tap(s.button(t, "Save"))
	k.asked(t, "route safe {fallback: [a/b, {race: [c/d, e/f]}]}")
	r.editNamed("safe")
	s.press(fyne.KeyEscape)
	if s.win.Canvas().Overlays().Top() != nil {
		t.Error("Escape leaves the form open")
	}
}

// fields are all fields in view.
func (s *shell) fields() []*field {
	var out []*field
	for _, o := range s.inView() {
		if f, ok := o.(*field); ok {
			out = append(out, f)
		}
	}
	return out
}
