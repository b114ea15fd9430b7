package upstream

import "net/http"

// passed are the client's headers that a provider of the same dialect gets.
// All others stay here: the client's Authorization is a local token, and
// cookies, Forwarded and the like are nobody's business.
var passed = []string{
	"User-Agent", "Idempotency-Key", "Openai-Beta", "Anthropic-Beta", "Anthropic-Version",
	"Http-Referer", "X-Title", "X-Session-Id",
}

// passHeaders adds the client's headers that may go on.
func passHeaders(to, from http.Header, translated bool) {
	if translated {
		to["User-Agent"] = []string{"Keytray"}
		return
	}
	for _, k := range passed {
		if v := from[k]; v != nil {
			to[k] = v
		}
	}
	if to["User-Agent"] == nil {
		to["User-Agent"] = []string{"Keytray"}
	}
}
