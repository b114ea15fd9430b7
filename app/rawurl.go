package app

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"keytray/proxy/catalog"
)

// rawURL is where a raw call goes, and the provider as it is called there. The
// rest of its path may repeat the path of one of the provider's base URLs, as
// /p/openai/v1/... does, may be one of the same host, as that of a client that
// was given the host alone, or may go on from the base URL. sent is the
// deployment that a body names, "" where the path says it, or nobody does.
func (a *App) rawURL(p catalog.Provider, rest, sent string) (_ catalog.Provider, base, to string) {
	all := a.places(p, sent)
	found, longest := 0, ""
	for i, at := range all {
		if own := at.path; len(own) > len(longest) && (rest == own || strings.HasPrefix(rest, own+"/")) {
			longest, found = own, i
		}
	}
	p, base = all[found].Provider, all[found].BaseURL
	if longest == "" {
		if i := slices.IndexFunc(all, func(at place) bool { return alike(first(at.path), first(rest)) }); i >= 0 {
			p, base = all[i].Provider, all[i].BaseURL
			return p, base, strings.TrimSuffix(base, "/"+all[i].path) + "/" + rest
		}
	}
	return p, base, base + strings.TrimSuffix("/"+strings.TrimPrefix(strings.TrimPrefix(rest, longest), "/"), "/") + slash(rest, longest)
}

// place is a provider at one of its base URLs, and that URL's path.
type place struct {
	catalog.Provider
	path string
}

// places are all that a raw call may go to, the provider's own first.
func (a *App) places(p catalog.Provider, sent string) []place {
	p.BaseURL = a.baseURL(p)
	all := []catalog.Provider{p}
	for _, dialect := range slices.Sorted(maps.Keys(p.Also)) {
		switch at := a.also(p, dialect); {
		case at == "" || at == p.BaseURL:
		case p.SameServer(dialect):
			same := p
			same.BaseURL = at
			all = append(all, same)
		default:
			other, _ := p.In(dialect)
			all = append(all, other)
		}
	}
	if sent != "" {
		all[0].BaseURL = p.For(sent)
	} else {
		all[0].BaseURL = p.Undeployed()
	}
	out := make([]place, 0, len(all))
	for _, p := range all {
		if u, err := url.Parse(p.BaseURL); err == nil {
			out = append(out, place{p, strings.Trim(u.Path, "/")})
		}
	}
	return out
}

func first(path string) string {
	part, _, _ := strings.Cut(path, "/")
	return part
}

// alike tells whether two paths begin at the root of one API: with the same
// word, or with versions such as v1 and v1beta1.
func alike(a, b string) bool {
	version := func(s string) bool { return len(s) > 1 && s[0] == 'v' && s[1] >= '0' && s[1] <= '9' }
	return a != "" && a == b || version(a) && version(b)
}

// slash keeps the slash that a path ends in.
func slash(rest, own string) string {
	if len(rest) > len(own) && strings.HasSuffix(rest, "/") {
		return "/"
	}
	return ""
}

// withOwn is a client's query with what the provider wants in each, where the
// client does not say it.
func withOwn(query, own string) string {
	given, _ := url.ParseQuery(query) // what cannot be read is for the provider to refuse
	for _, part := range strings.Split(own, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part == "" || given.Has(name) {
			continue
		}
		if query != "" {
			query += "&"
		}
		query += part
	}
	return query
}

// fileContent is the file whose content a URL of OpenAI's API asks for.
func fileContent(at string) (id string, ok bool) {
	at, _, _ = strings.Cut(at, "?")
	at, content := strings.CutSuffix(at, "/content")
	_, id, files := strings.Cut(at, "/files/")
	return id, content && files && id != "" && !strings.Contains(id, "/")
}
