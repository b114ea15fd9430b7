//go:build !nogui

package ui

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"keytray/app"
)

// noon is when the tests happen.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// fake is a Keytray with values of the test's choice; it writes down what it
// was asked to do.
type fake struct {
	mu        sync.Mutex
	status    app.Status
	choices   []app.Choice
	providers []app.Provider
	keys      []app.Key
	keysErr   error
	sums      []app.Sum
	rows      []app.Row
	bookErr   error
	test      app.KeyTest
	testErr   error
	doErr     error
	settings  app.Settings
	limits    []app.Limit
	routes    []app.Route
	fit       []app.Fit
	askErr    error
	checkErr  error
	doubts    []string // about what a tool may ask for
	budget    app.BudgetSettings
	warnings  []app.Warning
	rests     []app.Rest
	offer     app.PriceOffer
	offerErr  error
	tokens    []app.Token
	reports
	did     []string
	changed chan struct{}
}

func (f *fake) note(what ...string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := ""
	for i, w := range what {
		if i > 0 {
			text += " "
		}
		text += w
	}
	f.did = append(f.did, text)
	return f.doErr
}

func (f *fake) asked(t *testing.T, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.did, want) {
		t.Errorf("Keytray was asked %q, want %q", f.did, want)
	}
	f.did = nil
}

func (f *fake) Subscribe() (<-chan struct{}, func())    { return f.changed, func() {} }
func (f *fake) Status() app.Status                      { return f.status }
func (f *fake) Choices() []app.Choice                   { return f.choices }
func (f *fake) Use(to string) error                     { return f.note("use", to) }
func (f *fake) SetPaused(on bool)                       { _ = f.note("pause", map[bool]string{true: "on", false: "off"}[on]) }
func (f *fake) Providers() []app.Provider               { return f.providers }
func (f *fake) CachedKeys() []app.Key                   { return f.keys }
func (f *fake) Rests() []app.Rest                       { return f.rests }
func (f *fake) Settings() *app.Settings                 { return &f.settings }
func (f *fake) SetListen(a string) error                { return f.note("listen", a) }
func (f *fake) SetWithoutToken(to string) error         { return f.note("without", to) }
func (f *fake) SetLedgerSync(to string) error           { return f.note("sync", to) }
func (f *fake) Keys(context.Context) ([]app.Key, error) { return f.keys, f.keysErr }

func (f *fake) Paths() app.Paths {
	return app.Paths{ConfigFolder: "/home/you/.config/keytray", DataFolder: "/home/you/.local/share/keytray", Config: "/home/you/.config/keytray/config.yaml", Ledger: "/home/you/.local/share/keytray/ledger.db"}
}

func (f *fake) AddKey(_ context.Context, p, l, s string) error     { return f.note("add", p, l, s) }
func (f *fake) ReplaceKey(_ context.Context, p, l, s string) error { return f.note("replace", p, l, s) }

func (f *fake) RenameKey(_ context.Context, p, l, to string) error { return f.note("rename", p, l, to) }
func (f *fake) RemoveKey(_ context.Context, p, l string) error     { return f.note("remove", p, l) }
func (f *fake) ImportKey(_ context.Context, p, from, l string) error {
	return f.note("import", p, from, l)
}

func (f *fake) TestKey(_ context.Context, p, l string) (app.KeyTest, error) {
	_ = f.note("test", p, l)
	return f.test, f.testErr
}

func (f *fake) TestSecret(_ context.Context, p, s string) (app.KeyTest, error) {
	_ = f.note("try", p, s)
	return f.test, f.testErr
}

func (f *fake) TryDemo(_ context.Context, say string) (string, error) {
	return "You said: " + say, f.note("demo")
}

func (f *fake) Requests(context.Context, app.RowFilter) ([]app.Row, error) { return f.rows, f.bookErr }

