package config

import (
	"slices"
	"strconv"
)

// Edit changes single settings of the file that [Store.Edit] opened. Its methods leave everything else as it is,
// comments above removed settings too. What they are given is checked when the edit is done, not before. An Edit
// is for the call that it was made for and one goroutine.
type Edit struct {
	doc document
	old *Config
}

// Config returns the settings before the edit.
func (e *Edit) Config() *Config { return e.old }

// SetListen changes where tools connect.
func (e *Edit) SetListen(address string) error { return e.doc.set(textOf(address), "listen") }

// SetListenBeyondLoopback permits or forbids addresses that other machines can reach.
func (e *Edit) SetListenBeyondLoopback(yes bool) error {
	if !yes {
		return e.doc.set(nil, "listen_beyond_loopback")
	}
	return e.doc.set(truthOf(true), "listen_beyond_loopback")
}

// SetActive turns the tray's switch: ActiveAuto, ActiveOffline, a provider's id or a route's name.
func (e *Edit) SetActive(to string) error { return e.doc.set(textOf(to), "active") }

// SetWithoutToken says what a client that sends no token may use.
func (e *Edit) SetWithoutToken(to WithoutToken) error {
	return e.doc.set(textOf(string(to)), "without_token")
}

// SetKeepResponses says whether answers of the Responses API are kept in memory.
func (e *Edit) SetKeepResponses(keep bool) error {
	if !keep {
		return e.doc.set(nil, "keep_responses")
	}
	return e.doc.set(truthOf(true), "keep_responses")
}

// SetLedgerSync says what a finished row survives.
func (e *Edit) SetLedgerSync(to Sync) error { return e.doc.set(textOf(string(to)), "ledger", "sync") }

// SetKeepDays says after how many days single rows are dropped; 0 keeps them for good.
func (e *Edit) SetKeepDays(days int) error {
	if days == 0 {
		return e.doc.set(nil, "ledger", "keep_days")
	}
	return e.doc.set(numberOf(strconv.Itoa(days)), "ledger", "keep_days")
}

// SetLedgerDetail says what new rows hold.
func (e *Edit) SetLedgerDetail(to Detail) error {
	return e.doc.set(textOf(string(to)), "ledger", "detail")
}

// SetPriceUpdate says when the list of prices is looked up anew.
func (e *Edit) SetPriceUpdate(to PriceUpdate) error {
	return e.doc.set(textOf(string(to)), "prices", "update")
}

// SetOrigins names the browser origins that may call; none clears the list.
func (e *Edit) SetOrigins(origins []string) error { return e.doc.set(listOrNil(origins), "origins") }

// SetBudget limits what all tools spend together; the zero Budget removes the limits.
func (e *Edit) SetBudget(b Budget) error { return e.doc.set(budgetNode(b), "budget") }

// SetProvider adds or changes an entry. Its zero fields leave the file.
func (e *Edit) SetProvider(p Provider) error {
	n := tableOf()
	n.put("dialect", textOrNil(p.Dialect))
	n.put("base_url", textOrNil(p.BaseURL))
	n.put("key_env", textOrNil(p.KeyEnv))
	n.put("models", listOrNil(p.Models))
	if len(p.Headers) > 0 {
		headers := tableOf()
		for _, h := range p.Headers {
			headers.put(h.Name, textOf(h.Value))
		}
		n.put("headers", headers)
	}
	for _, s := range p.Settings {
		n.put(s.Name, textOf(s.Value))
	}
	if len(p.Deployments) > 0 {
		deployments := tableOf()
		for _, d := range p.Deployments {
			deployments.put(d.Model, textOf(d.Name))
		}
		n.put("deployments", deployments)
	}
	if p.Off {
		n.put("off", truthOf(true))
	}
	if p.Rotate {
		n.put("rotate", truthOf(true))
	}
	if b := budgetNode(p.Budget); len(b.entries) > 0 {
		n.put("budget", b)
	}
	keys := tableOf()
	for _, k := range p.Keys {
		if b := budgetNode(k.Budget); len(b.entries) > 0 {
			keys.put(k.Label, tableOf(entry{key: "budget", value: b}))
		}
	}
	if len(keys.entries) > 0 {
		n.put("keys", keys)
	}
	n.put("prices", pricesNode(p.Prices))
	n.put("discount", discountNode(p.Discount))
	return e.doc.set(n, "providers", p.ID)
}

