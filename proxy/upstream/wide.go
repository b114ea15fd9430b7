package upstream

import (
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
)

// withheld are the headers that never go on, however much is let through:
// about one connection, about the client's way here, or a token.
var withheld = []string{
	"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Host", "Content-Length", "Accept-Encoding",
	"Authorization", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "Ocp-Apim-Subscription-Key", "X-Auth-Token", "Cookie", "Cookie2",
	"Forwarded", "X-Real-Ip", "Via", "Origin", "Referer", "Dnt", "True-Client-Ip", "Cf-Connecting-Ip",
}

// passWide adds all of the client's headers but those that are withheld. What
// the provider's entry sets stays, but for what any client may set.
func passWide(to, from http.Header) {
	named := map[string]bool{} // headers that Connection says are for Keytray alone
	for _, v := range from["Connection"] {
		for k := range strings.SplitSeq(v, ",") {
			named[textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(k))] = true
		}
	}
	for k, v := range from {
		switch {
		case slices.Contains(withheld, k), named[k], to[k] != nil && !slices.Contains(passed, k) && !strings.HasPrefix(k, "Anthropic-"),
			credential(k), strings.HasPrefix(k, "Proxy-"), strings.HasPrefix(k, "Sec-"),
			strings.HasPrefix(k, "X-Forwarded-"), strings.HasPrefix(k, "Keytray-"), strings.HasPrefix(k, "Access-Control-"):
		default:
			to[k] = v
		}
	}
	if to["User-Agent"] == nil {
		to["User-Agent"] = []string{"Keytray"}
	}
}

// credential tells a header that, by its name, shows who calls.
func credential(k string) bool {
	low := strings.ToLower(k)
	for _, word := range []string{"api-key", "apikey", "token", "secret", "authoriz", "cookie", "password", "credential"} {
		if strings.Contains(low, word) {
			return true
		}
	}
	return false
}

// WithoutKey is a raw query without its key parameters, in which clients of
// Gemini send their token. All else stays byte for byte.
func WithoutKey(query string) string {
	if !strings.Contains(query, "key") && !strings.Contains(query, "%") {
		return query
	}
	var kept []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if n, err := url.QueryUnescape(name); err != nil || n != "key" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}
