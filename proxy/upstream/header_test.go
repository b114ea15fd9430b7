package upstream

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// K7: what a client says of its model and itself goes on; who it is and where
// it calls from does not.
func TestPassHeaders(t *testing.T) {
	client := http.Header{}
	for _, k := range strings.Fields(`
		anthropic-version anthropic-beta anthropic-dangerous-direct-browser-access anthropic-later
		x-stainless-lang x-stainless-retry-count x-app x-claude-code-session-id x-later user-agent x-session-id idempotency-key

		authorization x-api-key x-goog-api-key cookie set-cookie proxy-authorization host connection te trailer upgrade
		forwarded via x-forwarded-for x-forwarded-host x-real-ip x-client-ip x-original-url x-http-method-override
		x-auth-token x-keytray-token x-csrf-token x-amz-date x-amzn-trace-id x-ms-client-principal x-user-email
		anthropic-api-key content-length content-encoding accept accept-encoding origin referer sec-fetch-mode`) {
		client.Set(k, "v")
	}
	to := http.Header{"Anthropic-Version": {"2023-06-01"}, "Accept": {"own"}}
	passHeaders(to, client, false)
	want := strings.Fields("Accept Anthropic-Beta Anthropic-Dangerous-Direct-Browser-Access Anthropic-Later Anthropic-Version Idempotency-Key " +
		"User-Agent X-App X-Claude-Code-Session-Id X-Later X-Session-Id X-Stainless-Lang X-Stainless-Retry-Count")
	if got := slices.Sorted(maps.Keys(to)); !slices.Equal(got, want) {
		t.Errorf("passed %q\nwant   %q", got, want)
	}
	if to.Get("Accept") != "own" || to.Get("Anthropic-Version") != "v" {
		t.Error(to)
	}

	client.Del("Anthropic-Version") // another dialect's client
	to = http.Header{}
	passHeaders(to, client, false)
	if to.Get("X-Later") != "" || to.Get("X-Session-Id") == "" {
		t.Error(to)
	}
	to = http.Header{"Anthropic-Version": {"2023-06-01"}}
	passHeaders(to, client, true)
	if len(to) != 2 || to.Get("User-Agent") != "Keytray" || to.Get("Anthropic-Version") != "2023-06-01" {
		t.Errorf("translated: %v", to)
	}
}
