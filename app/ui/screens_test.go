//go:build !nogui

package ui

import (
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"

	"keytray/app"
	"keytray/app/view"
)

// picture writes what the window shows to the folder that KEYTRAY_SCREENSHOTS
// names, if it names one.
func (s *shell) picture(t *testing.T, name string) {
	t.Helper()
	folder := os.Getenv("KEYTRAY_SCREENSHOTS")
	if folder == "" {
		return
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(folder, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, s.win.Canvas().Capture()); err != nil {
		t.Fatal(err)
	}
}

var screenNames = []string{"overview", "keys", "routes", "tools", "spend", "requests", "playground", "settings"}

// TestScreens draws every screen in every state, light and dark, at the usual
// and at the least size. Nothing may stick out of the window.
func TestScreens(t *testing.T) {
	for state, make := range map[string]func() *fake{"full": newFake, "empty": bare, "error": broken, "long": long} {
		for i, name := range screenNames {
			for _, choice := range []string{"light", "dark"} {
				t.Run(name+"-"+state+"-"+choice, func(t *testing.T) {
					k := make()
					s := opened(t, k, choice, i)
					if i == atKeys && len(k.keys) > 0 {
						s.keepTest(k.keys[0], k.test, k.testErr)
						s.all[atKeys].refresh()
					}
					s.picture(t, name+"-"+state+"-"+choice)
					if min := s.win.Content().MinSize(); min.Width > 720 || min.Height > 480 {
						t.Errorf("the window cannot be smaller than %v", min)
					}
					s.win.Resize(fyne.NewSize(720, 480))
					if choice == "light" {
						s.picture(t, name+"-"+state+"-small")
					}
				})
			}
		}
	}
}

// TestScreensOfSheets draws the sheets.
func TestScreensOfSheets(t *testing.T) {
	for name, open := range map[string]func(s *shell){
		"sheet-add": func(s *shell) { s.choose(atKeys); s.all[atKeys].(*keysScreen).add() },
		"sheet-remove": func(s *shell) {
			s.choose(atKeys)
			k := s.all[atKeys].(*keysScreen)
			k.remove(k.now[0], k.now[0].Keys[0])
		},
		"sheet-route": func(s *shell) { s.choose(atRoutes); s.all[atRoutes].(*routesScreen).editNamed("shares") },
		"sheet-route-yaml": func(s *shell) {
			s.choose(atRoutes)
			s.all[atRoutes].(*routesScreen).editNamed("safe")
			for _, o := range s.inView() {
				if b, ok := o.(*press); ok && b.Text == "Edit as YAML" {
					b.OnTapped()
				}
			}
		},
		"sheet-route-new": func(s *shell) {
			s.choose(atRoutes)
			s.all[atRoutes].(*routesScreen).edit(view.RouteForm{Strategy: "fallback"}, true)
		},
		"compare": func(s *shell) { s.choose(atPlayground); compare(s) },
		"compare-small": func(s *shell) {
			s.win.Resize(fyne.NewSize(720, 480))
			s.choose(atPlayground)
			compare(s)
		},
		"sheet-choose": func(s *shell) { s.choose(atPlayground); s.all[atPlayground].(*playground).choose() },
		"sheet-token":  func(s *shell) { s.choose(atTools); s.all[atTools].(*toolsScreen).show("codex") },
		"sheet-models": func(s *shell) {
			s.choose(atTools)
			t := s.all[atTools].(*toolsScreen)
			t.models(t.now[1])
		},
		"sheet-prices":  func(s *shell) { s.choose(atSettings); s.lookForPrices() },
		"sheet-export":  func(s *shell) { s.choose(atSpend); s.export(view.Range{Days: 7, Title: "7 days"}) },
		"sheet-drop":    func(s *shell) { s.choose(atSettings); s.all[atSettings].(*settings).keepFor("30") },
		"settings-end":  func(s *shell) { s.choose(atSettings); s.all[atSettings].(*settings).scroll.view.ScrollToBottom() },
		"spend-end":     func(s *shell) { s.choose(atSpend); s.all[atSpend].(*spendScreen).full.view.ScrollToBottom() },
		"overview-end":  func(s *shell) { s.all[atOverview].(*overview).scroll.view.ScrollToBottom() },
		"sheet-budget":  func(s *shell) { s.choose(atSpend); s.all[atSpend].(*spendScreen).budgets.edit(app.Scope{}, true) },
		"sheet-details": func(s *shell) { s.choose(atRequests); s.all[atRequests].(*requests).details("req_6") },
		"demo":          func(s *shell) { s.all[atOverview].(*overview).steps.demo() },
		"paused":        func(s *shell) { s.state.Status.Paused = true; s.state.Status.State = app.Paused; s.apply(s.state) },
	} {
		for _, choice := range []string{"light", "dark"} {
			t.Run(name+"-"+choice, func(t *testing.T) {
				k := newFake()
				if name == "demo" {
					k = bare()
				}
				s := opened(t, k, choice, atOverview)
				open(s)
				s.picture(t, name+"-"+choice)
			})
		}
	}
}
