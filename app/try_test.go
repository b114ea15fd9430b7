package app

import (
	"strings"
	"testing"
)

func TestTryDemoGoesThroughTheFrontDoor(t *testing.T) {
	h := open(t, "without_token: refuse\n") // its own token gets it in
	text, err := h.TryDemo(t.Context(), "is anyone there?")
	if err != nil || !strings.Contains(text, "You said: is anyone there?") {
		t.Fatalf("%q, %v", text, err)
	}
	if r := h.last(); r.Tool != ownTool || r.Provider != demoProvider || r.CostPico == nil || *r.CostPico != 0 {
		t.Errorf("row %+v", r)
	}
	h.SetPaused(true)
	if _, err := h.TryDemo(t.Context(), "and now?"); err == nil || !strings.Contains(err.Error(), "paused") {
		t.Errorf("paused: %v", err)
	}
}

func TestOwnTokenIsNeverEmpty(t *testing.T) {
	a := &App{}
	if a.isOwnToken("") {
		t.Error("no token passes as Keytray's own")
	}
	h := open(t, "")
	for _, token := range []string{"", "x", h.own + "x", h.own[1:]} {
		if h.isOwnToken(token) {
			t.Errorf("%q passes as Keytray's own", token)
		}
	}
}

func TestImportKey(t *testing.T) {
	h := open(t, "", "OPENAI_API_KEY="+canary)
	var from Key
	for _, k := range h.CachedKeys() {
		if k.Provider == "openai" {
			from = k
		}
	}
	if from.Source != "environment" {
		t.Fatalf("found %+v", from)
	}
	if err := h.ImportKey(t.Context(), "openai", from.Label, "work"); err != nil {
		t.Fatal(err)
	}
	all, err := h.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, k := range all {
		if k.Provider == "openai" {
			seen = append(seen, k.Source)
		}
	}
	if strings.Join(seen, " ") != "environment keychain" {
		t.Errorf("keys %v", seen)
	}
	if err := h.ImportKey(t.Context(), "openai", "nothing", ""); err == nil {
		t.Error("a key that is not there was copied")
	}
	for _, s := range []string{h.log.String()} {
		if strings.Contains(s, canary) {
			t.Error("the key is in the log")
		}
	}
}
