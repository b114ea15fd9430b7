// Package report reads what providers say that they charged: their own cost
// reports, over HTTP, and the CSV files that their consoles export.
//
// Both become a [Report]: charges by UTC day and by the model as the provider
// names it, in exact pico-USD. [Fetch] reads a report page by page through a
// function that its caller gives, so the package opens no connection and knows
// no key. [ReadCSV] reads a file of any length as a stream, and finds the
// columns by their names. Neither guesses: an amount, a day or a currency that
// cannot be read is an error that names the place.
package report

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// Kind says what a charge is for.
type Kind string

const (
	Model  Kind = ""       // work of a model
	Tool   Kind = "tool"   // a search, a code session, storage: charged beside the models
	Credit Kind = "credit" // credits, discounts, refunds, corrections
	Tax    Kind = "tax"
	Other  Kind = "other" // a sum that the report does not break down by model
)

// Charge is what the provider asks for one thing on one day.
type Charge struct {
	Day   time.Time // midnight UTC
	Name  string    // the model as the provider names it; else what the charge is for
	Kind  Kind
	Batch bool  // of the batch tier
	Pico  int64 // may be negative: a credit
}

// Used is how much of a model the provider counted on one day.
type Used struct {
	Day   time.Time // midnight UTC
	Name  string
	Calls int64 // 0 where the provider does not count calls
	In    int64 // tokens, those from a cache included
	Out   int64
}

// Report is what a provider charged and counted. Charges of the same day, name,
// kind and tier are one; all are sorted by day and name.
type Report struct {
	Charges []Charge
	Used    []Used // none where the provider does not say, or could not be asked
	Notes   []string
}

// ErrTooLarge means that the charges do not fit into a sum. No true report is
// that large.
var ErrTooLarge = errors.New("the amounts are too large to add up")

// sheet collects a report. Its size depends on days and names, not on lines.
type sheet struct {
	charges map[chargeKey]int64
	used    map[usedKey]*Used
}

type chargeKey struct {
	day   int64
	name  string
	kind  Kind
	batch bool
}

type usedKey struct {
	day  int64
	name string
}

// limitNames bounds what a file of nonsense may make of a sheet.
const limitNames = 200_000

func newSheet() *sheet {
	return &sheet{map[chargeKey]int64{}, map[usedKey]*Used{}}
}

func (s *sheet) charge(c Charge) error {
	k := chargeKey{dayOf(c.Day).Unix(), c.Name, c.Kind, c.Batch}
	sum, ok := add(s.charges[k], c.Pico)
	if !ok {
		return ErrTooLarge
	}
	s.charges[k] = sum
	if len(s.charges) > limitNames {
		return fmt.Errorf("the report names more than %d different things: this is no cost report", limitNames)
	}
	return nil
}

// limitCount keeps counts addable, whatever a report says.
const limitCount = 1_000_000_000_000_000

func (s *sheet) use(u Used) {
	u.Day = dayOf(u.Day)
	k := usedKey{u.Day.Unix(), u.Name}
	have := s.used[k]
	if have == nil {
		have = &Used{Day: u.Day, Name: u.Name}
		s.used[k] = have
	}
	for _, n := range []struct {
		to *int64
		n  int64
	}{{&have.Calls, u.Calls}, {&have.In, u.In}, {&have.Out, u.Out}} {
		*n.to = min(*n.to+min(max(n.n, 0), limitCount), limitCount)
	}
}

func (s *sheet) report() *Report {
	r := &Report{}
	for k, pico := range s.charges {
		r.Charges = append(r.Charges, Charge{time.Unix(k.day, 0).UTC(), k.name, k.kind, k.batch, pico})
	}
	for _, u := range s.used {
		r.Used = append(r.Used, *u)
	}
	slices.SortFunc(r.Charges, func(a, b Charge) int {
		return cmp.Or(a.Day.Compare(b.Day), strings.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Pico, b.Pico))
	})
	slices.SortFunc(r.Used, func(a, b Used) int {
		return cmp.Or(a.Day.Compare(b.Day), strings.Compare(a.Name, b.Name))
	})
	return r
}

func dayOf(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// add adds exactly, and tells whether the sum fits.
func add(a, b int64) (sum int64, ok bool) {
	u, _ := bits.Add64(uint64(a), uint64(b), 0)
	sum = int64(u)
	return sum, (a < 0) != (b < 0) || (sum < 0) == (a < 0)
}
