package converse_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"keytray/proxy/dialect/converse"
	"keytray/proxy/dialect/dialecttest"
	"keytray/proxy/llm"
)

func events(t *testing.T, c *llm.Call, body string) dialecttest.Summary {
	t.Helper()
	return dialecttest.Summarize(dialecttest.Collect(t, converse.Dialect{}.DecodeResponse(c, strings.NewReader(body))))
}

func stream(frames ...string) string {
	var b strings.Builder
	for _, f := range frames {
		b.WriteString("event: x\ndata: " + f + "\n\n")
	}
	return b.String()
}

const (
	begins = `{"role":"assistant","p":"ab"}`
	stops  = `{"stopReason":"end_turn"}`
	counts = `{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5},"metrics":{"latencyMs":1}}`
)

func TestBlockIndexes(t *testing.T) { // G11
	c := &llm.Call{Stream: true, Model: llm.Model{Provider: "bedrock"}}
	got := events(t, c, stream(begins,
		`{"contentBlockIndex":0,"delta":{"text":""}}`, `{"contentBlockIndex":0}`,
		`{"contentBlockIndex":3,"delta":{"reasoningContent":{"text":"hm"}}}`,
		`{"contentBlockIndex":3,"delta":{"reasoningContent":{"signature":"c2"}}}`,
		`{"contentBlockIndex":3,"delta":{"reasoningContent":{"signature":"ln"}}}`,
		`{"contentBlockIndex":3}`, `{"contentBlockIndex":3}`,
		`{"contentBlockIndex":7,"start":{"toolUse":{"name":"f","toolUseId":"t1"}}}`,
		`{"contentBlockIndex":7,"delta":{"toolUse":{"input":"{\"a\""}}}`,
		`{"contentBlockIndex":7,"delta":{"toolUse":{"input":":1}"}}}`,
		`{"contentBlockIndex":7}`,
		`{"contentBlockIndex":8,"start":{"toolUse":{"name":"g","toolUseId":"t2"}}}`, `{"contentBlockIndex":8}`,
		`{"contentBlockIndex":9,"delta":{"text":"Done"}}`,
		`{"contentBlockIndex":9}`, `{"stopReason":"tool_use"}`, counts))
	if got.Thinking != "hm" || got.Text != "Done" || len(got.Opaque) != 1 || got.Opaque[0] != "c2ln" || got.Why != "tool_calls" {
		t.Errorf("%+v", got)
	}
	if len(got.Calls) != 2 || string(got.Calls[0].Arguments) != `{"a":1}` || string(got.Calls[1].Arguments) != `{}` {
		t.Errorf("calls %+v", got.Calls)
	}
}

// Calls that grow side by side are told apart by their index.
func TestCallsSideBySide(t *testing.T) { // G11
	got := events(t, &llm.Call{Stream: true}, stream(begins,
		`{"contentBlockIndex":1,"start":{"toolUse":{"name":"f","toolUseId":"t1"}}}`,
		`{"contentBlockIndex":2,"start":{"toolUse":{"name":"g","toolUseId":"t2"}}}`,
		`{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"b\":"}}}`,
		`{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":1}"}}}`,
		`{"contentBlockIndex":2,"delta":{"toolUse":{"input":"2}"}}}`,
		`{"contentBlockIndex":1}`, `{"contentBlockIndex":2}`, `{"stopReason":"tool_use"}`, counts))
	if len(got.Calls) != 2 || string(got.Calls[0].Arguments) != `{"a":1}` || string(got.Calls[1].Arguments) != `{"b":2}` {
		t.Errorf("%+v", got.Calls)
	}
}

func TestNoMessage(t *testing.T) { // G12
	for _, body := range []string{
		`{"stopReason":"guardrail_intervened","usage":{"inputTokens":3,"outputTokens":0}}`,
		`{"output":null,"stopReason":"guardrail_intervened"}`,
		`{"output":{},"stopReason":"guardrail_intervened"}`,
		`{"output":{"message":null},"stopReason":"guardrail_intervened"}`,
		`{"output":{"message":{"content":null}},"stopReason":"guardrail_intervened"}`,
		`{"output":{"message":{"content":[{}]}},"stopReason":"guardrail_intervened"}`,
	} {
		if got := events(t, &llm.Call{}, body); got.Why != string(llm.ContentFilter) || got.Text != "" {
			t.Errorf("%s: %+v", body, got)
		}
	}
	for _, body := range []string{`{}`, `{"output":{}}`, `[]`, `null`, ``} {
		for _, err := range (converse.Dialect{}).DecodeResponse(&llm.Call{}, strings.NewReader(body)) {
			var e *llm.Error
			if !errors.As(err, &e) || e.Kind != llm.Garbage {
				t.Errorf("%q: %v", body, err)
			}
		}
	}
}

