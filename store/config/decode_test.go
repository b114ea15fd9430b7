package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func usd(pico int64) *int64 { return &pico }

func TestEverySetting(t *testing.T) {
	got, err := Parse("f", []byte(`
listen: "[::1]:6000"
listen_beyond_loopback: true
active: lab
without_token: refuse
providers:
  openai: {base_url: http://127.0.0.1:9001/v1}
  lab:
    dialect: chat
    base_url: http://127.0.0.1:8000/v1
    key_env: LAB_KEY
    models: [qwen3, org/model:8b]
    headers: {X-Title: "Keytray", x-b: 'c: d'}
  groq: {off: true}
  azure: {resource: r-1, api_version: 2024-10-21, deployments: {gpt-5-mini: my-mini, o3: "3"}}
  bare:
routes:
  quick: groq/llama-3.3-70b-versatile
  gpt-6.1: {fallback: [anthropic/claude-sonnet-5-5, quick, qwen3]}
tools:
  codex: {budget: {day: 5, at_limit: offline}}
  Claude Code: {}
budget: {day: 10, month: 100.25}
ledger: {sync: full}
origins: [http://localhost:3000, "chrome-extension://abc", "https://app.example.com"]
stand_ins:
  openai: {large: gpt-6, small: gpt-6-mini}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: "[::1]:6000", ListenBeyondLoopback: true, Active: "lab", WithoutToken: TokenRefuse,
		Providers: []Provider{
			{ID: "openai", BaseURL: "http://127.0.0.1:9001/v1"},
			{
				ID: "lab", Dialect: "chat", BaseURL: "http://127.0.0.1:8000/v1", KeyEnv: "LAB_KEY",
				Models: []string{"qwen3", "org/model:8b"}, Headers: []Header{{"X-Title", "Keytray"}, {"x-b", "c: d"}},
			},
			{ID: "groq", Off: true},
			{
				ID: "azure", Settings: []Setting{{"resource", "r-1"}, {"api_version", "2024-10-21"}},
				Deployments: []Deployment{{"gpt-5-mini", "my-mini"}, {"o3", "3"}},
			},
			{ID: "bare"},
		},
		Routes: []Route{
			{Name: "quick", Target: Target{Model: "groq/llama-3.3-70b-versatile"}},
			{Name: "gpt-6.1", Target: Target{Strategy: Fallback, Of: []Target{{Model: "anthropic/claude-sonnet-5-5"}, {Model: "quick"}, {Model: "qwen3"}}}},
		},
		Tools: []Tool{
			{Name: "codex", Budget: Budget{Day: usd(5e12), AtLimit: LimitOffline}},
			{Name: "Claude Code", Budget: Budget{AtLimit: LimitBlock}},
		},
		Budget:      Budget{Day: usd(10e12), Month: usd(100_250_000_000_000), AtLimit: LimitBlock},
		Ledger:      Ledger{Sync: SyncFull, Detail: DetailFull},
		PriceUpdate: UpdateAsked,
		Origins:     []string{"http://localhost:3000", "chrome-extension://abc", "https://app.example.com"},
		StandIns:    []StandIn{{"openai", "gpt-6", "gpt-6-mini"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if p, ok := got.Provider("groq"); !ok || !p.Off {
		t.Errorf("provider groq is %+v, %v", p, ok)
	}
	if _, ok := got.Route("slow"); ok {
		t.Error("a route was made up")
	}
	if tool, ok := got.Tool("codex"); !ok || *tool.Budget.Day != 5e12 {
		t.Errorf("tool codex is %+v, %v", tool, ok)
	}
	if s, ok := got.StandIn("openai"); !ok || s.Small != "gpt-6-mini" {
		t.Errorf("stand-in is %+v, %v", s, ok)
	}
}

// TestFirstFile holds that the first file says the defaults, and that its examples are true once the # is gone.
func TestFirstFile(t *testing.T) {
	got, err := Parse("f", []byte(first))
	if err != nil || !reflect.DeepEqual(got, Defaults()) {
		t.Fatalf("got %+v, %v", got, err)
	}
	got, err = Parse("f", []byte(uncommented(first)))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Providers) != 7 || len(got.Routes) != 2 ||
		len(got.StandIns) != 1 || len(got.Origins) != 1 {
		t.Errorf("examples say %+v", got)
	}
}

// TestColons holds that a colon without a space belongs to the text, however deep in brackets.
func TestColons(t *testing.T) {
	got, err := Parse("f", []byte(`
routes: {a: {fallback: [ollama/qwen3:8b, x:y:z, plain]}, b: ollama/qwen3:8b}
providers: {lab: {base_url: http://127.0.0.1:8000/v1, models: [qwen3:8b, 'a:b']}}
origins: [http://localhost:3000]
`))
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Concat(got.Routes[0].Models(), []string{got.Routes[1].Model, got.Providers[0].BaseURL}, got.Providers[0].Models, got.Origins)
	want := []string{
		"ollama/qwen3:8b", "x:y:z", "plain", "ollama/qwen3:8b", "http://127.0.0.1:8000/v1", "qwen3:8b", "a:b", "http://localhost:3000",
	}
	if !slices.Equal(all, want) {
		t.Errorf("got %q", all)
	}
}

func TestListenAccepts(t *testing.T) {
	for text, want := range map[string]string{
		"listen: localhost:80\n":                                   "localhost:80",
		"listen: 127.9.9.9:65535\n":                                "127.9.9.9:65535",
		"listen: '[::ffff:127.0.0.1]:1'\n":                         "[::ffff:127.0.0.1]:1",
		"listen: :5397\nlisten_beyond_loopback: true\n":            ":5397",
		"listen_beyond_loopback: true\nlisten: 0.0.0.0:5397\n":     "0.0.0.0:5397",
		"listen: 192.168.0.2:5397\nlisten_beyond_loopback: true\n": "192.168.0.2:5397",
	} {
		if got, err := Parse("f", []byte(text)); err != nil || got.Listen != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "5": 5e12, "0.5": 5e11, "0.000000000001": 1, "1000000": 1e18, "12.340": 12_340_000_000_000,
	} {
		r := &reader{}
		got := r.usd(numberOf(text))
		if got == nil || *got != want {
			t.Errorf("%s: got %v, %v", text, got, r.problems)
			continue
		}
		if again := r.usd(numberOf(formatUSD(*got))); again == nil || *again != want {
			t.Errorf("%s is written as %s", text, formatUSD(*got))
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"listen", "active", "providers", "without_token", "routes"}
	for word, want := range map[string]string{
		"provider": "providers", "Routes": "routes", "withoutToken": "without_token", "atcive": "active",
		"rutes": "routes", "x": "", "completely": "", "": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestRoutes(t *testing.T) {
	const file = `routes:
  deep: {fallback: [{balance: {a: 3, b: 1}}, {race: [c, d], after: 1m30s}, e]}
  cheap: {cheapest: [f], only: [groq, together], ignore: [x], prefer: [groq], max_price: 2.5}
  panel: {blend: [a, b], by: c}
  trial: {split: {a: 9, b: 1}, by: c, sample: 5%, budget: 0.5}
  memo: {cache: {fallback: [a, b]}, keep: 24h, size: 8}
  clever: {smart: [a, b], bar: 0.7}
`
	got, err := Parse("config.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	// What was read is written so that it reads the same.
	var again strings.Builder
	again.WriteString("routes:\n")
	for _, r := range got.Routes {
		again.WriteString("  " + r.Name + ": " + targetNode(r.Target).String() + "\n")
	}
	if want := strings.Replace(file, "5%", "0.05", 1); again.String() != want {
		t.Errorf("written again:\n%swant:\n%s", again.String(), want)
	}
	deep := got.Routes[0]
	if want := []string{"a", "b", "c", "d", "e"}; !slices.Equal(deep.Models(), want) || *deep.Of[1].After != 90*time.Second || deep.Of[0].Weights[0] != 3 {
		t.Errorf("deep: %+v", deep)
	}
	if c := got.Routes[1]; *c.MaxPrice != 2.5e12 || c.Only[1] != "together" {
		t.Errorf("cheap: %+v", c)
	}
	if m := got.Routes[4]; m.Keep != 24*time.Hour || m.Size != 8<<20 || m.Of[0].Strategy != Fallback {
		t.Errorf("memo: %+v", m)
	}
}

func TestBudgets(t *testing.T) {
	const file = `providers:
  openai: {budget: {day: 2}, keys: {work: {budget: {month: 30, at_limit: offline}}}}
tools:
  codex: {budget: {day: 5}, models: [openai/gpt-5, anthropic/, safe]}
`
	got, err := Parse("f", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	p, tool := got.Providers[0], got.Tools[0]
	if *p.Budget.Day != 2e12 || p.Budget.AtLimit != LimitBlock || p.Keys[0].Label != "work" || *p.Keys[0].Budget.Month != 30e12 || p.Keys[0].Budget.AtLimit != LimitOffline {
		t.Errorf("provider %+v", p)
	}
	if *tool.Budget.Day != 5e12 || !slices.Equal(tool.Models, []string{"openai/gpt-5", "anthropic/", "safe"}) {
		t.Errorf("tool %+v", tool)
	}
}
