package openai

import (
	"net/http"
	"strconv"
	"time"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

// retryAfter is how long to wait: as HTTP says, or until the limit that was hit
// is reset.
func retryAfter(h http.Header, kind llm.ErrorKind) time.Duration {
	now := refusal.Clock(h)
	wait := refusal.RetryAfter(h, now)
	if wait > 0 || kind != llm.RateLimited {
		return wait
	}
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

// retryDelay is Google's hint: details[{"@type": ...RetryInfo, "retryDelay": "34s"}].
func retryDelay(o map[string]any) time.Duration {
	details, _ := o["details"].([]any)
	for _, d := range details {
		if m, ok := d.(map[string]any); ok {
			if wait, err := time.ParseDuration(str(m["retryDelay"])); err == nil && wait > 0 {
				return wait
			}
		}
	}
	return 0
}
