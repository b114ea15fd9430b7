package openai

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/dialect/refusal"
	"keytray/proxy/llm"
)

func TestEncodeError(t *testing.T) {
	for _, tt := range []struct {
		e      *llm.Error
		status int
		want   string
	}{
		{llm.Invalid("messages[2].content", "bad \"x\""), 400, `{"error":{"message":"bad \"x\"","type":"invalid_request_error","param":"messages[2].content","code":null}}`},
		{&llm.Error{Kind: llm.Unauthorized, Message: "no", Provider: "openai", Status: 401}, 401, `{"error":{"message":"openai: no","type":"authentication_error","param":null,"code":"invalid_api_key"}}`},
		{&llm.Error{Kind: llm.RateLimited, Message: "slow"}, 429, `{"error":{"message":"slow","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`},
		{&llm.Error{Kind: llm.NoCredit, Message: "pay", Status: 429, Code: "insufficient_quota"}, 429, `{"error":{"message":"pay","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`},
		{&llm.Error{Kind: llm.Overloaded, Message: "busy", Status: 529}, 529, `{"error":{"message":"busy","type":"server_error","param":null,"code":"overloaded"}}`},
		{&llm.Error{Kind: llm.Cut, Message: "cut"}, 502, `{"error":{"message":"cut","type":"server_error","param":null,"code":"cut"}}`},
		{&llm.Error{Kind: llm.NotFound, Message: "m"}, 404, `{"error":{"message":"m","type":"invalid_request_error","param":null,"code":"model_not_found"}}`},
	} {
		status, kind, body := EncodeError("chat", tt.e)
		if status != tt.status || kind != "application/json" || string(body) != tt.want || !json.Valid(body) {
			t.Errorf("%d %s %s\nwant %d %s", status, kind, body, tt.status, tt.want)
		}
	}
}

func TestDecodeError(t *testing.T) {
	for _, tt := range []struct {
		status              int
		body                string
		kind                llm.ErrorKind
		message, code, parm string
	}{
		{401, `{"error":{"message":"Incorrect API key","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`, llm.Unauthorized, "Incorrect API key", "invalid_api_key", ""},
		{429, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`, llm.NoCredit, "You exceeded your current quota", "insufficient_quota", ""},
		{429, `{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}`, llm.RateLimited, "slow", "rate_limit_exceeded", ""},
		{400, `{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, llm.BadRequest, "too long", "context_length_exceeded", "messages"},
		{400, `{"error":{"code":"content_filter","message":"blocked","status":400}}`, llm.Filtered, "blocked", "content_filter", ""},
		{404, `{"error":{"message":"model 'nope' not found","type":"api_error","param":null,"code":null}}`, llm.NotFound, "model 'nope' not found", "api_error", ""},
		{400, `[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]`, llm.BadRequest, "bad", "INVALID_ARGUMENT", ""},
		{503, `{"error":{"code":503,"message":"high demand","status":"UNAVAILABLE"}}`, llm.Overloaded, "high demand", "UNAVAILABLE", ""},
		{402, `{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}`, llm.NoCredit, "Insufficient Balance", "invalid_request_error", ""},
		{429, `{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"{\"error\":{\"message\":\"try later\"}}","provider_name":"Google"}}}`, llm.RateLimited, "Google: try later", "", ""},
		{422, `{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"value_error"}]}`, llm.BadRequest, "body.messages.0: field required", "", ""},
		{400, `{"object":"error","message":"max_tokens","type":"BadRequestError","param":null,"code":400}`, llm.BadRequest, "max_tokens", "BadRequestError", ""},
		{404, `{"error":"model not loaded"}`, llm.NotFound, "model not loaded", "", ""},
		{502, "<html><head><title>502 Bad  Gateway</title></head><body>x</body></html>", llm.ServerError, "502 Bad Gateway", "", ""}, // J9
		{503, "<h1>Busy</h1>\n<p>a &amp; b</p>", llm.Overloaded, "Busy a & b", "", ""},
		{500, "upstream connect error", llm.ServerError, "upstream connect error", "", ""},
		{504, "", llm.Timeout, "status 504 (Gateway Timeout)", "", ""},
		{500, "{}", llm.ServerError, "{}", "", ""},
		{302, "", llm.Garbage, "status 302 (Found)", "", ""},
		{529, `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`, llm.Overloaded, "Overloaded", "overloaded_error", ""},
	} {
		e := DecodeError("chat", tt.status, nil, []byte(tt.body))
		if e.Status != tt.status || e.Kind != tt.kind || e.Message != tt.message || e.Code != tt.code || e.Param != tt.parm || e.Outbound != "chat" || string(e.Raw) != tt.body {
			t.Errorf("%s\n got %q %q %q %q", tt.body, e.Kind, e.Message, e.Code, e.Param)
		}
	}
	if e := DecodeError("chat", 500, nil, []byte(strings.Repeat("é", 5000))); len(e.Message) > refusal.Longest+3 {
		t.Errorf("%d bytes of message", len(e.Message))
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Sat, 21 Nov 2026 12:00:00 GMT"
	for _, tt := range []struct {
		status int
		h      map[string]string
		body   string
		want   time.Duration
	}{
		{429, map[string]string{"Retry-After": "20"}, "", 20 * time.Second},
		{503, map[string]string{"Retry-After": "1.5"}, "", 1500 * time.Millisecond},
		{429, map[string]string{"Retry-After": "20", "Retry-After-Ms": "250"}, "", 250 * time.Millisecond},
		{429, map[string]string{"Retry-After": "Sat, 21 Nov 2026 12:01:00 GMT", "Date": date}, "", time.Minute},
		{429, map[string]string{"Retry-After": "Sat, 21 Nov 2026 11:00:00 GMT", "Date": date}, "", 0},
		{429, map[string]string{"X-Ratelimit-Remaining-Tokens": "0", "X-Ratelimit-Reset-Tokens": "6m0s", "X-Ratelimit-Remaining-Requests": "9", "X-Ratelimit-Reset-Requests": "1h"}, "", 6 * time.Minute},
		{429, map[string]string{"X-Ratelimit-Reset": "1795262430000", "Date": date}, "", 30 * time.Second},
		{429, nil, `{"error":{"message":"x","details":[{"@type":"RetryInfo","retryDelay":"34s"}]}}`, 34 * time.Second},
		{400, map[string]string{"X-Ratelimit-Reset-Tokens": "6m0s"}, "", 0},
		{429, map[string]string{"Retry-After": "soon"}, "", 0},
	} {
		h := http.Header{}
		for k, v := range tt.h {
			h.Set(k, v)
		}
		if e := DecodeError("chat", tt.status, h, []byte(tt.body)); e.RetryAfter != tt.want {
			t.Errorf("%v %s: %v, want %v", tt.h, tt.body, e.RetryAfter, tt.want)
		}
	}
}
