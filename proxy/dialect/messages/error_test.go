package messages

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

func TestDecodeError(t *testing.T) {
	own := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"req_1"}`
	}
	for _, c := range []struct {
		status  int
		body    string
		kind    llm.ErrorKind
		message string
		code    string
	}{
		{400, own("invalid_request_error", "max_tokens: required"), llm.BadRequest, "max_tokens: required", "invalid_request_error"},
		{400, own("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), llm.NoCredit, "Your credit balance is too low to access the Anthropic API.", "invalid_request_error"},
		{400, own("invalid_request_error", "You have reached your specified API usage limits."), llm.NoCredit, "You have reached your specified API usage limits.", "invalid_request_error"},
		{401, own("authentication_error", "invalid x-api-key"), llm.Unauthorized, "invalid x-api-key", "authentication_error"},
		{402, own("billing_error", "x"), llm.NoCredit, "x", "billing_error"},
		{403, own("permission_error", "x"), llm.Forbidden, "x", "permission_error"},
		{404, own("not_found_error", "model: claude-9"), llm.NotFound, "model: claude-9", "not_found_error"},
		{413, own("request_too_large", "x"), llm.TooLarge, "x", "request_too_large"},
		{429, own("rate_limit_error", "x"), llm.RateLimited, "x", "rate_limit_error"},
		{500, own("api_error", "x"), llm.ServerError, "x", "api_error"},
		{504, own("timeout_error", "x"), llm.Timeout, "x", "timeout_error"},
		{529, own("overloaded_error", "Overloaded"), llm.Overloaded, "Overloaded", "overloaded_error"},
		{0, own("overloaded_error", "Overloaded"), llm.Overloaded, "Overloaded", "overloaded_error"},
		{0, own("later_error", "x"), llm.ServerError, "x", "later_error"},
		{429, `{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded","param":"p"}}`, llm.RateLimited, "slow", "rate_limit_exceeded"},
		{400, `{"error":{"code":1210,"message":"bad"}}`, llm.BadRequest, "bad", "1210"},
		{403, `{"message":"no access"}`, llm.Forbidden, "no access", ""},
		{404, `{"detail":"Not Found"}`, llm.NotFound, "Not Found", ""},
		{500, `{"error":"boom"}`, llm.ServerError, "boom", ""},
		{500, `{"odd":1}`, llm.ServerError, `{"odd":1}`, ""},
		{502, `{"broken`, llm.ServerError, `{"broken`, ""},
		{502, "<html><head><title>502 Bad\n Gateway</title></head><body>nginx</body></html>", llm.ServerError, "502 Bad Gateway", ""},
		{503, "<!doctype html><style>p{}</style><p>Busy &amp; closed</p>", llm.Overloaded, "Busy & closed", ""},
		{503, "upstream connect error", llm.Overloaded, "upstream connect error", ""},
		{529, "", llm.Overloaded, "the provider refused without a reason (HTTP 529)", ""},
		{500, strings.Repeat("é", 400), llm.ServerError, strings.Repeat("é", 250) + "…", ""},
	} { // J9
		e := Dialect{}.DecodeError(c.status, http.Header{}, []byte(c.body))
		if e.Kind != c.kind || e.Message != c.message || e.Code != c.code || e.Status != c.status || e.Outbound != name || string(e.Raw) != c.body {
			t.Errorf("%d %s:\n%+v", c.status, c.body, e)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	h := func(kv ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(kv); i += 2 {
			h.Set(kv[i], kv[i+1])
		}
		return h
	}
	for i, c := range []struct {
		header http.Header
		want   time.Duration
	}{
		{nil, 0},
		{h("retry-after", "7"), 7 * time.Second},
		{h("retry-after", "7", "retry-after-ms", "1500"), 1500 * time.Millisecond},
		{h("retry-after", "Sat, 21 Nov 2026 12:01:00 GMT"), time.Minute},
		{h("retry-after", "Sat, 21 Nov 2026 11:00:00 GMT"), 0},
		{h("retry-after", "-3"), 0},
		{h("retry-after", "NaN"), 0},
		{h("retry-after", "1e30"), 24 * time.Hour},
		{h("retry-after", "soon"), 0},
		{h("anthropic-ratelimit-requests-remaining", "5", "anthropic-ratelimit-requests-reset", "2026-11-21T12:05:00Z",
			"anthropic-ratelimit-input-tokens-remaining", "0", "anthropic-ratelimit-input-tokens-reset", "2026-11-21T12:00:30Z"), 30 * time.Second},
	} {
		if got := retryAfter(c.header, now); got != c.want {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
}

func FuzzDecodeError(f *testing.F) {
	f.Add(500, []byte(`{"type":"error","error":{"type":"api_error","message":"x"}}`))
	f.Add(502, []byte("<html><title>x</title>"))
	f.Add(0, []byte(`{"error":{"message":{}}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		e := Dialect{}.DecodeError(status, nil, body)
		if e.Message == "" || len(e.Message) > refusal.Longest+len("…") || e.Kind == "" {
			t.Fatalf("%+v", e)
		}
	})
}
