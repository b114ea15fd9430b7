package app

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"keytray/app/report"
)

// Why is a likely reason of a gap.
type Why string

const (
	WhyRounding Why = "rounding" // too small to matter
	WhyCredit   Why = "credit"   // credits, discounts, refunds
	WhyTax      Why = "tax"
	WhyTool     Why = "tool"      // searches and the like, which the report lists apart
	WhyOther    Why = "unnamed"   // the report names no model
	WhyOutside  Why = "outside"   // calls that did not go through this Keytray
	WhyMore     Why = "more"      // some calls of a model did not
	WhyMissing  Why = "missing"   // calls of ours that the report does not have
	WhyLate     Why = "late"      // the report is not finished for that day
	WhyMidnight Why = "midnight"  // booked on the other side of midnight UTC
	WhyUnpriced Why = "unpriced"  // calls of ours without a price
	WhyRunning  Why = "running"   // calls of ours that are under way
	WhyEstimate Why = "estimated" // costs of ours that are estimates
	WhyPrice    Why = "price"     // the same tokens at another price
	WhyBatch    Why = "batch"     // batches, which are charged when they end
	WhyUnknown  Why = "unknown"
)

// Reason is a part of a gap and what it is likely due to.
type Reason struct {
	Why    Why
	Pico   int64    // its part of the gap: theirs less ours
	Rows   int      // days and models
	Calls  int64    // of ours, where the reason is about calls
	Models []string // in order, without repetition
	Factor string   // of WhyPrice: theirs is ours times this, such as "1.1"
}

// late is how long after its end a day may still grow in a provider's report.
const late = 24 * time.Hour

// explain puts every row's gap down to one reason, and sums them.
func explain(r *Reconciled, now time.Time) {
	for i := range r.Rows {
		x := &r.Rows[i]
		if x.Why = ofKind(x); x.Why == "" && x.Gap != 0 && slight(x) {
			x.Why = WhyRounding
		}
	}
	overMidnight(r.Rows)
	factors := otherPrices(r.Rows)
	for i := range r.Rows {
		if x := &r.Rows[i]; x.Why == "" && x.Gap != 0 {
			x.Why = likely(x, factors[x.Model] != "", now)
		}
	}
	type key struct {
		why    Why
		factor string
	}
	sums := map[key]*Reason{}
	for i := range r.Rows {
		x := &r.Rows[i]
		if x.Why == "" {
			continue
		}
		k := key{why: x.Why}
		if x.Why == WhyPrice {
			k.factor = factors[x.Model]
		}
		s := sums[k]
		if s == nil {
			s = &Reason{Why: x.Why, Factor: k.factor}
			sums[k] = s
		}
		s.Rows++
		s.Pico += x.Gap // parts of a sum that fits; on its way it may wrap around and come back
		switch x.Why {
		case WhyUnpriced:
			s.Calls += x.booked.Unpriced
		case WhyRunning:
			s.Calls += x.booked.Running
		case WhyEstimate:
			s.Calls += x.booked.Estimated
		case WhyMissing, WhyLate:
			s.Calls += x.booked.Calls
		default:
		}
		if !slices.Contains(s.Models, x.Model) {
			s.Models = append(s.Models, x.Model)
		}
	}
	for _, s := range sums {
		slices.Sort(s.Models)
		r.Reasons = append(r.Reasons, *s)
	}
	slices.SortFunc(r.Reasons, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(size(b.Pico), size(a.Pico)), cmp.Compare(a.Why, b.Why), cmp.Compare(a.Factor, b.Factor))
	})
}

// ofKind is the reason of what the ledger never has: lines of no model.
func ofKind(x *Compared) Why {
	if x.Gap == 0 {
		return ""
	}
	switch x.Kind {
	case report.Credit:
		return WhyCredit
	case report.Tax:
		return WhyTax
	case report.Tool:
		return WhyTool
	case report.Other:
		return WhyOther
	default:
		return ""
	}
}

// slight gaps come of rounding: below a hundredth of a cent, or a thousandth
// of a sum that is below ten dollars.
func slight(x *Compared) bool {
	gap := size(x.Gap)
	return gap <= 100_000_000 || gap <= size(x.Ours)/1000 && gap <= 10_000_000_000
}

