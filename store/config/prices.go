package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// PriceKinds are the kinds of tokens that may have a price, and what else may.
func PriceKinds() []string {
	return []string{
		"input", "output", "reasoning", "cache_read", "cache_write_5m", "cache_write_1h",
		"input_audio", "output_audio", "cache_read_audio", "input_image", "output_image", "cache_read_image",
		"per_image", "per_minute", "per_1m_characters", "per_1k_searches",
	}
}

// prices reads what the user pays for models: USD for a million tokens, or for what a kind's name says.
func (r *reader) prices(n *node) []ModelPrice {
	var all []ModelPrice
	for _, e := range r.entries(n) {
		model, ok := r.model(&node{kind: isText, text: e.key, path: e.value.path, line: e.line, col: e.col})
		if !ok {
			continue
		}
		p := ModelPrice{Model: model}
		var kinds []field
		for _, kind := range PriceKinds() {
			kinds = append(kinds, field{kind, func(n *node) {
				if pico := r.usd(n); pico != nil {
					p.Rates = append(p.Rates, Rate{kind, *pico})
				}
			}})
		}
		before := len(r.problems)
		r.fields(e.value, kinds)
		if len(p.Rates) == 0 && len(r.problems) == before {
			r.add(e.value, "names no price", "give US dollars for a million tokens, such as {input: 1.2, output: 3}")
		}
		slices.SortFunc(p.Rates, func(a, b Rate) int {
			return cmp.Compare(slices.Index(PriceKinds(), a.Kind), slices.Index(PriceKinds(), b.Kind))
		})
		all = append(all, p)
	}
	return all
}

// pricesNode writes prices as they are read.
func pricesNode(prices []ModelPrice) *node {
	if len(prices) == 0 {
		return nil
	}
	all := tableOf()
	for _, p := range prices {
		one := tableOf()
		for _, rate := range p.Rates {
			one.put(rate.Kind, numberOf(formatUSD(rate.Pico)))
		}
		all.put(p.Model, one)
	}
	return all
}

const million = 1_000_000

var percentForm = regexp.MustCompile(`^([0-9]{1,3})(?:\.([0-9]{1,4}))? ?%$`)

// discount reads a share such as 20%, exactly.
func (r *reader) discount(n *node, to *int64) {
	const hint = "write a share such as 20%"
	if n.kind != isText {
		r.add(n, fmt.Sprintf("is %s where a share is wanted", n.kind), hint)
		return
	}
	parts := percentForm.FindStringSubmatch(n.text)
	if parts == nil {
		r.add(n, "is not a share", hint)
		return
	}
	whole, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		r.add(n, "is not a share", hint)
		return
	}
	rest := int64(0)
	for i := range 4 {
		rest *= 10
		if i < len(parts[2]) {
			rest += int64(parts[2][i] - '0')
		}
	}
	if whole*10_000+rest > million {
		r.add(n, "is more than 100%", hint)
		return
	}
	*to = whole*10_000 + rest
}

func discountNode(share int64) *node {
	if share == 0 {
		return nil
	}
	return textOf(FormatShare(share))
}

// FormatShare writes millionths as a share, such as 20%.
func FormatShare(millionths int64) string {
	return strconv.FormatFloat(float64(millionths)/10_000, 'f', -1, 64) + "%"
}

// days reads a whole number of days.
func (r *reader) days(n *node, to *int) {
	d, err := strconv.Atoi(n.text)
	if n.kind != isNumber || err != nil || d < 1 || d > 100_000 {
		r.add(n, "is no number of days", "write a whole number from 1 on, or remove the setting to keep all")
		return
	}
	*to = d
}
