// Package view turns what app knows into what a face says: strings, bars and
// states. Everything in it is pure: it reads no clock and waits for nothing, so
// a screen and a command that show the same thing say it in the same words.
package view

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"keytray/app"
)

const (
	picoPerUSD  = 1_000_000_000_000
	picoPerCent = picoPerUSD / 100
	picoPerTiny = picoPerUSD / 10_000 // the least that is shown in digits
)

// Money writes an exact amount in pico-USD for reading: "$4.21", "$1,204.50",
// four decimals below a cent ("$0.0035"), "<$0.0001" for less, and "$0.00" for
// a true zero only. It rounds half up. An unknown amount is not an amount: see
// Cost and Spent.
func Money(pico int64) string {
	if pico < 0 {
		return "-" + Money(-max(pico, -1<<63+1))
	}
	switch {
	case pico == 0:
		return "$0.00"
	case pico < picoPerTiny:
		return "<$0.0001"
	}
	if tiny := (uint64(pico) + picoPerTiny/2) / picoPerTiny; tiny < 100 {
		return fmt.Sprintf("$0.%04d", tiny)
	}
	cents := (uint64(pico) + picoPerCent/2) / picoPerCent
	return fmt.Sprintf("$%s.%02d", grouped(cents/100), cents%100)
}

// Cost writes what one attempt cost, and how far that can be trusted: "$0.04",
// "~$0.04 estimated", "at least $0.04", or "unpriced" where no price is known.
func Cost(r app.Row) string {
	if r.Status == "running" {
		return ""
	}
	if r.CostPico == nil {
		return "unpriced"
	}
	return trusted(Money(*r.CostPico), string(r.CostKind))
}

func trusted(money, kind string) string {
	switch kind {
	case "estimated":
		return "~" + money + " estimated"
	case "at_least":
		return "at least " + money
	case "unpriced":
		return "unpriced"
	default: // exact and stated are simply what it cost
		return money
	}
}

// Spent writes a sum of costs: "$4.21", "2 unpriced" where nothing else is
// known, "$4.21 + 2 unpriced", with the estimates named.
func Spent(s app.Sum) string {
	var parts []string
	if s.CostPico != 0 || s.Unpriced == 0 || s.Unpriced < s.Calls {
		parts = append(parts, Money(s.CostPico))
	}
	if s.Unpriced > 0 {
		parts = append(parts, unpriced(s.Unpriced))
	}
	text := strings.Join(parts, " + ")
	if note := Doubts(s); note != "" {
		text += " (" + note + ")"
	}
	return text
}

// Doubts names the costs in a sum that are not exact: "3 estimated, 1 at
// least"; "" if there are none. Unpriced ones are not in it.
func Doubts(s app.Sum) string {
	var parts []string
	if s.Estimated > 0 {
		parts = append(parts, Count(s.Estimated)+" estimated")
	}
	if s.AtLeast > 0 {
		parts = append(parts, Count(s.AtLeast)+" at least")
	}
	return strings.Join(parts, ", ")
}

// Sentence says a sum in a line: "Today $0.04 · 15K tokens".
func Sentence(when string, s app.Sum) string {
	text := when + " " + Spent(s)
	if n := TokensOf(s.Usage); n > 0 {
		text += " · " + Tokens(n) + " tokens"
	}
	return text
}

// TokensOf is how many tokens a usage counts, in and out. Reasoning is a part
// of the output.
func TokensOf(u app.Usage) int64 { return TokensIn(u) + TokensOut(u) }

// TokensIn is how many tokens went in, the cached ones included.
func TokensIn(u app.Usage) int64 {
	return u.Input + u.CacheRead + u.CacheWrite5m + u.CacheWrite1h + u.AudioInput + u.AudioCacheRead + u.ImageInput + u.ImageCacheRead
}

// TokensOut is how many tokens came out.
func TokensOut(u app.Usage) int64 { return u.Output + u.AudioOutput + u.ImageOutput }

// TokensCached is how many of the tokens that went in were read from a cache.
func TokensCached(u app.Usage) int64 { return u.CacheRead + u.AudioCacheRead + u.ImageCacheRead }

// Tick writes a round value in USD beside an axis whose values are step apart:
// whole dollars, or two decimals, or more where the step needs them, so that all
// values of an axis have as many. A step of 0 is that of an axis with one value.
func Tick(usd, step float64) string {
	if step == math.Trunc(step) {
		return "$" + Count(int64(usd))
	}
	decimals := 2
	for ; decimals < 12; decimals++ {
		n := step * math.Pow(10, float64(decimals))
		if whole := math.Round(n); whole >= 1 && math.Abs(n-whole) < 1e-6 {
			break
		}
	}
	return fmt.Sprintf("$%.*f", decimals, usd)
}

// Tokens writes a count in three digits or fewer: "0", "999", "1.5K", "15K",
// "2.4M", "31B".
func Tokens(n int64) string {
	if n < 0 {
		return "-" + Tokens(-max(n, -1<<63+1))
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10)
	}
	f := float64(n)
	for _, unit := range []string{"K", "M", "B"} {
		f /= 1000
		switch {
		case f < 9.95:
			return strings.TrimSuffix(fmt.Sprintf("%.1f", f), ".0") + unit
		case f < 999.5:
			return fmt.Sprintf("%.0f%s", f, unit)
		}
	}
	return fmt.Sprintf("%sT", grouped(uint64(f/1000+0.5)))
}

// Count writes a number in full: "12,345".
func Count(n int64) string {
	if n < 0 {
		return "-" + grouped(uint64(-max(n, -1<<63+1)))
	}
	return grouped(uint64(n))
}

// Plural counts things: "1 call", "2 calls".
func Plural(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + one + "s"
}

func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Ago says how long before now t was: "just now", "40 s ago", "3 min ago",
// "2 h ago", then the local day: "yesterday", "12 Nov", "12 Nov 2025". A time
// ahead of now, as after a clock was set back, is "just now". The zero time is
// "never".
func Ago(now, t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	d := now.Sub(t)
	switch {
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", d/time.Minute)
	}
	t = t.In(now.Location())
	today := app.Day(now)
	switch {
	case !t.Before(today):
		return fmt.Sprintf("%d h ago", d/time.Hour)
	case !t.Before(app.Day(today.Add(-time.Hour))):
		return "yesterday " + t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("2 Jan")
	default:
		return t.Format("2 Jan 2006")
	}
}

// Took writes a span of time in two figures or so: "4 ms", "240 ms", "1.2 s",
// "15 s", "1 min 5 s", "2 h 3 min". A negative one is unknown, and "".
func Took(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Millisecond:
		return "<1 ms"
	case d < 999500*time.Microsecond:
		return fmt.Sprintf("%d ms", d.Round(time.Millisecond)/time.Millisecond)
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	default:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
}

// Clip bounds a text that others chose to n characters, on one line.
func Clip(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:max(n-1, 0)]) + "…"
}
