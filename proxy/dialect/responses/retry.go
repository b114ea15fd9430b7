package responses

import (
	"bytes"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"keytray/proxy/llm"
)

// retryAfter reads how long to wait: retry-after-ms, Retry-After in seconds or
// as a date, or when the limit that was hit is reset.
func retryAfter(h http.Header, kind llm.ErrorKind) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < 1e12 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	now := time.Now()
	if d, err := http.ParseTime(h.Get("Date")); err == nil {
		now = d // the provider's clock made the other dates
	}
	if s := h.Get("Retry-After"); s != "" {
		if n, err := strconv.ParseFloat(s, 64); err == nil && n > 0 && n < 1e9 {
			return time.Duration(n * float64(time.Second))
		}
		if at, err := http.ParseTime(s); err == nil {
			return max(at.Sub(now), 0)
		}
	}
	if kind != llm.RateLimited {
		return 0
	}
	var wait time.Duration
	for _, what := range []string{"Requests", "Tokens"} { // OpenAI, Groq: "6m0s"
		if left := h.Get("X-Ratelimit-Remaining-" + what); left != "" && left != "0" {
			continue
		}
		if d, err := time.ParseDuration(h.Get("X-Ratelimit-Reset-" + what)); err == nil {
			wait = max(wait, d)
		}
	}
	if n, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64); err == nil && wait == 0 && n > 0 {
		switch {
		case n > 1e12: // OpenRouter: milliseconds since 1970
			wait = max(time.UnixMilli(n).Sub(now), 0)
		case n > 1e9:
			wait = max(time.Unix(n, 0).Sub(now), 0)
		default:
			wait = time.Duration(n) * time.Second
		}
	}
	return wait
}

// summary makes a body that is no JSON readable: a page's title or its text.
func summary(body []byte) string {
	if bytes.IndexByte(body, '<') < 0 {
		return shorten(string(body))
	}
	body = body[:min(len(body), 64<<10)]
	lower := bytes.ToLower(body)
	if i := bytes.Index(lower, []byte("<title")); i >= 0 && len(lower) == len(body) {
		if j := bytes.IndexByte(body[i:], '>'); j >= 0 {
			if k := bytes.Index(lower[i+j:], []byte("</title")); k >= 0 {
				if s := shorten(html.UnescapeString(string(body[i+j+1 : i+j+k]))); s != "" {
					return s
				}
			}
		}
	}
	var b strings.Builder
	depth := 0
	for _, c := range body {
		switch {
		case c == '<':
			depth++
			b.WriteByte(' ')
		case c == '>' && depth > 0:
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return shorten(html.UnescapeString(b.String()))
}

const longest = 500 // bytes of a provider's message

// shorten puts a text on one line, and bounds it.
func shorten(s string) string {
	if len(s) > 8*longest {
		s = s[:8*longest]
	}
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) <= longest {
		return s
	}
	s = s[:longest]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + "…"
}