// RemoveProvider removes an entry; a built-in provider is then as it was built in.
func (e *Edit) RemoveProvider(id string) error { return e.doc.set(nil, "providers", id) }

// SetRoute adds or changes a route.
func (e *Edit) SetRoute(r Route) error {
	return e.doc.set(targetNode(r.Target), "routes", r.Name)
}

// RemoveRoute removes a route.
func (e *Edit) RemoveRoute(name string) error { return e.doc.set(nil, "routes", name) }

// SetTool adds or changes the settings of a tool.
func (e *Edit) SetTool(t Tool) error {
	n := tableOf()
	if b := budgetNode(t.Budget); len(b.entries) > 0 {
		n.put("budget", b)
	}
	n.put("models", listOrNil(t.Models))
	return e.doc.set(n, "tools", t.Name)
}

// RemoveTool removes the settings of a tool.
func (e *Edit) RemoveTool(name string) error { return e.doc.set(nil, "tools", name) }

// SetStandIn adds or changes the stand-ins of a provider; without any, the entry is removed.
func (e *Edit) SetStandIn(s StandIn) error {
	n := tableOf()
	n.put("large", textOrNil(s.Large))
	n.put("small", textOrNil(s.Small))
	if len(n.entries) == 0 {
		n = nil
	}
	return e.doc.set(n, "stand_ins", s.Provider)
}

func textOrNil(s string) *node {
	if s == "" {
		return nil
	}
	return textOf(s)
}

func listOrNil(texts []string) *node {
	if len(texts) == 0 {
		return nil
	}
	return listOf(texts)
}

// budgetNode leaves out the default at_limit.
func budgetNode(b Budget) *node {
	n := tableOf()
	if b.Day != nil {
		n.put("day", numberOf(formatUSD(*b.Day)))
	}
	if b.Month != nil {
		n.put("month", numberOf(formatUSD(*b.Month)))
	}
	if b.AtLimit != "" && b.AtLimit != LimitBlock {
		n.put("at_limit", textOf(string(b.AtLimit)))
	}
	return n
}

// SetToolBudget limits what a tool spends; the zero Budget removes the limits, and with them an entry that says
// nothing else.
func (e *Edit) SetToolBudget(tool string, b Budget) error { return e.setBudget(b, "tools", tool) }

// SetProviderBudget limits what is spent at a provider.
func (e *Edit) SetProviderBudget(id string, b Budget) error { return e.setBudget(b, "providers", id) }

// SetKeyBudget limits what is spent with one key of a provider.
func (e *Edit) SetKeyBudget(id, label string, b Budget) error {
	return e.setBudget(b, "providers", id, "keys", label)
}

// SetToolModels says what a tool may ask for; none is no limit.
func (e *Edit) SetToolModels(tool string, models []string) error {
	if err := e.doc.set(listOrNil(models), "tools", tool, "models"); err != nil {
		return err
	}
	return e.prune("tools", tool)
}

func (e *Edit) setBudget(b Budget, of ...string) error {
	n := budgetNode(b)
	if b.Day == nil && b.Month == nil {
		n = nil
	}
	path := append(slices.Clone(of), "budget")
	if err := e.doc.set(n, path...); err != nil {
		return err
	}
	return e.prune(of...)
}

// prune removes the entries on a path, from its end on, that say nothing any more.
func (e *Edit) prune(path ...string) error {
	for ; len(path) > 1; path = path[:len(path)-1] {
		_, n, err := e.doc.tree()
		if err != nil {
			return err
		}
		for _, name := range path {
			if n != nil {
				n = n.get(name)
			}
		}
		if n == nil || len(n.entries) > 0 || n.kind != isNull && n.kind != isTable {
			return nil
		}
		if err := e.doc.set(nil, path...); err != nil {
			return err
		}
	}
	return nil
}
