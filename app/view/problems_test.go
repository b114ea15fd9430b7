package view

import (
	"errors"
	"testing"

	"keytray/app"
)

func TestTroubles(t *testing.T) {
	listen := app.Problem{About: "listen", Message: "another program uses 127.0.0.1:5397 already: stop it", Grave: true}
	config := app.Problem{About: "config", Message: "config.yaml, line 4: active: no route antropic", Remedy: "use auto", Grave: true}
	ledger := app.Problem{About: "ledger", Message: "the disk is full", Remedy: "free some space", Grave: true}
	keychain := app.Problem{About: "keychain", Message: "the login keyring is locked"}
	prices := app.Problem{About: "prices", Message: "prices.json is damaged", Remedy: "remove it", Grave: true}
	unread := errors.New("read the ledger: disk I/O error")
	for _, c := range []struct {
		name        string
		problems    []app.Problem
		failed      error
		title, text string
	}{
		{name: "nothing"},
		{name: "a light one", problems: []app.Problem{keychain}},
		{"one", []app.Problem{keychain, listen}, nil, "No tool can call Keytray", "Another program uses 127.0.0.1:5397 already: stop it."},
		{"a file's name", []app.Problem{config}, nil, "Settings need attention", "config.yaml, line 4: active: no route antropic.\nUse auto."},
		{"prices", []app.Problem{prices}, nil, "Prices need attention", "prices.json is damaged.\nRemove it."},
		{"two", []app.Problem{config, listen}, nil, "Settings need attention", "config.yaml, line 4: active: no route antropic.\nUse auto.\nSettings shows 1 more problem."},
		{
			"the ledger",
			[]app.Problem{keychain},
			unread, "The ledger cannot be read",
			"Read the ledger: disk I/O error.\nTry again. If that does not help, restart Keytray: it sets a damaged ledger aside and begins a new one.",
		},
		{"the ledger, known", []app.Problem{ledger}, unread, "Ledger needs attention", "The disk is full.\nFree some space."},
		{"one and the ledger", []app.Problem{listen}, unread, "No tool can call Keytray", "Another program uses 127.0.0.1:5397 already: stop it.\nSettings shows 1 more problem."},
	} {
		title, text := Troubles(app.Status{Problems: c.problems}, c.failed)
		if title != c.title || text != c.text {
			t.Errorf("%s: %q, %q\nwant %q, %q", c.name, title, text, c.title, c.text)
		}
	}
	if _, text := LedgerTrouble(app.Status{Problems: []app.Problem{ledger}}, unread); text != "Read the ledger: disk I/O error.\nFree some space." {
		t.Errorf("the known remedy is not told: %q", text)
	}
}
