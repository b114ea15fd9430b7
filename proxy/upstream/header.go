package upstream

import (
	"net/http"
	"strings"
)

// passed are the client's headers that a provider of the same dialect gets.
// Nearly all others stay here: the client's Authorization is a local token,
// and cookies, Forwarded and the like are nobody's business.
var passed = []string{
	"User-Agent", "Idempotency-Key", "Openai-Beta",
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
	passAnthropic(to, from)
	if to["User-Agent"] == nil {
		to["User-Agent"] = []string{"Keytray"}
	}
}

// passAnthropic hands on what Anthropic's clients tell it: betas, the version
// of its API, which they always name, and facts about themselves, known or yet
// to come.
func passAnthropic(to, from http.Header) {
	client := from["Anthropic-Version"] != nil
	for k, v := range from {
		if strings.HasPrefix(k, "Anthropic-") && !secretive(k) || client && strings.HasPrefix(k, "X-") && harmless(k) {
			to[k] = v
		}
	}
}

// harmless tells an X- header of a client from one that names a key, who
// calls, from where or on whose behalf, and from those of gateways.
func harmless(k string) bool {
	for _, gateway := range []string{"X-Keytray-", "X-Amz", "X-Goog-", "X-Ms-", "X-Azure-", "X-Envoy-", "X-B3-", "X-Cloud-", "X-Vercel-", "X-Original-", "X-Http-Method"} {
		if strings.HasPrefix(k, gateway) {
			return false
		}
	}
	return !secretive(k)
}

func secretive(k string) bool {
	low := strings.ToLower(k)
	for _, word := range []string{"key", "token", "secret", "auth", "cookie", "password", "credential", "csrf", "xsrf", "signature", "forward", "proxy", "real-ip", "client-ip", "remote", "host", "user", "email"} {
		if strings.Contains(low, word) {
			return true
		}
	}
	return false
}
