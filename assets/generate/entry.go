package main

import "encoding/json"

// entry is a provider's file. Its fields are in the order of the file.
type entry struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Kind       string              `json:"kind"`
	BaseURL    string              `json:"base_url"`
	Dialect    string              `json:"dialect"`
	Also       map[string]string   `json:"also,omitempty"`
	Auth       auth                `json:"auth,omitzero"`
	Env        []string            `json:"env,omitempty"`
	EnvOther   []string            `json:"env_other,omitempty"`
	KeyPattern string              `json:"key_pattern,omitempty"`
	KeysURL    string              `json:"keys_url,omitempty"`
	Docs       string              `json:"docs,omitempty"`
	Pricing    string              `json:"pricing,omitempty"`
	List       *listing            `json:"list,omitempty"`
	Test       string              `json:"test,omitempty"`
	Local      bool                `json:"local,omitempty"`
	Remote     []string            `json:"remote,omitempty"`
	Flags      []string            `json:"flags,omitempty"`
	Search     string              `json:"search,omitempty"`
	Tiers      map[string]string   `json:"tiers,omitempty"`
	Stated     string              `json:"stated,omitempty"`
	Note       string              `json:"note,omitempty"`
	KeyForm    string              `json:"key_form,omitempty"`
	Settings   []setting           `json:"settings,omitempty"`
	Variants   []variant           `json:"variants,omitempty"`
	Only       map[string][]string `json:"only,omitempty"`
	Helpers    []string            `json:"helpers,omitempty"`
	StandIn    map[string]string   `json:"stand_in,omitempty"`
	Unusable   string              `json:"unusable,omitempty"`
	AsOf       string              `json:"as_of,omitempty"`   // the day of the list
	Sources    map[string]string   `json:"sources,omitempty"` // and as of when each was read

	models map[string]*model
}

type auth struct {
	Header   string            `json:"header"`
	Format   string            `json:"format"`
	Extra    map[string]string `json:"extra,omitempty"`
	Forms    []form            `json:"forms,omitempty"`
	Scheme   string            `json:"scheme,omitempty"`
	Service  string            `json:"service,omitempty"`
	Scope    string            `json:"scope,omitempty"`
	TokenURL string            `json:"token_url,omitempty"`
}

// form is how keys that begin with Starts are sent.
type form struct {
	Starts string `json:"starts"`
	Header string `json:"header"`
	Format string `json:"format"`
}

// setting is what the user must tell of a provider, and variant where it is
// called if settings have certain values: see the catalog's types.
type setting struct {
	Name     string                       `json:"name"`
	What     string                       `json:"what"`
	Example  string                       `json:"example"`
	Default  string                       `json:"default,omitempty"`
	Env      []string                     `json:"env,omitempty"`
	Pattern  string                       `json:"pattern,omitempty"`
	Always   bool                         `json:"always,omitempty"`
	Optional bool                         `json:"optional,omitempty"`
	Derives  map[string]map[string]string `json:"derives,omitempty"`
}

type variant struct {
	When    map[string]string `json:"when"`
	BaseURL string            `json:"base_url,omitempty"`
	Also    map[string]string `json:"also,omitempty"`
	Query   string            `json:"query,omitempty"`
	List    *listing          `json:"list,omitempty"`
}

type listing struct {
	At    string `json:"at"`
	Items string `json:"items"`
	Name  string `json:"name"`
	Strip string `json:"strip,omitempty"`
}

// model is one model of a file.
type model struct {
	Name       string            `json:"name,omitempty"`
	Mode       string            `json:"mode,omitempty"` // "" is chat
	Aliases    []string          `json:"aliases,omitempty"`
	Context    int64             `json:"context,omitempty"`
	MaxOutput  int64             `json:"max_output,omitempty"`
	Released   string            `json:"released,omitempty"`
	Deprecated bool              `json:"deprecated,omitempty"`
	Retires    string            `json:"retires,omitempty"`
	Flags      []string          `json:"flags,omitempty"`
	Search     string            `json:"search,omitempty"`  // USD per 1,000 web searches
	Request    string            `json:"request,omitempty"` // USD per 1,000 requests
	Geo        map[string]string `json:"geo,omitempty"`
	Endpoint   map[string]string `json:"endpoint,omitempty"`
	Prices     []*price          `json:"prices,omitempty"`
	Tiers      map[string]*price `json:"tiers,omitempty"`
}

// price is what a token costs, in USD per million, from one day to another.
type price struct {
	From   string // the first day, in UTC
	To     string // the first day after
	Hours  []string
	Days   []string
	Times  string // of a service tier: a factor on all the model's prices
	Tokens map[string]string
	Long   *long
	Source []string
	// SourceOf names the sources of prices that do not have all of Source.
	SourceOf map[string][]string
}

// long replaces prices when the whole prompt has more than Over tokens.
type long struct {
	Over   int64
	Tokens map[string]string
	Source []string
}

// buckets in the order in which a file shows them.
var buckets = []string{
	"input", "output", "reasoning", "cache_read", "cache_write_5m", "cache_write_1h", "cache_write_12h",
	"input_audio", "output_audio", "cache_read_audio", "input_image", "output_image", "cache_read_image", "input_video",
}

// MarshalJSON writes the prices in line with the rest, in a stable order.
func (p *price) MarshalJSON() ([]byte, error) {
	var o object
	o.add("from", p.From, p.From != "")
	o.add("to", p.To, p.To != "")
	o.add("hours", p.Hours, p.Hours != nil)
	o.add("days", p.Days, p.Days != nil)
	o.add("times", p.Times, p.Times != "")
	o.tokens(p.Tokens)
	o.add("long", p.Long, p.Long != nil)
	o.add("source", p.Source, true)
	o.add("source_of", p.SourceOf, len(p.SourceOf) > 0)
	return o.done()
}

// MarshalJSON writes the tier in line with a price.
func (l *long) MarshalJSON() ([]byte, error) {
	var o object
	o.add("over", l.Over, true)
	o.tokens(l.Tokens)
	o.add("source", l.Source, len(l.Source) > 0)
	return o.done()
}

// object builds a JSON object in the order of the calls.
type object struct {
	b   []byte
	err error
}

func (o *object) add(key string, v any, really bool) {
	if !really || o.err != nil {
		return
	}
	j, err := json.Marshal(v)
	o.err = err
	o.b = append(append(o.b, `,"`+key+`":`...), j...)
}

func (o *object) tokens(t map[string]string) {
	for _, k := range buckets {
		o.add(k, t[k], t[k] != "")
	}
}

func (o *object) done() ([]byte, error) {
	if len(o.b) == 0 {
		return []byte("{}"), o.err
	}
	o.b[0] = '{'
	return append(o.b, '}'), o.err
}
