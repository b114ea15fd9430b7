package app

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"keytray/app/report"
)

const cent = 10_000_000_000

func day(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }

// theirs and ours are a charge and a sum of n cents.
func theirs(d int, name string, cents int64) Charge {
	return Charge{Day: day(d), Name: name, Pico: cents * cent}
}

func ours(d int, model string, cents int64) Booked {
	return Booked{Day: day(d), Model: model, Calls: 2, Pico: cents * cent}
}

func but(b Booked, change func(*Booked)) Booked {
	change(&b)
	return b
}

// compared is a comparison in a line a row and a line a reason.
func compared(r Reconciled) string {
	var b strings.Builder
	for _, x := range r.Rows {
		fmt.Fprintf(&b, "%d %s%s %d-%d=%d %s\n", x.Day.Day(), x.Model, x.Kind, x.Theirs/cent, x.Ours/cent, x.Gap/cent, x.Why)
	}
	for _, x := range r.Reasons {
		fmt.Fprintf(&b, "%s %d rows %d calls %d %s %s\n", x.Why, x.Pico/cent, x.Rows, x.Calls, strings.Join(x.Models, ","), x.Factor)
	}
	return b.String()
}

func TestReconcile(t *testing.T) {
	for name, c := range map[string]struct {
		charges []Charge
		counted []Counted
		booked  []Booked
		want    string
	}{
		"nothing":  {want: ""},
		"all even": {[]Charge{theirs(1, "a", 5), theirs(2, "a", 7)}, nil, []Booked{ours(1, "a", 5), ours(2, "a", 7)}, "1 a 5-5=0 \n2 a 7-7=0 \n"},
		"several lines of a model": {
			[]Charge{theirs(1, "gpt-4o-2024-08-06", 5), theirs(1, "gpt-4o-2024-08-06", 4)},
			nil,
			[]Booked{ours(1, "gpt-4o", 9)},
			"1 gpt-4o 9-9=0 \n",
		},
		"outside": {
			[]Charge{theirs(1, "a", 5), theirs(2, "a", 70), theirs(2, "b", 3)},
			nil,
			[]Booked{ours(1, "a", 5)},
			"1 a 5-5=0 \n2 a 70-0=70 outside\n2 b 3-0=3 outside\noutside 73 rows 2 calls 0 a,b \n",
		},
		"missing and late": {
			nil, nil,
			[]Booked{ours(1, "a", 5), ours(20, "a", 6)},
			"1 a 0-5=-5 missing\n20 a 0-6=-6 late\nlate -6 rows 1 calls 2 a \nmissing -5 rows 1 calls 2 a \n",
		},
		"a day that grows": {
			[]Charge{theirs(20, "a", 5)},
			nil,
			[]Booked{ours(20, "a", 9)},
			"20 a 5-9=-4 late\nlate -4 rows 1 calls 2 a \n",
		},
		"credits, taxes, tools, sums": {
			[]Charge{
				{Day: day(1), Name: "grant", Kind: report.Credit, Pico: -50 * cent},
				{Day: day(1), Name: "VAT", Kind: report.Tax, Pico: 9 * cent},
				{Day: day(1), Name: "web search", Kind: report.Tool, Pico: 4 * cent},
				{Day: day(1), Name: "", Kind: report.Other, Pico: 2 * cent},
			},
			nil, nil,
			"1 other 2-0=2 unnamed\n1 VATtax 9-0=9 tax\n1 grantcredit -50-0=-50 credit\n1 web searchtool 4-0=4 tool\n" +
				"credit -50 rows 1 calls 0 grant \ntax 9 rows 1 calls 0 VAT \ntool 4 rows 1 calls 0 web search \nunnamed 2 rows 1 calls 0  \n",
		},
		"unpriced": {
			[]Charge{theirs(1, "a", 5)},
			nil,
			[]Booked{but(ours(1, "a", 1), func(b *Booked) { b.Unpriced = 1 })},
			"1 a 5-1=4 unpriced\nunpriced 4 rows 1 calls 1 a \n",
		},
		"running": {
			[]Charge{theirs(1, "a", 5)},
			nil,
			[]Booked{ours(1, "a", 1), {Day: day(1), Model: "a", Running: 1}},
			"1 a 5-1=4 running\nrunning 4 rows 1 calls 1 a \n",
		},
		"running alone": {
			[]Charge{theirs(1, "a", 5)},
			nil,
			[]Booked{{Day: day(1), Model: "a", Running: 1}},
			"1 a 5-0=5 running\nrunning 5 rows 1 calls 1 a \n",
		},
		"estimated": {
			[]Charge{theirs(1, "a", 5)},
			nil,
			[]Booked{but(ours(1, "a", 7), func(b *Booked) { b.Estimated = 2 })},
			"1 a 5-7=-2 estimated\nestimated -2 rows 1 calls 2 a \n",
		},
		"batch": {
			[]Charge{{Day: day(1), Name: "a", Batch: true, Pico: 5 * cent}, {Day: day(2), Name: "a", Batch: true, Pico: 5 * cent}},
			nil,
			[]Booked{ours(2, "a", 9)},
			"1 a 5-0=5 batch\n2 a 5-9=-4 batch\nbatch 1 rows 2 calls 0 a \n",
		},
		"midnight": {
			[]Charge{theirs(1, "a", 10), theirs(2, "a", 16)},
			nil,
			[]Booked{ours(1, "a", 15), ours(2, "a", 11)},
			"1 a 10-15=-5 midnight\n2 a 16-11=5 midnight\nmidnight 0 rows 2 calls 0 a \n",
		},
		"midnight alone": {
			[]Charge{theirs(2, "a", 16)},
			nil,
			[]Booked{ours(1, "a", 15)},
			"1 a 0-15=-15 midnight\n2 a 16-0=16 midnight\nmidnight 1 rows 2 calls 0 a \n",
		},
		"no midnight between days that do not touch, nor models, nor amounts": {
			[]Charge{theirs(3, "a", 16), theirs(2, "b", 15), theirs(2, "c", 99)},
			nil,
			[]Booked{ours(1, "a", 16), ours(1, "c", 16)},
			"1 a 0-16=-16 missing\n1 c 0-16=-16 missing\n2 b 15-0=15 outside\n2 c 99-0=99 outside\n3 a 16-0=16 outside\n" +
				"outside 130 rows 3 calls 0 a,b,c \nmissing -32 rows 2 calls 4 a,c \n",
		},
		"another price on two days": {
			[]Charge{theirs(1, "a", 125), theirs(2, "a", 250), theirs(1, "b", 75), theirs(3, "b", 150)},
			nil,
			[]Booked{ours(1, "a", 100), ours(2, "a", 200), ours(1, "b", 100), ours(3, "b", 200)},
			"1 a 125-100=25 price\n1 b 75-100=-25 price\n2 a 250-200=50 price\n3 b 150-200=-50 price\n" +
				"price -75 rows 2 calls 0 b 0.75\nprice 75 rows 2 calls 0 a 1.25\n",
		},
		"a tier's price on one day": {
			[]Charge{theirs(1, "a", 50)},
			nil,
			[]Booked{ours(1, "a", 100)},
			"1 a 50-100=-50 price\nprice -50 rows 1 calls 0 a 0.5\n",
		},
		"no factor: the days differ": {
			[]Charge{theirs(1, "a", 125), theirs(3, "a", 400)},
			nil,
			[]Booked{ours(1, "a", 100), ours(3, "a", 200)},
			"1 a 125-100=25 more\n3 a 400-200=200 more\nmore 225 rows 2 calls 0 a \n",
		},
		"no factor: one small day differs": {
			[]Charge{theirs(1, "a", 15), theirs(3, "a", 1250)},
			nil,
			[]Booked{ours(1, "a", 10), ours(3, "a", 1000)},
			"1 a 15-10=5 more\n3 a 1250-1000=250 more\nmore 255 rows 2 calls 0 a \n",
		},
		"twice the money for more tokens is no price": {
			[]Charge{theirs(1, "a", 200)},
			[]Counted{{Day: day(1), Name: "a", Calls: 4, In: 2000, Out: 20}},
			[]Booked{but(ours(1, "a", 100), func(b *Booked) { b.In, b.Out = 1000, 10 })},
			"1 a 200-100=100 more\nmore 100 rows 1 calls 0 a \n",
		},
		"more money for the same tokens": {
			[]Charge{theirs(1, "a", 130)},
			[]Counted{{Day: day(1), Name: "a", Calls: 2, In: 1000, Out: 10}},
			[]Booked{but(ours(1, "a", 100), func(b *Booked) { b.In, b.Out = 1000, 10 })},
			"1 a 130-100=30 unknown\nunknown 30 rows 1 calls 0 a \n",
		},
		"less money": {
			[]Charge{theirs(1, "a", 90)},
			nil,
			[]Booked{ours(1, "a", 100)},
			"1 a 90-100=-10 unknown\nunknown -10 rows 1 calls 0 a \n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Reconcile(c.charges, c.counted, c.booked, day(21).Add(9*time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if got := compared(r); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			addsUp(t, r)
		})
	}
	r, err := Reconcile([]Charge{{Day: day(1), Name: "a", Pico: 1000*cent + 1}}, nil, []Booked{ours(1, "a", 1000)}, day(21))
	if err != nil || r.Gap != 1 || len(r.Reasons) != 1 || r.Reasons[0].Why != WhyRounding || r.Reasons[0].Pico != 1 {
		t.Errorf("a pico: %+v, %v", r, err)
	}
}

