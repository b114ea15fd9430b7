package gemini_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func TestErrors(t *testing.T) { // J9
	object := func(status, message, details string) string {
		return `{"error":{"code":400,"message":"` + message + `","status":"` + status + `","details":[` + details + `]}}`
	}
	const retry = `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.5s"}`
	for _, tt := range []struct {
		name    string
		status  int
		header  string // "Name: value"
		body    string
		kind    llm.ErrorKind
		code    string
		message string
		wait    time.Duration
	}{
		{"a bad key is a 400", 400, "", object("INVALID_ARGUMENT", "Please pass a valid key.", `{"@type":"x/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`), llm.Unauthorized, "API_KEY_INVALID", "Please pass a valid key.", 0},
		{"a bad key, told in words", 400, "", object("INVALID_ARGUMENT", "API key expired. Please renew it.", ""), llm.Unauthorized, "INVALID_ARGUMENT", "API key expired. Please renew it.", 0},
		{"an array", 400, "", "[" + object("INVALID_ARGUMENT", "Bad.", "") + "\n]", llm.BadRequest, "INVALID_ARGUMENT", "Bad.", 0},
		{"quota", 429, "", object("RESOURCE_EXHAUSTED", "Quota exceeded.", retry), llm.RateLimited, "RESOURCE_EXHAUSTED", "Quota exceeded.", 34500 * time.Millisecond},
		{"the header counts first", 429, "Retry-After: 7", object("RESOURCE_EXHAUSTED", "Quota exceeded.", retry), llm.RateLimited, "RESOURCE_EXHAUSTED", "Quota exceeded.", 7 * time.Second},
		{"milliseconds", 503, "Retry-After-Ms: 1500", "", llm.Overloaded, "", "HTTP 503 Service Unavailable, without a message", 1500 * time.Millisecond},
		{"a date that is past", 503, "Retry-After: Mon, 02 Jan 2006 15:04:05 GMT", "", llm.Overloaded, "", "HTTP 503 Service Unavailable, without a message", 0},
		{"no money", 429, "", object("RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", ""), llm.NoCredit, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", 0},
		{"not on the free tier", 429, "", object("RESOURCE_EXHAUSTED", "Quota exceeded for metric x, limit: 0, model: y", retry), llm.NoCredit, "RESOURCE_EXHAUSTED", "Quota exceeded for metric x, limit: 0, model: y", 34500 * time.Millisecond},
		{"the country", 400, "", object("FAILED_PRECONDITION", "User location is not supported for the API use.", ""), llm.Forbidden, "FAILED_PRECONDITION", "User location is not supported for the API use.", 0},
		{"permission", 403, "", object("PERMISSION_DENIED", "No.", `{"reason":"SERVICE_DISABLED"}`), llm.Forbidden, "SERVICE_DISABLED", "No.", 0},
		{"no such model", 404, "", object("NOT_FOUND", "models/x is not found", ""), llm.NotFound, "NOT_FOUND", "models/x is not found", 0},
		{"a token", 401, "", object("UNAUTHENTICATED", "No.", ""), llm.Unauthorized, "UNAUTHENTICATED", "No.", 0},
		{"busy", 503, "", object("UNAVAILABLE", "Busy.", ""), llm.Overloaded, "UNAVAILABLE", "Busy.", 0},
		{"late", 504, "", object("DEADLINE_EXCEEDED", "Late.", ""), llm.Timeout, "DEADLINE_EXCEEDED", "Late.", 0},
		{"inside", 500, "", object("INTERNAL", "Oops.", ""), llm.ServerError, "INTERNAL", "Oops.", 0},
		{"too large", 400, "", object("INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.", ""), llm.TooLarge, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes.", 0},
		{"OpenAI's shape", 401, "", `{"error":{"message":"Bad key","type":"auth","code":"bad"}}`, llm.Unauthorized, "auth", "Bad key", 0},
		{"words", 500, "", `{"error":"oops"}`, llm.ServerError, "", "oops", 0},
		{"a message", 400, "", `{"message":"oops"}`, llm.BadRequest, "", "oops", 0},
		{"a detail", 422, "", `{"detail":"oops"}`, llm.BadRequest, "", "oops", 0},
		{"a page", 502, "", "<!DOCTYPE html><html><head><title>502 Bad\nGateway &amp; so</title><style>a{}</style></head>", llm.ServerError, "", "502 Bad Gateway & so", 0},
		{"a page without a title", 500, "", "<html><script>x()</script><body><h1>Oh</h1> no</body></html>", llm.ServerError, "", "Oh no", 0},
		{"plain text", 413, "", "too  much\n", llm.TooLarge, "", "too much", 0},
		{"nothing", 500, "", "", llm.ServerError, "", "HTTP 500 Internal Server Error, without a message", 0},
		{"broken JSON", 500, "", `{"error":{"me`, llm.ServerError, "", "HTTP 500 Internal Server Error, without a message", 0},
		{"a redirect", 302, "", "", llm.Garbage, "", "HTTP 302 Found, without a message", 0},
	} {
		h := http.Header{}
		if k, v, ok := strings.Cut(tt.header, ": "); ok {
			h.Set(k, v)
		}
		e := out.DecodeError(tt.status, h, []byte(tt.body))
		if e.Kind != tt.kind || e.Code != tt.code || e.Message != tt.message || e.RetryAfter != tt.wait || e.Status != tt.status || e.Outbound != "gemini" || string(e.Raw) != tt.body {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
	e := out.DecodeError(400, nil, []byte(object("INVALID_ARGUMENT", "Bad.", `{"fieldViolations":[{"field":"contents[0].parts","description":"d"}]}`)))
	if e.Param != "contents[0].parts" {
		t.Errorf("param %q", e.Param)
	}
	e = out.DecodeError(500, nil, []byte(strings.Repeat("é", 1000)))
	if len(e.Message) > 510 || !strings.HasSuffix(e.Message, "é…") {
		t.Errorf("%d bytes: %s", len(e.Message), e.Message)
	}
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if e := out.DecodeError(503, http.Header{"Retry-After": {at}}, nil); e.RetryAfter < 50*time.Minute || e.RetryAfter > time.Hour {
		t.Error(e.RetryAfter)
	}
}