// likely is the reason of a gap of one model on one day.
func likely(x *Compared, price bool, now time.Time) Why {
	b := &x.booked
	unfinished := x.Day.Add(24*time.Hour + late).After(now)
	moreTokens, known := countedMore(x)
	switch {
	case b.Calls == 0 && b.Running == 0 && x.batch:
		return WhyBatch
	case b.Calls == 0 && b.Running == 0:
		return WhyOutside
	case !x.charged && unfinished:
		return WhyLate
	case !x.charged:
		return WhyMissing
	case b.Unpriced > 0 && x.Gap > 0:
		return WhyUnpriced
	case b.Running > 0 && x.Gap > 0:
		return WhyRunning
	case x.batch:
		return WhyBatch
	case known && moreTokens && x.Gap > 0:
		return WhyMore
	case price:
		return WhyPrice
	case b.Estimated > 0:
		return WhyEstimate
	case unfinished && x.Gap < 0:
		return WhyLate
	case known && !moreTokens && x.Gap > 0:
		return WhyUnknown // the same tokens for more money, and by no steady factor
	case x.Gap > 0:
		return WhyMore
	default:
		return WhyUnknown
	}
}

// countedMore tells whether the provider counted more tokens or calls than the
// ledger, by one in a hundred at least, where it counts them.
func countedMore(x *Compared) (more, known bool) {
	theirs, ours := x.counted.In+x.counted.Out, x.booked.In+x.booked.Out
	return theirs-ours > ours/100 || x.counted.Calls > x.booked.Calls, theirs > 0
}

// overMidnight finds calls that the ledger books on the day they began and the
// provider on the day they ended: gaps of one model on two days that cancel out,
// but for a tenth.
func overMidnight(rows []Compared) {
	last := map[string]*Compared{}
	for i := range rows {
		x := &rows[i]
		if x.Kind != report.Model || x.Why != "" || x.Gap == 0 {
			continue
		}
		if p := last[x.Model]; p != nil && p.Day.AddDate(0, 0, 1).Equal(x.Day) && (p.Gap < 0) != (x.Gap < 0) {
			if rest := size(p.Gap + x.Gap); rest <= max(size(p.Gap), size(x.Gap))/10 {
				p.Why, x.Why = WhyMidnight, WhyMidnight
				delete(last, x.Model)
				continue
			}
		}
		last[x.Model] = x
	}
}

// otherPrices finds the models whose charges are the ledger's times one steady
// factor: on two days at least, or on one by a factor that tiers have.
func otherPrices(rows []Compared) map[string]string {
	type ratio struct {
		theirs, ours int64
		rows         []*Compared
	}
	models := map[string]*ratio{}
	for i := range rows {
		x := &rows[i]
		if x.Kind != report.Model || x.Theirs <= 0 || x.Ours <= 0 || x.booked.Unpriced > 0 || x.booked.Running > 0 || x.Why != "" && x.Why != WhyRounding {
			continue
		}
		m := models[x.Model]
		if m == nil {
			m = &ratio{}
			models[x.Model] = m
		}
		if !addTo(&m.theirs, x.Theirs) || !addTo(&m.ours, x.Ours) {
			continue
		}
		m.rows = append(m.rows, x)
	}
	found := map[string]string{}
	for model, m := range models {
		whole := big.NewRat(m.theirs, m.ours)
		steady := !near(whole, big.NewRat(1, 1))
		for _, x := range m.rows {
			steady = steady && near(big.NewRat(x.Theirs, x.Ours), whole)
		}
		if steady && (len(m.rows) > 1 || tierFactor(whole)) {
			found[model] = factorText(whole)
		}
	}
	return found
}

// near tells whether two ratios differ by half a hundredth at most.
func near(a, b *big.Rat) bool {
	d := new(big.Rat).Sub(a, b)
	return d.Abs(d).Cmp(new(big.Rat).Mul(b, big.NewRat(1, 200))) <= 0
}

// tierFactor tells whether a batch or flex tier (half), a priority tier
// (twice), or one region's surcharge (1.1) would explain a ratio.
func tierFactor(r *big.Rat) bool {
	return near(r, big.NewRat(1, 2)) || near(r, big.NewRat(2, 1)) || near(r, big.NewRat(11, 10))
}

// factorText writes a ratio to three decimals or, when it is small, digits.
func factorText(r *big.Rat) string {
	for digits := 3; digits < 15; digits++ {
		text := r.FloatString(digits)
		if trimmed := trimZeros(text); trimmed != "0" {
			return trimmed
		}
	}
	return "0"
}

func trimZeros(s string) string {
	for len(s) > 0 && s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if len(s) > 0 && s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

// size is an amount without its sign.
func size(n int64) int64 {
	if n == -1<<63 {
		return 1<<63 - 1
	}
	return max(n, -n)
}
