package view

import (
	"fmt"
	"strings"
)

// Decimal writes an exact amount in pico-USD as a decimal number of dollars,
// for programs: "0.0421", "12", "0.000000000001". It rounds nothing.
func Decimal(pico int64) string {
	sign, n := "", uint64(pico)
	if pico < 0 {
		sign, n = "-", -n
	}
	whole, rest := n/picoPerUSD, n%picoPerUSD
	if rest == 0 {
		return fmt.Sprintf("%s%d", sign, whole)
	}
	return sign + strings.TrimRight(fmt.Sprintf("%d.%012d", whole, rest), "0")
}
