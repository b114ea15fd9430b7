package view

import (
	"strings"
	"testing"

	"keytray/app"
)

func choices(active string) []app.Choice {
	all := []app.Choice{
		{ID: "auto", Title: "Automatic", Kind: "auto"},
		{ID: "anthropic", Title: "Anthropic", Kind: "provider"},
		{ID: "openai", Title: "OpenAI", Kind: "provider"},
		{ID: "safe", Title: "safe", Kind: "route"},
		{ID: "offline", Title: "Offline (this computer only)", Kind: "offline"},
	}
	for i := range all {
		all[i].Active = all[i].ID == active
	}
	return all
}

// drawn writes a menu as text: check marks, "(…)" for rows that do nothing, and
// submenus indented.
func drawn(items []Item, indent string) string {
	var b strings.Builder
	for _, it := range items {
		label := it.Label
		switch {
		case label == "":
			label = "-"
		case it.Disabled:
			label = "(" + label + ")"
		case it.Checked:
			label = "✓ " + label
		}
		b.WriteString(indent + label + "\n" + drawn(it.Items, indent+"  "))
	}
	return b.String()
}

func TestTray(t *testing.T) {
	on := app.Status{State: app.On, Address: "127.0.0.1:5397", Active: "auto"}
	spent := app.Sum{Calls: 3, CostPico: 4_210_000_000_000, Usage: app.Usage{Input: 44_000, Output: 1_200}}
	for _, c := range []struct {
		name  string
		state TrayState
		icon  app.State
		want  string
	}{
		{"on", TrayState{on, choices("auto"), spent, true, nil}, app.On, `
(Keytray: on · 127.0.0.1:5397)
Today $4.21 · 45K tokens
-
Answering: Automatic
  ✓ Automatic
  -
  Anthropic
  OpenAI
  -
  safe
  -
  Offline (this computer only)
Copy base URL
  OpenAI  http://127.0.0.1:5397/v1
  Anthropic  http://127.0.0.1:5397
  Gemini  http://127.0.0.1:5397
  Ollama  http://127.0.0.1:5397
Pause
-
Open Keytray
Quit
`},
		{"a problem, paused, switched", TrayState{app.Status{
			State: app.Attention, Address: "127.0.0.1:5397", Active: "safe", Paused: true,
			Problems: []app.Problem{{Message: "not grave"}, {Message: "config.yaml, line 4, column 9: " + strings.Repeat("long ", 40), Grave: true}},
		}, choices("safe")[:4], app.Sum{Calls: 2, Unpriced: 2}, true, nil}, app.Attention, `
(Keytray: paused · 127.0.0.1:5397)
Needs attention: config.yaml, line 4, column 9: long long l…
Today 2 unpriced
-
Answering: safe
  Automatic
  -
  Anthropic
  OpenAI
  -
  ✓ safe
Copy base URL
  OpenAI  http://127.0.0.1:5397/v1
  Anthropic  http://127.0.0.1:5397
  Gemini  http://127.0.0.1:5397
  Ollama  http://127.0.0.1:5397
Resume
-
Open Keytray
Quit
`},
		{"nothing works", TrayState{app.Status{
			State: app.Attention, Active: "offline",
			Problems: []app.Problem{{Message: "a", Grave: true}, {Message: "b", Grave: true}},
		}, choices("offline")[4:], app.Sum{}, false, nil}, app.Attention, `
(Keytray: not listening)
Needs attention: 2 problems
Today unknown
-
Answering: Offline
  ✓ Offline (this computer only)
(Copy base URL)
Pause
-
Open Keytray
Quit
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := NewTray(c.state)
			if d := drawn(got.Items, ""); d != c.want[1:] {
				t.Errorf("got\n%swant%s", d, c.want)
			}
			if got.Icon != c.icon {
				t.Errorf("icon %q, want %q", got.Icon, c.icon)
			}
			if len(got.Items) > 12 {
				t.Errorf("%d rows: a tray's menu has 12 at most", len(got.Items))
			}
			for _, it := range got.Items {
				if it.Label != "" && !it.Disabled && it.Act == ActNone && len(it.Items) == 0 {
					t.Errorf("%q does nothing", it.Label)
				}
			}
		})
	}
	if tip := NewTray(TrayState{on, choices("auto"), spent, true, nil}).Tooltip; tip != "Keytray: on · 127.0.0.1:5397\nToday $4.21 · 45K tokens" {
		t.Errorf("tooltip %q", tip)
	}
}

func TestTrayActions(t *testing.T) {
	v := NewTray(TrayState{app.Status{Address: "127.0.0.1:1"}, choices("auto"), app.Sum{}, true, nil})
	args := map[Action][]string{}
	var walk func([]Item)
	walk = func(items []Item) {
		for _, it := range items {
			if it.Act != ActNone {
				args[it.Act] = append(args[it.Act], it.Arg)
			}
			walk(it.Items)
		}
	}
	walk(v.Items)
	for act, want := range map[Action]string{
		ActUse: "auto anthropic openai safe offline", ActCopy: "http://127.0.0.1:1/v1 http://127.0.0.1:1 http://127.0.0.1:1 http://127.0.0.1:1",
		ActSpend: "", ActShow: "", ActPause: "", ActQuit: "",
	} {
		if got := strings.Join(args[act], " "); got != want || args[act] == nil {
			t.Errorf("%s takes %q, want %q", act, got, want)
		}
	}
}

// TestTrayTellsBudgets: the day's limit stands beside what today cost, and what
// is used up is a row of its own.
func TestTrayTellsBudgets(t *testing.T) {
	usd := int64(picoPerUSD)
	day := app.Limit{Most: 10 * usd, Spent: 4 * usd}
	month := app.Limit{Month: true, Most: 5 * usd, Spent: 6 * usd}
	codex := app.Limit{Scope: app.Scope{Of: "tool", Name: "codex"}, Most: usd, Spent: usd}
	none := app.Limit{Scope: app.Scope{Of: "tool", Name: "aider"}}
	for _, c := range []struct {
		today  app.Sum
		limits []app.Limit
		want   string
	}{
		{app.Sum{Calls: 2, CostPico: 4 * usd}, nil, "Today $4.00"},
		{app.Sum{Calls: 2, CostPico: 4 * usd}, []app.Limit{day, none}, "Today $4.00 of $10.00"},
		{app.Sum{Calls: 3, Unpriced: 1, CostPico: 4 * usd}, []app.Limit{day}, "Today $4.00 of $10.00 + 1 unpriced"},
		{app.Sum{Calls: 1, Unpriced: 1}, []app.Limit{day}, "Today 1 unpriced"},
		{app.Sum{Calls: 2, CostPico: 4 * usd}, []app.Limit{month}, "Today $4.00\nBudget used up: all tools together"},
		{app.Sum{Calls: 2, CostPico: 4 * usd}, []app.Limit{day, codex}, "Today $4.00 of $10.00\nBudget used up: tool codex"},
		{app.Sum{Calls: 2, CostPico: 4 * usd}, []app.Limit{day, month, codex}, "Today $4.00 of $10.00\n2 budgets used up"},
	} {
		v := NewTray(TrayState{Status: app.Status{Address: "127.0.0.1:1"}, Choices: choices("auto"), Today: c.today, Known: true, Limits: c.limits})
		var rows []string
		for _, it := range v.Items {
			if it.Act == ActSpend {
				rows = append(rows, it.Label)
			}
		}
		if got := strings.Join(rows, "\n"); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
		if !strings.HasSuffix(v.Tooltip, c.want) {
			t.Errorf("tooltip %q", v.Tooltip)
		}
	}
}

func TestStanding(t *testing.T) {
	on := app.Status{Address: "127.0.0.1:1"}
	for active, want := range map[string]string{"auto": "on", "openai": "on · OpenAI", "safe": "on · safe", "offline": "offline"} {
		on.Active = active
		if got := Standing(TrayState{Status: on, Choices: choices(active)}); got != want {
			t.Errorf("%s: %q, want %q", active, got, want)
		}
	}
	if got := Standing(TrayState{Choices: choices("openai")}); got != "not listening" {
		t.Errorf("%q", got)
	}
}
