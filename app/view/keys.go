package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"keytray/app"
)

// KeyCard is a provider that has keys.
type KeyCard struct {
	ID, Name string
	Today    string // what it cost today, "" if that is not known
	Note     string // why its keys are of no use, or ""
	Rests    string // what all of its keys rest for, a line each, or ""
	KeysURL  string
	Keys     []KeyLine
}

// KeyLine is a key.
type KeyLine struct {
	Provider, Label, Hint string
	Where                 string // "in the login keyring", "from OPENAI_API_KEY"
	Use                   string // "in use", "spare"
	Rests                 string // until when it is left alone and why, a line each, or ""
	InUse                 bool
	Stored                bool // can be renamed, replaced and removed
	Import                bool // can be copied to the keychain
	Test                  string
	TestTone              Tone
}

// Tested is the last test of a key.
type Tested struct {
	At   time.Time
	OK   bool
	Said string
	Took time.Duration
}

// KeyID names a key in a map of tests.
type KeyID struct{ Provider, Label, Source string }

// KeysState is what the Keys screen depends on.
type KeysState struct {
	Now       time.Time
	Keys      []app.Key
	Providers []app.Provider
	Today     []app.Sum // by provider
	Known     bool      // Today could be read
	Tests     map[KeyID]Tested
	Rests     []app.Rest
}

// RestMeans says what it is to rest.
const RestMeans = "A key or model that was refused rests: other keys and models are called first. It is called again by itself when the time is over."

// NewKeys makes a card of each provider that has keys, by name.
func NewKeys(s KeysState) []KeyCard {
	info := map[string]app.Provider{}
	for _, p := range s.Providers {
		info[p.ID] = p
	}
	today := map[string]app.Sum{}
	for _, d := range s.Today {
		today[d.Provider] = d
	}
	cards := map[string]*KeyCard{}
	stored := map[string]bool{}
	for _, k := range s.Keys {
		stored[k.Provider] = stored[k.Provider] || k.Stored && !k.Admin
	}
	for _, k := range s.Keys {
		c := cards[k.Provider]
		if c == nil {
			p := info[k.Provider]
			c = &KeyCard{ID: k.Provider, Name: cmp.Or(p.Name, k.Provider), KeysURL: p.KeysURL}
			if s.Known {
				c.Today = Sentence("Today", today[k.Provider])
			}
			if p.Off {
				c.Note = "Turned off in config.yaml: it gets no calls."
			} else if p.ID != "" && !p.Built {
				c.Note = "Cannot be called yet: " + p.Why
			}
			c.Rests = rests(s, k.Provider, "")
			cards[k.Provider] = c
		}
		c.Keys = append(c.Keys, keyLine(k, s, stored[k.Provider]))
	}
	var out []KeyCard
	for _, c := range cards {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b KeyCard) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	return out
}

func keyLine(k app.Key, s KeysState, stored bool) KeyLine {
	l := KeyLine{
		Provider: k.Provider, Label: k.Label, Hint: k.Hint, Where: k.Where, Use: "spare", InUse: k.InUse,
		Stored: k.Stored, Import: !k.Stored && !stored, Test: "not tested yet",
		Rests: rests(s, k.Provider, k.Label),
	}
	if k.InUse {
		l.Use = "in use"
		if slices.ContainsFunc(s.Rests, func(r app.Rest) bool {
			return r.Provider == k.Provider && r.Key == k.Label && r.Model == "" && r.Until.After(s.Now)
		}) {
			l.Use = "rests"
		}
	}
	if k.Admin {
		l.Use = "cost report"
	}
	if t, ok := s.Tests[KeyID{k.Provider, k.Label, k.Source}]; ok {
		l.Test, l.TestTone = TestText(t), Good
		l.Test += " · " + Ago(s.Now, t.At)
		if !t.OK {
			l.TestTone = Bad
		}
	}
	return l
}

