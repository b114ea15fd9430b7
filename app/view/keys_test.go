package view

import (
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func someKeys() []app.Key {
	return []app.Key{
		{Provider: "openai", Label: "OPENAI_API_KEY", Hint: "••••1", Source: "environment", Where: "from OPENAI_API_KEY", InUse: true},
		{Provider: "openai", Label: "work", Hint: "••••2", Source: "keychain", Where: "in the login keyring", Stored: true},
		{Provider: "anthropic", Label: "default", Hint: "••••3", Source: "keychain", Where: "in the login keyring", InUse: true, Stored: true},
		{Provider: "groq", Label: "GROQ_API_KEY", Hint: "••••4", Source: "environment", Where: "from GROQ_API_KEY", InUse: true},
		{Provider: "gone", Label: "old", Hint: "••••5", Source: "keychain", Where: "in the login keyring", InUse: true, Stored: true},
	}
}

func someProviders() []app.Provider {
	return []app.Provider{
		{ID: "openai", Name: "OpenAI", Built: true, NeedsKey: true, Env: []string{"OPENAI_API_KEY"}},
		{ID: "anthropic", Name: "Anthropic", Built: true, NeedsKey: true, Off: true},
		{ID: "groq", Name: "Groq", NeedsKey: true, Why: "no dialect"},
		{ID: "ollama", Name: "Ollama", Built: true, Local: true},
	}
}

func TestKeys(t *testing.T) {
	cards := NewKeys(KeysState{
		Now: at, Keys: someKeys(), Providers: someProviders(), Known: true,
		Today: []app.Sum{{Provider: "openai", Calls: 2, CostPico: 40_000_000_000}},
		Tests: map[KeyID]Tested{
			{"openai", "work", "keychain"}:              {At: at.Add(-3 * time.Minute), OK: true, Said: "accepted", Took: 240 * time.Millisecond},
			{"openai", "OPENAI_API_KEY", "environment"}: {At: at, Said: "401: no"},
		},
	})
	var names []string
	for _, c := range cards {
		names = append(names, c.Name)
	}
	if got := strings.Join(names, " "); got != "Anthropic gone Groq OpenAI" {
		t.Fatalf("cards %s", got)
	}
	if cards[0].Note != "Turned off in config.yaml: it gets no calls." || cards[2].Note != "Cannot be called yet: no dialect" || cards[1].Note != "" {
		t.Errorf("notes %q %q %q", cards[0].Note, cards[1].Note, cards[2].Note)
	}
	o := cards[3]
	if o.Today != "Today $0.04" || len(o.Keys) != 2 {
		t.Fatalf("card %+v", o)
	}
	if k := o.Keys[0]; k.Use != "in use" || k.Import || k.Stored || k.Test != "failed: 401: no · just now" || k.TestTone != Bad {
		t.Errorf("a key of the environment beside one of the keychain %+v", k)
	}
	if k := o.Keys[1]; k.Use != "spare" || !k.Stored || k.Test != "OK, 240 ms: accepted · 3 min ago" || k.TestTone != Good {
		t.Errorf("a stored key %+v", k)
	}
	if k := cards[2].Keys[0]; !k.Import || k.Test != "not tested yet" {
		t.Errorf("a key of the environment alone %+v", k)
	}
}

// TestKeysRest says which keys rest, until when, and when the next rest is over.
func TestKeysRest(t *testing.T) {
	rests := []app.Rest{
		{Provider: "gone", Key: "old", Model: "m", Until: at.Add(time.Minute), Why: "rate_limit"},
		{Provider: "openai", Key: "work", Model: "gpt-6-luna", Until: at.Add(2 * time.Minute), Why: "rate_limit"},
		{Provider: "openai", Key: "work", Until: at.Add(5 * time.Minute), Why: "authentication"},
		{Provider: "openai", Until: at.Add(10 * time.Second), Why: "unreachable"},
		{Provider: "openai", Model: "gpt-6-luna", Until: at.Add(20 * time.Second), Why: "server_error"},
		{Provider: "anthropic", Key: "default", Until: at.Add(time.Hour), Why: "no_credit"},
		{Provider: "groq", Key: "GROQ_API_KEY", Until: at.Add(-time.Second), Why: "no_credit"}, // over
	}
	cards := NewKeys(KeysState{Now: at, Keys: someKeys(), Providers: someProviders(), Rests: rests})
	if !Rests(cards) || Rests(NewKeys(KeysState{Now: at, Keys: someKeys(), Rests: rests[6:]})) {
		t.Error("who rests is not told apart from who does not")
	}
	o := cards[3]
	if want := "gpt-6-luna rests until 09:00:20: calls kept failing at the provider\nrests until 09:00:10: the provider could not be reached"; o.Rests != want {
		t.Errorf("the provider %q", o.Rests)
	}
	if k := o.Keys[0]; k.Rests != "" || k.Use != "in use" {
		t.Errorf("a key that does not rest %+v", k)
	}
	want := "rests until 09:02:00 for gpt-6-luna: the provider asked for fewer calls\n" +
		"rests until 09:05:00: the provider refused the key. Test it, and replace it if it is refused again"
	if k := o.Keys[1]; k.Rests != want || k.Use != "spare" {
		t.Errorf("a key that rests %+v", k)
	}
	if k := cards[2].Keys[0]; k.Rests != "" || k.Use != "in use" {
		t.Errorf("a rest that is over %+v", k)
	}
	if k := cards[1].Keys[0]; k.Use != "in use" || k.Rests == "" {
		t.Errorf("a key that rests for one model alone %+v", k)
	}
	if k := cards[0].Keys[0]; k.Use != "rests" {
		t.Errorf("a key that is refused for all models %+v", k)
	}
	if end := RestsEnd(rests, at); !end.Equal(at.Add(10 * time.Second)) {
		t.Errorf("the first rest ends %v", end)
	}
	if end := RestsEnd(rests[6:], at); !end.IsZero() {
		t.Errorf("a rest that is over ends %v", end)
	}
	if o.Today != "" {
		t.Errorf("a cost that is not known is %q", o.Today)
	}
}

func TestProviderLines(t *testing.T) {
	all := ProviderLines(someProviders(), "")
	var got []string
	for _, l := range all {
		got = append(got, l.Name+": "+l.Note)
	}
	want := "OpenAI: or set OPENAI_API_KEY|Anthropic: turned off in config.yaml|Groq: cannot be called yet: no dialect|Ollama: runs on this computer and needs no key"
	if strings.Join(got, "|") != want {
		t.Errorf("got %s", strings.Join(got, "|"))
	}
	if !all[0].Usable || all[1].Usable || all[2].Usable || all[3].Usable {
		t.Error("only one of them takes a key that can be used")
	}
	if l := ProviderLines(someProviders(), " OPENai"); len(l) != 1 || l[0].ID != "openai" {
		t.Errorf("found %v", l)
	}
}

func TestWhatStops(t *testing.T) {
	keys := someKeys()
	for _, c := range []struct {
		name, provider, label, active, want string
		keys                                []app.Key
	}{
		{"the only one", "anthropic", "default", "auto", "It is the only key for X: calls of its models stop", keys},
		{"and the switch is on it", "anthropic", "default", "anthropic", "so all calls stop until it is turned", keys},
		{"another signs", "openai", "work", "openai", `nothing changes: calls use "OPENAI_API_KEY"`, keys},
		{"another takes over", "openai", "first", "auto", `Calls go on with the key "work"`, []app.Key{
			{Provider: "openai", Label: "first", Source: "keychain", InUse: true, Stored: true}, keys[1],
		}},
	} {
		if got := WhatStops(c.keys, c.provider, "X", c.label, c.active); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
}

func TestOverview(t *testing.T) {
	usd := int64(picoPerUSD)
	s := OverviewState{Now: at, Days: []app.Sum{
		{Day: day(at, 0), Calls: 1, CostPico: usd, Estimated: 1, Usage: app.Usage{Input: 1500}},
		{Day: day(at, 6), Calls: 2, CostPico: usd},
		{Day: day(at, 7), Calls: 4, CostPico: usd, Unpriced: 4},
		{Day: day(at, 29), Calls: 8, CostPico: usd},
	}}
	v := NewOverview(s)
	for i, want := range []Figure{
		{"Today", "$1.00", "", "1 call · 1.5K tokens · 1 estimated"},
		{"7 days", "$2.00", "", "3 calls · 1.5K tokens · 1 estimated"},
		{"30 days", "$4.00", "+ 4 unpriced", "15 calls · 1.5K tokens · 1 estimated"},
	} {
		if v.Figures[i] != want {
			t.Errorf("got %+v, want %+v", v.Figures[i], want)
		}
	}
	if len(v.Bars) != 14 || v.Bars[13].Parts[0] != 1 || v.Bars[6].Unknown != 4 {
		t.Errorf("bars %+v", v.Bars)
	}
}

// TestSteps: each step ticks itself, and all go once the first real call went
// well.
func TestSteps(t *testing.T) {
	key := []app.Key{{Provider: "a"}}
	demo := app.Row{Provider: "demo", Status: "ok"}
	failed := app.Row{Provider: "a", Key: "k", Status: "error"}
	good := app.Row{Provider: "a", Key: "k", Status: "ok"}
	for _, c := range []struct {
		name  string
		state OverviewState
		want  string
	}{
		{"new", OverviewState{}, "..."},
		{"the demo is no step", OverviewState{Rows: []app.Row{demo}}, "..."},
		{"a key", OverviewState{Keys: key, Rows: []app.Row{failed}}, "x.."},
		{"tested", OverviewState{Keys: key, Tested: true}, "xx."},
		{"a local model", OverviewState{Rows: []app.Row{{Provider: "ollama", Status: "ok"}}}, "..x"},
		{"called, so the key is good", OverviewState{Keys: key, Rows: []app.Row{good}}, ""},
	} {
		c.state.Now = at
		got := ""
		for _, s := range NewOverview(c.state).Steps {
			if s.Done {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSettings(t *testing.T) {
	s := app.Status{Problems: []app.Problem{{About: "keychain", Message: "locked", Remedy: "unlock it"}, {About: "config", Message: "bad", Grave: true}, {About: "new"}}}
	p := Problems(s)
	if len(p) != 3 || p[0].Title != "Settings" || !p[0].Grave || p[1].Title != "Keychain" || p[2].Title != "New" {
		t.Errorf("problems %+v", p)
	}
	for i, want := range []string{"Settings need attention", "Keychain", "New"} {
		if got := p[i].Heading(); got != want {
			t.Errorf("heading %q, want %q", got, want)
		}
	}
	if got := (ProblemLine{Title: "Keychain", Grave: true}).Heading(); got != "Keychain needs attention" {
		t.Errorf("heading %q", got)
	}
	if k, ok := KeychainProblem(s); !ok || k.Remedy != "unlock it" {
		t.Errorf("keychain %+v", k)
	}
	if _, ok := KeychainProblem(app.Status{}); ok {
		t.Error("a problem out of nowhere")
	}
	for _, options := range [][]Option{WithoutToken(), LedgerSync(), LedgerDetail(), PriceUpdates(), KeepDays(0), KeepDays(30), KeepDays(45), Themes()} {
		for _, o := range options {
			if Chosen(options, o.ID) != o || Chosen(options, o.Title) != o {
				t.Errorf("%+v cannot be chosen", o)
			}
		}
	}
}

func TestKeepDays(t *testing.T) {
	ids := func(now int) string {
		var out []string
		for _, o := range KeepDays(now) {
			out = append(out, o.ID)
		}
		return strings.Join(out, " ")
	}
	for now, want := range map[int]string{0: "0 365 90 30 7", 30: "0 365 90 30 7", 45: "0 365 90 45 30 7", 400: "0 400 365 90 30 7"} {
		if got := ids(now); got != want {
			t.Errorf("of %d days the choices are %s, want %s", now, got, want)
		}
	}
	for _, c := range []struct {
		from, to int
		want     bool
	}{{0, 30, true}, {90, 30, true}, {30, 90, false}, {30, 0, false}, {0, 0, false}, {30, 30, false}} {
		if got := Shorter(c.from, c.to); got != c.want {
			t.Errorf("from %d to %d days loses calls: %v", c.from, c.to, got)
		}
	}
}
