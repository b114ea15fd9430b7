package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// chaos is a Keytray in front of providers that misbehave, each call in its own way.
type chaos struct {
	*house
	calls []*chaosCall
}

// chaosCall is one call of a client, on a route of its own.
type chaosCall struct {
	number  int
	tree    *tree
	tongue  tongue
	stream  bool
	leaves  map[int]*tree
	stopAt  string        // when the client goes: "", asked, words
	arrived chan struct{} // closed when a provider is asked
	hung    chan struct{} // closed when one begins to say nothing

	mu   sync.Mutex
	asks []ask

	status  int
	target  string
	heard   hearing
	kept    int   // answers that the cache has given
	err     error // of reading the answer
	stopped bool  // the client went before the end
}

// ask is one attempt as its provider saw it.
type ask struct {
	leaf, nth int
	seen      *proxytest.Seen
}

func (c *chaosCall) route() string { return fmt.Sprintf("route%04d", c.number) }

// word is one that only this attempt says.
func word(leaf, nth, i int) string { return fmt.Sprintf("L%da%dn%d ", leaf, nth, i) }

// choose is what a provider does when it is asked.
func (x *chaos) choose(provider string) func(*proxytest.Seen) proxytest.Script {
	return func(seen *proxytest.Seen) proxytest.Script {
		body := string(seen.Body)
		_, rest, ok := strings.Cut(body, "call-")
		n, err := strconv.Atoi(rest[:min(len(rest), 4)])
		if !ok || err != nil {
			return proxytest.Script{Fail: &proxytest.Fail{Status: 400, Message: "whose call is this?"}}
		}
		c := x.calls[n]
		leaf := slices.IndexFunc(leafModels, func(m leafModel) bool { return m.provider == provider && m.name == seen.Model })
		t := c.leaves[leaf]
		if t == nil {
			return proxytest.Script{Fail: &proxytest.Fail{Status: 400, Message: "not in the route: " + seen.Model}}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		nth := 0
		for _, a := range c.asks {
			if a.leaf == leaf {
				nth++
			}
		}
		if len(c.asks) == 0 {
			close(c.arrived)
		}
		c.asks = append(c.asks, ask{leaf, nth, seen})
		if t.deed == hangs && !isClosed(c.hung) {
			close(c.hung)
		}
		s := t.script
		var words []string
		for i := range t.words {
			words = append(words, word(leaf, nth, i))
		}
		if strings.Contains(body, "Answer with one JSON object") {
			scores := strings.TrimSuffix(strings.Repeat("7,", strings.Count(body, "answer number=")), ",")
			words = []string{`{"scores":[`, scores, `],"best":1}`}
		}
		s.Parts = proxytest.Parts(proxytest.Text(words...))
		return s
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestChaos sends clients of all dialects, streamed and whole, some of which go away, over random routes to providers
// that refuse, break off, fall silent and misstate what was used. No client sees a failure that its route could have
// avoided, nothing is said twice, what is cut off looks so, and the ledger has each attempt once, with its part in the
// answer and with the provider's own bill, to the pico-USD.
func TestChaos(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CHAOS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CHAOS_SEED=%d", seed)
	calls := 300
	if testing.Short() {
		calls = 80
	}
	x := newChaos(t, rand.New(rand.NewPCG(seed, 0)), calls)
	next := make(chan *chaosCall)
	var clients sync.WaitGroup
	for range 16 {
		clients.Go(func() {
			for c := range next {
				x.client(t, c)
			}
		})
	}
	for _, c := range x.calls {
		next <- c
	}
	close(next)
	clients.Wait()
	x.check(t)
}

func newChaos(t *testing.T, r *rand.Rand, calls int) *chaos {
	x := &chaos{}
	all := allTongues(t)
	var yaml strings.Builder
	yaml.WriteString("routes:\n")
	for n := range calls {
		c := &chaosCall{
			number: n, tree: grow(r), tongue: all[r.IntN(len(all))], stream: r.IntN(2) == 0, leaves: map[int]*tree{},
			arrived: make(chan struct{}), hung: make(chan struct{}),
		}
		c.stopAt = []string{"", "", "", "", "", "", "", "", "", "asked", "words"}[r.IntN(11)]
		c.tree.visit(func(t *tree, _ []*tree) {
			if t.strategy == "" {
				c.leaves[t.leaf] = t
			}
		})
		x.calls = append(x.calls, c)
		fmt.Fprintf(&yaml, "  %s: %s\n", c.route(), c.tree.yaml())
	}
	yaml.WriteString("providers:\n")
	env := []string{"OPENAI_API_KEY=" + canary, "GROQ_API_KEY=" + canary, "ANTHROPIC_API_KEY=" + canary, "GEMINI_API_KEY=" + canary}
	for id, path := range map[string]string{"openai": "/v1", "groq": "/openai/v1", "anthropic": "/v1", "google": "/v1beta", "ollama": ""} {
		p := &proxytest.Provider{Choose: x.choose(id), Models: []string{"small", "large"}}
		fmt.Fprintf(&yaml, "  %s: {base_url: %s%s}\n", id, proxytest.Start(t, p).URL, path)
	}
	x.house = open(t, yaml.String(), env...)
	return x
}

// client makes one call, and once more if the answer is kept.
func (x *chaos) client(t *testing.T, c *chaosCall) {
	x.call(t, c)
	if c.tree.strategy != "cache" || !c.heard.ended || c.stopped || c.stopAt != "" || c.tree.has(func(t *tree) bool { return t.deed == hangs }) {
		return
	}
	first, asks := c.heard, len(c.asks)
	c.heard = hearing{}
	x.call(t, c)
	late := c.tree.has(func(t *tree) bool { return t.strategy == "race" }) // a loser's request may arrive any time; it has its row
	if c.heard != first || len(c.asks) != asks && !late {
		t.Errorf("%s: the answer was kept, and was %+v (%d asked again)", c, first, len(c.asks)-asks)
	}
	c.kept++
}

// call makes one call.
func (x *chaos) call(t *testing.T, c *chaosCall) {
	const limit = 60 * time.Second // nothing waits for it, unless it is stuck
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	over := make(chan struct{})
	var watch sync.WaitGroup
	defer watch.Wait()
	defer close(over)
	went := make(chan struct{})
	watch.Go(func() {
		asked := c.arrived
		if c.stopAt != "asked" {
			asked = nil
		}
		hung := c.hung
		if c.tree.sheltered() {
			hung = nil
		}
		select {
		case <-asked:
		case <-hung:
		case <-over:
			return
		}
		close(went)
		stop()
	})
	addr, err := x.Addr()
	if err != nil {
		t.Error(err)
		return
	}
	body := fmt.Sprintf(c.tongue.body, c.route(), fmt.Sprintf("call-%04d: say something.", c.number), c.stream)
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+c.tongue.path(c.route(), c.stream), strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+x.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if c.stopped = isClosed(went); !c.stopped {
			t.Errorf("%s: no answer: %v", c, err)
		}
		return
	}
	defer resp.Body.Close()
	c.status, c.target = resp.StatusCode, resp.Header.Get("Keytray-Target")
	if c.stream && resp.StatusCode == http.StatusOK {
		c.heard, c.err = c.tongue.listen(resp.Body, func(h hearing) bool {
			if c.stopAt == "words" && h.text != "" && !h.ended {
				c.stopped = true
				return false
			}
			return true
		})
	} else {
		var b []byte
		if b, c.err = io.ReadAll(resp.Body); c.err == nil {
			c.err = c.heard.add(c.tongue, b)
		}
	}
	if ctx.Err() == context.DeadlineExceeded {
		t.Errorf("%s: stuck", c)
	}
	c.stopped = c.stopped || isClosed(went) && !c.heard.ended
	if c.heard.ended && isClosed(went) && errors.Is(c.err, context.Canceled) {
		c.err = nil // all was said when it stopped
	}
}

// String tells of a call that went wrong.
func (c *chaosCall) String() string {
	how := "whole"
	if c.stream {
		how = "stream"
	}
	var deeds []string
	c.tree.visit(func(t *tree, _ []*tree) {
		if t.strategy == "" {
			deed := []string{"replies", "refuses", "faulty", "breaks", "hangs"}[t.deed]
			if f := t.script.Fail; f != nil {
				deed += fmt.Sprint(" ", f.Status)
			}
			deeds = append(deeds, fmt.Sprintf("%s %s %s", leafModels[t.leaf], deed, t.script.Fault))
		}
	})
	return fmt.Sprintf("call %d (%s, %s, stops %q) %s\n  %s\n  got %d %+v %v", c.number, c.tongue.dialect, how, c.stopAt, c.tree.yaml(), strings.Join(deeds, "; "), c.status, c.heard, c.err)
}

// check looks at what came of all calls.
func (x *chaos) check(t *testing.T) {
	total := 0
	for _, c := range x.calls {
		for _, a := range c.asks {
			<-a.seen.Done()
			total++
		}
	}
	rows := x.endedRows()
	byRoute := map[string][]Row{}
	for _, r := range rows {
		byRoute[r.Route] = append(byRoute[r.Route], r)
	}
	bills := map[string]int64{}
	exact, good, stopped := 0, 0, 0
	for _, c := range x.calls {
		c.checkAnswer(t)
		exact += c.checkRows(t, byRoute[c.route()], bills)
		if c.heard.ended {
			good++
		}
		if c.stopped {
			stopped++
		}
	}
	t.Logf("%d calls: %d answered whole, %d stopped by their clients; %d attempts, %d rows, %d with the one cost they can have", len(x.calls), good, stopped, total, len(rows), exact)
	if exact < len(rows)/2 || good < len(x.calls)/4 || stopped == 0 {
		t.Error("there is not enough of everything to prove anything")
	}
	sums, err := x.ledger.Spend(t.Context(), ledger.Query{By: []ledger.By{ledger.ByProvider, ledger.ByModel}})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, s := range sums {
		if _, billed := bills[s.Provider+"/"+s.Model]; billed {
			seen++
		} else if s.CostPico != 0 { // an answer made of others may have been kept, under its route's name
			t.Errorf("%s/%s has sent no bill, and cost %d", s.Provider, s.Model, s.CostPico)
		}
		if want := bills[s.Provider+"/"+s.Model]; s.CostPico != want {
			t.Errorf("%s/%s: the ledger has %d pico-USD, the provider's bills come to %d", s.Provider, s.Model, s.CostPico, want)
		}
	}
	if seen != len(bills) {
		t.Errorf("%d models of %d that have sent bills are in the sums", seen, len(bills))
	}
	mustNotHold(t, "the log", x.log.String())
}

// endedRows waits until every row is written, and none is running any more.
func (x *chaos) endedRows() []Row {
	changed, cancel := x.Subscribe()
	defer cancel()
	limit := time.After(20 * time.Second)
	for {
		written := x.ledger.Health().Waiting == 0 // rows were begun before their providers were asked
		rows := x.rows()
		if written && !slices.ContainsFunc(rows, func(r Row) bool { return r.Status == ledger.StatusRunning }) {
			return rows
		}
		select {
		case <-changed:
		case <-limit:
			x.t.Error("some rows do not end")
			return rows
		}
	}
}

// checkAnswer checks what the client had.
func (c *chaosCall) checkAnswer(t *testing.T) {
	failed := c.status >= 400
	empty := c.asked(func(t *tree) bool { return t.script.Fault == proxytest.FaultNoAnswer }) // an answer to some clients
	switch {
	case c.stopped:
	case failed && (c.heard.told == "" || c.err != nil):
		t.Errorf("%s: an error that the client cannot read", c)
	case failed && c.tree.sure() && !c.asked(func(t *tree) bool { return t.deed == faulty }):
		t.Errorf("%s: it could have been answered", c)
	case failed:
	case c.status != http.StatusOK:
		t.Errorf("%s: what is this?", c)
	case c.heard.ended && (c.err != nil || c.heard.told != ""):
		t.Errorf("%s: an end and an error", c)
	case !c.heard.ended && c.err == nil && c.heard.told == "" && !empty:
		t.Errorf("%s: it is cut off and does not look so", c)
	case !c.heard.ended && c.err != nil && !errors.Is(c.err, io.ErrUnexpectedEOF):
		t.Errorf("%s: it cannot be read", c)
	}
	compares := c.tree.has(func(t *tree) bool { return t.strategy == "compare" })
	groups := map[string]int{} // attempt -> words heard
	for _, w := range strings.Fields(c.heard.text) {
		var leaf, nth, i int
		if n, _ := fmt.Sscanf(w, "L%da%dn%d", &leaf, &nth, &i); n != 3 {
			continue // what compare says around the answers
		}
		who := fmt.Sprint(leaf, " ", nth)
		if i != groups[who] {
			t.Errorf("%s: word %d of %s comes after %d", c, i, who, groups[who])
		}
		groups[who]++
		if l := c.leaves[leaf]; c.heard.ended && !strings.Contains(c.heard.text, word(leaf, nth, l.words-1)[:len(word(leaf, nth, l.words-1))-1]) {
			t.Errorf("%s: an answer with an end has only a part of %s", c, who)
		} else if !c.heard.ended && !c.stopped && l.deed == replies {
			t.Errorf("%s: cut off, and the provider was not", c)
		}
	}
	if len(groups) > 1 && !compares {
		t.Errorf("%s: the answers of %d are mixed", c, len(groups))
	}
	if c.heard.ended && len(groups) == 0 && !compares && !empty {
		t.Errorf("%s: nothing was said", c)
	}
}
