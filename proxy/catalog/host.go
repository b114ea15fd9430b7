package catalog

import (
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Setting is what only the user can tell of a provider: a region, a project.
// It takes the place of {name} in the provider's addresses.
type Setting struct {
	Name    string   `json:"name"`
	What    string   `json:"what"` // with its article: "a region"
	Example string   `json:"example"`
	Default string   `json:"default"`
	Env     []string `json:"env"`     // variables that may tell it
	Pattern string   `json:"pattern"` // of its values, a regular expression
	// Always: it is needed even where base_url names no {name}.
	Always   bool `json:"always"`
	Optional bool `json:"optional"`
	// Derives are further names whose value depends on this one's; the value
	// for "" stands for all that are not named.
	Derives map[string]map[string]string `json:"derives"`
}

// Variant is where a provider is called if settings have certain values.
type Variant struct {
	When    map[string]string `json:"when"` // setting -> a pattern like Only's
	BaseURL string            `json:"base_url"`
	Also    map[string]string `json:"also"`
	Query   string            `json:"query"`
	List    *List             `json:"list"`
}

// value is a setting's that has no pattern of its own: what could lead an
// address elsewhere is none.
var value = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
})

// Filled is the provider with the user's settings in its addresses. One that
// lacks a setting is unusable, and says what is missing.
func (p Provider) Filled(values map[string]string) Provider {
	if len(p.Settings) == 0 {
		return p
	}
	if p.template == nil {
		t := p
		p.template = &t
	}
	p.Unusable, p.Values = "", map[string]string{}
	for _, s := range p.Settings {
		v := values[s.Name]
		if v == "" {
			v = s.Default
		}
		if v == "" {
			continue
		}
		form := value
		if s.Pattern != "" {
			form = func() *regexp.Regexp { return regexp.MustCompile(s.Pattern) }
		}
		if !form().MatchString(v) {
			p.Unusable = fmt.Sprintf("its %s cannot be %q: give one such as %s", s.Name, v, s.Example)
			return p
		}
		p.Values[s.Name] = v
		for name, of := range s.Derives {
			d, ok := of[v]
			if !ok {
				d = of[""]
			}
			p.Values[name] = strings.ReplaceAll(d, "{"+s.Name+"}", v)
		}
	}
	p.vary()
	for _, s := range p.Settings {
		if p.Values[s.Name] == "" && !s.Optional && (s.Always || p.asks(s)) {
			p.Unusable = s.missing(p.ID)
			return p
		}
	}
	p.fill()
	return p
}

// vary takes the addresses of the variant that the settings ask for. An
// address of the user's own stays.
func (p *Provider) vary() {
	for _, v := range p.Variants {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(v.When)), func(s string) bool { return !glob(v.When[s], p.Values[s]) }) {
			p.Query = v.Query
			if v.Also != nil && (!p.moved || strings.Contains(p.BaseURL, "{deployment}")) {
				p.Also = v.Also
			}
			if p.moved {
				return
			}
			if v.BaseURL != "" {
				p.BaseURL = v.BaseURL
			}
			if v.List != nil {
				p.List = v.List
			}
			return
		}
	}
}

// asks tells whether the provider's address names a setting.
func (p *Provider) asks(s Setting) bool {
	names := append(slices.Collect(maps.Keys(s.Derives)), s.Name)
	return slices.ContainsFunc(names, func(n string) bool { return strings.Contains(p.BaseURL, "{"+n+"}") })
}

func (s Setting) missing(id string) string {
	m := fmt.Sprintf("it needs %s: set %s under providers in config.yaml, such as providers: {%s: {%s: %s}}", s.What, s.Name, id, s.Name, s.Example)
	if len(s.Env) > 0 {
		m += ", or the environment variable " + s.Env[0]
	}
	return m
}

