package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Strategy is how a target chooses between its own targets.
type Strategy string

// The strategies.
const (
	Fallback Strategy = "fallback" // the first, and the next when it fails
	Balance  Strategy = "balance"  // each its share of the calls
	Cheapest Strategy = "cheapest" // by the price of this call
	Fastest  Strategy = "fastest"  // by what was measured
	Smart    Strategy = "smart"    // the smallest that clears the bar
	Race     Strategy = "race"     // several at once, the first answer wins
	Blend    Strategy = "blend"    // several answers made into one
	Judge    Strategy = "judge"    // several answers, the best one
	Compare  Strategy = "compare"  // all answers, side by side
	Split    Strategy = "split"    // a trial of one against another
	Cache    Strategy = "cache"    // the same answer to the same request
)

// Route is a name for a target, used as a model name.
type Route struct {
	Name string
	Target
}

// Target is what answers: one model, or a strategy made of targets. Exactly one of Model and Strategy is set.
type Target struct {
	// Model is provider/name, a bare model name or another route's name.
	Model    string
	Strategy Strategy
	Of       []Target // what the strategy chooses from, in the order of the file; at least one
	// Weights of balance and split, one for each of Of, be it a model or a strategy; none below 1.
	Weights []int

	By     string         // blend, judge, split: the model that writes or judges; "" is for Keytray to choose
	After  *time.Duration // race: how long the next one waits; nil: until the first seems slow
	Bar    *float64       // smart: the quality wanted, 0 to 1; nil is 0.5
	Sample *float64       // split: the part of the calls that is judged, 0 to 1; nil is none
	Budget *int64         // split: what judging may cost in a day, in pico-USD; nil is 0.10 USD
	Keep   time.Duration  // cache: how long an answer is kept; 0 is an hour
	Size   int64          // cache: bytes; 0 is 64 MiB

	Only, Ignore, Prefer []string // cheapest, fastest, balance: ids of providers
	MaxPrice             *int64   // cheapest, fastest, smart: pico-USD per million output tokens
}

// option is a setting that stands beside a strategy.
type option struct {
	of   []Strategy
	read func(*reader, *node, *Target)
}

// options are the settings of strategies, by name.
func options() map[string]option {
	chosen := []Strategy{Cheapest, Fastest, Balance}
	return map[string]option{
		"by":        {[]Strategy{Blend, Judge, Split}, func(r *reader, n *node, t *Target) { t.By, _ = r.model(n) }},
		"after":     {[]Strategy{Race}, func(r *reader, n *node, t *Target) { d := r.span(n); t.After = &d }},
		"bar":       {[]Strategy{Smart}, func(r *reader, n *node, t *Target) { t.Bar = r.part(n) }},
		"sample":    {[]Strategy{Split}, func(r *reader, n *node, t *Target) { t.Sample = r.part(n) }},
		"budget":    {[]Strategy{Split}, func(r *reader, n *node, t *Target) { t.Budget = r.usd(n) }},
		"keep":      {[]Strategy{Cache}, func(r *reader, n *node, t *Target) { t.Keep = r.span(n) }},
		"size":      {[]Strategy{Cache}, func(r *reader, n *node, t *Target) { t.Size = r.size(n) }},
		"only":      {chosen, func(r *reader, n *node, t *Target) { t.Only = r.texts(n, r.id) }},
		"ignore":    {chosen, func(r *reader, n *node, t *Target) { t.Ignore = r.texts(n, r.id) }},
		"prefer":    {chosen, func(r *reader, n *node, t *Target) { t.Prefer = r.texts(n, r.id) }},
		"max_price": {[]Strategy{Cheapest, Fastest, Smart}, func(r *reader, n *node, t *Target) { t.MaxPrice = r.usd(n) }},
	}
}

func strategies() []string {
	return []string{
		string(Fallback), string(Balance), string(Cheapest), string(Fastest), string(Smart), string(Race),
		string(Blend), string(Judge), string(Compare), string(Split), string(Cache),
	}
}

func (r *reader) route(name string, n *node) Route { return Route{Name: name, Target: r.target(n)} }

const routeHint = "write a model, or a strategy such as {fallback: [first/model, second/model]}"

// target reads a model's name or a strategy.
func (r *reader) target(n *node) Target {
	var t Target
	switch n.kind {
	case isNull:
		r.add(n, "names no model", routeHint)
	case isText:
		t.Model, _ = r.model(n)
	case isTable:
		r.strategy(n, &t)
	default:
		r.add(n, fmt.Sprintf("is %s where a model or a strategy is wanted", n.kind), routeHint)
	}
	return t
}

