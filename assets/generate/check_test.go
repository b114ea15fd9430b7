package main

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

func checkProvider(t *testing.T, f *file, id string) {
	if f.ID != id || id == "demo" || f.Name == "" || f.BaseURL == "" || strings.HasSuffix(f.BaseURL, "/") {
		t.Errorf("id %q, name %q, base %q", f.ID, f.Name, f.BaseURL)
	}
	if !slices.Contains([]string{"maker", "host", "router", "local"}, f.Kind) {
		t.Errorf("kind %q", f.Kind)
	}
	dialects := []string{"chat", "messages", "gemini", "ollama", "responses", "converse", "other"}
	if !slices.Contains(dialects, f.Dialect) {
		t.Errorf("dialect %q", f.Dialect)
	}
	for d, base := range f.Also {
		if !slices.Contains(dialects, d) || base == "" || d == f.Dialect {
			t.Errorf("also %q at %q", d, base)
		}
	}
	if !f.Local && (f.Auth.Header == "" || !strings.Contains(f.Auth.Format, "{key}") || f.KeysURL == "") {
		t.Errorf("auth %+v, keys at %q", f.Auth, f.KeysURL)
	}
	if f.Unusable == "" && strings.Contains(filled(f), "{") {
		t.Errorf("%s cannot be called as it is", f.BaseURL)
	}
	if s := f.Auth.Scheme; s != "" && s != "aws" && s != "google" {
		t.Errorf("scheme %q", s)
	}
	for s, d := range f.Sources {
		if d == "" {
			t.Errorf("the source %q has no date", s)
		}
		checkDay(t, s, d)
	}
	if len(f.Models) > 0 {
		checkDay(t, "as_of", f.AsOf)
	}
}

// filled is where a provider is called once its settings are known.
func filled(f *file) string {
	at := f.BaseURL
	for _, s := range f.Settings {
		at = strings.ReplaceAll(at, "{"+s.Name+"}", s.Example)
		for name := range s.Derives {
			at = strings.ReplaceAll(at, "{"+name+"}", s.Example)
		}
	}
	return at
}

func checkPrice(t *testing.T, id string, p flat, sources map[string]string, tier bool) {
	count := 0
	for k, v := range p {
		switch k {
		case "from", "to":
			checkDay(t, id, v.(string))
		case "hours":
			for _, h := range v.([]any) {
				from, to, _ := strings.Cut(h.(string), "-")
				for _, s := range []string{from, to} {
					if _, err := time.Parse("15:04", s); err != nil {
						t.Errorf("%s: %v", id, err)
					}
				}
			}
		case "days":
		case "times":
			count++
			checkAmount(t, id, v.(string))
		case "long":
			l := v.(map[string]any)
			if over, _ := l["over"].(float64); over < 1000 {
				t.Errorf("%s: long over %v", id, l["over"])
			}
			delete(l, "over")
			for k, v := range l {
				if k == "source" {
					checkSources(t, id, v, sources)
					continue
				}
				checkBucket(t, id, k, v)
			}
		case "source":
			checkSources(t, id, v, sources)
		case "source_of":
			for k, v := range v.(map[string]any) {
				if p[k] == nil {
					t.Errorf("%s: a source for %s, which has no price", id, k)
				}
				checkSources(t, id, v, sources)
			}
		default:
			count++
			checkBucket(t, id, k, v)
		}
	}
	if count == 0 || p["source"] == nil {
		t.Errorf("%s: a price without figures or source", id)
	}
	if from, _ := p["from"].(string); from != "" && p["to"] != nil && p["to"].(string) <= from {
		t.Errorf("%s: ends %v, before %s", id, p["to"], from)
	}
	if tier && (p["from"] != nil || p["hours"] != nil) {
		t.Errorf("%s: a tier has no dates of its own", id)
	}
}

func checkBucket(t *testing.T, id, k string, v any) {
	s, ok := v.(string)
	if !ok || !slices.Contains(buckets, k) {
		t.Errorf("%s: %s: %v", id, k, v)
		return
	}
	checkAmount(t, id, s)
}

// checkAmount: nobody takes more than 1,000 USD for a million tokens.
func checkAmount(t *testing.T, id, s string) {
	if s == "" {
		return
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() < 0 || r.Cmp(big.NewRat(1000, 1)) > 0 || strings.ContainsAny(s, "eE/+ ") {
		t.Errorf("%s: %q is an absurd price", id, s)
	}
}

// checkProportions finds the slips that a wrong unit or a mixture of sources
// makes: a cached token dearer than a fresh one, a discount that is none.
func checkProportions(t *testing.T, id string, prices []flat, tiers map[string]flat, asOf string) {
	plain := flat{}
	for _, p := range prices {
		if from, _ := p["from"].(string); p["hours"] == nil && from <= asOf {
			plain = p
		}
		if r := ratio(p, p, "cache_read", "input"); r > 1 {
			t.Errorf("%s: a cached token costs %v of a fresh one", id, r)
		}
		if l, ok := p["long"].(map[string]any); ok && (ratio(l, p, "input", "input") < 1 || ratio(l, p, "output", "output") < 1) {
			t.Errorf("%s: long prompts are cheaper", id)
		}
	}
	for name, tier := range tiers {
		least, most := 0.3, 6.0
		switch name {
		case "batch", "flex":
			most = 0.8
		case "priority", "fast":
			least = 1
		}
		for _, k := range []string{"input", "output", "cache_read"} {
			if r := ratio(tier, plain, k, k); tier[k] != nil && plain[k] != nil && plain[k] != "0" && (r < least || r > most) {
				t.Errorf("%s: %s costs %v in %s", id, k, r, name)
			}
		}
	}
}

// ratio is one price by another, or 1 if there is nothing to compare.
func ratio(a, b map[string]any, of, by string) float64 {
	x, _ := a[of].(string)
	y, _ := b[by].(string)
	p, okP := new(big.Rat).SetString(x)
	q, okQ := new(big.Rat).SetString(y)
	if !okP || !okQ || q.Sign() == 0 {
		return 1
	}
	f, _ := p.Quo(p, q).Float64()
	return f
}

func checkSources(t *testing.T, id string, v any, dated map[string]string) {
	all, _ := v.([]any)
	if len(all) == 0 {
		t.Errorf("%s: no source", id)
	}
	for _, s := range all {
		if dated[s.(string)] == "" {
			t.Errorf("%s: the source %q is not dated", id, s)
		}
	}
}

func checkDay(t *testing.T, id, d string) {
	if d == "" {
		return
	}
	if when, err := time.Parse(time.DateOnly, d); err != nil || when.Year() < 2019 || when.Year() > 2035 {
		t.Errorf("%s: %q is no day", id, d)
	}
}
