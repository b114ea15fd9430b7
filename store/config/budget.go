package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

func (r *reader) tool(name string, n *node) Tool {
	t := Tool{Name: name, Budget: Budget{AtLimit: LimitBlock}}
	r.fields(n, []field{
		{"budget", func(n *node) { r.budget(n, &t.Budget) }},
		{"models", func(n *node) { t.Models = r.texts(n, r.allowed) }},
	})
	return t
}

// allowed reads a model, a route, or PROVIDER/ for all of a provider's models.
func (r *reader) allowed(n *node) (string, bool) {
	if id, ok := strings.CutSuffix(n.text, "/"); ok && n.kind == isText && checkID(id) == "" {
		return n.text, true
	}
	return r.model(n)
}

// keys reads the budgets of single keys, by their labels.
func (r *reader) keys(n *node) []KeyBudget {
	var all []KeyBudget
	for _, e := range r.entries(n) {
		k := KeyBudget{Label: e.key, Budget: Budget{AtLimit: LimitBlock}}
		r.fields(e.value, []field{{"budget", func(n *node) { r.budget(n, &k.Budget) }}})
		all = append(all, k)
	}
	return all
}

func (r *reader) budget(n *node, to *Budget) {
	r.fields(n, []field{
		{"day", func(n *node) { to.Day = r.usd(n) }},
		{"month", func(n *node) { to.Month = r.usd(n) }},
		{"at_limit", func(n *node) { word(r, n, &to.AtLimit, LimitBlock, LimitOffline) }},
	})
}

const (
	picoDigits = 12
	mostUSD    = 1_000_000
)

var usdForm = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,12}))?$`)

// usd reads an amount of US dollars exactly, as pico-USD.
func (r *reader) usd(n *node) *int64 {
	const hint = "write a number such as 5 or 0.50"
	if n.kind != isNumber {
		r.add(n, fmt.Sprintf("is %s where an amount in US dollars is wanted", n.kind), hint)
		return nil
	}
	if strings.HasPrefix(n.text, "-") {
		r.add(n, "is negative", hint)
		return nil
	}
	parts := usdForm.FindStringSubmatch(n.text)
	if parts == nil {
		r.add(n, "is not an amount in US dollars", hint)
		return nil
	}
	whole, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || whole > mostUSD {
		r.add(n, fmt.Sprintf("is more than %d US dollars", mostUSD), "remove the limit to have none")
		return nil
	}
	fraction, err := strconv.ParseInt(parts[2]+strings.Repeat("0", picoDigits-len(parts[2])), 10, 64)
	if err != nil {
		r.add(n, "is not an amount in US dollars", hint)
		return nil
	}
	pico := whole*1e12 + fraction
	return &pico
}

// formatUSD is the shortest decimal that usd reads back.
func formatUSD(pico int64) string {
	whole, fraction := pico/1e12, pico%1e12
	if fraction == 0 {
		return strconv.FormatInt(whole, 10)
	}
	return fmt.Sprintf("%d.%s", whole, strings.TrimRight(fmt.Sprintf("%012d", fraction), "0"))
}

// ParseUSD reads an amount of US dollars such as 5 or 0.50, exactly, as pico-USD.
func ParseUSD(text string) (int64, error) {
	r := reader{}
	pico := r.usd(&node{kind: isNumber, text: text})
	if pico == nil {
		p := r.problems[0]
		return 0, fmt.Errorf("%q %s; %s", text, p.Message, p.Hint)
	}
	return *pico, nil
}