// rests are those of a key, or with "" those that all keys of the provider have.
func rests(s KeysState, provider, key string) string {
	var lines []string
	for _, r := range s.Rests {
		if r.Provider == provider && r.Key == key && r.Until.After(s.Now) {
			lines = append(lines, RestText(r, s.Now))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// RestText says who rests until when, and why: "rests until 12:02:00 for
// gpt-5-mini: the provider asked for fewer calls".
func RestText(r app.Rest, now time.Time) string {
	text := "rests until " + r.Until.In(now.Location()).Format("15:04:05")
	switch {
	case r.Model == "":
	case r.Key == "":
		text = r.Model + " " + text
	default:
		text += " for " + r.Model
	}
	switch r.Why {
	case "rate_limit":
		return text + ": the provider asked for fewer calls"
	case "authentication":
		return text + ": the provider refused the key. Test it, and replace it if it is refused again"
	case "no_credit":
		return text + ": its credit or quota at the provider is used up"
	case "overloaded":
		return text + ": the provider said that it is overloaded"
	case "unreachable":
		return text + ": the provider could not be reached"
	case "timeout":
		return text + ": the provider did not answer in time"
	default:
		return text + ": calls kept failing at the provider"
	}
}

// Rests tells whether a key or a provider of the cards rests.
func Rests(cards []KeyCard) bool {
	return slices.ContainsFunc(cards, func(c KeyCard) bool {
		return c.Rests != "" || slices.ContainsFunc(c.Keys, func(l KeyLine) bool { return l.Rests != "" })
	})
}

// RestsEnd is when the next rest ends; the zero time for none.
func RestsEnd(all []app.Rest, now time.Time) time.Time {
	var end time.Time
	for _, r := range all {
		if r.Until.After(now) && (end.IsZero() || r.Until.Before(end)) {
			end = r.Until
		}
	}
	return end
}

// TestText says a test's result: "OK, 240 ms: accepted; it lists 57 models".
func TestText(t Tested) string {
	if !t.OK {
		return "failed: " + t.Said
	}
	return "OK, " + Took(t.Took) + ": " + t.Said
}

// ProviderLine is a provider to choose from when adding a key.
type ProviderLine struct {
	ID, Name, Note string
	KeysURL        string
	Usable         bool // a key can be added and used
}

// ProviderLines lists the providers whose id or name has the text, usable ones
// first. Those that take no key, or cannot be called yet, say so.
func ProviderLines(all []app.Provider, text string) []ProviderLine {
	text = strings.ToLower(strings.TrimSpace(text))
	var out []ProviderLine
	for _, p := range all {
		if !strings.Contains(strings.ToLower(p.ID+" "+p.Name), text) {
			continue
		}
		l := ProviderLine{ID: p.ID, Name: cmp.Or(p.Name, p.ID), KeysURL: p.KeysURL, Usable: p.Built && !p.Off}
		switch {
		case !p.Built:
			l.Note = "cannot be called yet: " + p.Why
		case p.Off:
			l.Note = "turned off in config.yaml"
		case p.Local && !p.NeedsKey:
			l.Note, l.Usable = "runs on this computer and needs no key", false
		case len(p.Env) > 0:
			l.Note = "or set " + p.Env[0]
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b ProviderLine) int {
		if a.Usable != b.Usable {
			if a.Usable {
				return -1
			}
			return 1
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out
}

// WhatStops says what removing a stored key leads to.
func WhatStops(keys []app.Key, provider, name, label string, active string) string {
	var next *app.Key
	used := false
	for _, k := range keys {
		switch {
		case k.Provider != provider:
		case k.Admin && k.Label == label:
			return fmt.Sprintf("It signs no call, so nothing changes but that Keytray can no longer fetch the cost report of %s. The provider still accepts the key: to end it for good, delete it there too.", name)
		case k.Admin:
		case k.Stored && k.Label == label:
			used = k.InUse
		case next == nil:
			next = &k
		}
	}
	text := ""
	switch {
	case next == nil:
		text = fmt.Sprintf("It is the only key for %s: calls of its models stop working at once.", name)
		if active == provider {
			text += " The switch stands on " + name + ", so all calls stop until it is turned."
		}
	case used:
		text = fmt.Sprintf("Calls go on with the key %q (%s).", next.Label, next.Where)
	default:
		text = fmt.Sprintf("It is not the key in use, so nothing changes: calls use %q (%s).", next.Label, next.Where)
	}
	return text + " The provider still accepts the key: to end it for good, delete it there too."
}