// strategy reads {NAME: [targets], option: value}.
func (r *reader) strategy(n *node, t *Target) {
	var at *node
	entries := r.entries(n)
	for _, e := range entries {
		switch {
		case !slices.Contains(strategies(), e.key):
		case at != nil:
			r.addAt(e.line, e.col, e.value.path, "is a second strategy in one place", "nest it: {"+string(t.Strategy)+": [{"+e.key+": [...]}]}")
		default:
			t.Strategy, at = Strategy(e.key), e.value
		}
	}
	known := options()
	for _, e := range entries {
		o, ok := known[e.key]
		switch {
		case slices.Contains(strategies(), e.key):
		case !ok:
			r.strange(e, known)
		case at != nil && !slices.Contains(o.of, t.Strategy):
			r.addAt(e.line, e.col, e.value.path, "is no setting of "+string(t.Strategy), "it belongs to "+names(o.of))
		case e.value.kind != isNull:
			o.read(r, e.value, t)
		}
	}
	if at == nil {
		if len(entries) == 0 || len(r.problems) == 0 {
			r.add(n, "names no model", routeHint)
		}
		return
	}
	r.of(at, t)
}

// strange reports a setting that is neither a strategy nor an option.
func (r *reader) strange(e entry, known map[string]option) {
	words := strategies()
	for name := range known {
		words = append(words, name)
	}
	message, hint := unknown(e.key, words)
	if Nearest(e.key, words) == "" {
		hint = "known strategies: " + join(strategies(), ", ")
	}
	r.addAt(e.line, e.col, e.value.path, message, hint)
}

func names(of []Strategy) string {
	var all []string
	for _, s := range of {
		all = append(all, string(s))
	}
	return join(all, ", ")
}

// of reads what a strategy chooses from: a list; for balance and split also {model: weight}, or a list with weights;
// for cache also one alone.
func (r *reader) of(n *node, t *Target) {
	weighs := t.Strategy == Balance || t.Strategy == Split
	switch {
	case n.kind == isNull, n.kind == isList && len(n.items) == 0, n.kind == isTable && len(n.entries) == 0:
		r.add(n, "names no model", "list them: [first/model, second/model]")
	case n.kind == isList:
		for _, item := range n.items {
			next, weight := Target{}, 1
			if weighs {
				next, weight = r.weighed(item)
			} else {
				next = r.target(item)
			}
			if next.Model != "" && slices.ContainsFunc(t.Of, func(o Target) bool { return o.Model == next.Model }) {
				r.add(item, "is in the list twice", "keep one of them")
				continue
			}
			t.Of = append(t.Of, next)
			if weighs {
				t.Weights = append(t.Weights, weight)
			}
		}
	case n.kind == isTable && weighs:
		for _, e := range r.entries(n) {
			of, weight := r.modelWeight(e)
			t.Of, t.Weights = append(t.Of, of), append(t.Weights, weight)
		}
	case t.Strategy == Cache:
		t.Of = []Target{r.target(n)}
		return
	default:
		r.wrongKind(n, isList)
	}
	if t.Strategy == Cache && len(t.Of) > 1 {
		r.add(n, "keeps the answers of one target", "put a strategy inside: {cache: {fallback: [...]}}")
	}
}

// weighed reads one of a list that may have weights: a/b, {a/b: 3} or {fallback: [a/b, c/d], weight: 3}.
func (r *reader) weighed(n *node) (Target, int) {
	if n.kind != isTable {
		return r.target(n), 1
	}
	if len(n.entries) == 1 && rejoined(n.entries[0]).value.kind == isNumber {
		return r.modelWeight(n.entries[0])
	}
	at := slices.IndexFunc(n.entries, func(e entry) bool { return e.key == "weight" })
	if at < 0 {
		return r.target(n), 1
	}
	bare := *n
	bare.entries = slices.Delete(slices.Clone(n.entries), at, at+1)
	return r.target(&bare), r.weight(n.entries[at].value)
}

// modelWeight reads a/b: 3.
func (r *reader) modelWeight(e entry) (Target, int) {
	e = rejoined(e)
	name, _ := r.model(&node{kind: isText, text: e.key, path: e.value.path, line: e.line, col: e.col})
	return Target{Model: name}, r.weight(e.value)
}

// rejoined makes qwen3:8b and a weight of what goccy/go-yaml 1.19 takes for qwen3 and a text, inside brackets.
func rejoined(e entry) entry {
	v := *e.value
	if at := strings.LastIndex(v.text, ": "); at > 0 && v.kind == isText && v.quote == 0 && v.start == v.after { // no space follows the colon
		e.key += ":" + v.text[:at]
		v.kind, v.text = isNumber, strings.TrimSpace(v.text[at+2:])
		e.value = &v
	}
	return e
}

