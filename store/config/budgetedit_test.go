package config

import "testing"

// TestBudgetEdits: a limit is written where it belongs, and goes with all that
// then says nothing.
func TestBudgetEdits(t *testing.T) {
	five := int64(5e12)
	day := Budget{Day: &five}
	for _, c := range []struct {
		name          string
		do            func(*Edit) error
		before, after string
	}{
		{"a tool", func(e *Edit) error { return e.SetToolBudget("codex", day) }, "active: auto # x\n", "active: auto # x\ntools:\n  codex: {budget: {day: 5}}\n"},
		{
			"beside its models", func(e *Edit) error { return e.SetToolBudget("codex", day) },
			"tools:\n  codex:\n    # what it may use\n    models: [a/b]\n", "tools:\n  codex:\n    # what it may use\n    models: [a/b]\n    budget: {day: 5}\n",
		},
		{"a provider", func(e *Edit) error { return e.SetProviderBudget("openai", day) }, "providers:\n  openai: {off: true} # no\n", "providers:\n  openai: {off: true, budget: {day: 5}} # no\n"},
		{"a key", func(e *Edit) error { return e.SetKeyBudget("openai", "my work", day) }, "", "providers:\n  openai: {keys: {\"my work\": {budget: {day: 5}}}}\n"},
		{"the last of a key", func(e *Edit) error { return e.SetKeyBudget("openai", "work", Budget{}) }, "providers:\n  openai: {keys: {work: {budget: {day: 5}}}}\n  b: {off: true}\n", "providers:\n  b: {off: true}\n"},
		{"the last of a tool", func(e *Edit) error { return e.SetToolBudget("codex", Budget{}) }, "tools:\n  codex:\n    models: [a/b]\n    budget:\n      day: 5\n", "tools:\n  codex:\n    models: [a/b]\n"},
		{"none before", func(e *Edit) error { return e.SetToolBudget("codex", Budget{}) }, "active: auto\n", "active: auto\n"},
		{"models", func(e *Edit) error { return e.SetToolModels("codex", []string{"a/b", "safe"}) }, "", "tools:\n  codex: {models: [a/b, safe]}\n"},
		{"no models", func(e *Edit) error { return e.SetToolModels("codex", nil) }, "tools: {codex: {models: [a/b]}, b: {models: [x]}}\n", "tools: {b: {models: [x]}}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &Edit{doc: document{raw: []byte(c.before)}}
			if err := c.do(e); err != nil {
				t.Fatal(err)
			}
			if got := string(e.doc.raw); got != c.after {
				t.Errorf("got\n%s\nwant\n%s", got, c.after)
			}
			if _, err := Parse("config.yaml", e.doc.raw); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseUSD(t *testing.T) {
	if n, err := ParseUSD("0.50"); err != nil || n != 5e11 {
		t.Error(n, err)
	}
	for _, bad := range []string{"", "-1", "five", "1e3", "0.0000000000001", "99999999"} {
		if n, err := ParseUSD(bad); err == nil {
			t.Errorf("%q is %d", bad, n)
		}
	}
}
