// Package catalog knows providers, their models, and what a usage costs.
//
// Start with [Load], which reads one JSON file for each provider and keeps
// only what stands before its models; a provider's models are looked at when
// somebody asks for one. [Catalog.Cost] prices a usage, exact to the pico-USD.
//
// The package guesses nothing: a model that is not listed has no price, and
// is not taken for one whose name begins alike.
package catalog

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"keytray/proxy/llm"
)

// reserved are the ids of providers that are no data: demo is code.
var reserved = []string{"demo"}

// Catalog is a set of providers. It never changes, and may be used from many
// goroutines at once.
type Catalog struct {
	providers []Provider // by id
	shelves   []*shelf   // the models of each
}

// Load reads every *.json file of a folder, one provider each:
//
//	{"id": "lab", "name": "The Lab", "base_url": "https://lab.example/v1", "dialect": "chat", ...
//	 "models": {
//	   "some-model": {"context": 8000, "flags": ["tools"],
//	     "prices": [{"from": "2026-01-01", "input": "0.25", "output": "1", "source": ["..."]}]}}}
//
// The fields are those of [Provider], [Model] and [Price]; models come last.
// Prices are decimal strings in USD per million tokens. Only what stands
// before the models is decoded now.
func Load(fsys fs.FS) (*Catalog, error) {
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, fmt.Errorf("look for providers: %w", err)
	}
	id := func(name string) string { return strings.TrimSuffix(path.Base(name), ".json") }
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(id(a), id(b)) })
	c := &Catalog{}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read a provider: %w", err)
		}
		head, err := header(b)
		if err != nil {
			return nil, fmt.Errorf("provider file %s: %w", name, err)
		}
		var p Provider
		if err := json.Unmarshal(head, &p); err != nil {
			return nil, fmt.Errorf("provider file %s: %w", name, err)
		}
		if p.ID != id(name) {
			return nil, fmt.Errorf("provider file %s: its id is %q, which is not its name", name, p.ID)
		}
		if slices.Contains(reserved, p.ID) {
			return nil, fmt.Errorf("provider file %s: the id %q is taken", name, p.ID)
		}
		c.providers = append(c.providers, p)
		c.shelves = append(c.shelves, &shelf{fsys: fsys, file: name})
	}
	return c, nil
}

// header is a provider's file without its models.
func header(b []byte) ([]byte, error) {
	head := []byte{'{'}
	err := llm.Fields(b, func(key, value []byte, _ int) bool {
		if string(key) == "models" {
			return false
		}
		if len(head) > 1 {
			head = append(head, ',')
		}
		head = append(append(append(head, '"'), key...), '"', ':')
		head = append(head, value...)
		return true
	})
	return append(head, '}'), err
}

// With is the catalog as one user has it: built-in providers changed, others
// added. c itself stays as it is.
func (c *Catalog) With(overrides ...Override) (*Catalog, error) {
	out := &Catalog{providers: slices.Clone(c.providers), shelves: slices.Clone(c.shelves)}
	var prices []Own
	for _, o := range overrides {
		if o.ID == "" || strings.ContainsAny(o.ID, "/ \t") || slices.Contains(reserved, o.ID) {
			return nil, fmt.Errorf("a provider cannot be called %q", o.ID)
		}
		at, known := out.find(o.ID)
		if !known {
			out.providers = slices.Insert(out.providers, at, Provider{})
			out.shelves = slices.Insert(out.shelves, at, &shelf{})
		}
		p := o.apply(out.providers[at], known)
		if p.BaseURL == "" {
			return nil, fmt.Errorf("provider %s needs a base_url", o.ID)
		}
		out.providers[at] = p
		own := slices.Clone(o.Models)
		for _, price := range o.Prices {
			if _, listed := out.shelves[at].model(price.Model); !listed && !slices.Contains(own, price.Model) {
				own = append(own, price.Model)
			}
			price.Provider, price.From, price.Source = o.ID, time.Time{}, SourceConfig
			prices = append(prices, price)
		}
		if len(own) > 0 {
			out.shelves[at] = &shelf{under: out.shelves[at], own: owned(own)}
		}
	}
	return out.priced(prices, func(*Provider, *Own) bool { return true })
}

