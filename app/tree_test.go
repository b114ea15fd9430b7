package app

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"keytray/proxy/proxytest"
)

// leafModel is a model of the test's providers, with its list price in pico-USD per token, noted here so that the
// price list is not believed.
type leafModel struct {
	provider, name string
	dialect        proxytest.Dialect
	input, output  int64
}

func (m leafModel) String() string { return m.provider + "/" + m.name }

var leafModels = []leafModel{
	{"openai", "gpt-4.1", proxytest.Chat, 2_000_000, 8_000_000},
	{"openai", "gpt-3.5-turbo", proxytest.Chat, 500_000, 1_500_000},
	{"openai", "gpt-4-turbo", proxytest.Chat, 10_000_000, 30_000_000},
	{"groq", "llama-3.1-8b-instant", proxytest.Chat, 50_000, 80_000},
	{"groq", "llama-3.3-70b-versatile", proxytest.Chat, 590_000, 790_000},
	{"groq", "openai/gpt-oss-120b", proxytest.Chat, 150_000, 600_000},
	{"anthropic", "claude-opus-5-5", proxytest.Messages, 4_000_000, 20_000_000},
	{"anthropic", "claude-opus-4-7-20260416", proxytest.Messages, 5_000_000, 25_000_000},
	{"google", "gemini-2.5-flash", proxytest.Gemini, 300_000, 2_500_000},
	{"google", "gemini-2.5-flash-lite", proxytest.Gemini, 100_000, 400_000},
	{"ollama", "small", proxytest.Ollama, 0, 0},
	{"ollama", "large", proxytest.Ollama, 0, 0},
}

// deed is what a provider does when it is asked.
type deed int

const (
	replies deed = iota // a good answer
	refuses             // an error instead, or nothing that is one
	faulty              // a request that is wrong in the provider's eyes, so that nobody else is asked
	breaks              // the answer breaks off
	hangs               // silence, at once or in the middle
)

// tree is a route's target with what its models will do.
type tree struct {
	strategy string // "": a model
	of       []*tree
	by       *tree // blend, judge: nil is the first of them
	option   string

	leaf   int // of leafModels
	deed   deed
	script proxytest.Script
	words  int
}

// strategiesOf are what random routes are made of.
var strategiesOf = []string{"fallback", "balance", "race", "cheapest", "fastest", "blend", "judge", "compare", "smart", "split", "cache"}

// grow makes a random route of models that are all different.
func grow(r *rand.Rand) *tree {
	free := r.Perm(len(leafModels))
	return growTree(r, &free, 0)
}

func growTree(r *rand.Rand, free *[]int, depth int) *tree {
	if depth > 2 || depth > 0 && r.IntN(10) < 7 || len(*free) < 3 {
		return growLeaf(r, free)
	}
	t := &tree{strategy: strategiesOf[r.IntN(len(strategiesOf))]}
	many := 2 + r.IntN(2)
	if t.strategy == "cache" {
		many = 1
	}
	for range many {
		if len(*free) > 0 {
			t.of = append(t.of, growTree(r, free, depth+1))
		}
	}
	switch {
	case t.strategy == "race":
		t.option = ", after: " + []string{"0s", "1ms", "20ms"}[r.IntN(3)]
	case !t.gathers() || t.strategy == "compare":
	case len(*free) > 0 && (r.IntN(3) > 0 || t.of[0].strategy != ""):
		t.by = growLeaf(r, free)
	case t.of[0].strategy != "": // which would write or judge, and is many
		t.strategy = "compare"
	}
	return t
}

func (t *tree) gathers() bool {
	return t.strategy == "blend" || t.strategy == "judge" || t.strategy == "compare"
}

func growLeaf(r *rand.Rand, free *[]int) *tree {
	t := &tree{leaf: (*free)[0], words: 2 + r.IntN(6)}
	*free = (*free)[1:]
	s := &t.script
	s.Usage = &proxytest.Usage{Input: 20 + r.Int64N(5000), Output: 1 + r.Int64N(3000)}
	s.ChatUsage = []proxytest.UsageWhen{proxytest.UsageAsked, proxytest.UsageAlways, proxytest.UsageInline, proxytest.UsageEvery}[r.IntN(4)]
	s.After = 1 + r.IntN(t.words+4)
	switch n := r.IntN(100); {
	case n < 45:
		switch r.IntN(8) {
		case 0:
			s.NoUsage = true
		case 1:
			*s.Usage = proxytest.Usage{} // it says that nothing was used
		case 2:
			s.Usage.Output = 5_000_000 // more than it said
		case 3:
			s.Usage.Cost, s.ChatUsage = "0.0003287", proxytest.UsageAlways
		case 4:
			s.Every, s.HeaderFirst = 2e6, true
		case 5:
			s.Ping = 1
		}
	case n < 75:
		t.deed = refuses
		switch r.IntN(9) {
		case 0:
			s.Fault = proxytest.FaultInside
		case 1:
			s.Fault = proxytest.FaultHTML
		case 2:
			s.Fault = proxytest.FaultEmpty
		case 3:
			s.Fault = proxytest.FaultNoAnswer
		case 4:
			s.Fault = proxytest.FaultRedirect
		case 5:
			s.Fail = &proxytest.Fail{Status: 429, RetryAfter: r.IntN(3)}
		default:
			s.Fail = &proxytest.Fail{Status: []int{401, 403, 404, 500, 502, 503, 529}[r.IntN(7)]}
		}
	case n < 78:
		t.deed, s.Fail = faulty, &proxytest.Fail{Status: 400}
	case n < 95:
		t.deed = breaks
		s.Fault = []proxytest.Fault{proxytest.FaultCut, proxytest.FaultFin, proxytest.FaultError}[r.IntN(3)]
	default:
		t.deed = hangs
		s.Fault = []proxytest.Fault{proxytest.FaultHang, proxytest.FaultStall}[r.IntN(2)]
	}
	return t
}

// yaml is the target as config.yaml has it.
func (t *tree) yaml() string {
	if t.strategy == "" {
		return leafModels[t.leaf].String()
	}
	var all []string
	for _, o := range t.of {
		all = append(all, o.yaml())
	}
	by := ""
	if t.by != nil {
		by = ", by: " + t.by.yaml()
	}
	return fmt.Sprintf("{%s: [%s]%s%s}", t.strategy, strings.Join(all, ", "), by, t.option)
}

// visit sees all targets below t, with those above each, the outermost first.
func (t *tree) visit(see func(t *tree, above []*tree), above ...*tree) {
	see(t, above)
	above = append(slices.Clone(above), t)
	for _, o := range t.of {
		o.visit(see, above...)
	}
	if t.by != nil {
		t.by.visit(see, above...)
	}
}

// has tells whether anything in t is so.
func (t *tree) has(so func(*tree) bool) bool {
	found := false
	t.visit(func(t *tree, _ []*tree) { found = found || so(t) })
	return found
}

// sure tells whether t has somebody to ask who answers.
func (t *tree) sure() bool {
	if t.strategy == "" {
		return t.deed == replies
	}
	return t.strategy == "compare" || slices.ContainsFunc(t.of, (*tree).sure)
}

// sheltered tells whether a model that hangs keeps nobody waiting: it races with one that answers.
func (t *tree) sheltered() bool {
	calm := func(o *tree) bool { return o.deed != hangs || o.script.Fault == proxytest.FaultHang }
	return t.strategy == "race" && !slices.ContainsFunc(t.of, func(o *tree) bool { return o.strategy != "" || !calm(o) }) && t.sure()
}
