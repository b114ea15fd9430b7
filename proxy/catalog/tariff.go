package catalog

import (
	"time"
)

// tariff is what one model's tokens cost in one request: the day's price, the
// length tier, the service tier and the place, put together.
type tariff struct {
	price  *Price
	long   *Long // the length tier that holds, or nil
	tier   string
	rates  rates
	factor rate // of the place
	less   rate // what the provider's discount leaves
	// shaky marks rates that follow from others by a rule that the provider
	// has not put in writing.
	shaky [bucketCount]bool
}

// tariff puts together what holds for a prompt of a length.
func (b *bill) tariff(m *model, p *Price, prompt int64) *tariff {
	t := &tariff{price: p, rates: p.Rates, tier: tierName(b.ctx.Tier)}
	if m.Mode == "audio_speech" && !t.rates[audioOutput].told() {
		t.rates[audioOutput] = t.rates[output] // all that comes out is sound
	}
	if p.Long != nil && prompt > p.Long.Over {
		t.long = p.Long
		t.lengthen()
	}
	if t.tier != "" {
		t.serve(m, b.provider, prompt)
	}
	t.less = m.discount(b.provider)
	t.factor = m.Geo[b.ctx.Geo].orOne().times(m.Endpoint[b.ctx.Endpoint].orOne())
	return t
}

// lengthen puts the rates of the length tier in place. A bucket that it
// leaves out grows as the input does.
func (t *tariff) lengthen() {
	grown := t.long.Rates[input].orOne().over(t.rates[input].orOne())
	for i := range t.rates {
		switch {
		case t.long.Rates[i].told():
			t.rates[i] = t.long.Rates[i]
		case t.rates[i].told():
			t.rates[i] = t.rates[i].times(grown)
			t.shaky[i] = bucket(i) != cacheRead && bucket(i) != cacheWrite5m && bucket(i) != cacheWrite1h
		}
	}
}

// serve applies a service tier. A model's own prices for it are those of the
// day of the list: for another day, or for a length that they leave out, the
// ratio to that day's plain price is taken.
func (t *tariff) serve(m *model, p *Provider, prompt int64) {
	byRule, rule := p.tiers[t.tier]
	own, has := m.Tiers[t.tier]
	if has && own.Times != nil {
		byRule, rule, has = *own.Times, true, false
	}
	if !has {
		for i := range t.rates {
			if t.rates[i].told() && rule {
				t.rates[i] = t.rates[i].times(byRule)
			}
			t.shaky[i] = t.shaky[i] || !rule // nobody says what this tier costs
		}
		return
	}
	list := m.Prices
	if m.own {
		list = m.plain
	}
	plain := listed(list, p.asOf)
	if plain == nil {
		plain = t.price
	}
	base, tier, derived := plain.Rates, own.Rates, t.price != plain
	if t.long != nil {
		if own.Long != nil && plain.Long != nil && prompt > own.Long.Over {
			base, tier = plain.Long.Rates, own.Long.Rates
		} else {
			derived = true
		}
	}
	usual := byRule
	if !rule {
		usual = tier[input].orOne().over(base[input].orOne())
	}
	for i := range t.rates {
		if !t.rates[i].told() {
			t.rates[i] = tier[i] // a price that this tier alone has
			continue
		}
		f := usual
		if tier[i].told() && base[i].told() {
			f = tier[i].over(base[i])
		}
		t.rates[i] = t.rates[i].times(f)
		t.shaky[i] = t.shaky[i] || derived && !rule
	}
}

// listed is the plain price of the day on which the prices were gathered.
func listed(prices []Price, d time.Time) *Price {
	var found *Price
	for i := range prices {
		if p := &prices[i]; p.Hours == nil && !d.Before(p.From) && (p.To.IsZero() || d.Before(p.To)) {
			found = p
		}
	}
	return found
}

func (r rate) orOne() rate {
	if !r.told() {
		return one
	}
	return r
}

// from is the day from which a price holds, or "".
func (p *Price) from() string {
	if p.From.IsZero() {
		return ""
	}
	return p.From.Format(time.DateOnly)
}
