//go:build !nogui

package ui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"keytray/app"
	"keytray/app/view"
)

func (f *fake) SetKeepDays(days int) error      { return f.note("days", strconv.Itoa(days)) }
func (f *fake) SetLedgerDetail(to string) error { return f.note("detail", to) }
func (f *fake) SetKeepResponses(yes bool) error { return f.note("responses", strconv.FormatBool(yes)) }
func (f *fake) SetPriceUpdate(to string) error  { return f.note("prices", to) }
func (f *fake) OfferPrices(context.Context, string) (app.PriceOffer, error) {
	return f.offer, f.offerErr
}
func (f *fake) AcceptPrices(context.Context, app.PriceOffer) error { return f.note("accept") }

func (f *fake) Limits() []app.Limit                 { return f.limits }
func (f *fake) Budget(app.Scope) app.BudgetSettings { return f.budget }
func (f *fake) Tokens() []app.Token                 { return f.tokens }

func (f *fake) SetBudget(s app.Scope, b app.BudgetSettings) error {
	return f.note("budget", view.ScopeWords(s), view.PlainUSD(b.Day), view.PlainUSD(b.Month), b.AtLimit)
}

func (f *fake) TakeWarnings() []app.Warning {
	all := f.warnings
	f.warnings = nil
	return all
}

func (f *fake) Tools(context.Context) ([]app.Tool, error) {
	var out []app.Tool
	for i, t := range f.tokens {
		x := app.Tool{Name: t.Tool, Token: true, Static: t.Static, Created: t.Created, LastUsed: t.LastUsed}
		x.Today = app.Sum{Calls: int64(i), CostPico: usd(0.41 * float64(i))}
		x.Month = app.Sum{Calls: int64(9 * i), CostPico: usd(3.7 * float64(i)), Unpriced: int64(i % 2)}
		if i == 1 {
			x.Doubts = f.doubts
			x.Models = []string{"openai/", "safe"}
		}
		out = append(out, x)
	}
	return out, f.bookErr
}

func (f *fake) Token(_ context.Context, tool string) (app.TokenText, error) {
	return f.token(tool), f.note("token", tool)
}

func (f *fake) RotateToken(_ context.Context, tool string) (app.TokenText, error) {
	return f.token(tool), f.note("rotate", tool)
}

func (f *fake) token(tool string) app.TokenText {
	t := app.TokenText{Tool: tool, Text: "kt-local-3nuwdicpbetmndds7b3pr3j2xy2imih6rh3u"}
	if f.keysErr != nil {
		t.Note, t.Fixed = "the token of "+tool+" is shown this once: it could not be kept in the keychain", "Copy it now."
	}
	return t
}

func (f *fake) RevokeToken(_ context.Context, tool string) error { return f.note("revoke", tool) }

func (f *fake) SetToolModels(tool string, models []string) error {
	return f.note("models", tool, strings.Join(models, ","))
}

func (f *fake) Routes() []app.Route              { return f.routes }
func (f *fake) SetRoute(name, yaml string) error { return f.note("route", name, yaml) }
func (f *fake) RemoveRoute(name string) error    { return f.note("remove route", name) }
func (f *fake) Promote(_ context.Context, name string) ([]app.Fit, error) {
	return nil, f.note("promote", name)
}

func (f *fake) CheckRoute(name, yaml string) ([]string, error) {
	if _, err := app.ParseRoute(yaml); err != nil {
		return nil, err
	}
	if f.checkErr == nil && strings.Contains(yaml, "ghost") {
		return []string{"no list of openai's models has ghost; did you mean openai/host?"}, nil
	}
	return nil, f.checkErr
}

// route is a route from its YAML.
func route(name, yaml string, active bool, paces ...app.Pace) app.Route {
	t, err := app.ParseRoute(yaml)
	if err != nil {
		panic(err)
	}
	return app.Route{Name: name, Target: t, YAML: t.String(), Active: active, Paces: paces}
}

func (f *fake) Fit() []app.Fit { return f.fit }

func (f *fake) Models(context.Context) []app.Model {
	return []app.Model{
		{ID: "demo/echo", Local: true},
		{ID: "safe", Route: true},
		{ID: "ollama/qwen3", Local: true, Input: "0", Output: "0"},
		{ID: "anthropic/claude-sonnet-5-5", Input: "3", Output: "15"},
		{ID: "openai/gpt-6-luna", Input: "0.5", Output: "2"},
		{ID: "openai/unknown"},
	}
}

