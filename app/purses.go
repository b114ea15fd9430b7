package app

import (
	"maps"
	"sync"
	"time"

	"keytray/proxy/llm"
	"keytray/store/config"
)

// purses hold what was spent in the periods that are running, so that no call
// has to ask the ledger. They are filled from it when they are first needed.
type purses struct {
	mu   sync.Mutex
	now  func() time.Time // nil is time.Now
	load func(from time.Time) (map[Scope]used, error)
	warn func(Warning)

	day, month purse
}

// purse is one period's.
type purse struct {
	from   time.Time // its first instant; zero: not filled
	stale  bool      // to be filled anew
	spent  map[Scope]used
	held   map[Scope]int64 // expected of calls under way
	before map[Scope]used  // of spent, what the ledger told
	warned map[Scope]int   // percent
}

// used is what calls came to.
type used struct {
	pico     int64
	unpriced int64 // calls whose cost is not known, and not in pico
}

// add counts a cost, nil being an unknown one.
func (u used) add(cost *int64) used {
	if cost == nil {
		u.unpriced++
	} else {
		u.pico += *cost
	}
	return u
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

// settle takes what an attempt cost, nil being unknown, in the place of what was
// expected of it. Attempts of the time before a limit was set are counted as well.
func (p *purses) settle(c *config.Config, a *llm.Attempt, cost *int64) {
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
				purse.spent[s] = purse.spent[s].add(cost)
			}
		}
		for _, l := range p.limits(c, s) {
			p.warnOf(l)
		}
	}
}

// ready fills the periods of now, for costs that the ledger is told of before the
// purses are: read from it afterwards, they would count twice.
func (p *purses) ready() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.day.from.IsZero() {
		p.turn()
	}
}

// reprice takes the new cost of an ended call in the place of its old one.
func (p *purses) reprice(r Row, cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range scopesOf(r.Tool, r.Provider, r.Key) {
		for _, purse := range []*purse{&p.day, &p.month} {
			if purse.from.IsZero() || r.Time.Before(purse.from) {
				continue
			}
			u := purse.spent[s]
			if r.CostPico == nil {
				u.unpriced--
			} else {
				u.pico -= *r.CostPico
			}
			purse.spent[s] = u.add(&cost)
		}
	}
}

// forget has what was spent read from the ledger anew.
func (p *purses) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.day.stale, p.month.stale = true, true
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
	if u := p.day.spent[s]; b.Day != nil {
		all = append(all, Limit{s, false, *b.Day, u.pico + p.day.held[s], b.AtLimit, p.day.from.AddDate(0, 0, 1), u.unpriced})
	}
	if u := p.month.spent[s]; b.Month != nil {
		all = append(all, Limit{s, true, *b.Month, u.pico + p.month.held[s], b.AtLimit, p.month.from.AddDate(0, 1, 0), u.unpriced})
	}
	return all
}

// turn begins new periods when their time has come, and fills those anew that
// were forgotten.
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
		same := x.purse.from.Equal(x.from)
		if same && !x.purse.stale {
			continue
		}
		spent, err := p.load(x.from)
		switch {
		case err == nil:
		case same:
			spent = x.purse.spent
		default:
			spent = map[Scope]used{} // the ledger says so elsewhere; what is spent from now on counts
		}
		x.purse.stale, x.purse.from, x.purse.spent, x.purse.before, x.purse.warned = false, x.from, spent, maps.Clone(spent), map[Scope]int{}
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
	if reached := share(purse.spent[l.Scope].pico); reached > max(purse.warned[l.Scope], share(purse.before[l.Scope].pico)) {
		purse.warned[l.Scope] = reached
		p.warn(Warning{l, reached})
	}
}
