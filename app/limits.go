package app

import (
	"fmt"
	"strings"

	"keytray/store/config"
	"keytray/store/keys"
)

// BudgetSettings is what config.yaml says of one scope. A nil limit is none; one
// of 0 lets nothing that costs money through. Both are pico-USD.
type BudgetSettings struct {
	Day, Month *int64
	AtLimit    string // block, offline; "" is block
}

// ParseScope reads a scope as people write it: all, or tool, provider or key and
// a name, which for a key is PROVIDER/LABEL.
func ParseScope(words ...string) (Scope, error) {
	const forms = "a scope is all, tool NAME, provider ID or key PROVIDER/LABEL"
	switch {
	case len(words) == 1 && words[0] == "all":
		return Scope{}, nil
	case len(words) != 2:
		return Scope{}, fmt.Errorf("%s", forms)
	}
	s := Scope{words[0], strings.TrimSpace(words[1])}
	switch s.Of {
	case "tool", "provider":
	case "key":
		if id, label, ok := strings.Cut(s.Name, "/"); !ok || id == "" || label == "" {
			return Scope{}, fmt.Errorf("a key is named PROVIDER/LABEL, such as openai/work")
		}
	default:
		return Scope{}, fmt.Errorf("%s", forms)
	}
	return s, nil
}

// ParseUSD reads an amount such as 5, $5 or 0.50, exactly, as pico-USD.
func ParseUSD(text string) (int64, error) {
	return config.ParseUSD(strings.TrimPrefix(strings.TrimSpace(text), "$"))
}

// Budget is what config.yaml says of a scope.
func (a *App) Budget(s Scope) BudgetSettings {
	b := budgetOf(a.config.Current(), s)
	return BudgetSettings{b.Day, b.Month, string(b.AtLimit)}
}

// SetBudget writes a scope's limits to config.yaml; without any, its budget is
// removed. It holds for the next call.
func (a *App) SetBudget(s Scope, to BudgetSettings) error {
	if err := a.limitable(s); err != nil {
		return err
	}
	b := config.Budget{Day: to.Day, Month: to.Month, AtLimit: config.AtLimit(to.AtLimit)}
	err := a.config.Edit(func(e *config.Edit) error {
		switch s.Of {
		case "tool":
			return e.SetToolBudget(s.Name, b)
		case "provider":
			return e.SetProviderBudget(s.Name, b)
		case "key":
			id, label, _ := strings.Cut(s.Name, "/")
			return e.SetKeyBudget(id, label, b)
		default:
			return e.SetBudget(b)
		}
	})
	if err != nil {
		return err
	}
	a.tellOther(a.ctx, "config")
	return nil
}

// limitable refuses a scope that cannot be: a name that is none, or a provider
// that there is not.
func (a *App) limitable(s Scope) error {
	switch s.Of {
	case "tool":
		return keys.CheckTool(s.Name)
	case "provider", "key":
		id, _, _ := strings.Cut(s.Name, "/")
		if _, ok := a.catalog.Load().Provider(id); !ok {
			return a.noProvider(id)
		}
	}
	return nil
}

// Period names a limit's period in a sentence: today, this month.
func (l Limit) Period() string {
	if l.Month {
		return "this month"
	}
	return "today"
}
