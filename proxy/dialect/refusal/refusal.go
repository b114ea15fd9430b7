// Package refusal reads what servers of any dialect say when they refuse: how
// long to wait, and bodies that are of no dialect, such as a proxy's web page.
package refusal

import (
	"bytes"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Longest is how much is kept of a provider's own words, in bytes.
const Longest = 500

// Bound cuts a text off after Longest.
func Bound(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= Longest {
		return s
	}
	end := Longest
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// Line is Bound of a text that is put on one line.
func Line(s string) string {
	return Bound(strings.Join(strings.Fields(s[:min(len(s), 64<<10)]), " "))
}

var (
	hiddenTags = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)\s*>`)
	titleTag   = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	anyTag     = regexp.MustCompile(`(?s)<[^>]*>`)
)

// Title is a Line with a web page's title; "" if the body is no page with one.
func Title(body []byte) string {
	b := start(body)
	if t := titleTag.FindSubmatch(b); t != nil && b[0] == '<' {
		return Line(html.UnescapeString(string(t[1])))
	}
	return ""
}

// Plain is a Line of what a person would read of a body: a web page's title,
// else its text without tags; any other body's own text.
func Plain(body []byte) string {
	b := start(body)
	if !bytes.HasPrefix(b, []byte("<")) {
		return Line(string(b))
	}
	if t := Title(b); t != "" {
		return t
	}
	b = anyTag.ReplaceAll(hiddenTags.ReplaceAll(b, []byte(" ")), []byte(" "))
	return Line(html.UnescapeString(string(b)))
}

// start is as much of a body as is looked at.
func start(body []byte) []byte { return bytes.TrimSpace(body[:min(len(body), 64<<10)]) }

// Clock is the time by the provider's clock, which made the other dates of its
// headers; ours if it names none.
func Clock(h http.Header) time.Time {
	if at, err := http.ParseTime(h.Get("Date")); err == nil {
		return at
	}
	return time.Now()
}

// RetryAfter is how long HTTP says to wait: Retry-After-Ms, or Retry-After in
// seconds or as a date. 0 is that nothing was said, or nothing that can be
// waited for.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	s := h.Get("Retry-After")
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return seconds(n)
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

func seconds(n float64) time.Duration {
	if !(n > 0) {
		return 0
	}
	return time.Duration(min(n, 1e9) * float64(time.Second))
}