// fill puts the values into all addresses. One that lacks a value is left out.
func (p *Provider) fill() {
	in := func(s string) string {
		for name, v := range p.Values {
			s = strings.ReplaceAll(s, "{"+name+"}", v)
		}
		return s
	}
	p.BaseURL, p.Test, p.Query = in(p.BaseURL), in(p.Test), in(p.Query)
	if strings.Contains(p.Test, "{") {
		p.Test = ""
	}
	if p.List != nil {
		l := *p.List
		l.At = in(l.At)
		p.List = &l
	}
	also := make(map[string]string, len(p.Also))
	for dialect, at := range p.Also {
		if at = in(at); !strings.Contains(strings.ReplaceAll(at, "{deployment}", ""), "{") {
			also[dialect] = at
		}
	}
	p.Also = also
	var helpers []string
	for _, h := range p.Helpers {
		if h = in(h); !strings.Contains(h, "{") {
			helpers = append(helpers, h)
		}
	}
	p.Helpers = helpers
	p.Auth.TokenURL = in(p.Auth.TokenURL)
}

// BuiltIn is where a provider that is built in is called with the settings of
// o: p as it was loaded, with o's values.
func (p Provider) BuiltIn(o Provider) Provider { return p.Filled(o.Values) }

// Addresses are all base URLs of the provider, its own first.
func (p Provider) Addresses() []string {
	out := []string{p.BaseURL}
	for _, dialect := range slices.Sorted(maps.Keys(p.Also)) {
		out = append(out, p.also(dialect))
	}
	return out
}

// also is the base URL for a further dialect: a whole one, or a path that
// starts with a dot and leads on from the provider's own.
func (p Provider) also(dialect string) string {
	at := p.Also[dialect]
	if !relative(at) {
		return at
	}
	scheme, rest, ok := strings.Cut(p.BaseURL, "://")
	if !ok {
		return p.BaseURL
	}
	return scheme + "://" + path.Join(rest, at)
}

func relative(at string) bool { return strings.HasPrefix(at, ".") }

// SameServer tells whether a further dialect is spoken below the provider's own
// base URL, wherever the user has moved that.
func (p Provider) SameServer(dialect string) bool { return relative(p.Also[dialect]) }

// Serves tells whether a model is called in a dialect of the provider.
func (p Provider) Serves(dialect, model string) bool {
	if _, ok := p.Also[dialect]; !ok && dialect != p.Dialect {
		return false
	}
	yes, some := false, false
	for _, pattern := range p.Only[dialect] {
		if no, is := strings.CutPrefix(pattern, "!"); is {
			if glob(no, model) {
				return false
			}
			continue
		}
		some = true
		yes = yes || glob(pattern, model)
	}
	return yes || !some
}

// glob matches a pattern in which * is anything.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return strings.HasSuffix(s, last)
}

// Deployed is the provider's name of a model, where the user gave it one, and
// the model's name in the price list: azure/gpt-5-mini may be called by the
// name of its deployment too.
func (p Provider) Deployed(model string) (sent, listed string) {
	if d, ok := p.Deployments[model]; ok {
		return d, model
	}
	for _, listed := range slices.Sorted(maps.Keys(p.Deployments)) {
		if p.Deployments[listed] == model {
			return model, listed
		}
	}
	return model, model
}

// For is the base URL for one model, by the provider's name of it.
func (p Provider) For(sent string) string {
	return strings.ReplaceAll(p.BaseURL, "{deployment}", url.PathEscape(sent))
}

// Undeployed is the base URL of what belongs to no model, such as files, where
// others stand below the name of their deployment.
func (p Provider) Undeployed() string {
	base, _, _ := strings.Cut(p.BaseURL, "/{deployment}")
	if base != p.BaseURL {
		base = strings.TrimSuffix(base, "/deployments")
	}
	return base
}

// Form is how a key that begins with Starts is sent.
type Form struct {
	Starts string `json:"starts"`
	Header string `json:"header"`
	Format string `json:"format"`
}

// For is the header that a key is sent in, and its value but for {key}.
func (a Auth) For(key string) (header, format string) {
	for _, f := range a.Forms {
		if strings.HasPrefix(key, f.Starts) {
			return f.Header, f.Format
		}
	}
	return a.Header, a.Format
}
