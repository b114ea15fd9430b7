package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// SourceConfig is the source of prices that are the user's own word.
const SourceConfig = "config"

// Own is a price that is not built in: what the user pays, or what a list says
// that is newer than the built-in one. Rates are decimals in USD per million
// tokens by the names of a provider's file (input, cache_write_1h ...), or for
// what their name says (per_image); what they leave out stays as it is.
type Own struct {
	Provider, Model string
	Rates           map[string]string
	// Long are those of prompts longer than Over tokens, if they are told apart.
	Over int64
	Long map[string]string
	// From is when a newer price begins. Zero is the user's own, which holds
	// at all times, hours and lengths.
	From   time.Time
	Source string
}

// ownPrice is an Own, decoded.
type ownPrice struct {
	rates  rates
	over   int64
	long   rates
	from   time.Time
	source string
}

func (o *Own) decode() (ownPrice, error) {
	p := ownPrice{over: o.Over, from: o.From, source: o.Source}
	for _, part := range []struct {
		to   *rates
		from map[string]string
	}{{&p.rates, o.Rates}, {&p.long, o.Long}} {
		for name, usd := range part.from {
			i := slices.Index(bucketNames[:], name)
			if i < 0 {
				return p, fmt.Errorf("%s/%s: %q is nothing that has a price", o.Provider, o.Model, name)
			}
			r, err := bucket(i).parse(usd)
			if err != nil {
				return p, fmt.Errorf("%s/%s: %s: %w", o.Provider, o.Model, name, err)
			}
			part.to[i] = r
		}
	}
	return p, nil
}

// Newer is the catalog with prices of a newer list, each from its time on. What
// is older than a provider's built-in list, or names a model that is not listed,
// changes nothing.
func (c *Catalog) Newer(prices []Own) (*Catalog, error) {
	return c.priced(prices, func(p *Provider, o *Own) bool { return !o.From.Before(p.asOf) })
}

// priced lays prices over the shelves of their providers.
func (c *Catalog) priced(prices []Own, use func(*Provider, *Own) bool) (*Catalog, error) {
	if len(prices) == 0 {
		return c, nil
	}
	out := &Catalog{providers: slices.Clone(c.providers), shelves: slices.Clone(c.shelves)}
	over := map[int]map[string][]ownPrice{}
	for i := range prices {
		o := &prices[i]
		at, ok := out.find(o.Provider)
		if !ok || !use(&out.providers[at], o) {
			continue
		}
		p, err := o.decode()
		if err != nil {
			return nil, err
		}
		id := o.Model
		if m, ok := out.shelves[at].peek(id); ok {
			id = m.ID
		} else if m, ok := out.shelves[at].model(id); ok { // an alias
			id = m.ID
		}
		if over[at] == nil {
			over[at] = map[string][]ownPrice{}
		}
		over[at][id] = append(over[at][id], p)
	}
	for at, own := range over {
		for _, list := range own {
			slices.SortStableFunc(list, func(a, b ownPrice) int { return a.from.Compare(b.from) })
		}
		out.shelves[at] = &shelf{under: out.shelves[at], prices: own, read: map[string]*model{}}
	}
	return out, nil
}

// with is the model with prices laid over its own.
func (m *model) with(own []ownPrice) *model {
	out := *m
	for _, p := range own {
		if p.from.IsZero() {
			out.replace(p)
			continue
		}
		out.renew(p)
	}
	return &out
}

// replace puts the user's own price in the place of all others. The service
// tiers keep their ratio to the listed price.
func (m *model) replace(p ownPrice) {
	m.plain, m.own = m.Prices, true
	list := slices.Clone(m.Prices)
	if len(list) == 0 {
		list = []Price{{}}
	}
	for i := range list {
		list[i].Rates.take(p.rates)
		list[i].Long, list[i].Source = nil, []string{p.source}
	}
	m.Prices = list
}

// renew adds a price that holds from a time on. One that depends on the hour is
// left as it is: no newer list tells those.
func (m *model) renew(p ownPrice) {
	var base Price
	if now := at(m.Prices, p.from); now != nil {
		base = *now
	}
	if slices.ContainsFunc(m.Prices, func(q Price) bool {
		return q.Hours != nil && (q.To.IsZero() || p.from.Before(q.To))
	}) {
		return
	}
	base.From, base.To, base.Source = p.from, time.Time{}, []string{p.source}
	base.Rates.take(p.rates)
	if base.Long != nil && base.Long.Over == p.over {
		long := *base.Long
		long.Rates.take(p.long)
		base.Long = &long
	}
	i := slices.IndexFunc(m.Prices, func(q Price) bool { return q.From.After(p.from) })
	if i < 0 {
		i = len(m.Prices)
	}
	m.Prices = slices.Insert(slices.Clone(m.Prices), i, base)
}

