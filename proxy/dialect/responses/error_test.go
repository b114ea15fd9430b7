package responses

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"keytray/proxy/llm"
)

func TestEncodeError(t *testing.T) {
	for _, tt := range []struct {
		e      *llm.Error
		status int
		want   string
	}{
		{llm.Invalid("input[2].content", "bad \"x\""), 400, `{"error":{"message":"bad \"x\"","type":"invalid_request_error","param":"input[2].content","code":null}}`},
		{&llm.Error{Kind: llm.NotFound, Message: "m"}, 404, `{"error":{"message":"m","type":"invalid_request_error","param":null,"code":"model_not_found"}}`},
		{&llm.Error{Kind: llm.NoCredit, Message: "pay", Status: 429, Provider: "openai"}, 429, `{"error":{"message":"openai: pay","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}`},
	} {
		status, kind, body := Dialect{}.EncodeError(tt.e)
		if status != tt.status || kind != "application/json" || string(body) != tt.want || !json.Valid(body) {
			t.Errorf("%d %s %s\nwant %d %s", status, kind, body, tt.status, tt.want)
		}
	}
}

func TestDecodeError(t *testing.T) {
	for _, tt := range []struct {
		status  int
		body    string
		kind    llm.ErrorKind
		message string
	}{
		{400, `{"error":{"message":"too low","type":"invalid_request_error","param":"max_output_tokens","code":"integer_below_min_value"}}`, llm.BadRequest, "too low"},
		{429, `{"error":{"message":"quota","type":"insufficient_quota","code":"insufficient_quota"}}`, llm.NoCredit, "quota"},
		{502, "<html><title>502 Bad  Gateway</title></html>", llm.ServerError, "502 Bad Gateway"}, // J9
		{504, "", llm.Timeout, "status 504 (Gateway Timeout)"},
	} {
		e := Dialect{}.DecodeError(tt.status, http.Header{"Retry-After": {"2"}}, []byte(tt.body))
		if e.Status != tt.status || e.Kind != tt.kind || e.Message != tt.message || e.Outbound != "responses" || e.RetryAfter != 2*time.Second {
			t.Errorf("%s: %+v", tt.body, e)
		}
	}
}
