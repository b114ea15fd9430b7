package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"keytray/proxy/llm"
	"keytray/store/config"
	"keytray/store/ledger"
)

// Scope is what a budget limits: all spending (Of is ""), or that of a tool, a
// provider, or a key ("provider/label").
type Scope struct {
	Of   string // "", tool, provider, key
	Name string
}

// String names the scope for people.
func (s Scope) String() string {
	if s.Of == "" {
		return "all tools together"
	}
	return s.Of + " " + s.Name
}

// Limit is one budget and how much of it is used.
type Limit struct {
	Scope   Scope
	Month   bool // of the calendar month; else of the day
	Most    int64
	Spent   int64 // pico-USD, that of calls under way as it was expected
	AtLimit config.AtLimit
	Until   time.Time // when it begins anew
	// Unpriced counts the calls of the period that nobody knows the price of:
	// Spent has nothing of them.
	Unpriced int64
}

// Warning says that a share of a budget is used; it is given once for each
// share and period.
type Warning struct {
	Limit
	Percent int // 50, 80 or 100
}

var warnAt = []int{50, 80, 100}

// limited tells whether any budget is set.
func limited(c *config.Config) bool {
	set := func(b config.Budget) bool { return b.Day != nil || b.Month != nil }
	if set(c.Budget) {
		return true
	}
	for _, t := range c.Tools {
		if set(t.Budget) {
			return true
		}
	}
	for _, p := range c.Providers {
		if set(p.Budget) {
			return true
		}
		for _, k := range p.Keys {
			if set(k.Budget) {
				return true
			}
		}
	}
	return false
}

// scopesOf are the scopes that a call belongs to; a key that is not known yet
// is "".
func scopesOf(tool, provider, key string) [4]Scope {
	return [4]Scope{{}, {"tool", tool}, {"provider", provider}, {"key", provider + "/" + key}}
}

// budgetOf is what the settings say of a scope.
func budgetOf(c *config.Config, s Scope) config.Budget {
	switch s.Of {
	case "":
		return c.Budget
	case "tool":
		t, _ := c.Tool(s.Name)
		return t.Budget
	case "provider":
		p, _ := c.Provider(s.Name)
		return p.Budget
	default:
		for _, p := range c.Providers {
			for _, k := range p.Keys {
				if p.ID+"/"+k.Label == s.Name {
					return k.Budget
				}
			}
		}
		return config.Budget{}
	}
}

// spentUp is the refusal of a call: who, how much, until when.
func spentUp(l Limit) error {
	period := "today's"
	if l.Month {
		period = "this month's"
	}
	return &llm.Error{
		Kind: llm.OverBudget, Code: "budget_spent", Cause: &upError{l},
		Message: fmt.Sprintf("%s budget of %s USD for %s is used up (%s USD so far); it begins anew on %s. Raise it with `keytray budget set`, under Spend or in config.yaml, or use a local model",
			period, usd(l.Most), l.Scope, usd(l.Spent), l.Until.Format("Jan 2, 15:04")),
	}
}

// usd is an amount with two decimals, or more where it is small.
func usd(pico int64) string {
	f := float64(pico) / 1e12
	if f != 0 && f < 0.1 {
		return fmt.Sprintf("%.4f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// settle counts what an attempt cost.
func (a *App) settle(at *llm.Attempt, row *ledger.Row) {
	a.purses.settle(a.config.Current(), at, row.CostPico)
}

// spentSince sums the ledger for the purses.
func (a *App) spentSince(from time.Time) (map[Scope]used, error) {
	ctx, cancel := context.WithTimeout(a.ctx, 5*time.Second)
	defer cancel()
	out := map[Scope]used{}
	sums, err := a.Spend(ctx, ledger.Query{From: from, By: []ledger.By{ledger.ByTool, ledger.ByProvider, ledger.ByKey}})
	if err != nil {
		return nil, err
	}
	for _, s := range sums {
		for _, scope := range scopesOf(s.Tool, s.Provider, s.Key) {
			out[scope] = used{out[scope].pico + s.CostPico, out[scope].unpriced + s.Unpriced}
		}
	}
	return out, nil
}

// warned keeps a warning until a face takes it.
func (a *App) warned(w Warning) {
	a.warnings.Lock()
	defer a.warnings.Unlock()
	if len(a.warnings.all) < 100 {
		a.warnings.all = append(a.warnings.all, w)
	}
	go a.changed()
}

// warnings are those that no face has shown yet.
type warnings struct {
	sync.Mutex
	all []Warning
}

// TakeWarnings are the warnings of budgets since the last call.
func (a *App) TakeWarnings() []Warning {
	a.warnings.Lock()
	defer a.warnings.Unlock()
	all := a.warnings.all
	a.warnings.all = nil
	return all
}

// Limits are the budgets that are set, and what is used of them.
func (a *App) Limits() []Limit { return a.purses.all(a.config.Current()) }