// take puts the rates that are told in the place of the others.
func (r *rates) take(p rates) {
	for i := range p {
		if p[i].told() {
			r[i] = p[i]
		}
	}
}

// Listed is what a model costs at a time, before service tiers and places.
type Listed struct {
	Rates  map[string]string // USD per million tokens as decimals, by kind of token
	Over   int64             // Long holds for prompts longer than that; 0: for none
	Long   map[string]string
	Hours  bool // it depends on the hour
	Source string
	AsOf   string // the day that the source was read on, "" if not known
}

// Listed is a model's price at a time; ok is false if there is none.
func (c *Catalog) Listed(provider, name string, now time.Time) (_ Listed, ok bool) {
	i, ok := c.find(provider)
	if !ok {
		return Listed{}, false
	}
	m, ok := c.shelves[i].model(name)
	if !ok {
		return Listed{}, false
	}
	p := at(m.Prices, now)
	if p == nil {
		return Listed{}, false
	}
	out := Listed{Rates: p.Rates.shown(m.discount(&c.providers[i])), Hours: p.Hours != nil}
	if p.Long != nil {
		out.Over, out.Long = p.Long.Over, p.Long.Rates.shown(m.discount(&c.providers[i]))
	}
	if len(p.Source) > 0 {
		out.Source = p.Source[0]
		if out.AsOf = c.providers[i].Sources[out.Source]; out.AsOf == "" {
			out.AsOf = p.from()
		}
	}
	return out, true
}

func (r *rates) shown(discount rate) map[string]string {
	out := map[string]string{}
	for i, x := range r {
		if x.told() {
			out[bucketNames[i]] = string(x.times(discount).appendUSD(nil, bucket(i)))
		}
	}
	return out
}

// discount is the factor that the provider's discount makes of a model's list
// price.
func (m *model) discount(p *Provider) rate {
	if m.own {
		return one
	}
	return p.discount.orOne()
}

// absurd is how many times a price may differ from another that is known.
const absurd = 1000

// Absurd tells whether a price, in USD per million tokens, is a thousand times
// or a thousandth of the one that is listed at that time, which is returned.
// Where none is listed, the bounds are those of all models.
func (c *Catalog) Absurd(provider, name, kind, usd string, now time.Time) (listed string, is bool) {
	r, err := parseRate(usd)
	if err != nil {
		return "", true
	}
	if slices.Index(bucketNames[:], kind) >= int(perImage) {
		return "", false // few are known, so nothing is odd
	}
	known, ok := c.Listed(provider, name, now)
	if listed = known.Rates[kind]; ok && listed != "" {
		return listed, Apart(listed, usd)
	}
	most, _ := parseRate("10000")
	least, _ := parseRate("0.0001")
	return "", r.rat().Cmp(most.rat()) > 0 || r.num > 0 && r.rat().Cmp(least.rat()) < 0
}

// Apart tells whether one price is a thousand times the other or more. Nothing
// is too far from a price of 0 but what no model costs.
func Apart(a, b string) bool {
	x, errX := parseRate(a)
	y, errY := parseRate(b)
	if errX != nil || errY != nil {
		return true
	}
	if x.num == 0 || y.num == 0 {
		return false
	}
	k := rate{absurd, 1}.rat()
	p, q := x.rat(), y.rat()
	if p.Cmp(q) > 0 {
		p, q = q, p
	}
	return k.Mul(k, p).Cmp(q) <= 0
}

// parseDiscount is the factor that is left by a share in millionths.
func parseDiscount(share int64) rate {
	if share <= 0 || share > 1_000_000 {
		return rate{}
	}
	left := 1_000_000 - share
	g := gcd(left, 1_000_000)
	return rate{left / g, 1_000_000 / g}
}

// percent writes what a factor takes off, such as 20%.
func percent(f rate) string {
	off := rate{(f.den - f.num) * 100, f.den}
	return strings.TrimSpace(off.String()) + "%"
}
