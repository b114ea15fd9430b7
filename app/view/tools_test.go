package view

import (
	"slices"
	"strings"
	"testing"
	"time"

	"keytray/app"
)

func TestTools(t *testing.T) {
	tools := []app.Tool{
		{Name: "aider", Token: true, Created: at.Add(-time.Hour), LastUsed: at.Add(-time.Minute), Today: app.Sum{Calls: 2, CostPico: picoPerCent * 4, Unpriced: 1}, Month: app.Sum{Calls: 3, CostPico: picoPerUSD}},
		{Name: "codex", Token: true, Created: at, Models: []string{"openai/gpt-6", "ollama/"}},
		{Name: "env", Token: true, Static: true},
		{Name: "planned", Models: []string{"safe"}},
	}
	cards := NewTools(ToolsState{Now: at, Tools: tools, Known: true, Limits: []app.Limit{limit("tool", "codex", false, 1, 5), limit("", "", false, 1, 5)}})
	for i, want := range []string{
		"last used 1 min ago · made " + Ago(at, at.Add(-time.Hour)) + "|Today $0.04 + 1 unpriced · this month $1.00|May ask for everything",
		"never used · made just now|Today $0.00 · this month $0.00|May ask for openai/gpt-6 and all of ollama",
		"never used · its token is KEYTRAY_TOKEN, from the environment|Today $0.00 · this month $0.00|May ask for everything",
		"no token yet|Today $0.00 · this month $0.00|May ask for safe",
	} {
		if got := cards[i].Token + "|" + cards[i].Spent + "|" + cards[i].Models; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if len(cards[1].Limits) != 1 || len(cards[0].Limits) != 0 {
		t.Error("a card has another's limits")
	}
	if c := NewTools(ToolsState{Now: at, Tools: tools})[0]; c.Spent != "" {
		t.Errorf("not known, and said %q", c.Spent)
	}
	if rows := ToolTable(tools, false, at).Rows; rows[0][3] != "-" || rows[3][1] != "no token" {
		t.Errorf("%q", rows)
	}
}

func TestParseModels(t *testing.T) {
	if got := ParseModels(" a/b,\n c/\n\n"); !slices.Equal(got, []string{"a/b", "c/"}) {
		t.Errorf("%q", got)
	}
	if len(ParseModels(" \n")) != 0 {
		t.Error("something out of nothing")
	}
}

func TestStrangers(t *testing.T) {
	if StrangersText(app.Strangers{}, at) != "" {
		t.Error("strangers out of nowhere")
	}
	if got := StrangersText(app.Strangers{Count: 3, Last: at.Add(-time.Minute)}, at); !strings.HasPrefix(got, "3 calls came with an unknown token since Keytray started, the last one 1 min ago.") {
		t.Error(got)
	}
	bad := app.Status{Problems: []app.Problem{{About: "keychain", Message: "there is none"}}}
	if !strings.Contains(TokensKept(bad), "shown once") || strings.Contains(TokensKept(app.Status{}), "shown once") {
		t.Error("it is not said how tokens are kept")
	}
}
