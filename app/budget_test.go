package app

import (
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"keytray/proxy/llm"
	"keytray/store/config"
)

func limits(day, tool, provider, key int64) *config.Config {
	some := func(n int64) config.Budget {
		if n < 0 {
			return config.Budget{}
		}
		return config.Budget{Day: &n, AtLimit: config.LimitBlock}
	}
	return &config.Config{
		Budget:    some(day),
		Tools:     []config.Tool{{Name: "codex", Budget: some(tool)}},
		Providers: []config.Provider{{ID: "p", Budget: some(provider), Keys: []config.KeyBudget{{Label: "work", Budget: some(key)}}}},
	}
}

func spender(tool, provider, key string, expected int64) *llm.Attempt {
	return &llm.Attempt{Request: &llm.Request{Tool: tool}, Provider: provider, Key: key, Reserved: llm.Pico(expected), Start: time.Now()}
}

func TestBudgets(t *testing.T) {
	past := map[Scope]used{{}: {pico: 60}, {"tool", "codex"}: {pico: 40}, {"provider", "p"}: {pico: 30}, {"key", "p/work"}: {pico: 20}}
	for _, c := range []struct {
		name string
		c    *config.Config
		a    *llm.Attempt
		says string // of the refusal; "" lets it through
	}{
		{"none", limits(-1, -1, -1, -1), spender("codex", "p", "work", 1000), ""},
		{"room", limits(61, 41, 31, 21), spender("codex", "p", "work", 1000), ""},
		{"all", limits(60, -1, -1, -1), spender("x", "y", "z", 0), "for all tools together is used up"},
		{"the tool", limits(-1, 40, -1, -1), spender("codex", "y", "z", 1), "for tool codex is used up"},
		{"another tool", limits(-1, 40, -1, -1), spender("x", "y", "z", 1), ""},
		{"the provider", limits(-1, -1, 30, -1), spender("x", "p", "z", 1), "for provider p is used up"},
		{"the key", limits(-1, -1, -1, 20), spender("x", "p", "work", 1), "for key p/work is used up"},
		{"another key", limits(-1, -1, -1, 20), spender("x", "p", "home", 1), ""},
		{"zero lets nothing through", limits(0, -1, -1, -1), spender("x", "p", "home", 1), "budget of 0.00 USD"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := purses{load: func(time.Time) (map[Scope]used, error) {
				spent := map[Scope]used{}
				for k, v := range past {
					spent[k] = v
				}
				return spent, nil
			}}
			err := p.reserve(c.c, c.a, false)
			switch {
			case c.says == "" && err != nil:
				t.Error(err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || llm.AsError(err).HTTPStatus() != 402):
				t.Errorf("%v", err)
			}
			if err := p.reserve(c.c, c.a, true); err != nil {
				t.Errorf("what costs nothing is refused: %v", err)
			}
		})
	}
}

// TestBudgetUnderLoad: however many calls come at once, only those go through that were under way when the limit was
// reached (I19).
func TestBudgetUnderLoad(t *testing.T) {
	const limit, each, calls = 100, 10, 200
	p := purses{load: func(time.Time) (map[Scope]used, error) { return map[Scope]used{}, nil }}
	c := limits(limit, -1, -1, -1)
	var wait sync.WaitGroup
	var mu sync.Mutex
	through := 0
	for range calls {
		wait.Go(func() {
			a := spender("codex", "p", "work", each)
			if p.reserve(c, a, false) == nil {
				mu.Lock()
				through++
				mu.Unlock()
				p.settle(c, a, pico(each+1))
			}
		})
	}
	wait.Wait()
	if spent := p.all(c)[0].Spent; through < 9 || through > 10 || spent != int64(through)*(each+1) {
		t.Errorf("%d calls went through and spent %d of %d", through, spent, limit)
	}
	if len(p.day.held) != 0 {
		t.Errorf("still held: %v", p.day.held)
	}
}

func TestBudgetPeriods(t *testing.T) {
	now := time.Date(2026, 11, 30, 23, 0, 0, 0, time.Local)
	loads := 0
	p := purses{now: func() time.Time { return now }, load: func(time.Time) (map[Scope]used, error) { loads++; return map[Scope]used{}, nil }}
	c := limits(10, -1, -1, -1)
	a := spender("codex", "p", "work", 10)
	a.Start = now
	if err := p.reserve(c, a, false); err != nil {
		t.Fatal(err)
	}
	if err := p.reserve(c, spender("x", "y", "z", 1), false); err == nil || !strings.Contains(err.Error(), "begins anew on Dec 1, 00:00") {
		t.Errorf("%v", err)
	}
	now = now.Add(2 * time.Hour)
	if err := p.reserve(c, spender("x", "y", "z", 0), false); err == nil {
		t.Error("what is under way over midnight does not count")
	}
	p.settle(c, a, pico(10)) // of yesterday
	if err := p.reserve(c, spender("x", "y", "z", 1), false); err != nil {
		t.Errorf("on the next day: %v", err)
	}
	if loads != 4 {
		t.Errorf("the ledger was asked %d times", loads)
	}
}