func TestCacheDetails(t *testing.T) { // G13
	for usage, want := range map[string]llm.Usage{
		`{"inputTokens":3,"outputTokens":2,"cacheReadInputTokens":7,"cacheWriteInputTokens":300,"cacheDetails":[{"ttl":"1h","inputTokens":100},{"ttl":"5m","inputTokens":200}]}`: {Input: 3, Output: 2, CacheRead: 7, CacheWrite5m: 200, CacheWrite1h: 100, Known: true},
		`{"inputTokens":3,"outputTokens":2,"cacheWriteInputTokens":300}`:                                                 {Input: 3, Output: 2, CacheWrite5m: 300, Known: true},
		`{"inputTokens":3,"outputTokens":2,"cacheWriteInputTokens":300,"cacheDetails":[{"ttl":"1h","inputTokens":100}]}`: {Input: 3, Output: 2, CacheWrite5m: 200, CacheWrite1h: 100, Known: true},
	} {
		var whole, streamed llm.Tally
		converse.Dialect{}.Tally(&llm.Call{}, &whole, []byte(`{"output":{},"stopReason":"end_turn","serviceTier":{"type":"flex"},"usage":`+usage+`}`))
		for _, f := range []string{stops, `{"usage":` + usage + `,"metrics":{},"serviceTier":{"type":"flex"}}`} {
			converse.Dialect{}.Tally(&llm.Call{Stream: true}, &streamed, []byte(f))
		}
		for _, got := range []llm.Tally{whole, streamed} {
			u := got.Usage
			if u.Input != want.Input || u.CacheRead != want.CacheRead || u.CacheWrite5m != want.CacheWrite5m || u.CacheWrite1h != want.CacheWrite1h || !u.Known || got.Tier != "flex" {
				t.Errorf("%s: %+v, tier %q", usage, u, got.Tier)
			}
		}
	}
}

func TestExceptionInStream(t *testing.T) {
	c := &llm.Call{Stream: true}
	exception := `{"type":"error","error":{"type":"rate_limit_error","message":"Too many tokens","code":"throttlingException"}}`
	var got error
	for _, err := range (converse.Dialect{}).DecodeResponse(c, strings.NewReader(stream(begins, exception))) {
		got = err
	}
	var e *llm.Error
	if !errors.As(got, &e) || e.Kind != llm.RateLimited || e.Message != "Too many tokens" {
		t.Errorf("%v", got)
	}
	var tally llm.Tally
	converse.Dialect{}.Tally(c, &tally, []byte(exception))
	if tally.Err == nil || tally.Err.Kind != llm.RateLimited || tally.Good {
		t.Errorf("%+v", tally)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		status       int
		header, body string
		kind         llm.ErrorKind
		says         string
	}{
		{400, "ValidationException:http://internal.amazon.com/coral/", `{"message":"bad toolConfig"}`, llm.BadRequest, "bad toolConfig"},
		{403, "AccessDeniedException", `{"Message":"no access to this model"}`, llm.Forbidden, "no access to this model"},
		{403, "", `{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token is invalid"}`, llm.Unauthorized, "security token"},
		{403, "ExpiredTokenException", `{"message":"expired"}`, llm.Unauthorized, "expired"},
		{429, "ThrottlingException", `{"message":"slow down"}`, llm.RateLimited, "slow down"},
		{429, "ModelNotReadyException", `{"message":"wait"}`, llm.Overloaded, "wait"},
		{424, "ModelErrorException", `{"message":"broke"}`, llm.ServerError, "broke"},
		{408, "ModelTimeoutException", `{"message":"late"}`, llm.Timeout, "late"},
		{404, "ResourceNotFoundException", `{"message":"no model"}`, llm.NotFound, "no model"},
		{503, "", ``, llm.Overloaded, "503"},
		{502, "", `<html>`, llm.ServerError, "web page"},
	} {
		h := http.Header{}
		h.Set("x-amzn-ErrorType", c.header)
		h.Set("Retry-After", "2")
		e := converse.Dialect{}.DecodeError(c.status, h, []byte(c.body))
		if e.Kind != c.kind || !strings.Contains(e.Message, c.says) || e.RetryAfter != 2*time.Second || e.Outbound != "converse" {
			t.Errorf("%d %s: %s %q", c.status, c.header, e.Kind, e.Message)
		}
	}
}

