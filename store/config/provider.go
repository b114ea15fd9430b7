package config

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// dialects are the wire APIs that a provider may speak.
func dialects() []string {
	return []string{"chat", "responses", "messages", "gemini", "ollama", "converse"}
}

func (r *reader) provider(id string, n *node) Provider {
	p := Provider{ID: id}
	known := []field{
		{"dialect", func(n *node) { word(r, n, &p.Dialect, dialects()...) }},
		{"base_url", func(n *node) { r.baseURL(n, &p.BaseURL) }},
		{"key_env", func(n *node) { r.keyEnv(n, &p.KeyEnv) }},
		{"models", func(n *node) { p.Models = r.texts(n, r.model) }},
		{"headers", func(n *node) { p.Headers = r.headers(n) }},
		{"deployments", func(n *node) { p.Deployments = r.deployments(n) }},
		{"off", func(n *node) { r.truth(n, &p.Off) }},
		{"budget", func(n *node) { p.Budget.AtLimit = LimitBlock; r.budget(n, &p.Budget) }},
		{"rotate", func(n *node) { r.truth(n, &p.Rotate) }},
		{"keys", func(n *node) { p.Keys = r.keys(n) }},
		{"prices", func(n *node) { p.Prices = r.prices(n) }},
		{"discount", func(n *node) { r.discount(n, &p.Discount) }},
	}
	for _, name := range settingNames() {
		known = append(known, field{name, func(n *node) { r.setting(n, name, &p.Settings) }})
	}
	r.fields(n, known)
	return p
}

// settingNames are the settings that some built-in provider has.
func settingNames() []string {
	return []string{"region", "profile", "sso_region", "project", "location", "resource", "api_version"}
}

var settingForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:@/+ -]{0,127}$`)

// setting never repeats its value: people paste keys into it.
func (r *reader) setting(n *node, name string, to *[]Setting) {
	s, ok := r.text(n)
	if !ok {
		return
	}
	form := settingForm
	if name != "profile" {
		form = wordForm
	}
	if !form.MatchString(s) {
		r.add(n, "is not one word", "use letters, digits, dots and dashes; keys are not kept in this file")
		return
	}
	*to = append(*to, Setting{Name: name, Value: s})
}

var wordForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)

// deployments reads the user's own names of models.
func (r *reader) deployments(n *node) []Deployment {
	var out []Deployment
	for _, e := range r.entries(n) {
		if name, ok := r.model(e.value); ok {
			out = append(out, Deployment{Model: e.key, Name: name})
		}
	}
	return out
}

// baseURL never repeats the address in a message: people paste keys into it.
func (r *reader) baseURL(n *node, to *string) {
	s, ok := r.text(n)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		r.add(n, "is not a web address", "such as https://api.example.com/v1")
	case u.Scheme != "http" && u.Scheme != "https":
		r.add(n, "does not start with http:// or https://", "such as https://api.example.com/v1")
	case u.Hostname() == "":
		r.add(n, "names no host", "such as https://api.example.com/v1")
	case !goodPort(u.Port()) || strings.HasSuffix(u.Host, ":"):
		r.add(n, "has a bad port", "ports go from 1 to 65535")
	case u.User != nil:
		r.add(n, "holds a user or password", "remove it and store the key with: keytray keys add")
	case u.RawQuery != "" || u.ForceQuery:
		r.add(n, "holds a query (the part after ?)", "remove it; a key is stored with: keytray keys add")
	case u.Fragment != "" || strings.HasSuffix(s, "#"):
		r.add(n, "holds a fragment (the part after #)", "remove it")
	default:
		*to = s
	}
}

// keyEnv never repeats its value: people put the key itself there.
func (r *reader) keyEnv(n *node, to *string) {
	s, ok := r.text(n)
	if !ok {
		return
	}
	if !envForm.MatchString(s) {
		r.add(n, "is not the name of an environment variable",
			"give a name such as LAB_KEY, never the key; a key is stored with: keytray keys add")
		return
	}
	*to = s
}

func (r *reader) headers(n *node) []Header {
	var out []Header
	var seen []string
	for _, e := range r.entries(n) {
		name := strings.ToLower(e.key)
		switch {
		case !headerName(e.key):
			r.addAt(e.line, e.col, e.value.path, "is not the name of a header", "use letters, digits and dashes")
		case secretHeader(name):
			r.addAt(e.line, e.col, e.value.path, "is how a key is sent, and keys are not kept in this file",
				"remove it and store the key with: keytray keys add")
		case slices.Contains(reservedHeaders(), name):
			r.addAt(e.line, e.col, e.value.path, "is set by Keytray for every call", "remove it")
		case slices.Contains(seen, name):
			r.addAt(e.line, e.col, e.value.path, "is set twice", "header names ignore case; keep one of them")
		default:
			seen = append(seen, name)
			value, ok := r.text(e.value)
			if !ok {
				continue
			}
			if strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f }) {
				r.add(e.value, "holds a control character", "headers are one line of plain text")
				continue
			}
			out = append(out, Header{Name: e.key, Value: value})
		}
	}
	return out
}

// headerName is RFC 9110's token.
func headerName(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

// secretHeader knows the headers that providers take keys in.
func secretHeader(name string) bool {
	return slices.Contains([]string{"authorization", "proxy-authorization", "cookie", "x-goog-api-key"}, name) ||
		strings.HasSuffix(name, "api-key") || strings.HasSuffix(name, "apikey") ||
		strings.HasSuffix(name, "-token") || strings.HasSuffix(name, "-secret")
}

// reservedHeaders would break the framing of a call.
func reservedHeaders() []string {
	return []string{
		"host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "upgrade",
		"te", "trailer", "keep-alive", "accept-encoding", "expect",
	}
}
