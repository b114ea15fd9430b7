package llm

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Pico is money in pico-USD (1e-12 USD): one token's price in USD per million
// tokens with up to six decimals is a whole number of them.
type Pico int64

// USD is one US dollar.
const USD Pico = 1_000_000_000_000

// ParsePico reads a decimal number of USD, such as "0.25" or "1.5e-7",
// rounding half away from zero below one pico.
func ParsePico(usd string) (Pico, error) {
	if usd = strings.TrimSpace(usd); len(usd) > 64 {
		return 0, fmt.Errorf("a text of %d bytes is not an amount in USD", len(usd))
	}
	f, err := strconv.ParseFloat(usd, 64)
	if size := math.Abs(f); size > 1e7 { // working out 1e999999 takes seconds
		return 0, fmt.Errorf("%q USD is too large to count", usd)
	} else if err == nil && size < 1e-13 {
		return 0, nil
	}
	r, ok := new(big.Rat).SetString(usd)
	if !ok || err != nil {
		return 0, fmt.Errorf("%q is not an amount in USD", usd)
	}
	r.Mul(r, new(big.Rat).SetInt64(int64(USD)))
	n, ok := new(big.Int).SetString(r.FloatString(0), 10)
	if !ok || !n.IsInt64() {
		return 0, fmt.Errorf("%q USD is too large to count", usd)
	}
	return Pico(n.Int64()), nil
}

// String is the exact amount in USD: "0.003532", "12", "-1.5".
func (p Pico) String() string {
	sign, u := "", uint64(p)
	if p < 0 {
		sign, u = "-", -u
	}
	whole, frac := u/uint64(USD), u%uint64(USD)
	if frac == 0 {
		return fmt.Sprintf("%s%d", sign, whole)
	}
	return strings.TrimRight(fmt.Sprintf("%s%d.%012d", sign, whole, frac), "0")
}
