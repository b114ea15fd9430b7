package main

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// periods are a model's prices in the order of their first days; those for
// some hours follow the one for the rest of the day.
func (b *builder) periods(in listModel) []*price {
	if len(in.History) == 0 {
		p := &price{Tokens: in.Prices, Long: longOf(in.Tiers)}
		p.Source, p.SourceOf = sources(in)
		return []*price{p}
	}
	var out []*price
	main, of := sources(in)
	for _, h := range in.History {
		p := &price{From: h.From, To: h.To, Tokens: h.Prices, Long: longOf(h.Tiers), Source: h.Sources}
		if len(h.Hours) == 2 {
			p.Hours = []string{hours(h.Hours)}
		}
		if p.Source == nil {
			p.Source, p.SourceOf = main, maps.Clone(of)
			maps.DeleteFunc(p.SourceOf, func(k string, _ []string) bool { return p.Tokens[k] == "" })
		}
		if last := len(out) - 1; last >= 0 && p.Hours != nil && out[last].Hours != nil &&
			out[last].From == p.From && maps.Equal(out[last].Tokens, p.Tokens) {
			out[last].Hours = append(out[last].Hours, p.Hours...)
			continue
		}
		out = append(out, p)
	}
	// A later price ends the one before it, hour for hour.
	for i, p := range out {
		for _, next := range out[i+1:] {
			if p.To == "" && (p.Hours == nil) == (next.Hours == nil) && next.From != "" {
				p.To = next.From
			}
		}
	}
	return out
}

// hours is "01:00-04:00" for the list's {"01:00:00Z", "04:00:00Z"}.
func hours(h []string) string {
	return strings.TrimSuffix(h[0], ":00Z") + "-" + strings.TrimSuffix(h[1], ":00Z")
}

// weekdays limits prices by the hour to Monday to Friday from a day on.
func weekdays(in []*price, from string) []*price {
	var out []*price
	for _, p := range in {
		out = append(out, p)
		if p.Hours == nil {
			continue
		}
		later := *p
		later.From, later.Days = from, []string{"mon", "tue", "wed", "thu", "fri"}
		p.To = from
		out = append(out, &later)
	}
	return out
}

func longOf(tiers []listTier) *long {
	if len(tiers) == 0 {
		return nil
	}
	l := &long{Over: tiers[0].Above, Tokens: tiers[0].Prices}
	if tiers[0].Source != "" {
		l.Source = []string{tiers[0].Source}
	}
	return l
}

// sources are those that most of a model's prices share, and the others'.
func sources(in listModel) ([]string, map[string][]string) {
	count := map[string]int{}
	for k := range in.Prices {
		count[strings.Join(in.Sources[k], "\n")]++
	}
	best := ""
	for _, s := range slices.Sorted(maps.Keys(count)) {
		if s != "" && (best == "" || count[s] > count[best]) {
			best = s
		}
	}
	var of map[string][]string
	for k := range in.Prices {
		if s := in.Sources[k]; s != nil && strings.Join(s, "\n") != best {
			of = with(of, k, s)
		}
	}
	return strings.Split(best, "\n"), of
}

// claude adds what the list leaves to a rule: a write that lives an hour costs
// twice the input, wherever Anthropic's models run.
func (b *builder) claude(id string, p *price) {
	if !strings.Contains(id, "claude-") || p.Tokens["cache_write_5m"] == "" {
		return
	}
	const rule = "rule: 2 x input"
	add := func(t map[string]string) map[string]string {
		if t["cache_write_1h"] != "" || t["input"] == "" || t["cache_write_5m"] == "" {
			return t
		}
		r, _ := new(big.Rat).SetString(t["input"])
		s := r.Mul(r, big.NewRat(2, 1)).FloatString(6)
		t = maps.Clone(t)
		t["cache_write_1h"] = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
		return t
	}
	if had := p.Tokens["cache_write_1h"]; had == "" {
		p.Tokens = add(p.Tokens)
		of := maps.Clone(p.SourceOf)
		p.SourceOf = with(of, "cache_write_1h", []string{rule})
		b.cite(rule)
	}
	if p.Long != nil {
		p.Long.Tokens = add(p.Long.Tokens)
	}
}