// Read anew while a call is under way, as after pricing anew has failed: what was
// held for the call goes with its end, and what is spent stays if the ledger
// cannot be read.
func TestBudgetReadAnew(t *testing.T) {
	ledger := map[Scope]used{{}: {pico: 50}}
	var broken error
	p := purses{load: func(time.Time) (map[Scope]used, error) { return maps.Clone(ledger), broken }}
	c := limits(100, -1, -1, -1)
	a := spender("codex", "p", "work", 40)
	if err := p.reserve(c, a, false); err != nil {
		t.Fatal(err)
	}
	p.forget()
	p.settle(c, a, pico(1))
	spent := func() int64 { return p.limits(c, Scope{})[0].Spent }
	if n := spent(); n != 51 {
		t.Errorf("%d spent once the call has ended, held %v", n, p.day.held)
	}
	ledger[Scope{}] = used{pico: 60}
	p.forget()
	if n := spent(); n != 60 {
		t.Errorf("%d spent, read anew", n)
	}
	ledger, broken = nil, errors.New("no disk")
	p.forget()
	if n := spent(); n != 60 {
		t.Errorf("%d spent, and the ledger cannot be read", n)
	}
}

func TestBudgetWarnings(t *testing.T) {
	var told []int
	p := purses{load: func(time.Time) (map[Scope]used, error) { return map[Scope]used{}, nil }, warn: func(w Warning) { told = append(told, w.Percent) }}
	c := limits(100, -1, -1, -1)
	for _, cost := range []int64{49, 1, 10, 25, 10, 10} {
		a := spender("codex", "p", "work", 1)
		if err := p.reserve(c, a, false); err != nil {
			t.Fatal(err)
		}
		p.settle(c, a, &cost)
	}
	told = append(told, 0)
	again := purses{warn: p.warn, load: func(time.Time) (map[Scope]used, error) { return map[Scope]used{{}: {pico: 85}}, nil }}
	for _, cost := range []int64{5, 15} { // after a restart, 80 % is old news
		a := spender("codex", "p", "work", 1)
		if err := again.reserve(c, a, false); err != nil {
			t.Fatal(err)
		}
		again.settle(c, a, &cost)
	}
	if len(told) != 5 || told[3] != 0 || told[4] != 100 {
		t.Errorf("with a restart, warned at %v", told)
	}
	told = told[:3]
	if len(told) != 3 || told[0] != 50 || told[1] != 80 || told[2] != 100 {
		t.Errorf("warned at %v", told)
	}
}

// TestBudgetRefusalSpeaksTheClientsDialect: who, how much, until when, and of a kind that clients do not retry.
func TestBudgetRefusalSpeaksTheClientsDialect(t *testing.T) {
	h := open(t, "budget: {day: 0}\n", "OPENAI_API_KEY="+canary)
	const body = `{"model":"openai/gpt-5-mini","max_tokens":9,"input":"hi","messages":[{"role":"user","content":"hi"}],"contents":[{"parts":[{"text":"hi"}]}]}`
	for path, kind := range map[string]string{
		"/v1/chat/completions": `"type":"insufficient_quota"`,
		"/v1/responses":        `"type":"insufficient_quota"`,
		"/v1/messages":         `"type":"billing_error"`,
		"/v1beta/models/openai/gpt-5-mini:generateContent": `"status":"FAILED_PRECONDITION"`,
		"/api/chat": `"error":"`,
	} {
		r := h.do("POST", path, body)
		if r.status != 402 || !strings.Contains(r.body, kind) || !strings.Contains(r.body, "budget of 0.00 USD for all tools together is used up") || !strings.Contains(r.body, "begins anew on") {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
}

// Calls of unknown price use nothing of a limit, and are counted beside it; once
// they are priced anew, they use what they cost.
func TestBudgetCountsUnpricedCalls(t *testing.T) {
	c := limits(100, 100, -1, -1)
	a := spender("codex", "p", "work", 7)
	p := purses{load: func(time.Time) (map[Scope]used, error) { return map[Scope]used{{}: {pico: 10, unpriced: 2}}, nil }}
	if err := p.reserve(c, a, false); err != nil {
		t.Fatal(err)
	}
	p.settle(c, a, nil)
	want := func(spent, unpriced int64) {
		t.Helper()
		for _, l := range p.limits(c, Scope{}) {
			if l.Spent != spent || l.Unpriced != unpriced {
				t.Errorf("month %v: %d spent and %d unpriced, want %d and %d", l.Month, l.Spent, l.Unpriced, spent, unpriced)
			}
		}
	}
	want(10, 3)
	row := Row{Time: a.Start, Tool: "codex", Provider: "p", Key: "work"}
	p.reprice(row, 5)
	want(15, 2)
	row.CostPico = pico(5)
	p.reprice(row, 20)
	want(30, 2)
	row.Time = row.Time.AddDate(0, -2, 0) // of another month
	p.reprice(row, 50)
	want(30, 2)
	p.forget()
	want(10, 2)
}
