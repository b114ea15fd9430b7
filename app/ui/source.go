//go:build !nogui

package ui

import (
	"context"

	"keytray/app"
)

// Keytray is what the screens need of an [app.App]. Methods with a context, and
// those that change a setting, may wait; the screens call none of them on
// Fyne's goroutine.
type Keytray interface {
	Reconciler
	Subscribe() (changed <-chan struct{}, cancel func())
	Status() app.Status
	Choices() []app.Choice
	Use(to string) error
	SetPaused(on bool)

	Providers() []app.Provider
	Keys(ctx context.Context) ([]app.Key, error)
	CachedKeys() []app.Key
	Rests() []app.Rest
	AddKey(ctx context.Context, provider, label, secret string) error
	ReplaceKey(ctx context.Context, provider, label, secret string) error
	RenameKey(ctx context.Context, provider, label, to string) error
	RemoveKey(ctx context.Context, provider, label string) error
	ImportKey(ctx context.Context, provider, from, label string) error
	TestKey(ctx context.Context, provider, label string) (app.KeyTest, error)
	TestSecret(ctx context.Context, provider, secret string) (app.KeyTest, error)
	TryDemo(ctx context.Context, say string) (string, error)

	Spend(ctx context.Context, q app.SpendQuery) ([]app.Sum, error)
	Requests(ctx context.Context, f app.RowFilter) ([]app.Row, error)
	EachRequest(ctx context.Context, f app.RowFilter, fn func(app.Row) error) error

	Limits() []app.Limit
	Budget(of app.Scope) app.BudgetSettings
	SetBudget(of app.Scope, to app.BudgetSettings) error
	TakeWarnings() []app.Warning

	Models(ctx context.Context) []app.Model
	Ask(ctx context.Context, model, say string, more func(string)) (app.Answer, error)

	Routes() []app.Route
	Fit() []app.Fit
	CheckRoute(name, yaml string) (doubts []string, err error)
	Promote(ctx context.Context, name string) ([]app.Fit, error)
	SetRoute(name, yaml string) error
	RemoveRoute(name string) error

	Tokens() []app.Token
	Tools(ctx context.Context) ([]app.Tool, error)
	Token(ctx context.Context, tool string) (app.TokenText, error)
	RotateToken(ctx context.Context, tool string) (app.TokenText, error)
	RevokeToken(ctx context.Context, tool string) error
	SetToolModels(tool string, models []string) error

	Settings() *app.Settings
	Paths() app.Paths
	SetListen(addr string) error
	SetWithoutToken(to string) error
	SetLedgerSync(to string) error
	SetKeepDays(days int) error
	SetLedgerDetail(to string) error
	SetKeepResponses(yes bool) error
	SetPriceUpdate(to string) error
	OfferPrices(ctx context.Context, from string) (app.PriceOffer, error)
	AcceptPrices(ctx context.Context, o app.PriceOffer) error
}

var _ Keytray = (*app.App)(nil)
