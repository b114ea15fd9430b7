//go:build !nogui

package ui

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"
)

func TestExport(t *testing.T) {
	k := newFake()
	t.Setenv("HOME", t.TempDir())
	s := opened(t, k, "light", atSpend)
	test.Tap(s.button(t, "Export…"))
	path := s.win.Canvas().Focused().(*field)
	if name := filepath.Base(path.Text); name != "keytray-calls-2026-11-15-to-2026-11-21.csv" {
		t.Errorf("the file is called %s", name)
	}
	for _, o := range s.inView() {
		if p, ok := o.(*picker); ok {
			p.SetSelectedIndex(1)
		}
	}
	if filepath.Ext(path.Text) != ".json" {
		t.Errorf("JSON goes to %s", path.Text)
	}
	to := filepath.Join(t.TempDir(), "calls.json")
	path.SetText(to)
	k.bookErr = errors.New("read the ledger: disk I/O error")
	test.Tap(s.button(t, "Export"))
	if _, err := os.Stat(to); err == nil || !s.says("Read the ledger: disk I/O error") {
		t.Error("half a file is left, or nothing is said")
	}
	k.bookErr = nil
	test.Tap(s.button(t, "Export"))
	b, err := os.ReadFile(to)
	if err != nil || strings.Count(string(b), "\n") != len(k.rows) || !s.says("6 calls are in "+to) {
		t.Errorf("%v %s", err, b)
	}
	test.Tap(s.button(t, "Export…"))
	s.win.Canvas().Focused().(*field).SetText(to)
	test.Tap(s.button(t, "Export"))
	if !s.says("is there already: choose another name") {
		t.Error("a file that is there is written over, or nothing is said")
	}
}
