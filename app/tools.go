package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"keytray/store/config"
	"keytray/store/keys"
)

// Tool is a local program: its token, what it may do, and what it spent.
type Tool struct {
	Name     string
	Token    bool      // it has one
	Static   bool      // which is that of KEYTRAY_TOKEN
	Created  time.Time // of the token
	LastUsed time.Time // zero: never
	Models   []string  // what it may ask for; none is no limit
	Doubts   []string  // names in that list that nobody knows, in words
	Today    Sum
	Month    Sum // since the first of the calendar month
}

// Tools lists the tools that have a token or settings of their own, by name.
// They are good even when the error is not nil; it is then the ledger's, and
// nothing is known of what they spent.
func (a *App) Tools(ctx context.Context) ([]Tool, error) {
	byName := map[string]*Tool{}
	of := func(name string) *Tool {
		if byName[name] == nil {
			byName[name] = &Tool{Name: name}
		}
		return byName[name]
	}
	if !a.opt.Serve {
		a.tellOther(ctx, "tokens") // it knows when each was used last
		if err := a.tokens.Reload(); err != nil {
			a.log.Debug("the tokens cannot be read anew", "err", err)
		}
	}
	for _, t := range a.tokens.List() {
		x := of(t.Name)
		x.Token, x.Static, x.Created, x.LastUsed = true, t.Static, t.Created, t.LastUsed
	}
	table := a.table.Load()
	for _, t := range table.config.Tools {
		x := of(t.Name)
		x.Models, x.Doubts = slices.Clone(t.Models), table.doubts(t.Models...)
	}
	err := a.spentByTools(ctx, byName)
	out := make([]Tool, 0, len(byName))
	for _, t := range byName {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(x, y Tool) int { return cmp.Compare(x.Name, y.Name) })
	return out, err
}

func (a *App) spentByTools(ctx context.Context, tools map[string]*Tool) error {
	now := time.Now()
	y, m, _ := now.Date()
	for _, period := range []struct {
		from time.Time
		to   func(*Tool) *Sum
	}{
		{Day(now), func(t *Tool) *Sum { return &t.Today }},
		{Day(time.Date(y, m, 1, 12, 0, 0, 0, now.Location())), func(t *Tool) *Sum { return &t.Month }},
	} {
		sums, err := a.Spend(ctx, SpendQuery{From: period.from, By: []By{"tool"}})
		if err != nil {
			return err
		}
		for _, s := range sums {
			if t := tools[s.Tool]; t != nil {
				*period.to(t) = s
			}
		}
	}
	return nil
}

// SetToolModels says what a tool may ask for: models, routes, or a provider's id
// and a slash for all of its models. None is no limit. It holds for the next call.
func (a *App) SetToolModels(tool string, models []string) error {
	if err := keys.CheckTool(tool); err != nil {
		return err
	}
	if err := a.config.Edit(func(e *config.Edit) error { return e.SetToolModels(tool, models) }); err != nil {
		return plainly(err)
	}
	a.tellOther(a.ctx, "config")
	return nil
}

// DoubtNames are words about those of a tool's models that nobody knows. It may
// ask Ollama.
func (a *App) DoubtNames(models []string) []string { return a.table.Load().doubts(models...) }
