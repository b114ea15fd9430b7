package report

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"keytray/proxy/llm"
)

var errAmount = errors.New("is no amount of money")

// parseUSD reads an amount as programs and spreadsheets write it: "0.0123",
// "1.5e-05", "$1,234.56", "1.234,56", "1 234.56", "(12.00)" and "-$3" for
// negative ones. It rounds half away from zero below a pico-USD. "1,234" is
// 1234: three digits after a lone comma are thousands, unless a zero leads.
func parseUSD(text string) (int64, error) { return parseMoney(text, 0) }

// parseCents is parseUSD for amounts in cents.
func parseCents(text string) (int64, error) { return parseMoney(text, -2) }

func parseMoney(text string, exponent int) (int64, error) {
	plain, ok := plainNumber(text)
	if !ok {
		return 0, fmt.Errorf("%q %w", clip(text), errAmount)
	}
	if mantissa, e, has := strings.Cut(strings.ToLower(plain), "e"); has {
		n, err := strconv.Atoi(e)
		if err != nil || n < -40 || n > 20 { // a larger one would be worked out digit by digit
			return 0, fmt.Errorf("%q %w", clip(text), errAmount)
		}
		plain, exponent = mantissa, exponent+n
	}
	r, ok := new(big.Rat).SetString(plain)
	if !ok {
		return 0, fmt.Errorf("%q %w", clip(text), errAmount)
	}
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil))
	if exponent < 0 {
		scale.Inv(scale)
	}
	r.Mul(r, scale).Mul(r, new(big.Rat).SetInt64(int64(llm.USD)))
	n, ok := new(big.Int).SetString(r.FloatString(0), 10)
	if !ok || !n.IsInt64() {
		return 0, fmt.Errorf("%q: %w", clip(text), ErrTooLarge)
	}
	return n.Int64(), nil
}

// plainNumber takes the decoration off an amount: "-1234.56", "1.5e-05".
func plainNumber(text string) (string, bool) {
	if len(text) > 100 {
		return "", false
	}
	s := strings.TrimFunc(text, unicode.IsSpace)
	negative := false
	if inner, ok := strings.CutPrefix(s, "("); ok {
		if s, ok = strings.CutSuffix(inner, ")"); !ok {
			return "", false
		}
		negative = true
	}
	s = strings.Map(func(r rune) rune {
		if r == '\u2212' { // the true minus sign
			return '-'
		}
		return r
	}, s)
	if rest, ok := strings.CutPrefix(s, "-"); ok && !negative {
		s, negative = rest, true
	}
	s = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(s), "US"))
	s = strings.TrimSpace(strings.TrimPrefix(s, "$"))
	if low := strings.ToLower(s); strings.HasSuffix(low, "usd") {
		s = strings.TrimSpace(s[:len(s)-3])
	} else if strings.HasPrefix(low, "usd") {
		s = strings.TrimSpace(s[3:])
	}
	if rest, ok := strings.CutPrefix(s, "-"); ok && !negative { // "$-3"
		s, negative = rest, true
	}
	s = strings.Map(func(r rune) rune {
		if r == '\'' || r == '\u2019' || unicode.IsSpace(r) { // 1'234.50, 1 234.50
			return -1
		}
		return r
	}, s)
	s, ok := pointed(s)
	if !ok || s == "" || s[0] != '.' && (s[0] < '0' || s[0] > '9') {
		return "", false
	}
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E':
		case (c == '-' || c == '+') && i > 0 && (s[i-1] == 'e' || s[i-1] == 'E'):
		default:
			return "", false
		}
	}
	if negative {
		s = "-" + s
	}
	return s, true
}

// pointed makes the decimal sign a point and drops thousands separators.
func pointed(s string) (string, bool) {
	comma, point := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch {
	case comma < 0:
		if strings.Count(s, ".") > 1 { // 1.234.567
			return strings.ReplaceAll(s, ".", ""), grouped(s, '.')
		}
		return s, true
	case point > comma: // 1,234.56
		return strings.ReplaceAll(s, ",", ""), grouped(s[:point], ',') && strings.Count(s, ".") == 1
	case point >= 0: // 1.234,56
		return strings.ReplaceAll(s[:comma], ".", "") + "." + s[comma+1:], grouped(s[:comma], '.') && strings.Count(s, ",") == 1
	case grouped(s, ',') && s[0] != '0': // 1,234
		return strings.ReplaceAll(s, ",", ""), true
	default: // 0,25
		return strings.Replace(s, ",", ".", 1), strings.Count(s, ",") == 1
	}
}

// grouped tells whether sign stands before every three digits: "1,234,567".
func grouped(s string, sign byte) bool {
	parts := strings.Split(s, string(sign))
	for i, p := range parts {
		if i > 0 && len(p) != 3 || i == 0 && (p == "" || len(p) > 3 && len(parts) > 1) {
			return false
		}
	}
	return true
}

// clip bounds what is repeated of a report in an error.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
