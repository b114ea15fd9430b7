//go:build !nogui

package ui

import (
	"context"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"keytray/app"
	"keytray/app/view"
)

// stuck is a Keytray whose keychain, disk and network never answer.
type stuck struct {
	*fake
	gate chan struct{}
}

func (k stuck) wait() { <-k.gate }

func (k stuck) Use(string) error                          { k.wait(); return nil }
func (k stuck) SetPaused(bool)                            { k.wait() }
func (k stuck) Tools(context.Context) ([]app.Tool, error) { k.wait(); return nil, nil }
func (k stuck) Token(context.Context, string) (app.TokenText, error) {
	k.wait()
	return app.TokenText{}, nil
}
func (k stuck) Routes() []app.Route                                { k.wait(); return nil }
func (k stuck) Promote(context.Context, string) ([]app.Fit, error) { k.wait(); return nil, nil }
func (k stuck) CheckRoute(string, string) ([]string, error)        { k.wait(); return nil, nil }
func (k stuck) Models(context.Context) []app.Model                 { k.wait(); return nil }
func (k stuck) Ask(context.Context, string, string, func(string)) (app.Answer, error) {
	k.wait()
	return app.Answer{}, nil
}
func (k stuck) Limits() []app.Limit                           { k.wait(); return nil }
func (k stuck) SetBudget(app.Scope, app.BudgetSettings) error { k.wait(); return nil }
func (k stuck) SetListen(string) error                        { k.wait(); return nil }
func (k stuck) SetWithoutToken(string) error                  { k.wait(); return nil }
func (k stuck) SetLedgerSync(string) error                    { k.wait(); return nil }
func (k stuck) EachRequest(context.Context, app.RowFilter, func(app.Row) error) error {
	k.wait()
	return nil
}
func (k stuck) SetKeepDays(int) error        { k.wait(); return nil }
func (k stuck) SetLedgerDetail(string) error { k.wait(); return nil }
func (k stuck) SetKeepResponses(bool) error  { k.wait(); return nil }
func (k stuck) SetPriceUpdate(string) error  { k.wait(); return nil }
func (k stuck) OfferPrices(context.Context, string) (app.PriceOffer, error) {
	k.wait()
	return app.PriceOffer{}, nil
}
func (k stuck) Keys(context.Context) ([]app.Key, error)              { k.wait(); return nil, nil }
func (k stuck) AddKey(context.Context, string, string, string) error { k.wait(); return nil }
func (k stuck) RemoveKey(context.Context, string, string) error      { k.wait(); return nil }
func (k stuck) TryDemo(context.Context, string) (string, error)      { k.wait(); return "", nil }
func (k stuck) TestKey(context.Context, string, string) (app.KeyTest, error) {
	k.wait()
	return app.KeyTest{}, nil
}

func (k stuck) TestSecret(context.Context, string, string) (app.KeyTest, error) {
	k.wait()
	return app.KeyTest{}, nil
}

func (k stuck) Spend(context.Context, app.SpendQuery) ([]app.Sum, error) { k.wait(); return nil, nil }

func (k stuck) Requests(context.Context, app.RowFilter) ([]app.Row, error) {
	k.wait()
	return nil, nil
}

// TestTheWindowNeverWaits (promise 10): with a keychain, a disk and a network
// that never answer, every screen opens and every button can be pressed.
func TestTheWindowNeverWaits(t *testing.T) {
	for _, home := range []string{"HOME", "USERPROFILE"} {
		t.Setenv(home, t.TempDir()) // an export goes there
	}
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look{})
	k := stuck{newFake(), make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	c := &crew{ctx: ctx}
	s := newShell(k, c, a, test.NewTempWindow(t, nil), nil)
	state := view.TrayState{Status: k.status, Choices: k.choices}
	s.apply(state)
	s.show()
	for i := range s.all {
		s.choose(i)
		s.apply(state)
		s.win.Canvas().Capture()
	}
	if !s.all[atKeys].(*keysScreen).asking.Visible() || !s.all[atRequests].(*requests).loading.Visible() {
		t.Error("a screen that waits does not say so")
	}
	keys := s.all[atKeys].(*keysScreen)
	s.choose(atKeys)
	keys.draw(keysRead{cards: view.NewKeys(view.KeysState{Now: noon, Keys: k.keys, Providers: k.providers}), keys: k.keys, all: k.providers}, nil)
	test.Tap(s.button(t, "Test"))
	if !s.says("Asking Anthropic…") {
		t.Error("a test under way is not shown")
	}
	test.Tap(s.button(t, "Remove"))
	test.Tap(s.button(t, "Remove"))
	s.press(fyne.KeyEscape)
	s.all[atOverview].(*overview).steps.demo()
	s.togglePause()
	s.use("openai")
	settings := s.all[atSettings].(*settings)
	s.choose(atSettings)
	settings.relisten()
	settings.offline.SetChecked(true)
	settings.without.pick.SetSelected("Nothing")
	settings.keep.pick.SetSelected("365 days")
	test.Tap(s.button(t, "Drop them"))
	s.press(fyne.KeyEscape)
	s.lookForPrices()
	s.press(fyne.KeyEscape)
	s.export(view.Ranges()[0])
	test.Tap(s.button(t, "Export"))
	s.press(fyne.KeyEscape)
	s.choose(atPlayground)
	p := s.all[atPlayground].(*playground)
	p.prompt.SetText("hi")
	p.ask()
	if !s.says("Asking…") {
		t.Error("an answer under way is not shown")
	}
	p.toggle()
	s.choose(atRoutes)
	s.all[atRoutes].(*routesScreen).edit(view.RouteForm{Strategy: "fallback"}, true)
	s.press(fyne.KeyEscape)
	s.choose(atTools)
	s.all[atTools].(*toolsScreen).show("codex")
	s.hide()
	cancel()
	close(k.gate)
	c.wait.Wait()
}