// addsUp wants rows and reasons to add up to the gap, to the pico.
func addsUp(t *testing.T, r Reconciled) {
	t.Helper()
	var rows, reasons int64
	for _, x := range r.Rows {
		rows += x.Gap
		if (x.Gap == 0) != (x.Why == "") {
			t.Errorf("%+v: a gap has a reason, and nothing else has", x)
		}
	}
	for _, x := range r.Reasons {
		reasons += x.Pico
	}
	if rows != r.Gap || reasons != r.Gap || r.Gap != r.Theirs-r.Ours {
		t.Errorf("gap %d, theirs less ours %d, rows %d, reasons %d", r.Gap, r.Theirs-r.Ours, rows, reasons)
	}
}

func TestReconcileAddsUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	models := []string{"gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o", "claude-sonnet-4-5", "Claude Sonnet 4.5", "x", ""}
	for range 500 {
		var charges []Charge
		var booked []Booked
		for range random.IntN(30) {
			charges = append(charges, Charge{
				Day: day(1 + random.IntN(5)), Name: models[random.IntN(len(models))], Batch: random.IntN(5) == 0, Pico: random.Int64N(1e12) - 2e11,
				Kind: []report.Kind{report.Model, report.Model, report.Credit, report.Other}[random.IntN(4)],
			})
			booked = append(booked, Booked{day(1 + random.IntN(5)), models[random.IntN(len(models))], random.Int64N(3), random.Int64N(2), random.Int64N(2), random.Int64N(2), 5, 5, random.Int64N(1e12)})
		}
		r, err := Reconcile(charges, nil, booked, day(3))
		if err != nil {
			t.Fatal(err)
		}
		addsUp(t, r)
		again, _ := Reconcile(charges, nil, booked, day(3))
		if compared(r) != compared(again) {
			t.Fatalf("two answers to one question:\n%s\n%s", compared(r), compared(again))
		}
	}
}

