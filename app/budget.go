package app

import (
	"context"
	"fmt"
	"maps"
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
}

// Warning says that a share of a budget is used; it is given once for each
// share and period.
type Warning struct {
	Limit
	Percent int // 50, 80 or 100
}

var warnAt = []int{50, 80, 100}

// purses hold what was spent in the periods that are running, so that no call
// has to ask the ledger. They are filled from it when they are first needed.
type purses struct {
	mu   sync.Mutex
	now  func() time.Time // nil is time.Now
	load func(from time.Time) (map[Scope]int64, error)
	warn func(Warning)

	day, month purse
}

// purse is one period's.
type purse struct {
	from   time.Time // its first instant; zero: not filled
	spent  map[Scope]int64
	held   map[Scope]int64 // expected of calls under way
	before map[Scope]int64 // of spent, what the ledger told
	warned map[Scope]int   // percent
}

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

// reserve holds what an attempt is expected to cost, or refuses it. It lets the
// call through that reaches a limit, and none after it: what is under way
// counts as spent.
func (p *purses) reserve(c *config.Config, a *llm.Attempt, free bool) error {
	if free {
		a.Reserved = 0
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn()
	scopes := scopesOf(a.Request.Tool, a.Provider, a.Key)
	for _, s := range scopes {
		for _, l := range p.limits(c, s) {
			if l.Spent >= l.Most {
				a.Reserved = 0
				return spentUp(l)
			}
		}
	}
	for _, s := range scopes {
		p.day.hold(s, int64(a.Reserved))
		p.month.hold(s, int64(a.Reserved))
	}
	return nil
}

// over is the first limit that a call would meet which is used up. key is the
// label of the one that will sign, "" if that is not known yet.
func (p *purses) over(c *config.Config, tool, provider, key string) (Limit, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range scopesOf(tool, provider, key) {
		for _, l := range p.limits(c, s) {
			if l.Spent >= l.Most {
				return l, true
			}
		}
	}
	return Limit{}, false
}

// all are all limits that are set, for the screens.
func (p *purses) all(c *config.Config) []Limit {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.limits(c, Scope{})
	for _, t := range c.Tools {
		all = append(all, p.limits(c, Scope{"tool", t.Name})...)
	}
	for _, pr := range c.Providers {
		all = append(all, p.limits(c, Scope{"provider", pr.ID})...)
		for _, k := range pr.Keys {
			all = append(all, p.limits(c, Scope{"key", pr.ID + "/" + k.Label})...)
		}
	}
	return all
}

// settle takes what an attempt cost in the place of what was expected of it.
// Attempts of the time before a limit was set are counted as well.
func (p *purses) settle(c *config.Config, a *llm.Attempt, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.day.from.IsZero() && p.month.from.IsZero() {
		return // nobody has asked yet; the ledger will tell
	}
	p.turn()
	for _, s := range scopesOf(a.Request.Tool, a.Provider, a.Key) {
		for _, purse := range []*purse{&p.day, &p.month} {
			purse.hold(s, -int64(a.Reserved))
			if !a.Start.Before(purse.from) {
				purse.spent[s] += cost
			}
		}
		for _, l := range p.limits(c, s) {
			p.warnOf(l)
		}
	}
}

// hold adds to what is under way.
func (p *purse) hold(s Scope, n int64) {
	if p.held == nil {
		p.held = map[Scope]int64{}
	}
	if p.held[s] += n; p.held[s] <= 0 {
		delete(p.held, s)
	}
}

// limits are those of one scope.
func (p *purses) limits(c *config.Config, s Scope) []Limit {
	b := budgetOf(c, s)
	if b.Day == nil && b.Month == nil {
		return nil
	}
	p.turn()
	var all []Limit
	if b.Day != nil {
		all = append(all, Limit{s, false, *b.Day, p.day.spent[s] + p.day.held[s], b.AtLimit, p.day.from.AddDate(0, 0, 1)})
	}
	if b.Month != nil {
		all = append(all, Limit{s, true, *b.Month, p.month.spent[s] + p.month.held[s], b.AtLimit, p.month.from.AddDate(0, 1, 0)})
	}
	return all
}

// turn begins new periods when their time has come.
func (p *purses) turn() {
	now := time.Now()
	if p.now != nil {
		now = p.now()
	}
	y, m, d := now.Date()
	for _, x := range []struct {
		purse *purse
		from  time.Time
	}{
		{&p.day, time.Date(y, m, d, 0, 0, 0, 0, now.Location())},
		{&p.month, time.Date(y, m, 1, 0, 0, 0, 0, now.Location())},
	} {
		if x.purse.from.Equal(x.from) {
			continue
		}
		spent, err := p.load(x.from)
		if err != nil {
			spent = map[Scope]int64{} // the ledger says so elsewhere; what is spent from now on counts
		}
		x.purse.from, x.purse.spent, x.purse.before, x.purse.warned = x.from, spent, maps.Clone(spent), map[Scope]int{}
	}
}

// warnOf tells of a share that is reached for the first time.
func (p *purses) warnOf(l Limit) {
	if p.warn == nil || l.Most <= 0 {
		return
	}
	purse := &p.day
	if l.Month {
		purse = &p.month
	}
	share := func(spent int64) (reached int) {
		for _, at := range warnAt {
			if float64(spent) >= float64(l.Most)*float64(at)/100 {
				reached = at
			}
		}
		return reached
	}
	// What was spent before this run of the program was warned of then.
	if reached := share(purse.spent[l.Scope]); reached > max(purse.warned[l.Scope], share(purse.before[l.Scope])) {
		purse.warned[l.Scope] = reached
		p.warn(Warning{l, reached})
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
	var cost int64
	if row.CostPico != nil {
		cost = *row.CostPico
	}
	a.purses.settle(a.config.Current(), at, cost)
}

// spentSince sums the ledger for the purses.
func (a *App) spentSince(from time.Time) (map[Scope]int64, error) {
	ctx, cancel := context.WithTimeout(a.ctx, 5*time.Second)
	defer cancel()
	out := map[Scope]int64{}
	sums, err := a.Spend(ctx, ledger.Query{From: from, By: []ledger.By{ledger.ByTool, ledger.ByProvider, ledger.ByKey}})
	if err != nil {
		return nil, err
	}
	for _, s := range sums {
		for _, scope := range scopesOf(s.Tool, s.Provider, s.Key) {
			out[scope] += s.CostPico
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