// TestRecorded reads real answers of Bedrock and compares them with a plain
// reading of their JSON.
func TestRecorded(t *testing.T) {
	good := 0
	for _, r := range dialecttest.Recordings(t, "bedrock-converse") {
		if r.Stream {
			continue
		}
		var plain struct {
			Output struct {
				Message struct {
					Content []struct {
						Text    string
						ToolUse *struct{ Name string }
					}
				}
			}
			StopReason string
			Usage      struct{ InputTokens, OutputTokens, CacheReadInputTokens, CacheWriteInputTokens int64 }
		}
		if err := json.Unmarshal(r.Body, &plain); err != nil || plain.StopReason == "" {
			continue // a refusal
		}
		good++
		c := &llm.Call{Model: llm.Model{Provider: "bedrock"}}
		got := events(t, c, string(r.Body))
		text, calls := "", 0
		for _, b := range plain.Output.Message.Content {
			text += b.Text
			if b.ToolUse != nil {
				if calls < len(got.Calls) && got.Calls[calls].Name != b.ToolUse.Name {
					t.Errorf("%s: call of %s", r.Name, got.Calls[calls].Name)
				}
				calls++
			}
		}
		u := plain.Usage
		if got.Text != text || len(got.Calls) != calls || len(c.Lost) > 0 || got.Usage["input"] != u.InputTokens || got.Usage["output"] != u.OutputTokens ||
			got.Usage["cache_read"] != u.CacheReadInputTokens || got.Usage["cache_write_5m"]+got.Usage["cache_write_1h"] != u.CacheWriteInputTokens {
			t.Errorf("%s: %+v, lost %q", r.Name, got, c.Lost)
		}
		if tally, v := dialecttest.Weigh(t, converse.Dialect{}, c, r.Body); v[0] != llm.Last || !tally.Done || tally.Usage.Input != u.InputTokens {
			t.Errorf("%s: tally %+v", r.Name, tally)
		}
	}
	t.Logf("%d answers", good)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(stream(begins, `{"contentBlockIndex":0,"delta":{"text":"a"}}`, `{"contentBlockIndex":0}`, stops, counts)), true)
	f.Add([]byte(`{"output":{"message":{"content":[{"toolUse":{}},{"reasoningContent":{"redactedContent":"!"}}]}},"stopReason":"x"}`), false)
	f.Add([]byte(stream(`{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{"}}}`, `{"contentBlockIndex":1,"delta":{"citation":{"title":"t"}}}`)), true)
	f.Fuzz(func(t *testing.T, body []byte, streamed bool) {
		c := &llm.Call{Stream: streamed}
		var all []llm.Event
		var end error
		for e, err := range (converse.Dialect{}).DecodeResponse(c, strings.NewReader(string(body))) {
			if end = err; err == nil {
				all = append(all, e)
			}
		}
		if err := dialecttest.Bracketed(all, end == nil); err != nil {
			t.Error(err)
		}
		var e *llm.Error
		if end != nil && !errors.As(end, &e) {
			t.Errorf("%v is no *llm.Error", end)
		}
		converse.Dialect{}.Tally(c, &llm.Tally{}, body)
		converse.Dialect{}.DecodeError(500, nil, body)
	})
}

func BenchmarkDecode500(b *testing.B) {
	frames := []string{begins}
	for range 500 {
		frames = append(frames, `{"contentBlockIndex":0,"delta":{"text":" word and\n"},"p":"abcdefghijklmnop"}`)
	}
	body := stream(append(frames, `{"contentBlockIndex":0}`, stops, counts)...)
	dialecttest.BenchDecode(b, converse.Dialect{}, body, 500)
}
