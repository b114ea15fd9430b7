package app

import (
	"cmp"
	"errors"
	"math/bits"
	"slices"
	"strings"
	"time"

	"keytray/app/report"
)

// The values of a provider's own report, for faces.
type (
	// Charge is what a provider asks for one thing on one UTC day.
	Charge = report.Charge
	// Counted is how much of a model a provider counted on one UTC day.
	Counted = report.Used
)

// Booked is what the ledger holds of one model of a provider on one UTC day.
// Calls that are still running are in Running alone.
type Booked struct {
	Day       time.Time // midnight UTC
	Model     string
	Calls     int64
	Unpriced  int64 // of unknown cost, which Pico leaves out
	Estimated int64 // whose cost is an estimate or a lower bound
	Running   int64
	In, Out   int64 // tokens, as Counted has them
	Pico      int64
}

// Compared is one day of one model, or of another thing that the provider
// charges for, in both books.
type Compared struct {
	Day    time.Time // midnight UTC
	Model  string    // as the ledger names it, else as the provider does
	Kind   report.Kind
	Theirs int64 // in pico-USD, as are the others
	Ours   int64
	Gap    int64 // theirs less ours
	Calls  int64 // ours
	Why    Why   // the likeliest reason of the gap; "" if there is none
	// Unlisted: the report has no line of it, so what is theirs is not told.
	Unlisted bool
	Unpriced int64 // of Calls, those of unknown cost, which Ours leaves out

	booked  Booked
	counted Counted
	charged bool // the report has it
	batch   bool
}

// Reconciled is a provider's report beside the ledger.
type Reconciled struct {
	Provider string
	From, To time.Time  // UTC days, From <= day < To
	Rows     []Compared // by day, then by model
	Theirs   int64
	Ours     int64
	Gap      int64
	Reasons  []Reason // the parts of the gap, the largest first; they add up to it
	Notes    []string // about the report itself
	Unpriced int64    // calls of ours without a price
}

// ErrSums means that amounts do not fit into a sum. No true report is that large.
var ErrSums = errors.New("the amounts are too large to add up")

// Reconcile lays a provider's charges beside the ledger's sums, day by day in
// UTC and model by model, and puts each gap down to the likeliest reason. It
// matches names that mean the same model; see sameModel. counted may be empty.
// now says which days a provider may not have finished. Money stays exact: the
// gaps, and the reasons' parts, add up to the whole gap.
func Reconcile(charges []Charge, counted []Counted, booked []Booked, now time.Time) (Reconciled, error) {
	names := newNames(charges, booked)
	type key struct {
		day  int64
		name string
		kind report.Kind
	}
	rows := map[key]*Compared{}
	at := func(day time.Time, name string, kind report.Kind) *Compared {
		k := key{day.Unix(), name, kind}
		if rows[k] == nil {
			rows[k] = &Compared{Day: day.UTC(), Model: name, Kind: kind}
		}
		return rows[k]
	}
	for _, b := range booked {
		r := at(b.Day, names.ours(b.Model), report.Model)
		sum := &r.booked
		sum.Calls, sum.Unpriced, sum.Estimated = sum.Calls+b.Calls, sum.Unpriced+b.Unpriced, sum.Estimated+b.Estimated
		sum.Running, sum.In, sum.Out = sum.Running+b.Running, sum.In+b.In, sum.Out+b.Out
		if !addTo(&r.Ours, b.Pico) {
			return Reconciled{}, ErrSums
		}
	}
	for _, c := range charges {
		name := c.Name
		if c.Kind == report.Model {
			name = names.theirs(name)
		}
		r := at(c.Day, name, c.Kind)
		r.charged, r.batch = true, r.batch || c.Batch && c.Pico != 0
		if !addTo(&r.Theirs, c.Pico) {
			return Reconciled{}, ErrSums
		}
	}
	for _, u := range counted {
		if r := rows[key{u.Day.Unix(), names.theirs(u.Name), report.Model}]; r != nil {
			r.counted.Calls, r.counted.In, r.counted.Out = r.counted.Calls+u.Calls, r.counted.In+u.In, r.counted.Out+u.Out
		}
	}
	out := Reconciled{}
	for _, r := range rows {
		r.Calls, r.Unpriced, r.Unlisted = r.booked.Calls, r.booked.Unpriced, !r.charged
		out.Unpriced += r.booked.Unpriced
		r.Gap = r.Theirs
		if r.Ours == -1<<63 || !addTo(&r.Gap, -r.Ours) || !addTo(&out.Theirs, r.Theirs) || !addTo(&out.Ours, r.Ours) {
			return Reconciled{}, ErrSums
		}
		out.Rows = append(out.Rows, *r)
	}
	slices.SortFunc(out.Rows, func(a, b Compared) int {
		return cmp.Or(a.Day.Compare(b.Day), strings.Compare(a.Model, b.Model), cmp.Compare(a.Kind, b.Kind))
	})
	out.Gap = out.Theirs
	if out.Ours == -1<<63 || !addTo(&out.Gap, -out.Ours) {
		return Reconciled{}, ErrSums
	}
	explain(&out, now)
	return out, nil
}

// addTo adds exactly, and tells whether the sum fits.
func addTo(to *int64, n int64) bool {
	sum, _ := bits.Add64(uint64(*to), uint64(n), 0)
	fits := (*to < 0) != (n < 0) || (int64(sum) < 0) == (n < 0)
	*to = int64(sum)
	return fits
}
