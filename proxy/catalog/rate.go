package catalog

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"

	"keytray/proxy/llm"
)

// rate is an exact fraction: pico-USD for one token, or a factor. The zero
// value is a price that is not told.
type rate struct{ num, den int64 }

// one is the factor that changes nothing.
var one = rate{1, 1}

func (r rate) told() bool { return r.den != 0 }

// parseRate reads USD per million tokens, which is pico-USD per token times
// a million.
func parseRate(s string) (rate, error) { return parse(s, 1_000_000) }

// parseFactor reads a bare number.
func parseFactor(s string) (rate, error) { return parse(s, 1) }

// UnmarshalJSON reads a factor, a decimal string.
func (r *rate) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	var err error
	*r, err = parseFactor(s)
	return err
}

func parse(s string, unit int64) (rate, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() < 0 {
		return rate{}, fmt.Errorf("%q is no price", s)
	}
	r.Mul(r, new(big.Rat).SetInt64(unit))
	if !r.Num().IsInt64() || !r.Denom().IsInt64() {
		return rate{}, fmt.Errorf("%q is too long a number for a price", s)
	}
	return rate{r.Num().Int64(), r.Denom().Int64()}, nil
}

func (r rate) rat() *big.Rat { return big.NewRat(r.num, r.den) }

// times is r x f, both told.
func (r rate) times(f rate) rate {
	if f == one {
		return r
	}
	g, h := gcd(r.num, f.den), gcd(f.num, r.den)
	return rate{(r.num / g) * (f.num / h), (r.den / h) * (f.den / g)}
}

// over is r / f. Nothing over nothing is one: what is free stays free.
func (r rate) over(f rate) rate {
	if f.num == 0 {
		return one
	}
	return r.times(rate{f.den, f.num})
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, 1)
}

// appendMillion adds the rate as people know it: USD per million tokens.
func (r rate) appendMillion(b []byte) []byte {
	if r.den != 1 {
		q := r.rat()
		return append(b, trim(q.Quo(q, big.NewRat(1_000_000, 1)).FloatString(12))...)
	}
	b = strconv.AppendInt(b, r.num/1_000_000, 10)
	if part := r.num % 1_000_000; part != 0 {
		digits := strconv.AppendInt(nil, 1_000_000+part, 10)
		digits[0] = '.'
		b = append(b, strings.TrimRight(string(digits), "0")...)
	}
	return b
}

// appendUSD adds the rate as people know it: USD for a million tokens, or for the
// unit that the bucket's name says.
func (r rate) appendUSD(b []byte, of bucket) []byte {
	if of < perImage {
		return r.appendMillion(b)
	}
	q := r.rat()
	return append(b, trim(q.Quo(q, of.unit().rat()).FloatString(12))...)
}

// String is the bare number, with 12 digits at most.
func (r rate) String() string { return trim(r.rat().FloatString(12)) }

func trim(s string) string { return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") }

// total adds up amounts exactly: whole picos as an integer, the rest, which
// is rare, as a fraction. It is rounded once, at the end.
type total struct {
	whole int64
	part  *big.Rat
	huge  bool // more than an int64 holds
}

// add adds n tokens, n >= 0, at a rate.
func (t *total) add(n int64, r rate) {
	g := gcd(n, r.den)
	hi, lo := bits.Mul64(uint64(n/g), uint64(r.num))
	if r.den == g && hi == 0 && int64(lo) >= 0 {
		t.whole += int64(lo)
		if t.whole < 0 {
			t.huge = true
		}
		return
	}
	if t.part == nil {
		t.part = new(big.Rat)
	}
	x := new(big.Rat).SetInt64(n)
	t.part.Add(t.part, x.Mul(x, r.rat()))
}

// sum is the total, rounded half up to a pico-USD, and whether it fits.
func (t *total) sum() (llm.Pico, bool) {
	if t.huge {
		return 0, false
	}
	if t.part == nil {
		return llm.Pico(t.whole), true
	}
	x := new(big.Rat).SetInt64(t.whole)
	x.Add(x, t.part)
	n, ok := new(big.Int).SetString(x.FloatString(0), 10)
	if !ok || !n.IsInt64() {
		return 0, false
	}
	return llm.Pico(n.Int64()), true
}