// Providers are all providers, by id.
func (c *Catalog) Providers() []Provider { return slices.Clone(c.providers) }

// Provider is one provider.
func (c *Catalog) Provider(id string) (Provider, bool) {
	at, ok := c.find(id)
	if !ok {
		return Provider{}, false
	}
	return c.providers[at], true
}

func (c *Catalog) find(id string) (int, bool) {
	return sort.Find(len(c.providers), func(i int) int { return strings.Compare(id, c.providers[i].ID) })
}

// Model is a provider's model by its name or an alias, if it is listed.
func (c *Catalog) Model(provider, name string) (Model, bool) {
	at, ok := c.find(provider)
	if !ok {
		return Model{}, false
	}
	m, ok := c.shelves[at].model(name)
	if !ok {
		return Model{}, false
	}
	return c.public(at, m), true
}

// Call is what a dialect may know of a model, listed or not: a model that is
// not has its provider's flags alone.
func (c *Catalog) Call(provider, name string) llm.Model {
	if m, ok := c.Model(provider, name); ok {
		return m.LLM()
	}
	p, _ := c.Provider(provider)
	return llm.Model{Provider: provider, Name: name, Flags: p.Flags}
}

// Models are all that a provider lists, by name.
func (c *Catalog) Models(provider string) []Model {
	at, ok := c.find(provider)
	if !ok {
		return nil
	}
	var out []Model
	for _, id := range c.shelves[at].ids() {
		if m, ok := c.shelves[at].peek(id); ok {
			out = append(out, c.public(at, m))
		}
	}
	return out
}

// Converses tells whether a provider has a model that chats; one without a list of
// models may. Some only embed and rank.
func (c *Catalog) Converses(provider string) bool {
	at, ok := c.find(provider)
	if !ok {
		return false
	}
	ids := c.shelves[at].ids()
	return len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool {
		m, ok := c.shelves[at].peek(id)
		return ok && (m.Mode == "" || m.Mode == "responses" || m.Mode == "completion")
	})
}

// Find is every model of that bare name or alias: its maker's first, then
// hosts', then routers'; those that cannot be called yet come last.
func (c *Catalog) Find(name string) []Model {
	var out []Model
	var order []int
	for at := range c.providers {
		m, ok := c.shelves[at].model(name)
		if !ok {
			continue
		}
		r := rank(c.providers[at].Kind)
		if c.providers[at].Unusable != "" {
			r += 10
		}
		i, _ := slices.BinarySearch(order, r+1)
		order = slices.Insert(order, i, r)
		out = slices.Insert(out, i, c.public(at, m))
	}
	return out
}

func (c *Catalog) public(at int, m *model) Model {
	out := m.Model
	out.Provider = c.providers[at].ID
	out.Flags = join(c.providers[at].Flags, m.Flags)
	return out
}

// Prices are what a model's input and output cost at a time, in USD per
// million tokens as decimals; "" is unknown.
func (c *Catalog) Prices(provider, name string, now time.Time) (in, out string) {
	p, _ := c.Listed(provider, name, now)
	return p.Rates[bucketNames[input]], p.Rates[bucketNames[output]]
}

// Free tells whether the price list says that a model costs nothing at a time,
// whatever is asked of it. A model without a price is not free.
func (c *Catalog) Free(provider, name string, now time.Time) bool {
	i, ok := c.find(provider)
	if !ok {
		return false
	}
	m, ok := c.shelves[i].model(name)
	if !ok || m.Request.one.told() || m.Search.one.told() {
		return false
	}
	p := at(m.Prices, now)
	if p == nil || !p.Rates[input].told() {
		return false
	}
	for _, r := range p.Rates {
		if r.told() && r.num != 0 {
			return false
		}
	}
	return true
}
