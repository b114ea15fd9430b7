package ollama_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/llm"
)

// TestErrors reads refusals of the server (server/routes.go) and of what may
// stand before it. J9.
func TestErrors(t *testing.T) {
	date := "Sat, 21 Nov 2026 04:43:35 GMT"
	for _, c := range []struct {
		name   string
		status int
		header string // "Name: value", separated by |
		body   string
		kind   llm.ErrorKind
		code   string
		says   string
		wait   time.Duration
	}{
		{"no such model", 404, "", `{"error":"model 'nope' not found"}`, llm.NotFound, "model_not_found", "model 'nope' not found; get it with `ollama pull`", 0},
		{"no such model, in a stream", 0, "", `{"error":"model \"a\" not found, try pulling it first"}`, llm.NotFound, "model_not_found", "model \"a\" not found, try pulling it first; get it with `ollama pull`", 0},
		{"no such page", 404, "", "404 page not found", llm.NotFound, "", "404 page not found", 0},
		{"no tools", 400, "", `{"error":"registry.ollama.ai/library/x:latest does not support tools"}`, llm.BadRequest, "", "registry.ollama.ai/library/x:latest does not support tools", 0},
		{"no levels", 400, "", `{"error":"think value \"low\" is not supported for this model"}`, llm.BadRequest, "", `think value "low" is not supported for this model`, 0},
		{"too long", 500, "", `{"error":"the input length exceeds the context length"}`, llm.BadRequest, "context_length_exceeded", "the input length exceeds the context length", 0},
		{"busy", 503, "Retry-After: 2", `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, llm.Overloaded, "", "server busy, please try again. maximum pending requests exceeded", 2 * time.Second},
		{"no memory", 500, "", `{"error":"model requires more system memory (9 GiB) than is available (1 GiB)"}`, llm.ServerError, "", "model requires more system memory (9 GiB) than is available (1 GiB)", 0},
		{"cloud, signed out", 401, "", `{"error":"unauthorized","signin_url":"https://x/connect?key=1"}`, llm.Unauthorized, "", "unauthorized; sign in to Ollama's cloud with `ollama signin`", 0},
		{"cloud, off", 403, "", `{"error":"ollama cloud is disabled: remote model is unavailable"}`, llm.Forbidden, "", "ollama cloud is disabled: remote model is unavailable", 0},
		{"cloud, too much", 429, "Retry-After-Ms: 1500", `{"StatusCode":429,"Status":"429 Too Many Requests","error":"slow down"}`, llm.RateLimited, "", "slow down", 1500 * time.Millisecond},
		{"a date", 429, "Date: " + date + "|Retry-After: Sat, 21 Nov 2026 04:43:45 GMT", `{"error":"slow down"}`, llm.RateLimited, "", "slow down", 10 * time.Second},
		{"a date of yesterday", 429, "Date: " + date + "|Retry-After: Fri, 20 Nov 2026 04:43:45 GMT", `{"error":"slow down"}`, llm.RateLimited, "", "slow down", 0},
		{"another shape", 402, "", `{"error":{"message":"pay first","type":"x"}}`, llm.NoCredit, "", "pay first", 0},
		{"a page", 502, "", "<!doctype html><HTML><head><Title lang=en>Bad &amp; broken\n gateway</Title>", llm.ServerError, "", "Bad & broken gateway", 0},
		{"a page without a title", 502, "", "<p>x</p>", llm.ServerError, "", "a web page came instead of an answer", 0},
		{"nothing", 500, "", "", llm.ServerError, "", "Ollama refused without a reason: 500 Internal Server Error", 0},
		{"nothing at all", 0, "", `{"error":""}`, llm.ServerError, "", `{"error":""}`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := http.Header{}
			for _, f := range strings.Split(c.header, "|") {
				if k, v, ok := strings.Cut(f, ": "); ok {
					h.Set(k, v)
				}
			}
			e := out.DecodeError(c.status, h, []byte(c.body))
			if e.Kind != c.kind || e.Code != c.code || e.Message != c.says || e.RetryAfter != c.wait || e.Status != c.status || e.Outbound != "ollama" || string(e.Raw) != c.body {
				t.Errorf("%+v", e)
			}
		})
	}
	long := out.DecodeError(500, nil, []byte(strings.Repeat("é", 2000)))
	if len(long.Message) > 510 || !strings.HasSuffix(long.Message, "é…") {
		t.Errorf("%d bytes: %s", len(long.Message), long.Message)
	}
}