func (f *fake) Ask(_ context.Context, model, say string, more func(string)) (app.Answer, error) {
	_ = f.note("ask", model, say)
	if strings.HasPrefix(model, "openai/") {
		return app.Answer{Took: 80 * time.Millisecond}, f.askErr
	}
	a := app.Answer{First: 340 * time.Millisecond, Took: 2340 * time.Millisecond}
	cost := usd(0.0042)
	a.Rows = []app.Row{{Status: "ok", CostPico: &cost, CostKind: "exact", Usage: app.Usage{Output: 142}}}
	for i := range strings.Count(model, "") * 3 {
		piece := fmt.Sprintf("Sentence %d of what %s has to say of it. ", i+1, model)
		a.Text += piece
		more(piece)
	}
	return a, nil
}

// usd is an amount of pico-USD.
func usd(f float64) int64 { return int64(f * 1e12) }

// more adds what a Keytray in full use has beside keys and calls.
func (f *fake) more() {
	five := usd(5)
	f.budget = app.BudgetSettings{Day: &five, AtLimit: "block"}
	tomorrow, month := app.Day(noon).AddDate(0, 0, 1), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	f.limits = []app.Limit{
		{Month: true, Most: usd(50), Spent: usd(12.4), AtLimit: "block", Until: month},
		{Scope: app.Scope{Of: "tool", Name: "codex"}, Most: usd(5), Spent: usd(4.31), AtLimit: "offline", Until: tomorrow},
		{Scope: app.Scope{Of: "key", Name: "anthropic/work"}, Most: usd(2), Spent: usd(2.04), AtLimit: "block", Until: tomorrow},
	}
	claude := app.Pace{Name: "anthropic/claude-sonnet-5-5", Provider: "anthropic", Model: "claude-sonnet-5-5", First: 612 * time.Millisecond, PerSecond: 71, Resting: noon.Add(2 * time.Minute)}
	luna := app.Pace{Name: "gpt-6-luna", Provider: "openai", Model: "gpt-6-luna", First: 340 * time.Millisecond, PerSecond: 118}
	f.routes = []app.Route{
		route("safe", "{fallback: [anthropic/claude-sonnet-5-5, {race: [gpt-6-luna, ollama/qwen3], after: 500ms}]}", true, claude, luna, app.Pace{Name: "ollama/qwen3", Provider: "ollama", Model: "qwen3"}),
		route("shares", "{balance: {gpt-6-luna: 3, groq/llama-4: 1}, ignore: [google]}", false, luna, app.Pace{Name: "groq/llama-4", Why: "there is no key for groq, or it is turned off"}),
	}
	f.fit = []app.Fit{{Model: "openai/gpt-6-luna", Task: "code", Calls: 14, Score: 0.82}, {Model: "ollama/qwen3", Task: "code", Calls: 12, Score: 0.61}}
	f.rests = []app.Rest{
		{Provider: "anthropic", Key: "work", Model: "claude-sonnet-5-5", Until: noon.Add(2 * time.Minute), Why: "rate_limit"},
		{Provider: "openai", Until: noon.Add(20 * time.Second), Why: "unreachable"},
	}
	f.offer = app.PriceOffer{Source: "models.dev", Models: 41, Changes: []app.PriceChange{
		{Provider: "openai", Model: "gpt-6-luna", Kind: "input", Old: "0.5", New: "0.4"},
		{Provider: "anthropic", Model: "claude-sonnet-5-5", Kind: "output", Over: 200_000, Old: "22.5", New: "20"},
	}, Refused: []app.PriceChange{{Provider: "groq", Model: "llama-4", Kind: "input", Old: "0.1", New: "0"}}}
	f.tokens = []app.Token{
		{Tool: "aider", Created: noon.AddDate(0, 0, -12), LastUsed: noon.Add(-time.Minute)},
		{Tool: "codex", Created: noon.AddDate(0, 0, -3), LastUsed: noon.Add(-4 * time.Second)},
		{Tool: "env", Static: true},
		{Tool: "goose", Created: noon.Add(-time.Hour)},
	}
}

// less takes it away again.
func (f *fake) less() {
	f.limits, f.tokens, f.routes, f.fit, f.rests, f.budget = nil, nil, nil, nil, nil, app.BudgetSettings{}
}

// stretch makes its names go on and on.
func (f *fake) stretch(word string) {
	for i := range f.limits {
		f.limits[i].Scope = app.Scope{Of: "tool", Name: fmt.Sprint(word, i)}
		f.limits[i].Most *= 1_000
		f.limits[i].Spent *= 1_000
	}
	f.routes[0] = route(word, "{judge: ["+word+"/"+word+", "+word+word+"], by: "+word+"}", true, app.Pace{Name: word + "/" + word, Why: word + " " + word})
	for i := range f.tokens {
		f.tokens[i].Tool = fmt.Sprint(word, i)
	}
}
