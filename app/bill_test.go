package app

import (
	"slices"
	"strings"
	"testing"

	"keytray/proxy/llm"
	"keytray/proxy/proxytest"
	"keytray/store/ledger"
)

// owed is what a bill comes to by the list price. Of an answer that came whole, what was stated counts; of one that
// did not, four bytes are a token, unless more was stated.
func (m leafModel) owed(b proxytest.Bill, whole bool) int64 {
	var u proxytest.Usage
	if b.Usage != nil {
		u = *b.Usage
	}
	if u.Cost != "" && m.input > 0 {
		pico, err := llm.ParsePico(u.Cost)
		if err != nil {
			panic(err)
		}
		return int64(pico)
	}
	if !whole || b.Usage == nil {
		if u.Input == 0 {
			u.Input = (b.Asked + 3) / 4
		}
		u.Output = max(u.Output, (b.Text+3)/4)
	}
	return u.Input*m.input + u.Output*m.output
}

// checkRows checks that each attempt has one row, with its part and its price, and adds up the bills. It returns how
// many rows could have no other cost.
func (c *chaosCall) checkRows(t *testing.T, rows []Row, bills map[string]int64) (exact int) {
	kept := 0
	rows = slices.DeleteFunc(slices.Clone(rows), func(r Row) bool {
		if r.Role != ledger.RoleKept {
			return false
		}
		if kept++; r.CostPico == nil || *r.CostPico != 0 || r.Status != ledger.StatusOK {
			t.Errorf("%s: kept and not free: %+v", c, r)
		}
		return true
	})
	if kept != c.kept {
		t.Errorf("%s: %d rows of kept answers, want %d", c, kept, c.kept)
	}
	for leaf, l := range c.leaves {
		m := leafModels[leaf]
		var own []Row
		for _, r := range rows {
			if r.Provider == m.provider && r.Model == m.name {
				own = append(own, r)
			}
		}
		slices.SortFunc(own, func(a, b Row) int { return int(a.ID - b.ID) })
		var asks []ask
		for _, a := range c.asks {
			if a.leaf == leaf {
				asks = append(asks, a)
			}
		}
		for i := len(own) - 1; i >= 0 && len(own) > len(asks); i-- {
			if r := own[i]; r.Status == ledger.StatusAborted && r.HTTPStatus == 0 { // stopped on its way to the provider
				bills[m.String()] += *r.CostPico
				own = slices.Delete(own, i, i+1)
			}
		}
		if len(own) != len(asks) {
			t.Errorf("%s: %s was asked %d times and has %d rows: %+v", c, m, len(asks), len(own), own)
			continue
		}
		for i, r := range own {
			c.checkRole(t, l, asks[i], r)
			owed, only := c.match(t, m, asks[i], r)
			bills[m.String()] += owed
			if only {
				exact++
			}
		}
	}
	if n := len(rows); !c.stopped && n == 0 {
		t.Errorf("%s: no row", c)
	}
	return exact
}

// match finds the bill that a row has paid: the last, or for a call that was stopped, one of those on the way.
func (c *chaosCall) match(t *testing.T, m leafModel, a ask, r Row) (owed int64, only bool) {
	all := a.seen.Bills()
	last := all[len(all)-1]
	var may []int64
	switch r.Status {
	case ledger.StatusOK:
		may = []int64{m.owed(last, last.Done)}
	case ledger.StatusAborted:
		for _, b := range append(all, a.seen.Between()...) {
			may = append(may, m.owed(b, b.Done))
			for ; b.Text <= last.Text+3; b.Text += 4 { // it may have been stopped in the middle of what was written at once
				may = append(may, m.owed(b, false))
			}
		}
	default:
		may = []int64{m.owed(last, false)}
		if !a.seen.Stream { // nobody knows what half an answer says
			text := last
			text.Usage = nil
			may = append(may, m.owed(text, false), m.owed(all[0], false))
		}
		if r.Status == ledger.StatusError && last.Usage == nil && last.Text == 0 && (len(all) <= 2 || c.leaves[a.leaf].script.Fault == proxytest.FaultNoAnswer) {
			may = []int64{0} // it has refused before it began
		}
	}
	if r.CostPico == nil || !slices.Contains(may, *r.CostPico) {
		t.Errorf("%s: %s has the cost %s (%s) where %v were billed, last %+v: %+v", c, m, picoText(r.CostPico), r.CostKind, may, last, r)
		return may[0], false
	}
	slices.Sort(may)
	return *r.CostPico, len(slices.Compact(may)) == 1
}

// checkRole checks the part that an attempt had.
func (c *chaosCall) checkRole(t *testing.T, l *tree, a ask, r Row) {
	body := string(a.seen.Body)
	var above []*tree
	c.tree.visit(func(x *tree, up []*tree) {
		if x == l {
			above = up
		}
	})
	want := ledger.RoleAnswer
	races := false
	for i, x := range above {
		in := l
		if i+1 < len(above) {
			in = above[i+1]
		}
		races = races || x.strategy == "race"
		if x.gathers() && x.by != in {
			want = ledger.RolePart
		}
	}
	// A model may be asked for its own answer and then to write or to judge.
	switch {
	case strings.Contains(body, "Answer with one JSON object"):
		want = ledger.RoleJudge
	case strings.Contains(body, "Write the best answer of your own") && want == ledger.RolePart:
		want = c.roleOfWriter(above)
	}
	silent := l.script.Fault == proxytest.FaultNoAnswer // and may be an answer all the same
	winner := c.heard.ended && !c.stopped && !c.tree.has((*tree).gathers) &&
		strings.Contains(c.heard.text, word(a.leaf, a.nth, 0)[:len(word(a.leaf, a.nth, 0))-1])
	switch {
	case r.Role == ledger.RoleLost:
		if !races || winner {
			t.Errorf("%s: %s/%s lost nothing: %+v", c, r.Provider, r.Model, r)
		}
	case r.Role != want:
		t.Errorf("%s: %s/%s has the role %q, want %q", c, r.Provider, r.Model, r.Role, want)
	case r.Status == ledger.StatusAborted && !c.stopped:
		t.Errorf("%s: %s/%s was stopped, and has not lost: %+v", c, r.Provider, r.Model, r)
	case r.Status == ledger.StatusOK && races && c.heard.ended && !winner && !silent && !c.stopped && !c.tree.has((*tree).gathers):
		t.Errorf("%s: %s/%s answered, was not heard, and has not lost: %+v", c, r.Provider, r.Model, r)
	}
}

// roleOfWriter is the role of the first model of a blend when it writes the answer.
func (c *chaosCall) roleOfWriter(above []*tree) ledger.Role {
	inner := len(above) - 1
	for inner > 0 && above[inner].strategy != "blend" {
		inner--
	}
	for i, x := range above[:inner] {
		if x.gathers() && x.by != above[i+1] {
			return ledger.RolePart
		}
	}
	return ledger.RoleAnswer
}

// asked tells whether a model was asked that is so.
func (c *chaosCall) asked(so func(*tree) bool) bool {
	return slices.ContainsFunc(c.asks, func(a ask) bool { return so(c.leaves[a.leaf]) })
}
