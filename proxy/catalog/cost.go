package catalog

import (
	"strings"
	"time"

	"keytray/proxy/llm"
)

// Kind says how far a cost can be trusted.
type Kind string

// The kinds of cost.
const (
	Exact     Kind = "exact"     // counted and priced
	Stated    Kind = "stated"    // the provider's own charge
	Estimated Kind = "estimated" // something of it was estimated: tokens, or a rate
	AtLeast   Kind = "at_least"  // a part has no known price: it costs more
	Unpriced  Kind = "unpriced"  // not known; never 0
)

// Context is what a price depends on beside model and usage.
type Context struct {
	At time.Time // when the call was made
	// Tier is the service tier that the answer names: "", default, flex ...
	Tier string
	// Geo is where inference ran, if billed apart: us, eu; what the price
	// list does not know changes nothing.
	Geo string
	// Endpoint is the kind of endpoint, if billed apart: global, regional.
	Endpoint string
	// Unbilled: the provider refused the call, which costs nothing.
	Unbilled bool
	// Sum asks for the amount alone: Cost.Price stays nil.
	Sum bool
}

// Cost is what an attempt cost.
type Cost struct {
	Pico llm.Pico // to be counted; of no meaning if Kind is Unpriced
	Kind Kind

	// Computed is what the price list makes of the usage, whether or not the
	// provider stated a charge too; of no meaning if ComputedKind is Unpriced.
	Computed     llm.Pico
	ComputedKind Kind
	Stated       llm.Pico // the provider's own charge, if HasStated
	HasStated    bool

	// Price is the price that was used, a small JSON object to keep with the
	// row; nil if there was none.
	Price []byte
}

// Cost prices a usage of a provider's model at the time of the call.
//
// All counting is in whole pico-USD. Where a price or a factor makes a
// fraction of one, the fractions are added up exactly and the sum is rounded
// once, half up. A charge that the provider states is preferred, and the
// computed one kept beside it. The whole prompt decides the length tier, which
// then holds for every token. What a price list leaves out follows the rules
// of its source: cached and written tokens cost as input, reasoning as output,
// pictures as text; sound, and pictures that come out, cost at least that.
func (c *Catalog) Cost(provider, model string, u llm.Usage, ctx Context) Cost {
	out := c.compute(provider, model, u, ctx)
	out.Computed, out.ComputedKind = out.Pico, out.Kind
	if u.HasStated {
		out.Stated, out.HasStated = u.Stated, true
		out.Pico, out.Kind = u.Stated, Stated
	}
	return out
}

func (c *Catalog) compute(provider, model string, u llm.Usage, ctx Context) Cost {
	at, known := c.find(provider)
	switch {
	case ctx.Unbilled:
		return Cost{Kind: Exact}
	case known && c.providers[at].Runs(model) && !c.shelves[at].priced(model):
		return Cost{Kind: Exact, Price: ctx.told(`{"local":true}`)}
	case !u.Known:
		return Cost{Kind: Unpriced}
	case empty(&u):
		return Cost{Kind: Exact}
	case !known:
		return Cost{Kind: Unpriced}
	}
	b := bill{ctx: ctx, provider: &c.providers[at], kind: Exact}
	b.model(c.shelves[at], model, &u)
	for i := range u.Also {
		if also := &u.Also[i]; !empty(&also.Usage) {
			b.model(c.shelves[at], also.Model, &also.Usage)
		}
	}
	pico, fits := b.total.sum()
	if !fits || !b.some {
		return Cost{Kind: Unpriced}
	}
	return Cost{Pico: pico, Kind: b.kind, Price: b.shown()}
}

// told is a price for the row, if that is asked for.
func (c *Context) told(price string) []byte {
	if c.Sum {
		return nil
	}
	return []byte(price)
}

func empty(u *llm.Usage) bool {
	for i := range u.Also {
		if !empty(&u.Also[i].Usage) {
			return false
		}
	}
	return !u.Tokens() && u.Searches == 0 && u.Images == 0 && u.Characters == 0 && u.AudioMS == 0
}

// bill is the account of one answer.
type bill struct {
	ctx      Context
	provider *Provider
	total    total
	kind     Kind
	some     bool     // something had a price
	lines    [][]byte // the price of each model, for the row
}

// worse lowers the kind: at_least says less than estimated, which says less
// than exact.
func (b *bill) worse(k Kind) {
	if b.kind == Exact || k == AtLeast {
		b.kind = k
	}
}

// model adds a usage of one model.
func (b *bill) model(s *shelf, name string, u *llm.Usage) {
	m, ok := s.model(name)
	if !ok {
		b.worse(AtLeast)
		return
	}
	p := at(m.Prices, b.ctx.At)
	if p == nil {
		b.worse(AtLeast)
		return
	}
	t := b.tariff(m, p, u.Prompt())
	line := line{bill: b, tariff: t, usage: u}
	line.tokens()
	line.searches(m)
	if m.Request.one.told() {
		// The fee depends on how much was searched, which no answer tells.
		line.fee("request_per_1k", 1, m.Request)
		b.worse(Estimated)
	}
	if !b.ctx.Sum {
		b.lines = append(b.lines, line.object(m))
	}
}

// standard are the names that providers give to no special tier.
func standard(tier string) bool {
	switch tier {
	case "", "default", "standard", "auto", "on_demand", "standard_only", "none":
		return true
	}
	return false
}

// tierName is a service tier in the catalog's words.
func tierName(said string) string {
	said = strings.ToLower(said)
	switch said {
	case "on_demand_flex":
		return "flex"
	case "on_demand_priority":
		return "priority"
	}
	if standard(said) {
		return ""
	}
	return said
}
