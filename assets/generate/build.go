package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// builder turns the list's models of one provider into a file's.
type builder struct {
	list  *neutral
	hand  *tables
	entry *entry
	dates map[string]string // of the sources in use
}

func (b *builder) add(in listModel) error {
	rules := b.hand.matching(in.Provider, in.ID)
	if slices.ContainsFunc(rules, func(r *rule) bool { return r.Drop }) {
		return nil
	}
	for _, r := range rules {
		in.Mode = cmp.Or(r.Mode, in.Mode)
	}
	m := &model{
		Name: in.Name, Mode: in.Mode, Context: in.Context, MaxOutput: in.MaxOutput,
		Released: in.Released, Deprecated: in.Deprecated, Retires: in.Retires,
		Request: in.PerRequest,
	}
	if m.Mode == "chat" {
		m.Mode = ""
	}
	if m.Mode != "" && m.Mode != "responses" {
		m.MaxOutput = 0 // the list counts an embedding's dimensions here
	}
	if m.Name == in.ID {
		m.Name = ""
	}
	if in.Search != b.entry.Search {
		m.Search = in.Search
	}
	for _, a := range in.Aliases {
		if !slices.ContainsFunc(b.list.Models, func(o listModel) bool { return o.Provider == in.Provider && o.ID == a }) {
			m.Aliases = append(m.Aliases, a)
		}
	}
	slices.Sort(m.Aliases)
	m.Deprecated = m.Deprecated || slices.ContainsFunc(rules, func(r *rule) bool { return r.Deprecated })
	m.Flags = flags(in, append(b.hand.makers(in.Provider, in.ID), rules...))
	if err := b.price(m, in, rules); err != nil {
		return err
	}
	b.entry.models[in.ID] = m
	return nil
}

// price fills in what a model costs.
func (b *builder) price(m *model, in listModel, rules []*rule) error {
	free := slices.ContainsFunc(rules, func(r *rule) bool { return r.Free })
	if slices.ContainsFunc(rules, func(r *rule) bool { return r.Unpriced }) {
		m.Search, m.Request = "", ""
		return nil
	}
	in.correct(rules)
	if !free && nothing(in.Prices) {
		m.Search, m.Request = "", ""
		return nil // zero for all is how the list says that it does not know
	}
	m.Prices = b.periods(in)
	for _, p := range m.Prices {
		b.claude(in.ID, p)
		b.cite(p.Source...)
		if p.Long != nil {
			b.cite(p.Long.Source...)
		}
		for _, s := range p.SourceOf {
			b.cite(s...)
		}
	}
	if err := b.tiers(m, in, rules); err != nil {
		return err
	}
	for _, r := range rules {
		if r.Ends != "" {
			m.Prices[len(m.Prices)-1].To = r.Ends
		}
		if r.PeakDays != "" {
			m.Prices = weekdays(m.Prices, r.PeakDays)
		}
		for k, v := range r.Geo {
			m.Geo = with(m.Geo, k, v)
		}
		for k, v := range r.Endpoint {
			m.Endpoint = with(m.Endpoint, k, v)
		}
	}
	return nil
}

// tiers fills in service tiers and the factors for places.
func (b *builder) tiers(m *model, in listModel, rules []*rule) error {
	for name, t := range in.ServiceTiers {
		p := &price{Tokens: map[string]string{}}
		for k, raw := range t {
			var s string
			switch {
			case k == "tiers":
				var byOver map[int64]map[string]string
				if err := json.Unmarshal(raw, &byOver); err != nil || len(byOver) != 1 {
					return fmt.Errorf("tier %s: want prices above one length: %w", name, err)
				}
				for over, tokens := range byOver {
					p.Long = &long{Over: over, Tokens: tokens}
				}
				continue
			case json.Unmarshal(raw, &s) != nil:
				return fmt.Errorf("tier %s: %s is no string", name, k)
			case k == "source":
				p.Source = []string{short(s)}
			default:
				p.Tokens[k] = s
			}
		}
		b.cite(p.Source...)
		m.Tiers = with(m.Tiers, name, p)
	}
	for k, v := range in.Multipliers {
		kind, name, _ := strings.Cut(k, ":")
		switch kind {
		case "source":
		case "speed":
			if m.Tiers[name] == nil {
				m.Tiers = with(m.Tiers, name, &price{Times: v, Source: []string{in.Multipliers["source"]}})
				b.cite(in.Multipliers["source"])
			}
		case "data_residency", "inference_geo":
			m.Geo = with(m.Geo, name, v)
		default:
			return fmt.Errorf("unknown multiplier %q", k)
		}
	}
	for _, r := range rules {
		for name, v := range r.Tiers {
			if m.Tiers[name] == nil {
				m.Tiers = with(m.Tiers, name, &price{Times: v, Source: []string{"price page"}})
				b.cite("price page")
			}
		}
	}
	return nil
}

func (b *builder) cite(sources ...string) {
	for _, s := range sources {
		b.dates[s] = b.list.date(s)
	}
}

func nothing(prices map[string]string) bool {
	for _, v := range prices {
		if v != "0" {
			return false
		}
	}
	return true
}

func with[V any](m map[string]V, k string, v V) map[string]V {
	if m == nil {
		m = map[string]V{}
	}
	m[k] = v
	return m
}
