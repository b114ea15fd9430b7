package main

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// neutral is the list that comes in. Prices are decimal strings in USD per
// million tokens.
type neutral struct {
	Generated string
	Sources   map[string]string
	Providers []listProvider
	Models    []listModel
}

type listProvider struct {
	ID         string
	Name       string
	Env        []string
	BaseURL    string `json:"base_url"`
	Docs       string
	Pricing    string
	KeyPattern string `json:"key_pattern"`
	Auth       struct {
		Header string
		Format string
		Extra  map[string]string `json:"extra_headers"`
	}
	CostField string `json:"cost_field"`
	Note      string
}

type listModel struct {
	Provider     string
	ID           string
	Name         string
	Mode         string
	Aliases      []string
	Context      int64
	MaxOutput    int64 `json:"max_output"`
	Modalities   struct{ Input, Output []string }
	Capabilities []string
	Deprecated   bool
	Retires      string `json:"deprecation_date"`
	Released     string `json:"release_date"`
	Prices       map[string]string
	Tiers        []listTier
	ServiceTiers map[string]map[string]json.RawMessage `json:"service_tiers"`
	History      []listPeriod                          `json:"price_history"`
	Multipliers  map[string]string
	Search       string `json:"web_search_per_1k"`
	PerRequest   string `json:"per_1k_requests"`
	Sources      map[string][]string
}

type listTier struct {
	Above  int64 `json:"above_input_tokens"`
	Prices map[string]string
	Source string
}

type listPeriod struct {
	From    string   `json:"valid_from"`
	To      string   `json:"valid_to"`
	Hours   []string `json:"time_of_day_utc"`
	Prices  map[string]string
	Tiers   []listTier
	Sources []string
}

// date is as of when a source was read: the date that its description in the
// list ends with, or the list's own.
func (l *neutral) date(source string) string {
	name, _, _ := strings.Cut(source, ",")
	d := l.Sources[name]
	for at := strings.LastIndex(d, "20"); at >= 0; at = strings.LastIndex(d[:at], "20") {
		if len(d) >= at+10 && d[at+4] == '-' && d[at+7] == '-' {
			return d[at : at+10]
		}
	}
	return l.Generated
}

// correct applies what rules know better about prices.
func (m *listModel) correct(rules []*rule) {
	m.Prices, m.Sources, m.ServiceTiers = maps.Clone(m.Prices), maps.Clone(m.Sources), maps.Clone(m.ServiceTiers)
	for _, r := range rules {
		if r.NotPrice == "long" {
			m.Tiers = nil
		}
		if r.Inclusive {
			m.Tiers = slices.Clone(m.Tiers)
			for i := range m.Tiers {
				if m.Tiers[i].Above%1000 == 0 {
					m.Tiers[i].Above--
				}
			}
		}
		delete(m.Prices, r.NotPrice)
		delete(m.ServiceTiers, r.NotTier)
		for k, v := range r.Price {
			m.Prices[k], m.Sources[k] = v, []string{r.Source}
		}
	}
	// A router's list mixes its hosts: nobody asks more for a cached token
	// than for a fresh one, so such a price belongs to another host.
	if dearer(m.Prices["cache_read"], m.Prices["input"]) {
		delete(m.Prices, "cache_read")
	}
}

func dearer(a, b string) bool {
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) > 0
}

// short is a source's name as files have it.
func short(source string) string {
	if strings.HasPrefix(source, "derived: litellm ratio") {
		return "litellm, as a ratio"
	}
	return source
}