func TestReconcileTooLarge(t *testing.T) {
	for _, c := range []struct {
		charges []Charge
		booked  []Booked
	}{
		{[]Charge{{Day: day(1), Name: "a", Pico: math.MaxInt64}, {Day: day(1), Name: "a", Pico: 1}}, nil},
		{[]Charge{{Day: day(1), Name: "a", Pico: math.MaxInt64}, {Day: day(2), Name: "a", Pico: 1}}, nil},
		{[]Charge{{Day: day(1), Name: "a", Pico: math.MinInt64}}, []Booked{ours(1, "a", 1)}},
		{nil, []Booked{{Day: day(1), Model: "a", Pico: math.MinInt64}}},
		{nil, []Booked{{Day: day(1), Model: "a", Pico: math.MinInt64}, ours(1, "b", 1)}},
	} {
		if r, err := Reconcile(c.charges, nil, c.booked, day(21)); !errors.Is(err, ErrSums) {
			t.Errorf("%v is %+v, %v", c, r, err)
		}
	}
}

func TestModelNames(t *testing.T) {
	for _, c := range []struct {
		theirs, ours []string
		want         string // ours, or theirs in brackets, of each of theirs
	}{
		{[]string{"gpt-4o-2024-08-06"}, []string{"gpt-4o"}, "gpt-4o"},
		{[]string{"gpt-4o"}, []string{"gpt-4o-2024-08-06"}, "gpt-4o-2024-08-06"},
		{[]string{"gpt-4o-2024-08-06", "gpt-4o-2024-11-20"}, []string{"gpt-4o"}, "gpt-4o gpt-4o"},
		{[]string{"gpt-4o-2024-08-06"}, []string{"gpt-4o-2024-11-20"}, "[gpt-4o-2024-08-06]"},
		{[]string{"gpt-4o-2024-08-06", "gpt-4o"}, []string{"gpt-4o-2024-08-06", "gpt-4o"}, "gpt-4o-2024-08-06 gpt-4o"},
		{[]string{"gpt-4o-2024-08-06"}, []string{"gpt-4o-2024-08-06", "gpt-4o"}, "gpt-4o"},
		{[]string{"gpt-4o-mini-2024-07-18"}, []string{"gpt-4o"}, "[gpt-4o-mini-2024-07-18]"},
		{[]string{"gpt-4-0613", "gpt-3.5-turbo-0125"}, []string{"gpt-4", "gpt-3.5-turbo"}, "gpt-4 gpt-3.5-turbo"},
		{[]string{"openai/gpt-4.1"}, []string{"gpt-4.1"}, "gpt-4.1"},
		{[]string{"gpt-4.1-2025-04-14"}, []string{"openai/gpt-4.1"}, "openai/gpt-4.1"},
		{[]string{"openai/gpt-4.1"}, []string{"openai/gpt-4.1:free"}, "openai/gpt-4.1:free"},
		{[]string{"a/r1"}, []string{"b/r1"}, "[a/r1]"},
		{[]string{"gpt-4o-mini batch", "gpt-4o-mini-batch", "gpt-4o-mini (batch)"}, []string{"gpt-4o-mini"}, "gpt-4o-mini gpt-4o-mini gpt-4o-mini"},
		{[]string{"Claude Haiku 4.5", "Claude Sonnet 3.5"}, []string{"claude-haiku-4-5-20251001", "claude-3-5-sonnet-20241022"}, "claude-haiku-4-5-20251001 claude-3-5-sonnet-20241022"},
		{[]string{"anthropic/claude-4.8-opus-20260528"}, []string{"claude-opus-4-8"}, "claude-opus-4-8"},
		{[]string{"claude-3-5-sonnet-20241022"}, []string{"claude-3-5-sonnet-latest"}, "claude-3-5-sonnet-latest"},
		{[]string{"gpt-5.4"}, []string{"gpt-4.5"}, "[gpt-5.4]"},
		{[]string{"GPT-5.4"}, []string{"gpt-5.4"}, "gpt-5.4"},
		{[]string{"batch", "latest", "", "-", "2024-08-06"}, []string{"gpt-4o"}, "[batch] [latest] [] [-] [2024-08-06]"},
	} {
		var charges []Charge
		var booked []Booked
		for _, n := range c.theirs {
			charges = append(charges, Charge{Day: day(1), Name: n})
		}
		for _, n := range c.ours {
			booked = append(booked, Booked{Day: day(1), Model: n})
		}
		table := newNames(charges, booked)
		var got []string
		for _, n := range c.theirs {
			to := table.theirs(n)
			if !slices.Contains(c.ours, to) {
				to = "[" + to + "]"
			}
			got = append(got, to)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%q with %q: %s; want %s", c.theirs, c.ours, s, c.want)
		}
	}
}
