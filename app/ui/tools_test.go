//go:build !nogui

package ui

import (
	"errors"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"keytray/app"
)

func TestToolsAndTokens(t *testing.T) {
	k := newFake()
	k.doubts = []string{"nobody serves a model named saef; did you mean safe?"}
	s := opened(t, k, "light", atTools)
	for _, want := range []string{"Nobody serves a model named saef; did you mean safe?", "Last used 1 min ago", "May ask for all of openai and safe", "$4.31 of $5.00 today: $0.69 left", "Never used", "its token is KEYTRAY_TOKEN", "Today $0.41 · this month $3.70 + 1 unpriced", "can be shown again"} {
		if !s.says(want) {
			t.Errorf("the screen does not say %q", want)
		}
	}
	test.Tap(s.button(t, "Show token"))
	test.Tap(s.button(t, "Copy"))
	if got := s.fyne.Clipboard().Content(); got != "kt-local-3nuwdicpbetmndds7b3pr3j2xy2imih6rh3u" {
		t.Errorf("copied %q", got)
	}
	test.Tap(s.button(t, "Close"))
	test.Tap(s.button(t, "Rotate"))
	test.Tap(s.button(t, "Rotate"))
	if !s.says("kt-local-") {
		t.Error("the new token is not shown")
	}
	test.Tap(s.button(t, "Close"))
	test.Tap(s.button(t, "Revoke"))
	test.Tap(s.button(t, "Revoke"))
	k.asked(t, "token aider", "rotate aider", "revoke aider")
	if s.says("kt-local-") {
		t.Error("a token is still in the window")
	}
	k.doErr = errors.New("the token of aider was shown once")
	test.Tap(s.button(t, "Show token"))
	if !s.says("The token of aider was shown once") {
		t.Error("it is not said why a token cannot be shown")
	}
}

func TestAddAToolWithoutAKeychain(t *testing.T) {
	k := bare()
	k.keysErr = errors.New("none")
	k.status.Problems = []app.Problem{{About: "keychain", Message: "there is none"}}
	s := opened(t, k, "light", atTools)
	test.Tap(s.button(t, "Add a tool"))
	test.Type(s.win.Canvas().Focused(), "editor")
	test.Tap(s.button(t, "Make a token"))
	k.asked(t, "token editor")
	if !s.says("The token of editor is shown this once") || !s.says("Copy it now.") {
		t.Error("it is not said that the token is shown once")
	}
}

func TestToolModels(t *testing.T) {
	k := newFake()
	s := opened(t, k, "light", atTools)
	v := s.all[atTools].(*toolsScreen)
	v.models(v.now[1])
	entry, ok := s.win.Canvas().Focused().(*field)
	if !ok || entry.Text != "openai/\nsafe" {
		t.Fatal("the models are not there to edit")
	}
	entry.SetText("a/b\n c/ ")
	test.Tap(s.button(t, "Save"))
	v.models(v.now[1])
	s.win.Canvas().Focused().(*field).SetText("")
	test.Tap(s.button(t, "Save"))
	k.asked(t, "models codex a/b,c/", "models codex ")
}

func TestStrangersAreShown(t *testing.T) {
	k := newFake()
	k.status.Strangers = app.Strangers{Count: 3, Last: noon.Add(-2 * time.Minute)}
	s := opened(t, k, "light", atTools)
	if !s.says("3 calls came with an unknown token since Keytray started, the last one 2 min ago") {
		t.Error("strangers are not told")
	}
}
