package app

import (
	"regexp"
	"slices"
	"strings"

	"keytray/app/report"
)

// modelName is a model's name in parts, for comparing: "openai/gpt-4o-2024-08-06:free"
// is of the vendor openai, called gpt-4o, of the snapshot 2024-08-06.
type modelName struct {
	vendor, base, snapshot string
}

var (
	// snapshots are a day (2024-08-06, 20250929), or the month and day of
	// OpenAI's older ones (gpt-4-0613).
	snapshots = regexp.MustCompile(`[-@](20\d\d-?[01]\d-?[0-3]\d|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|latest)$`)
	// tiers are ways of asking the same model for another price or speed.
	tiers = regexp.MustCompile(`([-:@ ]+|\s*\()(batch|flex|priority|free|nitro|floor|online|extended|exacto|fast)\)?$`)
	apart = regexp.MustCompile(`[-_. ]+`)
)

func parseModel(name string) modelName {
	var m modelName
	rest := strings.ToLower(strings.TrimSpace(name))
	rest = strings.TrimPrefix(rest, "models/")
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		m.vendor, rest = rest[:i], rest[i+1:]
	}
	for tiers.MatchString(rest) && tiers.ReplaceAllString(rest, "") != "" {
		rest = tiers.ReplaceAllString(rest, "")
	}
	if at := snapshots.FindStringSubmatchIndex(rest); at != nil && at[0] > 0 {
		if m.snapshot = strings.ReplaceAll(rest[at[2]:at[3]], "-", ""); m.snapshot == "latest" {
			m.snapshot = ""
		}
		rest = rest[:at[0]]
	}
	m.base = strings.Trim(apart.ReplaceAllString(rest, "-"), "-")
	if strings.HasPrefix(m.base, "claude-") {
		m.base = claude(m.base)
	}
	return m
}

// claude puts the parts of a Claude's name into one order: claude-3-5-sonnet,
// "Claude Sonnet 3.5" and claude-sonnet-3-5 are one model.
func claude(base string) string {
	var names, digits []string
	for part := range strings.SplitSeq(base, "-") {
		if strings.Trim(part, "0123456789") == "" {
			digits = append(digits, part)
		} else {
			names = append(names, part)
		}
	}
	slices.Sort(names)
	return strings.Join(append(names, digits...), "-")
}

// sameModel tells whether two names that are not the same mean one model: they
// differ by the vendor's prefix, which one of them has, by a tier's suffix, by
// how the parts are joined, or by the snapshot, which one of them has. Two
// different snapshots are two models, for their prices differ.
func sameModel(a, b modelName) bool {
	return a.base == b.base && a.base != "" &&
		(a.vendor == b.vendor || a.vendor == "" || b.vendor == "") &&
		(a.snapshot == b.snapshot || a.snapshot == "" || b.snapshot == "")
}

// nameTable gives the names of either side one name for each model.
type nameTable struct {
	own, other map[string]string
}

func (t nameTable) ours(name string) string { return t.own[name] }

func (t nameTable) theirs(name string) string {
	if to, ok := t.other[name]; ok {
		return to
	}
	return name
}

// newNames matches the models that are charged with those that are booked. A
// name that both sides have stands for itself; one that the other side lacks
// joins all that may mean the same there.
func newNames(charges []Charge, booked []Booked) nameTable {
	g := groups{parent: map[string]string{}}
	ours, theirs := map[string]modelName{}, map[string]modelName{}
	for _, b := range booked {
		ours[b.Model] = parseModel(b.Model)
	}
	for _, c := range charges {
		if c.Kind == report.Model {
			theirs[c.Name] = parseModel(c.Name)
		}
	}
	g.join(ours, theirs)
	g.join(theirs, ours)
	t := nameTable{map[string]string{}, map[string]string{}}
	// A group is called by its shortest name in the ledger, else in the report.
	called := map[string]string{}
	for _, side := range []map[string]modelName{ours, theirs} {
		best := map[string]string{}
		for name := range side {
			root := g.root(name)
			if have, ok := best[root]; !ok || len(name) < len(have) || len(name) == len(have) && name < have {
				best[root] = name
			}
		}
		for root, name := range best {
			if _, ok := called[root]; !ok {
				called[root] = name
			}
		}
	}
	for name := range ours {
		t.own[name] = called[g.root(name)]
	}
	for name := range theirs {
		t.other[name] = called[g.root(name)]
	}
	return t
}

// groups are names that mean one model.
type groups struct{ parent map[string]string }

func (g groups) root(name string) string {
	for {
		up, ok := g.parent[name]
		if !ok || up == name {
			return name
		}
		name = up
	}
}

// join puts each name of from that to lacks together with what means the same in to.
func (g groups) join(from, to map[string]modelName) {
	byBase := map[string][]string{}
	for name, m := range to {
		byBase[m.base] = append(byBase[m.base], name)
	}
	for name, m := range from {
		if _, both := to[name]; both {
			continue
		}
		for _, other := range byBase[m.base] {
			if sameModel(m, to[other]) {
				if a, b := g.root(name), g.root(other); a != b {
					g.parent[a] = b
				}
			}
		}
	}
}