func (r *reader) weight(n *node) int {
	w, err := strconv.Atoi(n.text)
	if n.kind != isNumber || err != nil || w < 1 || w > 1_000_000 {
		r.add(n, "is no weight", "write a whole number from 1 on")
		return 1
	}
	return w
}

// part reads a number from 0 to 1, or a percentage.
func (r *reader) part(n *node) *float64 {
	text, whole := strings.CutSuffix(n.text, "%")
	f, err := strconv.ParseFloat(text, 64)
	if whole {
		f /= 100
	}
	if err != nil || n.kind != isNumber && !whole || !(f >= 0 && f <= 1) {
		r.add(n, "is not a part of one", "write a number from 0 to 1, such as 0.05, or 5%")
		return nil
	}
	return &f
}

// span reads a length of time.
func (r *reader) span(n *node) time.Duration {
	d, err := time.ParseDuration(n.text)
	if err != nil || d < 0 || d > 365*24*time.Hour {
		r.add(n, "is not a length of time", "write a number and a unit: 500ms, 2s, 10m or 24h")
		return 0
	}
	return d
}

// size reads a number of megabytes.
func (r *reader) size(n *node) int64 {
	mb, err := strconv.ParseInt(n.text, 10, 64)
	if n.kind != isNumber || err != nil || mb < 1 || mb > 1<<16 {
		r.add(n, "is no size", "write a whole number of megabytes, such as 64")
		return 0
	}
	return mb << 20
}

func (r *reader) id(n *node) (string, bool) {
	s, ok := r.text(n)
	if ok && checkID(s) != "" {
		r.add(n, "is not a provider's id", checkID(s))
		return "", false
	}
	return s, ok
}

// targets are t and all targets in it.
func (t *Target) targets(visit func(*Target)) {
	visit(t)
	for i := range t.Of {
		t.Of[i].targets(visit)
	}
}

// Models are the names that t leads to, of models and of other routes.
func (t Target) Models() []string {
	var all []string
	t.targets(func(t *Target) {
		for _, name := range []string{t.Model, t.By} {
			if name != "" {
				all = append(all, name)
			}
		}
	})
	return all
}

// targetNode is how a target is written.
func targetNode(t Target) *node {
	if t.Strategy == "" {
		return textOf(t.Model)
	}
	n := tableOf()
	n.put(string(t.Strategy), ofNode(t))
	n.put("by", textOrNil(t.By))
	if t.After != nil {
		n.put("after", textOf(spanText(*t.After)))
	}
	if t.Bar != nil {
		n.put("bar", numberOf(strconv.FormatFloat(*t.Bar, 'f', -1, 64)))
	}
	if t.Sample != nil {
		n.put("sample", numberOf(strconv.FormatFloat(*t.Sample, 'f', -1, 64)))
	}
	if t.Budget != nil {
		n.put("budget", numberOf(formatUSD(*t.Budget)))
	}
	if t.Keep != 0 {
		n.put("keep", textOf(spanText(t.Keep)))
	}
	if t.Size != 0 {
		n.put("size", numberOf(strconv.FormatInt(t.Size>>20, 10)))
	}
	n.put("only", listOrNil(t.Only))
	n.put("ignore", listOrNil(t.Ignore))
	n.put("prefer", listOrNil(t.Prefer))
	if t.MaxPrice != nil {
		n.put("max_price", numberOf(formatUSD(*t.MaxPrice)))
	}
	return n
}

func ofNode(t Target) *node {
	weighed := slices.ContainsFunc(t.Weights, func(w int) bool { return w != 1 })
	if weighed && !slices.ContainsFunc(t.Of, func(o Target) bool { return o.Strategy != "" }) {
		n := tableOf()
		for i, o := range t.Of {
			n.put(o.Model, numberOf(strconv.Itoa(t.Weights[i])))
		}
		return n
	}
	if t.Strategy == Cache && len(t.Of) == 1 {
		return targetNode(t.Of[0])
	}
	n := &node{kind: isList}
	for i, o := range t.Of {
		item := targetNode(o)
		if weighed && t.Weights[i] != 1 {
			weight := numberOf(strconv.Itoa(t.Weights[i]))
			if o.Strategy == "" {
				item = tableOf(entry{key: o.Model, value: weight})
			} else {
				item.put("weight", weight)
			}
		}
		n.items = append(n.items, item)
	}
	return n
}

// spanText is the shortest text that span reads back: 24h, not 24h0m0s.
func spanText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
