package catalog

import (
	"cmp"
	"slices"
	"strings"
)

// Near is up to n names that resemble one that nobody serves, most alike
// first: "provider/model", for the message that says so. If providers are
// given, only theirs are looked at; else those that can be called.
func (c *Catalog) Near(name string, n int, providers ...string) []string {
	type hit struct {
		path  string
		score int
	}
	var hits []hit
	for at, p := range c.providers {
		if len(providers) > 0 && !slices.Contains(providers, p.ID) || len(providers) == 0 && p.Unusable != "" {
			continue
		}
		ask := plain(strings.TrimPrefix(strings.ToLower(name), p.ID+"/"))
		c.shelves[at].names(func(id string) bool {
			if s := unlike(ask, plain(id)); s >= 0 {
				hits = append(hits, hit{p.ID + "/" + id, s*4 + max(rank(p.Kind), 0)})
			}
			return true
		})
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(b.path, a.path)) // higher numbers are newer
	})
	out := make([]string, 0, n)
	for _, h := range hits[:min(n, len(hits))] {
		out = append(out, h.path)
	}
	return out
}

// plain is a name without what people mistype first: 4.1, 4-1 and 41 are the
// same.
func plain(name string) string {
	return strings.NewReplacer(".", "", "-", "", "_", "", ":", "", " ", "").Replace(strings.ToLower(name))
}

// unlike is how far two names are apart, or -1 if they do not resemble each
// other: the edits from one to the other, fewer if one holds the other.
func unlike(a, b string) int {
	if a == b {
		return 0
	}
	if tail := b[strings.LastIndexByte(b, '/')+1:]; tail != b {
		if s := unlike(a, tail); s >= 0 {
			return s + 1 // the same behind the owner's name
		}
	}
	if len(a) >= 3 && strings.Contains(b, a) || len(b) >= 3 && strings.Contains(a, b) {
		return 1 + max(len(a)-len(b), len(b)-len(a))/8
	}
	limit := max(len(a), len(b)) / 3
	if d := edits(a, b, limit); d <= limit {
		return d
	}
	return -1
}

// edits is the number of single-byte edits from a to b, or more than limit.
func edits(a, b string, limit int) int {
	if max(len(a)-len(b), len(b)-len(a)) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, best := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
			best = min(best, cost)
		}
		if best > limit {
			return limit + 1
		}
	}
	return row[len(b)]
}
