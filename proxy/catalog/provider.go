package catalog

import (
	"encoding/json"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// Provider is who runs models: where it is called, in which dialect, and how
// a key is shown to it. Its maps and slices are shared and must not be changed.
type Provider struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Kind is maker (runs its own models), host (others' models), router
	// (passes calls on to hosts) or local.
	Kind    string `json:"kind"`
	BaseURL string `json:"base_url"` // without a trailing slash
	// Dialect that calls are made in: chat, messages, gemini, ollama,
	// responses, converse, or other. Whether it is built is not known here.
	Dialect string            `json:"dialect"`
	Also    map[string]string `json:"also"` // other dialects, and their base URLs
	Auth    Auth              `json:"auth"`
	// Env names the environment variables that may hold a key, best first.
	Env []string `json:"env"`
	// EnvOther names variables that belong to the provider and hold no key.
	EnvOther   []string `json:"env_other"`
	KeyPattern string   `json:"key_pattern"` // a regular expression; a hint, never a reason to refuse
	KeysURL    string   `json:"keys_url"`    // the page where a key is made
	Docs       string   `json:"docs"`
	Pricing    string   `json:"pricing"`
	// List is how to ask which models there are; nil: there is no such call.
	List *List `json:"list"`
	// Test is the cheapest call that a wrong key fails, a path below BaseURL
	// or a whole URL; "": List.At needs a key and will do, if there is one.
	Test  string `json:"test"`
	Local bool   `json:"local"` // runs on the user's own machines: costs nothing, needs no key
	// Remote is how the names of models end that a local provider runs
	// elsewhere: Ollama passes those on to its cloud.
	Remote []string  `json:"remote"`
	Flags  llm.Flags `json:"flags"`
	// StandIn answers, while the provider is switched to, for models that it
	// lacks.
	StandIn StandIn `json:"stand_in"`
	// Unusable says, to a person, why it cannot be called yet; "": it can,
	// where its dialect is built.
	Unusable string `json:"unusable"`
	// Settings are what the user must tell, Values what was told; see Filled.
	Settings []Setting         `json:"settings"`
	Variants []Variant         `json:"variants"`
	Values   map[string]string `json:"-"`
	// Only names the models that a dialect serves, as patterns in which * is
	// anything; one that begins with ! excludes. Without it all are served.
	Only map[string][]string `json:"only"`
	// Helpers are hosts that signing in asks, beside the provider's own.
	Helpers []string `json:"helpers"`
	Query   string   `json:"-"` // of every call: "api-version=2024-10-21"
	KeyForm string   `json:"key_form"`
	// Deployments are the user's own names of models.
	Deployments map[string]string `json:"-"`
	Note        string            `json:"note"`
	Custom      bool              `json:"-"` // the user's own, not built in

	// Sources tells as of which day each source of its prices was read.
	Sources map[string]string `json:"sources"`

	template *Provider // as it was before Filled
	moved    bool      // base_url is the user's own

	prices // what holds for all its models
}

// prices is what a provider's file says of all its models' costs.
type prices struct {
	asOf   time.Time       // the day that the prices were gathered
	tiers  map[string]rate // service tiers that are a factor on every price
	search fee             // of a web search, where a model says nothing else
	// discount is a factor on every list price; not told: none.
	discount rate
}

// UnmarshalJSON reads what stands before the models in a provider's file.
func (p *Provider) UnmarshalJSON(b []byte) error {
	type bare Provider // without this method
	if err := json.Unmarshal(b, (*bare)(p)); err != nil {
		return err
	}
	var costs struct {
		AsOf   string `json:"as_of"`
		Tiers  map[string]rate
		Search fee
	}
	if err := json.Unmarshal(b, &costs); err != nil {
		return err
	}
	var err error
	p.tiers, p.search = costs.Tiers, costs.Search
	p.asOf, err = day(costs.AsOf)
	p.Unusable = p.Filled(nil).Unusable + p.Unusable
	return err
}

// StandIn names a provider's models of two sizes.
type StandIn struct {
	Large string `json:"large"`
	Small string `json:"small"`
}

// Auth is how a key is sent: in Header, with {key} in Format replaced. An
// empty Header sends none. Extra headers go with every call.
type Auth struct {
	Header string            `json:"header"`
	Format string            `json:"format"`
	Extra  map[string]string `json:"extra"`
	Forms  []Form            `json:"forms"` // keys that are sent in another way
	// Scheme is how a call is signed: aws, google, or "" for a key alone.
	// Service is AWS's name of the provider, Scope and TokenURL are Google's.
	Scheme   string `json:"scheme"`
	Service  string `json:"service"`
	Scope    string `json:"scope"`
	TokenURL string `json:"token_url"`
}

// List is the call that lists a provider's models. The answer's array is in
// the field Items ("": the body is the array), a model's name in its field
// Name, with the prefix Strip taken off.
type List struct {
	At    string `json:"at"` // a path below the base URL, or a whole URL
	Items string `json:"items"`
	Name  string `json:"name"`
	Strip string `json:"strip"`
}

// URL is where a call of the provider goes: at is a path below BaseURL, or a
// whole URL that is taken as it is.
func (p *Provider) URL(at string) string {
	if strings.Contains(at, "://") {
		return at
	}
	return p.BaseURL + at
}

// In is the provider as it is called in one of the other dialects that it also
// speaks; ok is false for a dialect that it does not.
func (p Provider) In(dialect string) (_ Provider, ok bool) {
	if _, ok := p.Also[dialect]; !ok {
		return p, false
	}
	auth := authFor(dialect)
	auth.Forms, auth.Scheme, auth.Service = p.Auth.Forms, p.Auth.Scheme, p.Auth.Service
	auth.Scope, auth.TokenURL = p.Auth.Scope, p.Auth.TokenURL
	extra := maps.Clone(p.Auth.Extra)
	for k, v := range auth.Extra {
		if extra == nil {
			extra = map[string]string{}
		}
		extra[k] = v
	}
	auth.Extra = extra
	if strings.HasPrefix(p.Auth.Format, "Bearer ") || p.SameServer(dialect) { // servers that speak two dialects take a key in one way
		auth.Header, auth.Format = p.Auth.Header, p.Auth.Format
	}
	if !p.SameServer(dialect) {
		p.Query = ""
	}
	p.Dialect, p.BaseURL, p.Auth = dialect, p.also(dialect), auth
	return p, true
}

// Runs tells whether a local provider runs the model itself: then it costs
// nothing and nothing leaves the machine for it.
func (p *Provider) Runs(model string) bool { return p.Local && !p.PassesOn(model) }

// PassesOn tells by its name whether a provider has a model run elsewhere.
func (p *Provider) PassesOn(model string) bool {
	model = strings.ToLower(model) // as Ollama reads names
	return slices.ContainsFunc(p.Remote, func(end string) bool { return strings.HasSuffix(model, end) })
}

// Override changes a provider for one user, or adds one. Empty fields leave
// what is there.
type Override struct {
	ID      string
	Name    string
	BaseURL string
	Dialect string
	Env     []string
	Flags   []string // added
	Models  []string // added, without prices
	// Prices are what the user pays, of models that are added if they are not
	// listed. Their Provider and From are not used.
	Prices []Own
	// Discount is what is taken off list prices, in millionths.
	Discount int64
	// Local says whether the provider costs nothing. For a provider that is
	// not built in, nil means: if BaseURL is on this machine.
	Local *bool
	// Settings fill the provider's addresses, and Deployments are names of
	// models of the user's own.
	Settings    map[string]string
	Deployments map[string]string
}

func (o Override) apply(p Provider, known bool) Provider {
	if !known {
		p = Provider{ID: o.ID, Name: o.ID, Kind: "host", Dialect: "chat", Custom: true, Auth: authFor(o.Dialect)}
		p.List = listFor(o.Dialect)
	}
	if p.template != nil {
		p = *p.template
	}
	if o.Name != "" {
		p.Name = o.Name
	}
	if o.Dialect != "" && o.Dialect != p.Dialect {
		auth := authFor(o.Dialect)
		if in, ok := p.In(o.Dialect); ok && o.BaseURL == "" {
			p.BaseURL = in.BaseURL
			if p.Auth.Scheme != "" {
				auth = in.Auth
			}
		}
		p.Dialect, p.Auth, p.List = o.Dialect, auth, listFor(o.Dialect)
	}
	if base := strings.TrimRight(o.BaseURL, "/"); base != "" && base != p.BaseURL {
		p.BaseURL, p.Unusable, p.moved = base, "", true
		p.Also = maps.Clone(p.Also)
		maps.DeleteFunc(p.Also, func(_, at string) bool { return !relative(at) })
		// A whole URL would send the key to the host that was replaced.
		if p.List != nil && strings.Contains(p.List.At, "://") {
			p.List = listFor(p.Dialect)
		}
		if strings.Contains(p.Test, "://") {
			p.Test = ""
		}
	}
	if len(o.Env) > 0 {
		p.Env = slices.Clone(o.Env)
	}
	if len(o.Flags) > 0 {
		p.Flags = join(p.Flags, o.Flags)
	}
	switch {
	case o.Local != nil:
		p.Local = *o.Local
	case !known:
		p.Local = loopback(p.BaseURL)
	}
	if p.Local && p.Custom {
		p.Kind = "local"
	}
	if o.Discount != 0 {
		p.discount = parseDiscount(o.Discount)
	}
	p.Deployments = o.Deployments
	return p.Filled(o.Settings)
}

// authFor is how servers of a dialect take a key, where nothing else is said.
func authFor(dialect string) Auth {
	switch dialect {
	case "messages":
		return Auth{Header: "x-api-key", Format: "{key}", Extra: map[string]string{"anthropic-version": "2023-06-01"}}
	case "gemini":
		return Auth{Header: "x-goog-api-key", Format: "{key}"}
	default:
		return Auth{Header: "Authorization", Format: "Bearer {key}"}
	}
}

// listFor is how servers of a dialect list their models.
func listFor(dialect string) *List {
	switch dialect {
	case "gemini":
		return &List{At: "/models?pageSize=1000", Items: "models", Name: "name", Strip: "models/"}
	case "ollama":
		return &List{At: "/api/tags", Items: "models", Name: "name"}
	default:
		return &List{At: "/models", Items: "data", Name: "id"}
	}
}

func loopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || err == nil && a.Unmap().IsLoopback()
}

// join adds flags; one takes the place of its opposite.
func join(flags llm.Flags, more []string) llm.Flags {
	out := slices.Clone(flags)
	for _, f := range more {
		opposite := "no_" + f
		if no, is := strings.CutPrefix(f, "no_"); is {
			opposite = no
		}
		out = slices.DeleteFunc(out, func(o string) bool { return o == opposite || o == f })
		out = append(out, f)
	}
	return out
}

func rank(kind string) int {
	return slices.Index([]string{"maker", "host", "router", "local"}, kind)
}