func (f *fake) EachRequest(_ context.Context, q app.RowFilter, fn func(app.Row) error) error {
	for _, r := range f.rows {
		if r.Time.Before(q.Since) {
			continue
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return f.bookErr
}

// Spend adds up as the ledger does, over f.sums.
func (f *fake) Spend(_ context.Context, q app.SpendQuery) ([]app.Sum, error) {
	if f.bookErr != nil {
		return nil, f.bookErr
	}
	by := func(b app.By) bool { return slices.Contains(q.By, b) }
	var out []app.Sum
	for _, s := range f.sums {
		if s.Day.Before(q.From) {
			continue
		}
		if !by("day") {
			s.Day = time.Time{}
		}
		if !by("provider") {
			s.Provider = ""
		}
		if !by("model") {
			s.Model = ""
		}
		if !by("tool") {
			s.Tool = ""
		}
		if !by("key") {
			s.Key = ""
		}
		i := slices.IndexFunc(out, func(o app.Sum) bool {
			return o.Day.Equal(s.Day) && o.Provider == s.Provider && o.Model == s.Model && o.Tool == s.Tool && o.Key == s.Key
		})
		if i < 0 {
			out = append(out, s)
			continue
		}
		o := &out[i]
		o.Calls += s.Calls
		o.Errors += s.Errors
		o.Unpriced += s.Unpriced
		o.Estimated += s.Estimated
		o.CostPico += s.CostPico
		o.SavedPico += s.SavedPico
		o.Usage.Input += s.Usage.Input
		o.Usage.CacheRead += s.Usage.CacheRead
		o.Usage.Output += s.Usage.Output
	}
	return out, nil
}

// newFake is a Keytray in full use.
func newFake() *fake {
	f := &fake{changed: make(chan struct{}, 1)}
	f.status = app.Status{State: app.On, Address: "127.0.0.1:5397", Active: "auto"}
	f.choices = []app.Choice{{ID: "auto", Title: "Automatic", Kind: "auto", Active: true}, {ID: "anthropic", Title: "Anthropic", Kind: "provider"}, {ID: "openai", Title: "OpenAI", Kind: "provider"}, {ID: "safe", Title: "safe", Kind: "route"}, {ID: "offline", Title: "Offline (this computer only)", Kind: "offline"}}
	f.providers = []app.Provider{
		{ID: "anthropic", Name: "Anthropic", Built: true, NeedsKey: true, KeysURL: "https://example.com/keys", Env: []string{"ANTHROPIC_API_KEY"}},
		{ID: "openai", Name: "OpenAI", Built: true, NeedsKey: true, KeysURL: "https://example.com/keys", Env: []string{"OPENAI_API_KEY"}},
		{ID: "google", Name: "Google Gemini", Built: true, NeedsKey: true, Env: []string{"GEMINI_API_KEY"}},
		{ID: "groq", Name: "Groq", Built: true, NeedsKey: true, Env: []string{"GROQ_API_KEY"}},
		{ID: "ollama", Name: "Ollama", Built: true, Local: true},
		{ID: "bedrock", Name: "Amazon Bedrock", Why: "the converse dialect is not built yet", NeedsKey: true},
	}
	f.keys = []app.Key{
		{Provider: "anthropic", Label: "work", Hint: "••••3f9a", Source: "keychain", Where: "in the login keyring", InUse: true, Stored: true},
		{Provider: "anthropic", Label: "private", Hint: "••••77c0", Source: "keychain", Where: "in the login keyring", Stored: true},
		{Provider: "openai", Label: "environment", Hint: "••••b21e", Source: "environment", Where: "from OPENAI_API_KEY", InUse: true},
	}
	f.settings = app.Settings{Listen: "127.0.0.1:5397", Active: "auto", WithoutToken: "local"}
	f.settings.Ledger.Sync = "normal"
	models := []struct{ p, m, tool string }{{"anthropic", "claude-sonnet-5-5", "codex"}, {"openai", "gpt-6-luna", "aider"}, {"ollama", "qwen3", "aider"}, {"google", "gemini-3-flash", "goose"}}
	for d := range 60 {
		if d%7 == 5 {
			continue // a day off
		}
		for i, m := range models {
			if (d+i)%3 == 2 {
				continue
			}
			s := app.Sum{
				Day: app.Day(noon.AddDate(0, 0, -d)), Provider: m.p, Model: m.m, Tool: m.tool, Key: "work", Calls: int64(3 + (d*7+i*5)%20),
				CostPico: int64((d*37+i*61)%97+8) * 9_731_000_000, SavedPico: int64(i%2) * 1_310_000_000 * int64(d%5), Usage: app.Usage{Input: int64(d*900 + i*4000 + 12000), CacheRead: int64(i * 9000), Output: int64(d*50 + 1800)},
			}
			switch m.p {
			case "ollama":
				s.CostPico, s.Key = 0, ""
			case "google":
				s.Unpriced = int64(d % 2 * 2)
				s.Estimated = 1
			}
			f.sums = append(f.sums, s)
		}
	}
	cost := func(p int64) *int64 { return &p }
	f.rows = []app.Row{
		{ID: 9, RequestID: "req_9", Attempt: 1, Time: noon.Add(-4 * time.Second), Tool: "codex", Inbound: "chat", Asked: "claude-sonnet-5-5", Provider: "anthropic", Model: "claude-sonnet-5-5", Key: "work", Status: "running", FirstByte: 612 * time.Millisecond, Streamed: true},
		{ID: 8, RequestID: "req_8", Attempt: 1, Time: noon.Add(-time.Minute), Tool: "aider", Inbound: "chat", Asked: "openai/gpt-6-luna", Provider: "openai", Model: "gpt-6-luna", Key: "environment", Status: "ok", HTTPStatus: 200, FirstByte: 340 * time.Millisecond, Duration: 2840 * time.Millisecond, Usage: app.Usage{Input: 4210, CacheRead: 18000, Output: 912, Reasoning: 300}, CostPico: cost(43_100_000_000), CostKind: "exact", Streamed: true},
		{ID: 7, RequestID: "req_6", Attempt: 2, Time: noon.Add(-3 * time.Minute), Tool: "goose", Inbound: "chat", Asked: "safe", Route: "safe", Provider: "google", Model: "gemini-3-flash", Key: "work", Status: "ok", HTTPStatus: 200, FirstByte: 210 * time.Millisecond, Duration: 1240 * time.Millisecond, Usage: app.Usage{Input: 830, Output: 122}, CostKind: "unpriced", Lost: []string{"logit_bias", "seed"}},
		{ID: 6, RequestID: "req_6", Attempt: 1, Time: noon.Add(-3*time.Minute - time.Second), Tool: "goose", Inbound: "chat", Asked: "safe", Route: "safe", Provider: "anthropic", Model: "claude-sonnet-5-5", Key: "work", Status: "error", HTTPStatus: 529, FirstByte: -1, Duration: 410 * time.Millisecond, CostPico: cost(0), CostKind: "exact", Error: "overloaded: Overloaded"},
		{ID: 5, RequestID: "req_5", Attempt: 1, Time: noon.Add(-40 * time.Minute), Tool: "aider", Inbound: "chat", Asked: "qwen3", Provider: "ollama", Model: "qwen3", Status: "ok", HTTPStatus: 200, FirstByte: 90 * time.Millisecond, Duration: 5200 * time.Millisecond, Usage: app.Usage{Input: 1200, Output: 640}, CostPico: cost(0), CostKind: "exact"},
		{ID: 4, RequestID: "req_4", Attempt: 1, Time: noon.Add(-26 * time.Hour), Tool: "codex", Inbound: "chat", Asked: "gpt-6-luna", Provider: "openai", Model: "gpt-6-luna", Key: "environment", Status: "aborted", FirstByte: 300 * time.Millisecond, Duration: 900 * time.Millisecond, Usage: app.Usage{Input: 3100, Output: 40}, CostPico: cost(4_300_000_000), CostKind: "estimated"},
	}
	f.more()
	f.test = app.KeyTest{OK: true, Said: "accepted; it lists 57 models", Models: 57, Took: 240 * time.Millisecond}
	return f
}

// bare is a Keytray that was just installed.
func bare() *fake {
	f := newFake()
	f.keys, f.sums, f.rows = nil, nil, nil
	f.less()
	return f
}

// broken is a Keytray with everything wrong.
func broken() *fake {
	f := newFake()
	f.bookErr = errors.New("read the ledger: database disk image is malformed (11)")
	f.keysErr = errors.New("the login keyring is locked")
	f.keys = f.keys[2:]
	f.status = app.Status{State: app.Attention, Active: "auto", Problems: []app.Problem{
		{About: "listen", Message: "another program uses 127.0.0.1:5397 already: stop it, or choose another port under listen in config.yaml (or --listen 127.0.0.1:0 for any free one)", Grave: true},
		{About: "config", Message: "config.yaml, line 4, column 9: active: there is no provider and no route named antropic; the settings from before stay in use", Remedy: "use auto, offline, a provider or a route", Grave: true},
		{About: "keychain", Message: "the login keyring is locked", Remedy: "Unlock it in the system's password manager, then press Try again. Until then Keytray uses keys from the environment and from --key."},
	}}
	return f
}

// long is a Keytray whose every name goes on and on.
func long() *fake {
	f := newFake()
	const word = "averyveryverylongnamethatsomebodychoseinearnest"
	f.providers = append(f.providers, app.Provider{ID: "long", Name: "The " + word + " Company of " + word + " and Sons", Why: "its dialect is " + word + " " + word + " and that is not built yet", NeedsKey: true})
	f.keys = append(f.keys, app.Key{Provider: "long", Label: "label " + word + word, Hint: "••••abcd", Source: "keychain", Where: "in the keyring " + word, InUse: true, Stored: true})
	f.status.Address = "[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"
	f.choices[0].Active = false
	f.choices = append(f.choices, app.Choice{ID: word, Title: word + word, Kind: "route", Active: true})
	f.status.Active = word
	for i := range f.rows {
		f.rows[i].Tool, f.rows[i].Asked, f.rows[i].Error = word, word+"/"+word, word+word+" said "+word+" "+word
	}
	for i := range f.sums {
		f.sums[i].CostPico *= 1_000_00
		f.sums[i].Provider, f.sums[i].Model = "long", word+word
	}
	f.status.Problems = []app.Problem{{About: "config", Message: word + " " + word + word + word + " " + word, Remedy: word + word + word}}
	f.stretch(word)
	f.test = app.KeyTest{Said: "401: " + word + word + " " + word}
	return f
}

// opened is a window on a Keytray, at a screen, drawn without goroutines.
func opened(t *testing.T, k *fake, choice string, at int) *shell {
	t.Helper()
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look{choice})
	w := test.NewTempWindow(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s := newShell(k, &crew{ctx: ctx, inline: true}, a, w, nil)
	s.now = func() time.Time { return noon }
	s.at = at
	s.apply(read(ctx, k, noon))
	s.show()
	w.Resize(fyne.NewSize(960, 640))
	return s
}
