package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// tables is what people know better than the list.
type tables struct {
	providers map[string]json.RawMessage
	rules     []*rule
	alike     []alike
}

// alike are models of a host that another provider makes, whose flags they
// share.
type alike struct {
	Provider string
	As       string
	Models   []string
	After    string // the maker's name stands after this
}

// rule changes the models of one provider whose names it matches.
type rule struct {
	Provider string
	Models   []string
	Except   []string
	Why      string

	Flags      []string
	Mode       string
	Drop       bool
	Deprecated bool
	Unpriced   bool
	Free       bool
	NotPrice   string `json:"not_price"`
	NotTier    string `json:"not_tier"`
	Price      map[string]string
	Source     string // of Price
	Inclusive  bool
	Ends       string
	PeakDays   string `json:"peak_days"`
	Tiers      map[string]string
	Geo        map[string]string
	Endpoint   map[string]string

	used bool
}

func readTables() (*tables, error) {
	t := &tables{}
	if err := json.Unmarshal(providersTable, &t.providers); err != nil {
		return nil, fmt.Errorf("providers.json: %w", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(modelsTable)))
	dec.DisallowUnknownFields()
	var m struct {
		Comment string `json:"_"`
		Alike   []alike
		Rules   []*rule
	}
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("models.json: %w", err)
	}
	t.rules, t.alike = m.Rules, m.Alike
	return t, nil
}

// provider lays the table over what the list says.
func (t *tables) provider(p listProvider) (*entry, error) {
	e := &entry{
		ID: p.ID, Name: p.Name, BaseURL: p.BaseURL, Env: p.Env, KeyPattern: p.KeyPattern,
		Docs: p.Docs, Pricing: p.Pricing, Stated: p.CostField, Note: p.Note,
		Auth:   auth{Header: p.Auth.Header, Format: p.Auth.Format, Extra: p.Auth.Extra},
		models: map[string]*model{},
	}
	raw, ok := t.providers[p.ID]
	if !ok {
		return nil, fmt.Errorf("providers.json says nothing about %q, which the list has", p.ID)
	}
	// A table's auth replaces the list's as a whole.
	var has struct{ Auth *auth }
	if err := json.Unmarshal(raw, &has); err != nil {
		return nil, fmt.Errorf("providers.json: %s: %w", p.ID, err)
	}
	if has.Auth != nil {
		e.Auth = auth{}
	}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(e); err != nil {
		return nil, fmt.Errorf("providers.json: %s: %w", p.ID, err)
	}
	return e, nil
}

// matching are the rules for a model, in the table's order.
func (t *tables) matching(provider, name string) []*rule {
	var found []*rule
	for _, r := range t.rules {
		if r.Provider == provider && matchAny(r.Models, name) && !matchAny(r.Except, name) {
			r.used = true
			found = append(found, r)
		}
	}
	return found
}

// makers are the rules of a model's maker, for their flags alone.
func (t *tables) makers(provider, name string) []*rule {
	var found []*rule
	for _, a := range t.alike {
		if a.Provider != provider || !matchAny(a.Models, name) {
			continue
		}
		known := strings.ReplaceAll(name[strings.Index(name, a.After)+len(a.After):], "@", "-")
		for _, r := range t.rules {
			if r.Provider == a.As && matchAny(r.Models, known) && !matchAny(r.Except, known) {
				found = append(found, r)
			}
		}
	}
	return found
}

// unused reports rules that matched no model: the list has moved on.
func (t *tables) unused() error {
	var errs []error
	for _, r := range t.rules {
		if !r.used {
			errs = append(errs, fmt.Errorf("models.json: no model of %s is called %s", r.Provider, strings.Join(r.Models, " or ")))
		}
	}
	return errors.Join(errs...)
}

func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if glob(p).MatchString(name) {
			return true
		}
	}
	return false
}

// glob is a pattern in which * is anything, slashes included, ? is one
// character, and [a-c] is one of some.
func glob(pattern string) *regexp.Regexp {
	s := regexp.QuoteMeta(pattern)
	for _, r := range [][2]string{{`\*`, ".*"}, {`\?`, "."}, {`\[`, "["}, {`\]`, "]"}} {
		s = strings.ReplaceAll(s, r[0], r[1])
	}
	return regexp.MustCompile("^" + s + "$")
}
