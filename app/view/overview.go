package view

import (
	"strings"
	"time"

	"keytray/app"
)

// Overview is what the Overview screen shows.
type Overview struct {
	Figures []Figure    // today, 7 days, 30 days
	Bars    []Bar       // the last 14 days, one series
	Calls   []Call      // the last ones, newest first
	Steps   []Step      // for a newcomer, until all are done
	Budget  *BudgetLine // the limit that is used most; nil if there is none
}

// Figure is a sum with its title. More is what has no price beside it: "+ 2
// unpriced", or "" if that is nothing or all.
type Figure struct{ Title, Amount, More, Note string }

// Step is one of the first things to do.
type Step struct {
	Title, Text string
	Done        bool
}

// OverviewState is what Overview depends on.
type OverviewState struct {
	Now    time.Time
	Days   []app.Sum // by day, since FirstDay(Now, 30)
	Rows   []app.Row // the last ones
	Keys   []app.Key
	Tested bool // a key has been tested with success
	Limits []app.Limit
}

// OverviewQuery asks for the days that Overview needs.
func OverviewQuery(now time.Time) app.SpendQuery {
	return app.SpendQuery{From: FirstDay(now, 30), By: []app.By{"day"}, Location: now.Location()}
}

// NewOverview makes the screen.
func NewOverview(s OverviewState) Overview {
	var v Overview
	for _, r := range Ranges()[:3] {
		from := FirstDay(s.Now, r.Days)
		var total app.Sum
		for _, d := range s.Days {
			if !d.Day.Before(from) {
				add(&total, d)
			}
		}
		note := "no calls"
		if total.Calls > 0 {
			note = Plural(total.Calls, "call") + " · " + Tokens(TokensOf(total.Usage)) + " tokens"
		}
		if d := Doubts(total); d != "" {
			note += " · " + d
		}
		total.Estimated, total.AtLeast = 0, 0 // said in the note
		amount, more, both := strings.Cut(Spent(total), " + ")
		if both {
			more = "+ " + more
		}
		v.Figures = append(v.Figures, Figure{r.Title, amount, more, note})
	}
	v.Bars = bars(s.Days, s.Now, 14, 1, func(app.Sum) int { return 0 })
	for _, r := range s.Rows {
		v.Calls = append(v.Calls, NewCall(r, s.Now))
	}
	v.Steps = steps(s)
	if b, ok := NearestBudget(s.Limits, s.Now); ok {
		v.Budget = &b
	}
	return v
}

// steps are empty once all are done.
func steps(s OverviewState) []Step {
	tested, called := s.Tested, false
	for _, r := range s.Rows {
		if r.Provider == "demo" || r.Status != "ok" {
			continue
		}
		called = true
		tested = tested || r.Key != ""
	}
	hasKey := len(s.Keys) > 0
	if hasKey && tested && called {
		return nil
	}
	add := "Keys stay in this computer's keychain. Ollama on this computer needs none."
	if hasKey {
		add = Plural(int64(len(s.Keys)), "key") + " found."
	}
	return []Step{
		{"Add a key", add, hasKey},
		{"Test it", "Under Keys, press Test: one free call asks the provider whether it knows the key.", tested},
		{"Point a tool at Keytray", "Under Tools, make a token for it. Give the tool that token as its API key, and the address above as its base URL.", called},
	}
}
