package config

import (
	"reflect"
	"slices"
	"testing"
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
			{ID: "bare"},
		},
		Routes: []Route{
			{Name: "quick", Model: "groq/llama-3.3-70b-versatile"},
			{Name: "gpt-6.1", Fallback: []string{"anthropic/claude-sonnet-5-5", "quick", "qwen3"}},
		},
		Tools: []Tool{
			{Name: "codex", Budget: Budget{Day: usd(5e12), AtLimit: LimitOffline}},
			{Name: "Claude Code", Budget: Budget{AtLimit: LimitBlock}},
		},
		Budget:   Budget{Day: usd(10e12), Month: usd(100_250_000_000_000), AtLimit: LimitBlock},
		Ledger:   Ledger{Sync: SyncFull},
		Origins:  []string{"http://localhost:3000", "chrome-extension://abc", "https://app.example.com"},
		StandIns: []StandIn{{"openai", "gpt-6", "gpt-6-mini"}},
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
	if len(got.Providers) != 3 || len(got.Routes) != 2 ||
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
	all := slices.Concat(got.Routes[0].Fallback, []string{got.Routes[1].Model, got.Providers[0].BaseURL}, got.Providers[0].Models, got.Origins)
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
		if got := nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
