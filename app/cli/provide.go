package cli

import (
	"fmt"
	"slices"
	"strings"

	"keytray/app"
)

// provide finds a provider by its id, or by its name in any case.
func provide(a *app.App, name string) (app.Provider, error) {
	var ids []string
	for _, p := range a.Providers() {
		if strings.EqualFold(p.ID, name) || strings.EqualFold(p.Name, name) {
			return p, nil
		}
		ids = append(ids, p.ID)
	}
	if near := near(ids, name); near != "" {
		return app.Provider{}, fmt.Errorf("there is no provider %s; did you mean %s?", quote(name), near)
	}
	return app.Provider{}, fmt.Errorf("there is no provider %s; `keytray keys list --all` shows which there are", quote(name))
}

// near joins the words that may have been meant, at most three; "" for none.
func near(words []string, said string) string {
	var out []string
	for _, w := range words {
		if alike(w, strings.ToLower(said)) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return strings.Join(out[:min(3, len(out))], " or ")
}

// alike tells whether one word may have been meant by another.
func alike(have, said string) bool {
	if said == "" {
		return false
	}
	if len(said) > 2 && (strings.HasPrefix(have, said) || strings.HasPrefix(said, have)) {
		return true
	}
	return distance(have, said) <= 1+len(have)/6
}

// distance is how many letters must be changed, put in, left out or swapped
// with their neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d := min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
