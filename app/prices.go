package app

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"keytray/proxy/catalog"
	"keytray/store/config"
)

// PriceOfConfig is the source of prices that the user has set.
const PriceOfConfig = catalog.SourceConfig

// perMillion writes pico-USD for a million tokens as US dollars.
func perMillion(pico int64) string {
	s := new(big.Rat).SetFrac64(pico, 1e12).FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// absurdPrices are the prices in the settings that are a thousand times or a
// thousandth of the listed one: someone took a token for a million.
func absurdPrices(base *catalog.Catalog, c *config.Config) config.Problems {
	var problems config.Problems
	now := time.Now()
	for _, p := range c.Providers {
		for _, m := range p.Prices {
			for _, r := range m.Rates {
				usd := perMillion(r.Pico)
				listed, is := base.Absurd(p.ID, m.Model, r.Kind, usd, now)
				if !is {
					continue
				}
				said := "no model costs " + usd + " US dollars for a million tokens"
				if listed != "" {
					said = fmt.Sprintf("%s is a thousand times off the listed price, %s US dollars for a million tokens", usd, listed)
				}
				problems = append(problems, config.Problem{
					Path: fmt.Sprintf("providers.%s.prices.%s.%s", p.ID, m.Model, r.Kind), Message: said,
					Hint: "prices are for a million tokens: multiply one for a single token by 1000000",
				})
			}
		}
	}
	return problems
}
